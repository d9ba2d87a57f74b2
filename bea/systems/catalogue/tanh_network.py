"""A small neural network with one hidden layer, the nonpolynomial member of the catalogue."""

from __future__ import annotations

import numpy as np
import sympy
from numpy.typing import ArrayLike

from bea.systems.catalogue.data import exact, numbered, read_array, read_count
from bea.systems.loss import Loss

__all__ = ["tanh_network"]


def tanh_network(x: ArrayLike = (-1, 0, 1), y: ArrayLike = (-0.5, 0, 0.5), width: int = 2) -> Loss:
    r"""The loss E(a, w, b) = (1/2n) Σᵢ (f(xᵢ) − yᵢ)² of the network f(x) = Σⱼ aⱼ tanh(wⱼ x + bⱼ).

    Parameters
    ----------
    x : array_like, shape (n,), optional
        Inputs, all different, read exactly as their decimals spell them.
    y : array_like, shape (n,), optional
        Outputs.
    width : int, optional
        The number of hidden units; 3 · width must exceed n.

    Returns
    -------
    Loss
        In the variables a1, …, w1, …, b1, …, `width` of each. Its zero-loss set has dimension 3 · width − n
        at its regular points.

    Raises
    ------
    ValueError, TypeError
        If the data do not match, an input is repeated, or there are too few weights.

    Notes
    -----
    With a width of at least n a zero exists for every y, since n translates and dilates of tanh, chosen
    well, are linearly independent on n inputs. A smaller width may leave the zero-loss set empty; then
    `sample` says so. The network is the same after a permutation of its units and after a change of all signs
    in one of them.

    References
    ----------
    .. [1] A. Pinkus, "Approximation theory of the MLP model in neural networks", Acta Numerica, 1999, Theorem
       5.1.

    Examples
    --------
    >>> from bea import catalogue
    >>> loss = catalogue.tanh_network(x=[0, 1], y=[0, 0.5], width=1)
    >>> loss.zero_loss_set.residuals
    (a1*tanh(b1), a1*tanh(b1 + w1) - 1/2)
    >>> loss.zero_loss_set.dimension
    1
    """
    inputs, outputs, k = read_array(x, 1, "x"), read_array(y, 1, "y"), read_count(width, "width")
    n = len(inputs)
    if len(outputs) != n:
        raise ValueError(f"x has {n} entries but y has {len(outputs)}")
    if len(np.unique(inputs)) < n:
        raise ValueError(f"the inputs x must all be different, not {inputs.tolist()}")
    if 3 * k <= n:
        raise ValueError(
            f"{n} data need a width above {n / 3:.4g} for a zero-loss set of positive dimension, not {k}"
        )
    a, w, b = numbered("a", k), numbered("w", k), numbered("b", k)
    units = list(zip(a, w, b, strict=True))
    residuals = [
        sympy.Add(*[a_j * sympy.tanh(w_j * x_i + b_j) for a_j, w_j, b_j in units], -y_i)
        for x_i, y_i in zip(exact(inputs), exact(outputs), strict=True)
    ]
    return Loss.from_residuals(
        residuals, a + w + b, scale=sympy.Rational(1, 2 * n), description="the networks through all data"
    )
