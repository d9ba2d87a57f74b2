"""The weights that a minibatch gives to the losses of the data."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import sympy

from bea.systems.laws.law import Law, read_power

__all__ = ["Minibatch"]


@dataclass(frozen=True)
class Minibatch(Law):
    r"""Components η_i = (n/B) N_i − 1, where N_i counts how often datum i is among the B of a minibatch.

    The mean of the losses ℓ_i over the minibatch is (1/n) Σ (1 + η_i) ℓ_i. The components sum to zero.

    Parameters
    ----------
    batch : int
        The size B.
    replacement : bool, optional
        Whether the data are drawn with replacement. Without, the variance is (n − B)/B; with it, (n − 1)/B.
        The correlation of two components is −1/(n − 1) in both cases.

    Raises
    ------
    ValueError
        If `batch` is no positive integer or `replacement` no bool.

    Notes
    -----
    A standard deviation other than that of the law multiplies the weights η by a number.

    Examples
    --------
    >>> from bea.noise import Minibatch
    >>> law = Minibatch(batch=1)
    >>> law.correlation(3)
    Matrix([
    [   1, -1/2, -1/2],
    [-1/2,    1, -1/2],
    [-1/2, -1/2,    1]])
    >>> sorted(law.draw(0, 3).round(12).tolist())
    [-1.0, -1.0, 2.0]
    """

    batch: int
    replacement: bool = False

    independent = False

    def __post_init__(self) -> None:
        if isinstance(self.batch, bool) or not isinstance(self.batch, int) or self.batch < 1:
            raise ValueError(f"the size of a minibatch must be a positive integer, not {self.batch!r}")
        if not isinstance(self.replacement, bool):
            raise ValueError(f"replacement must be True or False, not {self.replacement!r}")

    def body(self, n: int) -> str:
        statements = WITH_REPLACEMENT if self.replacement else WITHOUT_REPLACEMENT
        return statements.format(batch=self.batch, n=n, scale=self.scale(n))

    def scale(self, n: int) -> float:
        return sqrt(self._variance(n))

    def correlation(self, n: int) -> sympy.ImmutableMatrix:
        self._variance(n)
        return sympy.ImmutableMatrix(n, n, lambda i, j: 1 if i == j else sympy.Rational(-1, n - 1))

    def standardized(self, rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
        n, B = shape[-1], self.batch
        scale = self.scale(n)
        if self.replacement:
            counts = rng.multinomial(B, np.full(n, 1 / n), size=shape[:-1])
        else:
            counts = rng.permuted(np.broadcast_to(np.arange(n) < B, shape), axis=-1).astype(int)
        return (n / B * counts - 1) / scale

    def moment(self, k: int) -> sympy.Expr:
        read_power(k)
        raise ValueError("the moments of a minibatch depend on how many data there are: see `correlation`")

    def _variance(self, n: int) -> float:
        if n < 2 or (self.batch >= n and not self.replacement):
            raise ValueError(
                f"a minibatch of {self.batch} from {n} {'datum' if n == 1 else 'data'} is not random"
            )
        return (n - 1 if self.replacement else n - self.batch) / self.batch


#: B draws from n data, one after the other.
WITH_REPLACEMENT = """\
eta[:] = -1.0 / {scale!r}
for _ in range({batch}):
    eta[rng.integers(0, {n})] += {n} / {batch} / {scale!r}
"""

#: Selection sampling: datum i is taken with the probability (still wanted)/(still left).
WITHOUT_REPLACEMENT = """\
wanted = {batch}
for i in range({n}):
    if rng.random() * ({n} - i) < wanted:
        eta[i] = ({n} / {batch} - 1.0) / {scale!r}
        wanted -= 1
    else:
        eta[i] = -1.0 / {scale!r}
"""
