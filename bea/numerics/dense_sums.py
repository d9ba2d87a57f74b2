"""Products of a matrix and a vector, found among the sums of a program."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import sympy

from bea.numerics.program import Linear, Program, Statement

__all__ = ["LEAST", "with_dense_sums"]

#: So many sums that share so many operands are a product of a matrix and a vector.
LEAST = 4

#: Functions that are finite at all finite numbers.
_FINITE = {"sum", "product", "sin", "cos", "tanh", "atan", "asinh", "erf", "erfc", "sign", "Heaviside"}
_FINITE |= {"Abs", "Max", "Min"}


def with_dense_sums(program: Program, inputs: Sequence[sympy.Symbol]) -> Program:
    """The same program, in which sums that share most operands are split into a dense part and a rest.

    The dense parts of such sums are sums over the same operands: a product of a matrix M and a vector.
    Columns of M that are multiples of one another become one, whose operand is a combination of theirs, and
    rows that are multiples of one another become one. An operand that half of the sums have, and that cannot
    be infinite, has the coefficient 0 in the others.

    Parameters
    ----------
    program : Program
    inputs : sequence of sympy.Symbol
        Its inputs.

    Returns
    -------
    Program

    Examples
    --------
    >>> x, y, z, w = symbols = sympy.symbols("x y z w")
    >>> rows = [2*x - 2*y + z + w, x - y + 3*z + 2*w, -2*x + 2*y - z - w, 4*x - 4*y + z + w]
    >>> for statement in with_dense_sums(Program(rows, symbols), symbols).statements:
    ...     print(statement.kind, statement.operands, statement.numbers)
    sum (0, 1) (0.0, 1.0, -1.0)
    sum (2, 3, 4) (0.0, 1.0, 1.0, 2.0)
    sum (2, 3, 4) (0.0, 3.0, 2.0, 1.0)
    sum (2, 3, 4) (0.0, 1.0, 1.0, 4.0)
    sum (5,) (0.0, -1.0)
    """
    dense = Program((), inputs)
    moved = {register: register for register in range(program.inputs)}
    depth, finite = _depths(program), _finite(program)
    levels: dict[int, list[int]] = {}
    for register in range(program.inputs, len(depth)):
        levels.setdefault(depth[register], []).append(register)
    for _, registers in sorted(levels.items()):
        statements = {register: program.statements[register - program.inputs] for register in registers}
        for group in _groups(statements):
            sums = {register: statements[register] for register in group}
            moved.update(_split(sums, moved, finite, dense))
        for register, statement in statements.items():
            if register not in moved:
                moved[register] = _copied(statement, moved, dense)
    dense.outputs = [moved[register] for register in program.outputs]
    return dense


def _depths(program: Program) -> list[int]:
    """How many statements follow one another until a register is known, for each register."""
    depth = [0] * program.inputs
    for statement in program.statements:
        depth.append(1 + max((depth[r] for r in statement.operands), default=0))
    return depth


def _groups(statements: dict[int, Statement]) -> list[list[int]]:
    """Sums of which each shares half of its operands with those before it, `LEAST` of them at least."""
    groups: list[tuple[list[int], set[int]]] = []
    for register, statement in statements.items():
        if statement.kind != "sum" or len(statement.operands) < LEAST:
            continue
        operands = set(statement.operands)
        for members, met in groups:
            if 2 * len(met & operands) >= max(len(operands), 2 * LEAST):
                members.append(register)
                met |= operands
                break
        else:
            groups.append(([register], operands))
    return [members for members, _ in groups if len(members) >= LEAST]


def _finite(program: Program) -> set[int]:
    """The registers that are finite wherever the inputs are, unless those are beyond all measure."""
    finite = set(range(program.inputs))
    for register, (kind, operands, _) in enumerate(program.statements, start=program.inputs):
        if kind in _FINITE and finite.issuperset(operands):
            finite.add(register)
    return finite


def _split(
    group: dict[int, Statement], moved: dict[int, int], finite: set[int], dense: Program
) -> dict[int, int]:
    """State the dense part of a group of sums, then each sum; return their new registers."""
    sums = {
        register: dict(zip(statement.operands, statement.numbers[1:], strict=True))
        for register, statement in group.items()
    }
    uses = Counter(operand for terms in sums.values() for operand in terms)
    enough = {r: (len(sums) + 1) // 2 if r in finite else len(sums) for r in uses}
    shared = sorted(r for r, count in uses.items() if count >= enough[r])
    M = np.array([[terms.get(operand, 0.0) for operand in shared] for terms in sums.values()])
    if len(shared) < LEAST or not M.any(axis=1).all():
        return {}
    columns, weights = _multiples(M.T)
    vector: list[int] = []
    for first in sorted(set(columns)):
        members = [k for k, column in enumerate(columns) if column == first]
        vector.append(dense.linear({moved[shared[k]]: weights[k] for k in members}))
    M = M[:, sorted(set(columns))]
    rows, factors = _multiples(M)
    products = {row: dense.linear(_terms(vector, M[row])) for row in sorted(set(rows))}
    new = {}
    for (register, terms), row, factor in zip(sums.items(), rows, factors, strict=True):
        rest: Linear = {moved[r]: c for r, c in terms.items() if r not in shared}
        new[register] = dense.linear({None: group[register].numbers[0], products[row]: factor} | rest)
    return new


def _terms(vector: Sequence[int], row: np.ndarray) -> Linear:
    return {register: float(coefficient) for register, coefficient in zip(vector, row, strict=True)}


def _multiples(vectors: np.ndarray) -> tuple[list[int], list[float]]:
    """For each vector the number of the first of which it is a multiple, and by which factor."""
    pivots = [vector[np.flatnonzero(vector)[0]] for vector in vectors]
    seen: dict[bytes, int] = {}
    directions = [(vector / pivot + 0.0).tobytes() for vector, pivot in zip(vectors, pivots, strict=True)]
    numbers = [seen.setdefault(direction, k) for k, direction in enumerate(directions)]
    return numbers, [float(pivots[k] / pivots[first]) for k, first in enumerate(numbers)]


def _copied(statement: Statement, moved: dict[int, int], dense: Program) -> int:
    operands = [moved[r] for r in statement.operands]
    if statement.kind == "sum":
        constant, *coefficients = statement.numbers
        terms: Linear = {None: constant}
        for register, coefficient in zip(operands, coefficients, strict=True):
            terms[register] = terms.get(register, 0.0) + coefficient
        return dense.linear(terms)
    if statement.kind == "product":
        return dense.product(operands)
    return dense.function(statement.kind, operands)
