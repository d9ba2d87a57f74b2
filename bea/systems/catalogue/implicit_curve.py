"""A curve in the plane, given implicitly, as the zeros of a loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from bea.systems.catalogue.data import implicit_loss
from bea.systems.loss import Loss

__all__ = ["implicit_curve"]


def implicit_curve(
    F: str | sympy.Expr = "x**2 + y**2/4 - 1",
    variables: str | Sequence[str | sympy.Symbol] = "x y",
    parameters: Mapping[Any, object] | None = None,
) -> Loss:
    r"""The loss E = ½ F(x, y)², whose zeros are the curve F = 0.

    Parameters
    ----------
    F : str or sympy.Expr, optional
        The function, by default that of an ellipse. Text is parsed, never evaluated.
    variables : str or sequence of str or sympy.Symbol, optional
        The names of the two coordinates.
    parameters : mapping from name to number, optional
        Values for the other symbols of F.

    Returns
    -------
    Loss
        With a zero-loss set of dimension 1 wherever ∇F ≠ 0 on it.

    Raises
    ------
    ValueError, TypeError
        If there are not two variables, or F depends on neither.

    References
    ----------
    .. [1] Z. Li, T. Wang and S. Arora, "What happens after SGD reaches zero loss? A mathematical framework",
       International Conference on Learning Representations, 2022.

    Examples
    --------
    >>> from bea import catalogue
    >>> loss = catalogue.implicit_curve("y - x**3")
    >>> loss.expression
    (-x**3 + y)**2/2
    >>> loss.zero_loss_set.contains([0.5, 0.125])
    True
    """
    return implicit_loss(F, variables, parameters, 2, "the curve F = 0")
