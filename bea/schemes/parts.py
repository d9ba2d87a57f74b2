"""Schemes that step along one part of a system after the other."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from bea.schemes.parametric import ParametricScheme
from bea.schemes.scheme import Arithmetic, Scheme

__all__ = ["PartScheme", "mean_of", "ordered_parts", "read_sequence"]


@dataclass(frozen=True, repr=False)
class PartScheme(ParametricScheme):
    """A scheme that uses the parts of a sum one at a time, each by the same rule.

    Parameters
    ----------
    inner : Scheme, optional
        The scheme without memory that moves along one part; by default its exact flow does.

    Raises
    ------
    TypeError, ValueError
        If `inner` is no scheme, or one with memory.
    """

    inner: Scheme | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        inner = self.inner
        if isinstance(inner, type) and issubclass(inner, Scheme):
            raise TypeError(f"inner must be an instance: write {inner.__name__}() with its parentheses")
        if inner is not None and not isinstance(inner, Scheme):
            raise TypeError(f"inner must be a scheme or None, not {type(inner).__name__}")
        if inner is not None and inner.has_memory:
            raise ValueError(f"inner must be a scheme without memory, and {inner.name} has one")

    def require(self, parts: int) -> None:
        """Refuse a system that is made of no parts."""
        if parts == 0:
            raise ValueError(
                f"{self.name} steps along the parts of a system: give it a LossSum, a SplitField or a Game"
            )
        if self.inner is not None:
            self.inner.require(0)

    def part_step(self, field: Any, x: Sequence[Any], h: Any, arithmetic: Arithmetic, part: int) -> list[Any]:
        """One update along the part of `field` with that number, for the time h."""
        along = field.parts[part]
        return along.flow(x, h) if self.inner is None else self.inner.step(along, x, h, arithmetic)


def read_sequence(sequence: object, owner: str, what: str = "sequence") -> tuple[int, ...] | None:
    """A sequence of integers that may be left out: `what` of the scheme `owner`, as a tuple or None.

    Raises
    ------
    TypeError
        If `sequence` is no sequence of integers.
    """
    if sequence is None:
        return None
    if not isinstance(sequence, Iterable) or isinstance(sequence, str):
        raise TypeError(f"the {what} of {owner} must be integers, such as (1, 0), not {sequence!r}")
    try:
        return tuple(operator.index(part) for part in sequence)
    except TypeError:
        raise TypeError(f"the {what} of {owner} must be integers, such as (1, 0), not {sequence!r}") from None


def ordered_parts(sequence: Sequence[int] | None, parts: int) -> tuple[int, ...]:
    """All parts in the order of `sequence`.

    Raises
    ------
    ValueError
        If it does not name every part once.
    """
    if sequence is None:
        return tuple(range(parts))
    if sorted(sequence) != list(range(parts)):
        raise ValueError(
            f"the sequence must name each of the parts 0 to {parts - 1} once, but it is {sequence}"
        )
    return tuple(sequence)


def mean_of(points: Sequence[Sequence[Any]], arithmetic: Arithmetic) -> list[Any]:
    """The mean of points, component by component."""
    share = arithmetic.number(sympy.Rational(1, len(points)))
    return [sum(values[1:], values[0]) * share for values in zip(*points, strict=True)]
