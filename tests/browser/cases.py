"""States that no browser and no call of the API can bring about, made in the demo's own database."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

from tests.browser.conftest import ROOT, Stack


def make(stack: Stack, wrong: str, hidden: str) -> dict[str, str]:
    """A friend of request `wrong` paid another sum than was asked; order `hidden` shows no wallet; and money came that
    names nothing of ours. Says the orphan's number.
    """
    kept = json.loads((stack.data / "data" / "secrets.json").read_text())
    known = {name: kept[name] for name in ("SECRET_KEY", "CREDENTIAL_KEYS")}
    run = subprocess.run(
        [sys.executable, "-m", "tests.browser.cases", wrong, hidden],
        cwd=ROOT,
        env=os.environ | stack.servers | known | {"DJANGO_SETTINGS_MODULE": "tests.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, str] = json.loads(run.stdout)
    return told


def _main(wrong: str, hidden: str) -> dict[str, Any]:
    import django

    django.setup()
    from friendpay.kit import clock
    from friendpay.kit.money import Money
    from orders.models import Order
    from payments.models import PaymentRequest, ProviderAccount, ProviderEvent, RolloutRule
    from payments.settlement import lifecycle
    from payments.settlement.rules import Attempt, Payer

    request = PaymentRequest.objects.get(public_id=wrong)
    account = ProviderAccount.objects.filter(merchant=request.merchant, provider="sandbox").first()
    assert account
    attempt = Attempt(account, "sandbox", "redirect", request.amount, timedelta(minutes=5))
    payment = lifecycle.hold(request.pk, attempt, Payer(name="Wanda", visitor="wanda"))
    paid = Money(request.amount - 1, request.currency)
    lifecycle.settle(payment.pk, provider_ref="txn-wrong-amount", amount=paid)
    order = Order.objects.get(public_id=hidden)
    RolloutRule.objects.create(merchant=order.merchant, method="sandbox", excluded_categories=["gift cards"])
    now = clock.now()
    sum = {"minor": 7777, "currency": "CNY"}
    told = {"state": "succeeded", "reference": "fpstray", "provider_ref": "4200002026", "code": "", "message": ""}
    ProviderEvent.objects.create(
        account=account,
        event_id="stray",
        kind="charge.paid",
        about="charge",
        reference="fpstray",
        outcome=told | {"amount": sum},
        body=b"{}",
        received_at=now,
        orphaned_at=now,
    )
    return {"orphan": "4200002026"}


if __name__ == "__main__":
    print(json.dumps(_main(*sys.argv[1:])))
