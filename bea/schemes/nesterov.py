"""Nesterov's method with constant momentum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bea.schemes.parametric import ParametricScheme, constant
from bea.schemes.scheme import Arithmetic, Field, Memory
from bea.systems.expressions import Value

__all__ = ["Nesterov"]


@dataclass(frozen=True, repr=False)
class Nesterov(ParametricScheme):
    """Gradient descent with Nesterov's momentum, which looks ahead before it takes the gradient [1]_, [2]_.

    The rule is m ↦ βm + f(x + hβm), x ↦ x + hm with f = −∇E. With v = hm this is the customary
    v ↦ βv − h∇E(x + βv), x ↦ x + v of [2]_, with a momentum β that stays the same. Once the velocity has
    forgotten its start, the iterates follow the gradient flow of
    E/(1−β) + h(1−β+2β²)/(4(1−β)³)‖∇E‖² up to O(h²).

    Parameters
    ----------
    beta : number, text or sympy.Expr, optional
        The momentum β; by default the symbol ``beta``. The memory contracts for |β| < 1.

    Notes
    -----
    Libraries of neural networks, as Optax with ``optax.sgd(h, momentum=β, nesterov=True)``, keep the points
    x + hβm at which the gradient is taken. Their equation has the same terms of the orders 1 and h, and at h²
    the further term −β(1+β)/(2(1−β)³) f''(f, f).

    References
    ----------
    .. [1] Y. E. Nesterov (1983), A method of solving a convex programming problem with convergence rate
           O(1/k²), Soviet Mathematics Doklady 27, 372–376.
    .. [2] I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013), On the importance of initialization and
           momentum in deep learning, International Conference on Machine Learning, Equations (3) and (4).

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> bea.modified_equation(loss, bea.Nesterov(beta="1/2"), order=1).terms[1]
    Matrix([[-4*x]])
    """

    beta: Value | str = constant("beta")

    name, vectors = "nesterov", 1

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """m ↦ βm + f(x + hβm), x ↦ x + hm."""
        (m,) = memory
        beta = arithmetic.number(self.beta)
        m = [beta * m_i for m_i in m]
        ahead = field([x_i + h * m_i for x_i, m_i in zip(x, m, strict=True)])
        m = [m_i + f_i for m_i, f_i in zip(m, ahead, strict=True)]
        return [x_i + h * m_i for x_i, m_i in zip(x, m, strict=True)], [m]
