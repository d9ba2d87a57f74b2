"""Flows on the zero-loss set."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.integrate

from bea.numerics.arguments import read_span, read_times, read_tolerances
from bea.numerics.ensemble_arguments import read_count
from bea.systems.evaluation import read_point
from bea.systems.vector_field import VectorField
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["ConstrainedFlow", "Field", "Point", "constrained_flow", "read_field", "read_start", "read_zeros"]

Point = Sequence[float] | np.ndarray

#: A field is given symbolically, or as a function of a point.
Field = VectorField | Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class ConstrainedFlow:
    """A solution of a differential equation on the zero-loss set, as `constrained_flow` returns it.

    Attributes
    ----------
    t : array of shape (K,)
    x : array of shape (K, d)
        The solution at these times.
    error : array of shape (K,)
        How far a solution with tolerances ten times as large is from it: a cautious estimate of the error.
    residual : float
        The largest distance of the solution from the zero-loss set, to first order.
    retraction : float
        The largest distance by which a step was taken back to the zero-loss set.
    steps : int
    success : bool
        Whether the end of the time span was reached.
    message : str
        What happened, in a sentence.
    """

    t: np.ndarray
    x: np.ndarray = field(repr=False)
    error: np.ndarray = field(repr=False)
    residual: float
    retraction: float
    steps: int
    success: bool
    message: str


def constrained_flow(
    vector_field: Field,
    zero_loss_set: ZeroLossSet,
    x0: Point,
    t_span: Sequence[float],
    parameters: Mapping[Any, object] | None = None,
    *,
    t_eval: Sequence[float] | np.ndarray | None = None,
    rtol: float = 1e-9,
    atol: float = 1e-11,
    max_steps: int = 100_000,
) -> ConstrainedFlow:
    r"""The flow dW/dt = P(W) f(W) on a zero-loss set Γ, P the orthogonal projection onto its tangent space.

    Parameters
    ----------
    vector_field : VectorField, or callable from (d,) to (d,)
        f, of which only the tangential part counts.
    zero_loss_set : ZeroLossSet
    x0 : array_like of shape (d,)
        A point of Γ; `bea.project` finds the nearest one.
    t_span : pair of float
    parameters : mapping from name to number, optional
        Values for parameters of the field, which replace those that it has.
    t_eval : array_like, optional
        The times at which the solution is wanted, by default those of the steps.
    rtol, atol : float, optional
        Tolerances of each step, as in SciPy.
    max_steps : int, optional

    Returns
    -------
    ConstrainedFlow

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, x₀ is no point of Γ, or Γ is singular where the flow arrives.

    Warns
    -----
    RuntimeWarning
        If the end of the time span is not reached.

    Notes
    -----
    Each step of the method of Dormand and Prince of order 8 is followed by Gauss–Newton steps back to Γ. Such
    a projection method keeps the order [1]_, Theorem IV.4.2. The run is made twice, the first time with
    tolerances ten times as large, to estimate the error.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner, Geometric Numerical Integration, 2nd ed., Springer, 2006,
           Section IV.4.

    Examples
    --------
    On the circle the gradient flow of the height −y turns to the top, with y = tanh t:

    >>> import bea, math
    >>> circle = bea.ZeroLossSet(["x**2 + y**2 - 1"], variables="x y")
    >>> flow = bea.constrained_flow(bea.VectorField([0, 1], variables="x y"), circle, [1.0, 0.0], (0.0, 2.0))
    >>> math.isclose(flow.x[-1, 1], math.tanh(2), rel_tol=1e-9), flow.residual < 1e-14
    (True, True)
    """
    zeros = read_zeros(zero_loss_set)
    d = len(zeros.variables)
    f = _pointwise(vector_field, zeros, parameters)
    start = read_start(zeros, x0)
    t0, t1 = read_span(t_span)
    relative, absolute = read_tolerances(rtol, atol, d)
    if ((absolute == 0) & (start == 0)).any():
        raise ValueError("atol must be positive where x0 is 0, since nothing is small relative to 0")
    times = None if t_eval is None else read_times(t_eval, t0, t1)
    most = read_count(max_steps, "max_steps", 1)

    def tangential(t: float, x: np.ndarray) -> np.ndarray:
        return zeros.tangent_projection(x) @ f(x)

    fine = _integrate(tangential, zeros, start, (t0, t1), relative, absolute, times, most)
    coarse = _integrate(tangential, zeros, start, (t0, t1), 10 * relative, 10 * absolute, fine.t, most)
    shared = min(len(fine.t), len(coarse.t))
    error = np.full(len(fine.t), np.inf)
    error[:shared] = np.linalg.norm(fine.x[:shared] - coarse.x[:shared], axis=1)
    if not fine.success:
        warnings.warn(fine.message, RuntimeWarning, stacklevel=2)
    residual = max((_distance(zeros, x) for x in fine.x), default=0.0)
    return ConstrainedFlow(
        fine.t, fine.x, error, residual, fine.retraction, fine.steps, fine.success, fine.message
    )


@dataclass
class _Solution:
    t: np.ndarray
    x: np.ndarray
    retraction: float
    steps: int
    success: bool
    message: str


def _integrate(
    f: Callable[[float, np.ndarray], np.ndarray],
    zeros: ZeroLossSet,
    start: np.ndarray,
    span: tuple[float, float],
    rtol: float,
    atol: np.ndarray,
    t_eval: np.ndarray | None,
    max_steps: int,
) -> _Solution:
    """Steps of DOP853, each followed by a retraction."""
    t0, t1 = span
    times = [t0] if t_eval is None or t0 in t_eval else []
    states, retraction, steps = [start] * len(times), 0.0, 0
    solver = scipy.integrate.DOP853(f, t0, start, t1, rtol=rtol, atol=atol)
    message = ""
    while solver.status == "running" and steps < max_steps and not message:
        message = solver.step() or ""
        if not message:
            steps += 1
            passed = _passed(t_eval, solver.t_old, solver.t)
            states += [zeros.retract(x) for x in _interpolated(solver, passed)]
            times += passed
            moved = zeros.retract(solver.y)
            retraction = max(retraction, float(np.linalg.norm(moved - solver.y)))
            solver.y, solver.f = moved, f(solver.t, moved)
    success = solver.t == t1 and not message
    if success:
        message = f"reached t = {t1:g} in {steps} steps"
    else:
        reason = message or f"{max_steps} steps were made"
        message = f"the end was not reached: {reason} at t = {solver.t:g}"
    x = np.array(states).reshape(len(times), len(start))
    return _Solution(np.array(times), x, retraction, steps, success, message)


def _interpolated(solver: scipy.integrate.DOP853, times: list[float]) -> list[np.ndarray]:
    """The states at times of the last step, before it is taken back to the zero-loss set."""
    if times == [solver.t]:
        return [solver.y]
    if not times:
        return []
    interpolant = solver.dense_output()
    return [interpolant(t) for t in times]


def _passed(t_eval: np.ndarray | None, before: float, now: float) -> list[float]:
    """The times of interest in a step, its end included."""
    if t_eval is None:
        return [now]
    inside = (t_eval > before) & (t_eval <= now) if now > before else (t_eval < before) & (t_eval >= now)
    return t_eval[inside].tolist()


def read_zeros(zero_loss_set: object) -> ZeroLossSet:
    """The zero-loss set, or a sentence that says that it is none."""
    if not isinstance(zero_loss_set, ZeroLossSet):
        raise TypeError(f"zero_loss_set must be a ZeroLossSet, not {type(zero_loss_set).__name__}")
    return zero_loss_set


def read_start(zeros: ZeroLossSet, x0: Point) -> np.ndarray:
    """A point of Γ, or a sentence that says that it is none, or that Γ is singular there."""
    start = read_point(x0, len(zeros.variables), "x0")
    if not zeros.contains(start):
        raise ValueError(
            f"x0 must lie on the zero-loss set, and {start.tolist()} does not: "
            "bea.project finds the nearest point"
        )
    zeros.tangent_basis(start)
    return zeros.retract(start)


def _distance(zeros: ZeroLossSet, x: np.ndarray) -> float:
    """The distance from the zero-loss set, to first order."""
    return float(np.linalg.norm(np.linalg.lstsq(zeros.jacobian(x), zeros.residual(x), rcond=1e-8)[0]))


def _pointwise(
    f: Field, zeros: ZeroLossSet, parameters: Mapping[Any, object] | None
) -> Callable[[np.ndarray], np.ndarray]:
    """A field as a function of one point, whose values are checked."""
    if isinstance(f, VectorField):
        own, p = read_field(f, zeros), f.parameter_values(parameters)
        values = {s.name: float(v) for s, v in zip(own.parameter_symbols, p, strict=False)}
        return lambda x: own(x, values)
    if not callable(f):
        raise TypeError(f"a field is a VectorField or a function, not {type(f).__name__}")
    if parameters:
        raise ValueError("parameters are for a VectorField; a function has its own")
    return lambda x: read_point(f(x), len(zeros.variables), "the value of the field")


def read_field(f: VectorField, zeros: ZeroLossSet) -> VectorField:
    """The field, or a sentence that says that its variables are others than those of Γ."""
    if f.variables != zeros.variables:
        raise ValueError(
            f"the field must have the variables of the zero-loss set, {' '.join(map(str, zeros.variables))}, "
            f"not {' '.join(map(str, f.variables))}"
        )
    return f
