"""Multilayer perceptrons as plain pytrees, and the losses by which they learn classes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bea.nets.pytrees import Pytree
from bea.numerics.arguments import read_positive, read_rng

__all__ = ["ACTIVATIONS", "LAWS", "MLP", "accuracy", "cross_entropy", "squared_error", "stack"]

#: Activations by name.
ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "elu": jax.nn.elu,
    "gelu": jax.nn.gelu,
    "identity": lambda x: x,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "softplus": jax.nn.softplus,
    "tanh": jnp.tanh,
}

#: The variance of the initial weights of a layer with so many inputs and outputs, by the name of its law.
LAWS: dict[str, Callable[[int, int], float]] = {
    "lecun": lambda inputs, outputs: 1 / inputs,
    "he": lambda inputs, outputs: 2 / inputs,
    "glorot": lambda inputs, outputs: 2 / (inputs + outputs),
}


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron: affine layers with an activation between them.

    Attributes
    ----------
    widths : tuple of int
        The numbers of inputs, of units in each hidden layer, and of outputs.
    activation : str, default "tanh"
        One of ``bea.nets.models.ACTIVATIONS``.
    law : {"lecun", "he", "glorot"}
        The law of the initial weights: normal with mean 0 and variance gain² / inputs, 2 gain² / inputs or
        2 gain² / (inputs + outputs) of their layer [1]_, [2]_, [3]_. Biases start at 0.
    gain : float, default 1.0

    Raises
    ------
    ValueError, TypeError
        If a width is no positive integer, there are fewer than two, or a name is not known.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller (1998), Efficient BackProp, Neural Networks: Tricks
           of the Trade, Springer.
    .. [2] K. He, X. Zhang, S. Ren and J. Sun (2015), Delving deep into rectifiers, IEEE International
           Conference on Computer Vision.
    .. [3] X. Glorot and Y. Bengio (2010), Understanding the difficulty of training deep feedforward neural
           networks, International Conference on Artificial Intelligence and Statistics.

    Examples
    --------
    >>> from bea.nets.models import MLP
    >>> model = MLP((64, 32, 10))
    >>> params = model.init(rng=0)
    >>> model.size, params[0]["weights"].shape
    (2410, (64, 32))
    """

    widths: tuple[int, ...]
    activation: str = "tanh"
    law: str = "lecun"
    gain: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "widths", _read_widths(self.widths))
        for name, value, known in (("activation", self.activation, ACTIVATIONS), ("law", self.law, LAWS)):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, not {value!r}")
        read_positive(self.gain, "gain")

    @property
    def size(self) -> int:
        """The number of parameters."""
        return sum((inputs + 1) * outputs for inputs, outputs in pairwise(self.widths))

    def init(self, rng: int | np.random.Generator | None = 0) -> list[dict[str, jax.Array]]:
        """Parameters drawn from the law, a dict of ``weights`` (inputs, outputs) and ``bias`` for each layer.

        They are drawn in double precision and rounded to the precision in which JAX works.

        Parameters
        ----------
        rng : int, numpy.random.Generator or None, default 0
            Randomness, as in NumPy.
        """
        generator = read_rng(rng)
        layers = []
        for inputs, outputs in pairwise(self.widths):
            deviation = self.gain * np.sqrt(LAWS[self.law](inputs, outputs))
            weights = deviation * generator.standard_normal((inputs, outputs))
            layers.append({"weights": jnp.asarray(weights), "bias": jnp.asarray(np.zeros(outputs))})
        return layers

    def apply(self, params: Pytree, x: Any) -> jax.Array:
        """The outputs, shape (…, widths[-1]), for inputs of shape (…, widths[0])."""
        activation = ACTIVATIONS[self.activation]
        *hidden, last = params
        for layer in hidden:
            x = activation(x @ layer["weights"] + layer["bias"])
        return x @ last["weights"] + last["bias"]


def _read_widths(widths: Any) -> tuple[int, ...]:
    if isinstance(widths, str) or not isinstance(widths, Sequence | np.ndarray):
        raise TypeError(f"widths must be a sequence of integers, such as (64, 32, 10), not {widths!r}")
    for width in widths:
        if isinstance(width, bool) or not isinstance(width, int | np.integer) or width < 1:
            raise ValueError(f"every width must be a positive integer, not {width!r}")
    if len(widths) < 2:
        raise ValueError(f"widths must hold the numbers of inputs and outputs at least, not {widths!r}")
    return tuple(int(width) for width in widths)


def cross_entropy(outputs: Any, labels: Any) -> jax.Array:
    """The mean of −log of the probability that the softmax of the outputs gives to the labels.

    Parameters
    ----------
    outputs : array of shape (n, classes)
    labels : integer array of shape (n,)
        From 0 to classes − 1.

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit, or labels are no integers; outside compiled functions also if a label is
        none of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from bea.nets.models import cross_entropy
    >>> round(float(cross_entropy(np.zeros((3, 10)), np.array([1, 5, 9]))), 5) == round(float(np.log(10)), 5)
    True
    """
    outputs = jnp.asarray(outputs)
    chosen = _unit_vectors(labels, outputs)
    return -jnp.mean(jnp.sum(chosen * jax.nn.log_softmax(outputs), axis=-1))


def squared_error(outputs: Any, labels: Any) -> jax.Array:
    """Half the mean of ‖outputs − e‖², where e is the unit vector of the label.

    Parameters
    ----------
    outputs : array of shape (n, classes)
    labels : integer array of shape (n,)
        From 0 to classes − 1.

    Raises
    ------
    ValueError, TypeError
        As for `cross_entropy`.

    Examples
    --------
    >>> import numpy as np
    >>> from bea.nets.models import squared_error
    >>> float(squared_error(np.zeros((3, 10)), np.array([1, 5, 9])))
    0.5
    """
    outputs = jnp.asarray(outputs)
    chosen = _unit_vectors(labels, outputs)
    return jnp.mean(jnp.sum((outputs - chosen) ** 2, axis=-1)) / 2


def _unit_vectors(labels: Any, outputs: jax.Array) -> jax.Array:
    """The unit vector of each label."""
    traced, classes = isinstance(labels, jax.core.Tracer), outputs.shape[-1]
    labels = labels if traced else np.asarray(labels)
    if labels.shape != outputs.shape[:-1]:
        raise ValueError(f"labels of shape {labels.shape} do not fit to outputs of shape {outputs.shape}")
    if not jnp.issubdtype(labels.dtype, jnp.integer):
        raise TypeError(f"labels must be integers, not {labels.dtype}")
    if not traced and ((labels < 0) | (labels >= classes)).any():
        raise ValueError(
            f"labels must be from 0 to {classes - 1}, but they go from {labels.min()} to {labels.max()}"
        )
    return jax.nn.one_hot(labels, classes, dtype=outputs.dtype)


def accuracy(outputs: Any, labels: Any) -> jax.Array:
    """The share of examples whose largest output is that of the label."""
    outputs = jnp.asarray(outputs)
    return jnp.mean((jnp.argmax(outputs, axis=-1) == labels).astype(outputs.dtype))


def stack(members: Sequence[Pytree]) -> Pytree:
    """Pytrees of the same structure as one, whose arrays have the members along a new first axis.

    Examples
    --------
    >>> from bea.nets.models import MLP, stack
    >>> several = stack([MLP((3, 2)).init(seed) for seed in range(5)])
    >>> several[0]["weights"].shape
    (5, 3, 2)
    """
    if not members:
        raise ValueError("there must be one member or more to stack, but there is none")
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *members)
