"""Somebody of a shop is invited: by an operator at a desk; on her phone she sets a password and the second factor, sees
her own shop alone, and makes a key.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django_otp.oath import totp

from tests.browser.axe import spills
from tests.browser.conftest import DESK, PHONE, ROOT, Person, Stack, _ready
from tests.browser.test_desk_home import enter
from tests.ports import free_port

Make = Callable[..., Person]

EMAIL = "mei@shop.example"
PASSWORD = "tea leaves in the harbour"


@contextmanager
def strict(stack: Stack) -> Iterator[str]:
    """A second web process beside the demo's, on the same database, which asks for the second factor like any that is
    not a demo: its address.
    """
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    kept = json.loads((stack.data / "data" / "secrets.json").read_text())
    told = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("FRIENDPAY_", "DJANGO_"))},
        **{name: value for name, value in kept.items() if not name.startswith("FRIENDPAY_")},
        **stack.servers,
        "PUBLIC_URL": address,
        "ALLOWED_HOSTS": "127.0.0.1",
        "STATIC_ROOT": str(stack.data / "data" / "static"),
    }
    command = [sys.executable, "manage.py", "serve", "--skip-checks", "--host", "127.0.0.1", "--port", str(port)]
    with (stack.data / "strict.log").open("wb") as log:
        process = subprocess.Popen([*command, "--workers", "1"], cwd=ROOT, env=told, stdout=log, stderr=log)
    try:
        while not _ready(address):
            assert process.poll() is None, (stack.data / "strict.log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(120)


def fill(who: Person, **fields: str) -> None:
    for name, text in fields.items():
        who.page.locator(f"[name={name}]").fill(text)


def because(who: Person) -> None:
    who.page.select_option("select[name=why]", "routine")


def send(who: Person, field: str) -> None:
    """The form that this field is in; and nothing of the page stands beyond the screen."""
    assert not spills(who.page), who.page.url
    who.page.locator(f"form:has([name={field}]) [type=submit]:not([name=logout])").first.click()


def test_an_invited_person_sets_up_her_login_on_a_phone_and_sees_her_shop_alone(person: Make, stack: Stack) -> None:
    with strict(stack) as address:
        operator, mei = person(DESK), person(PHONE)
        enter(operator, stack)
        operator.go("/admin/orders/merchant/add/")
        fill(operator, name="Rival Tea", contact="help@rival.example")
        because(operator)
        operator.page.locator("[name=_save]").first.click()
        operator.page.wait_for_url("**/merchant/")
        operator.page.get_by_role("link", name="Harbour Tea").first.click()
        operator.tap("Invite somebody of the shop")
        fill(operator, email=EMAIL)
        because(operator)
        send(operator, "email")
        operator.sees("was invited.")
        link = re.search(r"/admin/invitation/[^<\s]+", operator.page.content())
        assert link

        mei.go(f"{address}{link[0]}")
        mei.sees(f"Your login is {EMAIL}.")
        fill(mei, new_password1=PASSWORD, new_password2=PASSWORD)
        send(mei, "new_password1")
        mei.page.wait_for_url("**/admin/login/")
        fill(mei, username=EMAIL, password=PASSWORD)
        send(mei, "username")
        mei.page.wait_for_url("**/admin/second-factor/**")
        fill(mei, code=code_for(mei.page.locator("code").inner_text()))
        send(mei, "code")
        mei.page.wait_for_url(f"{address}/admin/")

        mei.go(f"{address}/admin/orders/merchant/")
        mei.sees("Harbour Tea")
        assert "Rival" not in mei.page.content()
        mei.go(f"{address}/admin/orders/order/")
        mei.sees("order")
        mei.go(f"{address}/admin/auth/user/")
        assert "Harbour Tea" not in mei.page.locator("main, body").first.inner_text()
        mei.complaints.clear()  # the browser says that this page was forbidden
        mei.go(f"{address}/admin/orders/merchant/")
        mei.page.get_by_role("link", name="Harbour Tea").first.click()
        mei.page.wait_for_url("**/change/**")  # and its scripts, which open the menu
        mei.page.get_by_text("more_horiz").locator("visible=true").first.click()
        mei.tap("Make an API key")
        fill(mei, name="till")
        because(mei)
        send(mei, "name")
        mei.sees("The API key")
        assert re.search(r"sk_test_[\w-]{20,}", mei.page.content())

        second = person(PHONE)
        second.go(f"{address}{link[0]}")
        second.sees("This link opens nothing any more.")


def code_for(key: str) -> str:
    """What an authenticator app shows for a key that was typed into it."""
    from base64 import b32decode

    return f"{totp(b32decode(key)):06d}"
