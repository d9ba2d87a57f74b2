"""Normal noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy

from bea.systems.laws.law import Law, read_power

__all__ = ["Gaussian"]


@dataclass(frozen=True)
class Gaussian(Law):
    """Independent normal components.

    Examples
    --------
    >>> from bea.noise import Gaussian
    >>> [Gaussian().moment(k) for k in range(7)]
    [1, 0, 1, 0, 3, 0, 15]
    """

    source = "rng.standard_normal()"

    def standardized(self, rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
        return rng.standard_normal(shape)

    def moment(self, k: int) -> sympy.Expr:
        return sympy.factorial2(k - 1) if read_power(k) % 2 == 0 else sympy.S.Zero
