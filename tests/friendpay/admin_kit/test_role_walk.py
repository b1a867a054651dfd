"""Each role at each shop, at every address of the desk, reading and writing: what its list names, and nothing else.

The addresses come from the desk itself, and what is expected from the role's list, from what an act declares, and from
what the desk answers a superuser. A new page is walked like the others; one that declares no right has to be closed.
Views are called as they are routed, without the sessions before them (`test_roles` walks with those).
"""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.sessions.backends.signed_cookies import SessionStore
from django.core.exceptions import BadRequest, PermissionDenied
from django.db import connection
from django.db.models import Model
from django.http import Http404, HttpResponse, QueryDict
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, resolve
from django.utils.datastructures import MultiValueDict

from friendpay.admin_kit import reauthentication, roles
from friendpay.kit import clock
from friendpay.kit.errors import Refused
from orders.models import Membership, Merchant
from payments.books import days, exports
from payments.models import Movement
from tests import desk
from tests.friendpay.admin_kit import test_roles, test_scope

pytestmark = pytest.mark.django_db

planted, secrets, other = test_roles.planted, test_roles.secrets, test_scope.other

Rows = test_roles.Rows
MISSING = 10**9
FOR_ALL = {
    *("index", "login", "password_change", "password_change_done", "jsi18n", "view_on_site", "app_list", "search"),
    *("second_factor", "invitation", None),
}
"""The desk's own pages, which are about no row: those who are let in at all have them, and what they tell of shops is
asked in `test_scope`. `None` is the page for what there is not."""
WRITES = re.compile(r"^\s*(INSERT|UPDATE|DELETE)\b|\(\s*(INSERT INTO|UPDATE|DELETE FROM)\s", re.IGNORECASE)


@dataclass(frozen=True)
class Visitor:
    user: User
    may: frozenset[str]
    at_all_shops: bool
    told: str


@dataclass(frozen=True)
class Place:
    """An address of the desk: of a page (None: the desk's own), about a row or none."""

    address: str
    page: Any
    way: str | None
    row: Model | None = None
    is_theirs: bool = False

    def at(self, pk: int) -> "Place":
        assert self.row
        return replace(self, address=self.address.replace(f"/{self.row.pk}/", f"/{pk}/"))


def places(own: Rows, others: Rows) -> list[Place]:
    """Every address there is: about one row of the own shop, and about its like of another's."""
    return [*_places(admin.site.get_urls(), "/admin/", own, others)]


def _places(patterns: Iterable[Any], before: str, own: Rows, others: Rows) -> Iterator[Place]:
    pages = {page.opts.label_lower.replace(".", "/"): page for page in admin.site._registry.values()}
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _places(pattern.url_patterns, route, own, others)
            continue
        assert isinstance(pattern, URLPattern)
        where = "/".join(route.split("/")[2:4])
        page, way = pages.get(where), pattern.name
        if page is None:
            yield Place(_filled_in(route), None, way)
            continue
        way = way and way.removeprefix(f"{where.replace('/', '_')}_")
        rows = [
            (rows[page.opts.label_lower][0], rows is others) for rows in (own, others) if page.opts.label_lower in rows
        ]
        if "<" in route or way == "changelist":  # a list's form names rows, too
            for row, is_theirs in rows:
                yield Place(re.sub(r"<[^>]+>", str(row.pk), route), page, way, row, is_theirs)
        else:
            yield Place(route, page, way)


def _filled_in(route: str) -> str:
    known = {"<path:content_type_id>/<path:object_id>": "1/1", "(?P<app_label>auth|orders|payments)": "orders"}
    for name, value in known.items():
        route = route.replace(name, value)
    return re.sub(r"<[^>]+>|\(.*", "orders", route).replace("^", "").replace("$", "")


def rights_of(place: Place, *, writes: bool) -> set[str] | None:
    """What one needs to be let in, besides the right to read; None where nothing says so."""
    page, (app, name) = place.page, place.page.opts.label_lower.split(".")
    kinds = {
        "add": {f"{app}.add_{name}"},
        "delete": {f"{app}.delete_{name}"},
        "password_change": {f"{app}.change_{name}"},
        "changelist": {"payments.export_movement"} if writes and page.model is Movement else set[str](),
        "change": {f"{app}.change_{name}"} if writes else set(),
        "history": set[str](),
    }
    if place.way in kinds:
        return kinds[place.way]
    if act := getattr(page, "acts", {}).get(place.way):
        return set(act.rights) or None
    return set(getattr(getattr(page, place.way or "", None), "allowed_permissions", ())) or None


def is_let_in(who: Visitor, place: Place, *, writes: bool) -> bool:
    """By the list of the role, and whose shop it is."""
    if place.page is None:
        return place.way in FOR_ALL or place.way == "autocomplete"
    if place.way is None:  # leads on to the page of that row, which decides
        return True
    if place.is_theirs and not who.at_all_shops and place.way != "changelist":
        return False
    rights = rights_of(place, writes=writes)
    if rights is None or place.page.of_shop is None and not who.at_all_shops:
        return False
    app, name = place.page.opts.label_lower.split(".")
    reads = bool(who.may & {f"{app}.view_{name}", f"{app}.change_{name}"})
    return rights <= who.may and (reads or place.way in ("add", "delete"))


class Writing:
    """The statements that write."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if WRITES.search(str(sql)):
            self.seen.append(str(sql)[:200])
        return execute(sql, params, many, context)


@contextmanager
def writing() -> Iterator[list[str]]:
    seen = Writing()
    with connection.execute_wrapper(seen):
        yield seen.seen


def visit(user: User, place: Place, form: dict[str, Any] | None) -> tuple[str, HttpResponse | None]:
    """What became of it: "denied", "missing" or "let in", with the answer."""
    factory = RequestFactory()
    request: Any = factory.get(place.address) if form is None else factory.post(place.address)
    if form is not None:
        sent = QueryDict(mutable=True)
        for name, value in form.items():
            sent.setlist(name, value if isinstance(value, list) else [value])
        request._post, request._files = sent, MultiValueDict()
    request.user, request.session = user, SessionStore()
    request.session[reauthentication.GIVEN_AT] = request.session["seen"] = clock.now().timestamp()
    request._messages, request._dont_enforce_csrf_checks = CookieStorage(request), True
    request.resolver_match = found = resolve(place.address.partition("?")[0])
    try:
        answer = found.func(request, *found.args, **found.kwargs)
    except PermissionDenied:
        return "denied", None
    except Http404:
        return "missing", None
    except (BadRequest, Refused):
        return "let in", None
    if place.row and answer.status_code == 302 and answer["Location"] == "/admin/":
        return "missing", answer
    return "let in", answer


def visitors(role: str, shop: Merchant) -> list[Visitor]:
    """As the migration makes the role, its people of one shop; the same at one shop and at all, where they differ."""
    group, names = Group.objects.get(name=role), frozenset(roles.ROLES[role])
    found = []
    for told, may in (("own shop", names - {roles.ALL_SHOPS}), ("all shops", names | {roles.ALL_SHOPS})):
        user = User.objects.create_user(f"{role} of {told}", password="a long password", is_staff=True)
        if may == names:
            user.groups.add(group)
        else:
            user.user_permissions.set([desk.permission(name) for name in may])
        if roles.ALL_SHOPS not in may:
            Membership.objects.create(user=user, merchant=shop, added_at=clock.now(), added_by="test")
        assert set(user.get_all_permissions()) == may
        found.append(Visitor(user, may, roles.ALL_SHOPS in may, f"{role}, {told}"))
    return found


def form_for(place: Place, form: dict[str, Any]) -> dict[str, Any]:
    return form | {"_selected_action": [str(place.row.pk)]} if place.way == "changelist" and place.row else form


@pytest.mark.proof
def test_a_role_does_what_its_list_names_and_sees_no_other_shop_at_any_address(planted: Rows, other: Rows) -> None:
    shop, logged = test_scope.mine(planted), logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        faults = [*_faults(shop, planted, other)]
    finally:
        logging.disable(logged)
    assert not faults, "\n".join(faults[:60])


def _faults(shop: Merchant, planted: Rows, other: Rows) -> Iterator[str]:
    root = User.objects.get(username="root")
    before, form = test_scope.theirs(other), test_scope.everything(other)
    asked = [(place, data) for place in places(planted, other) if place.way != "logout" for data in (None, form)]
    assert len(asked) > 600
    usual, written = {}, 0
    for place, data in asked:
        if not place.is_theirs:
            with test_roles.undone(), writing() as wrote:
                usual[place.address, data is None] = visit(root, place, data and form_for(place, data))[0]
            written += bool(data and wrote)
    assert list(usual.values()).count("let in") > 300
    assert written > 40
    for role in roles.ROLES:
        for who in visitors(role, shop):
            opened = 0
            for place, data in asked:
                if place.is_theirs and who.at_all_shops:
                    continue  # one shop is like the other
                with test_roles.undone(), writing() as wrote:
                    became, answer = visit(who.user, place, data and form_for(place, data))
                    what = f"{who.told}: {'GET' if data is None else 'POST'} {place.address} ({place.way}): {became}"
                    if is_let_in(who, place, writes=bool(data)):
                        right = became == usual.get((place.address, data is None), "let in")
                    else:
                        right = became != "let in"
                    if not right:
                        yield what
                    if became != "let in" and wrote:
                        yield f"{what}, and wrote {wrote[0]}"
                    if wrote and not who.at_all_shops and test_scope.theirs(other) != before:
                        yield f"{what}, and changed another shop's rows"
                    listed = getattr(answer, "context_data", None) or {}
                    if "cl" in listed and not who.at_all_shops:
                        label = place.page.opts.label_lower
                        if {it.pk for it in listed["cl"].result_list} & {it.pk for it in other.get(label, ())}:
                            yield f"{what}, and lists another shop's rows"
                    opened += became == "let in"
            assert opened > 50, who.told
            yield from _exported(who)


def _exported(who: Visitor) -> Iterator[str]:
    """Each export holds rows of one's own shop alone, and is for those whose list names it."""
    today = clock.now().date()
    asked = {"since": today - timedelta(days=2), "until": today + timedelta(days=1), "zone": days.WALLETS_OWN}
    place = Place(desk.rows(Movement), admin.site._registry[Movement], "changelist")
    for name in exports.names():
        form = {key: str(value) for key, value in asked.items()} | {"mode": "test", "export": name}
        became, answer = visit(who.user, place, form)
        text = b"".join(answer) if answer is not None and answer.streaming else b""
        if (became == "let in" and bool(text)) != ({"payments.export_movement", "payments.view_movement"} <= who.may):
            yield f"{who.told}: export of {name}: {became}"
        if not who.at_all_shops and test_scope.SENTINEL.search(text.decode()):
            yield f"{who.told}: export of {name} holds another shop's rows"
