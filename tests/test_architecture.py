"""What the design promises about the code itself."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from friendpay.demo.bootstrap import PYTHON

ROOT = Path(__file__).resolve().parent.parent
APPS = ("friendpay", "orders", "payments", "sandbox")
LONGEST = 300


def written() -> Iterator[Path]:
    for app in APPS:
        yield from (path for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)


def modules() -> Iterator[Path]:
    """All but those of other companies, which emulators play."""
    yield from (path for path in written() if not {"emulation", "emulator"} & set(path.parts))


def python() -> Iterator[Path]:
    """All of ours, with tests and measurements."""
    yield from written()
    for folder in ("bench", "tests"):
        yield from (ROOT / folder).rglob("*.py")


def places(pattern: str, folder: str) -> set[str]:
    """The modules of one app in which a line matches."""
    expression = re.compile(pattern)
    found = (path for path in modules() if path.is_relative_to(ROOT / folder) and expression.search(path.read_text()))
    return {str(path.relative_to(ROOT)) for path in found}


def test_imports_run_downward_only() -> None:
    done = subprocess.run([PYTHON.parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_one_module_writes_the_status_of_requests_payments_and_refunds() -> None:
    written = r"(?m)^\s*\w+\.status = |\bupdate\([^)]*\bstatus=|bulk_update\([^)]*status|\bSET\s+status\b"
    assert places(written, "payments") == {"payments/settlement/lifecycle.py"}


def test_one_module_writes_the_status_of_orders() -> None:
    assert places(r"\border\.status = |Order\.objects\..*update\([^)]*\bstatus=", "orders") == {"orders/services.py"}
    assert places(r"\border\.status = |Order\.objects\..*update\([^)]*\bstatus=", "payments") == set()


def test_what_time_it_is_only_the_database_says() -> None:
    asked = r"\bdatetime\.now\(|\btimezone\.now\(|\butcnow\(|\bdate\.today\("
    found = set().union(*(places(asked, app) for app in APPS))
    assert {path for path in found if "/wallets/" not in path} == set()  # a wallet's signature wants this machine's


def test_a_use_case_says_no_in_one_way() -> None:
    found = set().union(*(places(r"(?m)^class Refused\b", app) for app in APPS))
    assert found == {"friendpay/kit/errors.py"}


def test_a_module_can_be_read_at_a_sitting() -> None:
    lengths = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in written()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


LIMITS = ("friendpay/kit/limits.py", "friendpay/kit/desk_limits.py", "friendpay/kit/trust_limits.py")
NO_LIMITS = {
    "friendpay/demo": "it starts servers on a developer's machine",
    "friendpay/settings.py": "what an operator may change",
    "payments/admin/friction.py": "how a plot is drawn",
    "payments/share/poster.py": "how a picture is drawn",
    "payments/live/consumers.py": "why a socket was closed, as numbers",
    "payments/pages/friend_reading.py": "how many columns a statement reads",
    "orders/models/merchant.py": "a unit of time",
    **dict.fromkeys(
        (f"payments/wallets/{name}/" for name in ("alipay", "house", "sandbox", "stripe", "wechatpay")), "its own facts"
    ),
    "sandbox/": "another company's",
}


def _is_limit(value: ast.expr) -> bool:
    """A number, some numbers, what is computed from them, or a timedelta of any kind."""
    parts = [*ast.walk(value)]
    names = {part.id for part in parts if isinstance(part, ast.Name)}
    if "timedelta" in names:
        return "timezone" not in names and not isinstance(value, ast.Dict)
    constants = [part.value for part in parts if isinstance(part, ast.Constant)]
    shapes = ast.Constant, ast.BinOp, ast.UnaryOp, ast.Tuple, ast.operator, ast.unaryop, ast.Load, ast.Name
    numbers = bool(constants) and all(type(constant) in (int, float) for constant in constants)
    return numbers and all(isinstance(part, shapes) for part in parts)


def _limits(path: Path) -> Iterator[str]:
    """Capital names of a module, but for an advisory lock's number."""
    for statement in ast.parse(path.read_text()).body:
        if isinstance(statement, ast.Assign) and _is_limit(statement.value):
            names = [part.id for part in ast.walk(statement.targets[0]) if isinstance(part, ast.Name)]
            yield from (name for name in names if name.isupper() and not name.endswith("_LOCK"))


def test_limits_and_durations_stand_in_their_modules() -> None:
    found = {str(path.relative_to(ROOT)): [*_limits(path)] for path in modules()}
    assert sum(len(found.pop(path)) for path in LIMITS) > 100
    assert {path: names for path, names in found.items() if names and not path.startswith(tuple(NO_LIMITS))} == {}


BOUNDS = re.compile(r"seconds|window|limit|waiting|max_age|max_connections|(\w+_)?timeout|le|delay|lease")


def _bare_limits(path: Path) -> Iterator[str]:
    """Bounds that a call is given as bare numbers, but for none, one and two."""
    for call in ast.walk(ast.parse(path.read_text())):
        for argument in call.keywords if isinstance(call, ast.Call) else ():
            bound = argument.arg is not None and BOUNDS.fullmatch(argument.arg)
            if bound and _is_limit(argument.value) and ast.unparse(argument.value) not in ("0", "1", "2"):
                yield f"{argument.arg}={ast.unparse(argument.value)}"


def test_no_call_is_given_a_bare_limit() -> None:
    found = {str(path.relative_to(ROOT)): [*_bare_limits(path)] for path in modules()}
    for path in LIMITS:
        del found[path]
    assert {path: bounds for path, bounds in found.items() if bounds and not path.startswith(tuple(NO_LIMITS))} == {}


RENAMING = re.compile(r"\bimport (\([^)]*|.*)\bas\b")  # few files have such lines, and those alone are parsed
TWO_OF_A_NAME = {
    "payments/admin/case_acts.py": "the outbox of webhooks, and that of mails",
    "bench/speed/world.py": "a stack of ours, and what runs on it",
    "tests/payments/wallets/test_emulators_strictness.py": "two wallets' shops, side by side",
}


def test_a_module_is_imported_under_its_own_name() -> None:
    ours = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in python()}
    renamed = {
        str(path.relative_to(ROOT))
        for path in python()
        if RENAMING.search(code := path.read_text())
        for part in ast.walk(ast.parse(code))
        if isinstance(part, ast.ImportFrom)
        for alias in part.names
        if alias.asname not in (None, alias.name) and f"{part.module}.{alias.name}" in ours
    }
    assert renamed == set(TWO_OF_A_NAME)


def test_every_limit_is_used() -> None:
    code = "".join(path.read_text() for path in modules())
    assert [name for path in LIMITS for name in _limits(ROOT / path) if f"limits.{name}" not in code] == []
