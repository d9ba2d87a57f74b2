"""How near the iterates of descent on a network stay to its modified flows, in double precision."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree

from bea.nets.data import CLASSES, PIXELS, digits
from bea.nets.fields import modified_field
from bea.nets.flows import flow
from bea.nets.measures import classifier
from bea.nets.pytrees import Loss, Pytree, add, scale
from bea.nets.training_steps import TURN
from bea.numerics.arguments import read_positive
from bea.systems.catalogue.data import read_count

__all__ = ["distances"]


def distances(
    counts: Sequence[int],
    order: int,
    time: float | None = None,
    *,
    step_sizes: Sequence[float] | None = None,
    width: int = 8,
    depth: int = 2,
    seed: int = 0,
    images: int = 100,
    objective: str = "cross-entropy",
    activation: str = "tanh",
    reverse: bool = False,
    flow_steps: int = 128,
) -> dict[str, np.ndarray]:
    """The distances between gradient descent and its modified flow through h^order, from the same start.

    Parameters
    ----------
    counts : sequence of int
        The numbers of steps n.
    order : int
        How many correction terms the flow has, 0 to 3.
    time : float, optional
        The time T = n h, the same for all n.
    step_sizes : sequence of floats, optional
        In place of a time, the step size h for each n.
    width, depth, objective, activation
        Of the network; see `bea.nets.experiments.perceptrons`.
    seed : int, default 0
        For the images and the start.
    images : int, default 100
        How many images to train on.
    reverse : bool, default False
        Follow the field of −h in place of that of h: a control, in which odd terms have the wrong sign.
    flow_steps : int, default 128
        Steps of the Runge–Kutta method, for every n.

    Returns
    -------
    dict
        ``step_sizes`` and ``distances``, the Euclidean norms of the differences of all parameters.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> from bea.nets.closeness import distances
    >>> far = distances([8, 16], 0, time=0.5, width=2, images=20)["distances"]
    >>> near = distances([8, 16], 1, time=0.5, width=2, images=20)["distances"]
    >>> bool((near < far / 5).all())
    True
    """
    if (time is None) == (step_sizes is None):
        raise ValueError("give the time, the same for all numbers of steps, or step_sizes, one for each")
    counts = [read_count(n, "a number of steps") for n in counts]
    if step_sizes is not None and len(step_sizes) != len(counts):
        raise ValueError(f"step_sizes must be one for each of {len(counts)} counts, not {len(step_sizes)}")
    sizes = [read_positive(time, "time") / n for n in counts] if step_sizes is None else list(step_sizes)
    widths = (PIXELS, *(width,) * depth, CLASSES)
    found = []
    with TURN, jax.enable_x64(True):
        loss, start = _problem(widths, objective, activation, seed, images)
        field = modified_field(loss, order=order)
        for n, h in zip(counts, sizes, strict=True):
            end = flow(field, start, -h if reverse else h, n * h, flow_steps).params
            gap = ravel_pytree(_descent(loss, start, h, n))[0] - ravel_pytree(end)[0]
            found.append(float(jnp.linalg.norm(gap)))
    return {"step_sizes": np.array(sizes, dtype=float), "distances": np.array(found)}


@lru_cache(maxsize=8)
def _problem(
    widths: tuple[int, ...], objective: str, activation: str, seed: int, images: int
) -> tuple[Loss, Pytree]:
    """A loss of the parameters and a start, in double precision; the same loss is compiled once."""
    network, split = classifier(widths, objective, activation), digits(images, rng=seed)
    x, y = jnp.asarray(split.x), jnp.asarray(split.y)

    def loss(params: Pytree) -> jax.Array:
        return network.loss(params, x, y)

    return loss, network.model.init(np.random.default_rng([seed, 1]))


@partial(jax.jit, static_argnums=0)
def _descent(loss: Loss, params: Pytree, h: float, steps: int) -> Pytree:
    def step(_: int, x: Pytree) -> Pytree:
        return add(x, scale(-h, jax.grad(loss)(x)))

    return jax.lax.fori_loop(0, steps, step, params)
