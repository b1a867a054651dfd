"""The payer's page of a Checkout Session."""

from html import escape

from friendpay.demo.emulation.messages import Response
from friendpay.demo.emulation.pages import page
from payments.wallets.stripe.emulator.amounts import shown
from payments.wallets.stripe.emulator.book import DECLINED, REFUND_FAILS, REFUND_PENDS
from payments.wallets.stripe.emulator.things import Thing

BRAND = "Stripe"

_CARDS = {
    "4242424242424242": "pays",
    **{card: words for card, (_code, words) in DECLINED.items()},
    REFUND_FAILS: "pays; a refund of it fails",
    REFUND_PENDS: "pays; a refund of it waits a moment",
}


def stale_page() -> Response:
    """What a payer reads who was on the page already when its session expired."""
    return page(BRAND, "You did it", "<p>Thank you.</p>")


def checkout_page(session: Thing | None, problem: str = "") -> Response:
    if session is None or session["object"] != "checkout.session":
        return page(BRAND, "No such page", "", status=404)
    back = f'<p><a href="{escape(session["cancel_url"] or session["success_url"])}">Back to the shop</a></p>'
    if session["status"] == "complete":
        return page(BRAND, "You are all done here", back, status=410)
    if session["status"] == "expired":
        return page(BRAND, "This page has expired", back, status=410)
    debit = "sepa_debit" in session["payment_method_types"]
    choices = {
        "approve": "Pay",
        **({"debit": "Debit my bank account"} if debit else {}),
        "refuse": "Have the card declined",
        "lapse": "Let it lapse",
    }
    drawn = "".join(f'<button name="choice" value="{name}">{label}</button>' for name, label in choices.items())
    cards = "".join(f"<li><code>{card}</code> {escape(words)}</li>" for card, words in _CARDS.items())
    return page(
        BRAND,
        f"Pay {shown(session['amount_total'], session['currency'])}",
        f'<p role="alert">{escape(problem)}</p><form method="post" action="/c/pay/{session["id"]}">'
        '<label>Card number <input name="card" inputmode="numeric" value="4242 4242 4242 4242"></label>'
        f"{drawn}</form>{back}<details><summary>Test cards</summary><ul>{cards}</ul></details>",
    )
