"""Schemes that are built on another scheme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bea.schemes.gradient_descent import GradientDescent
from bea.schemes.parametric import ParametricScheme
from bea.schemes.scheme import Arithmetic, Field, Scheme

__all__ = ["Wrapper"]


@dataclass(frozen=True, repr=False)
class Wrapper(ParametricScheme):
    """A scheme that steps by another and remembers what that one remembers.

    A subclass defines `update`.

    Raises
    ------
    TypeError
        If what it is built on is no scheme.
    """

    scheme: Scheme = field(default_factory=GradientDescent)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.scheme, Scheme):
            hint = ": write it with its parentheses" if isinstance(self.scheme, type) else ""
            raise TypeError(f"{type(self).__name__} is built on a bea scheme, not on {self.scheme!r}{hint}")
        for name in ("vectors", "scalars", "initial_scalars"):
            object.__setattr__(self, name, getattr(self.scheme, name))

    @property
    def is_random(self) -> bool:
        """Whether the inner scheme's steps are drawn at random."""
        return self.scheme.is_random

    def require(self, parts: int) -> None:
        """Refuse what the inner scheme refuses."""
        self.scheme.require(parts)

    def duration(self, parts: int) -> int:
        """As many step sizes of time as the inner scheme takes."""
        return self.scheme.duration(parts)

    def start(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """The memory with which the inner scheme starts."""
        return self.scheme.start(field, x, h, arithmetic)

    def step(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """One step, where there is nothing to remember."""
        end, _ = self.update(field, x, [], h, arithmetic)
        return end
