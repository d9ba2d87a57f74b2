r"""Algebraic numbers as polynomials in one of them, and primes modulo which that one has all its values.

The numbers of a method lie in a field ℚ(θ), where θ is a root of a monic polynomial f with integer
coefficients: ℚ itself has θ = 0, and the Gauss method of order 4 has θ = √3. Where f splits into distinct
linear factors modulo a prime p, each of its m roots ϑ gives a homomorphism ℤ[θ] → 𝔽_p, θ ↦ ϑ, and together
they determine Σ_i c_i θⁱ modulo p: the c_i are found by interpolation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import lcm

import sympy

__all__ = ["RATIONALS", "Channel", "NumberField", "number_field"]

#: Fields of higher degree are rare, and so are the primes that split in them.
MAX_DEGREE = 6

#: Primes below 2²⁹ let 64 products of residues be added in 64 bits.
PRIMES_BELOW = 2**29


@dataclass(frozen=True)
class Channel:
    """A prime p, the roots of the polynomial of a field modulo p, and the matrix that interpolates there."""

    prime: int
    roots: tuple[int, ...]
    interpolation: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class NumberField:
    """The field ℚ(θ).

    Parameters
    ----------
    generator : sympy.Expr
        θ, an algebraic integer.
    polynomial : tuple of int
        The coefficients of its minimal polynomial, the highest first, which is 1.
    """

    generator: sympy.Expr
    polynomial: tuple[int, ...]

    @property
    def degree(self) -> int:
        """The degree m of the field."""
        return len(self.polynomial) - 1

    def coordinates(self, number: sympy.Expr) -> tuple[Fraction, ...]:
        """The rational numbers c_0, …, c_{m−1} with number = Σ c_i θⁱ."""
        if number.is_Rational:
            return (Fraction(int(number.p), int(number.q)), *[Fraction(0)] * (self.degree - 1))
        return _coordinates(self, number)

    def expression(self, coordinates: Sequence[int], denominator: int) -> sympy.Expr:
        """Σ c_i θⁱ / denominator in SymPy."""
        number = sympy.Rational(coordinates[0], denominator)
        for i, c in enumerate(coordinates[1:], start=1):
            number += sympy.Rational(c, denominator) * sympy.expand(self.generator**i)
        return number

    def channels(self) -> Iterator[Channel]:
        """Primes that split, descending from 2²⁹."""
        position = 0
        while True:
            yield _channel(self.polynomial, position)
            position += 1


RATIONALS = NumberField(sympy.Integer(0), (1, 0))


def number_field(numbers: Sequence[sympy.Expr]) -> NumberField | None:
    """The least field that holds the numbers; None if one of them is not algebraic or the degree is too high.

    Examples
    --------
    >>> import sympy
    >>> from bea.series.number_fields import number_field
    >>> number_field([sympy.Rational(1, 4), sympy.sqrt(3) / 6]).polynomial
    (1, 0, -3)
    """
    irrational = [number for number in numbers if not number.is_Rational]
    if not irrational:
        return RATIONALS
    if any(number.is_algebraic is not True for number in irrational):
        return None
    domain, _ = sympy.construct_domain(irrational, extension=True)
    if domain.is_ZZ_I or domain.is_QQ_I:
        return NumberField(sympy.I, (1, 0, 1))
    if not domain.is_AlgebraicField or domain.ext.minpoly.degree() > MAX_DEGREE:
        return None
    _, *monic = (sympy.QQ.to_sympy(c) for c in domain.mod.to_list())
    scale = lcm(*(int(c.q) for c in monic))
    polynomial = (1, *(int(c * scale**i) for i, c in enumerate(monic, start=1)))
    return NumberField(scale * domain.ext.as_expr(), polynomial)


@cache
def _coordinates(field: NumberField, number: sympy.Expr) -> tuple[Fraction, ...]:
    falling = sympy.QQ.algebraic_field(field.generator).from_sympy(number).to_list()
    rising = [Fraction(int(c.numerator), int(c.denominator)) for c in reversed(falling)]
    return (*rising, *[Fraction(0)] * (field.degree - len(rising)))


@cache
def _channel(polynomial: tuple[int, ...], position: int) -> Channel:
    """The prime at that position among those that split, and what belongs to it."""
    from flint import nmod_mat, nmod_poly

    prime = _channel(polynomial, position - 1).prime if position else PRIMES_BELOW
    while True:
        prime = int(sympy.prevprime(prime))
        roots = sorted(int(root) for root, _ in nmod_poly(list(reversed(polynomial)), prime).roots())
        if len(roots) == len(polynomial) - 1:
            powers = [[pow(root, i, prime) for i in range(len(roots))] for root in roots]
            inverse = nmod_mat(powers, prime).inv().tolist()
            return Channel(prime, tuple(roots), tuple(tuple(int(entry) for entry in row) for row in inverse))
