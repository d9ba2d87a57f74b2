"""One step of the Taylor series method: how many terms, how far, and whether that was right."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from math import inf

from flint import arb

from bea.numerics.balls import magnitude, require_accurate
from bea.numerics.taylor import TaylorMachine

__all__ = ["taylor_step"]

#: How often a step is halved at most before its series is given up.
HALVINGS = 32


def taylor_step(
    series: TaylorMachine, check: TaylorMachine, x: list[arb], remaining: arb, bits: int
) -> tuple[list[arb], arb]:
    """The solution of ẋ = f(x) after a step from `x`, and the length of the step: `remaining`, or less.

    The reach of a term is the base-2 logarithm of the step at whose end it is negligible beside x or, where x
    is zero, beside the way that f would go in the whole time. Terms are added until the last two reach the
    end, or there are 0.35 `bits` of them, which is near the optimum [1]_; the step is then as long as the
    last quarter of them reaches. Since zeros among the coefficients can deceive such a test, the series must
    also satisfy the differential equation where the step ends. Rounding in f must be negligible over the
    whole remaining time.

    Parameters
    ----------
    series, check : TaylorMachine
        Two machines of the same field, one to extend the series and one to evaluate f.
    x : list of d arb
    remaining : arb
    bits : int
        The precision, relative to the largest component.

    Returns
    -------
    x : list of d arb
    length : arb
        An exact number.

    Raises
    ------
    ValueError
        If f is not smooth at `x`.

    References
    ----------
    .. [1] À. Jorba and M. Zou (2005), "A software package for the numerical integration of ODEs by means of
       high-order Taylor methods", Experimental Mathematics 14, 99–117.
    """
    most = 7 * bits // 20 + 4
    whole = magnitude([remaining])
    scale = magnitude(x)
    terms: list[list[arb]] = []
    reaches: list[float] = []
    for k, term in enumerate(islice(series.solution(x), most)):
        size = magnitude(term)
        if size == inf:
            raise ValueError(f"the field is not smooth at x = {[float(value) for value in x]}")
        if k == 1:
            scale = scale if scale > -inf else size + whole
            require_accurate(term, scale - whole, bits)
        terms.append(term)
        reaches.append((scale - bits - size) / k if k > 0 and size > -inf else inf)
        if k > 1 and min(reaches[-2:]) >= whole:
            end = _sum_if_solution(check, terms, remaining, bits)
            if end is not None:
                return end, remaining

    decisive = min(range(most - most // 4, most), key=reaches.__getitem__)
    length = (remaining * arb(2) ** min(reaches[decisive] - whole, 0)).mid()
    for _ in range(HALVINGS):
        end = _sum_if_solution(check, terms, length, bits)
        if end is not None:
            return end, length
        length /= 2
    raise ValueError(f"the field is not smooth near x = {[float(value) for value in x]}")


def _sum_if_solution(check: TaylorMachine, terms: Sequence[list[arb]], t: arb, bits: int) -> list[arb] | None:
    """The sum of the series at `t`, or None if it does not satisfy the differential equation there."""
    derivative = [[k * value for value in term] for k, term in enumerate(terms)][1:]
    x, slope = _horner(terms, t), _horner(derivative, t)
    size = max(magnitude(x), magnitude(terms[0]))
    require_accurate(x, size, bits)
    x = [value.mid() for value in x]
    defect = [t * (a - b) for a, b in zip(slope, check.value(x), strict=True)]
    if magnitude(defect) == inf:
        return None
    allowed = bits - len(terms).bit_length()
    require_accurate(defect, size, allowed)
    return x if magnitude([value.mid() for value in defect]) <= size - allowed else None


def _horner(terms: Sequence[list[arb]], t: arb) -> list[arb]:
    """Σ_k terms[k] t^k."""
    total = list(terms[-1])
    for term in reversed(terms[:-1]):
        total = [a * t + b for a, b in zip(total, term, strict=True)]
    return total
