"""Truncated power series in the step size h, with coefficients in any commutative ring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Series"]


class Series:
    """Σ_k c_k h^k, known up to and including h^n.

    Coefficients need +, − and ×, and compare equal to 0 when they vanish. Every series in one computation
    has the same number n + 1 of coefficients; products drop what lies beyond.
    """

    __slots__ = ("coefficients",)

    def __init__(self, coefficients: Sequence[Any]) -> None:
        self.coefficients = list(coefficients)

    @classmethod
    def constant(cls, value: Any, order: int) -> Series:
        """The series that is `value` at every h."""
        return cls([value, *[value * 0] * order])

    @classmethod
    def step_size(cls, one: Any, order: int) -> Series:
        """The series h itself, which is 0 where nothing but constants is known."""
        return cls([one * 0, one, *[one * 0] * order][: order + 1])

    @property
    def order(self) -> int:
        """The highest power of h that is known."""
        return len(self.coefficients) - 1

    def __getitem__(self, k: int) -> Any:
        return self.coefficients[k]

    def __add__(self, other: Any) -> Series:
        if isinstance(other, Series):
            return Series([a + b for a, b in zip(self.coefficients, other.coefficients, strict=True)])
        return Series([self.coefficients[0] + other, *self.coefficients[1:]])

    __radd__ = __add__

    def __neg__(self) -> Series:
        return Series([-a for a in self.coefficients])

    def __sub__(self, other: Any) -> Series:
        return self + (-other)

    def __rsub__(self, other: Any) -> Series:
        return (-self) + other

    def __mul__(self, other: Any) -> Series:
        if not isinstance(other, Series):
            return Series([a * other for a in self.coefficients])
        left = [(i, a) for i, a in enumerate(self.coefficients) if a != 0]
        right = [(j, b) for j, b in enumerate(other.coefficients) if b != 0]
        product = [self.coefficients[0] * 0] * len(self.coefficients)
        for i, a in left:
            for j, b in right:
                if i + j >= len(product):
                    break
                product[i + j] = product[i + j] + a * b
        return Series(product)

    __rmul__ = __mul__

    def shift(self, k: int) -> Series:
        """h^k times this series."""
        zero = self.coefficients[0] * 0
        return Series(([zero] * k + self.coefficients)[: len(self.coefficients)])

    @property
    def is_zero(self) -> bool:
        """Whether every known coefficient vanishes."""
        return all(a == 0 for a in self.coefficients)
