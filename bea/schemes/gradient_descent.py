"""Gradient descent."""

from __future__ import annotations

from bea.schemes.explicit import ExplicitEuler

__all__ = ["GradientDescent"]


class GradientDescent(ExplicitEuler):
    """Gradient descent, x ↦ x − h∇E(x) [1]_.

    It is the explicit Euler method on the gradient flow ẋ = −∇E(x), with the learning rate as step size;
    this is how backward error analysis looks at it [2]_. The field that it steps along is −∇E, so it also
    applies to vector fields that are no gradients, as in games.

    References
    ----------
    .. [1] A. Cauchy (1847), Méthode générale pour la résolution des systèmes d'équations simultanées,
           Comptes rendus de l'Académie des sciences 25, 536–538.
    .. [2] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Section 2.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> bea.iterate(loss, bea.GradientDescent(), [1.0], step_size=0.5, steps=3).x[:, 0]
    array([1.   , 0.5  , 0.25 , 0.125])
    """

    name = "gradient-descent"
