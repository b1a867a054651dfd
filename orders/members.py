"""People of a shop: invited to the desk by an operator, each with a login of her own, and taken off again."""

from dataclasses import dataclass

from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from friendpay.admin_kit.roles import ALL_SHOPS, DEVELOPER
from friendpay.kit import clock
from friendpay.kit.errors import Refused
from orders.models import Membership, Merchant


@dataclass(frozen=True)
class Invited:
    """Somebody who may see a shop now. `key` opens the page where she sets her password, "" if she has one."""

    membership: Membership
    key: str


@transaction.atomic
def invite(merchant: Merchant, email: str, *, by: str) -> Invited:
    """Login, membership and role for somebody of the shop. Repeated before she has set a password, it gives another
    link, as good as the one before.

    Only logins that were made here are taken: somebody of the operator's own staff never becomes a shop's, and what a
    login of a shop could do once is not given back with it.
    """
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    name = email.lower()
    user = User.objects.select_for_update(no_key=True).filter(username__iexact=name).first()
    if user is None:
        user = User(username=name, email=name, is_staff=True)
        user.set_unusable_password()
        user.save()
    elif user.has_perm(ALL_SHOPS) or user.is_superuser or not Membership.objects.filter(user=user).exists():
        raise Refused("login_taken", _("There is a login of this name that is not a shop's."), field="email")
    alive = Membership.objects.alive().filter(user=user)
    if not alive.exists():
        user.is_active = user.is_staff = True
        user.set_unusable_password()
        user.save()
        user.user_permissions.clear()
        TOTPDevice.objects.filter(user=user).delete()
        user.groups.set([Group.objects.get(name=DEVELOPER)])
    known = alive.filter(merchant=merchant).first()
    if known and user.has_usable_password():
        raise Refused("member_already", _("This person works for the shop already."), field="email")
    membership = known or Membership.objects.create(user=user, merchant=merchant, added_at=clock.now(), added_by=by)
    return Invited(membership, "" if user.has_usable_password() else _key(user))


@transaction.atomic
def end(membership: Membership, *, by: str) -> None:
    """This person sees the shop no more, from the next click on. Without any shop the login opens nothing. A repeat
    keeps the first time.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=membership.user_id)
    Membership.objects.filter(pk=membership.pk, ended_at=None).update(ended_at=clock.now(), ended_by=by)
    if not user.has_perm(ALL_SHOPS) and not Membership.objects.alive().filter(user=user).exists():
        user.is_active = False
        user.save(update_fields=["is_active"])


def _key(user: User) -> str:
    """Dead as soon as a password is set, and after PASSWORD_RESET_TIMEOUT."""
    return f"{urlsafe_base64_encode(force_bytes(user.pk))}/{default_token_generator.make_token(user)}"
