"""The small changes to a file: every operator, applied at every place where it can be applied.

These are left out: type annotations, decorators, documentation, `assert`, descriptions of fields, and text inside
`raise`, which the tests of the messages compare as a whole.
"""

from __future__ import annotations

import ast
import copy
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

BOUNDARY = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
OPPOSITE = {
    **{ast.Lt: ast.GtE, ast.GtE: ast.Lt, ast.Gt: ast.LtE, ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In},
}
ARITHMETIC = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult},
    **{ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}
SWAPPED_PAIRS = (
    *(("min", "max"), ("any", "all"), ("ceil", "floor"), ("bisect_left", "bisect_right"), ("lower", "upper")),
    *(("less", "less_equal"), ("greater", "greater_equal"), ("logical_or", "logical_and"), ("maximum", "minimum")),
)
SWAPPED = {one: other for pair in SWAPPED_PAIRS for one, other in (pair, pair[::-1])}

COMPOUND = (ast.If, ast.While, ast.For, ast.With, ast.Try, ast.FunctionDef, ast.ClassDef, ast.Module, ast.ExceptHandler)
SKIPPED = (ast.Import, ast.ImportFrom, ast.Assert, ast.alias)
SHORTEST_TEXT = 12
"""Characters: what is shorter says too little, so that more of the line around it is shown."""


@dataclass
class Mutant:
    """One change: `apply` makes it in `tree`, the file's whole syntax tree."""

    file: str
    line: int
    function: str
    """The qualified name of the function or class that it is in; empty at the top of the file."""
    operator: str
    tree: ast.Module
    parent: ast.AST
    place: str
    index: int | None
    new: ast.AST
    scope: tuple[int, int] | None
    """The first and the last line of the outermost function whose body it is in; None if it acts on import."""
    outermost: str = ""
    text: str = field(default="", init=False)
    """What is changed into what, as no other change in the same function reads."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.operator}: {self.text}"

    def apply(self) -> ast.AST:
        """Make the change, and return what it replaces."""
        if self.index is None:
            old = getattr(self.parent, self.place)
            setattr(self.parent, self.place, self.new)
        else:
            old = getattr(self.parent, self.place)[self.index]
            getattr(self.parent, self.place)[self.index] = self.new
        return old

    def undo(self, old: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.place, old)
        else:
            getattr(self.parent, self.place)[self.index] = old


class _Context(NamedTuple):
    """Where the walk is."""

    ancestors: tuple[ast.AST, ...] = ()
    """What encloses the node, from its statement down to its parent."""
    names: tuple[str, ...] = ()
    bound: set[str] = frozenset()  # type: ignore[assignment]  # replaced by a set where a name can be bound
    scope: tuple[int, int] | None = None
    outermost: str = ""
    in_class: bool = False
    in_raise: bool = False


def mutants_of(file: str, source: str) -> list[Mutant]:
    """Return every change to a file, in the order of its lines."""
    tree = ast.parse(source)
    found: list[tuple[Mutant, tuple[ast.AST, ...]]] = []

    def visit(node: ast.AST, parent: ast.AST, place: str, index: int | None, context: _Context) -> None:
        if isinstance(node, SKIPPED) or _is_left_out(node):
            return
        for operator, new in _changes(node, place, context):
            ast.fix_missing_locations(ast.copy_location(new, node))
            where = (file, getattr(node, "lineno", 0), ".".join(context.names))
            mutant = Mutant(*where, operator, tree, parent, place, index, new, context.scope, context.outermost)
            found.append((mutant, (*context.ancestors, node)))
        children(node, context)

    def children(node: ast.AST, context: _Context) -> None:
        inner = context._replace(ancestors=() if isinstance(node, COMPOUND) else (*context.ancestors, node))
        body = inner
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            inner = inner._replace(names=(*context.names, node.name))
            body = inner._replace(in_class=isinstance(node, ast.ClassDef))
        if isinstance(node, ast.FunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            arguments = {one.arg for one in ast.walk(node.args) if isinstance(one, ast.arg)}
            body = body._replace(bound=arguments)
            if context.scope is None:
                body = body._replace(scope=(first, node.end_lineno or first), outermost=".".join(body.names))
        if isinstance(node, ast.Raise):
            inner = body = inner._replace(in_raise=True)
        for place, value in ast.iter_fields(node):
            if place in ("decorator_list", "returns", "type_params", "ctx", "op", "ops", "bases"):
                continue
            if place == "annotation":
                if context.in_class and isinstance(node, ast.AnnAssign):
                    # What pydantic checks: Annotated[..., Field(gt=0)].
                    for one in ast.walk(value):
                        if isinstance(one, ast.Call):
                            children(one, inner)
                continue
            here = body if place in ("body", "orelse", "finalbody", "handlers") else inner
            if isinstance(value, list):
                for index, one in enumerate(value):
                    if isinstance(one, ast.AST):
                        visit(one, node, place, index, here)
            elif isinstance(value, ast.AST):
                visit(value, node, place, None, here)

    children(tree, _Context())
    _name(found)
    return [mutant for mutant, _ in found]


def sample(mutants: list[Mutant], count: int | None, seed: int) -> list[Mutant]:
    """Return some of the mutants, the same ones for the same seed, in their order; all of them for None."""
    if count is None or count >= len(mutants):
        return mutants
    return [mutants[index] for index in sorted(random.Random(seed).sample(range(len(mutants)), count))]


def _is_left_out(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):  # documentation
            return True
        case ast.keyword(arg="description"):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Subscript(value=ast.Name(id="Literal")) | ast.Call(func=ast.Name(id="TypeVar" | "cast")):
            return True
    return False


def _changes(node: ast.AST, place: str, context: _Context) -> Iterator[tuple[str, ast.AST]]:
    """Yield the name of each operator that applies to a node, and what replaces the node."""
    if (
        place in ("test", "ifs")
        and isinstance(node, ast.expr)
        and not (
            (isinstance(node, ast.Compare) and len(node.ops) == 1)
            or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
        )
    ):
        yield "condition", ast.UnaryOp(ast.Not(), node)
    match node:
        case ast.Compare():
            for index, operation in enumerate(node.ops):
                for name, table in (("boundary", BOUNDARY), ("comparison", OPPOSITE)):
                    if type(operation) in table:
                        ops = [*node.ops[:index], table[type(operation)](), *node.ops[index + 1 :]]
                        yield name, _but(node, ops=ops)
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            yield "arithmetic", _but(node, op=ARITHMETIC[type(node.op)]())
        case ast.BoolOp():
            yield "logic", _but(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not()):
            yield "logic", node.operand
        case ast.UnaryOp(op=ast.USub()):
            yield "sign", node.operand
        case ast.Constant(value=bool()):
            yield "boolean", ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            more = node.value + 1
            yield "number", ast.Constant(more if more != node.value else 2 * node.value)
        case ast.Constant(value=str()) if not context.in_raise:
            yield "text", ast.Constant(f"XX{node.value}")
        case ast.Name(id=name) if name in SWAPPED:
            yield "call", _but(node, id=SWAPPED[name])
        case ast.Attribute(attr=name) if name in SWAPPED:
            yield "call", _but(node, attr=SWAPPED[name])
        case ast.Call() if not context.in_raise and context.scope:
            for index, keyword in enumerate(node.keywords):
                if keyword.arg is not None:
                    yield "argument", _but(node, keywords=[*node.keywords[:index], *node.keywords[index + 1 :]])
        case ast.Return(value=ast.expr() as value) if not (isinstance(value, ast.Constant) and value.value is None):
            yield "return", _but(node, value=ast.Constant(None))
        case ast.Break():
            yield "jump", ast.Continue()
        case ast.Continue():
            yield "jump", ast.Break()
        case ast.Expr() | ast.AugAssign() | ast.Raise() if context.scope:
            yield "statement", ast.Pass()
        case ast.Assign(targets=[target]) if context.scope:
            parts = target.elts if isinstance(target, ast.Tuple) else [target]
            if all(part.id in context.bound if isinstance(part, ast.Name) else True for part in parts):
                yield "statement", ast.Pass()
            context.bound.update(part.id for part in parts if isinstance(part, ast.Name))


def _but(node: ast.AST, **changed: Any) -> ast.AST:
    """Return a node with some fields changed; it shares the others."""
    new = copy.copy(node)
    for name, value in changed.items():
        setattr(new, name, value)
    return new


def _name(found: list[tuple[Mutant, tuple[ast.AST, ...]]]) -> None:
    """Give each mutant the shortest text that no other one in the same function has, the rest of its line at most."""
    choices: list[list[str]] = []
    count: Counter[tuple[str, str]] = Counter()
    before: dict[int, str] = {}
    for mutant, enclosing in found:
        old = mutant.apply()
        after = [ast.unparse(mutant.new if node is old else node) for node in reversed(enclosing)]
        mutant.undo(old)
        texts = []
        for node, changed in zip(reversed(enclosing), after):
            if id(node) not in before:
                before[id(node)] = ast.unparse(node)
            texts.append((before[id(node)], changed))
        kept = [f"{old} -> {new}" for old, new in texts if len(old) >= SHORTEST_TEXT]
        choices.append(kept or [f"{texts[-1][0]} -> {texts[-1][1]}"])
        count.update((mutant.function, text) for text in set(choices[-1]))
    same: Counter[tuple[str, str]] = Counter()
    for (mutant, _), texts in zip(found, choices):
        unique = next((text for text in texts if count[mutant.function, text] == 1), None)
        if unique is None:
            same[mutant.function, texts[-1]] += 1
            unique = f"{texts[-1]} #{same[mutant.function, texts[-1]]}"
        mutant.text = unique
