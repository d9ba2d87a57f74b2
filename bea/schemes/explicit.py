"""Explicit Runge–Kutta methods, by order."""

from __future__ import annotations

import sympy

from bea.schemes.named_tableau import NamedTableau
from bea.schemes.runge_kutta import RungeKutta
from bea.systems.expressions import Value, read_expression

__all__ = [
    "RK4",
    "SSPRK22",
    "SSPRK33",
    "ExplicitEuler",
    "ExplicitMidpoint",
    "Heun",
    "Heun3",
    "Kutta3",
    "Ralston",
    "Ralston3",
    "SecondOrder",
    "ThreeEighths",
]


class ExplicitEuler(NamedTableau):
    """The explicit Euler method, of order 1 [1]_, [2]_.

    References
    ----------
    .. [1] L. Euler (1768), Institutionum calculi integralis volumen primum, St. Petersburg, Section II,
           Chapter VII.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section I.7.
    """

    name, order = "explicit-euler", 1
    tableau = """
        0 |
        -----
          | 1
    """


class ExplicitMidpoint(NamedTableau):
    """The explicit midpoint rule of Runge, of order 2 [1]_, [2]_.

    References
    ----------
    .. [1] C. Runge (1895), Ueber die numerische Auflösung von Differentialgleichungen, Mathematische
           Annalen 46, 167–178.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section II.1, Equation (1.4) and Table 1.1.
    """

    name, order = "explicit-midpoint", 2
    tableau = """
        0   |
        1/2 | 1/2
        -----------
            | 0   1
    """


class Heun(NamedTableau):
    """Heun's method of order 2, also called the explicit trapezoidal rule or improved Euler [1]_.

    References
    ----------
    .. [1] K. Heun (1900), Neue Methoden zur approximativen Integration der Differentialgleichungen einer
           unabhängigen Veränderlichen, Zeitschrift für Mathematik und Physik 45, 23–38.
    """

    name, order = "heun", 2
    tableau = """
        0 |
        1 | 1
        -------------
          | 1/2   1/2
    """


class Ralston(NamedTableau):
    """Ralston's method of order 2, with the least bound on the local error [1]_.

    References
    ----------
    .. [1] A. Ralston (1962), Runge–Kutta methods with minimum error bounds, Mathematics of Computation 16,
           431–437.
    """

    name, order = "ralston", 2
    tableau = """
        0   |
        2/3 | 2/3
        ---------------
            | 1/4   3/4
    """


class SecondOrder(RungeKutta):
    """The explicit two-stage methods of order 2, a family with one parameter α ≠ 0 [1]_, [2]_.

    Parameters
    ----------
    alpha : number, str or sympy.Expr, optional
        The node α; by default it stays the symbol ``alpha``.

    Notes
    -----
    It holds the explicit midpoint rule (α = 1/2), Ralston's method (α = 2/3) and Heun's (α = 1).

    References
    ----------
    .. [1] A. Ralston (1962), Runge–Kutta methods with minimum error bounds, Mathematics of Computation 16,
           431–437.
    .. [2] J. C. Butcher (2016), Numerical Methods for Ordinary Differential Equations, 3rd ed., Wiley,
           Section 23.

    Examples
    --------
    >>> from bea.schemes import Heun, SecondOrder
    >>> SecondOrder().b
    Matrix([
    [1 - 1/(2*alpha)],
    [    1/(2*alpha)]])
    >>> SecondOrder(alpha=1) == Heun()
    True
    """

    name, order = "second-order", 2

    def __init__(self, alpha: Value | str = "alpha") -> None:
        node = read_expression(alpha)
        if node == 0:
            raise ValueError("the node alpha of the second-order family must not be 0")
        weight = 1 / (2 * node)
        super().__init__([[0, 0], [node, 0]], [1 - weight, weight], name=self.name, order=self.order)

    @property
    def alpha(self) -> sympy.Expr:
        """The node α."""
        return self.A[1, 0]

    def __repr__(self) -> str:
        return f"SecondOrder(alpha={str(self.alpha)!r})"


class SSPRK22(NamedTableau):
    """The strong-stability-preserving method with 2 stages, of order 2 [1]_, [2]_.

    Its tableau is Heun's.

    References
    ----------
    .. [1] C.-W. Shu and S. Osher (1988), Efficient implementation of essentially non-oscillatory
           shock-capturing schemes, Journal of Computational Physics 77, 439–471.
    .. [2] S. Gottlieb, C.-W. Shu and E. Tadmor (2001), Strong stability-preserving high-order time
           discretization methods, SIAM Review 43, 89–112.
    """

    name, order = "ssprk22", 2
    tableau = """
        0 |
        1 | 1
        -------------
          | 1/2   1/2
    """


class SSPRK33(NamedTableau):
    """The strong-stability-preserving method with 3 stages, of order 3 [1]_, [2]_.

    References
    ----------
    .. [1] C.-W. Shu and S. Osher (1988), Efficient implementation of essentially non-oscillatory
           shock-capturing schemes, Journal of Computational Physics 77, 439–471.
    .. [2] S. Gottlieb, C.-W. Shu and E. Tadmor (2001), Strong stability-preserving high-order time
           discretization methods, SIAM Review 43, 89–112.
    """

    name, order = "ssprk33", 3
    tableau = """
        0   |
        1   | 1
        1/2 | 1/4   1/4
        ---------------------
            | 1/6   1/6   2/3
    """


class Kutta3(NamedTableau):
    """Kutta's method of order 3 [1]_.

    References
    ----------
    .. [1] W. Kutta (1901), Beitrag zur näherungsweisen Integration totaler Differentialgleichungen,
           Zeitschrift für Mathematik und Physik 46, 435–453.
    """

    name, order = "kutta3", 3
    tableau = """
        0   |
        1/2 | 1/2
        1   | -1    2
        ---------------------
            | 1/6   2/3   1/6
    """


class Heun3(NamedTableau):
    """Heun's method of order 3 [1]_, [2]_.

    References
    ----------
    .. [1] K. Heun (1900), Neue Methoden zur approximativen Integration der Differentialgleichungen einer
           unabhängigen Veränderlichen, Zeitschrift für Mathematik und Physik 45, 23–38.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section II.1, Table 1.1.
    """

    name, order = "heun3", 3
    tableau = """
        0   |
        1/3 | 1/3
        2/3 | 0     2/3
        ---------------------
            | 1/4   0     3/4
    """


class Ralston3(NamedTableau):
    """Ralston's method of order 3, with the least bound on the local error [1]_.

    References
    ----------
    .. [1] A. Ralston (1962), Runge–Kutta methods with minimum error bounds, Mathematics of Computation 16,
           431–437.
    """

    name, order = "ralston3", 3
    tableau = """
        0   |
        1/2 | 1/2
        3/4 | 0     3/4
        ---------------------
            | 2/9   1/3   4/9
    """


class RK4(NamedTableau):
    """The classical Runge–Kutta method, of order 4 [1]_, [2]_.

    References
    ----------
    .. [1] W. Kutta (1901), Beitrag zur näherungsweisen Integration totaler Differentialgleichungen,
           Zeitschrift für Mathematik und Physik 46, 435–453.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section II.1, Table 1.2.
    """

    name, order = "rk4", 4
    tableau = """
        0   |
        1/2 | 1/2
        1/2 | 0     1/2
        1   | 0     0     1
        ---------------------------
            | 1/6   1/3   1/3   1/6
    """


class ThreeEighths(NamedTableau):
    """The 3/8-rule of Kutta, of order 4 [1]_, [2]_.

    References
    ----------
    .. [1] W. Kutta (1901), Beitrag zur näherungsweisen Integration totaler Differentialgleichungen,
           Zeitschrift für Mathematik und Physik 46, 435–453.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section II.1, Table 1.2.
    """

    name, order = "three-eighths", 4
    tableau = """
        0   |
        1/3 | 1/3
        2/3 | -1/3  1
        1   | 1     -1    1
        ---------------------------
            | 1/8   3/8   3/8   1/8
    """
