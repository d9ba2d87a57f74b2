r"""The logarithm of a map near the identity, by Lie series.

A field f̃ = f₁ + h f₂ + h² f₃ + … carries every function g along its flow by the Lie series

    g ∘ exp(h f̃) = Σ_i (1/i!) (h D)^i g,   h D = h D₁ + h² D₂ + …,   D_j g = g' f_j.

Applied to the coordinates and compared with a map x + h d₁ + h² d₂ + …, order by order, it yields the f_k
one after the other: f_k is d_k less what the earlier fields already contribute at h^k.

References
----------
.. [1] E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*, 2nd ed., Springer 2006,
   section IX.1 and equation (III.5.1) for the Lie derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["LieSeries", "exponential", "logarithm"]

Components = list[Any]


def logarithm(ring: Any, displacement: Sequence[Components]) -> list[Components]:
    """The fields f₁, f₂, … whose flow over time h is the map x + Σ_k h^k d_k.

    Parameters
    ----------
    ring : FlintRing or SympyRing
        The ring of functions of x, which knows how to differentiate.
    displacement : sequence of n lists of d ring elements
        The coefficients d₁, …, d_n of the map.

    Returns
    -------
    list of n lists of d ring elements
        f₁, …, f_n: the coefficients of h⁰, …, h^{n−1} in the modified field.
    """
    flow = LieSeries(ring)
    for components in displacement:
        known = flow.contribution()
        flow.append([ring.normal(d - c) for d, c in zip(components, known, strict=True)])
    return [row[0] for row in flow.rows]


def exponential(ring: Any, fields: Sequence[Components]) -> list[Components]:
    """The coefficients d₁, …, d_n of the flow over time h of the field f₁ + h f₂ + …: logarithm's inverse."""
    flow = LieSeries(ring)
    displacement = []
    for components in fields:
        known = flow.contribution()
        flow.append(components)
        displacement.append([ring.normal(f + c) for f, c in zip(components, known, strict=True)])
    return displacement


class LieSeries:
    """The triangle Y[i, k], the coefficient of h^k in (h D)^i x, filled one k at a time.

    `rows[k-1]` holds Y[1, k] = f_k, Y[2, k], …, Y[k, k]; the recurrence is
    Y[i, k] = Σ_j D_j Y[i−1, k−j], so all but the first entry of a row follow from earlier rows.
    """

    def __init__(self, ring: Any) -> None:
        self.ring = ring
        self.rows: list[list[Components]] = []
        self.derivations: list[Any] = []

    def contribution(self) -> Components:
        """What the fields so far add at the next power of h: Σ_{i≥2} Y[i, k] / i!."""
        k = len(self.rows) + 1
        self._next = [self._entry(i, k) for i in range(2, k + 1)]
        total = [self.ring.zero] * self.ring.dimension
        factorial = 1
        for i, entry in enumerate(self._next, start=2):
            factorial *= i
            weight = self.ring.rational(1, factorial)
            total = [t + e * weight for t, e in zip(total, entry, strict=True)]
        return total

    def append(self, field: Components) -> None:
        """Fix f_k and so close row k."""
        self.rows.append([field, *self._next])
        self.derivations.append(self.ring.derivation(field))

    def _entry(self, i: int, k: int) -> Components:
        total = [self.ring.zero] * self.ring.dimension
        for j in range(1, k - i + 2):
            earlier = self.rows[k - j - 1][i - 2]
            derivation = self.derivations[j - 1]
            total = [t + self.ring.lie(derivation, e) for t, e in zip(total, earlier, strict=True)]
        return total
