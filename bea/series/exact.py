"""Exact coefficients in a number field, kept as integer digits over known denominators."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, reduce
from itertools import pairwise
from math import gcd, lcm
from operator import mul

import numpy as np
import sympy

from bea.series.denominators import Denominators
from bea.series.digits import next_digit, radices, residues, to_digits
from bea.series.number_fields import RATIONALS, Channel, NumberField
from bea.series.rings import Array, Doubles, Residues, Ring

__all__ = ["Exact", "lift"]

#: Denominators of orders with more trees than this stay as they were proven and are not made least.
MOST_REDUCED = 5000


@dataclass(frozen=True, eq=False)
class Exact:
    """Coefficients Σ_i c_i θⁱ / D_n of the trees of orders n = 1, 2, …, with integers c_i.

    Parameters
    ----------
    field : NumberField
        ℚ(θ), of degree m.
    start : int array
        ``start[n]`` is the number of the first tree of order n, for n = 0, …, order + 1.
    denominators : sequence of int
        D_n for n = 0, …, order.
    primes : sequence of k int
    digits : int32 array, shape (k, m, trees)
        The digits of the c_i; see `bea.series.digits`.
    """

    field: NumberField
    start: np.ndarray
    denominators: Denominators
    primes: Sequence[int]
    digits: np.ndarray

    @classmethod
    def read(cls, numbers: Sequence[sympy.Expr], field: NumberField, start: np.ndarray) -> Exact:
        """Numbers of the field as coefficients."""
        coordinates = [field.coordinates(number) for number in numbers]
        denominators = [
            lcm(*(c.denominator for row in coordinates[i:j] for c in row)) for i, j in pairwise(start)
        ]
        scales = np.repeat(np.array(denominators, dtype=object), np.diff(start))
        integers = [[int(c * D) for c in row] for row, D in zip(coordinates, scales, strict=True)]
        primes, digits = to_digits(
            np.array(integers, dtype=object).T, (c.prime for c in RATIONALS.channels())
        )
        return cls(field, start, denominators, primes, digits)

    @property
    def order(self) -> int:
        """The highest order."""
        return len(self.denominators) - 1

    def __len__(self) -> int:
        return self.digits.shape[2]

    def truncated(self, order: int) -> Exact:
        """The coefficients up to that order."""
        start = self.start[: order + 2]
        digits = self.digits[:, :, : start[-1]]
        return Exact(self.field, start, self.denominators[: order + 1], self.primes, digits)

    # -- into rings ------------------------------------------------------------------------------------

    def on(self, ring: Ring) -> Array:
        """The coefficients as elements of a ring."""
        if isinstance(ring, Residues):
            return self._residues(ring)
        if isinstance(ring, Doubles):
            return self._floats(ring)
        return ring.constants(self.values())

    def _residues(self, ring: Residues) -> Array:
        p = ring.prime
        powers = [pow(ring.root, i, p) for i in range(self.field.degree)]
        weights = [place * power for place in radices(self.primes) for power in powers]
        numerators = residues(self.digits.reshape(len(weights), len(self)), weights, p)
        return scaled_by_order(numerators, self.start, [pow(D, -1, p) for D in self.denominators], p)

    def _floats(self, ring: Doubles) -> Array:
        if self.field.degree > 1:
            return ring.constants(self.values())
        floats = np.zeros(len(self))
        for n, D in enumerate(self.denominators):
            trees = slice(self.start[n], self.start[n + 1])
            for place, digit in zip(radices(self.primes), self.digits[:, 0, trees], strict=True):
                floats[trees] += float(Fraction(place, D)) * digit
        return floats

    # -- into SymPy ------------------------------------------------------------------------------------

    def at(self, i: int) -> sympy.Expr:
        """The coefficient of tree number i."""
        n = bisect_right(self._starts, i) - 1
        return self.field.expression([c for (c,) in self.numerators(i, i + 1)], self.denominators[n])

    @cached_property
    def _starts(self) -> list[int]:
        return self.start.tolist()

    def values(self, first: int = 0, stop: int | None = None) -> list[sympy.Expr]:
        """The coefficients of the trees from number `first` to before number `stop`."""
        stop = len(self) if stop is None else stop
        orders = np.searchsorted(self.start, np.arange(first, stop), side="right") - 1
        return [
            self.field.expression(row, self.denominators[n])
            for row, n in zip(zip(*self.numerators(first, stop), strict=True), orders, strict=True)
        ]

    def numerators(self, first: int, stop: int) -> list[list[int]]:
        """For i = 0, …, m − 1 the integers c_i of some trees."""
        places = radices(self.primes)
        return [
            [sum(map(mul, places, row)) for row in zip(*self.digits[:, i, first:stop].tolist(), strict=True)]
            for i in range(self.field.degree)
        ]

    @cached_property
    def least_denominators(self) -> list[int]:
        """The least denominators that serve as well as the D_n, or where trees are many the D_n."""
        least = []
        for n, D in enumerate(self.denominators):
            i, j = int(self.start[n]), int(self.start[n + 1])
            integers = self.numerators(i, j) if j - i <= MOST_REDUCED else []
            least.append(D // gcd(D, *(c for row in integers for c in row)) if integers else D)
        return least

    # -- comparisons -----------------------------------------------------------------------------------

    def equal(self, i: Array, j: Array, sign: int = 1) -> Array:
        """Whether coefficients i and j, of trees of equal orders, are equal, or opposite if `sign` is −1."""
        return np.asarray((self.digits[:, :, i] == sign * self.digits[:, :, j]).all(axis=(0, 1)))

    def vanishes(self) -> Array:
        """Whether each coefficient is 0."""
        return np.logical_not(self.digits.any(axis=(0, 1)))


def lift(
    operation: Callable[[Residues], Array],
    field: NumberField,
    start: np.ndarray,
    denominators: Denominators,
    inputs: Iterable[int] = (),
) -> Exact:
    """Coefficients from their residues modulo as many primes as they need.

    Parameters
    ----------
    operation : callable
        Computes the coefficients in a ring of residues.
    field : NumberField
        To which they belong.
    start : int array
        The numbers of the first trees of orders 0, …, order + 1.
    denominators : sequence of int
        For each order n = 0, …, order a number that makes integers of all coefficients.
    inputs : iterable of int, optional
        The denominators of what the operation works on; a prime that divides one of them is passed over.
    """
    avoided = lcm(*denominators, *inputs)
    primes: list[int] = []
    digits = np.empty((0, field.degree, int(start[-1])), dtype=np.int32)
    for channel in field.channels():
        p = channel.prime
        if avoided % p == 0:
            continue
        values = _coordinates(operation, field, channel)
        integers = [scaled_by_order(value, start, denominators, p) for value in values]
        new = np.stack([next_digit(x, digits[:, i], primes, p) for i, x in enumerate(integers)])
        if primes and not new.any():
            break
        primes.append(p)
        digits = np.concatenate([digits, new[None]])
    if field.degree > 1 and not digits[:, 1:].any():
        field, digits = RATIONALS, digits[:, :1].copy()
    return Exact(field, start, list(denominators), primes, digits)


def _coordinates(operation: Callable[[Residues], Array], field: NumberField, channel: Channel) -> list[Array]:
    """The coordinates modulo a prime, interpolated from the values at all images of θ."""
    p = channel.prime
    values = [operation(Residues(p, root, field)) for root in channel.roots]
    if field.degree == 1:
        return values
    return [
        reduce(np.add, (v.astype(np.int64) * w % p for v, w in zip(values, row, strict=True))) % p
        for row in channel.interpolation
    ]


def scaled_by_order(values: Array, start: np.ndarray, factors: Sequence[int], prime: int) -> Array:
    """Residues multiplied by a factor for each order."""
    for n, factor in enumerate(factors):
        if factor % prime != 1:
            trees = slice(start[n], start[n + 1])
            values[trees] = values[trees].astype(np.int64) * (factor % prime) % prime
    return values
