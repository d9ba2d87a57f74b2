"""Ensembles of noisy gradient descent."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import sympy

from bea.modified.many_points import compile_points
from bea.numerics.arguments import read_positive, read_rng
from bea.numerics.blas_threads import one_blas_thread
from bea.numerics.cache import load_module
from bea.numerics.ensemble_arguments import (
    read_count,
    read_kept,
    read_progress,
    read_starts,
    read_statistics,
    read_workers,
    seed_and_versions,
)
from bea.numerics.ensemble_result import Ensemble, InterruptedEnsemble
from bea.numerics.ensemble_source import Layout, ensemble_source, is_compiled
from bea.numerics.iterate_kernels import LIMIT
from bea.numerics.patience import patience
from bea.numerics.replicas import BLOCK, Progress, Run
from bea.systems.evaluation import parameter_numbers
from bea.systems.laws import Law
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.vector_field import VectorField

__all__ = ["ensemble"]

#: The standard deviation of a noise for which none is given.
SIGMA = 0.1

#: In up to so many variables a warning of divergence tells of the curvature.
MOST_CURVED = 16

#: A sampler is tried with so many draws, whose mean may be so many standard errors off.
TRIED, BAND = 4096, 6

Symbols = tuple[sympy.Symbol, ...]
Observed = tuple[sympy.Expr, ...]

#: At most so many numbers of noise are drawn beforehand.
MOST_DRAWN = 2**20


def ensemble(
    noisy: NoisyLoss,
    x0: Sequence[float] | np.ndarray,
    step_size: float,
    steps: int,
    replicas: int,
    sigma: float | None = None,
    rng: int | np.random.Generator | None = 0,
    workers: int | None = None,
    *,
    parameters: Mapping[Any, object] | None = None,
    record_every: int | None = None,
    statistics: Mapping[str, object] | None = None,
    record_replicas: Sequence[int] = (),
    progress: bool | Progress = False,
) -> Ensemble:
    r"""Many independent runs of noisy gradient descent, w ← w − α ∇L̂(w, η), η drawn anew at each step.

    Parameters
    ----------
    noisy : NoisyLoss
    x0 : array_like of shape (d,) or (replicas, d)
        The start of all replicas, or of each.
    step_size : float
        The step size α > 0.
    steps, replicas : int
    sigma : float, optional
        The standard deviation σ of each component of η, by default that of the law, or 0.1 where it has none.
    rng : int, numpy.random.Generator or None, default 0
        Randomness, as in NumPy.
    workers : int, optional
        How many threads compute, by default as many as there are processors. It does not change the result.
    parameters : mapping from name to number, optional
        Values for parameters, which replace those of the loss.
    record_every : int, optional
        Gather statistics after every so many steps, besides the first and the last state, which by default
        are the only ones.
    statistics : mapping from str to str or sympy.Expr, optional
        Functions of the variables and parameters, by a name for each. Their means and variances are gathered
        along the path.
    record_replicas : sequence of int, optional
        Keep the recorded states of these replicas.
    progress : bool or callable, default False
        Whether to tell of progress on standard error, or a function ``progress(steps_made, steps)``.

    Returns
    -------
    Ensemble

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, a parameter has no value, a statistic is not finite, or a law of
        the user's draws numbers of another mean than 0 or another variance than σ².
    InterruptedEnsemble
        On an interrupt from the keyboard. It is a `KeyboardInterrupt`, and its attribute ``ensemble`` holds
        all replicas after the steps that were made.

    Warns
    -----
    RuntimeWarning
        If replicas diverge. They stay at their last state before that, count in no statistic from then on,
        and are told in ``diverged`` and ``diverged_at``.

    Notes
    -----
    Replicas form blocks of 256, each with the generator ``numpy.random.default_rng(rng).spawn(blocks)[i]``.
    At every step a block draws the first component of η for all its replicas, then the second, and so on: as
    ``standard_normal((components, replicas in the block))`` does; where the components depend on one another,
    it draws them replica by replica. The result is the same, to the last bit, for any number of workers.

    The statistics of all replicas are gathered in one pass and in memory that does not depend on how many
    replicas there are.

    References
    ----------
    .. [1] A. Shalova, A. Schlichting and M. Peletier, "Singular-limit analysis of gradient descent with noise
       injection", 2024.

    Examples
    --------
    Additive noise in a quadratic loss has the stationary variance ασ²/(2 − α):

    >>> import bea
    >>> noisy = bea.NoisyLoss("w**2/2 + e*w", variables="w", noise="e")
    >>> ensemble = bea.ensemble(noisy, [1.0], step_size=0.1, steps=200, replicas=2000, sigma=1.0)
    >>> round(float(ensemble.covariance[0, 0]), 3), round(0.1 / 1.9, 3)
    (0.055, 0.053)
    """
    if not isinstance(noisy, NoisyLoss):
        raise TypeError(f"ensemble takes a NoisyLoss, not {type(noisy).__name__}")
    field = noisy.field
    h, sigma = read_positive(step_size, "step_size"), _read_sigma(noisy, sigma)
    steps, replicas = read_count(steps, "steps", 0), read_count(replicas, "replicas", 1)
    every = max(steps, 1) if record_every is None else read_count(record_every, "record_every", 1)
    starts = read_starts(x0, replicas, field.dimension)
    functions = read_statistics(statistics, (*noisy.variables, *noisy.parameter_symbols))
    numbers = _parameter_values(noisy, parameters)
    kept = read_kept(record_replicas, replicas)
    threads, tell = read_workers(workers), read_progress(progress)

    law = noisy.law
    layout = Layout(field.dimension, len(noisy.noise), len(functions))
    module = _module(field, noisy.noise, noisy.parameter_symbols, law, tuple(functions.values()))
    if not is_compiled(law, layout.noise):
        _require_standard(law, layout.noise, sigma)
    settings = np.array([*numbers.values()], dtype=float), field.native_data, h, sigma
    generators = read_rng(rng).spawn(-(-replicas // BLOCK))
    blocks = [
        DescentBlock(module, layout, law, generator, starts[first : first + BLOCK], *settings)
        for generator, first in zip(generators, range(0, replicas, BLOCK), strict=True)
    ]
    run = Run(blocks, field.dimension, list(functions), steps, every, kept)
    with one_blas_thread(module):
        completed = run.advance(threads, tell)
    result = run.ensemble(h, Ensemble, parameters=numbers, sigma=sigma, **seed_and_versions(rng))
    if not completed:
        raise InterruptedEnsemble(result)
    if len(result.diverged):
        reason = _instability(noisy, numbers, starts[result.diverged[0]], h)
        warnings.warn(result.message + reason, RuntimeWarning, stacklevel=2)
    return result


def _instability(noisy: NoisyLoss, numbers: Mapping[str, float], start: np.ndarray, h: float) -> str:
    """What the largest curvature at a start says about the step size, where it is large; else nothing."""
    if noisy.dimension > MOST_CURVED:
        return ""
    loss = noisy.loss
    compiled = compile_points(list(loss.hessian), loss.variables, loss.parameter_symbols, loss.hessian.shape)
    p = np.array([numbers[s.name] for s in loss.parameter_symbols])
    H = compiled(start[:, np.newaxis], p)[0]
    stiffness = h * float(np.linalg.eigvalsh(H)[-1]) if np.isfinite(H).all() else np.inf
    if stiffness < 2:
        return ""
    return (
        "; where the first of them started, step_size times the largest curvature is "
        f"{stiffness:.3g}, and descent is unstable from 2 on"
    )


def _require_standard(law: Law, components: int, sigma: float) -> None:
    """Refuse a sampler whose numbers have another mean than 0 or another variance than σ², by a test draw."""
    if sigma == 0:
        return
    xi = law.draw(np.random.default_rng(0), (TRIED, components), sigma) / sigma
    for name, values, wanted in (("mean", xi, 0), ("variance", xi**2, 1)):
        mean, error = values.mean(axis=0), values.std(axis=0) / np.sqrt(TRIED)
        wrong = np.flatnonzero(abs(mean - wanted) > BAND * error + 1e-12)
        if wrong.size:
            raise ValueError(
                f"the noise, divided by sigma, must have {name} {wanted}, but in {TRIED} draws of component "
                f"{wrong[0] + 1} it is {mean[wrong[0]]:.3g} ± {error[wrong[0]]:.1g}"
            )


@lru_cache(maxsize=128)
def _module(field: VectorField, noise: Symbols, symbols: Symbols, law: Law, observed: Observed) -> ModuleType:
    """The compiled loops."""
    with patience("the loops of ensembles"):
        return load_module(ensemble_source(field, noise, symbols, law, observed))


class DescentBlock:
    """A block of replicas of noisy descent."""

    def __init__(
        self,
        module: ModuleType,
        layout: Layout,
        law: Law,
        rng: np.random.Generator,
        starts: np.ndarray,
        p: np.ndarray,
        data: np.ndarray,
        h: float,
        sigma: float,
    ) -> None:
        self.module, self.layout, self.law, self.rng = module, layout, law, rng
        self.compiled = is_compiled(law, layout.noise)
        self.p, self.data, self.h, self.sigma = p, data, h, sigma
        self.replicas = len(starts)
        self.recorded_rows = layout.recorded
        self.diverged_at = np.full(self.replicas, -1)
        self.memory = np.zeros(layout.rows * BLOCK)
        self.rows = self.memory.reshape(layout.rows, BLOCK)[:, : self.replicas]
        self.rows[: layout.variables] = starts.T
        self.rows[layout.limit] = LIMIT

    def record(self) -> np.ndarray:
        records = np.empty((1, self.recorded_rows, self.replicas))
        self.module.record(self.memory, self.p, self.replicas, records, 0)
        return records[0]

    def advance(self, made: int, last: int, every: int, end: int, records: np.ndarray) -> int:
        recorded = 0
        while made < last:
            stop = last if self.compiled else min(last, made + self._steps_at_once)
            recorded += self.module.advance(
                self.rng, self.memory, self.diverged_at, self.p, self.data, self._drawn(stop - made),
                self.h, self.sigma, self.replicas, made, stop, every, end, records[recorded:],
            )  # fmt: skip
            made = stop
        return recorded

    @property
    def _steps_at_once(self) -> int:
        """How many steps noise is drawn for beforehand, where the law cannot draw it in the loop."""
        return max(1, MOST_DRAWN // (self.layout.noise * self.replicas))

    def _drawn(self, steps: int) -> np.ndarray:
        """The noise of so many steps, where the law cannot draw it in the loop."""
        if self.compiled:
            return np.empty((0, 0, 0))
        size = (self.replicas, self.layout.noise)
        return np.stack([self.law.draw(self.rng, size, self.sigma) for _ in range(steps)])

    def final(self) -> np.ndarray:
        return self.rows[: self.layout.variables].T.copy()


def _parameter_values(noisy: NoisyLoss, parameters: Mapping[Any, object] | None) -> dict[str, float]:
    """The values of the parameters by their names, in the order of the compiled code."""
    symbols = noisy.parameter_symbols
    values = parameter_numbers(symbols, noisy.parameters, parameters)
    return {s.name: float(value) for s, value in zip(symbols, values, strict=True)}


def _read_sigma(noisy: NoisyLoss, sigma: float | None) -> float:
    """The standard deviation of the noise."""
    n = len(noisy.noise)
    if sigma is None and noisy.law.scale(n) is None:
        return SIGMA
    return noisy.law.sigma(sigma, n)
