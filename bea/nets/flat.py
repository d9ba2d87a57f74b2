"""A loss as a function of one vector, and the leading eigenvectors of its Hessian along a path."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from bea.nets.pytrees import Loss, Pytree, require_loss

__all__ = ["DENSE", "FlatLoss", "Leading", "flatten", "start"]

#: With so many parameters or fewer the whole Hessian is formed.
DENSE = 32
#: With more, so many Hessian–vector products improve a guess of the leading eigenvectors.
KRYLOV = 10
#: At a start without a guess, at most so many improvements, until eigenvalues change by so little.
ROUNDS, SETTLED = 30, 1e-12


class Leading(NamedTuple):
    """The largest eigenvalues of a Hessian, from the largest on, and their eigenvectors as rows."""

    values: jax.Array
    vectors: jax.Array


class FlatLoss:
    """A loss of a pytree as a function of one vector, equal to itself only, as JAX compiles for it."""

    def __init__(self, loss: Loss, params: Pytree) -> None:
        leaves, self._tree = jax.tree.flatten(params)
        self._shapes = [(leaf.shape, leaf.dtype) for leaf in leaves]
        self._cuts = [sum(leaf.size for leaf in leaves[:k]) for k in range(1, len(leaves))]
        self.loss, self.size = loss, sum(leaf.size for leaf in leaves)

    def unravel(self, x: jax.Array) -> Pytree:
        """The vector as a pytree; complex leaves where it is complex."""
        parts = [
            part.reshape(shape).astype(jnp.result_type(dtype, x.dtype) if jnp.iscomplexobj(x) else dtype)
            for part, (shape, dtype) in zip(jnp.split(x, self._cuts), self._shapes, strict=True)
        ]
        return jax.tree.unflatten(self._tree, parts)

    def __call__(self, x: jax.Array) -> jax.Array:
        """E at a vector, which may be complex."""
        return self.loss(self.unravel(x))

    def gradient(self, x: jax.Array) -> jax.Array:
        """∇E."""
        return jax.grad(self)(x)

    def product(self, x: jax.Array, v: jax.Array) -> jax.Array:
        """∇²E v."""
        return jax.jvp(self.gradient, (x,), (v,))[1]

    def sharpening(self, x: jax.Array, u: jax.Array) -> jax.Array:
        """∇(uᵀ∇²E u) with u fixed: the gradient of an eigenvalue, where u is its eigenvector of length 1."""
        return jax.grad(lambda y: u @ self.product(y, u))(x)

    def leading(self, x: jax.Array, guess: jax.Array, count: int = 2) -> Leading:
        """The `count` largest eigenvalues of the Hessian at x, from `guess`, rows near the eigenvectors."""
        if self.size <= DENSE:
            values, vectors = jnp.linalg.eigh(jax.hessian(self)(x))
            return Leading(values[::-1][:count], vectors.T[::-1][:count])
        _, multiply = jax.linearize(self.gradient, x)
        return _ritz(multiply, guess, count)


def flatten(loss: Loss, params: Pytree) -> tuple[FlatLoss, jax.Array]:
    """The loss as a function of one vector, the same one for parameters of the same shapes; the vector.

    Raises
    ------
    TypeError, ValueError
        If `params` are no floats, or the loss is not a function with a scalar value.
    """
    require_loss(loss, params)
    leaves, tree = jax.tree.flatten(jax.tree.map(jnp.asarray, params))
    shapes = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
    return _flat_loss(loss, tree, shapes), ravel_pytree(params)[0]


@lru_cache(maxsize=16)
def _flat_loss(loss: Loss, tree: Any, shapes: tuple[tuple[tuple[int, ...], Any], ...]) -> FlatLoss:
    leaves = [jnp.zeros(shape, dtype) for shape, dtype in shapes]
    return FlatLoss(loss, jax.tree.unflatten(tree, leaves))


@partial(jax.jit, static_argnums=(0, 3))
def leading(loss: FlatLoss, x: jax.Array, guess: jax.Array, count: int = 2) -> Leading:
    """`FlatLoss.leading`, compiled."""
    return loss.leading(x, guess, count)


def start(loss: FlatLoss, x: jax.Array, count: int = 2) -> Leading:
    """The leading eigenvectors where no guess is known."""
    found = leading(loss, x, jax.random.normal(jax.random.key(1), (count, loss.size), x.dtype), count)
    for _ in range(ROUNDS):
        before, found = found, leading(loss, x, found.vectors, count)
        if not abs(found.values - before.values).max() > SETTLED * abs(found.values).max():
            break
    return found


def _ritz(multiply: Any, guess: jax.Array, count: int) -> Leading:
    """Ritz values and vectors in the Krylov space of the sum of the guesses.

    The basis is made orthogonal twice. Where the space is invariant a random vector continues it.
    """
    steps, size = KRYLOV + 2 * (count - 2), guess.shape[1]
    fresh = jax.random.normal(jax.random.key(0), (steps, size), guess.dtype)
    start = guess.sum(axis=0) + 1e-3 * fresh[0] / jnp.linalg.norm(fresh[0])

    def extend(k: int, state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        basis, images = state
        candidate = jnp.where(k == 0, start, images[k - 1])
        for _ in range(2):
            length = jnp.linalg.norm(candidate)
            candidate = candidate / jnp.where(length > 0, length, 1)
            candidate = candidate - basis.T @ (basis @ candidate)
            small = jnp.linalg.norm(candidate) < 1e3 * jnp.finfo(guess.dtype).eps
            candidate = jnp.where(small, fresh[k] - basis.T @ (basis @ fresh[k]), candidate)
        candidate = candidate / jnp.linalg.norm(candidate)
        return basis.at[k].set(candidate), images.at[k].set(multiply(candidate))

    empty = jnp.zeros((steps, size), guess.dtype)
    basis, images = jax.lax.fori_loop(0, steps, extend, (empty, empty))
    projected = basis @ images.T
    values, small_vectors = jnp.linalg.eigh((projected + projected.T) / 2)
    vectors = small_vectors.T[::-1][:count] @ basis
    return Leading(values[::-1][:count], vectors)
