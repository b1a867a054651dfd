"""Each role of the desk does what its list names, and nothing else; every action leaves who, when and what."""

from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.urls import reverse

from friendpay.admin_kit import roles
from friendpay.admin_kit.acts import Act
from friendpay.admin_kit.base import Declared
from friendpay.kit import clock
from orders.models import ApiKey, Order, WebhookDelivery
from payments.models import BillMismatch, Dispute, Movement, Payment, PaymentRequest, ProviderEvent, Refund, Report
from tests import desk
from tests.friendpay.admin_kit import test_roles

pytestmark = pytest.mark.django_db

planted, secrets = test_roles.planted, test_roles.secrets
Rows = test_roles.Rows
MONEY = (Order, PaymentRequest, Payment, Refund, Dispute, BillMismatch, ProviderEvent, Report, WebhookDelivery, ApiKey)


def named(group: Group) -> set[str]:
    return {f"{right.content_type.app_label}.{right.codename}" for right in group.permissions.all()}


def acts() -> list[tuple[type[Model], str, Act[Any]]]:
    """Every action of the desk: whose page it is on, and its name there."""
    pages = [page for page in admin.site._registry.values() if isinstance(page, Declared)]
    return [(page.model, name, act) for page in pages for name, act in page.acts.items()]


def test_the_migration_makes_each_role_with_exactly_its_list() -> None:
    Group.objects.all().delete()
    own = Group.objects.create(name="An operator's own")
    make = import_module("payments.migrations.0027_roles").Migration.operations[0].code
    for _time in range(2):
        make(None, None)
        assert {group.name: named(group) for group in Group.objects.exclude(pk=own.pk)} == {
            role: set(names) for role, names in roles.ROLES.items()
        }
        changed = Group.objects.get(name=roles.SUPPORT)
        changed.permissions.set(Group.objects.get(name=roles.FINANCE).permissions.all())
    assert named(own) == set()


def test_the_lists_say_what_the_roles_are_for() -> None:
    """Reading never writes; a shop's people never see all shops; nobody of a role lifts anybody."""
    names = {role: set(list_) for role, list_ in roles.ROLES.items()}
    assert all(".view_" in name or name == roles.ALL_SHOPS for name in names[roles.AUDITOR])
    assert [role for role in names if roles.ALL_SHOPS not in names[role]] == [roles.DEVELOPER]
    assert names[roles.SUPPORT] < names[roles.SENIOR]
    lifts = ("auth.", "otp_totp.", "orders.add_membership", "orders.delete_membership", "orders.change_membership")
    for role in names:
        assert not [name for name in names[role] if name.startswith(lifts)], role
        assert not names[role] & {"orders.verify_merchant", "orders.add_merchant"}
    assert not names[roles.DEVELOPER] & {"payments.refund_payment", "payments.resend_refund", "orders.freeze_merchant"}


@pytest.mark.proof
@pytest.mark.parametrize("role", roles.ROLES)
def test_a_role_opens_and_does_what_its_list_names_and_nothing_else(role: str, planted: Rows) -> None:
    client, may = test_roles.visitor(role), set(roles.ROLES[role])
    form, refused, opened = test_roles.everything(planted), 0, 0
    for model, page in admin.site._registry.items():
        app, name = model._meta.app_label, model._meta.model_name
        row = planted[model._meta.label_lower][0]
        reads = bool(may & {f"{app}.view_{name}", f"{app}.change_{name}"})
        assert (client.get(desk.rows(model)).status_code != 403) == reads, model
        assert (client.get(desk.page(row)).status_code == 200) == (reads and model is not Movement), model
        for way, holds in {
            "add": f"{app}.add_{name}" in may and page.has_add_permission(_as(client)),
            "delete": f"{app}.delete_{name}" in may and page.has_delete_permission(_as(client)),
        }.items():
            address = reverse(f"admin:{app}_{name}_{way}", args=[] if way == "add" else [row.pk])
            with test_roles.undone():
                answers = [client.get(address), client.post(address, form)]
            assert [answer.status_code == 403 for answer in answers] == [not holds] * 2, address
            refused, opened = refused + (not holds), opened + holds
    for model, name, act in acts():
        row = planted[model._meta.label_lower][0]
        label = model._meta.label_lower.split(".")
        holds = set(act.rights) <= may and bool(may & {f"{label[0]}.view_{label[1]}", f"{label[0]}.change_{label[1]}"})
        with test_roles.undone():
            answers = [client.get(desk.page(row, name)), client.post(desk.page(row, name), form)]
        assert (answers[0].status_code == 403) is not holds, (model, name)
        assert holds or answers[1].status_code == 403, (model, name)  # a use case may refuse by the same number
        refused, opened = refused + (not holds), opened + holds
    assert refused > 30
    assert (opened > 3) == (role != roles.AUDITOR)


def _as(client: Any) -> Any:
    return client.get("/admin/").wsgi_request


def test_every_action_asks_why(planted: Rows) -> None:
    """In the words of all, or in its own; and an act whose own form asks does not ask twice."""
    for model, name, act in acts():
        for row in planted[model._meta.label_lower]:
            asked = act.asks(None, row).fields
            assert asked[act.why].required, (model, name)
            assert ("why" in asked) == (act.why == "why"), (model, name)


def test_every_form_that_saves_asks_why(planted: Rows) -> None:
    """Adding and changing alike, a login's password too; nothing is deleted but by an action, which asks as well."""
    request, saved = _as(test_roles.visitor("superuser")), set()
    for model, page in admin.site._registry.items():
        for row in (None, *planted[model._meta.label_lower]):
            if page.has_change_permission(request, row) if row else page.has_add_permission(request):
                form = page.get_form(request, row, change=row is not None)
                assert form(None).fields["why"].required, model
                saved.add(model._meta.label_lower)
        assert not page.has_delete_permission(request), model
    assert len(saved) >= 6
    assert cast(Any, admin.site._registry[User]).change_password_form(User(), None).fields["why"].required


@pytest.mark.proof
def test_every_action_that_is_done_leaves_who_when_what_and_why(planted: Rows) -> None:
    client, done = test_roles.visitor("superuser"), 0
    actor, form = User.objects.get(username="superuser"), test_roles.everything(planted)
    for model, name, act in acts():
        for row in planted[model._meta.label_lower]:
            before = clock.now()
            with test_roles.undone():
                answer = client.post(desk.page(row, name), form)
                entries = list(LogEntry.objects.filter(action_time__gte=before, object_id=str(row.pk)))
            if answer.status_code == 302:
                assert entries, (model, name)
                assert {entry.user_id for entry in entries} == {actor.pk}, (model, name)
                assert entries[0].get_change_message(), (model, name)
                said = " ".join(entry.get_change_message() for entry in entries)
                assert form["why_words" if act.why == "why" else act.why] in said, (model, name)
                done += 1
    assert done > 20


@pytest.mark.proof
def test_no_form_writes_a_status_or_a_sum(planted: Rows) -> None:
    """Not by a field that is shown, nor by one that is sent all the same."""
    client = test_roles.visitor("superuser")
    for model, page in admin.site._registry.items():
        fixed = [
            field.attname for field in model._meta.concrete_fields if says_how_far(field.attname) and model in MONEY
        ]
        assert fixed or model not in MONEY
        for row in planted[model._meta.label_lower] if fixed else ():
            shown = page.get_form(_as(client), row, change=True).base_fields
            assert not {*shown} & {*fixed}, model
            before = model._default_manager.values(*fixed).get(pk=row.pk)
            sent = {name: "paid" if isinstance(value, str) else "1" for name, value in before.items()}
            for address in (desk.page(row), desk.rows(model)):
                with test_roles.undone():
                    client.post(address, test_roles.everything(planted) | sent | {"_save": "1"})
                    assert model._default_manager.values(*fixed).get(pk=row.pk) == before, model


def says_how_far(name: str) -> bool:
    """Whether a column says how far money or work is."""
    return name in ("status", "outcome", "seq") or name.startswith("amount") or name.endswith("_at")


def test_the_guide_lists_the_rights_of_each_role() -> None:
    guide = (Path(settings.BASE_DIR) / "docs" / "desk.md").read_text()
    head, _line, *rows = guide[guide.index("| right |") :].partition("\n\n")[0].splitlines()
    said = [[cell.strip() for cell in row.strip("|").split("|")] for row in (head, *rows)]
    assert said[0][1:] == list(roles.ROLES)
    for place, names in enumerate(roles.ROLES.values(), 1):
        assert {row[0].strip("`") for row in said[1:] if row[place] == "yes"} == set(names)
