"""Flows of fields on parameters, by the classical Runge–Kutta method with a constant step."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bea.nets.pytrees import Pytree, is_finite, require_params, scale

__all__ = ["FlowPath", "flow"]


@dataclass(frozen=True)
class FlowPath:
    """A path of a flow; see `flow`.

    Attributes
    ----------
    params : pytree
        The end of the path; if it stopped being finite, its last finite point.
    t : array, shape (steps + 1,)
        The times, from 0.
    record : pytree of arrays, or None
        What was recorded at these times, along the first axis.
    diverged_at : float or None
        The first time at which the path was not finite.
    """

    params: Pytree
    t: np.ndarray
    record: Pytree | None
    diverged_at: float | None


def flow(
    field: Callable[[Pytree, Any], Pytree],
    params: Pytree,
    h: float,
    time: float,
    steps: int,
    record: Callable[[Pytree], Pytree] | None = None,
) -> FlowPath:
    """Follow a field from `params` for some time, by the classical Runge–Kutta method of order 4 [1]_.

    Parameters
    ----------
    field : callable
        ``field(params, h)``, such as a `ModifiedField`.
    params : pytree of float arrays
        The start.
    h : float
        The step size of the scheme whose field it is: a parameter of the field, not the step of this flow.
    time : float
        How long the field is followed. The flow takes `steps` steps of ``time / steps``.
    steps : int
    record : callable, optional
        What to keep of the parameters at the start and after each step, a pytree of arrays.

    Returns
    -------
    FlowPath

    Raises
    ------
    TypeError, ValueError
        If `params` are no floats, `time` or `h` is not finite, `steps` no positive integer, or what the field
        returns is not like `params`.

    Warns
    -----
    RuntimeWarning
        If the path stopped being finite. It then stays at its last finite point.

    Notes
    -----
    The path is compiled for the field and the function `record`. Given the same ones again, it is not
    compiled anew; a ``lambda`` written in the call is another one each time.

    References
    ----------
    .. [1] W. Kutta (1901), Beitrag zur näherungsweisen Integration totaler Differentialgleichungen,
           Zeitschrift für Mathematik und Physik 46, 435–453.

    Examples
    --------
    The gradient flow of E = ‖x‖²/2 shrinks x by e in unit time.

    >>> import jax.numpy as jnp
    >>> from bea import nets
    >>> field = nets.modified_field(lambda x: jnp.sum(x**2) / 2, order=0)
    >>> path = nets.flow(field, jnp.array([1.0]), h=0.1, time=1.0, steps=20, record=lambda x: x[0])
    >>> path.record[-1].item(), path.diverged_at
    (0.367..., None)
    """
    require_params(params)
    if not callable(field):
        raise TypeError(f"the field must be a function field(params, h), not {type(field).__name__}")
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise ValueError(f"steps must be an integer, 1 or more, not {steps!r}")
    for name, value in (("h", h), ("time", time)):
        if not isfinite(float(value)):
            raise ValueError(f"{name} must be finite, not {value}")
    params = jax.tree.map(jnp.asarray, params)
    end, recorded, finite = _runge_kutta(field, int(steps), record, params, h, float(time) / steps)
    t = np.linspace(0.0, float(time), int(steps) + 1)
    lost = np.flatnonzero(~np.asarray(finite))
    diverged_at = float(t[lost[0] + 1]) if len(lost) else None
    if diverged_at is not None:
        warnings.warn(f"the flow is not finite at time {diverged_at:.6g}", RuntimeWarning, stacklevel=2)
    return FlowPath(end, t, recorded, diverged_at)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _runge_kutta(
    field: Callable[[Pytree, Any], Pytree],
    steps: int,
    record: Callable[[Pytree], Pytree] | None,
    params: Pytree,
    h: Any,
    dt: Any,
) -> tuple[Pytree, Pytree | None, jax.Array]:
    """The end, the records, and whether the path was finite after each step."""
    _require_field(field, params, h)

    def step(state: tuple[Pytree, jax.Array], _: None) -> tuple[tuple[Pytree, jax.Array], Any]:
        x, alive = state
        end = _step(lambda y: field(y, h), x, dt)
        alive = alive & is_finite(end)
        x = jax.tree.map(lambda new, old: jnp.where(alive, new, old), end, x)
        return (x, alive), (None if record is None else record(x), alive)

    (end, _), (records, alive) = jax.lax.scan(step, (params, is_finite(params)), length=steps)
    if record is not None:
        first = record(params)
        records = jax.tree.map(lambda a, b: jnp.concatenate([jnp.asarray(a)[None], b]), first, records)
    return end, records, alive


def _require_field(field: Callable[[Pytree, Any], Pytree], params: Pytree, h: Any) -> None:
    """Refuse a field whose value is no pytree like the parameters."""
    value = jax.eval_shape(field, params, h)
    structure, shapes = jax.tree.structure(params), [leaf.shape for leaf in jax.tree.leaves(params)]
    if jax.tree.structure(value) != structure or [leaf.shape for leaf in jax.tree.leaves(value)] != shapes:
        raise ValueError(f"the field must return a pytree of arrays like the parameters, but returns {value}")


def _step(f: Callable[[Pytree], Pytree], x: Pytree, dt: Any) -> Pytree:
    """One step of the classical Runge–Kutta method."""

    def moved(c: Any, k: Pytree) -> Pytree:
        return jax.tree.map(jnp.add, x, scale(c, k))

    k1 = f(x)
    k2 = f(moved(dt / 2, k1))
    k3 = f(moved(dt / 2, k2))
    k4 = f(moved(dt, k3))
    return moved(dt / 6, jax.tree.map(lambda a, b, c, d: a + 2 * b + 2 * c + d, k1, k2, k3, k4))
