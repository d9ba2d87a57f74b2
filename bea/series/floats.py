"""Coefficients of double precision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy

from bea.series.rings import Array, Doubles, Ring

__all__ = ["Floats"]


@dataclass(frozen=True, eq=False)
class Floats:
    """Coefficients of the trees of orders 1, 2, … as floats.

    Parameters
    ----------
    start : int array
        The numbers of the first trees of orders 0, …, order + 1.
    array : float64 array, shape (trees,)

    Raises
    ------
    OverflowError
        If a coefficient is not finite.
    """

    start: np.ndarray
    array: Array

    def __post_init__(self) -> None:
        if not np.isfinite(self.array).all():
            raise OverflowError(
                "a coefficient is too large for a float: keep the series exact, or lower its order"
            )

    @property
    def order(self) -> int:
        """The highest order."""
        return len(self.start) - 2

    def __len__(self) -> int:
        return len(self.array)

    def truncated(self, order: int) -> Floats:
        """The coefficients up to that order."""
        start = self.start[: order + 2]
        return Floats(start, self.array[: start[-1]])

    def on(self, ring: Ring) -> Array:
        """The coefficients as elements of a ring; in exact rings a float is the decimal that it spells."""
        if isinstance(ring, Doubles):
            return self.array
        return ring.constants([sympy.Rational(str(x)) for x in self.array.tolist()])

    def at(self, i: int) -> float:
        """The coefficient of tree number i."""
        return float(self.array[i])

    def values(self, first: int = 0, stop: int | None = None) -> list[float]:
        """The coefficients of the trees from number `first` to before number `stop`."""
        return self.array[first:stop].tolist()

    def equal(self, i: Array, j: Array, sign: int = 1) -> Array:
        """Whether coefficients i and j are equal, or opposite if `sign` is −1, bit by bit."""
        return self.array[i] == sign * self.array[j]

    def vanishes(self) -> Array:
        """Whether each coefficient is 0."""
        return self.array == 0
