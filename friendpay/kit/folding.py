"""Jinja templates of one language, in which all that is the same each time is worked out when they are compiled.

Words are translated then, files that are included stand where they are included, addresses of static files and the list
of languages are written out. What is left to do for a page is to put in what is its own. A template that is drawn in
so many languages is compiled once for each.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from jinja2 import Environment, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import Markup, escape

_HOLE = re.compile(r"%\((\w+)\)s|%(%)")


def escaped(value: object) -> str:
    """What `markupsafe.escape` gives, but text: it is put together at once, and nothing asks again whether it is safe.
    That alone is most of what escaping a name takes.
    """
    if type(value) is str:
        text = value.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")
        return text.replace("'", "&#39;").replace('"', "&#34;")
    return value if type(value) is Markup else escape(value)


class _Code(CodeGenerator):
    """What stands in a page is escaped by the environment."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if frame.eval_ctx.autoescape and not frame.eval_ctx.volatile and finalize.src is None:
            self.write("environment.escaped(")
        else:
            super()._output_child_pre(node, frame, finalize)


class Folding(Environment):
    """An environment that leaves its templates as they are, until it is told what is `known`: functions that answer the
    same each time when they are asked the same, and the constants of a language.
    """

    known: Mapping[str, Any] = {}
    code_generator_class = _Code
    escaped = staticmethod(escaped)

    def knowing(self, known: Mapping[str, Any], filters: Mapping[str, Any]) -> "Folding":
        """One like it, with templates of its own and these filters in place of others."""
        other: Folding = self.overlay()
        other.known = known
        other.globals = {**self.globals, **known}
        other.filters = {**self.filters, **filters}
        return other

    def _generate(self, source: nodes.Template, *args: Any, **options: Any) -> str:
        return super()._generate(_Fold(self).visit(source) if self.known else source, *args, **options)


class _Fold(NodeTransformer):
    def __init__(self, environment: Folding) -> None:
        self._environment = environment

    def visit_Include(self, node: nodes.Include) -> nodes.Node:
        """A scope of its own: what a file sets, only it sees."""
        if not isinstance(node.template, nodes.Const):
            return self.generic_visit(node)
        environment = self._environment
        assert environment.loader is not None
        source, filename, _fresh = environment.loader.get_source(environment, node.template.value)
        parsed = environment.parse(source, node.template.value, filename)
        return nodes.Scope([each for child in parsed.body for each in self.visit_list(child)], lineno=node.lineno)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        value = self._environment.known.get(node.name)
        known = node.ctx == "load" and value is not None and not callable(value)
        return nodes.Const(value, lineno=node.lineno) if known else node

    def visit_Call(self, node: nodes.Call) -> nodes.Node:
        self.generic_visit(node)
        function = self._environment.known.get(node.node.name) if isinstance(node.node, nodes.Name) else None
        given = [arg.value for arg in node.args if isinstance(arg, nodes.Const)]
        if not callable(function) or len(given) < len(node.args) or node.kwargs or node.dyn_args or node.dyn_kwargs:
            return node
        return nodes.Const(function(*given), lineno=node.lineno)

    def visit_For(self, node: nodes.For) -> nodes.Node | list[nodes.Node]:
        """A loop over constants, written out."""
        self.generic_visit(node)
        if not isinstance(node.iter, nodes.Const) or any(name.name == "loop" for name in node.find_all(nodes.Name)):
            return node
        return [nodes.Scope(body, lineno=node.lineno) for body in _turns(node, node.iter.value)]

    def visit_Output(self, node: nodes.Output) -> nodes.Node:
        self.generic_visit(node)
        node.nodes = [piece for child in node.nodes for piece in _pieces(child)]
        return node


def _turns(loop: nodes.For, values: Any) -> Iterator[list[nodes.Node]]:
    targets = loop.target.items if isinstance(loop.target, nodes.Tuple) else [loop.target]
    names = [target.name for target in targets if isinstance(target, nodes.Name)]
    for value in values:
        put = _Put(dict(zip(names, value if len(names) > 1 else [value], strict=True)))
        turn = deepcopy(loop, {id(loop.environment): loop.environment})
        if turn.test is None or put.visit(turn.test).as_const():
            yield [put.visit(child) for child in turn.body]


class _Put(NodeTransformer):
    """Puts values in the place of names."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def visit_Name(self, node: nodes.Name) -> nodes.Node:
        return nodes.Const(self._values[node.name]) if node.name in self._values else node


def _pieces(said: nodes.Expr) -> list[nodes.Expr]:
    """A sentence that is known, and what is put into it, one after another."""
    if not (
        isinstance(said, nodes.Mod)
        and isinstance(said.left, nodes.MarkSafeIfAutoescape)
        and isinstance(said.left.expr, nodes.Const)
        and isinstance(said.right, nodes.Dict)
    ):
        return [said]
    values = {pair.key.as_const(): pair.value for pair in said.right.items}
    pieces, end = list[nodes.Expr](), 0
    sentence: str = said.left.expr.value
    for hole in _HOLE.finditer(sentence):
        pieces += [nodes.TemplateData(sentence[end : hole.start()])]
        pieces += [values[hole[1]] if hole[1] else nodes.TemplateData(hole[2])]
        end = hole.end()
    return [*pieces, nodes.TemplateData(sentence[end:])]
