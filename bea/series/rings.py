"""Arrays of coefficients in compiled arithmetic: residues modulo a prime, and floats."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import sympy

from bea.series.number_fields import RATIONALS, NumberField

__all__ = ["DOUBLES", "Array", "Doubles", "Residues", "Ring"]

#: An array of coefficients, over trees or small, of whatever kind its ring works on.
Array = np.ndarray


class Ring(Protocol):
    """What the operations of the algebra need to know of the numbers that they work on."""

    def zeros(self, *shape: int) -> Array:
        """An array of zeros."""

    def constants(self, numbers: Any) -> Array:
        """SymPy numbers, in nested lists of any depth, as an array."""

    def add(self, u: Array, v: Array) -> Array:
        """u + v, entry by entry."""

    def subtract(self, u: Array, v: Array) -> Array:
        """u − v, entry by entry."""

    def multiply(self, u: Array, v: Array) -> Array:
        """u v, entry by entry."""

    def sums(self, values: Array, starts: Any) -> Array:
        """The sums of the values from each start to the next."""

    def lie_powers(
        self,
        cuts: tuple[Array, Array],
        first: int,
        field: Array,
        powers: Array,
        empty: int,
        weights: Array,
    ) -> Array:
        """The weighted sum of iterated Lie derivatives; see `bea.series.series_kernels.lie_powers`."""

    def stage_weights(
        self, parts: tuple[Array, Array, Array], rows: int, A: Array, B: Array, b: Array
    ) -> Array:
        """The weights of a method; see `bea.series.series_kernels.stage_weights`."""


class _Compiled:
    """What residues and floats share: arrays of machine numbers and compiled loops over them."""

    dtype: type[np.number]
    wide: type[np.number]
    modulus: np.number

    def zeros(self, *shape: int) -> Array:
        return np.zeros(shape, dtype=self.dtype)

    def constants(self, numbers: Any) -> Array:
        entries = np.array(numbers, dtype=object)
        return np.array([self.constant(entry) for entry in entries.flat], dtype=self.dtype).reshape(
            entries.shape
        )

    def constant(self, number: sympy.Expr) -> Any:
        raise NotImplementedError

    def lie_powers(
        self,
        cuts: tuple[Array, Array],
        first: int,
        field: Array,
        powers: Array,
        empty: int,
        weights: Array,
    ) -> Array:
        from bea.series.series_kernels import lie_powers

        total = np.empty(len(cuts[0]), dtype=self.dtype)
        sums = np.empty(powers.shape[1], dtype=self.wide)
        lie_powers(*cuts, first, field, powers, self.wide(empty), weights, self.modulus, sums, total)
        return total

    def stage_weights(
        self, parts: tuple[Array, Array, Array], rows: int, A: Array, B: Array, b: Array
    ) -> Array:
        from bea.series.series_kernels import stage_weights

        stages = b.shape[1]
        product, inner = self.zeros(rows, stages), self.zeros(rows, stages)
        outer = inner if B is A else self.zeros(rows, stages)
        weights = self.zeros(len(parts[0]))
        stage_weights(*parts, A, B, b, self.modulus, product, inner, outer, weights)
        return weights


class Residues(_Compiled):
    """The integers ℤ[θ] of a number field modulo a prime, by a homomorphism that takes θ to a residue.

    Parameters
    ----------
    prime : int
        Below 2²⁹.
    root : int, optional
        The image of θ.
    field : NumberField, optional
        ℚ(θ); without it only rational numbers can be brought in.
    """

    dtype, wide = np.uint32, np.uint64

    def __init__(self, prime: int, root: int = 0, field: NumberField = RATIONALS) -> None:
        self.prime, self.root, self.field = prime, root, field
        self.modulus = np.uint64(prime)

    def constant(self, number: sympy.Expr) -> int:
        coordinates = self.field.coordinates(sympy.sympify(number))
        return (
            sum(self._fraction(c) * pow(self.root, i, self.prime) for i, c in enumerate(coordinates))
            % self.prime
        )

    def _fraction(self, c: Fraction) -> int:
        return c.numerator * pow(c.denominator, -1, self.prime)

    def add(self, u: Array, v: Array) -> Array:
        return ((u.astype(np.int64) + v) % self.prime).astype(np.uint32)

    def subtract(self, u: Array, v: Array) -> Array:
        return ((u.astype(np.int64) - v) % self.prime).astype(np.uint32)

    def multiply(self, u: Array, v: Array) -> Array:
        return ((u.astype(np.int64) * v) % self.prime).astype(np.uint32)

    def sums(self, values: Array, starts: Any) -> Array:
        return (np.add.reduceat(values.astype(np.int64), starts) % self.prime).astype(np.uint32)


class Doubles(_Compiled):
    """Floats of double precision."""

    dtype = wide = np.float64
    modulus = np.float64(0)

    def constant(self, number: sympy.Expr) -> float:
        try:
            return float(number)
        except TypeError:
            raise ValueError(f"{number} is not real, so it cannot become a float") from None

    def add(self, u: Array, v: Array) -> Array:
        return u + v

    def subtract(self, u: Array, v: Array) -> Array:
        return u - v

    def multiply(self, u: Array, v: Array) -> Array:
        return u * v

    def sums(self, values: Array, starts: Any) -> Array:
        return np.add.reduceat(values, starts)


DOUBLES = Doubles()
