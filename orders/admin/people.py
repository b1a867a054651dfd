"""The desk's pages of a shop's people: invited at the shop's page, taken off at their own."""

import logging
from functools import partial
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.mail import send_mail
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget

from friendpay.admin_kit.acts import DANGER, Act, Data
from friendpay.admin_kit.base import SupportAdmin
from friendpay.admin_kit.cells import Panel, link, moment
from friendpay.admin_kit.columns import Column
from friendpay.admin_kit.roles import DEVELOPER, ROLES
from friendpay.kit import background
from orders import members
from orders.members import Invited
from orders.models import Membership, Merchant

logger = logging.getLogger(__name__)


class InviteForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=150,
        widget=UnfoldAdminEmailInputWidget,
        help_text=_("It becomes the login."),
    )


def _invite(merchant: Merchant, data: Data, by: str) -> Invited:
    return members.invite(merchant, data["email"], by=by)


def _hand_over(request: HttpRequest, merchant: Merchant, invited: Invited) -> None:
    """The link by mail, and on the next page and never again; whoever has a password needs none."""
    if not invited.key:
        messages.info(request, gettext("This person logs in as before, and sees this shop too."))
        return
    uid, token = invited.key.split("/")
    link = f"{settings.PUBLIC_URL}{reverse('admin:invitation', args=[uid, token])}"
    text = gettext("Send this link to that person alone. It sets the password, once, within three days:")
    if settings.MAIL_TO_PEOPLE:
        login = invited.membership.user.get_username()
        background.run_later("invitations", partial(_mail, login, *_invitation(merchant, link)))
        messages.info(request, gettext("The link goes to %(login)s by mail now, too.") % {"login": login})
    messages.warning(request, format_html('{} <code class="desk-code desk-copy">{}</code>', text, link))


def _invitation(merchant: Merchant, link: str) -> tuple[str, str]:
    """Subject and text, in the language of whoever invites: that of the other is not known yet."""
    subject = gettext("You are invited to the desk of %(shop)s") % {"shop": merchant.name}
    text = gettext(
        "Hello,\n\n"
        "you are invited to look after %(shop)s: its keys, addresses, webhooks, wallets, rules and look. "
        "Set your password here, within three days; the link opens once:\n\n"
        "    %(link)s\n\n"
        "After that you log in with this mail address and set up your phone as a second factor. If you know nothing of "
        "this shop, do nothing: without a password nobody gets in.\n"
    )
    return subject, text % {"shop": merchant.name, "link": link}


def _mail(login: str, subject: str, text: str) -> None:
    """Behind the page, for a mail server may hang. What is lost is on the page, and another link is an act away."""
    try:
        send_mail(subject, text, None, [login])
    except OSError as error:  # the mail server's failures are all of this kind; their words name people
        logger.warning("an invitation could not be mailed: %s", type(error).__name__)


INVITE: Act[Merchant] = Act(
    label=_("Invite somebody of the shop"),
    rights=("orders.add_membership", *ROLES[DEVELOPER]),  # nobody gives what she has not
    icon="person_add",
    again=True,
    title=_("Invite somebody of the shop"),
    text=_(
        "This person logs in to this desk with a password and a phone, sees this shop alone, and looks after its keys, "
        "addresses, webhooks, wallets, rules and look."
    ),
    button=_("Invite"),
    danger=False,
    form=lambda data, _merchant: InviteForm(data),
    do=_invite,
    done=lambda _merchant, invited: gettext("%(login)s was invited.") % {"login": invited.membership},
    after=_hand_over,
)


def panel(merchant: Merchant) -> Panel:
    """Who works for the shop now."""
    rows = [
        (link(member, member.user.get_username()), moment(member.added_at), member.added_by)
        for member in merchant.members.filter(ended_at=None).select_related("user")
    ]
    return Panel(_("People"), (_("Login"), _("Since"), _("Added by")), rows)


@admin.register(Membership)
class MembershipAdmin(SupportAdmin[Membership]):
    """People are reached from their shop's page; here one is taken off it."""

    of_shop = "merchant"
    list_display = ("user", "merchant", "since", "added_by", "ended", "ended_by")
    list_select_related = ("user", "merchant")
    fieldsets = ((None, {"fields": (("user", "merchant"), ("since", "added_by"), ("ended", "ended_by"))}),)
    columns = {
        "since": Column(_("Since"), lambda member: moment(member.added_at)),
        "ended": Column(_("Ended"), lambda member: moment(member.ended_at)),
    }
    acts = {
        "end": Act(
            label=_("Take off the shop"),
            rights=("orders.delete_membership",),
            icon="person_remove",
            colour=DANGER,
            again=True,
            when=lambda member: member.ended_at is None,
            title=_("Take %(login)s off the shop"),
            text=_(
                "This person sees the shop no more, from now on. Keys that were made stay: roll or revoke those that "
                "this person knows."
            ),
            button=_("Take off"),
            do=lambda member, _data, by: members.end(member, by=by),
            done=_("%(login)s was taken off the shop."),
        )
    }

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "merchant")

    def facts(self, member: Membership) -> dict[str, Any]:
        return {"login": member.user.get_username()}
