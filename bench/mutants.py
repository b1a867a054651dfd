#!/usr/bin/env python3
"""Small mistakes put into the modules that settle money, one at a time: do the tests notice?

    .venv/bin/python bench/mutants.py                            every module, every mutant (hours)
    .venv/bin/python bench/mutants.py lifecycle funds --most 60  sixty of them, drawn by --seed

A mutant is a comparison turned round, an `and` for an `or`, a number one too high, a call or an assignment left out.
Each is put into a copy of the project, and the tests named below run until the first fails. Survivors are listed, to be
explained or killed by a test. Ends with 1 below 95 killed in a hundred.
"""

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.sabotage import LEFT_OUT, PYTHON, ROOT
from friendpay import embedded

ENOUGH = 0.95
LONGEST = 240  # seconds: a mutant that loops for ever is dead, too
FIRST = ("lifecycle", "refunds", "reconcile", "inbox", "orphans", "chip_in", "checkout", "ledger", "races", "progress")
MODULES: dict[str, tuple[str, ...]] = {  # the tests that are to see it first; then all of `FIRST`
    "lifecycle": ("lifecycle", "choices", "api_requests"),
    "funds": ("lifecycle", "chip_in"),
    "refunds": ("refunds", "refunds_at_wallets", "api_refunds"),
    "reconcile": ("reconcile",),
    "inbox": ("inbox", "notify"),
    "orphans": ("orphans", "admin_actions"),
    "record": ("lifecycle", "progress"),
    "ledger": ("ledger",),
    "checkout": ("checkout", "strangers"),
    "rules": ("rules", "chip_in"),
}
TURNED: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
}
WORDS_ONLY = ("logger.", "_(", "logging.")


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutants of the modules that settle money.")
    parser.add_argument("modules", nargs="*", default=list(MODULES), help="of payments/ (default: all that settle)")
    parser.add_argument("--most", type=int, default=0, help="so many mutants of each at most (default: all)")
    parser.add_argument("--seconds", type=int, default=0, help="begin no mutant after so long (default: no end)")
    parser.add_argument("--seed", type=int, default=1, help="what chance begins with (default: 1)")
    chosen = parser.parse_args()
    began, killed, survivors = time.monotonic(), 0, []
    with tempfile.TemporaryDirectory(prefix="friendpay-mutants-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        project = Path(folder) / "friendpay"
        shutil.copytree(ROOT, project, ignore=LEFT_OUT, symlinks=True)
        (project / ".venv").symlink_to((ROOT / ".venv").resolve())
        with embedded.running(Path(folder) / "data", durable=False) as servers:
            environment = {"PATH": "/usr/bin:/bin", **servers.environment, "PYTEST_XDIST_WORKER": "one"}
            for module in chosen.modules:
                tests = _tests(project, module)
                if not _passes(project, tests, environment):
                    sys.exit(f"{module}: its tests fail without a mutant")
                source = (project / f"payments/{module}.py").read_text()
                mutants = list(_mutants(source))
                random.Random(chosen.seed).shuffle(mutants)
                for name, text in mutants[: chosen.most or None]:
                    if chosen.seconds and time.monotonic() - began > chosen.seconds:
                        break
                    (project / f"payments/{module}.py").write_text(text)
                    if _passes(project, tests, environment):
                        survivors.append(f"{module}:{name}")
                        print(f"SURVIVED {survivors[-1]}", flush=True)
                    else:
                        killed += 1
                (project / f"payments/{module}.py").write_text(source)
                print(
                    f"{module}: {len(mutants)} mutants there are; so far {killed} killed, {len(survivors)} alive",
                    flush=True,
                )
    share = killed / max(1, killed + len(survivors))
    print(f"{killed} of {killed + len(survivors)} killed ({share:.0%}) in {time.monotonic() - began:.0f} s")
    return int(share < ENOUGH)


def _tests(project: Path, module: str) -> list[str]:
    names = dict.fromkeys([*MODULES.get(module, ()), *FIRST])
    return [path for name in names if (project / (path := f"tests/payments/test_{name}.py")).exists()]


def _passes(project: Path, tests: list[str], environment: dict[str, str]) -> bool:
    command = [PYTHON, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not proof", *tests]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    whole = environment | {"PYTHONDONTWRITEBYTECODE": "1", "HOME": os.environ.get("HOME", "/")}
    try:
        return subprocess.run(command, cwd=project, env=whole, check=False, timeout=LONGEST, **quiet).returncode == 0  # type: ignore[call-overload, no-any-return]
    except subprocess.TimeoutExpired:
        return False


def _mutants(source: str) -> Iterator[tuple[str, str]]:
    """Each with its line and what was done there."""
    tree = ast.parse(source)
    for index, node in enumerate(ast.walk(tree)):
        for change in range(2):
            changed = copy.deepcopy(tree)
            twin = list(ast.walk(changed))[index]
            if done := _change(changed, twin, change):
                yield f"{getattr(node, 'lineno', 0)} {done}", ast.unparse(ast.fix_missing_locations(changed))


def _change(tree: ast.Module, node: ast.AST, change: int) -> str:
    """Make one small mistake at the node, if there is one to be made; what it is."""
    match node:
        case ast.Compare(ops=[op], comparators=[_]) if type(op) in TURNED and not change:
            before, node.ops = ast.unparse(node), [TURNED[type(op)]()]  # type: ignore[list-item]
            return f"{before} -> {ast.unparse(node)}"
        case ast.BoolOp() if not change:
            before, node.op = ast.unparse(node), TURNED[type(node.op)]()  # type: ignore[assignment]
            return f"{before} -> {ast.unparse(node)}"
        case ast.BinOp(op=ast.Add() | ast.Sub()) | ast.AugAssign(op=ast.Add() | ast.Sub()) if not change:
            before, node.op = ast.unparse(node), TURNED[type(node.op)]()  # type: ignore[assignment]
            return f"{before} -> {ast.unparse(node)}"
        case ast.If() | ast.IfExp() if not change:
            before, node.test = ast.unparse(node.test), ast.UnaryOp(ast.Not(), node.test)
            return f"if {before} -> if not"
        case ast.Constant(value=bool(value)) if not change:
            node.value = not value
            return f"{value} -> {not value}"
        case ast.Constant(value=int(value)) if not change:
            node.value = value + 1
            return f"{value} -> {value + 1}"
        case ast.FunctionDef() | ast.If() | ast.For() | ast.With():
            return _leave_out(node.body, change)
    return ""


def _leave_out(body: list[ast.stmt], change: int) -> str:
    """The first or the last call or assignment of a block is left out."""
    wanted = [
        statement
        for statement in body
        if (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call))
        or (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], (ast.Attribute, ast.Tuple)))
    ]
    wanted = [it for it in wanted if not ast.unparse(it).startswith(WORDS_ONLY)]
    if change >= len(wanted):
        return ""
    statement = wanted[-1] if change else wanted[0]
    body[body.index(statement)] = ast.Pass()
    return f"left out: {ast.unparse(statement)[:80]}"


if __name__ == "__main__":
    sys.exit(main())
