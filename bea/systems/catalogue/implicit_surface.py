"""A surface in space, given implicitly, as the zeros of a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from bea.systems.catalogue.data import implicit_loss
from bea.systems.loss import Loss

__all__ = ["implicit_surface"]


def implicit_surface(
    F: str | sympy.Expr = "x**2 + y**2/4 + z**2/9 - 1",
    variables: str | Sequence[str | sympy.Symbol] = "x y z",
    parameters: Mapping[Any, object] | None = None,
) -> Loss:
    r"""The loss E = ½ F(x, y, z)², whose zeros are the surface F = 0.

    Parameters
    ----------
    F : str or sympy.Expr, optional
        The function, by default that of an ellipsoid. Text is parsed, never evaluated.
    variables : str or sequence of str or sympy.Symbol, optional
        The names of the three coordinates.
    parameters : mapping from name to number, optional
        Values for the other symbols of F.

    Returns
    -------
    Loss
        With a zero-loss set of dimension 2 wherever ∇F ≠ 0 on it.

    Raises
    ------
    ValueError, TypeError
        If there are not three variables, or F depends on none.

    References
    ----------
    .. [1] Z. Li, T. Wang and S. Arora, "What happens after SGD reaches zero loss? A mathematical framework",
       International Conference on Learning Representations, 2022.

    Examples
    --------
    >>> from bea import catalogue
    >>> loss = catalogue.implicit_surface("z - k*x*y", parameters={"k": 2})
    >>> loss.zero_loss_set.dimension
    2
    >>> loss.zero_loss_set.contains([1.0, 0.5, 1.0])
    True
    """
    return implicit_loss(F, variables, parameters, 3, "the surface F = 0")
