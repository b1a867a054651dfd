"""Stripe's rules of sessions, payments, refunds and bookings, without HTTP and without signatures."""

import re
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta

from friendpay.demo.emulation.moved import Charge, Moved, Return
from friendpay.demo.emulation.notifier import Clock
from payments.wallets.stripe.emulator import amounts as amounts
from payments.wallets.stripe.emulator import things as things
from payments.wallets.stripe.emulator.methods import CURRENCIES, fitting
from payments.wallets.stripe.emulator.records import Records
from payments.wallets.stripe.emulator.requests import Params, Wrong
from payments.wallets.stripe.emulator.things import Thing

SHORTEST, LONGEST = timedelta(minutes=30), timedelta(hours=24)
SEARCH_LAG = timedelta(minutes=1)

REFERENCE = "friendpay_reference"  # what our shop calls its own number in the metadata

DECLINED = {
    "4000000000000002": ("generic_decline", "Your card was declined."),
    "4000000000009995": ("insufficient_funds", "Your card has insufficient funds."),
}
REFUND_FAILS = "4000000000005126"
REFUND_PENDS = "4000000000007726"
CARDS = {"4242424242424242", REFUND_FAILS, REFUND_PENDS, *DECLINED}


class Book(Records):
    """Everything the account knows, by id. What a method returns is the book's own: copy it before you send it."""

    def __init__(self, clock: Clock, tell: Callable[[str, Thing], None], page: Callable[[str], str]) -> None:
        """`tell` hears of each event and the thing it is about; `page` is the address of a session's payer page."""
        super().__init__(clock)
        self.tell = tell
        self.page = page
        self.activated = set(CURRENCIES)  # what the shop has switched on in its Dashboard
        self.balance_is_short = False  # True: a refund waits until `top_up`
        self._planned: dict[str, Params] = {}  # by session: what its payment will be made of
        self._cards: dict[str, str] = {}  # by charge

    # Sessions

    def open_session(self, params: Params) -> Thing:
        prices = [(line["price_data"], int(line["quantity"])) for line in params["line_items"].values()]
        currencies = {price["currency"] for price, _quantity in prices}
        if len(currencies) > 1:
            raise Wrong("All prices on a Checkout Session must have the same currency.", param="line_items")
        currency = currencies.pop()
        for price, _quantity in prices:
            amounts.check(int(price["unit_amount"]), currency, "line_items[0][price_data][unit_amount]")
        total = sum(int(price["unit_amount"]) * quantity for price, quantity in prices)
        amounts.check_total(total, currency)
        expires_at = int(params.get("expires_at", self.now + LONGEST.total_seconds()))
        if expires_at < self.now + SHORTEST.total_seconds():
            raise Wrong("The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.")
        if expires_at > self.now + LONGEST.total_seconds():
            raise Wrong("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.")
        allowed = [*params.get("allowed_payment_method_types", {}).values()]
        if not (kinds := fitting(allowed, currency, self.activated)):
            raise Wrong(
                "No valid payment method types for this Checkout Session. Please ensure that you have activated "
                "payment methods compatible with your chosen currency in your dashboard."
            )
        if "wechat_pay" in kinds and "client" not in params.get("payment_method_options", {}).get("wechat_pay", {}):
            name = "payment_method_options[wechat_pay][client]"
            raise Wrong(f"Missing required param: {name}.", code="parameter_missing", param=name)
        session = self._add("checkout.session", "cs_test", **things.session(params, currency, total, expires_at, kinds))
        session["url"] = self.page(session["id"])
        self._planned[session["id"]] = params.get("payment_intent_data", {})
        return session

    def expire(self, session: Thing) -> Thing:
        if session["status"] != "open":
            raise Wrong(
                'Only Checkout Sessions with a status in ["open"] can be expired. '
                f"This Checkout Session has a status of `{session['status']}`."
            )
        session |= {"status": "expired", "url": None}
        if session["payment_intent"]:
            intent = self.things[session["payment_intent"]]
            intent |= {"status": "canceled", "canceled_at": self.now, "cancellation_reason": "expired"}
        self.tell("checkout.session.expired", session)
        return session

    def sweep(self) -> None:
        """Expire what is over; everybody who looks at the book does this first."""
        for session in self.all("checkout.session"):
            if session["status"] == "open" and session["expires_at"] <= self.now:
                self.expire(session)

    # Payments

    def pay(self, session: Thing, card: str = "4242424242424242", *, short: int = 0) -> bool:
        """The payer confirms, `short` units less; False when the card is declined, and she may try another."""
        if session["status"] != "open":
            raise ValueError("this session is over")
        intent = self._intent(session)
        if card in DECLINED:
            reason, words = DECLINED[card]
            intent["last_payment_error"] = {
                "code": "card_declined",
                "decline_code": reason,
                "message": words,
                "type": "card_error",
            }
            return False
        if short:
            intent["amount"] = session["amount_total"] = session["amount_subtotal"] = session["amount_total"] - short
        session |= {"status": "complete", "url": None}
        self._paid(session, intent, card)
        self.tell("checkout.session.completed", session)
        return True

    def debit(self, session: Thing) -> None:
        """The payer lets her bank account be debited: complete, and unpaid until the bank decides."""
        intent = self._intent(session)
        session |= {"status": "complete", "url": None}
        intent |= {"status": "processing"}
        self.tell("checkout.session.completed", session)

    def decide_debit(self, session: Thing, *, paid: bool) -> None:
        intent = self.things[session["payment_intent"]]
        if paid:
            self._paid(session, intent, "")
            self.tell("checkout.session.async_payment_succeeded", session)
            return
        words = {"code": "payment_intent_payment_attempt_failed", "message": "The debit was returned."}
        intent |= {"status": "requires_payment_method", "last_payment_error": {"type": "card_error", **words}}
        self.tell("checkout.session.async_payment_failed", session)

    def _intent(self, session: Thing) -> Thing:
        if session["payment_intent"]:
            return self.things[session["payment_intent"]]
        planned = self._planned[session["id"]]
        intent = self._add("payment_intent", "pi", **things.intent(session, planned))
        session["payment_intent"] = intent["id"]
        return intent

    def _paid(self, session: Thing, intent: Thing, card: str) -> None:
        charge = self._add("charge", "ch" if card else "py", **things.charge(intent))
        self._cards[charge["id"]] = card
        charge["balance_transaction"] = self._book("charge" if card else "payment", charge, charge["amount"])
        intent |= {"status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"]}
        intent["last_payment_error"] = None
        session["payment_status"] = "paid"

    def charge_again(self, reference: str) -> str:
        """The payer is charged a second time in one session, which the real one should never do; the payment."""
        session = next(it for it in self.all("checkout.session") if it["client_reference_id"] == reference)
        intent = self._add("payment_intent", "pi", **things.intent(session, self._planned[session["id"]]))
        self._paid(session, intent, "4242424242424242")
        return str(intent["id"])

    def search(self, query: str) -> list[Thing]:
        """The one query this stand-in knows. What is newer than the search's lag is not found yet."""
        match = re.fullmatch(r"""metadata\[(["'])(\w+)\1\]:(["'])([^"']*)\3""", query)
        if not match:
            raise Wrong("We were unable to parse your search query.", param="query")
        until = self.now - SEARCH_LAG.total_seconds()
        found = [it for it in self.all("payment_intent") if it["metadata"].get(match[2]) == match[4]]
        return [intent for intent in found if intent["created"] <= until]

    # Refunds

    def refund(self, params: Params) -> Thing:
        """As the test cards say, a refund may wait, or fail after all; that happens right after the answer."""
        charge = self._charge(params)
        if any(it["charge"] == charge["id"] and not it["is_charge_refundable"] for it in self.all("dispute")):
            raise Wrong(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
        left = charge["amount"] - charge["amount_refunded"]
        if not left:
            raise Wrong(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
        amount = int(params.get("amount", left))
        amounts.check(amount, charge["currency"], "amount")
        if amount > left:
            asked, rest = (amounts.shown(units, charge["currency"]) for units in (amount, left))
            words = f"Refund amount ({asked}) is greater than unrefunded amount on charge ({rest})"
            raise Wrong(words, param="amount")
        card = self._cards[charge["id"]]
        status = "pending" if card == REFUND_PENDS or self.balance_is_short else "succeeded"
        refund = self._add("refund", "re", **things.refund(charge, amount, params), status=status)
        if status == "pending":
            refund["pending_reason"] = "insufficient_funds" if self.balance_is_short else "processing"
        refund["balance_transaction"] = self._book("refund", refund, -amount)
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        answer = deepcopy(refund)
        if self.balance_is_short:
            return answer
        if card == REFUND_PENDS:
            self.move_refund(refund, "succeeded")
        elif card == REFUND_FAILS:
            self.move_refund(refund, "failed")
        return answer

    def move_refund(self, refund: Thing, status: str | None) -> None:
        """Later news of a refund: pending, requires_action, succeeded, failed, canceled, or none at all."""
        refund["status"] = status
        refund.pop("pending_reason", None)
        if status in ("failed", "canceled"):
            charge = self.things[refund["charge"]]
            charge["amount_refunded"] -= refund["amount"]
            charge["refunded"] = False
            refund["failure_balance_transaction"] = self._book("refund_failure", refund, refund["amount"])
        if status == "failed":
            refund["failure_reason"] = "lost_or_stolen_card"
            self.tell("refund.failed", refund)
        self.tell("refund.updated", refund)

    def top_up(self) -> None:
        """The shop fills its balance: what waited for it goes."""
        self.balance_is_short = False
        for refund in self.all("refund"):
            if refund.get("pending_reason") == "insufficient_funds":
                self.move_refund(refund, "succeeded")

    def _charge(self, params: Params) -> Thing:
        if ("charge" in params) == ("payment_intent" in params):
            raise Wrong("One of the following params should be provided for this request: payment_intent or charge.")
        if "charge" in params:
            return self.get("charge", params["charge"], "charge")
        intent = self.get("payment_intent", params["payment_intent"], "payment_intent")
        if not intent["latest_charge"]:
            words = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
            raise Wrong(words, param="payment_intent")
        return self.things[intent["latest_charge"]]

    # Disputes

    def open_dispute(
        self, intent: Thing, reason: str = "fraudulent", *, amount: int = 0, inquiry: bool = False
    ) -> Thing:
        """The payer's bank contests a payment, or `amount` of it: the money leaves the balance at once. An inquiry asks
        only; it takes nothing until it is escalated.
        """
        charge = self.things[intent["latest_charge"]]
        due_by = self.now + int(timedelta(days=7).total_seconds())
        left = charge["amount"] - charge["amount_refunded"]
        dispute = self._add("dispute", "du", **things.dispute(charge, amount or left, reason, due_by))
        charge["disputed"] = True
        if inquiry:
            dispute |= {"status": "warning_needs_response", "is_charge_refundable": True}
        self.tell("charge.dispute.created", dispute)
        if not inquiry:
            self._withdraw(dispute)
        return dispute

    def escalate(self, dispute: Thing) -> None:
        """The bank is not content with the answer to its inquiry."""
        dispute |= {"status": "needs_response", "is_charge_refundable": False}
        self.tell("charge.dispute.updated", dispute)
        self._withdraw(dispute)

    def _withdraw(self, dispute: Thing) -> None:
        self._book_dispute(dispute, -dispute["amount"])
        self.tell("charge.dispute.funds_withdrawn", dispute)

    def _book_dispute(self, dispute: Thing, units: int) -> None:
        line = self._book("adjustment", dispute, units)
        dispute["balance_transactions"].append(deepcopy(self.things[line]))

    def close_dispute(self, dispute: Thing, *, won: bool) -> None:
        """The bank decides. What was won comes back to the balance, and can be refunded."""
        took = not dispute["is_charge_refundable"]
        dispute["status"] = ("won" if took else "warning_closed") if won else "lost"
        dispute["is_charge_refundable"] = won
        if won and took:
            self._book_dispute(dispute, dispute["amount"])
            self.tell("charge.dispute.funds_reinstated", dispute)
        self.tell("charge.dispute.closed", dispute)

    def contested(self) -> list[Thing]:
        """Disputes that hold money, or took it."""
        return [it for it in self.all("dispute") if not it["is_charge_refundable"]]

    # Bookings

    def moved(self) -> Moved:
        """Under the references in the metadata."""
        charges = [
            Charge(it["metadata"][REFERENCE], it["id"], it["amount_received"], it["currency"].upper())
            for it in self.all("payment_intent")
            if it["amount_received"]
        ]
        refunds = [it for it in self.all("refund") if it["status"] not in ("failed", "canceled")]
        marks = [(it["metadata"].get(REFERENCE, it["id"]), self._reference(it), it) for it in refunds]
        return charges, [Return(reference, charge, it["amount"]) for reference, charge, it in marks]

    def _reference(self, refund: Thing) -> str:
        """Of the charge it is of."""
        named = refund["metadata"].get("charge") or self.things[refund["payment_intent"]]["metadata"].get(REFERENCE, "")
        return str(named)
