"""The support desk in tests: logins with certain rights, and the addresses of its pages."""

import re
import time
from collections.abc import Iterable
from html import unescape
from typing import Any

from django.contrib.auth.models import Permission, User
from django.db.models import Model, Q
from django.test import Client
from django.urls import reverse

from friendpay.admin_kit import reauthentication
from friendpay.admin_kit.roles import ALL_SHOPS
from friendpay.kit import clock
from orders.models import Membership, Merchant
from tests.pages import Answer

READ = [
    "orders.view_order",
    "orders.view_event",
    "orders.view_merchant",
    "payments.view_paymentrequest",
    "payments.view_payment",
    "payments.view_refund",
    "payments.view_providerevent",
    "payments.view_provideraccount",
    "payments.view_billmismatch",
]


WHY = {"why": "shop", "why_words": "by phone"}
"""The reason that acts want to hear."""


class Agent(Client):
    """Somebody at the desk, who always says why; a test that wants no reason sends an empty one."""

    def post(self, path: Any, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        return super().post(path, WHY | (data or {}), *args, **kwargs)


def staff(*rights: str, name: str = "anna", shops: Iterable[Merchant] | None = None) -> Client:
    """Somebody of staff who may do just this, at all shops or at some, and gave the password just now."""
    user = User.objects.create_user(name, password="a long password", is_staff=True)
    for merchant in shops or ():
        Membership.objects.create(user=user, merchant=merchant, added_at=clock.now(), added_by="test")
    user.user_permissions.add(*permissions(rights if shops is not None else (*rights, ALL_SHOPS)))
    client = Agent()
    client.force_login(user)
    session = client.session
    session["seen"] = session[reauthentication.GIVEN_AT] = time.time()
    session.save()
    return client


def permission(right: str) -> Permission:
    """By its name, such as "orders.view_order"."""
    [found] = permissions([right])
    return found


def permissions(rights: Iterable[str]) -> list[Permission]:
    """By their names, each of which is one's."""
    named = Q()
    for app, codename in (right.split(".") for right in set(rights)):
        named |= Q(content_type__app_label=app, codename=codename)
    found = list(Permission.objects.filter(named)) if named else []
    assert len(found) == len(set(rights)), rights
    return found


def rows(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page(thing: Model, action: str = "change") -> str:
    return reverse(f"admin:{thing._meta.app_label}_{thing._meta.model_name}_{action}", args=[thing.pk])


def found(client: Client, model: type[Model], text: str) -> list[int]:
    """What a list shows for a search."""
    response = client.get(rows(model), {"q": text})
    assert response.status_code == 200
    return [row.pk for row in response.context["cl"].result_list]


def text(client: Client, address: str) -> str:
    """The words of a page, in one line."""
    response = client.get(address)
    assert response.status_code == 200
    return words(response)


def words(response: Answer) -> str:
    """What can be read in an answer, in one line."""
    body = re.sub(r"<(script|style|template).*?</\1>|<[^>]+>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(body))
