"""A sum of products fitted to one number: the smallest loss on whose zeros injected noise can travel."""

from __future__ import annotations

import sympy

from bea.systems.catalogue.data import numbered, read_count
from bea.systems.expressions import Value
from bea.systems.loss import Loss

__all__ = ["sum_of_products"]


def sum_of_products(n: int = 3, y: Value = 1) -> Loss:
    r"""The loss E(a, b) = ½ (a₁b₁ + … + aₙbₙ − y)².

    Parameters
    ----------
    n : int, optional
        The number of products.
    y : number, optional
        The target. It stays a symbol of the loss; this is its value.

    Returns
    -------
    Loss
        In the variables a1, …, an, b1, …, bn. Its zero-loss set is a quadric of dimension 2n − 1, which for y
        = 0 is a cone, singular at the origin.

    Raises
    ------
    ValueError, TypeError
        If n is no positive integer.

    References
    ----------
    .. [1] A. Shalova, A. Schlichting and M. Peletier, "Singular-limit analysis of gradient descent with noise
       injection", 2024.

    Examples
    --------
    >>> from bea import catalogue
    >>> loss = catalogue.sum_of_products(n=2)
    >>> loss.expression
    (a1*b1 + a2*b2 - y)**2/2
    >>> loss.zero_loss_set.dimension
    3
    """
    count = read_count(n, "n")
    a, b = numbered("a", count), numbered("b", count)
    total = sympy.Add(*[a_j * b_j for a_j, b_j in zip(a, b, strict=True)])
    return Loss.from_residuals(
        [total - sympy.Symbol("y")], a + b, {"y": y}, description="the quadric Σ a_j b_j = y"
    )
