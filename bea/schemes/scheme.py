"""What every scheme is: a map (x, memory) ↦ (x, memory), written once for every kind of number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import sympy

from bea.schemes.docstrings import References, Summary

__all__ = ["Arithmetic", "Field", "Memory", "Scheme"]

#: What a scheme remembers from step to step: first its vectors, each a list of d numbers, then its scalars.
Memory = Sequence[Any]


class Field(Protocol):
    """A vector field acting on lists of numbers of any one kind."""

    @property
    def parts(self) -> Sequence[Field]:
        """The fields of which it is the sum, where a system is made of several: losses, or players."""

    def __call__(self, x: Sequence[Any], /) -> list[Any]:
        """The value at x."""

    def flow(self, x: Sequence[Any], t: Any, /) -> list[Any]:
        """The exact flow from x over time t."""


class Arithmetic(Protocol):
    """What a scheme needs besides +, − and × of its numbers.

    The same step runs on power series in h with symbolic coefficients, on balls of arbitrary precision and
    on floats; each brings its own arithmetic.
    """

    def number(self, constant: sympy.Expr) -> Any:
        """An exact constant of the scheme (a rational, √3, a symbol α) as a number of this kind."""

    def power(self, base: Any, exponent: sympy.Rational) -> Any:
        """A rational power of a number: 1/u is that of −1, and √u that of 1/2."""

    def fixed_point(
        self, function: Callable[[list[list[Any]]], list[list[Any]]], start: list[list[Any]]
    ) -> list[list[Any]]:
        """The solution K of K = function(K) near `start`."""


class Scheme:
    """A scheme. A subclass is a small class of data with a rule and its references.

    A scheme without memory defines `step`. One with memory defines `update`, and says in `vectors` and
    `scalars` how much it remembers. Its memory must be of the size of the field, not of the step: what is
    added to x is h times it, so that x stays where it is for h = 0.

    Attributes
    ----------
    vectors, scalars : int
        How many vectors of d numbers, and how many single numbers, the scheme remembers.
    initial_scalars : tuple of numbers
        What the scalars are before the first step, by default 0. The vectors are zero, unless `start` says
        otherwise.
    """

    #: The name by which the command line knows the scheme.
    name: str = ""
    #: The order of accuracy for ẋ = f, or None where it is not known or does not follow that equation.
    order: int | None = None
    vectors: int = 0
    scalars: int = 0
    initial_scalars: tuple[int, ...] = ()
    summary = Summary()
    references = References()

    @property
    def has_memory(self) -> bool:
        """Whether a step depends on more than x."""
        return self.vectors + self.scalars > 0

    @property
    def is_random(self) -> bool:
        """Whether its steps are drawn at random; what it follows is then the mean step."""
        return hasattr(self, "draw")

    @property
    def constants(self) -> tuple[sympy.Expr, ...]:
        """The exact constants with which the scheme works, such as the entries of a tableau."""
        return ()

    @property
    def parameter_symbols(self) -> tuple[sympy.Symbol, ...]:
        """The free symbols of the constants, sorted by name."""
        free = set().union(*(c.free_symbols for c in self.constants))
        return tuple(sorted(free, key=lambda s: s.name))

    def require(self, parts: int) -> None:
        """Refuse a system made of that many parts, in one sentence, where the scheme is not for it."""

    def duration(self, parts: int) -> int:
        """How many step sizes of time pass in one step on a system made of that many parts."""
        return 1

    def start(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """The memory before the first step."""
        zero = arithmetic.number(sympy.S.Zero)
        initial = self.initial_scalars or (0,) * self.scalars
        scalars = [arithmetic.number(sympy.Integer(c)) for c in initial]
        return [[zero] * len(x) for _ in range(self.vectors)] + scalars

    def step(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """One step Φ_h(x) of a scheme without memory along `field`, on numbers of any kind."""
        raise NotImplementedError(f"{type(self).__name__} does not define its step")

    def update(
        self, field: Field, x: Sequence[Any], memory: Memory, h: Any, arithmetic: Arithmetic
    ) -> tuple[list[Any], Memory]:
        """One step along `field`, on numbers of any kind: the next x and the next memory."""
        return self.step(field, x, h, arithmetic), memory
