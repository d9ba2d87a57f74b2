"""The measured order of agreement between the iterates of a scheme and the flow of its modified field."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal, Protocol, cast

import numpy as np
from flint import arb

from bea.modified import modified_equation
from bea.modified.slow_manifold import memory_response
from bea.numerics.balls import exact_value, magnitude
from bea.schemes.parametric import values_of
from bea.schemes.scheme import Scheme
from bea.systems.system import System, as_field
from bea.systems.vector_field import VectorField
from bea.theorems.comparison import CLEARANCE, DOUBLE_BITS, Comparison
from bea.theorems.fit import fit_order, read_step_sizes

__all__ = ["Slope", "slope"]

#: Default step sizes: how many, and the factor from the smallest to the largest.
COUNT, SPAN = 8, 12.0
#: How many steps the largest default step size makes at least to a fixed time.
FEWEST_STEPS = 4
#: How many steps the smallest default step size makes at most, in double and in arbitrary precision.
MOST_STEPS, MOST_PRECISE_STEPS = 2**20, 2**13
#: Errors at successive halves of a step size follow a power of it if two exponents are as near an integer.
STEADY = 0.3
#: A measured order agrees with the predicted one only if it is as near as this.
NEAR = 0.05


class HasField(Protocol):
    """What `slope` needs of a modified equation."""

    def field(self, order: int) -> VectorField:
        """The field truncated after h**order."""


@dataclass(frozen=True)
class Slope:
    """A measured order of agreement, as `slope` returns it, and what is needed to measure it again.

    Attributes
    ----------
    value : float
        The exponent p in error ≈ C h^p (1 + O(h)).
    interval : tuple of two floats
        Its confidence interval (see `bea.theorems.fit.fit_order`).
    predicted : int
        The order that the theory says.
    step_sizes : array of shape (n,)
    errors : array of shape (n,)
        Euclidean distances. Where they are below the range of floats they read 0 here, but not in the fit.
    order, kind, bits, confidence, time
        The arguments of `slope`; `time` is None for a local slope.
    system, scheme, x0, parameters
        The arguments of `slope`.
    """

    value: float
    interval: tuple[float, float]
    predicted: int
    step_sizes: np.ndarray = field(repr=False, compare=False)
    errors: np.ndarray = field(repr=False, compare=False)
    order: int
    kind: str
    bits: int
    confidence: float
    time: float | None
    system: System
    scheme: Scheme
    x0: tuple[object, ...]
    parameters: dict[object, object]

    @property
    def agrees(self) -> bool:
        """Whether the interval holds the predicted integer and not its neighbours, and the value is near."""
        low, high = self.interval
        p = self.predicted
        return p - 1 < low <= p <= high < p + 1 and abs(self.value - p) < NEAR

    @property
    def message(self) -> str:
        """The outcome in one sentence."""
        low, high = self.interval
        outcome = "not as predicted"
        if self.agrees:
            outcome = "as predicted"
        elif low <= self.predicted <= high:
            outcome = "too uncertain to tell: pass smaller step_sizes (and more bits if rounding shows there)"
        return (
            f"the {self.kind} error of {self.scheme!r} against its modified field through h^{self.order} "
            f"has order {self.value:.4f} [{low:.4f}, {high:.4f}]; {self.predicted} was predicted: {outcome}"
        )

    def __repr__(self) -> str:
        low, high = self.interval
        return (
            f"Slope({self.value:.4f} [{low:.4f}, {high:.4f}], predicted {self.predicted}, "
            f"{self.kind}, order={self.order}, bits={self.bits})"
        )


def slope(
    system: System,
    scheme: Scheme,
    x0: Sequence[Any],
    order: int = 0,
    step_sizes: Sequence[float] | None = None,
    bits: int = DOUBLE_BITS,
    *,
    kind: Literal["local", "global"] = "local",
    time: float = 1.0,
    parameters: Mapping[Any, Any] | None = None,
    confidence: float = 0.95,
    equation: HasField | None = None,
) -> Slope:
    r"""Measure how well the modified equation truncated after h^order describes the iterates of a scheme.

    The distance between the iterate x_n and the flow of f + h f₁ + … + h^order f_order at time nh is measured
    for several step sizes, after one step (``kind="local"``) or at a fixed time (``kind="global"``). If the
    next nonzero term is that of h^q, its order is q + 1 after one step and q at a fixed time [1]_; in general
    q = order + 1. Where that term vanishes at `x0`, the order after one step is higher.

    Parameters
    ----------
    system : VectorField (also a SplitField), Loss (also a LossSum) or Game
    scheme : Scheme
        One with a memory starts with what it would remember at `x0` in the long run. Of one that draws its
        passes at random the mean over all orders is measured, after one step.
    x0 : sequence of d numbers
        The start. In arbitrary precision a float is the decimal number that it spells.
    order : int, default 0
        The highest power of h that is kept; 0 is the system's own flow.
    step_sizes : sequence of n ≥ 5 positive numbers, optional
        They must span a decade. For a global slope each is replaced by the nearest ``time / n``. By default
        eight, chosen by the Taylor series of the solution from `x0` and by trials. For a global slope they
        are halved until the error follows a power of them, or would take 2^20 steps (2^13 in arbitrary
        precision).
    bits : int, default 53
        The precision: 53 for compiled double precision, more for arbitrary precision.
    kind : {"local", "global"}
    time : number, default 1.0
        The time at which a global error is taken.
    parameters : mapping from name to number, optional
        Values for parameters of the system.
    confidence : float, default 0.95
    equation : optional
        Whose ``field(order)`` to compare with, in place of the scheme's own modified equation, so that
        q = order + 1 is predicted. Controls use it.

    Returns
    -------
    Slope

    Raises
    ------
    ValueError
        If an argument is not as described, the iterates or the flow diverge, or errors are so small that
        rounding shows (ask for more `bits`) or exactly zero.
    TypeError
        If an argument is of another kind.

    Notes
    -----
    If the kept terms are right, q is at least order + 1, and at least the order that the scheme declares.
    Whether it is more, as for symmetric schemes, or the term vanishes at `x0`, is read off the error of one
    step that is too small for anything but its leading power to show. A wrong term can only lower that power,
    so that it is not taken for a prediction.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Section IX.1.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("(0.6 - a*b)**2 / 2", variables="a b")
    >>> bea.slope(loss, bea.GradientDescent(), [2.8, 3.5], order=3, bits=200).agrees
    True
    """
    order = _integer(order, "order", least=0)
    bits = _integer(bits, "bits", least=DOUBLE_BITS)
    if kind not in ("local", "global"):
        raise ValueError(f"kind must be 'local' or 'global', not {kind!r}")
    if not isinstance(parameters, Mapping | None):
        raise TypeError(f"parameters must be a mapping from names to numbers, not {parameters!r}")
    end = exact_value(time) if kind == "global" else None
    if end is not None and not end > 0:
        raise ValueError(f"time must be positive, not {time}")
    if end is not None and hasattr(scheme, "draw"):
        raise ValueError(
            f"{scheme.name} draws its passes at random, and the mean of many steps is not many mean steps: "
            "measure its error after one step, kind='local'"
        )
    parameters, constants = values_of(scheme, parameters, as_field(system))
    if constants:
        scheme = cast(Any, scheme).with_parameters(**constants)
    target, power = _target(system, scheme, order, equation)
    follows: dict[str, Any] = {}
    if scheme.has_memory:
        own = modified_equation(system, scheme, power)
        follows = {"memory": own.memory, "leading": own.field(0), "delay": _delay(system, scheme)}
    comparison = Comparison(system, scheme, target, tuple(x0), dict(parameters or {}), bits, end, **follows)
    predicted = power + 1 if kind == "local" else power
    if equation is None:
        predicted = _predict(comparison, power)

    if step_sizes is None:
        wanted = _default_step_sizes(comparison, order, predicted)
    else:
        wanted = read_step_sizes(step_sizes)
    h, errors = zip(*(comparison.distance(size) for size in wanted), strict=True)
    _require_above_rounding(comparison, h, errors, predicted)
    fit = fit_order(h, errors, confidence, accuracy=2.0**-CLEARANCE)
    return Slope(
        value=fit.value,
        interval=fit.interval,
        predicted=predicted,
        step_sizes=np.array(h),
        errors=np.array([float(error) for error in errors]),
        order=order,
        kind=kind,
        bits=bits,
        confidence=confidence,
        time=None if end is None else float(end),
        system=system,
        scheme=scheme,
        x0=comparison.x0,
        parameters=comparison.parameters,
    )


def _delay(system: System, scheme: Scheme) -> float:
    """For how many steps the memory lasts, 1/(1 − β) for the heavy ball: the largest entry of (I − B)⁻¹."""
    parts = len(as_field(system).parts)
    response = memory_response(scheme, len(system.variables), parts)
    return max(1.0, *(abs(float(c)) for row in response for _, c in row))


def _integer(value: Any, name: str, least: int) -> int:
    """An integer of any kind as an int."""
    number = None if isinstance(value, bool) or not hasattr(value, "__index__") else operator.index(value)
    if number is None or number < least:
        raise ValueError(f"{name} must be an integer, {least} or more, not {value!r}")
    return number


def _target(system: System, scheme: Scheme, order: int, equation: HasField | None) -> tuple[VectorField, int]:
    """The field truncated after h^order, and the least power of h that the next nonzero term may have.

    A scheme of order p lacks the powers 1 … p − 1.
    """
    if equation is not None:
        return equation.field(order), order + 1
    declared = getattr(scheme, "order", None) or 1
    kept = order if order >= declared else 0
    return modified_equation(system, scheme, kept).field(), max(order + 1, declared)


def _predict(comparison: Comparison, power: int) -> int:
    """The order of the error if h^power is the least power that the next nonzero term may have.

    It is sought in arbitrary precision; a field that has no counterpart there is taken to be generic.
    """
    try:
        if comparison.end is None:
            return comparison.leading_power(power + 1)
        return comparison.moved().leading_power(power + 1) - 1
    except ValueError:
        return power + 1 if comparison.end is None else power


def _default_step_sizes(comparison: Comparison, order: int, predicted: int) -> np.ndarray:
    """Step sizes well below the time scale of the solution, with errors well above rounding.

    For the second, errors are first taken to be (h · rate)^predicted; a trial then moves the step sizes up if
    they are smaller. Local errors cost the same at any step size, so they are measured between the bounds.
    """
    smooth = (0.02 if comparison.end is None else 0.1) / (order + 1)
    coarse = SPAN * 2 ** (-0.7 * comparison.bits / predicted)
    if comparison.end is None:
        smooth = max(math.sqrt(smooth * coarse), smooth / 100)
    trial = max(smooth, coarse) / comparison.rate()
    if comparison.end is None:
        largest = _above_rounding(comparison, *comparison.distance(trial), predicted)
    else:
        largest = _steady(comparison, trial, predicted, float(comparison.end))
    return np.array([float(f"{h:.3g}") for h in np.geomspace(largest / SPAN, largest, COUNT)])


def _above_rounding(comparison: Comparison, used: float, error: Any, predicted: int) -> float:
    """The step size, moved up if at the smallest one, SPAN times smaller, rounding may show."""
    rounding = comparison.rounding(used / SPAN)
    smallest = max(magnitude([arb(error)]), rounding - CLEARANCE) - predicted * math.log2(SPAN)
    growth = comparison.rounding(2 * used) - comparison.rounding(used)
    return used * max(1.0, 2 ** ((rounding + 2 - smallest) / (predicted - growth)))


def _steady(comparison: Comparison, trial: float, predicted: int, time: float) -> float:
    """A step size for a fixed time that is halved until errors at it and below follow a power of it.

    Halving ends, too, where rounding is near or the steps become too many.
    """
    most = MOST_STEPS if comparison.bits == DOUBLE_BITS else MOST_PRECISE_STEPS

    def attempt(h: float) -> tuple[float, Any]:
        try:
            return comparison.distance(h)
        except ValueError:
            return h, math.inf

    def lifted(h: float, error: Any) -> float:
        return h if error == math.inf else _above_rounding(comparison, h, error, predicted)

    h = min(lifted(*attempt(trial)), time / FEWEST_STEPS)
    points = [attempt(h / 2**k) for k in range(3)]
    while not _follow_a_power(points) and time * SPAN <= most * h / 2 and lifted(*points[1]) == points[1][0]:
        h /= 2
        points = [*points[1:], attempt(h / 4)]
    return h


def _follow_a_power(points: Sequence[tuple[float, Any]]) -> bool:
    """Whether successive points (h, error) have exponents near one and the same positive integer."""
    if any(error == 0 or error == math.inf for _, error in points):
        return False
    exponents = [
        float((arb(error) / arb(finer_error)).log()) / math.log(h / finer)
        for (h, error), (finer, finer_error) in pairwise(points)
    ]
    integer = round(exponents[-1])
    return integer > 0 and all(abs(exponent - integer) < STEADY for exponent in exponents)


def _require_above_rounding(
    comparison: Comparison, h: Sequence[float], errors: Sequence[Any], predicted: int
) -> None:
    """Refuse errors in which rounding may show, and name a precision that would do."""
    bits = comparison.bits
    rounding = [comparison.rounding(size) for size in h]
    clear = [magnitude([arb(error)]) - limit for error, limit in zip(errors, rounding, strict=True)]
    if max(clear) < 0:
        raise ValueError(
            "the iterates and the flow agree to rounding error at every step size, so there is no order to "
            f"measure: the truncated field is exact here, or the step sizes are too small for {bits} bits"
        )
    if min(clear) < 0:
        largest = int(np.argmax(h))
        smallest = clear[largest] - predicted * math.log2(max(h) / min(h))
        needed = bits + math.ceil(max(-smallest, 0)) + CLEARANCE
        raise ValueError(
            f"at h = {h[int(np.argmin(clear))]:.3g} the error is at the level of rounding in {bits} bits: "
            f"pass bits={needed} or larger step sizes"
        )
