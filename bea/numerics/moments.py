"""Means and covariances that are gathered block by block, in one pass and in constant memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Moments"]


@dataclass
class Moments:
    """How many samples there are, their mean, and the sum of (z − mean)(z − mean)ᵀ, at each of K times.

    Attributes
    ----------
    count : array of shape (K,)
    mean : array of shape (K, r)
    scatter : array of shape (K, r, r)

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the sample variance: analysis
       and recommendations", The American Statistician 37, 1983, equations (2.1).

    Examples
    --------
    >>> samples = np.array([[1.0, 2.0, 6.0]])
    >>> moments = Moments.of(samples[np.newaxis], np.ones((1, 3), dtype=bool))
    >>> moments.mean, moments.covariance
    (array([[3.]]), array([[[7.]]]))
    """

    count: np.ndarray
    mean: np.ndarray
    scatter: np.ndarray

    @classmethod
    def none(cls, times: int, size: int) -> Moments:
        """No samples at all."""
        return cls(np.zeros(times, dtype=int), np.zeros((times, size)), np.zeros((times, size, size)))

    @classmethod
    def of(cls, samples: np.ndarray, counted: np.ndarray) -> Moments:
        """Those of samples of shape (K, r, n); `counted`, of shape (K, n), tells which of them count."""
        count = counted.sum(axis=1)
        weight = counted[:, np.newaxis, :]
        known = np.where(weight, samples, 0.0)
        mean = known.sum(axis=2) / np.maximum(count, 1)[:, np.newaxis]
        centred = np.where(weight, known - mean[:, :, np.newaxis], 0.0)
        return cls(count, mean, centred @ centred.transpose(0, 2, 1))

    def add(self, other: Moments, times: slice) -> None:
        """Take in further samples at some of the times."""
        count, mean = self.count[times], self.mean[times]
        total = np.maximum(count + other.count, 1)
        shift = other.mean - mean
        share = other.count / total
        self.scatter[times] += other.scatter + (count * share)[:, np.newaxis, np.newaxis] * (
            shift[:, :, np.newaxis] * shift[:, np.newaxis, :]
        )
        self.mean[times] += share[:, np.newaxis] * shift
        self.count[times] += other.count

    def until(self, times: int) -> Moments:
        """The first of the times alone."""
        return Moments(self.count[:times], self.mean[:times], self.scatter[:times])

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariances, of shape (K, r, r); not a number where samples are fewer than two."""
        degrees = np.where(self.count > 1, self.count - 1, np.nan)
        return self.scatter / degrees[:, np.newaxis, np.newaxis]
