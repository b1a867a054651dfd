"""A wallet that comes from outside: an installed package brings it by an entry point, and nothing else is edited."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from payments.models import ProviderAccount
from payments.offers import weighing
from payments.offers.weighing import Surface
from payments.settlement import chip_in
from payments.wallets import registry
from tests import shop
from tests.pages import words

STORY = "tests/payments/wallets/toy/story.py"


def install(folder: Path, name: str, entry: str) -> None:
    """What pip leaves of a package for others to find."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[friendpay.wallets]\n{entry}\n")


def run(folder: Path, *command: str) -> str:
    """What a Python says that has the packages of this folder installed, on this run's own servers."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTEST_XDIST_WORKER": "toy"}
    ran = subprocess.run(
        [sys.executable, *command], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.proof
@pytest.mark.usefixtures("django_db_setup")
def test_an_installed_wallet_is_everywhere_and_takes_a_payment(tmp_path: Path) -> None:
    install(tmp_path, "toypay", "toypay = tests.payments.wallets.toy.provider:ToyPay")
    run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", STORY)


def test_an_installed_wallet_takes_the_place_of_none_of_ours(tmp_path: Path) -> None:
    install(tmp_path, "thief", "alipay = thief:Thief")
    ask = "from payments.wallets import registry; print(*registry.NAMES, registry._folder('alipay'))"
    assert run(tmp_path, "-c", ask).split() == [*registry.NAMES, "payments.wallets.alipay"]


@pytest.mark.django_db
def test_a_wallet_that_was_uninstalled_takes_no_page_down(client: Client) -> None:
    order = shop.make_order()
    ProviderAccount.objects.create(merchant=order.merchant, provider="gone")
    assert [offer.method for offer in weighing.for_page(order, Surface())] == ["sandbox"]
    assert chip_in.step_of_parts(order, 9000) == 1
    payment_request = shop.make_request(order)
    for address in (f"/checkout/{order.token}/", f"/checkout/{order.token}/pay/", f"/p/{payment_request.token}/"):
        page = client.get(address, follow=True)
        assert page.status_code == 200
    assert "Sandbox wallet" in words(page)
