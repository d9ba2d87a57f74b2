"""From what a user writes for a Butcher tableau to exact SymPy matrices, with its consistency checked."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, TypeAlias

import numpy as np
import sympy

from bea.schemes.parametric import require_numbers
from bea.systems.expressions import Value, read_expression

__all__ = ["Column", "Table", "read_column", "read_square_matrix", "require_consistent", "require_row_sums"]

#: What a user may write for b, c and b̂, and for A.
Column: TypeAlias = Sequence[Value | str | Fraction] | np.ndarray | sympy.MatrixBase
Table: TypeAlias = Sequence[Sequence[Value | str | Fraction]] | np.ndarray | sympy.MatrixBase


def read_square_matrix(source: Table) -> sympy.ImmutableMatrix:
    """The exact matrix A from what a user gave for it."""
    rows: Any = source.tolist() if isinstance(source, np.ndarray | sympy.MatrixBase) else source
    if not _is_sequence(rows) or not all(map(_is_sequence, rows)):
        raise TypeError("A must be a square table, such as [[0, 0], ['1/2', 0]]")
    lengths = [len(row) for row in rows]
    if not rows or any(length != len(rows) for length in lengths):
        raise ValueError(f"A must be a square table, but it has {len(rows)} rows of lengths {lengths}")
    return sympy.ImmutableMatrix([[_entry(a, "A") for a in row] for row in rows])


def read_column(source: Column, what: str, stages: int) -> sympy.ImmutableMatrix:
    """The exact column `what` from what a user gave for it."""
    entries: Any = list(source) if isinstance(source, np.ndarray | sympy.MatrixBase) else source
    if not _is_sequence(entries):
        raise TypeError(f"{what} must be a sequence of {stages} entries, such as ['1/2', '1/2']")
    if len(entries) != stages:
        raise ValueError(
            f"{what} must have one entry for each of the {stages} stages in A, but it has {len(entries)}"
        )
    return sympy.ImmutableMatrix([_entry(entry, what) for entry in entries])


def require_consistent(weights: sympy.ImmutableMatrix, what: str, source: Column) -> None:
    """Refuse weights that do not sum to 1: the method would not be consistent."""
    total = sum(weights)
    if not _vanishes(total - 1):
        floats = any(isinstance(entry, float) for entry in source)
        hint = '; write fractions as text, such as "1/6", not as floats' if floats else ""
        raise ValueError(f"the weights {what} must sum to 1, but they sum to {total}{hint}")


def require_row_sums(nodes: sympy.ImmutableMatrix, row_sums: sympy.ImmutableMatrix) -> None:
    """Refuse nodes that are not the row sums of A."""
    for i, (node, row_sum) in enumerate(zip(nodes, row_sums, strict=True)):
        if not _vanishes(node - row_sum):
            raise ValueError(
                f"the nodes c must be the row sums of A, but c[{i}] is {node} and row {i} sums to {row_sum}"
            )


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _entry(value: object, what: str) -> sympy.Expr:
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    try:
        entry = read_expression(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"the entry {value!r} of {what} cannot be read: {error}") from None
    require_numbers(entry, f"an entry of {what}")
    if entry.is_real is False:
        raise ValueError(f"the entries of {what} must be real, but {entry} is not")
    return entry


def _vanishes(expression: sympy.Expr) -> bool:
    return bool(sympy.expand(expression) == 0 or sympy.simplify(expression) == 0)
