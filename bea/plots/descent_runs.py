"""Descent beside its modified flow, at several step sizes: the numbers behind the figure."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bea.modified.equation import modified_equation
from bea.numerics.flows import flow
from bea.numerics.iterates import Path, iterate
from bea.numerics.manifold import flow_limit
from bea.plots.zero_curve import find_zero_loss_set
from bea.schemes.scheme import Scheme
from bea.systems.loss import Loss
from bea.systems.vector_field import VectorField

__all__ = ["DIVERGES", "DescentRun", "descent_runs", "settling_time"]

#: More iterates than these are thinned out.
MOST_ITERATES = 100_000

#: The remark on iterates that leave every bound.
DIVERGES = "diverges"


@dataclass(frozen=True)
class DescentRun:
    """Iterates and modified flow from one point at one step size.

    Attributes
    ----------
    step_size : float
    iterates : numpy.ndarray of shape (n + 1, d)
    flow : numpy.ndarray of shape (m, d)
        The modified flow, up to where it exists.
    remark : str
        Why the expansion does not describe these iterates; empty where nothing speaks against it.
    """

    step_size: float
    iterates: np.ndarray
    flow: np.ndarray
    remark: str


def settling_time(loss: Loss, x0: np.ndarray) -> float:
    """A time after which the gradient flow from x0 has come to rest.

    Raises
    ------
    ValueError
        If x0 is at rest, or the flow from there does not come to rest.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        limit = flow_limit(loss, x0)
    if not limit.success:
        raise ValueError(f"no time was given, and the gradient flow from {x0.tolist()} has no limit")
    if limit.t == 0:
        raise ValueError(f"nothing moves from {x0.tolist()}: it is a limit already")
    return limit.t


def descent_runs(
    loss: Loss, scheme: Scheme, x0: np.ndarray, step_sizes: Sequence[float], time: float, order: int
) -> tuple[np.ndarray, list[DescentRun]]:
    """The gradient flow from x0, shape (m, d), and for every step size the iterates and the modified flow.

    A scheme with a memory starts with what it would remember at x0 in the long run, so that there is no
    transient.
    """
    equation = modified_equation(loss, scheme, order)
    field = equation.field(order)
    gradient_flow = _sampled_flow(loss.field, x0, time, {})
    runs = []
    for h in step_sizes:
        memory = equation.memory(x0, h=h) if scheme.has_memory else None
        path = _iterates(loss, scheme, x0, h, time, memory)
        known = {"h": h} if any(s.name == "h" for s in field.parameter_symbols) else {}
        modified_flow = _sampled_flow(field, x0, time, known)
        remark = _remark(loss, path, modified_flow[-1], gradient_flow[-1])
        runs.append(DescentRun(h, path.x, modified_flow, remark))
    return gradient_flow, runs


def _iterates(
    loss: Loss, scheme: Scheme, x0: np.ndarray, h: float, time: float, memory: np.ndarray | None
) -> Path:
    """The iterates until `time`; of very many, as many as can be drawn. The remark tells of divergence."""
    steps = int(np.ceil(time / h * (1 - 1e-12)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        every = 1 + steps // MOST_ITERATES
        return iterate(loss, scheme, x0, step_size=h, steps=steps, record_every=every, memory=memory)


def _sampled_flow(
    field: VectorField, x0: np.ndarray, time: float, parameters: dict[str, float]
) -> np.ndarray:
    """The flow as far as it exists, at times ever wider apart, since a flow that settles slows down."""
    times = np.concatenate([[0.0], np.geomspace(1e-5 * time, time, 400)])
    times[-1] = time
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return flow(field, x0, (0.0, time), parameters=parameters, t_eval=times).y.T


def _remark(loss: Loss, path: Path, flow_end: np.ndarray, gradient_flow_end: np.ndarray) -> str:
    if path.diverged_at is not None:
        return DIVERGES
    if _crosses_zero_loss_set(loss, path.x):
        return r"jumps across $\Gamma$"
    end = path.x[-1]
    distance = np.linalg.norm(end - flow_end)
    if distance > np.linalg.norm(end - gradient_flow_end) and distance > 1e-6 * np.linalg.norm(end):
        return "modified flow no closer"
    return ""


def _crosses_zero_loss_set(loss: Loss, points: np.ndarray) -> bool:
    """Whether iterates change sides of Γ, which consists of equilibria and which no flow can cross."""
    zeros = find_zero_loss_set(loss)
    if zeros is None or len(zeros.residuals) != 1:
        return False
    residuals = np.array([zeros.residual(x)[0] for x in points])
    sides = np.sign(residuals[np.abs(residuals) > 1e-9 * np.abs(residuals).max()])
    return bool((sides[1:] != sides[:-1]).any())
