"""What a law of the injected noise is: a way to draw, and exact moments."""

from __future__ import annotations

from math import isfinite
from numbers import Real

import numpy as np
import sympy

__all__ = ["SIGMA", "Law"]

#: The symbol of the standard deviation in moments that depend on it.
SIGMA = sympy.Symbol("sigma")

Size = int | tuple[int, ...]


class Law:
    """The law of the noise η = σξ: the components of ξ have mean 0 and variance 1.

    A law is a subclass with `standardized` and `moment`, and with `source` where compiled code is to draw.
    Components are independent unless the law overrides `correlation` and sets `independent` to False.

    Attributes
    ----------
    source : str or None
        One expression that draws one standardized number, of `rng`, a numpy.random.Generator, and of `sigma`,
        in terms that Numba compiles. None where there is no such expression.
    independent : bool
        Whether the components of ξ are independent and alike.
    jump : int or None
        For noise that becomes rare and not small as σ → 0: the value of a component of η that it then takes
        with the probability σ², to leading order.
    """

    independent = True
    jump: int | None = None

    @property
    def source(self) -> str | None:
        """One expression that draws one standardized number, for compiled code."""
        return None

    def body(self, n: int) -> str | None:
        """Statements that fill the array `eta` of n numbers with one draw of ξ, where components depend."""
        return None

    def standardized(self, rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
        """Draws of ξ; the last axis runs over the components. Few laws of ξ depend on σ."""
        raise NotImplementedError

    def moment(self, k: int) -> sympy.Expr:
        """The exact moment E ξᵏ of one component, possibly in terms of the symbol ``sigma``."""
        raise NotImplementedError

    def correlation(self, n: int) -> sympy.ImmutableMatrix:
        """The covariance matrix of n components of ξ, with ones on the diagonal."""
        return sympy.ImmutableMatrix(sympy.eye(n))

    def scale(self, n: int) -> float | None:
        """The standard deviation σ that the law has of itself, for n components, or None where it is free."""
        return None

    def sigma(self, sigma: float | None, n: int) -> float:
        """The standard deviation to use: the given one or, without one, that of the law.

        Raises
        ------
        TypeError, ValueError
            If it is no nonnegative number, or neither given nor known.
        """
        own = self.scale(n)
        if sigma is None:
            if own is None:
                raise ValueError(f"the law {self!r} leaves the standard deviation open: pass sigma")
            return own
        if not isinstance(sigma, Real) or isinstance(sigma, bool):
            raise TypeError(f"sigma must be a number, not {sigma!r}")
        if not (isfinite(sigma) and sigma >= 0):
            raise ValueError(f"sigma must be a finite number, 0 or more, not {sigma!r}")
        return float(sigma)

    def draw(
        self, rng: int | np.random.Generator | None, size: Size, sigma: float | None = None
    ) -> np.ndarray:
        """Independent draws of η = σξ.

        Parameters
        ----------
        rng : int, numpy.random.Generator or None
            Randomness, as in NumPy.
        size : int or tuple of int
            The shape of the result. The last axis runs over the components of η.
        sigma : float, optional
            The standard deviation of every component, by default that of the law where it has one.

        Returns
        -------
        numpy.ndarray of shape `size`
        """
        shape = (size,) if isinstance(size, int | np.integer) else tuple(size)
        value = self.sigma(sigma, shape[-1])
        if value == 0:
            return np.zeros(shape)
        return value * self.standardized(np.random.default_rng(rng), shape, value)


def read_power(k: int) -> int:
    """The order of a moment, or a sentence that says why it is none."""
    if isinstance(k, bool) or not isinstance(k, int) or k < 0:
        raise ValueError(f"a moment has an order that is an integer, 0 or more, not {k!r}")
    return k
