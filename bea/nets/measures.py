"""What is measured of a classifier while it trains: its loss, its slope, its flatness and its robustness.

All are functions of the parameters that JAX can trace: one compiled call measures many networks. They are the
definitions of `bea.nets.regularizer`, `slope`, `sharpness`, `hessian_trace` and `robustness`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
from jax.flatten_util import ravel_pytree

from bea.nets.models import MLP, accuracy, cross_entropy, squared_error
from bea.nets.pytrees import Pytree

__all__ = ["OBJECTIVES", "Classifier", "classifier"]

#: Losses by name.
OBJECTIVES: dict[str, Callable[[Any, Any], jax.Array]] = {
    "cross-entropy": cross_entropy,
    "squared-error": squared_error,
}
#: Hessian–vector products for the sharpness, by Lanczos, and for the trace, by Hutchinson.
LANCZOS, PROBES = 24, 32
#: Perturbed networks for the robustness, and by how much of its size a parameter is perturbed, as a standard
#: deviation.
PERTURBATIONS, SCALE = 32, 0.4


@dataclass(frozen=True, eq=False)
class Classifier:
    """A perceptron with the loss that it is trained on; see `classifier`.

    Attributes
    ----------
    model : MLP
    objective : {"cross-entropy", "squared-error"}
    """

    model: MLP
    objective: str = "cross-entropy"

    def loss(self, params: Pytree, x: Any, y: Any) -> jax.Array:
        """E, the mean over the examples."""
        return OBJECTIVES[self.objective](self.model.apply(params, x), y)

    def measures(self, params: Pytree, context: tuple[Any, Any, Any, Any]) -> dict[str, jax.Array]:
        """All measures of a network; the context is (x, y, x_test, y_test).

        ``loss``, ``test_loss``, ``accuracy`` and ``test_accuracy``; ``regularizer``, ‖∇E‖²/m, with ``ratio``
        for it over the loss; ``slope``, ‖∇E‖; ``sharpness`` and ``trace`` of the Hessian; ``perturbed_loss``
        and ``perturbed_accuracy``, the mean of E and of the accuracy in the test over perturbed parameters;
        and ``norm``, that of the parameters.
        """
        x, y, x_test, y_test = context
        flat, unravel = ravel_pytree(params)

        def loss(point: jax.Array) -> jax.Array:
            return self.loss(unravel(point), x, y)

        def test_accuracy(point: jax.Array) -> jax.Array:
            return accuracy(self.model.apply(unravel(point), x_test), y_test)

        value, g = jax.value_and_grad(loss)(flat)

        def product(v: jax.Array) -> jax.Array:
            return jax.jvp(jax.grad(loss), (flat,), (v,))[1]

        def perturbed(key: jax.Array) -> tuple[jax.Array, jax.Array]:
            moved = flat * (1 + SCALE * jax.random.normal(key, flat.shape, flat.dtype))
            return loss(moved), test_accuracy(moved)

        losses, accuracies = jax.lax.map(perturbed, jax.random.split(jax.random.key(1), PERTURBATIONS))
        return {
            "loss": value,
            "test_loss": self.loss(params, x_test, y_test),
            "accuracy": accuracy(self.model.apply(params, x), y),
            "test_accuracy": test_accuracy(flat),
            "regularizer": g @ g / flat.size,
            "ratio": g @ g / flat.size / value,
            "slope": jnp.sqrt(g @ g),
            "sharpness": largest_eigenvalue(product, flat),
            "trace": trace(product, flat),
            "perturbed_loss": losses.mean(),
            "perturbed_accuracy": accuracies.mean(),
            "norm": jnp.sqrt(flat @ flat),
        }


def classifier(
    widths: Sequence[int],
    objective: str = "cross-entropy",
    activation: str = "tanh",
    law: str = "lecun",
    gain: float = 1.0,
) -> Classifier:
    """A perceptron with its loss; the same arguments give the same object, which is compiled once.

    Parameters
    ----------
    widths : sequence of int
        The numbers of inputs, of units in each hidden layer, and of classes.
    objective : {"cross-entropy", "squared-error"}
    activation, law, gain
        As for `MLP`.

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Examples
    --------
    >>> from bea.nets.measures import classifier
    >>> classifier((64, 8, 10)).model.size
    610
    """
    if objective not in OBJECTIVES:
        raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}, not {objective!r}")
    return _classifier(MLP(tuple(widths), activation, law, gain), objective)


@lru_cache(maxsize=64)
def _classifier(model: MLP, objective: str) -> Classifier:
    return Classifier(model, objective)


def largest_eigenvalue(
    product: Callable[[jax.Array], jax.Array], like: jax.Array, count: int = LANCZOS
) -> jax.Array:
    """The largest eigenvalue of a symmetric matrix from its products with vectors, by Lanczos.

    Every vector is made orthogonal to all before. The value is a lower bound, sharp where the largest
    eigenvalue is apart from the others.
    """
    count = min(count, like.size)
    first = jax.random.normal(jax.random.key(0), like.shape, like.dtype)
    basis = jnp.zeros((count + 1, like.size), like.dtype).at[0].set(first / jnp.linalg.norm(first))

    def iteration(k: Any, carry: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        basis, image = carry
        u = product(basis[k])
        image = image.at[k].set(basis[:count] @ u)
        for _ in range(2):
            u = u - basis.T @ (basis @ u)
        length = jnp.linalg.norm(u)
        return basis.at[k + 1].set(jnp.where(length > 0, u / length, u)), image

    _, image = jax.lax.fori_loop(0, count, iteration, (basis, jnp.zeros((count, count), like.dtype)))
    symmetric = jnp.tril(image) + jnp.tril(image, -1).T
    return jnp.linalg.eigvalsh(symmetric)[-1]


def trace(product: Callable[[jax.Array], jax.Array], like: jax.Array, count: int = PROBES) -> jax.Array:
    """The trace of a matrix from its products with vectors, by Hutchinson, always with the same signs."""

    def form(key: jax.Array) -> jax.Array:
        v = jax.random.rademacher(key, like.shape, like.dtype)
        return v @ product(v)

    return jax.lax.map(form, jax.random.split(jax.random.key(2), count)).mean()
