"""The measured order of agreement between the iterates of a scheme and the flow of its modified field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
from flint import arb

from bea.modified import modified_equation
from bea.numerics.balls import exact_value, magnitude
from bea.schemes.scheme import Scheme
from bea.systems import Loss, VectorField
from bea.theorems.comparison import CLEARANCE, DOUBLE_BITS, Comparison
from bea.theorems.fit import fit_order, read_step_sizes

__all__ = ["Slope", "slope"]

#: Default step sizes: how many, and the factor from the smallest to the largest.
COUNT, SPAN = 8, 12.0
#: How many steps the largest default step size makes at least to a fixed time.
FEWEST_STEPS = 4
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
    system: VectorField | Loss
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
            outcome = "too uncertain to tell; more bits may help"
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
    system: VectorField | Loss,
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
    q = order + 1.

    Parameters
    ----------
    system : VectorField or Loss
    scheme : Scheme
    x0 : sequence of d numbers
        The start. In arbitrary precision a float is the decimal number that it spells.
    order : int, default 0
        The highest power of h that is kept; 0 is the system's own flow.
    step_sizes : sequence of n ≥ 5 positive numbers, optional
        They must span a decade. For a global slope each is replaced by the nearest ``time / n``. By default
        eight, chosen by the Taylor series of the solution from `x0` and a trial.
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
    _check_arguments(order, bits, kind)
    end = exact_value(time) if kind == "global" else None
    if end is not None and not end > 0:
        raise ValueError(f"time must be positive, not {time}")
    power = order + 1
    if equation is None:
        equation, power = _derive(system, scheme, order)
    predicted = power + 1 if kind == "local" else power
    target = equation.field(order)
    comparison = Comparison(system, scheme, target, tuple(x0), dict(parameters or {}), bits, end)

    if step_sizes is None:
        wanted = _default_step_sizes(comparison, order, predicted)
    else:
        wanted = read_step_sizes(step_sizes)
    h, errors = zip(*(comparison.distance(size) for size in wanted), strict=True)
    _require_above_rounding(comparison, h, errors, predicted)
    fit = fit_order(h, errors, confidence)
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


def _check_arguments(order: int, bits: int, kind: str) -> None:
    if isinstance(order, bool) or not isinstance(order, int) or order < 0:
        raise ValueError(f"order must be an integer, 0 or more, not {order!r}")
    if isinstance(bits, bool) or not isinstance(bits, int) or bits < DOUBLE_BITS:
        raise ValueError(f"bits must be an integer, {DOUBLE_BITS} or more, not {bits!r}")
    if kind not in ("local", "global"):
        raise ValueError(f"kind must be 'local' or 'global', not {kind!r}")


def _derive(system: VectorField | Loss, scheme: Scheme, order: int) -> tuple[HasField, int]:
    """The modified equation, and the power of h in its first nonzero term beyond h^order.

    A scheme of order p lacks the powers 1 … p − 1, and a symmetric one all odd powers.
    """
    for beyond in (1, 2, 4, 8):
        equation = modified_equation(system, scheme, order + beyond)
        for power in range(order + 1, order + beyond + 1):
            if any(component != 0 for component in equation.terms[power]):
                return equation, power
    return equation, order + 1


def _default_step_sizes(comparison: Comparison, order: int, predicted: int) -> np.ndarray:
    """Step sizes well below the time scale of the solution, with errors well above rounding.

    For the second, errors are first taken to be (h · rate)^predicted; a trial then moves the step sizes up if
    they are smaller. Local errors cost the same at any step size, so they are measured between the bounds.
    """
    smooth = (0.02 if comparison.end is None else 0.1) / (order + 1)
    coarse = SPAN * 2 ** (-0.7 * comparison.bits / predicted)
    if comparison.end is None:
        smooth = max(math.sqrt(smooth * coarse), smooth / 100)
    used, error = comparison.distance(max(smooth, coarse) / comparison.rate())

    rounding = comparison.rounding()
    smallest = max(magnitude([arb(error)]), rounding - CLEARANCE) - predicted * math.log2(SPAN)
    largest = used * max(1.0, 2 ** ((rounding + 2 - smallest) / predicted))
    if comparison.end is not None:
        largest = min(largest, float(comparison.end) / FEWEST_STEPS)
    return np.array([float(f"{h:.3g}") for h in np.geomspace(largest / SPAN, largest, COUNT)])


def _require_above_rounding(
    comparison: Comparison, h: Sequence[float], errors: Sequence[Any], predicted: int
) -> None:
    """Refuse errors in which rounding may show, and name a precision that would do."""
    bits, rounding = comparison.bits, comparison.rounding()
    sizes = [magnitude([arb(error)]) for error in errors]
    if max(sizes) < rounding:
        raise ValueError(
            "the iterates and the flow agree to rounding error at every step size, so there is no order to "
            f"measure: the truncated field is exact here, or the step sizes are too small for {bits} bits"
        )
    if min(sizes) < rounding:
        smallest = sizes[int(np.argmax(h))] - predicted * math.log2(max(h) / min(h))
        needed = bits + math.ceil(max(rounding - smallest, 0)) + CLEARANCE
        raise ValueError(
            f"at h = {h[int(np.argmin(sizes))]:.3g} the error is at the level of rounding in {bits} bits: "
            f"pass bits={needed} or larger step sizes"
        )
