#!/usr/bin/env python3
"""Deliberate bugs, put in one at a time: each must turn a proof red, or the proof sees nothing.

    .venv/bin/python bench/sabotage.py            all of them
    .venv/bin/python bench/sabotage.py webhook    those whose names contain this

Each bug is a change of the source in a copy of the project, which is removed afterwards: nothing of it is ever in the
product. Ends with 1 when a bug was not seen, or when its place in the source is not there any more.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", ".friendpay", "__pycache__", ".*_cache", "screens")
PYTHON = ".venv/bin/python"
MACHINE = (PYTHON, "-m", "pytest", "-q", "-x", "--no-header", "tests/payments/settlement/test_machine.py")
CHAOS = (PYTHON, "bench/chaos.py", "--seconds", "12", "--requests", "120")
LONGEST = 600  # seconds for one proof


@dataclass(frozen=True)
class Bug:
    name: str
    where: str
    old: str
    new: str
    seen_by: tuple[str, ...]


BUGS = (
    Bug(
        "no money fits",
        "payments/settlement/holds.py",
        "    room = request.amount - request.amount_paid\n",
        "    return 0\n",
        MACHINE,
    ),
    Bug(
        "money is counted for another order",
        "payments/settlement/reconcile.py",
        "payment.pk, provider_ref=outcome.provider_ref,",
        "(Payment.objects.undecided().exclude(request=payment.request).first() or payment).pk, "
        "provider_ref=outcome.provider_ref,",
        CHAOS,
    ),
    Bug(
        "order.paid is not told",
        "orders/services.py",
        '    if order.status == Order.Status.PAID:\n        _note(order, "order.paid", "system", writes)\n',
        "",
        MACHINE,
    ),
    Bug(
        "one webhook in ten is lost",
        "orders/webhooks/outbox.py",
        " AND endpoint.disabled_at IS NULL\n",
        " AND endpoint.disabled_at IS NULL AND event.id % 10 <> 0\n",
        CHAOS,
    ),
    Bug(
        "a second charge is taken for the first",
        "payments/settlement/lifecycle.py",
        "        payment = holds.second_capture(payment, provider_ref, now)\n",
        "        return payment\n",
        MACHINE,
    ),
    Bug(
        "refunds are never sent",
        "payments/settlement/refunds.py",
        "    if not _claim_sending(refund):\n        return\n",
        "    return\n",
        MACHINE,
    ),
    Bug(
        "an event tells the request's amount",
        "payments/settlement/event_data.py",
        "            amount=payment.amount,\n",
        "            amount=request.amount,\n",
        MACHINE,
    ),
    Bug(
        "asking is given up after ten minutes",
        "payments/settlement/reconcile.py",
        "    over = payment.closing or",
        "    if (now - payment.created_at).total_seconds() > 600:\n"
        '        lifecycle.end_payment(payment.pk, cancelled=True, code="given_up")\n'
        "        return\n"
        "    over = payment.closing or",
        MACHINE,
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Put bugs in, one at a time, and see whether the proofs see them.")
    parser.add_argument("names", nargs="*", help="parts of the names of the bugs to put in (default: all)")
    names = parser.parse_args().names
    bugs = [bug for bug in BUGS if not names or any(name in bug.name for name in names)]
    return max([_put_in(bug) for bug in bugs], default=1)


def _put_in(bug: Bug) -> int:
    """0: the bug was seen."""
    with tempfile.TemporaryDirectory(prefix="friendpay-sabotage-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "friendpay"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
        Path(folder).chmod(0o711)
        (copy / ".venv").symlink_to((ROOT / ".venv").resolve())
        if not _change(copy / bug.where, bug.old, bug.new):
            print(f"{bug.name}: {bug.where} is not as it was; put the bug in anew", flush=True)
            return 1
        # What is found is not made smaller: that takes minutes, and nobody reads it here.
        machine = copy / "tests/payments/settlement/test_machine.py"
        assert _change(machine, "deadline=None,", "deadline=None, phases=[Phase.generate],")
        assert _change(machine, "from hypothesis import HealthCheck,", "from hypothesis import HealthCheck, Phase,")
        began = time.monotonic()
        proof = subprocess.run(
            bug.seen_by,
            cwd=copy,
            capture_output=True,
            text=True,
            check=False,
            timeout=LONGEST,
            env={"PATH": "/usr/bin:/bin"},
        )
    seen = proof.returncode == 1 and ("1 failed" in proof.stdout or "otherwise: order" in proof.stdout)
    print(
        f"{bug.name}: {'seen' if seen else 'NOT SEEN'} by {bug.seen_by[-1] if bug.seen_by is MACHINE else 'chaos'}",
        end="",
    )
    print(f" after {time.monotonic() - began:.0f} s", flush=True)
    said = "E   " if bug.seen_by is MACHINE else "    stories that ended otherwise: "
    if found := next((line for line in proof.stdout.splitlines() if line.startswith(said)), ""):
        print(f"    {found.strip()[:160]}")
    if not seen:
        print((proof.stdout + proof.stderr)[-2000:])
    return int(not seen)


def _change(path: Path, old: str, new: str) -> bool:
    """Whether `old` stood there exactly once and is `new` now."""
    text = path.read_text()
    path.write_text(text.replace(old, new))
    return text.count(old) == 1


if __name__ == "__main__":
    sys.exit(main())
