"""Oracles in high-precision arithmetic (mpmath), which share nothing with the series of `bea.modified`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise

import sympy
from mpmath import mpf

Point = list[mpf]
Map = Callable[[Point], Point]

#: Enough digits for five differences of steps of length 1e-40.
DIGITS = 400


def number(value: Fraction | sympy.Rational | int) -> mpf:
    """An exact rational as a high-precision number."""
    return mpf(int(value.numerator)) / int(value.denominator)


def precise_field(components: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol]) -> Map:
    """A field as a function of high-precision numbers."""
    function = sympy.lambdify([list(variables)], list(components), "mpmath")
    return lambda x: list(function(x))


def explicit_step(A: Sequence[Sequence[Fraction]], b: Sequence[Fraction], field: Map, h: mpf) -> Map:
    """One step of an explicit Runge–Kutta method, straight from its definition."""

    def step(x: Point) -> Point:
        slopes: list[Point] = []
        for row in A:
            known = list(zip(row, slopes, strict=False))
            slopes.append(field([c + h * sum(number(a) * k[i] for a, k in known) for i, c in enumerate(x)]))
        weighted = list(zip(b, slopes, strict=True))
        return [c + h * sum(number(w) * k[i] for w, k in weighted) for i, c in enumerate(x)]

    return step


def field_from_iterates(step: Map, x: Point, h: mpf, differences: int) -> Point:
    """(1/h) Σ_j (−1)^{j+1}/j Δ^j x from the iterates of a map: the field up to O(h^differences)."""
    iterates = [x]
    for _ in range(differences):
        iterates.append(step(iterates[-1]))
    total = [mpf(0)] * len(x)
    for j in range(1, differences + 1):
        iterates = [
            [after - before for before, after in zip(p, q, strict=True)] for p, q in pairwise(iterates)
        ]
        total = [t + (-1) ** (j + 1) * mpf(1) / j * d for t, d in zip(total, iterates[0], strict=True)]
    return [t / h for t in total]
