"""Simultaneous play of gradient descent."""

from __future__ import annotations

from bea.schemes.explicit import ExplicitEuler

__all__ = ["SimultaneousDescent"]


class SimultaneousDescent(ExplicitEuler):
    """Simultaneous play: all players descend their own loss at once, from the same point [1]_, [2]_.

    It is the explicit Euler method on the joint field of a `Game`, and applies to any other system as well.
    Its modified field is f − (h/2) f'f + …: in a zero-sum game each player is drawn to where its own gradient
    is small, and to where that of its opponent is large [2]_.

    References
    ----------
    .. [1] L. Mescheder, S. Nowozin and A. Geiger (2017), The numerics of GANs, Advances in Neural Information
           Processing Systems 30, Algorithm 1.
    .. [2] M. Rosca, Y. Wu, B. Dherin and D. G. T. Barrett (2021), Discretization drift in two-player games,
           International Conference on Machine Learning, Theorem 3.1.

    Examples
    --------
    >>> import bea
    >>> game = bea.Game(["x*y", "-x*y"], players=["x", "y"])
    >>> bea.modified_equation(game, bea.SimultaneousDescent(), order=1).terms[1].T
    Matrix([[x/2, y/2]])
    """

    name = "simultaneous-descent"
