"""Solutions of the principal flow, in complex variables."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.integrate import DOP853

from bea.modified.principal import PrincipalFlow
from bea.numerics.arguments import read_positive, read_span, read_times
from bea.numerics.flows import OdeResult
from bea.systems.loss import Loss

__all__ = ["principal_path"]

#: A solution beyond this size has diverged.
LARGEST = 1e100
#: Steps shorter than this part of the time span are taken for a jump of the logarithm.
SHORTEST = 1e-6
#: The status of a solution that was left: reached its end, diverged, or needed too many or too short steps.
REACHED, TOO_SHORT, DIVERGED, TOO_MANY = 0, -1, -2, -3


def principal_path(
    loss: Loss,
    x0: Sequence[complex] | np.ndarray,
    h: float,
    t_span: Sequence[float],
    parameters: Mapping[Any, object] | None = None,
    *,
    t_eval: Sequence[float] | np.ndarray | None = None,
    rtol: float = 1e-10,
    atol: float = 1e-12,
    max_steps: int = 10_000,
) -> OdeResult:
    """Follow the principal flow of gradient descent with step size h, in complex variables.

    Parameters
    ----------
    loss : Loss
        Its gradient and Hessian are continued to complex points.
    x0 : array_like of shape (d,)
    h : float
        The step size of descent: its iterate n is compared with the solution at the time nh.
    t_span : pair of floats
        The first and the last time.
    parameters : mapping from name to number, optional
    t_eval : array_like of shape (n,), optional
        Times at which the solution is wanted, in the order of integration; by default those of the steps.
    rtol, atol : float
        Each step's estimated error is kept below ``atol + rtol |x|``.
    max_steps : int

    Returns
    -------
    OdeResult
        As from `bea.flow`, with complex ``y`` of shape (d, n). If the end is not reached, what was computed
        until then, with ``success`` false and the reason in ``message``.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or the solution meets a point where hλ = 1 for an eigenvalue λ of
        the Hessian.

    Warns
    -----
    RuntimeWarning
        If the solution exceeds 1e100, or steps become too short or too many.

    Notes
    -----
    On quadratic losses the solution passes through all iterates, also where they oscillate (1 < hλ < 2) or
    diverge (hλ > 2). On others it misses one step by O(h³). It stays real while hλ < 1 for all eigenvalues λ.
    Beyond, the principal branch of log(I − hH) jumps where an eigenvalue of I − hH crosses the negative axis,
    and the solution may end there: only on quadratic losses does the flow say anything for all times.

    References
    ----------
    .. [1] M. Rosca, Y. Wu, C. Qin and B. Dherin (2023), On a continuous time model of gradient descent
           dynamics and instability in deep learning, Transactions on Machine Learning Research.

    Examples
    --------
    Descent on x²/2 with the step size 3/2 multiplies x by −1/2 in every step.

    >>> import bea
    >>> loss = bea.Loss("x**2/2", variables="x")
    >>> bea.principal_path(loss, [1.0], 1.5, (0, 4.5), t_eval=[0.75, 1.5, 3, 4.5]).y.round(6) + 0
    array([[ 0.   +0.707107j, -0.5  +0.j      ,  0.25 +0.j      ,
            -0.125+0.j      ]])
    """
    field = PrincipalFlow(loss, h, parameters)
    x, (start, end) = field.point(x0, "x0"), read_span(t_span)
    times = None if t_eval is None else read_times(t_eval, start, end)
    if isinstance(max_steps, bool) or not isinstance(max_steps, int | np.integer) or max_steps < 1:
        raise ValueError(f"max_steps must be a positive integer, not {max_steps!r}")
    tolerances = {"rtol": read_positive(rtol, "rtol"), "atol": read_positive(atol, "atol")}
    solver = DOP853(lambda t, y: field.value(y), start, x, end, **tolerances)
    status, t, y = _integrate(solver, times, max_steps)
    result = OdeResult(
        t=t,
        y=y,
        sol=None,
        nfev=solver.nfev,
        njev=0,
        nlu=0,
        status=status,
        message=_message(status, solver.t, max_steps),
        success=status == REACHED,
    )
    if not result.success:
        warnings.warn(result.message, RuntimeWarning, stacklevel=2)
    return result


def _integrate(
    solver: DOP853, times: np.ndarray | None, max_steps: int
) -> tuple[int, np.ndarray, np.ndarray]:
    """Step to the end: the status, and the times and states that are wanted."""
    t, states = [solver.t], [solver.y]
    backward, shortest = solver.t_bound < solver.t, SHORTEST * abs(solver.t_bound - solver.t)
    if times is not None:
        at_once = times == solver.t
        t, states = times[at_once].tolist(), [solver.y] * int(at_once.sum())
    steps = 0
    while solver.status == "running" and solver.t != solver.t_bound:
        if steps == max_steps:
            return TOO_MANY, np.array(t), _columns(states, solver)
        solver.step()
        steps += 1
        short = solver.status == "running" and solver.step_size < shortest
        if solver.status == "failed" or short:
            return TOO_SHORT, np.array(t), _columns(states, solver)
        if np.abs(solver.y).max() > LARGEST:
            return DIVERGED, np.array(t), _columns(states, solver)
        if times is None:
            new, values = [solver.t], [solver.y]
        else:
            low, high = sorted((solver.t_old, solver.t))
            inside = (low <= times) & (times < high) if backward else (low < times) & (times <= high)
            new, dense = times[inside].tolist(), solver.dense_output()
            values = [dense(s) for s in new]
        t += new
        states += values
    return REACHED, np.array(t), _columns(states, solver)


def _columns(states: list[np.ndarray], solver: DOP853) -> np.ndarray:
    return np.array(states, dtype=complex).reshape(len(states), solver.n).T


def _message(status: int, t: float, max_steps: int) -> str:
    """What happened, in a sentence."""
    return {
        REACHED: f"The principal flow reached t = {t:g}.",
        TOO_SHORT: f"The step size became too small at t = {t:.10g}: "
        "the principal flow seems to blow up or to jump there.",
        DIVERGED: f"The principal flow diverges: it exceeds {LARGEST:g} at t = {t:.10g}.",
        TOO_MANY: f"The principal flow came to t = {t:.10g} in max_steps = {max_steps} steps: "
        "an eigenvalue of I - hH may move along the negative axis, where the logarithm jumps.",
    }[status]
