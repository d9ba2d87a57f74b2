"""The optimistic gradient method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from bea.schemes.scheme import Arithmetic, Field, Memory, Scheme

__all__ = ["OptimisticGradient"]


class OptimisticGradient(Scheme):
    """The optimistic gradient method, x_{k+1} = x_k + h(2 f(x_k) − f(x_{k−1})), of order 1 [1]_, [2]_.

    It foresees the next field from the last two. Popov's method takes the same steps: with auxiliary points
    z_{k+1} = z_k + h f(x_k), it is x_{k+1} = z_{k+1} + h f(x_k). The first step takes f(x_0) for the field
    before, so that it is one of explicit Euler.

    References
    ----------
    .. [1] L. D. Popov (1980), A modification of the Arrow–Hurwicz method for search of saddle points,
           Mathematical Notes of the Academy of Sciences of the USSR 28, 845–848.
    .. [2] C. Daskalakis, A. Ilyas, V. Syrgkanis and H. Zeng (2018), Training GANs with optimism,
           International Conference on Learning Representations, Section 2.

    Examples
    --------
    >>> import bea
    >>> field = bea.VectorField(["y**2"], variables="y")
    >>> bea.modified_equation(field, bea.schemes.OptimisticGradient(), order=1).terms[1]
    Matrix([[y**3]])
    """

    name, order, vectors = "optimistic-gradient", 1, 1

    def start(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """The field at the start, for the field before."""
        return [field(x)]

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """x ↦ x + h(2f − f₋), f₋ ↦ f."""
        (before,) = memory
        now = field(x)
        two = arithmetic.number(sympy.Integer(2))
        step = [two * f_i - b_i for f_i, b_i in zip(now, before, strict=True)]
        return [x_i + h * s_i for x_i, s_i in zip(x, step, strict=True)], [now]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
