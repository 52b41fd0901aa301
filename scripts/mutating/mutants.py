"""What can be broken in a syntax tree: one small change at a time."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
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
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Break: ast.Continue,
    ast.Continue: ast.Break,
}
NEGATABLE = (ast.Name, ast.Attribute, ast.Call, ast.NamedExpr, ast.Subscript)
NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
NOT_RUN = ("annotation", "returns", "decorator_list")


@dataclass(frozen=True)
class Place:
    """Where a node hangs in its tree, and in which function and statement."""

    parent: ast.AST
    field: str
    index: int | None
    function: str
    at_import: bool
    statement: ast.stmt

    def put(self, node: ast.AST) -> None:
        """Hang another node there."""
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


@dataclass(frozen=True)
class Mutant:
    """One change, which the tree has while this is the iterator's current one."""

    function: str
    before: str
    after: str
    lines: range
    at_import: bool

    def __str__(self) -> str:
        return f"{self.function or '(top)'}: {self.before} → {self.after}"


def mutants_of(tree: ast.Module) -> Iterator[Mutant]:
    """Change the tree in every way there is; each change is undone before the next."""
    for place, node in list(_places(tree)):
        for changed in _changes(node):
            place.put(ast.copy_location(changed, node))
            ast.fix_missing_locations(tree)
            shown = place.function, _shown(node), _shown(changed)
            yield Mutant(*shown, _lines(place, node), place.at_import)
        place.put(node)


def _places(
    parent: ast.AST,
    function: str = "",
    at_import: bool = True,
    statement: ast.stmt | None = None,
) -> Iterator[tuple[Place, ast.AST]]:
    for field, value in ast.iter_fields(parent):
        if field in NOT_RUN:
            continue
        children = value if isinstance(value, list) else [value]
        inside, imported = function, at_import
        if field == "body" and isinstance(parent, NAMED):
            inside = f"{function}.{parent.name}".strip(".")
            imported = at_import and isinstance(parent, ast.ClassDef)
        for index, child in enumerate(children):
            if not isinstance(child, ast.AST) or _is_not_run(child):
                continue
            stated = child if isinstance(child, ast.stmt) else statement
            if stated is not None:
                at = index if isinstance(value, list) else None
                yield Place(parent, field, at, inside, imported, stated), child
            yield from _places(child, inside, imported, stated)


def _is_not_run(node: ast.AST) -> bool:
    match node:
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.JoinedStr():
            return True
        case ast.Expr(value=ast.Constant()):  # a docstring
            return True
    return False


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for at, operator in enumerate(ops):
                yield _with(node, ops=[*ops[:at], SWAPPED[type(operator)](), *ops[at + 1 :]])
        case ast.BoolOp(op=operator, values=values):
            yield _with(node, op=SWAPPED[type(operator)]())
            for at in range(len(values)):
                rest = [*values[:at], *values[at + 1 :]]
                yield rest[0] if len(rest) == 1 else _with(node, values=rest)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.BinOp(op=operator) if type(operator) in SWAPPED:
            yield _with(node, op=SWAPPED[type(operator)]())
        case ast.AugAssign(op=operator) if type(operator) in SWAPPED:
            yield _with(node, op=SWAPPED[type(operator)]())
            yield ast.Pass()
        case ast.If(test=test) | ast.IfExp(test=test) if isinstance(test, NEGATABLE):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.comprehension(ifs=[_, *_]):
            yield _with(node, ifs=[])
        case ast.Lambda(body=body) | ast.Return(value=ast.expr() as body) if not _is_nothing(body):
            name = "body" if isinstance(node, ast.Lambda) else "value"
            yield _with(node, **{name: ast.Constant(None)})
        case ast.Expr() | ast.Raise() | ast.Delete():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Break() | ast.Continue():
            yield SWAPPED[type(node)]()


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _is_nothing(node: ast.AST) -> bool:
    """Tell whether something is as false as the None that would take its place."""
    match node:
        case ast.Constant(value=value):
            return not value
        case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
            return True
    return False


def _shown(node: ast.AST) -> str:
    """Return the source in one line: of a compound statement, the first."""
    if isinstance(node, ast.comprehension):
        return ast.unparse(node).strip()
    return ast.unparse(node).splitlines()[0]


def _lines(place: Place, node: ast.AST) -> range:
    """Return the lines on which a test must be to meet the change."""
    last = place.parent if isinstance(node, ast.comprehension) else getattr(node, "test", node)
    end: int = getattr(last, "end_lineno", place.statement.lineno)
    return range(place.statement.lineno, end + 1)
