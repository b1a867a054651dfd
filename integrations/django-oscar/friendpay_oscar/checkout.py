"""The payment step: another way to pay beside the shop's own, and what happens when it is taken."""

import hashlib
import logging
import re
import uuid
from typing import Any

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from friendpay_client import ApiError, FriendpayError
from oscar.core.loading import get_model

from friendpay_oscar import api, orders, statuses, sums
from friendpay_oscar.apps import NEEDED
from friendpay_oscar.links import address_of

logger = logging.getLogger("friendpay.oscar")
METHOD = "friendpay"
HOLD_SECONDS = 24 * 60 * 60


class AskAFriend:
    """Before the shop's own PaymentDetailsView. A form that says `payment_method=friendpay` is ours; all else is not
    touched, so whatever gateway the shop has goes on as before, also while friendpay is down.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form sent again, after all was done: to the order it made."""
        known = request.session.get("checkout_order_id")
        if known and request.POST.get("payment_method") == METHOD and request.basket.is_empty:
            order = get_model("order", "Order").objects.filter(pk=known).first()
            if order and orders.source_of(order):
                return HttpResponseRedirect(address_of(order.number, request))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if self.preview:
            context["friendpay_chosen"] = self._chosen()
            context["friendpay_attempt"] = uuid.uuid4().hex
        else:
            context["friendpay_offer"] = self._offer(context)
        return context

    def handle_place_order_submission(self, request: HttpRequest) -> HttpResponse:
        if self._chosen():
            return self._ask(**self.build_submission())
        return super().handle_place_order_submission(request)

    def _chosen(self) -> bool:
        return self.request.POST.get("payment_method") == METHOD

    def _offer(self, context: dict[str, Any]) -> str:
        """The button's words, in the shop's language; "" where friendpay's rules withhold it, or nobody answers."""
        if not context.get("order_total") or not all(getattr(settings, name, "") for name in NEEDED):
            return ""
        try:
            offers = api.hasty().weigh_offers(
                **_told(context), buyer={"id": _buyer(context)["id"]}, locale=get_language()
            )
        except (FriendpayError, sums.SumsDiffer) as error:
            logger.warning("asking a friend is not offered: %s", error)
            return ""
        label = next((shown["label"] for shown in offers["shown"] if shown["method"] == "friend"), "")
        ours = _("Ask a friend to pay")  # in some languages that friendpay's pages do not have
        return ours if label and ours != "Ask a friend to pay" else label

    def _ask(self, basket: Any, **submission: Any) -> HttpResponse:
        """Make friendpay's order and ask in one call, then the shop's order, held. A double click makes one of each.

        friendpay comes first: an order there that the shop then cannot place is cancelled before anybody has its link.
        """
        number = str(self.generate_order_number(basket))
        self.checkout_session.set_order_number(number)
        self.freeze_basket(basket)
        self.checkout_session.set_submitted_basket(basket)
        try:
            asked = self._asked(number, {"basket": basket, **submission})
        except (FriendpayError, sums.SumsDiffer) as error:
            logger.warning("order %s: a friend cannot be asked: %s", number, error)
            return self._refused(_("A friend cannot be asked right now. Please try again, or pay in another way."))
        try:
            with transaction.atomic():
                order = self._placed(number, basket, submission)
                orders.hold(order, asked["id"])
        except Exception as error:
            order = orders.held(asked["id"])
            if order is None:
                logger.exception("order %s cannot be placed", number)
                api.client().cancel_order(asked["id"])
                known = str(error) if isinstance(error, ValueError) else ""
                return self._refused(known or _("Your order cannot be placed. Nothing was paid."))
            basket.submit()  # the same form was sent twice at once, and the other one made the order
        self.checkout_session.flush()
        self.request.session["checkout_order_id"] = order.pk
        return HttpResponseRedirect(asked["checkout_url"])

    def _asked(self, number: str, submission: dict[str, Any]) -> Any:
        request = self.request
        body = {
            **_told(submission),
            "reference": number,
            "buyer": _buyer(submission),
            "metadata": {"shop": "django-oscar", "basket": str(submission["basket"].pk)},
            "return_url": address_of(number, request),
            "locale": get_language(),
            "expires_in": getattr(settings, "FRIENDPAY_HOLD_SECONDS", HOLD_SECONDS),
            "payment_request": {},
        }
        attempt = re.sub(r"\W", "", request.POST.get("friendpay_attempt", ""), flags=re.ASCII)[:40]
        key = f"oscar-{number}-{attempt or uuid.uuid4().hex}"
        try:
            return api.client().create_order(**body, idempotency_key=key)
        except ApiError as error:
            if error.code != "reference_used":
                raise
        for earlier in api.client().list_orders(reference=number):  # of a try that broke off; nobody has its link
            api.client().cancel_order(earlier["id"])
        return api.client().create_order(**body, idempotency_key=key)

    def _placed(self, number: str, basket: Any, submission: dict[str, Any]) -> Any:
        ours = {"payment_kwargs", "order_kwargs"}
        order = self.place_order(
            order_number=number,
            basket=basket,
            status=statuses.WAITING,
            **{name: value for name, value in submission.items() if name not in ours},
            **submission["order_kwargs"],
        )
        basket.submit()
        return order

    def _refused(self, words: str) -> HttpResponse:
        self.restore_frozen_basket()
        return self.render_payment_details(self.request, error=words)


def _told(submission: dict[str, Any]) -> dict[str, Any]:
    names = ("basket", "shipping_method", "shipping_charge", "surcharges")
    return sums.told(**{name: submission[name] for name in names}, total=submission["order_total"])


def _buyer(submission: dict[str, Any]) -> dict[str, str]:
    """Who asks, as her friend reads it. A guest is known by her address, which is not told."""
    user, address = submission["user"], submission["shipping_address"]
    name = (user.get_full_name() if user.is_authenticated else "") or (address.name if address else "")
    if user.is_authenticated:
        return {"id": f"user-{user.pk}", "name": name or user.get_username()}
    email = submission["order_kwargs"].get("guest_email") or ""
    known = hashlib.sha256(f"{settings.SECRET_KEY}{email.lower()}".encode()).hexdigest()[:20]
    return {"id": f"guest-{known}", "name": name or "?"}
