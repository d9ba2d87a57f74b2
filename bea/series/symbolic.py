"""Coefficients with symbols: quotients of polynomials whose denominators are known in advance.

All coefficients of a parametric method lie in a ring R[1/f₁, …, 1/f_k], where R are the polynomials with
rational coefficients in its parameters, and f_1, …, f_k the irreducible factors of the denominators of its
tableau. There, sums and products need no greatest common divisors. Quotients are brought to lowest terms
when they are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import lcm
from typing import Any

import numpy as np
import sympy
from sympy.polys.fields import sfield

from bea.series.rings import Array, Ring

__all__ = ["Localization", "Symbolic"]

#: What stands for the imaginary unit while it is a symbol like others.
IMAGINARY_UNIT = sympy.Dummy("i")


class Quotient:
    """A polynomial divided by powers of the factors f_1, …, f_k of its ring."""

    __slots__ = ("numerator", "powers", "ring")

    def __init__(self, ring: Localization, numerator: Any, powers: tuple[int, ...]) -> None:
        self.ring, self.numerator, self.powers = ring, numerator, powers

    def _over(self, powers: tuple[int, ...]) -> Any:
        """The numerator over a higher denominator."""
        numerator = self.numerator
        for factor, low, high in zip(self.ring.factors, self.powers, powers, strict=True):
            if high > low:
                numerator = numerator * factor ** (high - low)
        return numerator

    def __add__(self, other: Quotient | int) -> Quotient:
        if not isinstance(other, Quotient):
            other = self.ring.integer(other)
        if self.powers == other.powers:
            return Quotient(self.ring, self.numerator + other.numerator, self.powers)
        powers = tuple(map(max, self.powers, other.powers))
        return Quotient(self.ring, self._over(powers) + other._over(powers), powers)

    def __mul__(self, other: Quotient | int) -> Quotient:
        if not isinstance(other, Quotient):
            return Quotient(self.ring, self.numerator * other, self.powers)
        powers = tuple(map(int.__add__, self.powers, other.powers))
        return Quotient(self.ring, self.numerator * other.numerator, powers)

    def __neg__(self) -> Quotient:
        return Quotient(self.ring, -self.numerator, self.powers)

    def __sub__(self, other: Quotient | int) -> Quotient:
        return self + (-other)

    def __rsub__(self, other: int) -> Quotient:
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__


class Localization:
    """The ring R[1/f₁, …, 1/f_k] that holds some expressions; arrays of its elements are object arrays.

    Parameters
    ----------
    expressions : iterable of SymPy expressions
        Rational functions of symbols; other parts, such as √3 or exp(a), count as symbols of their own.
    """

    def __init__(self, expressions: Iterable[sympy.Expr]) -> None:
        from flint import Ordering, fmpq_mpoly_ctx

        plain = [expression.xreplace({sympy.I: IMAGINARY_UNIT}) for expression in expressions]
        self._fractions, elements = sfield([sympy.Integer(1), *plain])
        self._generators = [
            sympy.sympify(g).xreplace({IMAGINARY_UNIT: sympy.I}) for g in self._fractions.symbols
        ]
        names = [f"x{i}" for i in range(max(len(self._generators), 1))]
        self._context = fmpq_mpoly_ctx.get(names, Ordering.degrevlex)
        self.factors: list[Any] = []
        for denominator in {element.denom for element in elements}:
            for factor, _ in self._polynomial(denominator).factor()[1]:
                if factor not in self.factors:
                    self.factors.append(factor)
        self._free = (0,) * len(self.factors)

    @property
    def symbols(self) -> set[sympy.Symbol]:
        """The symbols in the expressions."""
        return {symbol for generator in self._generators for symbol in generator.free_symbols}

    # -- in and out ------------------------------------------------------------------------------------

    def _polynomial(self, p: Any) -> Any:
        from flint import fmpq

        terms = {
            tuple(map(int, powers)) or (0,): fmpq(int(c.numerator), int(c.denominator))
            for powers, c in p.terms()
        }
        return self._context.from_dict(terms)

    def integer(self, n: int) -> Quotient:
        """An integer as an element."""
        return Quotient(self, self._context.constant(n), self._free)

    def constant(self, expression: sympy.Expr) -> Quotient:
        """An expression as an element."""
        plain = sympy.sympify(expression).xreplace({sympy.I: IMAGINARY_UNIT})
        fraction = self._fractions.from_expr(plain)
        content, factors = self._polynomial(fraction.denom).factor()
        powers = tuple(sum(int(k) for f, k in factors if f == factor) for factor in self.factors)
        return Quotient(self, self._polynomial(fraction.numer) / content, powers)

    def expression(self, element: Quotient | int) -> sympy.Expr:
        """An element in lowest terms, with integer coefficients above and below, as a SymPy expression."""
        if not isinstance(element, Quotient) or element.numerator == 0:
            return sympy.Integer(0 if isinstance(element, Quotient) else element)
        numerator, powers = element.numerator, list(element.powers)
        for i, factor in enumerate(self.factors):
            while powers[i] and (division := divmod(numerator, factor))[1] == 0:
                numerator, powers[i] = division[0], powers[i] - 1
        common = lcm(*(int(c.q) for c in numerator.coeffs()))
        denominator = self.integer(common)._over(tuple(powers))
        above, below = self._sympy(numerator * common), self._sympy(denominator)
        if all(generator.is_Symbol for generator in self._generators):
            return above / below
        return sympy.expand(above) / sympy.expand(below)

    def _sympy(self, polynomial: Any) -> sympy.Expr:
        terms = []
        for powers, c in polynomial.to_dict().items():
            factors = (g ** int(k) for g, k in zip(self._generators, powers, strict=False) if k)
            terms.append(sympy.Mul(sympy.Rational(int(c.p), int(c.q)), *factors))
        return sympy.Add(*terms)

    # -- as a ring of arrays ---------------------------------------------------------------------------

    def zeros(self, *shape: int) -> Array:
        return np.zeros(shape, dtype=object)

    def constants(self, numbers: Any) -> Array:
        entries = np.array(numbers, dtype=object)
        elements = np.empty(entries.size, dtype=object)
        elements[:] = [self.constant(entry) for entry in entries.flat]
        return elements.reshape(entries.shape)

    def add(self, u: Array, v: Array) -> Array:
        return u + v

    def subtract(self, u: Array, v: Array) -> Array:
        return u - v

    def multiply(self, u: Array, v: Array) -> Array:
        return u * v

    def sums(self, values: Array, starts: Any) -> Array:
        return np.add.reduceat(values, starts)

    def lie_powers(
        self,
        cuts: tuple[Array, Array],
        first: int,
        field: Array,
        powers: Array,
        empty: int,
        weights: Array,
    ) -> Array:
        root_part, branch = cuts
        trees, edges = root_part.shape
        columns = min(powers.shape[1], edges + 1 if empty else max(edges, 1))
        derivatives = (powers[root_part, :columns] * field[branch][:, :, None]).sum(axis=1)
        if empty:
            derivatives[:, 0] += empty * field[first : first + trees]
        if first < len(powers):
            powers[first : first + trees, 1 : columns + 1] = derivatives[:, : powers.shape[1] - 1]
        return derivatives @ weights[1 : columns + 1]

    def stage_weights(
        self, parts: tuple[Array, Array, Array], rows: int, A: Array, B: Array, b: Array
    ) -> Array:
        trees, stages = len(parts[0]), b.shape[1]
        product, inner, outer = (self.zeros(trees, stages) for _ in range(3))
        weights = self.zeros(trees)
        for t, (r, c, colour) in enumerate(zip(*parts, strict=True)):
            product[t] = 1 if c < 0 else product[r] * inner[c]
            phi = outer[c] if c >= 0 and parts[1][r] < 0 else product[t]
            weights[t] = b[colour] @ phi
            inner[t], outer[t] = A[colour] @ phi, B[colour] @ phi
        return weights


@dataclass(frozen=True, eq=False)
class Symbolic:
    """Coefficients of the trees of orders 1, 2, … with symbols.

    Parameters
    ----------
    start : int array
        The numbers of the first trees of orders 0, …, order + 1.
    ring : Localization
    array : object array of Quotient, shape (trees,)
    """

    start: np.ndarray
    ring: Localization
    array: Array
    _known: dict[int, sympy.Expr] = field(default_factory=dict)

    @classmethod
    def read(cls, expressions: Sequence[sympy.Expr], start: np.ndarray) -> Symbolic:
        """Expressions as coefficients."""
        ring = Localization(expressions)
        return cls(start, ring, ring.constants(expressions))

    def __reduce__(self) -> tuple[Any, ...]:
        """The coefficients travel to other processes as expressions."""
        return Symbolic.read, (self.values(), self.start)

    @property
    def order(self) -> int:
        """The highest order."""
        return len(self.start) - 2

    def __len__(self) -> int:
        return len(self.array)

    def truncated(self, order: int) -> Symbolic:
        """The coefficients up to that order."""
        start = self.start[: order + 2]
        return Symbolic(start, self.ring, self.array[: start[-1]], self._known)

    def on(self, ring: Ring) -> Array:
        """The coefficients as elements of a ring."""
        return self.array if ring is self.ring else ring.constants(self.values())

    def at(self, i: int) -> sympy.Expr:
        """The coefficient of tree number i."""
        if i not in self._known:
            self._known[i] = self.ring.expression(self.array[i])
        return self._known[i]

    def values(self, first: int = 0, stop: int | None = None) -> list[sympy.Expr]:
        """The coefficients of the trees from number `first` to before number `stop`."""
        return [self.at(i) for i in range(len(self))[first:stop]]

    def equal(self, i: Array, j: Array, sign: int = 1) -> Array:
        """Whether coefficients i and j are equal, or opposite if `sign` is −1."""
        return self._vanish(self.array[i] - sign * self.array[j])

    def vanishes(self) -> Array:
        """Whether each coefficient is 0."""
        return self._vanish(self.array)

    def _vanish(self, elements: Array) -> Array:
        return np.array([self.ring.expression(element) == 0 for element in elements], dtype=bool)
