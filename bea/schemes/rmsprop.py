"""RMSProp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bea.schemes.adaptive import divided_by_root, running_mean
from bea.schemes.parametric import ParametricScheme, constant
from bea.schemes.scheme import Arithmetic, Field, Memory
from bea.systems.expressions import Value

__all__ = ["RMSProp"]


@dataclass(frozen=True, repr=False)
class RMSProp(ParametricScheme):
    """RMSProp, which divides the gradient by the root of the running mean of its square [1]_, [2]_.

    With f = −∇E, in every variable

        v ↦ βv + (1 − β)f(x)²,   x ↦ x + h f(x)/√(v + ε).

    Parameters
    ----------
    beta : number, text or sympy.Expr, optional
        How much of the running mean is kept; by default the symbol ``beta``.
    eps : number, text or sympy.Expr, optional
        The ε in the denominator; by default the symbol ``eps``.
    inside : bool, default True
        Whether the denominator is √(v + ε), which is smooth, or √v + ε. The latter is not smooth where a
        component of the gradient vanishes; formulas then hold where none does, and write |f| as √(f²).

    Notes
    -----
    The modified equation is known for a general β and ε from [2]_, with bounds on the error.

    References
    ----------
    .. [1] T. Tieleman and G. Hinton (2012), Lecture 6.5: RMSProp, Coursera: Neural Networks for Machine
           Learning.
    .. [2] M. D. Cattaneo, J. M. Klusowski and B. Shigida (2024), On the implicit bias of Adam, International
           Conference on Machine Learning.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> bea.modified_equation(loss, bea.schemes.RMSProp("1/2", 3), order=0).terms[0]
    Matrix([[-x/sqrt(x**2 + 3)]])
    """

    beta: Value | str = constant("beta")
    eps: Value | str = constant("eps")
    inside: bool = True

    name, vectors = "rmsprop", 1

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """v ↦ βv + (1 − β)f², x ↦ x + h f/√(v + ε)."""
        (v,) = memory
        f = field(x)
        v = running_mean(v, [f_i * f_i for f_i in f], self.beta, arithmetic)
        step = divided_by_root(f, v, self.eps, self.inside, arithmetic)
        return [x_i + h * s_i for x_i, s_i in zip(x, step, strict=True)], [v]
