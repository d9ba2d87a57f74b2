"""Early stopping against ridge regression in one eigenvector: factors of bias and variance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import arb, ctx

__all__ = [
    "PUBLISHED",
    "PUBLISHED_OPTIMAL",
    "best_factor",
    "bias_factor",
    "largest_best_factor",
    "largest_variance_factor",
    "variance_factor",
]

#: The constants as they were published, upper bounds. The least numbers that may stand there are computed.
PUBLISHED, PUBLISHED_OPTIMAL = 1.6862, 1.2147
#: Their digits are computed with so many bits.
BITS = 200


def variance_factor(x: Any, c: float = 1.0) -> Any:
    """The variance of the flow over that of ridge with λ = c/t, in an eigenvector with ts = x."""
    return (-np.expm1(-x) * (1 + c / x)) ** 2


def bias_factor(x: Any, c: float = 1.0) -> Any:
    """The squared bias of the flow over that of ridge with λ = c/t, in an eigenvector with ts = x."""
    return (np.exp(-x) * (1 + x / c)) ** 2


def best_factor(x: Any) -> Any:
    """With a random signal and t = r²n/(pσ²): the risk over that of ridge with the best λ = 1/t."""
    return (1 + x) * (np.exp(-2 * x) + np.expm1(-x) ** 2 / x)


def largest_variance_factor() -> arb:
    """Its maximum ((1 + x)²/(1 + x + x²))², where e^x = 1 + x + x², as a ball."""
    with ctx.workprec(BITS):
        x = _root(lambda x: x.exp() - 1 - x - x * x, 1.5, 2.0)
        return ((1 + x) ** 2 / (1 + x + x * x)) ** 2


def largest_best_factor() -> arb:
    """The maximum of the factor for the best t and the best λ, as a ball."""

    def slope(x: arb) -> arb:
        e = (-x).exp()
        risk = e * e + (1 - e) ** 2 / x
        return risk + (1 + x) * (2 * e * (1 - e) / x - 2 * e * e - ((1 - e) / x) ** 2)

    with ctx.workprec(BITS):
        x = _root(slope, 3.0, 3.5)
        e = (-x).exp()
        return (1 + x) * (e * e + (1 - e) ** 2 / x)


def _root(function: Callable[[arb], arb], low: float, high: float) -> arb:
    """A ball around the root between two numbers where the function has opposite signs, by bisection."""
    a, b = arb(low), arb(high)
    rises = bool(function(a) < 0)
    for _ in range(BITS // 2):
        middle = ((a + b) / 2).mid()
        a, b = (middle, b) if bool(function(middle) < 0) == rises else (a, middle)
    return a.union(b)
