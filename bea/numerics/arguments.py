"""What users pass to a flow, read and checked."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from numbers import Real

import numpy as np

from bea.numerics.tableau import ADAPTIVE_METHODS, FloatTableau, adaptive_tableau, float_tableau
from bea.schemes.runge_kutta import RungeKutta

__all__ = [
    "read_method",
    "read_positive",
    "read_rng",
    "read_span",
    "read_step_size",
    "read_times",
    "read_tolerances",
]

#: Beyond this many steps their times are no longer told apart.
MOST_STEPS = 2**53


def read_span(t_span: Sequence[float]) -> tuple[float, float]:
    """The start and the end of an integration, two different finite numbers or the same."""
    span = np.asarray(t_span)
    if span.dtype.kind not in "iuf" or span.shape != (2,) or not np.isfinite(span).all():
        raise ValueError(f"t_span must be a pair (t0, t1) of finite numbers, not {t_span!r}")
    return float(span[0]), float(span[1])


def read_positive(value: object, name: str) -> float:
    """A positive, finite number as a float."""
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < np.inf:
        raise ValueError(f"{name} must be a positive number, not {value!r}")
    return float(value)


def read_rng(rng: int | np.random.Generator | None) -> np.random.Generator:
    """The generator for a seed, a generator or None, as in NumPy."""
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"rng must be a seed (an integer, 0 or more), a numpy.random.Generator or None, not {rng!r}"
        ) from error


def read_tolerances(rtol: object, atol: object, d: int) -> tuple[float, np.ndarray]:
    """The relative tolerance, and the absolute one for each component."""
    relative, least = read_positive(rtol, "rtol"), 100 * np.finfo(float).eps
    if relative < least:
        warnings.warn(
            f"rtol = {relative:g} is below rounding; {least:.3g} is used", UserWarning, stacklevel=3
        )
    absolute = np.asarray(atol)
    if absolute.dtype.kind not in "iuf" or absolute.shape not in ((), (d,)):
        raise ValueError(f"atol must be a number or {d} numbers, not {atol!r}")
    if not ((absolute >= 0) & (absolute < np.inf)).all():
        raise ValueError(f"atol must be finite and not negative, not {atol!r}")
    return max(relative, float(least)), np.full(d, absolute, dtype=float)


def read_times(t_eval: object, t_start: float, t_end: float) -> np.ndarray:
    """The times at which a solution is wanted, within the span and in its order."""
    given = np.asarray(t_eval)
    if given.ndim != 1 or (given.size and given.dtype.kind not in "iuf"):
        raise ValueError("t_eval must be a sequence of numbers")
    times = given.astype(float)
    if not ((times >= min(t_start, t_end)) & (times <= max(t_start, t_end))).all():
        raise ValueError(f"t_eval must lie within t_span = ({t_start}, {t_end})")
    steps = np.diff(times)
    if not (steps > 0 if t_end >= t_start else steps < 0).all():
        raise ValueError("t_eval must be in the order of integration, from t0 to t1, without repetition")
    return times


def read_method(method: str | RungeKutta, adaptive: bool) -> FloatTableau:
    """The tableau of a method that is given by name or as a scheme."""
    if isinstance(method, str):
        if method not in ADAPTIVE_METHODS:
            raise ValueError(
                f"method must be one of {', '.join(ADAPTIVE_METHODS)} or a scheme, not {method!r}"
            )
        return adaptive_tableau(method)
    if not isinstance(method, RungeKutta):
        raise TypeError(f"method must be a name or a Runge–Kutta scheme, not {type(method).__name__}")
    if adaptive and (method.b_hat is None or method.order is None):
        raise ValueError(
            f"{method.name} has no embedded weights and order to adapt its steps by: pass step_size="
        )
    return float_tableau(method)


def read_step_size(step_size: float | None, interval: float) -> tuple[float, int]:
    """The signed step size and the number of steps; 0 and 0 where steps adapt."""
    if step_size is None:
        return 0.0, 0
    size = read_positive(step_size, "step_size")
    with np.errstate(over="ignore"):
        steps = max(1.0, np.ceil(np.float64(abs(interval)) / size * (1 - 1e-12)))
    if steps > MOST_STEPS:
        raise ValueError(f"step_size = {step_size!r} would take more steps over t_span than can be counted")
    return float(np.copysign(size, interval)), int(steps)
