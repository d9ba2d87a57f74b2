"""The flow of a vector field: adaptive and fixed-step Runge–Kutta integration of every compiled field."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.optimize import OptimizeResult

from bea.numerics.arguments import (
    read_method,
    read_span,
    read_step_size,
    read_times,
    read_tolerances,
)
from bea.numerics.codegen import compile_field
from bea.numerics.dense_output import DenseOutput
from bea.numerics.integrator import BUDGET_USED, NOT_FINITE, STEP_TOO_SMALL, SUCCESS, integrate
from bea.numerics.patience import patience
from bea.numerics.tableau import FloatTableau
from bea.schemes.runge_kutta import RungeKutta
from bea.systems.loss import Loss
from bea.systems.system import as_field
from bea.systems.vector_field import VectorField

__all__ = ["OdeResult", "flow"]

#: The status of a flow that used up `max_steps`.
TOO_MANY_STEPS = -3

#: How many steps are tried between two looks at the keyboard: at first, and at most.
_FIRST_CHUNK, _LAST_CHUNK = 128, 100_000

#: The most numbers that are set aside for one chunk of steps.
_CHUNK_NUMBERS = 4_000_000


#: Times, states and coefficients of dense output of some steps.
Chunk = tuple[np.ndarray, ...]


class OdeResult(OptimizeResult):
    """The result of `flow`, whose fields are those of `scipy.integrate.solve_ivp`.

    Attributes
    ----------
    t : array of shape (n,)
        Times.
    y : array of shape (d, n)
        The states at those times.
    sol : DenseOutput or None
        The solution as a function of time, if it was asked for.
    nfev, njev, nlu : int
        Evaluations of the field, of its Jacobian (0) and decompositions of matrices (0).
    status : int
        0 if the end was reached, -1 if the step size became too small, -2 if the field or the state was not
        finite, -3 if `max_steps` were made.
    message : str
        What happened, and at which time.
    success : bool
        Whether the end was reached.
    """


def flow(
    field: VectorField | Loss,
    x0: Sequence[float] | np.ndarray,
    t_span: Sequence[float],
    parameters: Mapping[Any, object] | None = None,
    *,
    method: str | RungeKutta = "DOP853",
    step_size: float | None = None,
    rtol: float = 1e-10,
    atol: float | Sequence[float] | np.ndarray = 1e-12,
    t_eval: Sequence[float] | np.ndarray | None = None,
    dense_output: bool = False,
    max_steps: int = 10**7,
) -> OdeResult:
    """Solve ẋ = f(x) from x(t₀) = x₀ to t₁ by compiled code.

    Parameters
    ----------
    field : VectorField or Loss
        The right-hand side; a loss stands for its gradient flow.
    x0 : array_like of shape (d,)
    t_span : pair of floats
        t₀ and t₁; where t₁ < t₀ the flow runs backward.
    parameters : mapping from name to number, optional
        Values for the field's parameters, which replace those that it has.
    method : {"DOP853", "RK45", "RK23"} or an explicit Runge–Kutta scheme
        A scheme needs a `step_size`, or embedded weights ``b_hat`` to adapt by.
    step_size : float, optional
        Make steps of this size, of which the last is shortened to end at t₁, and control no error.
    rtol, atol : float, float or array_like of shape (d,)
        Each step's estimated error is kept below ``atol + rtol |x|``.
    t_eval : array_like of shape (n,), optional
        Times at which the solution is wanted, in the order of integration; by default those of the steps.
    dense_output : bool
        Whether to return the solution as a function of time, too.
    max_steps : int
        Stop after so many steps, accepted and rejected.

    Returns
    -------
    OdeResult
        As from `scipy.integrate.solve_ivp`. If the integration fails, what was computed until then, with
        ``success`` false and the reason in ``message``; the arrays hold no NaN.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, or a parameter has no value.

    Warns
    -----
    RuntimeWarning
        If the integration does not reach t₁.

    Notes
    -----
    The step size control, the error estimates and the dense output (of order 7 for DOP853, 4 for RK45, 3
    otherwise) are those of SciPy, so both take the same steps.

    References
    ----------
    .. [1] E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed., Springer,
           1993, Sections II.4 to II.6 and II.10.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("(y - a*b)**2 / 2", variables="a b", parameters={"y": 0.6})
    >>> solution = bea.flow(loss, [2.8, 3.5], (0, 100))
    >>> solution.y[:, -1].round(5)
    array([0.28315, 2.119  ])
    """
    field = as_field(field)
    x, p = field.point(x0), field.parameter_values(parameters)
    t_start, t_end = read_span(t_span)
    tolerances = read_tolerances(rtol, atol, field.dimension)
    times = None if t_eval is None else read_times(t_eval, t_start, t_end)
    tableau = read_method(method, adaptive=step_size is None)
    fixed_steps = read_step_size(step_size, t_end - t_start)
    if isinstance(max_steps, bool) or not isinstance(max_steps, int | np.integer) or max_steps < 1:
        raise ValueError(f"max_steps must be a positive integer, not {max_steps!r}")

    run = _Run(compile_field(field).rhs, p, tableau, (t_start, t_end), fixed_steps, tolerances, x, times)
    result = run.result(dense_output, max_steps)
    if not result.success:
        warnings.warn(result.message, RuntimeWarning, stacklevel=2)
    return result


class _Run:
    """One integration, chunk by chunk, so that an interrupt is heard between two chunks."""

    def __init__(
        self,
        rhs: int,
        p: np.ndarray,
        tableau: FloatTableau,
        span: tuple[float, float],
        fixed: tuple[float, int],
        tolerances: tuple[float, np.ndarray],
        x: np.ndarray,
        t_eval: np.ndarray | None,
    ) -> None:
        self.tableau, self.span, self.x0, self.t_eval = tableau, span, x.copy(), t_eval
        self.constants = (rhs, p, *tableau, *span, *fixed, *tolerances)
        self.clock, self.counts = np.array([span[0], 0.0]), np.zeros(5, dtype=np.int64)
        self.x = x
        self.K = np.zeros((len(tableau.A), x.size))
        self.wanted = np.empty(0) if t_eval is None else t_eval
        self.x_eval = np.empty((self.wanted.size, x.size))

    def result(self, dense_output: bool, max_steps: int) -> OdeResult:
        keep_steps = dense_output or self.t_eval is None
        if self.span[0] == self.span[1]:
            self.x_eval[:] = self.x0
            self.counts[3] = self.wanted.size
            status, chunks = SUCCESS, list[Chunk]()
        else:
            status, chunks = self._integrate(keep_steps, dense_output, max_steps)

        t = np.concatenate([self.span[:1], *(c[0] for c in chunks)])
        states = np.concatenate([self.x0[np.newaxis], *(c[1] for c in chunks)])
        sol = None
        if dense_output and chunks and len(t) > 1:
            sol = DenseOutput(t, states[:-1], np.concatenate([c[2] for c in chunks]))
        if self.t_eval is not None:
            done = self.counts[3]
            t, states = self.t_eval[:done], self.x_eval[:done]
        return OdeResult(
            t=t,
            y=states.T,
            sol=sol,
            nfev=int(self.counts[2]),
            njev=0,
            nlu=0,
            status=status,
            message=_message(status, self.clock[0], max_steps),
            success=status == SUCCESS,
        )

    def _integrate(self, keep_steps: bool, dense_output: bool, max_steps: int) -> tuple[int, list[Chunk]]:
        """The status, and the times, states and coefficients of the steps of each chunk."""
        d, rows = self.x.size, 3 + len(self.tableau.D)
        width = 1 + d * (1 + (rows if dense_output else 0))
        largest = min(_LAST_CHUNK, max(1, _CHUNK_NUMBERS // width))
        chunks: list[Chunk] = []
        chunk, status = min(_FIRST_CHUNK, largest), BUDGET_USED
        while status == BUDGET_USED:
            budget = min(chunk, max_steps - int(self.counts[0]))
            if budget == 0:
                return TOO_MANY_STEPS, chunks
            kept = budget if keep_steps else 0
            before = self.counts[1]
            storage = (
                np.empty(kept),
                np.empty((kept, d)),
                np.empty((kept if dense_output else 0, rows, d)),
            )
            with patience("the integrator of flows"):
                status = integrate(
                    *self.constants,
                    self.clock,
                    self.counts,
                    self.x,
                    self.K,
                    *storage,
                    self.wanted,
                    self.x_eval,
                    budget,
                )
            accepted = self.counts[1] - before
            chunks.append(tuple(array[:accepted] for array in storage))
            chunk = min(4 * chunk, largest)
        return status, chunks


def _message(status: int, t: float, max_steps: int) -> str:
    """What happened, in a sentence."""
    return {
        SUCCESS: f"The flow reached t = {t:g}.",
        STEP_TOO_SMALL: f"The step size became too small at t = {t:.10g}: "
        "the solution seems to blow up or not to be smooth there.",
        NOT_FINITE: f"The field or the state is not finite just after t = {t:.10g}.",
        TOO_MANY_STEPS: f"The flow came to t = {t:.10g} in max_steps = {max_steps} steps: "
        "the field may be stiff, or the tolerances too tight.",
    }[status]
