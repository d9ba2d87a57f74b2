"""What every scheme is: a map x ↦ Φ_h(x), written once for every kind of number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import sympy

from bea.schemes.docstrings import References, Summary

__all__ = ["Arithmetic", "Field", "Scheme"]

#: A vector field acting on lists of numbers of any one kind.
Field = Callable[[Sequence[Any]], list[Any]]


class Arithmetic(Protocol):
    """The two things that a scheme needs besides +, − and × of its numbers.

    The same step runs on power series in h with symbolic coefficients, on balls of arbitrary precision and
    on floats; each brings its own arithmetic.
    """

    def number(self, constant: sympy.Expr) -> Any:
        """An exact constant of the scheme (a rational, √3, a symbol α) as a number of this kind."""

    def fixed_point(
        self, function: Callable[[list[list[Any]]], list[list[Any]]], start: list[list[Any]]
    ) -> list[list[Any]]:
        """The solution K of K = function(K) near `start`."""


class Scheme:
    """A one-step scheme. A subclass is a small class of data with a `step` and its references."""

    #: The name by which the command line knows the scheme.
    name: str = ""
    summary = Summary()
    references = References()

    @property
    def constants(self) -> tuple[sympy.Expr, ...]:
        """The exact constants with which the scheme works, such as the entries of a tableau."""
        return ()

    def step(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """One step Φ_h(x) of the scheme along `field`, on numbers of any kind."""
        raise NotImplementedError(f"{type(self).__name__} does not define its step")
