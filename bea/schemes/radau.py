"""The implicit Runge–Kutta methods Radau IA and Radau IIA."""

from __future__ import annotations

from bea.schemes.implicit import ImplicitEuler
from bea.schemes.named_tableau import NamedTableau, member

__all__ = ["RadauIA", "RadauIA2", "RadauIA3", "RadauIIA", "RadauIIA2", "RadauIIA3"]


class RadauIA2(NamedTableau):
    """The method Radau IA with 2 stages, of order 3 [1]_, [2]_.

    References
    ----------
    .. [1] B. L. Ehle (1969), On Padé approximations to the exponential function and A-stable methods for the
           numerical solution of initial value problems, Research Report CSRR 2010, University of Waterloo.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.3.
    """

    name, order = "radau-ia2", 3
    tableau = """
        0   | 1/4   -1/4
        2/3 | 1/4   5/12
        ----------------
            | 1/4   3/4
    """


class RadauIA3(NamedTableau):
    """The method Radau IA with 3 stages, of order 5 [1]_, [2]_.

    References
    ----------
    .. [1] B. L. Ehle (1969), On Padé approximations to the exponential function and A-stable methods for the
           numerical solution of initial value problems, Research Report CSRR 2010, University of Waterloo.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.4.
    """

    name, order = "radau-ia3", 5
    tableau = """
        0              | 1/9   (-1-sqrt(6))/18       (-1+sqrt(6))/18
        (6-sqrt(6))/10 | 1/9   (88+7*sqrt(6))/360    (88-43*sqrt(6))/360
        (6+sqrt(6))/10 | 1/9   (88+43*sqrt(6))/360   (88-7*sqrt(6))/360
        ----------------------------------------------------------------
                       | 1/9   (16+sqrt(6))/36       (16-sqrt(6))/36
    """


class RadauIIA2(NamedTableau):
    """The method Radau IIA with 2 stages, of order 3 [1]_, [2]_.

    References
    ----------
    .. [1] B. L. Ehle (1969), On Padé approximations to the exponential function and A-stable methods for the
           numerical solution of initial value problems, Research Report CSRR 2010, University of Waterloo.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.5.
    """

    name, order = "radau-iia2", 3
    tableau = """
        1/3 | 5/12   -1/12
        1   | 3/4    1/4
        ------------------
            | 3/4    1/4
    """


class RadauIIA3(NamedTableau):
    """The method Radau IIA with 3 stages, of order 5 [1]_, [2]_, [3]_.

    References
    ----------
    .. [1] B. L. Ehle (1969), On Padé approximations to the exponential function and A-stable methods for the
           numerical solution of initial value problems, Research Report CSRR 2010, University of Waterloo.
    .. [2] O. Axelsson (1969), A class of A-stable methods, BIT 9, 185–199.
    .. [3] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.6.
    """

    name, order = "radau-iia3", 5
    tableau = """
        (4-sqrt(6))/10 | (88-7*sqrt(6))/360       (296-169*sqrt(6))/1800   (-2+3*sqrt(6))/225
        (4+sqrt(6))/10 | (296+169*sqrt(6))/1800   (88+7*sqrt(6))/360       (-2-3*sqrt(6))/225
        1              | (16-sqrt(6))/36          (16+sqrt(6))/36          1/9
        -------------------------------------------------------------------------------------
                       | (16-sqrt(6))/36          (16+sqrt(6))/36          1/9
    """


def RadauIA(stages: int = 2) -> NamedTableau:
    """The method Radau IA with the given number of stages (2 or 3), of order 2 × stages − 1."""
    return member("Radau IA", {2: RadauIA2, 3: RadauIA3}, stages)


def RadauIIA(stages: int = 2) -> NamedTableau:
    """The method Radau IIA with the given number of stages (1, 2 or 3), of order 2 × stages − 1.

    Examples
    --------
    >>> from bea.schemes import RadauIIA
    >>> RadauIIA(3)
    RadauIIA3()
    """
    return member("Radau IIA", {1: ImplicitEuler, 2: RadauIIA2, 3: RadauIIA3}, stages)
