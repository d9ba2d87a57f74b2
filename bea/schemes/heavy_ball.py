"""The heavy-ball method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bea.schemes.parametric import ParametricScheme, constant
from bea.schemes.scheme import Arithmetic, Field, Memory
from bea.systems.expressions import Value

__all__ = ["HeavyBall"]


@dataclass(frozen=True, repr=False)
class HeavyBall(ParametricScheme):
    """Gradient descent with momentum: Polyak's heavy ball [1]_.

    The velocity m and the position x are updated by m ↦ βm + f(x), x ↦ x + hm with f = −∇E. With v = hm this
    is the customary v ↦ βv − h∇E(x), x ↦ x + v. Once the velocity has forgotten its start, the iterates
    follow the gradient flow of E/(1−β) + h(1+β)/(4(1−β)³)‖∇E‖² up to O(h²) [2]_.

    Parameters
    ----------
    beta : number, text or sympy.Expr, optional
        The momentum β; by default the symbol ``beta``. The memory contracts for |β| < 1.

    References
    ----------
    .. [1] B. T. Polyak (1964), Some methods of speeding up the convergence of iteration methods, USSR
           Computational Mathematics and Mathematical Physics 4(5), 1–17.
    .. [2] A. Ghosh, H. Lyu, X. Zhang and R. Wang (2023), Implicit regularization in heavy-ball momentum
           accelerated stochastic gradient descent, International Conference on Learning Representations.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> bea.modified_equation(loss, bea.HeavyBall(beta="1/2"), order=1).terms[1]
    Matrix([[-6*x]])
    """

    beta: Value | str = constant("beta")

    name, vectors = "heavy-ball", 1

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """m ↦ βm + f(x), x ↦ x + hm."""
        (m,) = memory
        beta = arithmetic.number(self.beta)
        m = [beta * m_i + f_i for m_i, f_i in zip(m, field(x), strict=True)]
        return [x_i + h * m_i for x_i, m_i in zip(x, m, strict=True)], [m]
