"""The slow manifold of a scheme with memory: what it remembers once it has forgotten its start."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy

from bea.modified.terms import Terms
from bea.systems.evaluation import compile_numpy, parameter_numbers, read_point
from bea.systems.expressions import STEP_SIZE, Value

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
        """The memory that belongs to x at the step size h, an array of shape (r,)."""
        point = read_point(x, len(self._system.variables), "x")
        if not self.size:
            return np.empty(0)
        components = self.expressions()
        free = set().union(*(c.free_symbols for c in components)) | {STEP_SIZE}
        symbols = sorted(free - set(self._system.variables), key=lambda s: s.name)
        known = {**self._system.parameters, **parameters, STEP_SIZE.name: h}
        names = {s.name for s in symbols}
        numbers = parameter_numbers(symbols, {}, {n: v for n, v in known.items() if n in names})
        return compile_numpy(components, self._system.variables, symbols)(point, numbers)

    def __repr__(self) -> str:
        return f"<the memory of {self.size} numbers as a function of x and h, through h^{self.order}>"
