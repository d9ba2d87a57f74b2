"""Implicit Runge–Kutta methods of one stage, the trapezoidal rule, and the methods of Gauss."""

from __future__ import annotations

from bea.schemes.named_tableau import NamedTableau, member

__all__ = ["Gauss", "Gauss2", "Gauss3", "ImplicitEuler", "ImplicitMidpoint", "Trapezoidal"]


class ImplicitEuler(NamedTableau):
    """The implicit Euler method, of order 1 [1]_.

    It is the method Radau IIA with one stage.

    References
    ----------
    .. [1] C. F. Curtiss and J. O. Hirschfelder (1952), Integration of stiff equations, Proceedings of the
           National Academy of Sciences 38, 235–243.
    """

    name, order = "implicit-euler", 1
    tableau = """
        1 | 1
        -----
          | 1
    """


class ImplicitMidpoint(NamedTableau):
    """The implicit midpoint rule, of order 2 [1]_.

    It is the method of Gauss with one stage.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Section II.1.
    """

    name, order = "implicit-midpoint", 2
    tableau = """
        1/2 | 1/2
        ---------
            | 1
    """


class Trapezoidal(NamedTableau):
    """The implicit trapezoidal rule, of order 2 [1]_, [2]_.

    It is the method Lobatto IIIA with two stages.

    References
    ----------
    .. [1] J. Crank and P. Nicolson (1947), A practical method for numerical evaluation of solutions of
           partial differential equations of the heat-conduction type, Mathematical Proceedings of the
           Cambridge Philosophical Society 43, 50–67.
    .. [2] G. Dahlquist (1963), A special stability problem for linear multistep methods, BIT 3, 27–43.
    """

    name, order = "trapezoidal", 2
    tableau = """
        0 | 0     0
        1 | 1/2   1/2
        -------------
          | 1/2   1/2
    """


class Gauss2(NamedTableau):
    """The method of Gauss with 2 stages, of order 4 [1]_, [2]_.

    References
    ----------
    .. [1] P. C. Hammer and J. W. Hollingsworth (1955), Trapezoidal methods of approximating solutions of
           differential equations, Mathematical Tables and Other Aids to Computation 9, 92–96.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section II.7, Table 7.3.
    """

    name, order = "gauss2", 4
    tableau = """
        1/2-sqrt(3)/6 | 1/4             1/4-sqrt(3)/6
        1/2+sqrt(3)/6 | 1/4+sqrt(3)/6   1/4
        ---------------------------------------------
                      | 1/2             1/2
    """


class Gauss3(NamedTableau):
    """The method of Gauss with 3 stages, of order 6 [1]_, [2]_.

    References
    ----------
    .. [1] J. C. Butcher (1964), Implicit Runge–Kutta processes, Mathematics of Computation 18, 50–64.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section II.7, Table 7.4.
    """

    name, order = "gauss3", 6
    tableau = """
        1/2-sqrt(15)/10 | 5/36                2/9-sqrt(15)/15   5/36-sqrt(15)/30
        1/2             | 5/36+sqrt(15)/24    2/9               5/36-sqrt(15)/24
        1/2+sqrt(15)/10 | 5/36+sqrt(15)/30    2/9+sqrt(15)/15   5/36
        ------------------------------------------------------------------------
                        | 5/18                4/9               5/18
    """


def Gauss(stages: int = 2) -> NamedTableau:
    """The method of Gauss with the given number of stages (1, 2 or 3), of order 2 × stages.

    Examples
    --------
    >>> from bea.schemes import Gauss
    >>> Gauss(3).order
    6
    """
    return member("Gauss", {1: ImplicitMidpoint, 2: Gauss2, 3: Gauss3}, stages)
