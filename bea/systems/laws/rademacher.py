"""Signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy

from bea.systems.laws.law import Law, read_power

__all__ = ["Rademacher"]


@dataclass(frozen=True)
class Rademacher(Law):
    """Independent components σ or −σ, each with probability ½.

    Examples
    --------
    >>> from bea.noise import Rademacher
    >>> [Rademacher().moment(k) for k in range(5)]
    [1, 0, 1, 0, 1]
    """

    source = "(1.0 if rng.random() < 0.5 else -1.0)"

    def standardized(self, rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
        return 2.0 * rng.integers(0, 2, shape) - 1.0

    def moment(self, k: int) -> sympy.Expr:
        return sympy.Integer(1 - read_power(k) % 2)
