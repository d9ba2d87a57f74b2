"""A law of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import sympy

from bea.systems.expressions import read_expression
from bea.systems.laws.law import Law, read_power

__all__ = ["Sampled"]


@dataclass(frozen=True)
class Sampled(Law):
    """Independent components whose standardized law is given by a sampler and by moments.

    Parameters
    ----------
    sampler : callable
        A function of a numpy.random.Generator and a shape, whose value is an array of independent numbers
        with mean 0 and variance 1.
    moments : mapping from int to number, optional
        Moments E ξᵏ that are known, besides those of order 0, 1 and 2.
    source : str, optional
        The same as one expression of `rng` for compiled code, such as ``"rng.laplace()/2**0.5"``.

    Raises
    ------
    ValueError, TypeError
        If the sampler cannot be called, or a moment of order 0, 1 or 2 is not 1, 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from bea.noise import Sampled
    >>> laplace = Sampled(lambda rng, shape: rng.laplace(size=shape) / np.sqrt(2), moments={3: 0, 4: 6})
    >>> laplace.moment(4)
    6
    >>> laplace.draw(0, (2, 3), sigma=0.1).shape
    (2, 3)
    """

    sampler: Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
    moments: Mapping[int, object] = field(default_factory=dict, hash=False)
    source: str | None = None

    def __post_init__(self) -> None:
        if not callable(self.sampler):
            raise TypeError(f"a sampler is a function of a generator and a shape, not {self.sampler!r}")
        known = {read_power(k): read_expression(value) for k, value in dict(self.moments).items()}
        for k, value in enumerate((1, 0, 1)):
            if known.setdefault(k, sympy.Integer(value)) != value:
                raise ValueError(f"the moment of order {k} of a standardized law is {value}, not {known[k]}")
        object.__setattr__(self, "moments", known)

    def standardized(self, rng: np.random.Generator, shape: tuple[int, ...], sigma: float) -> np.ndarray:
        values = np.asarray(self.sampler(rng, shape), dtype=float)
        if values.shape != shape or not np.isfinite(values).all():
            raise ValueError(f"the sampler must return finite numbers of shape {shape}, not {values.shape}")
        return values

    def moment(self, k: int) -> sympy.Expr:
        if read_power(k) not in self.moments:
            raise ValueError(f"the moment of order {k} of this law was not given")
        return self.moments[k]
