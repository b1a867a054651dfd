"""Small mistakes in a module, one at a time, and how a running process is made to make them.

A mistake is a comparison turned round, an `and` for an `or`, a condition or a number changed, a statement, or one
condition of a query, left out. Functions, methods and plain constants are mistaken; class bodies (fields, constraints)
and decorators are not, for they cannot be changed while the process runs. Neither is what only words are made of: log
lines, messages, docstrings.
"""

import ast
import copy
import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType

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
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Add,
}
WORDS_ONLY = ("logger.", "_(", "logging.", "gettext", "ngettext", "pgettext")
QUERIES = ("filter", "exclude", "get", "update", "Q")
EXPLAINED = {
    line.strip() for line in Path(__file__).with_name("survivors.txt").read_text().splitlines() if line.startswith("  ")
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mistake:
    module: str
    unit: str  # the function, method or constant
    what: str
    line: int
    lines: range  # a test that runs none of them cannot see it; empty: all lines of the module count
    path: str
    tree: ast.stmt

    def __str__(self) -> str:
        return f"{self.module.rpartition('/')[2]}.{self.unit}: {self.what}"


def mistakes(root: Path, module: str) -> list[Mistake]:
    path = root / f"payments/{module}.py"
    return [
        Mistake(module, unit, what, line, lines, str(path), twin)
        for unit, tree in _units(ast.parse(path.read_text()))
        for what, line, lines, twin in _mistaken(tree)
    ]


def none_at_all(root: Path, module: str) -> list[Mistake]:
    """Every unit as it is, to see that putting it in changes nothing."""
    path = root / f"payments/{module}.py"
    return [
        Mistake(module, unit, "", 0, range(0), str(path), tree)
        for unit, tree in _units(ast.parse(path.read_text()))
        if isinstance(tree, Function)
    ]


def make(mistake: Mistake) -> None:
    """From now on this process makes it: in all that was made of the function, whatever wraps it by now."""
    name = f"payments.{mistake.module.replace('/', '.')}"
    module = sys.modules[name]
    tree = mistake.tree
    if not isinstance(tree, Function):
        assert isinstance(tree, ast.Assign | ast.AnnAssign)
        assert tree.value
        old = vars(module)[mistake.unit]
        new = _value(tree.value, mistake.path, vars(module))
        for other in [it for it in sys.modules.values() if vars(it).get(mistake.unit) is old]:
            setattr(other, mistake.unit, new)
        return
    class_name, _, _name = mistake.unit.rpartition(".")
    whole: ast.stmt = copy.deepcopy(tree)
    whole.decorator_list = []  # type: ignore[attr-defined]
    if class_name:
        whole = ast.ClassDef(class_name, [], [], [whole], [])
    compiled = compile(ast.fix_missing_locations(ast.Module([whole], [])), mistake.path, "exec", dont_inherit=True)
    code = next(it for it in _codes(compiled) if it.co_qualname == mistake.unit)
    live = living(mistake.path).get(mistake.unit)
    assert live, f"{mistake}: no such function lives"
    for function in live:
        function.__code__ = code
        if function.__defaults__:
            function.__defaults__ = tuple(_value(it, mistake.path, vars(module)) for it in tree.args.defaults)
        for argument, value in zip(tree.args.kwonlyargs, tree.args.kw_defaults, strict=True):
            if value and function.__kwdefaults__:
                function.__kwdefaults__[argument.arg] = _value(value, mistake.path, vars(module))


@cache
def living(path: str) -> dict[str, list[FunctionType]]:
    """All functions made from this file, by name. Found once, before the process forks."""
    gc.unfreeze()  # what the tests froze is not among the objects
    found: dict[str, list[FunctionType]] = {}
    for it in gc.get_objects():
        if isinstance(it, FunctionType) and it.__code__.co_filename == path:
            found.setdefault(it.__code__.co_qualname, []).append(it)
    return found


def _value(expression: ast.expr, path: str, names: dict[str, object]) -> object:
    return eval(compile(ast.fix_missing_locations(ast.Expression(expression)), path, "eval"), names)


def _codes(code: CodeType) -> Iterator[CodeType]:
    for it in code.co_consts:
        if isinstance(it, CodeType):
            yield it
            yield from _codes(it)


def _units(module: ast.Module) -> Iterator[tuple[str, ast.stmt]]:
    for statement in module.body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield statement.name, statement
            case ast.ClassDef():
                methods = [it for it in statement.body if isinstance(it, Function)]
                yield from ((f"{statement.name}.{it.name}", it) for it in methods)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                yield name, statement


def _mistaken(unit: ast.stmt) -> Iterator[tuple[str, int, range, ast.stmt]]:
    for index, (node, statement) in enumerate(_places(unit, unit)):
        for number, (what, where, _change) in enumerate(_changes(node)):
            twin = copy.deepcopy(unit)
            _changes(list(_places(twin, twin))[index][0])[number][2]()
            yield what, getattr(where or node, "lineno", 0), _lines(where or statement, unit), twin


def _lines(statement: ast.AST, unit: ast.stmt) -> range:
    """Where a statement begins to be run: the whole of a simple one, the head of one with a body."""
    if not isinstance(unit, Function):
        return range(0)
    body = unit.body if statement is unit else getattr(statement, "body", None)
    first = statement.lineno if statement is not unit else body[0].lineno  # type: ignore[attr-defined, index]
    if statement is unit:  # its defaults
        return range(first, unit.end_lineno + 1)  # type: ignore[operator]
    if isinstance(body, list):
        return range(first, max(body[0].lineno, first + 1))
    return range(first, statement.end_lineno + 1)  # type: ignore[attr-defined]


def _places(node: ast.AST, statement: ast.stmt) -> Iterator[tuple[ast.AST, ast.stmt]]:
    """Every node a mistake could be made at, with the statement it is part of."""
    yield node, statement
    for name, field in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list"):
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.AST) and not _words_only(child):
                yield from _places(child, child if isinstance(child, ast.stmt) else statement)


def _words_only(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr):
        node = node.value
    return isinstance(node, ast.JoinedStr) or isinstance(node, ast.Call) and ast.unparse(node).startswith(WORDS_ONLY)


def _changes(node: ast.AST) -> list[tuple[str, ast.AST | None, Callable[[], None]]]:
    """The mistakes to be made at a node: what each is, the statement it hits if that is another, and how to make it."""
    made: list[tuple[str, ast.AST | None, Callable[[], None]]] = []

    def put(what: str, name: str, value: object) -> None:
        made.append((what, None, lambda: setattr(node, name, value)))

    match node:
        case ast.Compare(ops=[op]) if type(op) in TURNED:
            put(f"{ast.unparse(node)} turned", "ops", [TURNED[type(op)]()])
        case ast.BoolOp(op=op) | ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in TURNED:
            put(f"{ast.unparse(node)} with {TURNED[type(op)].__name__}", "op", TURNED[type(op)]())
        case ast.UnaryOp(op=ast.Not()):
            put(f"{ast.unparse(node)} without not", "operand", ast.UnaryOp(ast.Not(), node.operand))
        case ast.If(test=test) | ast.IfExp(test=test) if not isinstance(test, ast.Compare | ast.UnaryOp):
            put(f"if not {ast.unparse(test)}", "test", ast.UnaryOp(ast.Not(), test))
        case ast.Constant(value=bool(value)):
            put(f"{value} -> {not value}", "value", not value)
        case ast.Constant(value=int(value)):
            put(f"{value} -> {value + 1}", "value", value + 1)
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in QUERIES:
            if len(node.keywords) + bool(node.args) > 1:
                for gone in node.keywords:
                    rest = [it for it in node.keywords if it is not gone]
                    put(f"{name} without {ast.unparse(gone)}", "keywords", rest)
    parts = (getattr(node, name, None) for name in ("body", "orelse", "finalbody"))
    blocks: list[list[ast.stmt]] = [part for part in parts if isinstance(part, list)]  # a lambda's is no list
    for block in blocks:
        for index, statement in enumerate(block):
            if _can_be_left_out(statement):
                what = f"without {ast.unparse(statement).splitlines()[0][:90]}"
                made.append((what, statement, partial(_leave_out, block, index)))
    return made


def _leave_out(block: list[ast.stmt], index: int) -> None:
    block[index] = ast.copy_location(ast.Pass(), block[index])


def _can_be_left_out(statement: ast.stmt) -> bool:
    """What does something; leaving out the making of a name would be seen by the next line that needs it."""
    match statement:
        case ast.Expr(value=ast.Call() | ast.Await() | ast.Yield()):
            return not _words_only(statement)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript(), *_]) | ast.AugAssign() | ast.Delete():
            return True
        case ast.Assign(targets=[ast.Tuple(elts=elements)]):
            return any(isinstance(it, ast.Attribute) for it in elements)
        case ast.Raise() | ast.Continue() | ast.Break() | ast.Return(value=None):
            return True
    return False


def survivors(path: Path) -> set[str]:
    """The mutants that lived in a run whose output this is."""
    words = (line.split(" ", 2) for line in path.read_text().splitlines() if line.startswith("SURVIVED "))
    return {it[2].removesuffix(" (no test comes here)") for it in words}
