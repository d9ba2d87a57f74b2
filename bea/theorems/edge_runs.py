"""Descent of a small network beside its gradient flow and its central flow, for the edge of stability."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.ndimage import gaussian_filter1d

from bea.nets.central import central_flow
from bea.nets.fields import ModifiedField, modified_field
from bea.nets.flat import FlatLoss, flatten
from bea.nets.principal_flow import as_complex, follow

__all__ = ["EdgeRun", "OneSteps", "edge_run", "halved_variance", "one_steps", "plateau"]

#: The data: a Chebyshev polynomial of degree 3 at 12 points.
POINTS = np.linspace(-1, 1, 12)[:, None]
VALUES = 4 * POINTS**3 - 3 * POINTS
WIDTH = 6
#: Standard deviation, in steps, of the Gaussian window that makes the mean of the iterates.
WINDOW = 20
#: The sharpness is measured at so many points of a path.
SAMPLES = 300
#: Steps that are compiled together.
PIECE = 256
#: Eigenvectors that the principal flow takes one by one.
LEADING = 4
#: Where the plateau begins: this share of the time after the edge is reached.
SETTLED = 0.25


def network_loss(params: Any) -> jax.Array:
    """Half the mean square of a network of two hidden layers of tanh."""
    activity = jnp.asarray(POINTS)
    *hidden, (weights, offsets) = params
    for inner, shift in hidden:
        activity = jnp.tanh(activity @ inner + shift)
    return jnp.mean((activity @ weights + offsets - jnp.asarray(VALUES)) ** 2) / 2


def initial_params(seed: int) -> list[tuple[jax.Array, jax.Array]]:
    """Normal weights of variance 1/(number of inputs), and small offsets."""
    rng = np.random.default_rng(seed)
    sizes = [1, WIDTH, WIDTH, 1]
    return [
        (jnp.asarray(rng.standard_normal((a, b)) / np.sqrt(a)), jnp.asarray(0.1 * rng.standard_normal(b)))
        for a, b in pairwise(sizes)
    ]


@dataclass(frozen=True)
class EdgeRun:
    """Descent with one step size, its mean, the gradient flow and the central flow, at the same times.

    Attributes
    ----------
    h : float
    t : array of shape (n + 1,)
        The times nh, until the central flow ended.
    descent, mean, gradient_flow, central : arrays of shape (n + 1, d)
    loss, mean_loss : arrays of shape (n + 1,)
        At the iterates, and at their mean.
    variance : array of shape (n + 1,)
        σ² of the central flow.
    central_sharpness, central_loss : arrays of shape (n + 1,)
    sampled : array of int
        The indices of the times where what follows was measured.
    sharpness, flow_sharpness : arrays
        At the iterates, and along the gradient flow.
    deviation : array
        Of the iterates from their mean, along the leading eigenvector at the central flow.
    success : bool
        Whether the central flow came to the end.
    """

    h: float
    t: np.ndarray
    descent: np.ndarray
    mean: np.ndarray
    gradient_flow: np.ndarray
    central: np.ndarray
    loss: np.ndarray
    mean_loss: np.ndarray
    variance: np.ndarray
    central_sharpness: np.ndarray
    central_loss: np.ndarray
    sampled: np.ndarray
    sharpness: np.ndarray
    flow_sharpness: np.ndarray
    deviation: np.ndarray
    success: bool

    @property
    def onset(self) -> int:
        """The index of the time at which the central flow reaches the edge; the last where it does not."""
        on = np.flatnonzero(self.variance > 0)
        return int(on[0]) if len(on) else len(self.t) - 1

    @property
    def settled(self) -> int:
        """The index of the time from which on means are taken."""
        return self.onset + int(SETTLED * (len(self.t) - 1 - self.onset))

    @property
    def sharpens(self) -> bool:
        """Whether the gradient flow passes 4.4/h, and the central flow is at the edge for the last half."""
        held = self.onset < 0.5 * len(self.t) and bool((self.variance[self.settled :] > 0).all())
        return held and bool(self.flow_sharpness.max() * self.h > 4.4)

    def late(self, values: np.ndarray) -> np.ndarray:
        """Those of the sampled values that lie behind it."""
        return values[self.sampled >= self.settled]

    def distance(self, path: np.ndarray) -> np.ndarray:
        """Of a path from the mean of the iterates, at all times."""
        return np.linalg.norm(path - self.mean, axis=1)


def edge_run(seed: int, h: float, time: float) -> EdgeRun:
    """Descent with step size h from the start of a seed, and the flows, all in double precision."""
    with jax.enable_x64(True):
        params = initial_params(seed)
        flat, x = flatten(network_loss, params)
        steps = round(time / h)
        iterates = _path(_descend, flat, steps + 4 * WINDOW, x, h)
        path = central_flow(network_loss, params, h, steps * h, steps=steps, record=_ravel)
        count = len(path.t)
        gradient_flow = _path(_gradient_flow, flat, steps, x, h)[:count]
        mean = gaussian_filter1d(iterates, WINDOW, axis=0, mode="nearest")[:count]
        central, descent = np.asarray(path.record), iterates[:count]
        sampled = np.unique(np.linspace(0, count - 1, SAMPLES).astype(int))
        values, _ = _eigen(flat, descent[sampled])
        flow_values, _ = _eigen(flat, gradient_flow[sampled])
        _, vectors = _eigen(flat, central[sampled])
        return EdgeRun(
            h=h,
            t=path.t,
            descent=descent,
            mean=mean,
            gradient_flow=gradient_flow,
            central=central,
            loss=np.asarray(_losses(flat, descent)),
            mean_loss=np.asarray(_losses(flat, mean)),
            variance=path.variance,
            central_sharpness=path.sharpness,
            central_loss=path.loss,
            sampled=sampled,
            sharpness=np.asarray(values),
            flow_sharpness=np.asarray(flow_values),
            deviation=np.sum((descent - mean)[sampled] * np.asarray(vectors), axis=1),
            success=path.success,
        )


def plateau(seed: int, h: float, time: float) -> float:
    """The mean sharpness of descent, times h/2, over the second half of a time; without the flows."""
    with jax.enable_x64(True):
        flat, x = flatten(network_loss, initial_params(seed))
        iterates = _path(_descend, flat, round(time / h), x, h)
        chosen = np.linspace(len(iterates) // 2, len(iterates) - 1, SAMPLES).astype(int)
        return float(np.mean(_eigen(flat, iterates[chosen])[0]) * h / 2)


def halved_variance(seed: int, h: float, time: float) -> float:
    """The largest sharpness, times h/2, of the flow with ½σ² in place of σ², from below the edge on."""
    with jax.enable_x64(True):
        flat, x = flatten(network_loss, initial_params(seed))
        sharpness = _halved(flat, round(4 * time / h), x, h)
        return float(np.max(sharpness) * h / 2)


@dataclass(frozen=True)
class OneSteps:
    """One step of descent from points at the edge, and what flows make of it.

    Attributes
    ----------
    product : array
        hλ, with λ the sharpness.
    errors : mapping from name to array
        The distance of the flow at the time h from the next iterate, over the length of the step.
    factor : array
        Of the part of ∇E along the leading eigenvector, from one iterate to the next.
    """

    product: np.ndarray
    errors: dict[str, np.ndarray]
    factor: np.ndarray


def one_steps(run: EdgeRun, count: int) -> OneSteps:
    """Steps from iterates spread over the time that a run spends at the edge."""
    chosen = np.linspace(run.onset, len(run.t) - 2, count).astype(int)
    with jax.enable_x64(True):
        flat, _ = flatten(network_loss, initial_params(0))
        points, ends = jnp.asarray(run.descent[chosen]), jnp.asarray(run.descent[chosen + 1])
        values, vectors = _eigen(flat, points)
        along = [jnp.sum(jax.vmap(flat.gradient)(x) * vectors, axis=1) for x in (points, ends)]
        length = jnp.linalg.norm(ends - points, axis=1)
        errors = {
            name: np.asarray(jnp.linalg.norm(_one_step(flat, name, points, run.h) - ends, axis=1) / length)
            for name in ("gradient flow", "second order", "principal flow")
        }
        return OneSteps(np.asarray(run.h * values), errors, np.asarray(along[1] / along[0]))


@partial(jax.jit, static_argnums=(0, 1))
def _one_step(flat: FlatLoss, name: str, points: jax.Array, h: Any) -> jax.Array:
    """Where a flow comes from points in the time h, in 16 steps of its integrator."""

    def principal(x: jax.Array) -> jax.Array:
        vectors = jnp.linalg.eigh(jax.hessian(flat)(x))[1].T[::-1][:LEADING]
        return follow(flat, LEADING, 16, None, as_complex(x), vectors, h, h / 16)[0]

    def modified(x: jax.Array) -> jax.Array:
        field = modified_field(flat, order=0 if name == "gradient flow" else 2)
        return _runge_kutta(field, x, h, 16)

    return jax.lax.map(principal if name == "principal flow" else modified, points)


def _ravel(params: Any) -> jax.Array:
    return jnp.concatenate([leaf.ravel() for leaf in jax.tree.leaves(params)])


def _path(piece: Any, flat: FlatLoss, steps: int, x: jax.Array, h: float) -> np.ndarray:
    """The start and as many steps, compiled in pieces of the same length."""
    pieces = [np.asarray(x)[None]]
    for _ in range(0, steps, PIECE):
        pieces.append(np.asarray(piece(flat, jnp.asarray(pieces[-1][-1]), h)))
    return np.concatenate(pieces)[: steps + 1]


@partial(jax.jit, static_argnums=0)
def _descend(flat: FlatLoss, x: jax.Array, h: Any) -> jax.Array:
    def step(x: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        x = x - h * flat.gradient(x)
        return x, x

    return jax.lax.scan(step, x, length=PIECE)[1]


@partial(jax.jit, static_argnums=0)
def _gradient_flow(flat: FlatLoss, x: jax.Array, h: Any) -> jax.Array:
    """At the times of the steps, by two steps of the classical Runge–Kutta method each."""

    def step(x: jax.Array, _: None) -> tuple[jax.Array, jax.Array]:
        x = _runge_kutta(modified_field(flat, order=0), x, h, 2)
        return x, x

    return jax.lax.scan(step, x, length=PIECE)[1]


def _runge_kutta(field: ModifiedField, x: jax.Array, h: Any, steps: int) -> jax.Array:
    """The field for the time h, in steps of the classical Runge–Kutta method."""

    def step(x: jax.Array, _: None) -> tuple[jax.Array, None]:
        k1 = field(x, h)
        k2 = field(x + h / (2 * steps) * k1, h)
        k3 = field(x + h / (2 * steps) * k2, h)
        k4 = field(x + h / steps * k3, h)
        return x + h / (6 * steps) * (k1 + 2 * k2 + 2 * k3 + k4), None

    return jax.lax.scan(step, x, length=steps)[0]


@partial(jax.jit, static_argnums=0)
def _losses(flat: FlatLoss, points: jax.Array) -> jax.Array:
    return jax.lax.map(flat, points)


@partial(jax.jit, static_argnums=0)
def _eigen(flat: FlatLoss, points: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The largest eigenvalues of the whole Hessian at points, and their eigenvectors."""

    def leading(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        values, vectors = jnp.linalg.eigh(jax.hessian(flat)(x))
        return values[-1], vectors[:, -1]

    return jax.lax.map(leading, points)


@partial(jax.jit, static_argnums=(0, 1))
def _halved(flat: FlatLoss, steps: int, x: jax.Array, h: Any) -> jax.Array:
    """Euler's method with the step h/4: −∇E − ¼ σ² ∇S where S ≥ 2/h."""

    def step(state: tuple[jax.Array, jax.Array], _: None) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        x, vectors = state
        values, vectors = flat.leading(x, vectors)
        gradient, sharpening = flat.gradient(x), flat.sharpening(x, vectors[0])
        variance = jnp.maximum(0, -2 * (sharpening @ gradient) / (sharpening @ sharpening))
        variance = jnp.where(values[0] >= 2 / h, variance / 2, 0)
        return (x - h / 4 * (gradient + variance / 2 * sharpening), vectors), values[0]

    _, vectors = jnp.linalg.eigh(jax.hessian(flat)(x))
    return jax.lax.scan(step, (x, vectors.T[::-1][:2]), length=steps)[1]
