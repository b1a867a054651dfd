"""What support does about a case: as acts of an order, and the same of whatever has one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from friendpay.admin_kit.acts import DANGER, PRIMARY, Act, Data
from friendpay.kit import clock
from orders.models import Order
from orders.webhooks import outbox as webhooks
from payments.admin import asking_now, case_forms
from payments.admin.case import WORK
from payments.admin.case_forms import AssignForm, LongerForm, MailForm, NoteForm, TellAgainForm
from payments.admin.order_refund import REFUND
from payments.admin.story import Story
from payments.mail import outbox
from payments.models import Assignment, PaymentRequest, StoppedBuyer
from payments.offers import weighing
from payments.offers.rollout import Case
from payments.offers.surfaces import PHONE, Surface
from payments.settlement import abuse, lifecycle, reissue, requests
from payments.share import text


def mine(user: Any) -> "QuerySet[Assignment]":
    """The cases this person sees to, the oldest first."""
    return Assignment.objects.filter(user_id=user.pk).select_related("order__merchant").order_by("assigned_at")


def _assign(order: Order, data: Data, _by: str) -> User | None:
    user: User | None = data["user"]
    if user is None:
        Assignment.objects.filter(order=order).delete()
    else:
        told = {"user": user, "assigned_at": clock.now()}
        Assignment.objects.update_or_create(order=order, defaults={"merchant_id": order.merchant_id, **told})
    return user


def _assigned(_order: Order, user: User | None) -> str:
    if user is None:
        return gettext("The case is assigned to nobody.")
    return gettext("The case is assigned to %(name)s.") % {"name": user.get_username()}


def _ask_friend(order: Order, data: Data, by: str) -> PaymentRequest:
    """As the buyer would; never for one whom support has stopped."""
    weighing.check_friend(Case.of(order), Surface.at(PHONE))
    return lifecycle.open_request(order.pk, actor=by, shared=True, expires_in=data["life"], reuse=False)


def _show_link(request: HttpRequest, _thing: Any, made: PaymentRequest) -> None:
    """Told, and not put on record: whoever has the link may pay by it."""
    messages.info(request, gettext("The new link: %(link)s") % {"link": text.link(made)})


def _may_be_asked(order: Order) -> bool:
    is_open = order.payment_requests.filter(status=PaymentRequest.Status.OPEN).exists()
    return order.status == Order.Status.AWAITING_PAYMENT and not is_open


def _tell_again(order: Order, data: Data, _by: str) -> int:
    for key in data["deliveries"]:
        webhooks.redeliver(int(key))
    return len(data["deliveries"])


def _send_again(order: Order, data: Data, _by: str) -> int:
    for key in data["mails"]:
        outbox.send_again(int(key))
    return len(data["mails"])


def _may_be_stopped(order: Order) -> bool:
    stopped = StoppedBuyer.objects.filter(merchant=order.merchant_id, buyer_id=order.buyer_id)
    return bool(order.buyer_id) and not stopped.exists()


OF_ORDER: dict[str, Act[Order]] = {
    "ask_wallets": Act(
        label=_("Ask the wallet now"),
        rights=WORK,
        icon="sync",
        colour=PRIMARY,
        waits=True,
        when=lambda order: bool(Story.of(order).payments),
        title=_("Ask the wallets where the money of order %(order)s is"),
        text=_("What they say is believed and told here: money that came is counted or goes back at once."),
        button=_("Ask now"),
        danger=False,
        do=lambda _order, _data, _by: None,
        done=_("The wallets were asked."),
        after=asking_now.of_order,
    ),
    "ask_friend": Act(
        label=_("Make a request"),
        rights=("payments.add_paymentrequest",),
        icon="add_link",
        when=_may_be_asked,
        title=_("Make a request for order %(order)s"),
        text=_("The buyer gets a link to send to a friend. Give it to nobody but the buyer."),
        button=_("Make the request"),
        danger=False,
        form=lambda data, _order: LongerForm(data),
        do=_ask_friend,
        done=_("A request for order %(order)s is open."),
        after=_show_link,
    ),
    "refund": REFUND,
    "tell_shop": Act(
        label=_("Tell the shop again"),
        rights=("orders.redeliver_webhookdelivery",),
        icon="webhook",
        when=lambda order: bool(case_forms.deliveries_of(order).exists()),
        title=_("Tell the shop again of order %(order)s"),
        text=_("With the ids and the bodies they always had, so that the shop can tell that it is a repeat."),
        button=_("Tell it again"),
        danger=False,
        form=TellAgainForm,
        do=_tell_again,
        done=lambda _order, count: gettext("%(count)s webhooks are sent again.") % {"count": count},
    ),
    "send_mail": Act(
        label=_("Send a mail again"),
        rights=WORK,
        icon="mail",
        when=lambda order: bool(case_forms.mails_of(order).exists()),
        title=_("Send mails of order %(order)s again"),
        text=_("They go to the addresses that people gave, and to no others."),
        button=_("Send again"),
        danger=False,
        form=MailForm,
        do=_send_again,
        done=lambda _order, count: gettext("%(count)s mails are sent again.") % {"count": count},
    ),
    "assign": Act(
        label=_("Assign"),
        rights=WORK,
        icon="assignment_ind",
        title=_("Assign order %(order)s"),
        text=_("Whoever it is assigned to finds it on the front page."),
        button=_("Assign"),
        danger=False,
        form=lambda data, order: AssignForm(
            data, initial={"user": getattr(getattr(order, "assignment", None), "user_id", None)}
        ),
        do=_assign,
        done=_assigned,
    ),
    "note": Act(
        label=_("Note"),
        rights=WORK,
        icon="edit_note",
        title=_("Note something on order %(order)s"),
        text=_("Only the desk reads it. It stays in the timeline."),
        button=_("Keep the note"),
        danger=False,
        form=lambda data, _order: NoteForm(data),
        why="note",
        do=lambda _order, _data, _by: None,
        done=_("Note: %(note)s"),
    ),
    "stop_buyer": Act(
        label=_("Stop the buyer"),
        rights=("payments.add_stoppedbuyer",),
        icon="person_off",
        colour=DANGER,
        again=True,
        when=_may_be_stopped,
        title=_("Stop the buyer"),
        text=_(
            "The buyer cannot ask friends at this shop any more; open requests are cancelled, and what friends "
            "gave goes back to them. The buyer's page says so kindly and names the shop's contact."
        ),
        button=_("Stop the buyer"),
        do=lambda order, _data, by: abuse.stop_buyer_of(order, actor=by),
        done=lambda order, _result: gettext("The buyer was stopped: %(name)s") % {"name": order.buyer_name},
    ),
    "freeze_shop": Act(
        label=_("Freeze the shop"),
        rights=("orders.freeze_merchant",),
        icon="ac_unit",
        colour=DANGER,
        again=True,
        when=lambda order: not order.merchant.is_frozen,
        title=_("Freeze the shop"),
        text=_(
            "Nothing new can be asked for or paid at this shop, by anybody. Refunds and checks go on. It can be "
            "undone on the shop's page."
        ),
        button=_("Freeze the shop"),
        do=lambda order, _data, _by: abuse.freeze(order.merchant_id),
        done=lambda order, _result: gettext("The shop was frozen: %(name)s") % {"name": order.merchant.name},
    ),
}


def about(act: Act[Order], order_of: Callable[[Any], Order]) -> Act[Any]:
    """The same on the page of whatever has an order."""
    done = act.done
    return replace(
        cast("Act[Any]", act),
        when=lambda thing: act.when(order_of(thing)),
        form=lambda data, thing: act.form(data, order_of(thing)),
        instead=lambda request, thing, data: act.instead(request, order_of(thing), data),
        do=lambda thing, data, by: act.do(order_of(thing), data, by),
        done=(lambda thing, result: done(order_of(thing), result)) if callable(done) else done,
        after=lambda request, thing, result: act.after(request, order_of(thing), result),
    )


OF_REQUEST: dict[str, Act[PaymentRequest]] = {
    **{name: about(act, lambda asked: asked.order) for name, act in OF_ORDER.items()},
    "extend": Act(
        label=_("More time"),
        rights=("payments.change_paymentrequest",),
        icon="more_time",
        when=lambda asked: bool(asked.status == PaymentRequest.Status.OPEN),
        title=_("Give the request for order %(order)s more time"),
        text=_("The same link lives on. Its end never becomes earlier, and never later than the order's."),
        button=_("Give more time"),
        danger=False,
        form=lambda data, _asked: LongerForm(data),
        do=lambda asked, data, by: requests.extend_request(asked.pk, data["life"], actor=by),
        done=_("The request for order %(order)s was given more time."),
    ),
    "reissue": Act(
        label=_("Another link"),
        rights=("payments.cancel_paymentrequest",),
        icon="link_off",
        again=True,
        when=lambda asked: bool(asked.status == PaymentRequest.Status.OPEN and asked.shared_at),
        title=_("Give the request for order %(order)s another link"),
        text=_(
            "Nobody can pay by the old link and code any more; their page says kindly to ask for the new one. Parts "
            "that friends have given (%(paid)s so far) go back to them, and so does what somebody is just paying. Who "
            "has a link can only pay or say no: where parts are in, it may be better left as it is."
        ),
        button=_("Make another link"),
        do=lambda asked, _data, by: reissue.reissue(asked.pk, actor=by),
        done=_("The request for order %(order)s has another link now."),
        after=_show_link,
    ),
}
