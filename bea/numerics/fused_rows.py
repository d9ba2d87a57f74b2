"""Statements of a program gathered into rows of like expressions, each computed in one pass over its row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from typing import NamedTuple

from bea.numerics.dense_sums import LEAST
from bea.numerics.program import FUNCTIONS, Program

__all__ = ["Rows", "fused_rows"]

#: An expression has at most so many leaves and operations; what is larger is computed part by part.
_LEAVES, _OPERATIONS = 6, 12

#: With more kinds of expressions than this, every statement gets a row of its own.
_KINDS = 24


class Tree(NamedTuple):
    """An expression: an operation as in a `Statement`, on registers and on expressions."""

    kind: str
    operands: tuple[int | Tree, ...]
    numbers: tuple[float, ...]


class Rows(NamedTuple):
    """Registers that are computed by like expressions of earlier ones.

    Attributes
    ----------
    kind : str
        The expression: of leaves ``a0``, ``a1``, …, of leaves ``q0``, … that are the same in all lanes, and
        of numbers ``n0``, ``n1``, …; or ``"matrix"``, ``"sum"`` or ``"product"``, those of many operands.
    registers : list of int
    leaves : list of tuple of int
        The operands of each register.
    numbers : list of tuple of float
        The numbers of each register.
    """

    kind: str
    registers: list[int]
    leaves: list[tuple[int, ...]]
    numbers: list[tuple[float, ...]]


def fused_rows(program: Program, uniform: Set[int]) -> list[Rows]:
    """What a program computes, in an order in which it can be computed.

    Parameters
    ----------
    program : Program
    uniform : set of int
        The inputs that are the same in all lanes.

    Returns
    -------
    list of Rows

    Notes
    -----
    A register is computed inside the one expression that uses it, without a row of its own, unless it is used
    twice, is an output, or an operand of an operation on many. That saves most ways to memory and back.

    Examples
    --------
    >>> import sympy
    >>> x, y, z = sympy.symbols("x y z")
    >>> for rows in fused_rows(Program([x + 3*y*z, y + 5*x*z], [x, y, z]), uniform={2}):
    ...     print(rows)
    Rows(kind='a0 + n0*(a1*q2)', registers=[4, 6], leaves=[(0, 1, 2), (1, 0, 2)], numbers=[(3.0,), (5.0,)])
    """
    rows = _rows(program, uniform, _trees(program))
    if len({kind for kind, *_ in rows}) <= _KINDS:
        return rows
    single = {register: Tree(*s) for register, s in enumerate(program.statements, start=program.inputs)}
    return _rows(program, uniform, single)


def _trees(program: Program) -> dict[int, Tree]:
    """The expressions of the registers that get rows of their own."""
    uses = Counter(r for s in program.statements for r in s.operands) + Counter(program.outputs)
    matrices = _matrices(program)
    own = set(program.outputs) | {register for register, count in uses.items() if count > 1}
    trees: dict[int, Tree] = {}
    for register, (kind, operands, numbers) in enumerate(program.statements, start=program.inputs):
        tree = Tree(kind, tuple(r if r in own else trees.get(r, r) for r in operands), numbers)
        wide = operands in matrices or len(operands) > _LEAVES
        if wide:
            own.add(register)
        if wide or _is_large(tree):
            own.update(operands)
            tree = Tree(kind, operands, numbers)
        trees[register] = tree
    return {register: tree for register, tree in trees.items() if register in own}


def _is_large(tree: Tree) -> bool:
    return len(set(_leaves(tree))) > _LEAVES or _operations(tree) > _OPERATIONS


def _leaves(tree: int | Tree) -> list[int]:
    return [tree] if isinstance(tree, int) else [leaf for part in tree.operands for leaf in _leaves(part)]


def _operations(tree: int | Tree) -> int:
    return 0 if isinstance(tree, int) else len(tree.operands) + sum(map(_operations, tree.operands))


def _matrices(program: Program) -> set[tuple[int, ...]]:
    """The operands of sums that are rows of a product of a matrix and a vector."""
    counts = Counter(s.operands for s in program.statements if s.kind == "sum")
    return {operands for operands, count in counts.items() if count >= LEAST and len(operands) >= LEAST}


def _rows(program: Program, uniform: Set[int], trees: dict[int, Tree]) -> list[Rows]:
    """Registers with expressions, gathered by depth and kind."""
    matrices = _matrices(program)
    depth = dict.fromkeys(range(program.inputs), 0)
    gathered: dict[tuple[int, str, tuple[int, ...]], Rows] = {}
    for register, tree in trees.items():
        kind, leaves, numbers = _read(tree, uniform, matrices)
        depth[register] = 1 + max((depth[leaf] for leaf in leaves), default=0)
        shape = leaves if kind == "matrix" else (len(leaves),)
        rows = gathered.setdefault((depth[register], kind, shape), Rows(kind, [], [], []))
        rows.registers.append(register)
        rows.leaves.append(leaves)
        rows.numbers.append(numbers)
    return [gathered[key] for key in sorted(gathered, key=lambda key: key[0])]


def _read(
    tree: Tree, uniform: Set[int], matrices: Set[tuple[int, ...]]
) -> tuple[str, tuple[int, ...], tuple[float, ...]]:
    """The kind of an expression, its leaves and its numbers."""
    leaves = tuple(_leaves(tree))
    if tree.kind == "sum" and tree.operands in matrices:
        return "matrix", leaves, tree.numbers
    if len(tree.operands) > _LEAVES:
        return tree.kind, leaves, tree.numbers
    names: dict[int, str] = {}
    listed: list[float] = []
    text = _text(tree, uniform, names, listed)
    return text, tuple(names), tuple(listed)


def _text(tree: int | Tree, uniform: Set[int], names: dict[int, str], numbers: list[float]) -> str:
    """An expression in Python; its leaves are added to `names`, its numbers to `numbers`."""
    if isinstance(tree, int):
        return names.setdefault(tree, f"{'q' if tree in uniform else 'a'}{len(names)}")
    kind, operands, values = tree
    parts = [_text(operand, uniform, names, numbers) for operand in operands]
    bracketed = [part if isinstance(o, int) else f"({part})" for part, o in zip(parts, operands, strict=True)]
    if kind == "product":
        return "*".join(bracketed)
    if kind != "sum":
        return FUNCTIONS[kind].format(*bracketed)
    constant, *coefficients = values
    terms = []
    if constant or not parts:
        numbers.append(constant)
        terms.append(f"n{len(numbers) - 1}")
    for coefficient, part in zip(coefficients, bracketed, strict=True):
        if abs(coefficient) == 1:
            terms.append(part if coefficient == 1 else f"-{part}")
        else:
            numbers.append(coefficient)
            terms.append(f"n{len(numbers) - 1}*{part}")
    return " + ".join(terms)
