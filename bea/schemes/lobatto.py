"""The implicit Runge–Kutta methods Lobatto IIIA, IIIB and IIIC."""

from __future__ import annotations

from bea.schemes.implicit import Trapezoidal
from bea.schemes.named_tableau import NamedTableau, member

__all__ = [
    "LobattoIIIA",
    "LobattoIIIA3",
    "LobattoIIIA4",
    "LobattoIIIB",
    "LobattoIIIB2",
    "LobattoIIIB3",
    "LobattoIIIB4",
    "LobattoIIIC",
    "LobattoIIIC2",
    "LobattoIIIC3",
    "LobattoIIIC4",
]


class LobattoIIIA3(NamedTableau):
    """The method Lobatto IIIA with 3 stages, of order 4 [1]_, [2]_.

    References
    ----------
    .. [1] B. L. Ehle (1969), On Padé approximations to the exponential function and A-stable methods for the
           numerical solution of initial value problems, Research Report CSRR 2010, University of Waterloo.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.7.
    """

    name, order = "lobatto-iiia3", 4
    tableau = """
        0   | 0      0     0
        1/2 | 5/24   1/3   -1/24
        1   | 1/6    2/3   1/6
        ------------------------
            | 1/6    2/3   1/6
    """


class LobattoIIIA4(NamedTableau):
    """The method Lobatto IIIA with 4 stages, of order 6 [1]_, [2]_.

    References
    ----------
    .. [1] B. L. Ehle (1969), On Padé approximations to the exponential function and A-stable methods for the
           numerical solution of initial value problems, Research Report CSRR 2010, University of Waterloo.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.8.
    """

    name, order = "lobatto-iiia4", 6
    tableau = """
        0              | 0                  0                     0                     0
        (5-sqrt(5))/10 | (11+sqrt(5))/120   (25-sqrt(5))/120      (25-13*sqrt(5))/120   (-1+sqrt(5))/120
        (5+sqrt(5))/10 | (11-sqrt(5))/120   (25+13*sqrt(5))/120   (25+sqrt(5))/120      (-1-sqrt(5))/120
        1              | 1/12               5/12                  5/12                  1/12
        ------------------------------------------------------------------------------------------------
                       | 1/12               5/12                  5/12                  1/12
    """


class LobattoIIIB2(NamedTableau):
    """The method Lobatto IIIB with 2 stages, of order 2 [1]_, [2]_.

    In the references the nodes are 0 and 1. On the autonomous equations of this package the nodes of a method
    play no part, and here they are the row sums of A.

    References
    ----------
    .. [1] B. L. Ehle (1969), On Padé approximations to the exponential function and A-stable methods for the
           numerical solution of initial value problems, Research Report CSRR 2010, University of Waterloo.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.9.
    """

    name, order = "lobatto-iiib2", 2
    tableau = """
        1/2 | 1/2   0
        1/2 | 1/2   0
        ---------------
            | 1/2   1/2
    """


class LobattoIIIB3(NamedTableau):
    """The method Lobatto IIIB with 3 stages, of order 4 [1]_, [2]_.

    References
    ----------
    .. [1] B. L. Ehle (1969), On Padé approximations to the exponential function and A-stable methods for the
           numerical solution of initial value problems, Research Report CSRR 2010, University of Waterloo.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.9.
    """

    name, order = "lobatto-iiib3", 4
    tableau = """
        0   | 1/6   -1/6   0
        1/2 | 1/6   1/3    0
        1   | 1/6   5/6    0
        ----------------------
            | 1/6   2/3    1/6
    """


class LobattoIIIB4(NamedTableau):
    """The method Lobatto IIIB with 4 stages, of order 6 [1]_, [2]_.

    References
    ----------
    .. [1] B. L. Ehle (1969), On Padé approximations to the exponential function and A-stable methods for the
           numerical solution of initial value problems, Research Report CSRR 2010, University of Waterloo.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.10.
    """

    name, order = "lobatto-iiib4", 6
    tableau = """
        0              | 1/12   (-1-sqrt(5))/24       (-1+sqrt(5))/24       0
        (5-sqrt(5))/10 | 1/12   (25+sqrt(5))/120      (25-13*sqrt(5))/120   0
        (5+sqrt(5))/10 | 1/12   (25+13*sqrt(5))/120   (25-sqrt(5))/120      0
        1              | 1/12   (11-sqrt(5))/24       (11+sqrt(5))/24       0
        ---------------------------------------------------------------------
                       | 1/12   5/12                  5/12                  1/12
    """


class LobattoIIIC2(NamedTableau):
    """The method Lobatto IIIC with 2 stages, of order 2 [1]_, [2]_.

    References
    ----------
    .. [1] F. H. Chipman (1971), A-stable Runge–Kutta processes, BIT 11, 384–388.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.11.
    """

    name, order = "lobatto-iiic2", 2
    tableau = """
        0 | 1/2   -1/2
        1 | 1/2   1/2
        --------------
          | 1/2   1/2
    """


class LobattoIIIC3(NamedTableau):
    """The method Lobatto IIIC with 3 stages, of order 4 [1]_, [2]_.

    References
    ----------
    .. [1] F. H. Chipman (1971), A-stable Runge–Kutta processes, BIT 11, 384–388.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.11.
    """

    name, order = "lobatto-iiic3", 4
    tableau = """
        0   | 1/6   -1/3   1/6
        1/2 | 1/6   5/12   -1/12
        1   | 1/6   2/3    1/6
        ------------------------
            | 1/6   2/3    1/6
    """


class LobattoIIIC4(NamedTableau):
    """The method Lobatto IIIC with 4 stages, of order 6 [1]_, [2]_.

    References
    ----------
    .. [1] F. H. Chipman (1971), A-stable Runge–Kutta processes, BIT 11, 384–388.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.5, Table 5.12.
    """

    name, order = "lobatto-iiic4", 6
    tableau = """
        0              | 1/12   -sqrt(5)/12         sqrt(5)/12          -1/12
        (5-sqrt(5))/10 | 1/12   1/4                 (10-7*sqrt(5))/60   sqrt(5)/60
        (5+sqrt(5))/10 | 1/12   (10+7*sqrt(5))/60   1/4                 -sqrt(5)/60
        1              | 1/12   5/12                5/12                1/12
        ---------------------------------------------------------------------------
                       | 1/12   5/12                5/12                1/12
    """


def LobattoIIIA(stages: int = 3) -> NamedTableau:
    """The method Lobatto IIIA with the given number of stages (2, 3 or 4), of order 2 × stages − 2."""
    return member("Lobatto IIIA", {2: Trapezoidal, 3: LobattoIIIA3, 4: LobattoIIIA4}, stages)


def LobattoIIIB(stages: int = 3) -> NamedTableau:
    """The method Lobatto IIIB with the given number of stages (2, 3 or 4), of order 2 × stages − 2."""
    return member("Lobatto IIIB", {2: LobattoIIIB2, 3: LobattoIIIB3, 4: LobattoIIIB4}, stages)


def LobattoIIIC(stages: int = 3) -> NamedTableau:
    """The method Lobatto IIIC with the given number of stages (2, 3 or 4), of order 2 × stages − 2.

    Examples
    --------
    >>> from bea.schemes import LobattoIIIC
    >>> LobattoIIIC(2).stability_function()
    2/(z**2 - 2*z + 2)
    """
    return member("Lobatto IIIC", {2: LobattoIIIC2, 3: LobattoIIIC3, 4: LobattoIIIC4}, stages)
