"""Splitting methods: the flow of a sum by the flows of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from bea.schemes.parts import PartScheme, ordered_parts, read_sequence
from bea.schemes.scheme import Arithmetic, Scheme

__all__ = ["LieTrotter", "Strang"]


@dataclass(frozen=True, repr=False)
class LieTrotter(PartScheme):
    """The Lie–Trotter splitting: one part after the other, for the same time [1]_.

    With exact flows of two parts A and then B, the modified field is that of the Baker–Campbell–Hausdorff
    formula, A + B + (h/2)[A, B] + (h²/12)([A, [A, B]] + [B, [B, A]]) + …, where [A, B] = B'A − A'B [2]_.
    With ``inner=GradientDescent()`` on a sum of two losses this is training on two tasks in turn [3]_.

    Parameters
    ----------
    inner : Scheme, optional
        The scheme without memory that moves along each part; by default the exact flow.
    sequence : sequence of int, optional
        The parts in the order in which they are used, counted from 0; by default as they are given.

    Raises
    ------
    TypeError, ValueError
        If `inner` is no scheme without memory, or `sequence` holds no integers.

    References
    ----------
    .. [1] H. F. Trotter (1959), On the product of semi-groups of operators, Proceedings of the American
           Mathematical Society 10, 545–551.
    .. [2] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Sections II.5 and III.4.
    .. [3] B. Dherin (2023), Implicit biases in multitask and continual learning from a backward error
           analysis perspective, arXiv:2311.00235.

    Examples
    --------
    >>> import bea
    >>> pendulum = bea.SplitField([["p", 0], [0, "-sin(q)"]], variables="q p")
    >>> bea.modified_equation(pendulum, bea.LieTrotter(), order=1).terms[1].T
    Matrix([[sin(q)/2, -p*cos(q)/2]])
    """

    sequence: Sequence[int] | None = None

    name, order = "lie-trotter", 1

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "sequence", read_sequence(self.sequence, type(self).__name__))
        object.__setattr__(self, "order", _limited(type(self).order, self.inner))

    def require(self, parts: int) -> None:
        """Refuse a system that is made of no parts, or of others than the sequence names."""
        super().require(parts)
        ordered_parts(self.sequence, parts)

    def step(self, field: Any, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """Along all parts in turn, each for the time h."""
        point = list(x)
        for part in ordered_parts(self.sequence, len(field.parts)):
            point = self.part_step(field, point, h, arithmetic, part)
        return point


@dataclass(frozen=True, repr=False)
class Strang(PartScheme):
    """The symmetric splitting of Strang: half steps along the parts there and back [1]_.

    The last part is met once, for the whole step. With exact flows the step undoes itself when h changes
    sign, so that the odd terms of the modified field vanish; for two parts it is
    A + B − (h²/24)[A, [A, B]] + (h²/12)[B, [B, A]] + …, where [A, B] = B'A − A'B [2]_.

    Parameters
    ----------
    inner : Scheme, optional
        The scheme without memory that moves along each part; by default the exact flow. The splitting is of
        order 2 where that scheme is.

    Raises
    ------
    TypeError, ValueError
        If `inner` is no scheme without memory.

    References
    ----------
    .. [1] G. Strang (1968), On the construction and comparison of difference schemes, SIAM Journal on
           Numerical Analysis 5, 506–517.
    .. [2] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Sections II.5 and III.4.

    Examples
    --------
    The pendulum with one variable held fixed in turn is the leapfrog method:

    >>> import bea
    >>> pendulum = bea.SplitField([["p", 0], [0, "-sin(q)"]], variables="q p")
    >>> equation = bea.modified_equation(pendulum, bea.Strang(), order=2)
    >>> equation.terms[1].T, equation.terms[2][0]
    (Matrix([[0, 0]]), -p*cos(q)/12)
    """

    name, order = "strang", 2

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "order", _limited(type(self).order, self.inner))

    def step(self, field: Any, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """Half steps along all parts but the last, a whole step along that, and half steps back."""
        half = h * arithmetic.number(sympy.Rational(1, 2))
        last = len(field.parts) - 1
        point = list(x)
        for part in range(last):
            point = self.part_step(field, point, half, arithmetic, part)
        point = self.part_step(field, point, h, arithmetic, last)
        for part in reversed(range(last)):
            point = self.part_step(field, point, half, arithmetic, part)
        return point


def _limited(order: int | None, inner: Scheme | None) -> int | None:
    """The order of a splitting whose parts are moved by a scheme: no more than that of the scheme."""
    if inner is None or order is None:
        return order
    return None if inner.order is None else min(order, inner.order)
