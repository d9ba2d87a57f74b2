"""Backward differentiation formulas."""

from __future__ import annotations

import sympy

from bea.schemes.adams import read_steps
from bea.schemes.linear_multistep import LinearMultistep

__all__ = ["BDF"]


class BDF(LinearMultistep):
    """The backward differentiation formula with k steps, of order k [1]_, [2]_.

    The rule is Σ_j (1/j) ∇^j x_{n+1} = h f(x_{n+1}), j = 1, …, k.

    Parameters
    ----------
    steps : int, default 2
        The number k of steps, from 1 (implicit Euler) to 6; with more the method is unstable.

    Notes
    -----
    The values before the start are made by the method of Dormand and Prince, run backwards from x₀ with steps
    of length h. On a stiff problem, with a large h, they are very large, since what decays grows backwards,
    and the first iterates leap far away before the formula damps them. For such problems give ``memory=``,
    zeros for a start from rest, or begin with small steps.

    References
    ----------
    .. [1] C. F. Curtiss and J. O. Hirschfelder (1952), Integration of stiff equations, Proceedings of the
           National Academy of Sciences 38, 235–243.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section III.1, Equation (1.22'), and Theorem III.3.4 for the instability.

    Examples
    --------
    >>> from bea.schemes import BDF
    >>> BDF(2).alpha, BDF(2).beta
    ((1/3, -4/3, 1), (0, 0, 2/3))
    """

    name = "bdf"

    def __init__(self, steps: int = 2) -> None:
        steps = read_steps("the backward differentiation formula", steps, 6)
        zeta = sympy.Dummy("zeta")
        differences = (zeta ** (steps - j) * (zeta - 1) ** j / j for j in range(1, steps + 1))
        alpha = sympy.Poly(sympy.Add(*differences), zeta).all_coeffs()[::-1]
        super().__init__(alpha, [*[0] * steps, 1])
        self.steps = steps

    def __repr__(self) -> str:
        return f"BDF(steps={self.steps})"
