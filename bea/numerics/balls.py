"""Real numbers as balls: reading them, sizing them, and having bits enough of them.

The precision of python-flint is one setting of the whole process. It is set here and put back, so that
computations in balls must not run in several threads at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import inf
from typing import TypeVar

import sympy
from flint import arb, arb_mat, ctx

from bea.numerics.straight_line import number
from bea.systems.expressions import read_expression

__all__ = ["ArbArithmetic", "exact_value", "magnitude", "read_number", "require_accurate", "with_guard_bits"]

T = TypeVar("T")

#: Bits carried beyond those asked for, and how often they are doubled where cancellation uses them up.
GUARD_BITS = 32
DOUBLINGS = 6
#: Newton's method for implicit stages converges within a dozen iterations from a good start; from zero it may
#: have a long way, along an exponential one unit of its exponent at a time.
NEWTON_ITERATIONS = (60, 1000)
#: How often a correction of Newton's method is halved before it is given up.
HALVINGS = 10


class PrecisionLost(ArithmeticError):
    """Cancellation has used up the guard bits."""


def read_number(value: object) -> arb:
    """An exact value as a ball at the present precision of `flint.ctx`.

    Parameters
    ----------
    value : int, float, Fraction, str, sympy.Expr or flint.arb
        A float is the decimal number that it spells: 0.6 is 3/5. Of a ball the midpoint is taken.

    Returns
    -------
    flint.arb

    Raises
    ------
    ValueError, TypeError
        If the value is not a finite real number.

    Examples
    --------
    >>> print(read_number("sqrt(2)").str(10, radius=False))
    1.414213562
    """
    if isinstance(value, arb):
        if not value.is_finite():
            raise ValueError(f"a number must be finite, not {value}")
        return value.mid()
    return number(exact_value(value))


def exact_value(value: object) -> sympy.Expr:
    """An integer, float, fraction, text or SymPy expression as an exact SymPy expression."""
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    return read_expression(value)


def magnitude(values: Sequence[arb]) -> float:
    """The least integer m with |x| < 2^m for all the balls x; −∞ if all are 0, ∞ if one is not finite."""
    largest = -inf
    for value in values:
        if not value.is_finite():
            return inf
        mantissa, exponent = value.abs_upper().man_exp()
        if mantissa != 0:
            largest = max(largest, int(exponent) + int(mantissa).bit_length())
    return largest


def require_accurate(values: Sequence[arb], size: float, bits: int) -> None:
    """Have a computation started again with more guard bits if a radius exceeds 2^(size − bits)."""
    if magnitude([value.rad() for value in values]) > size - bits:
        raise PrecisionLost


def with_guard_bits(bits: int, compute: Callable[[], T]) -> T:
    """The result of `compute()`, run with as many guard bits as it turns out to need.

    Raises
    ------
    ValueError
        If `bits` is not an integer, 2 or more, or no reasonable number of guard bits suffices.
    """
    if isinstance(bits, bool) or not isinstance(bits, int) or bits < 2:
        raise ValueError(f"bits must be an integer, 2 or more, not {bits!r}")
    for doubling in range(DOUBLINGS):
        try:
            with ctx.workprec(bits + (GUARD_BITS << doubling)):
                return compute()
        except PrecisionLost:
            continue
    most = GUARD_BITS << (DOUBLINGS - 1)
    raise ValueError(f"cancellation uses up {most} guard bits, so {bits} bits cannot be reached")


class ArbArithmetic:
    """Ball arithmetic at the present precision, as schemes need it."""

    def __init__(self) -> None:
        self._numbers: dict[sympy.Expr, arb] = {}

    def number(self, constant: sympy.Expr) -> arb:
        """An exact constant as a ball."""
        if constant not in self._numbers:
            self._numbers[constant] = number(constant)
        return self._numbers[constant]

    def power(self, base: arb, exponent: sympy.Rational) -> arb:
        """A rational power of a ball, not finite where it is not real."""
        if exponent == -1:
            return 1 / base
        return base ** self.number(sympy.Rational(exponent))

    def fixed_point(
        self, function: Callable[[list[list[arb]]], list[list[arb]]], start: list[list[arb]]
    ) -> list[list[arb]]:
        """The solution of K = function(K) by Newton's method, from `start` or else from zero.

        A correction is halved until the residual falls. The Jacobian comes from differences with an increment
        of half the precision. Convergence is quadratic but for an error of that size, so a correction beyond
        two thirds of the bits is the last.

        Raises
        ------
        ValueError
            If Newton's method does not converge.
        """
        width = len(start[0])

        def flat(K: list[arb]) -> list[arb]:
            return [value for row in function(_rows(K, width)) for value in row]

        given = [value.mid() for row in start for value in row]
        for first, iterations in zip((given, [arb(0)] * len(given)), NEWTON_ITERATIONS, strict=True):
            solution = _newton(flat, first, iterations)
            if solution is not None:
                return _rows(solution, width)
        raise ValueError(
            "the stages of the implicit scheme are not found: Newton's method finds no solution of their "
            "equations, which may have none at this step size"
        )


def _rows(values: list[arb], width: int) -> list[list[arb]]:
    return [values[i : i + width] for i in range(0, len(values), width)]


def _newton(function: Callable[[list[arb]], list[arb]], K: list[arb], iterations: int) -> list[arb] | None:
    """The solution of K = function(K) by Newton's method from the given K, or None where it finds none."""
    image = function(K)
    for _ in range(iterations):
        correction = _newton_correction(function, K, image)
        if correction is None:
            return None
        close = magnitude(correction) <= magnitude(K) - ctx.prec // 3
        for halving in range(HALVINGS):
            moved = [(k + change / 2**halving).mid() for k, change in zip(K, correction, strict=True)]
            moved_image = function(moved)
            if close or _residual(moved, moved_image) < _residual(K, image):
                break
        else:
            return None
        K, image = moved, moved_image
        if magnitude(correction) <= magnitude(K) - 2 * ctx.prec // 3:
            return K
    return None


def _residual(K: list[arb], image: list[arb]) -> arb:
    """The largest |image − K|, infinite if a component is not finite."""
    differences = [abs((a - b).mid()) for a, b in zip(image, K, strict=True)]
    return max(differences) if all(value.is_finite() for value in image) else arb("inf")


def _newton_correction(
    function: Callable[[list[arb]], list[arb]], K: list[arb], image: list[arb]
) -> list[arb] | None:
    """The correction of Newton's method for K = function(K), or None where there is none."""
    size, size_of_image = magnitude(K), magnitude(image)
    if max(size, size_of_image) == -inf:
        return [arb(0)] * len(K)
    if max(size, size_of_image) == inf:
        return None
    increment = arb((1, int(max(size, min(size_of_image, 0))) - ctx.prec // 2))
    matrix = arb_mat(len(K), len(K))
    for j in range(len(K)):
        displaced = function([value + increment if i == j else value for i, value in enumerate(K)])
        for i, (moved, unmoved) in enumerate(zip(displaced, image, strict=True)):
            matrix[i, j] = int(i == j) - ((moved - unmoved) / increment).mid()
    residual = arb_mat(len(K), 1, [(a - b).mid() for a, b in zip(image, K, strict=True)])
    try:
        return matrix.solve(residual).entries()
    except ZeroDivisionError:
        return None
