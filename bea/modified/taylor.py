"""The value of a field at x + δ(h), as a power series in h, by Taylor's theorem in several variables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bea.modified.series import Series

__all__ = ["TaylorField"]


class TaylorField:
    """A field as a function of series: f(x + δ) = Σ_α δ^α/α! ∂^α f(x), with δ = O(h).

    Derivatives are taken once and kept, so that the stages of a method share them. A branch of multi-indices
    ends where the derivatives vanish (polynomials) or where δ^α is beyond the known order.
    """

    def __init__(self, ring: Any, components: Sequence[Any]) -> None:
        self.ring = ring
        self.components = list(components)
        self._derivatives = {(0,) * ring.dimension: self.components}

    def __call__(self, point: Sequence[Series]) -> list[Series]:
        order = point[0].order
        delta = [p - x for p, x in zip(point, self.ring.variables, strict=True)]
        origin = (0,) * self.ring.dimension
        value = [Series.constant(c, order) for c in self._derivatives[origin]]
        one = Series.constant(self.ring.one, order)
        self._add_branch(value, delta, origin, one, 0)
        return value

    def _add_branch(
        self, value: list[Series], delta: list[Series], index: tuple[int, ...], power: Series, first: int
    ) -> None:
        """Add every δ^α/α! ∂^α f that extends `index` in the variables from `first` on."""
        for i in range(first, self.ring.dimension):
            if delta[i].is_zero:
                continue
            longer = (*index[:i], index[i] + 1, *index[i + 1 :])
            derivative = self._derivative(longer, index, i)
            if all(c == 0 for c in derivative):
                continue
            factor = delta[i] * self.ring.rational(1, longer[i])
            monomial = factor if sum(index) == 0 else power * factor
            if monomial.is_zero:
                continue
            for m, c in enumerate(derivative):
                if c != 0:
                    value[m] = value[m] + monomial * c
            self._add_branch(value, delta, longer, monomial, i)

    def _derivative(self, longer: tuple[int, ...], index: tuple[int, ...], i: int) -> list[Any]:
        if longer not in self._derivatives:
            known = self._derivatives[index]
            self._derivatives[longer] = [self.ring.partial(c, i) for c in known]
        return self._derivatives[longer]
