"""What a run of many replicas gives: their last states, and statistics along the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Ensemble", "EnsemblePath", "InterruptedEnsemble"]


@dataclass(frozen=True, eq=False)
class EnsemblePath:
    """Statistics of an ensemble at recorded times, over the replicas that have not diverged by then.

    Attributes
    ----------
    steps : array of shape (K,)
        After how many steps; the first is 0, the last, where there was no interrupt, the last step.
    t : array of shape (K,)
        The times: the steps times the step size.
    count : array of shape (K,)
        How many replicas had not diverged.
    mean : array of shape (K, d)
    covariance : array of shape (K, d, d)
        Unbiased; not a number where fewer than two replicas are left.
    statistics : dict from str to array of shape (K,)
        The means of the statistics that were asked for.
    variances : dict from str to array of shape (K,)
        Their unbiased variances.
    replicas : array of shape (K, r, d)
        The states of the replicas that were asked for; not a number from where one has diverged.
    """

    steps: np.ndarray
    t: np.ndarray
    count: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    statistics: dict[str, np.ndarray]
    variances: dict[str, np.ndarray]
    replicas: np.ndarray


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Independent replicas of a random run, with what is needed to repeat it.

    Attributes
    ----------
    final : array of shape (replicas, d)
        The last states; for a replica that has diverged the last one before that.
    diverged_at : array of int, shape (replicas,)
        The step at which a replica first is not finite or has a component beyond 1e100, and 0 where none is.
    path : EnsemblePath
        Statistics at the recorded times.
    steps_made : int
    success : bool
        Whether all steps were made and no replica has diverged.
    message : str
        What happened, in a sentence.
    step_size : float
    steps : int
        The number of steps that were asked for.
    parameters : dict from str to float
    sigma : float or None
        The standard deviation of the noise of descent.
    seed : int or None
        The seed, where one was given as an integer.
    versions : dict from str to str
        Of the packages that shape the numbers.
    """

    final: np.ndarray
    diverged_at: np.ndarray
    path: EnsemblePath
    steps_made: int
    success: bool
    message: str
    step_size: float
    steps: int
    parameters: dict[str, float]
    sigma: float | None
    seed: int | None
    versions: dict[str, str]

    def __repr__(self) -> str:
        replicas, d = self.final.shape
        return f"<{type(self).__name__} of {replicas} replicas in {d} variables: {self.message}>"

    @property
    def diverged(self) -> np.ndarray:
        """Which replicas have diverged."""
        return np.flatnonzero(self.diverged_at)

    @property
    def survivors(self) -> np.ndarray:
        """The last states of the replicas that have not diverged, of shape (n, d)."""
        return self.final[self.diverged_at == 0]

    @property
    def mean(self) -> np.ndarray:
        """The mean of the last states, of shape (d,), over the replicas that have not diverged."""
        return self._remaining(1, "mean").mean(axis=0)

    @property
    def covariance(self) -> np.ndarray:
        """The unbiased covariance of the last states, of shape (d, d), over those that have not diverged."""
        d = self.final.shape[1]
        return np.cov(self._remaining(2, "covariance"), rowvar=False).reshape(d, d)

    def quantiles(self, q: float | Sequence[float]) -> np.ndarray:
        """Quantiles of the last states, over the replicas that have not diverged.

        Parameters
        ----------
        q : float or sequence of float
            Between 0 and 1.

        Returns
        -------
        array of shape (d,), or (len(q), d)
        """
        return np.quantile(self._remaining(1, "quantile"), q, axis=0)

    def _remaining(self, least: int, what: str) -> np.ndarray:
        if len(self.survivors) < least:
            raise ValueError(
                f"a {what} needs {least} or more replicas that have not diverged, "
                f"and of {len(self.final)} there are {len(self.survivors)}"
            )
        return self.survivors


class InterruptedEnsemble(KeyboardInterrupt):
    """The interrupt of a run from the keyboard; its attribute `ensemble` holds what was computed so far."""

    def __init__(self, ensemble: Ensemble) -> None:
        super().__init__(ensemble)
        self.ensemble = ensemble

    def __str__(self) -> str:
        return (
            f"{self.ensemble.message}; the ensemble so far is in the attribute 'ensemble' of this exception"
        )
