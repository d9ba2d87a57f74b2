"""The slow manifold of a scheme with memory: what it remembers once it has forgotten its start."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import sympy

from bea.modified.terms import Terms
from bea.systems.evaluation import compile_numpy, parameter_numbers, read_point
from bea.systems.expressions import STEP_SIZE, Value
from bea.systems.traversal import free_symbols

__all__ = ["MemorySeries"]


class MemorySeries:
    """The memory as a function of x and h, S₀(x) + h S₁(x) + …, truncated.

    Returned as ``ModifiedEquation.memory``.

    Attributes
    ----------
    terms : sequence of sympy.ImmutableMatrix of shape (r, 1)
        ``terms[k]`` is S_k: the vectors of the memory one after the other, then its scalars.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("x**2 / 2", variables="x")
    >>> memory = bea.modified_equation(loss, bea.HeavyBall("1/2"), order=1).memory
    >>> list(memory.terms)
    [Matrix([[-2*x]]), Matrix([[-8*x]])]
    >>> memory([1.0], h=0.01)
    array([-2.08])
    """

    def __init__(self, system: Any, ring: Any, elements: Sequence[Sequence[Any]]) -> None:
        self._system = system
        self._ring = ring
        self._elements = elements
        self.terms = Terms(len(elements), self._term)

    def _term(self, k: int) -> sympy.ImmutableMatrix:
        return sympy.ImmutableMatrix([self._ring.expression(e) for e in self._elements[k]])

    @property
    def order(self) -> int:
        """The highest power of h."""
        return len(self.terms) - 1

    @property
    def size(self) -> int:
        """The number r of numbers that are remembered."""
        return len(self._elements[0]) if self._elements else 0

    def expressions(self, order: int | None = None) -> list[sympy.Expr]:
        """The r components truncated after h**order, in the variables and h."""
        kept = range((self.order if order is None else order) + 1)
        return [sympy.Add(*(STEP_SIZE**k * self.terms[k][i] for k in kept)) for i in range(self.size)]

    def __call__(self, x: Sequence[float] | np.ndarray, /, h: float, **parameters: Value) -> np.ndarray:
        """The memory that belongs to x at the step size h, an array of shape (r,).

        Warns
        -----
        RuntimeWarning
            If the terms h^k S_k(x) grow with k: then h is beyond the range of the expansion.
        """
        point = read_point(x, len(self._system.variables), "x")
        if not self.size:
            return np.empty(0)
        terms = np.array([h**k * values for k, values in enumerate(self._values(point, parameters))])
        sizes = [size for size in np.linalg.norm(terms, axis=1) if size > 0]
        if any(later > earlier for earlier, later in pairwise(sizes)):
            warnings.warn(
                f"the terms of the memory grow at h = {h:g}, so this step size is beyond the range of their "
                "expansion",
                RuntimeWarning,
                stacklevel=2,
            )
        return terms.sum(axis=0)

    def _values(self, point: np.ndarray, parameters: Mapping[str, Value]) -> Iterator[np.ndarray]:
        """S_0(x), S_1(x), …"""
        known = {**self._system.parameters, **parameters}
        names = {s.name for s in (*self._system.parameter_symbols, *self._symbols)}
        for name in known.keys() - names:
            raise ValueError(f"{name!r} is no parameter here; the parameters are {sorted(names) or 'none'}")
        for symbols, function in self._functions:
            own = {s.name: known[s.name] for s in symbols if s.name in known}
            yield function(point, parameter_numbers(symbols, {}, own))

    @property
    def _symbols(self) -> set[sympy.Symbol]:
        return {s for symbols, _ in self._functions for s in symbols}

    @cached_property
    def _functions(self) -> list[tuple[list[sympy.Symbol], Any]]:
        """For every term its symbols that are no variables, and a function of the arrays (x, p)."""
        variables = self._system.variables
        functions = []
        for term in self.terms:
            symbols = sorted(free_symbols(term) - set(variables), key=lambda s: s.name)
            functions.append((symbols, compile_numpy(list(term), variables, symbols)))
        return functions

    def __repr__(self) -> str:
        return f"<the memory of {self.size} numbers as a function of x and h, through h^{self.order}>"
