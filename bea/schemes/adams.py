"""The methods of Adams, explicit and implicit."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import sympy

from bea.schemes.linear_multistep import LinearMultistep

__all__ = ["AdamsBashforth", "AdamsMoulton"]


class AdamsBashforth(LinearMultistep):
    """The explicit Adams method with k steps, of order k [1]_, [2]_.

    The polynomial through the last k values of f is integrated over the next step.

    Parameters
    ----------
    steps : int, default 2
        The number k of steps, from 1 (explicit Euler) to 5.

    Notes
    -----
    The values before the start are made by the method of Dormand and Prince, run backwards from x₀ with steps
    of length h. Where h is large, so are these, and the first iterates with them: begin with small steps, or
    give ``memory=``.

    References
    ----------
    .. [1] F. Bashforth and J. C. Adams (1883), An attempt to test the theories of capillary action, Cambridge
           University Press.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section III.1, Equation (1.5).

    Examples
    --------
    >>> from bea.schemes import AdamsBashforth
    >>> AdamsBashforth(3).beta
    (5/12, -4/3, 23/12, 0)
    """

    name = "adams-bashforth"

    def __init__(self, steps: int = 2) -> None:
        steps = read_steps("the Adams–Bashforth method", steps, 5)
        weights = _integration_weights(range(1 - steps, 1))
        super().__init__([*[0] * (steps - 1), -1, 1], [*weights, 0])
        self.steps = steps

    def __repr__(self) -> str:
        return f"AdamsBashforth(steps={self.steps})"


class AdamsMoulton(LinearMultistep):
    """The implicit Adams method with k steps, of order k + 1 [1]_, [2]_.

    The polynomial through the last k values of f and the next one is integrated over the next step.

    Parameters
    ----------
    steps : int, default 2
        The number k of steps, from 1 (the trapezoidal rule) to 5.

    Notes
    -----
    The values before the start are made by the method of Dormand and Prince, run backwards from x₀ with steps
    of length h. Where h is large, so are these, and the first iterates with them: begin with small steps, or
    give ``memory=``.

    References
    ----------
    .. [1] F. R. Moulton (1926), New methods in exterior ballistics, University of Chicago Press.
    .. [2] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section III.1, Equation (1.9).

    Examples
    --------
    >>> from bea.schemes import AdamsMoulton
    >>> AdamsMoulton(2).beta
    (-1/12, 2/3, 5/12)
    """

    name = "adams-moulton"

    def __init__(self, steps: int = 2) -> None:
        steps = read_steps("the Adams–Moulton method", steps, 5)
        super().__init__([*[0] * (steps - 1), -1, 1], _integration_weights(range(1 - steps, 2)))
        self.steps = steps

    def __repr__(self) -> str:
        return f"AdamsMoulton(steps={self.steps})"


def read_steps(owner: str, steps: int, most: int) -> int:
    """The number of steps, refused unless it is an integer from 1 to `most`."""
    if isinstance(steps, bool) or not isinstance(steps, Integral) or not 1 <= steps <= most:
        raise ValueError(f"{owner} is known here with 1 to {most} steps, not {steps!r}")
    return int(steps)


def _integration_weights(nodes: Sequence[int]) -> list[sympy.Expr]:
    """∫₀¹ of each Lagrange polynomial on the nodes."""
    s = sympy.Dummy("s")
    weights = []
    for node in nodes:
        others = [other for other in nodes if other != node]
        lagrange = sympy.Mul(*((s - other) / sympy.Integer(node - other) for other in others))
        weights.append(sympy.integrate(sympy.expand(lagrange), (s, 0, 1)))
    return weights
