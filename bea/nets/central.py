r"""The central flow of gradient descent at the edge of stability, with one unstable direction.

Where the sharpness S, the largest eigenvalue of the Hessian, is below 2/h it is the gradient flow. At S = 2/h
iterates oscillate along the eigenvector u of S with a variance σ², and their mean follows

    w' = −∇E − ½ σ² ∇S,    σ² = 2 ⟨∇S, −∇E⟩ / ‖∇S‖²,

which keeps S where it is, for as long as σ² is positive.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from bea.nets.flat import FlatLoss, Leading, flatten, start
from bea.nets.pytrees import Loss, Pytree, read_positive

__all__ = ["CentralPath", "central_flow"]

#: A second eigenvalue above this share of 2/h ends the flow.
SECOND = 0.995
#: The sharpness is held at 2/h up to this share of it, or a hundred roundings.
HELD = 1e-9
#: At most so many Newton steps bring a point back to S = 2/h.
NEWTON = 12
#: So many steps are compiled together.
PIECE = 64


@dataclass(frozen=True)
class CentralPath:
    """A path of the central flow; see `central_flow`.

    Attributes
    ----------
    params : pytree
        The end of the path.
    t : array of shape (n,)
        The times, from 0; the last is that at which the flow ended.
    loss, sharpness : arrays of shape (n,)
    second : array of shape (n,)
        The second largest eigenvalue of the Hessian.
    variance : array of shape (n,)
        σ², that of the oscillation along the leading eigenvector; 0 below the edge.
    record : pytree of arrays, or None
        What was recorded at these times, along the first axis.
    success : bool
        Whether the end of the time was reached.
    message : str
    """

    params: Pytree
    t: np.ndarray
    loss: np.ndarray
    sharpness: np.ndarray
    second: np.ndarray
    variance: np.ndarray
    record: Pytree | None
    success: bool
    message: str

    @property
    def edge(self) -> list[tuple[float, float]]:
        """The spans of time that the path spends at the edge, S = 2/h with σ² > 0."""
        on = np.concatenate([[False], self.variance > 0, [False]])
        changes = np.flatnonzero(on[1:] != on[:-1])
        return [
            (float(self.t[a]), float(self.t[b - 1])) for a, b in zip(changes[::2], changes[1::2], strict=True)
        ]


def central_flow(
    loss: Loss,
    params: Pytree,
    h: float,
    time: float,
    steps: int | None = None,
    record: Callable[[Pytree], Pytree] | None = None,
) -> CentralPath:
    r"""The central flow of gradient descent with step size h, with at most one unstable direction [1]_.

    Parameters
    ----------
    loss : callable
        E, a function of the parameters that JAX can differentiate three times, with a scalar value.
    params : pytree of float arrays
        The start, where the largest eigenvalue of the Hessian is at most 2/h.
    h : float
        The step size of descent: its iterate n is compared with the flow at the time nh.
    time : float
        How long the flow is followed.
    steps : int, optional
        Steps of the integration, of the classical Runge–Kutta method; by default the nearest to h. Longer
        ones are unstable: the product with the sharpness should not exceed 2.7.
    record : callable, optional
        What to keep of the parameters at the start and after each step, a pytree of arrays.

    Returns
    -------
    CentralPath
        If the end is not reached, what was computed until then, with ``success`` false and the reason in
        ``message``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as described, or the sharpness at the start exceeds 2/h.

    Warns
    -----
    RuntimeWarning
        If a second eigenvalue comes to 2/h, where this flow no longer describes descent, or the path stops
        being finite, or finds no way back to the edge.

    Notes
    -----
    Up to 32 parameters the Hessian is formed. Beyond, the two leading eigenvectors are followed from stage to
    stage with ten Hessian–vector products. After each step beyond the edge, Newton's method along ∇S
    leads back to it, so that the path enters and leaves it by itself; each time the error is of the order of
    the square of the step.

    References
    ----------
    .. [1] J. Cohen, A. Damian, A. Talwalkar, J. Z. Kolter and J. D. Lee (2025), Understanding optimization in
           deep learning with central flows, International Conference on Learning Representations.

    Examples
    --------
    Descent on E = x² (1 + y²)/2 + (y − 2)²/5 oscillates in x as soon as 1 + y² exceeds 2/h. The oscillation
    keeps y at (2/h − 1)^½, for which it needs a variance of 2 (2 − y)/(5y).

    >>> import jax.numpy as jnp
    >>> from bea.nets.central import central_flow
    >>> path = central_flow(
    ...     lambda w: w[0] ** 2 * (1 + w[1] ** 2) / 2 + (w[1] - 2) ** 2 / 5,
    ...     jnp.array([0.1, 0.5]), h=1.0, time=20.0,
    ... )
    >>> path.success, [round(float(s), 2) for s in (path.sharpness[-1], path.params[1])]
    (True, [2.0, 1.0])
    """
    flat, x = flatten(loss, params)
    h, time = read_positive(h, "h"), read_positive(time, "time")
    if steps is None:
        steps = max(1, math.ceil(time / h * (1 - 1e-9)))
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps must be an integer, 1 or more, not {steps!r}")
    first = _evaluate(flat, x, start(flat, x).vectors)
    edge, held = 2 / h, max(HELD, 100 * float(jnp.finfo(x.dtype).eps))
    sharpness = float(first.leading.values[0])
    if not math.isfinite(sharpness):
        raise ValueError("the Hessian of the loss is not finite at the start")
    if sharpness > edge * (1 + held):
        raise ValueError(
            f"the central flow starts where the sharpness is at most 2/h = {edge:.6g}, but here it is "
            f"{sharpness:.6g}"
        )
    state, rows = _follow(flat, int(steps), record, x, first, edge, time / steps, held)
    return _path(flat, state, rows, np.linspace(0, time, int(steps) + 1), record is not None, edge)


#: The status of a path: on its way, or ended by a second eigenvalue, a number that is not finite, or a point
#: from which Newton's method does not lead back to the edge.
RUNNING, SECOND_EIGENVALUE, NOT_FINITE, LOST = 0, 1, 2, 3


class Evaluation(NamedTuple):
    """What the field at a point is made of: ∇E, the leading eigenvectors of ∇²E, and ∇S."""

    gradient: jax.Array
    leading: Leading
    sharpening: jax.Array


class State(NamedTuple):
    """A point, what is known there, the field and σ² there, and how it goes."""

    x: jax.Array
    at: Evaluation
    field: jax.Array
    variance: jax.Array
    status: jax.Array


class Row(NamedTuple):
    """What is kept of a point."""

    loss: jax.Array
    sharpness: jax.Array
    second: jax.Array
    variance: jax.Array
    status: jax.Array
    record: Any


def _follow(
    flat: FlatLoss,
    steps: int,
    record: Any,
    x: jax.Array,
    first: Evaluation,
    edge: float,
    dt: float,
    held: float,
) -> tuple[State, Row]:
    """All steps: the last state, and a row for each point from the start on.

    They are compiled in pieces of the same length, whatever their number.
    """
    state = State(x, first, *_field(first, edge, held), jnp.asarray(RUNNING))
    pieces = [jax.tree.map(lambda a: jnp.asarray(a)[None], _row(flat, record, state))]
    for done in range(0, steps, PIECE):
        left = min(PIECE, steps - done)
        state, rows = _piece(flat, record, state, left, edge, dt, held)
        pieces.append(jax.tree.map(lambda a, left=left: a[:left], rows))
        if int(state.status) != RUNNING:
            break
    return state, jax.tree.map(lambda *parts: np.concatenate(parts), *pieces)


@partial(jax.jit, static_argnums=(0, 1))
def _piece(
    flat: FlatLoss, record: Any, state: State, left: Any, edge: Any, dt: Any, held: Any
) -> tuple[State, Row]:
    """`PIECE` steps, of which the first `left` move."""

    def step(state: State, k: jax.Array) -> tuple[State, Row]:
        moves = (state.status == RUNNING) & (k < left)
        state = jax.lax.cond(moves, lambda s: _step(flat, s, edge, dt, held), lambda s: s, state)
        return state, _row(flat, record, state)

    return jax.lax.scan(step, state, jnp.arange(PIECE))


def _row(flat: FlatLoss, record: Any, state: State) -> Row:
    values = state.at.leading.values
    second = values[1] if flat.size > 1 else jnp.full_like(values[0], -jnp.inf)
    kept = None if record is None else record(flat.unravel(state.x))
    return Row(flat(state.x), values[0], second, state.variance, state.status, kept)


@partial(jax.jit, static_argnums=0)
def _evaluate(flat: FlatLoss, x: jax.Array, guess: jax.Array) -> Evaluation:
    found = flat.leading(x, guess)
    return Evaluation(flat.gradient(x), found, flat.sharpening(x, found.vectors[0]))


def _step(flat: FlatLoss, state: State, edge: Any, dt: Any, held: Any) -> State:
    """One step of the flow from where it is, on the edge or below, and back to the edge if it went beyond.

    The loops over the stages of the classical Runge–Kutta method and over Newton's steps along ∇S keep what
    is compiled short.
    """
    on_edge, guess = state.variance > 0, state.at.leading.vectors

    def stage(k: jax.Array, node: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = state.x + dt * node * k
        k = jax.lax.cond(
            on_edge, lambda: _constrained(_evaluate(flat, y, guess))[0], lambda: -flat.gradient(y)
        )
        return k, k

    _, stages = jax.lax.scan(stage, state.field, jnp.array([0.5, 0.5, 1.0], state.x.dtype))
    moved = state.x + dt / 6 * (state.field + 2 * stages[0] + 2 * stages[1] + stages[2])

    def away(loop: tuple[jax.Array, Evaluation, Any, Any]) -> jax.Array:
        _, at, pinned, rounds = loop
        excess = at.leading.values[0] / edge - 1
        return (rounds == 0) | (pinned & (jnp.abs(excess) > held) & (rounds < NEWTON))

    def newton(loop: tuple[jax.Array, Evaluation, Any, Any]) -> tuple[jax.Array, Evaluation, Any, Any]:
        x, at, pinned, rounds = loop
        length = (edge - at.leading.values[0]) / (at.sharpening @ at.sharpening)
        x = jnp.where(rounds == 0, x, x + length * at.sharpening)
        at = _evaluate(flat, x, at.leading.vectors)
        stays = on_edge & (_constrained(at)[1] > 0)
        return x, at, pinned | stays | (at.leading.values[0] > edge * (1 + held)), rounds + 1

    end, at, _, rounds = jax.lax.while_loop(away, newton, (moved, state.at, jnp.asarray(False), 0))
    values = at.leading.values
    second = (values[0] >= edge * (1 - held)) & (values[-1] > SECOND * edge) & (flat.size > 1)
    finite = jnp.isfinite(end).all() & jnp.isfinite(values).all()
    good = finite & (rounds < NEWTON)
    status = jnp.where(second, SECOND_EIGENVALUE, RUNNING)
    status = jnp.where(good, status, jnp.where(finite, LOST, NOT_FINITE))
    new = State(end, at, *_field(at, edge, held), status)
    return jax.tree.map(lambda a, b: jnp.where(good, a, b), new, state)._replace(status=status)


def _field(at: Evaluation, edge: Any, held: Any) -> tuple[jax.Array, jax.Array]:
    """The central flow at a point, and σ², which is 0 below the edge."""
    on_edge = at.leading.values[0] >= edge * (1 - 2 * held)
    along, variance = _constrained(at)
    return jnp.where(on_edge, along, -at.gradient), jnp.where(on_edge, variance, 0)


def _constrained(at: Evaluation) -> tuple[jax.Array, jax.Array]:
    """−∇E − ½ σ² ∇S and σ² at a point of the edge."""
    square = at.sharpening @ at.sharpening
    variance = jnp.maximum(0, -2 * (at.sharpening @ at.gradient) / jnp.where(square > 0, square, 1))
    return -at.gradient - variance / 2 * at.sharpening, variance


def _path(flat: FlatLoss, state: State, rows: Row, t: np.ndarray, recorded: bool, edge: float) -> CentralPath:
    """The path until it ended, and a warning where it ended early."""
    status = int(state.status)
    ended = int(np.argmax(np.asarray(rows.status) != RUNNING)) if status != RUNNING else len(t) - 1
    kept = ended + 1 if status in (RUNNING, SECOND_EIGENVALUE) else ended
    message = {
        RUNNING: f"The central flow reached t = {t[ended]:g}.",
        SECOND_EIGENVALUE: f"A second eigenvalue of the Hessian came to 2/h = {edge:.6g} at "
        f"t = {t[ended]:.6g}: the central flow with one unstable direction ends there.",
        NOT_FINITE: f"The central flow is not finite at t = {t[ended]:.6g}.",
        LOST: f"Newton's method does not lead back to S = 2/h = {edge:.6g} at t = {t[ended]:.6g}.",
    }[status]
    if status != RUNNING:
        warnings.warn(message, RuntimeWarning, stacklevel=3)
    loss, sharpness, second, variance = (np.asarray(column)[:kept] for column in rows[:4])
    return CentralPath(
        params=flat.unravel(state.x),
        t=t[:kept],
        loss=loss,
        sharpness=sharpness,
        second=second,
        variance=variance,
        record=jax.tree.map(lambda a: a[:kept], rows.record) if recorded else None,
        success=status == RUNNING,
        message=message,
    )
