"""What a scheme with memory follows once it has forgotten its start, observed from its iterates alone."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
from precise_steps import precise_field

from bea import arbitrary, observed_field

#: A memory that began apart from x counts as forgotten when it is smaller than this.
FORGOTTEN = Fraction(1, 10**60)
BITS = 420
DIGITS = 120
#: Differences taken for the observed field, whose error is of this order in h.
DIFFERENCES = 9
#: So small that x hardly moves while the memory settles: the leading power of h is seen to four digits.
STEP_SIZES = (Fraction(1, 10**8), Fraction(1, 2 * 10**8))


def settled_steps(rate: Fraction) -> int:
    """After how many steps a memory that contracts at `rate` has forgotten its start."""
    steps, rest = 0, Fraction(1)
    while rest > FORGOTTEN:
        steps, rest = steps + 16, rest * rate**16
    return steps


def settled_field(
    system: Any, scheme: Any, x0: Sequence[Any], h: Fraction, rate: Fraction, duration: int
) -> tuple[np.ndarray, np.ndarray]:
    """A point that the scheme comes to, and the field that its further iterates show there."""
    before = settled_steps(rate)
    balls = arbitrary.iterate(system, scheme, x0, h, before + DIFFERENCES, bits=BITS)[before:]
    path = [np.array([mpmath.mpf(v.str(DIGITS, radius=False)) for v in x]) for x in balls]
    later = iter(path[1:])
    return path[0], observed_field(lambda x: next(later), path[0], h * duration, DIFFERENCES)


def gap_orders(
    equation: Any,
    x0: Sequence[Any],
    rate: Fraction = Fraction(1, 2),
    duration: int = 1,
    scheme: Any = None,
) -> list[float]:
    """The powers of h by which the equation, truncated after h^0, h^1, …, differs from the observed field.

    Parameters
    ----------
    equation : ModifiedEquation
    x0 : sequence of d numbers
        Where the iterates begin.
    rate : Fraction
        At least as large as the eigenvalues by which the memory contracts.
    duration : int
        The step sizes of time in one step.
    scheme : Scheme, optional
        Another scheme to observe than that of the equation, for a control.
    """
    system, scheme = equation.system, scheme or equation.scheme
    with mpmath.workdps(DIGITS):
        seen = [settled_field(system, scheme, x0, h, rate, duration) for h in STEP_SIZES]
        terms = [precise_field(list(term), system.variables) for term in equation.terms]
        differences = [_gaps(terms, h, *pair) for h, pair in zip(STEP_SIZES, seen, strict=True)]
        return [float(mpmath.log(coarse / fine, 2)) for coarse, fine in zip(*differences, strict=True)]


def _gaps(terms: list[Any], h: Fraction, x: np.ndarray, field: np.ndarray) -> list[Any]:
    """The largest components of Σ_k h^k f_k(x) − field for every truncation."""
    size = mpmath.mpf(h.numerator) / h.denominator
    missing = list(-field)
    gaps = []
    for k, term in enumerate(terms):
        missing = [m + size**k * t for m, t in zip(missing, term(list(x)), strict=True)]
        gaps.append(max(map(abs, missing)))
    return gaps
