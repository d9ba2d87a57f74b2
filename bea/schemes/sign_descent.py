"""Sign descent, smoothed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bea.schemes.adaptive import divided_by_root
from bea.schemes.parametric import ParametricScheme, constant
from bea.schemes.scheme import Arithmetic, Field
from bea.systems.expressions import Value

__all__ = ["SmoothSignDescent"]


@dataclass(frozen=True, repr=False)
class SmoothSignDescent(ParametricScheme):
    """Descent along the smoothed signs of the gradient, x ↦ x − h g/√(g² + ε) with g = ∇E [1]_, [2]_.

    For ε → 0 it is sign descent, x ↦ x − h sign(g). It is RMSProp and Adam without memory.

    Parameters
    ----------
    eps : number, text or sympy.Expr, optional
        The ε in the denominator; by default the symbol ``eps``.

    References
    ----------
    .. [1] J. Bernstein, Y.-X. Wang, K. Azizzadenesheli and A. Anandkumar (2018), signSGD: compressed
           optimisation for non-convex problems, International Conference on Machine Learning.
    .. [2] C. Ma, L. Wu and W. E (2022), A qualitative study of the dynamic behavior for adaptive gradient
           algorithms, Proceedings of Machine Learning Research 145, 671–692.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> bea.modified_equation(loss, bea.schemes.SmoothSignDescent(eps=1), order=1).terms[1]
    Matrix([[-x/(2*(x**2 + 1)**2)]])
    """

    eps: Value | str = constant("eps")

    name = "sign-descent"

    def step(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """x ↦ x + h f/√(f² + ε)."""
        f = field(x)
        step = divided_by_root(f, [f_i * f_i for f_i in f], self.eps, True, arithmetic)
        return [x_i + h * s_i for x_i, s_i in zip(x, step, strict=True)]
