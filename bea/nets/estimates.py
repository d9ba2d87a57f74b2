"""Means of samples, with how well they are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

__all__ = ["Mean", "mean_of"]


@dataclass(frozen=True)
class Mean:
    """A mean over independent samples.

    Attributes
    ----------
    value : float
    error : float
        The standard error.
    interval : tuple of two floats
        The confidence interval by Student's distribution.
    level : float
        Its confidence level.
    samples : int
    """

    value: float
    error: float
    interval: tuple[float, float]
    level: float
    samples: int


def mean_of(values: np.ndarray, level: float = 0.95) -> Mean:
    """The mean of two or more values with its standard error and interval.

    Raises
    ------
    ValueError
        If the level is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np
    >>> from bea.nets.estimates import mean_of
    >>> mean = mean_of(np.array([1.0, 2.0, 3.0]))
    >>> mean.value, round(mean.error, 3)
    (2.0, 0.577)
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, not {level}")
    n = len(values)
    value, error = float(np.mean(values)), float(np.std(values, ddof=1) / np.sqrt(n))
    half = float(student.ppf((1 + level) / 2, n - 1)) * error
    return Mean(value, error, (value - half, value + half), level, n)
