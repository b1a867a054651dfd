"""Ask a friend to pay, as one of pretix's ways to pay."""

import logging
from collections import OrderedDict
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.loader import get_template
from django.utils.timezone import now
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from friendpay_client import ApiError, Friendpay, FriendpayError, NoAnswer
from pretix.base.forms import SECRET_REDACTED, SecretKeySettingsField
from pretix.base.i18n import language
from pretix.base.models import Order, OrderPayment, OrderRefund
from pretix.base.payment import BasePaymentProvider, PaymentException
from pretix.multidomain.urlreverse import eventreverse_absolute
from pretix.presale.views import get_cart
from pretix.presale.views.cart import cart_session, get_or_create_cart_id

from pretix_friendpay import buyers, settling, sums

logger = logging.getLogger(__name__)

EVENTS = ("order.paid", "order.expired", "order.cancelled", "order.refunded", "refund.succeeded", "refund.failed")
"""What pretix is told. `refund.succeeded` too, as one of pretix's refunds may go to several friends."""


@lru_cache(maxsize=64)
def _client(address: str, key: str, timeout: float, retries: int) -> Friendpay:
    return Friendpay(key, base_url=address, timeout=timeout, retries=retries)


class FriendpayProvider(BasePaymentProvider):
    identifier = "friendpay"
    verbose_name = gettext_lazy("Ask a friend to pay")
    abort_pending_allowed = True

    def client(self, *, timeout: float = 10, retries: int = 1) -> Friendpay:
        """Its calls are safe to repeat: each has a key of its own."""
        return _client(self.settings.get("address") or "", self.settings.get("key") or "", timeout, retries)

    # What an organiser sets

    @property
    def settings_form_fields(self) -> "OrderedDict[str, forms.Field]":
        ours = [
            ("address", forms.URLField(label=_("Address of friendpay"), assume_scheme="https")),
            ("key", SecretKeySettingsField(label=_("API key"), help_text=_("sk_test_… for an event in test mode."))),
            (
                "secret",
                SecretKeySettingsField(
                    label=_("Secret of the webhook"),
                    required=False,
                    help_text=_("Leave it empty, and the webhook is set up for you when you save."),
                ),
            ),
        ]
        return OrderedDict([*ours, *super().settings_form_fields.items()])

    def settings_form_clean(self, cleaned_data: dict[str, Any]) -> dict[str, Any]:
        """What was entered is tried at once: the key, the way back, and the webhook, which is made where none is."""
        address, key, secret = (f"payment_{self.identifier}_{name}" for name in ("address", "key", "secret"))
        if not cleaned_data.get(address) or not cleaned_data.get(key):
            return cleaned_data
        kept = self.settings.get("key") if cleaned_data[key] == SECRET_REDACTED else cleaned_data[key]
        client = _client(cleaned_data[address], kept, 10, 1)
        try:
            origins = client.get_account()["shop"]["return_origins"]
            site = "/".join(self.webhook_url().split("/")[:3])
            if site.startswith("https:") and site not in origins:  # a trial on one machine is let back without
                told = _("friendpay does not know {site} yet: add it to the shop's origins there.")
                raise ValidationError({address: told.format(site=site)})
            if not cleaned_data.get(secret):
                made = client.create_webhook_endpoint(url=self.webhook_url(), description="pretix", events=[*EVENTS])
                if "secret" not in made:
                    made = client.rotate_webhook_secret(made["id"])
                cleaned_data[secret] = made["secret"]
        except FriendpayError as error:
            raise ValidationError({key: _("friendpay says: {error}").format(error=error)}) from error
        return cleaned_data

    def webhook_url(self) -> str:
        return str(eventreverse_absolute(self.event, "plugins:pretix_friendpay:webhook"))

    @property
    def test_mode_message(self) -> str | None:
        return _("This is a test: no real money moves.") if self._is_test_key() else None

    def _is_test_key(self) -> bool:
        return (self.settings.get("key") or "").startswith("sk_test_")

    # What a buyer sees

    def is_allowed(self, request: HttpRequest, total: Decimal | None = None) -> bool:
        if not super().is_allowed(request, total) or total is None:
            return False
        buyer = buyers.id_of(cart_session(request).get("email") or get_or_create_cart_id(request))
        return self._is_offered(request, buyer, total, get_cart(request), self.event.testmode)

    def order_change_allowed(self, order: Order, request: HttpRequest | None = None) -> bool:
        if not super().order_change_allowed(order, request) or request is None:
            return False
        buyer, positions = buyers.id_of(order.email or order.code), order.positions.all()
        return self._is_offered(request, buyer, order.pending_sum, positions, order.testmode)

    def _is_offered(self, request: HttpRequest, buyer: str, total: Decimal, positions: Any, test: bool) -> bool:
        """friendpay's rules decide. Where it cannot be asked, the way is not offered, and the shop goes on without."""
        if total <= 0 or self._is_test_key() != test:
            return False
        known = request.__dict__.setdefault("_friendpay_offered", {})
        if (buyer, total) not in known:
            known[buyer, total] = self._ask_for_offers(request, buyer, total, positions)
        return bool(known[buyer, total])

    def _ask_for_offers(self, request: HttpRequest, buyer: str, total: Decimal, positions: Any) -> bool:
        try:
            offers = self.client(timeout=3, retries=0).weigh_offers(
                currency=self.event.currency,
                amount=sums.minor(total, self.event.currency),
                lines=sums.basket(self.event, positions),
                buyer={"id": buyer},
                locale=buyers.locale(get_language()),
                screen=buyers.screen(request),
            )
        except (FriendpayError, sums.DoesNotAddUp) as error:
            logger.warning("friendpay could not be asked what to offer: %s", error)
            return False
        return any(it["method"] == "friend" for it in offers["shown"])

    @property
    def payment_form_fields(self) -> dict[str, forms.Field]:
        return {
            "name": forms.CharField(label=_("Your name, as your friend knows you"), max_length=60),
            "message": forms.CharField(label=_("A line to your friend"), max_length=120, required=False),
        }

    def payment_form(self, request: HttpRequest) -> forms.Form:
        form = super().payment_form(request)
        form.initial.setdefault("name", buyers.name(request))
        return form

    def payment_form_render(self, request: HttpRequest, total: Decimal, order: Order | None = None) -> str:
        words = _("You get a link and a QR code. Whoever opens it can pay. Your tickets are kept until then.")
        return self._render("words", words=words) + super().payment_form_render(request, total, order)

    def checkout_confirm_render(self, request: HttpRequest, order: Order | None = None, info_data: Any = None) -> str:
        words = _("As soon as you have ordered, you get the link to send to your friend.")
        return self._render("words", words=words)

    def payment_pending_render(self, request: HttpRequest, payment: OrderPayment) -> str:
        info = payment.info_data
        return self._render("pending", checkout_url=info.get("checkout_url"), until=settling.until(payment))

    def payment_is_valid_session(self, request: HttpRequest) -> bool:
        return bool(request.session.get(f"payment_{self.identifier}_name"))

    def _render(self, name: str, **context: Any) -> str:
        return str(get_template(f"pretix_friendpay/{name}.html").render(context))

    # Asking

    def reference(self, payment: OrderPayment) -> str:
        """The number of the payment, with the order's in it: at friendpay, one is used once."""
        return str(payment.global_id)[-64:]

    def refund_reference(self, refund: OrderRefund) -> str:
        return str(refund.global_id)[-64:]

    def execute_payment(self, request: HttpRequest, payment: OrderPayment) -> str:
        """Asks, once however often it is called, and leads to the page where the buyer waits. The order is held."""
        with language(payment.order.locale, self.event.settings.region):
            try:
                told = self._ask(request, payment, sums.of_payment(payment))
            except (sums.DoesNotAddUp, FriendpayError) as error:
                logger.error("friendpay was not asked for %s: %s", payment.global_id, error)
                if isinstance(error, sums.DoesNotAddUp) or (isinstance(error, ApiError) and error.status < 429):
                    settling.give_up(payment)
                    raise PaymentException(_("A friend cannot pay this order. Choose another way to pay.")) from error
                raise PaymentException(
                    _("Your friend could not be asked just now. Your order is kept: try again, or choose another way.")
                ) from error
        settling.begun(payment, told["id"], told["checkout_url"])
        return str(told["checkout_url"])

    def _ask(self, request: HttpRequest, payment: OrderPayment, sum_: dict[str, Any]) -> dict[str, Any]:
        order, until = payment.order, settling.hold(payment)
        asked = {
            **sum_,
            "reference": self.reference(payment),
            "currency": self.event.currency,
            "buyer": {
                "id": buyers.id_of(order.email or order.code),
                "name": _session(request, "name") or str(self.event),
            },
            "metadata": {"pretix_payment": str(payment.pk), "pretix_order": order.full_code},
            "return_url": eventreverse_absolute(
                self.event, "presale:event.order", kwargs={"order": order.code, "secret": order.secret}
            ),
            "locale": buyers.locale(order.locale),
            "expires_in": max(60, int((until - now()).total_seconds())),
            "payment_request": {"message": _session(request, "message") or None},
        }
        key = f"pretix-{self.reference(payment)}"
        try:
            told = self.client().create_order(**asked, screen=buyers.screen(request), idempotency_key=key)
        except ApiError as error:
            if error.code not in ("reference_used", "idempotency_key_reused"):
                raise
            told = settling.find(self, payment)
            if told is None:
                raise
        return dict(told)

    # Ending, and giving back

    def cancel_payment(self, payment: OrderPayment) -> None:
        """Nobody can pay it any more, or PaymentException: somebody has, or friendpay could not be asked."""
        try:
            told = settling.find(self, payment)
            if told and told["status"] == "awaiting_payment":
                told = self.client().cancel_order(told["id"])
        except FriendpayError as error:
            raise PaymentException(
                _("friendpay could not be told to stop asking: {error}").format(error=error)
            ) from error
        if told and told["status"] == "paid" and not told["paid_elsewhere"]:
            raise PaymentException(_("A friend has just paid this order."))
        payment.state = OrderPayment.PAYMENT_STATE_CANCELED
        payment.save(update_fields=["state"])
        settling.release(payment.order_id)

    def payment_refund_supported(self, payment: OrderPayment) -> bool:
        return bool(payment.info_data.get("order"))

    payment_partial_refund_supported = payment_refund_supported

    def execute_refund(self, refund: OrderRefund) -> None:
        """Back to whoever paid, once however often it is called: friendpay knows the refund by its number. Where no
        answer came the refund stays under way, and is asked about again.
        """
        if refund.payment is None or not refund.payment.info_data.get("order"):
            raise PaymentException(_("Nothing was paid by a friend here."))
        order, reference = refund.payment.info_data["order"], self.refund_reference(refund)
        amount = sums.minor(refund.amount, self.event.currency)
        try:
            client = self.client()
            made = [it for it in client.list_refunds(order=order) if it["merchant_reference"] == reference]
            if not made:
                made = client.refund_order(
                    order,
                    amount=amount,
                    reason=refund.comment or None,
                    merchant_reference=reference,
                    idempotency_key=f"pretix-{reference}",
                )["refunds"]
        except NoAnswer as error:
            logger.warning("friendpay did not answer to refund %s; it is tried again: %s", reference, error)
            settling.follow(refund, ["requested"])
        except ApiError as error:
            raise PaymentException(_("friendpay says: {error}").format(error=error.detail or error.code)) from error
        else:
            if sum(it["amount"] for it in made) != amount:  # pretix undid a refund that was made: it is told of
                raise PaymentException(_("friendpay has another refund by this number. Please look again in a moment."))
            settling.follow(refund, [it["status"] for it in made])

    # What an organiser sees

    def payment_control_render(self, request: HttpRequest, payment: OrderPayment) -> str:
        return self._render("control", payment=payment.info_data, reference=self.reference(payment))

    def refund_control_render(self, request: HttpRequest, refund: OrderRefund) -> str:
        return self._render("control", payment=refund.info_data, reference=self.refund_reference(refund))

    def payment_control_render_short(self, payment: OrderPayment) -> str:
        return payment.info_data.get("order") or str(self.verbose_name)

    def api_payment_details(self, payment: OrderPayment) -> dict[str, Any]:
        return {"friendpay_order": payment.info_data.get("order")}

    def matching_id(self, payment: OrderPayment) -> str | None:
        return payment.info_data.get("order")

    def shred_payment_info(self, obj: OrderPayment | OrderRefund) -> None:
        """There is nothing about a person in it, and refunds need it."""


def _session(request: HttpRequest, name: str) -> str:
    return str(request.session.get(f"payment_{FriendpayProvider.identifier}_{name}") or "")
