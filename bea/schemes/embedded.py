"""Explicit Runge–Kutta methods with an embedded method for error estimates."""

from __future__ import annotations

from bea.schemes.named_tableau import NamedTableau

__all__ = ["BogackiShampine", "DormandPrince5"]


class BogackiShampine(NamedTableau):
    """The pair of Bogacki and Shampine, of order 3 with an embedded order 2 [1]_.

    The last stage is the first of the next step. It serves the embedded method alone.

    References
    ----------
    .. [1] P. Bogacki and L. F. Shampine (1989), A 3(2) pair of Runge–Kutta formulas, Applied Mathematics
           Letters 2, 321–325.
    """

    name, order = "bogacki-shampine", 3
    tableau = """
        0   |
        1/2 | 1/2
        3/4 | 0      3/4
        1   | 2/9    1/3   4/9
        ------------------------------
            | 2/9    1/3   4/9   0
            | 7/24   1/4   1/3   1/8
    """


class DormandPrince5(NamedTableau):
    """The pair of Dormand and Prince, of order 5 with an embedded order 4 [1]_, [2]_.

    The last stage is the first of the next step. It serves the embedded method alone.

    References
    ----------
    .. [1] J. R. Dormand and P. J. Prince (1980), A family of embedded Runge–Kutta formulae, Journal of
           Computational and Applied Mathematics 6, 19–26.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section II.5, Table 5.2.
    """

    name, order = "dormand-prince5", 5
    tableau = """
        0    |
        1/5  | 1/5
        3/10 | 3/40        9/40
        4/5  | 44/45       -56/15       32/9
        8/9  | 19372/6561  -25360/2187  64448/6561  -212/729
        1    | 9017/3168   -355/33      46732/5247  49/176    -5103/18656
        1    | 35/384      0            500/1113    125/192   -2187/6784     11/84
        ---------------------------------------------------------------------------------
             | 35/384      0            500/1113    125/192   -2187/6784     11/84     0
             | 5179/57600  0            7571/16695  393/640   -92097/339200  187/2100  1/40
    """
