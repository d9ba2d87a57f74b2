"""Coefficients of all kinds, exact, float or symbolic, and operations in the ring that suits them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from numbers import Real
from typing import Any, Protocol

import numpy as np
import sympy

from bea.series.denominators import Denominators
from bea.series.exact import Exact, lift
from bea.series.floats import Floats
from bea.series.number_fields import RATIONALS, NumberField, number_field
from bea.series.rings import DOUBLES, Array, Ring
from bea.series.symbolic import Localization, Symbolic
from bea.systems.expressions import read_expression

__all__ = ["Coefficients", "Operation", "apply", "common_field", "read_coefficients", "read_number"]


class Coefficients(Protocol):
    """Coefficients of the trees of orders 1, 2, …, by the numbers of the trees."""

    @property
    def start(self) -> np.ndarray:
        """The numbers of the first trees of orders 0, …, order + 1."""

    @property
    def order(self) -> int:
        """The highest order."""

    def __len__(self) -> int: ...

    def truncated(self, order: int) -> Coefficients:
        """The coefficients up to that order."""

    def on(self, ring: Ring) -> Array:
        """The coefficients as elements of a ring."""

    def at(self, i: int) -> Any:
        """The coefficient of tree number i."""

    def values(self, first: int = 0, stop: int | None = None) -> list[Any]:
        """The coefficients of the trees from number `first` to before number `stop`."""

    def equal(self, i: Array, j: Array, sign: int = 1) -> Array:
        """Whether coefficients i and j, of trees of equal orders, are equal, or opposite if `sign` is −1."""

    def vanishes(self) -> Array:
        """Whether each coefficient is 0."""


#: Computes coefficients in a ring from the arrays of its operands there.
Operation = Callable[..., Array]


def read_number(value: object, what: str) -> sympy.Expr | float:
    """A coefficient as a user may write it: exact, or a float, which stays one."""
    if isinstance(value, float | np.floating):
        if not np.isfinite(value):
            raise ValueError(f"{what} must be finite, not {value}")
        return float(value)
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    if isinstance(value, sympy.Expr) and value.is_Float:
        return float(value)
    if not isinstance(value, str | Real | sympy.Expr) or isinstance(value, bool):
        raise TypeError(f"{what} must be a number, text or a SymPy expression, not {type(value).__name__}")
    return read_expression(value)


def read_coefficients(numbers: Sequence[sympy.Expr | float], start: np.ndarray) -> Coefficients:
    """Numbers as coefficients: floats if one is a float and none a symbol, exact or symbolic otherwise.

    Parameters
    ----------
    numbers : sequence
        As many as there are trees.
    start : int array
        The numbers of the first trees of orders 0, …, order + 1.
    """
    exact = [number for number in numbers if not isinstance(number, float)]
    if len(exact) < len(numbers) and not any(number.free_symbols for number in exact):
        return Floats(start, np.array([float(number) for number in numbers]))
    exact = [sympy.Rational(str(x)) if isinstance(x, float) else x for x in numbers]
    field = number_field(exact)
    if field is not None:
        return Exact.read(exact, field, start)
    return Symbolic.read(exact, start)


def common_field(operands: Sequence[Coefficients]) -> NumberField | None:
    """The number field of exact coefficients; None if they are not all exact or have no field in common."""
    if not all(isinstance(operand, Exact) for operand in operands):
        return None
    fields = {operand.field for operand in operands if isinstance(operand, Exact)} - {RATIONALS}
    return RATIONALS if not fields else fields.pop() if len(fields) == 1 else None


def apply(
    operation: Operation,
    bound: Callable[..., Denominators],
    operands: Sequence[Coefficients],
    numbers: Sequence[Coefficients] = (),
) -> Coefficients:
    """The result of an operation on coefficients of equal length.

    Parameters
    ----------
    operation : callable
        Takes a ring, and in it the arrays of the operands and of the numbers.
    bound : callable
        Takes the denominators of all operands and numbers by order, and returns those of the result.
    operands : sequence of Coefficients
        Of equal order.
    numbers : sequence of Coefficients, optional
        Further arguments, such as an exponent, of any length.
    """
    everything = [*operands, *numbers]
    start = operands[0].start
    field = common_field(everything)
    if field is not None:
        denominators = [operand.least_denominators for operand in everything if isinstance(operand, Exact)]
        inputs = [D for operand in everything if isinstance(operand, Exact) for D in operand.denominators]
        return lift(
            lambda ring: operation(ring, *(operand.on(ring) for operand in everything)),
            field,
            start,
            bound(*denominators),
            inputs,
        )
    if _are_floats(everything):
        return Floats(start, operation(DOUBLES, *(operand.on(DOUBLES) for operand in everything)))
    ring = _common_ring(everything)
    return Symbolic(start, ring, operation(ring, *(operand.on(ring) for operand in everything)))


def _are_floats(operands: Sequence[Coefficients]) -> bool:
    """Whether one of them is of floats and none has symbols."""
    symbolic = any(isinstance(operand, Symbolic) and operand.ring.symbols for operand in operands)
    return not symbolic and any(isinstance(operand, Floats) for operand in operands)


def _common_ring(operands: Sequence[Coefficients]) -> Localization:
    """A ring for operands of which some are symbolic or which have different number fields."""
    rings = {operand.ring for operand in operands if isinstance(operand, Symbolic)}
    others = [x for x in operands if isinstance(x, Exact) and x.field != RATIONALS]
    if len(rings) == 1 and not others:
        return rings.pop()
    symbolic = [operand for operand in operands if isinstance(operand, Symbolic)]
    expressions = [value for operand in symbolic for value in operand.values()]
    return Localization([*expressions, *(value for operand in others for value in operand.values())])
