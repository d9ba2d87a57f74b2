"""Claims on random samples: means by Student and shares by Clopper and Pearson, with confidence intervals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest
from scipy.stats import t as student

from bea.theorems.claims import Claim

__all__ = ["mean_claim", "mean_interval", "share_claim"]

#: The confidence of all intervals here.
CONFIDENCE = 0.99


def mean_interval(values: Sequence[float] | np.ndarray) -> tuple[float, tuple[float, float]]:
    """The mean of independent values and Student's 99 % confidence interval of it.

    Raises
    ------
    ValueError
        If there are fewer than three values, or one is not finite.

    Examples
    --------
    >>> mean, (low, high) = mean_interval([0.9, 1.0, 1.1, 1.2])
    >>> round(mean, 2), round(low, 2), round(high, 2)
    (1.05, 0.67, 1.43)
    """
    sample = np.asarray(values, dtype=float)
    if sample.size < 3 or not np.isfinite(sample).all():
        raise ValueError(f"an interval takes three finite values or more, not {sample.tolist()}")
    mean = float(sample.mean())
    spread = float(sample.std(ddof=1)) / np.sqrt(sample.size)
    half = float(student.ppf((1 + CONFIDENCE) / 2, sample.size - 1) * spread)
    return mean, (mean - half, mean + half)


def mean_claim(
    name: str,
    values: Sequence[float] | np.ndarray,
    detail: str,
    *,
    near: tuple[float, float] | None = None,
    below: float = np.inf,
    above: float = -np.inf,
    samples: str = "problems",
) -> Claim:
    """That a mean, with its whole interval, is near a number, below one or above one.

    Parameters
    ----------
    name : str
    values : sequence of float
        Independent values.
    detail : str
    near : (float, float), optional
        The predicted number, and how far from it the interval may reach.
    below, above : float, optional
        Bounds, where there is no predicted number.
    samples : str, optional
        What the values belong to.
    """
    mean, (low, high) = mean_interval(values)
    if near is not None:
        predicted: float | str = near[0]
        below, above = near[0] + near[1], near[0] - near[1]
        detail = f"within {near[1]:g}; {detail}"
    else:
        predicted = f"below {below:.4g}" if np.isfinite(below) else f"above {above:.4g}"
    return Claim(
        name=name,
        predicted=predicted,
        measured=mean,
        interval=(low, high),
        passed=above < low <= high < below,
        detail=f"{detail}; mean over {np.size(values)} {samples}, interval of {CONFIDENCE:.0%}",
    )


def share_claim(name: str, outcomes: Sequence[bool] | np.ndarray, detail: str) -> Claim:
    """That more than half of all problems have a property, in the whole interval of their share."""
    hits = np.asarray(outcomes, dtype=bool)
    interval = binomtest(int(hits.sum()), hits.size).proportion_ci(CONFIDENCE, method="exact")
    return Claim(
        name=name,
        predicted="most",
        measured=float(hits.mean()),
        interval=(float(interval.low), float(interval.high)),
        passed=interval.low > 0.5,
        detail=f"{detail}; share of {hits.size} problems, interval of {CONFIDENCE:.0%}",
    )
