"""The proximal point method."""

from __future__ import annotations

from bea.schemes.implicit import ImplicitEuler

__all__ = ["ProximalPoint"]


class ProximalPoint(ImplicitEuler):
    """The proximal point method, x ↦ argmin_y E(y) + ‖y − x‖²/(2h) [1]_, [2]_.

    It is the implicit Euler method on the gradient flow: the minimum y solves y = x − h∇E(y).

    References
    ----------
    .. [1] R. T. Rockafellar (1976), Monotone operators and the proximal point algorithm, SIAM Journal on
           Control and Optimization 14, 877–898.
    .. [2] B. Martinet (1970), Régularisation d'inéquations variationnelles par approximations successives,
           Revue française d'informatique et de recherche opérationnelle 4(R3), 154–158.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> bea.modified_equation(loss, bea.schemes.ProximalPoint(), order=1).loss.terms[1]
    -x**2/4
    """

    name = "proximal-point"
