"""The noise of dropout."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import sympy

from bea.systems.expressions import Value, read_expression
from bea.systems.laws.law import SIGMA, Law, read_power

__all__ = ["Bernoulli"]


@dataclass(frozen=True)
class Bernoulli(Law):
    """Independent components η = ξ/q − 1, where ξ is 1 with the probability q and 0 otherwise.

    A factor 1 + η so either drops what it multiplies or keeps it, divided by q. For σ → 0 it drops seldom,
    but what is dropped changes by as much as ever.

    Parameters
    ----------
    keep : number, optional
        q, between 0 and 1. It fixes the variance σ² = (1 − q)/q. Without it, the standard deviation σ
        that is asked for fixes q = 1/(1 + σ²).

    Raises
    ------
    ValueError
        If `keep` is no number between 0 and 1.

    Examples
    --------
    >>> from bea.noise import Bernoulli
    >>> law = Bernoulli(keep=0.8)
    >>> law.scale(1), law.moment(3), law.moment(4)
    (0.5, -3/2, 13/4)
    >>> Bernoulli().moment(3)
    sigma - 1/sigma
    """

    keep: Value | None = None

    jump = -1
    source = "(sigma if rng.random()*(1.0 + sigma*sigma) < 1.0 else -1.0/sigma)"

    def __post_init__(self) -> None:
        if self.keep is None:
            return
        q = read_expression(self.keep)
        if not (q.is_number and q.is_real and 0 < q < 1):
            raise ValueError(f"keep must be a number between 0 and 1, not {self.keep}")
        object.__setattr__(self, "keep", q)

    def scale(self, n: int) -> float | None:
        return None if self.keep is None else sqrt((1 - self.keep) / self.keep)

    def sigma(self, sigma: float | None, n: int) -> float:
        value, own = super().sigma(sigma, n), self.scale(n)
        if own is not None and abs(value - own) > 1e-12 * own:
            raise ValueError(
                f"with keep={self.keep} the standard deviation is {own:g}, so that sigma cannot be {value:g}"
            )
        return value

    def standardized(self, rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
        return np.where(rng.random(shape) * (1 + sigma**2) < 1, sigma, -1 / sigma)

    def moment(self, k: int) -> sympy.Expr:
        read_power(k)
        s = SIGMA if self.keep is None else sympy.sqrt((1 - self.keep) / self.keep)
        return sympy.expand(sympy.cancel((s**k + s**2 * (-1 / s) ** k) / (1 + s**2)))
