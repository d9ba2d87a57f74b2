"""The forms that measured claims take: orders, limits for small step sizes, and exact equalities."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import sympy
from sympy.polys.fields import field

from bea.theorems.claims import Claim
from bea.theorems.fit import fit_order
from bea.theorems.slopes import NEAR, Slope

__all__ = ["exact_claim", "extrapolated", "limit_claim", "order_claim", "slope_claim"]


def slope_claim(name: str, measured: Slope) -> Claim:
    """That the order which `bea.slope` measured is the predicted one."""
    h = measured.step_sizes
    precision = "" if measured.bits == 53 else f", {measured.bits} bits"
    return Claim(
        name=name,
        predicted=measured.predicted,
        measured=measured.value,
        interval=measured.interval,
        passed=measured.agrees,
        detail=f"order in h, {len(h)} step sizes from {h.min():.2g} to {h.max():.2g}{precision}",
    )


def order_claim(
    name: str, predicted: int, step_sizes: Sequence[float], errors: Sequence[Any], detail: str = ""
) -> Claim:
    """That errors, floats or balls, fall with the predicted power of the step size and no higher one."""
    fit = fit_order(step_sizes, errors)
    low, high = fit.interval
    sizes = f"order in h, {len(step_sizes)} step sizes from {min(step_sizes):.2g} to {max(step_sizes):.2g}"
    return Claim(
        name=name,
        predicted=predicted,
        measured=fit.value,
        interval=fit.interval,
        passed=predicted - 1 < low <= predicted <= high < predicted + 1 and abs(fit.value - predicted) < NEAR,
        detail=f"{sizes}; {detail}" if detail else sizes,
    )


def limit_claim(
    name: str, predicted: Any, values: Sequence[Any], detail: str, accuracy: float = 1e-3
) -> Claim:
    """That values at h, h/2, h/4, … tend to the predicted number, known to `accuracy` of its size."""
    measured, interval = extrapolated(values)
    number, (low, high) = float(predicted), interval
    return Claim(
        name=name,
        predicted=number,
        measured=measured,
        interval=interval,
        passed=low <= number <= high and high - low < 2 * accuracy * abs(number),
        detail=f"extrapolated to h = 0 from {len(values)} step sizes; {detail}",
    )


def extrapolated(values: Sequence[Any]) -> tuple[float, tuple[float, float]]:
    """The limit for h → 0 of a power series in h from its values at h, h/2, h/4, …, by Richardson's rule.

    The interval reaches as far to both sides as the limit moved by the last two values together, or by
    thirty-two units in the last place of a float where that is more.

    Examples
    --------
    >>> value, (low, high) = extrapolated([2 / (1 - h) for h in (0.01, 0.005, 0.0025, 0.00125)])
    >>> low < 2 < high, high - low < 1e-3
    (True, True)
    """
    if len(values) < 3:
        raise ValueError(f"a limit is extrapolated from three values or more, not from {len(values)}")
    limits, column = [], list(values)
    for j in range(1, len(values)):
        column = [(2**j * fine - coarse) / (2**j - 1) for coarse, fine in pairwise(column)]
        limits.append(float(column[-1]))
    value, earlier = limits[-1], [float(values[-1]), *limits][-3]
    half = max(abs(value - limits[-2]), abs(value - earlier), 32 * 2.0**-52 * abs(value))
    return value, (value - half, value + half)


def exact_claim(name: str, difference: Any, detail: str, vanishes: bool = True) -> Claim:
    """That an expression, or every entry of a matrix, is identically zero; or, for a control, is not."""
    entries = list(difference) if isinstance(difference, sympy.MatrixBase | list | tuple) else [difference]
    zero = all(_is_zero(sympy.sympify(entry)) for entry in entries)
    return Claim(
        name=name,
        predicted="difference 0" if vanishes else "a difference",
        measured="difference 0" if zero else "a difference",
        passed=zero is vanishes,
        detail=f"{detail}, exact",
    )


def _is_zero(expression: sympy.Expr) -> bool:
    """Whether an expression that is rational in symbols, derivatives and square roots vanishes identically.

    Every root is named, and in the numerator its square is replaced by what it is.
    """
    atoms = expression.atoms(sympy.Derivative, sympy.core.function.AppliedUndef)
    plain = expression.xreplace({atom: sympy.Dummy() for atom in atoms})
    roots: dict[sympy.Expr, sympy.Dummy] = {}

    def named(base: sympy.Expr, exponent: sympy.Rational) -> sympy.Expr:
        return roots.setdefault(sympy.cancel(base), sympy.Dummy()) ** (2 * exponent)

    rational = plain.replace(
        lambda e: e.is_Pow and e.exp.is_Rational and e.exp.q == 2, lambda e: named(e.base, e.exp)
    )
    others = rational.free_symbols.union(*(base.free_symbols for base in roots)) - set(roots.values())
    fractions = field([*roots.values(), *others], sympy.QQ, order="lex")[0] if roots or others else None
    if fractions is None:
        return bool(rational == 0)
    numerator = fractions.from_expr(rational).numer
    return not numerator.rem([fractions.ring.from_expr(root**2 - base) for base, root in roots.items()])
