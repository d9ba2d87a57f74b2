"""Uniform noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import sympy

from bea.systems.laws.law import Law, read_power

__all__ = ["Uniform"]


@dataclass(frozen=True)
class Uniform(Law):
    """Independent components, uniform on [−√3 σ, √3 σ].

    Examples
    --------
    >>> from bea.noise import Uniform
    >>> [Uniform().moment(k) for k in range(5)]
    [1, 0, 1, 0, 9/5]
    """

    source = f"{sqrt(12)!r}*(rng.random() - 0.5)"

    def standardized(self, rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
        return sqrt(12) * (rng.random(shape) - 0.5)

    def moment(self, k: int) -> sympy.Expr:
        return sympy.Rational(3 ** (k // 2), k + 1) if read_power(k) % 2 == 0 else sympy.S.Zero
