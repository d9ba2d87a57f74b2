"""Steps of random paths on a zero-loss set, for many replicas at once by NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import sympy

from bea.numerics.replicas import BLOCK
from bea.systems.derivatives import partial_derivatives
from bea.systems.evaluation import parameter_numbers
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["Batched", "BatchedZeros", "ConstrainedBlock", "batched_expressions", "batched_zeros"]

#: A function of points of shape (d, n), whose value has a shape that ends in (n,).
Batched = Callable[[np.ndarray], np.ndarray]

#: Gauss–Newton steps of a retraction: at most so many, and done when they are this small beside 1 + |x|.
_ITERATIONS, _SMALL = 20, 8 * float(np.finfo(float).eps)

#: A replica is back on the zero-loss set if the last correction was this small beside 1 + |x|.
_ARRIVED = 1e-9


class BatchedZeros(NamedTuple):
    """The residuals of a zero-loss set, their derivatives, and the rank of these, for many points at once."""

    residuals: Batched
    jacobian: Batched
    codimension: int

    def tangential(self, x: np.ndarray, v: np.ndarray) -> np.ndarray:
        """The part of vectors v, of shape (d, n), that is tangent to the zero-loss set at points x of it."""
        J = self.jacobian(x)
        return v - self._solve(J, np.einsum("mdn,dn->mn", J, v))

    def correction(self, x: np.ndarray) -> np.ndarray:
        """F'(x)⁺F(x), of shape (d, n): the Gauss–Newton step towards the zero-loss set is its negative.

        It is not finite where F' vanishes.
        """
        return self._solve(self.jacobian(x), self.residuals(x))

    def _solve(self, J: np.ndarray, r: np.ndarray) -> np.ndarray:
        """J⁺r, of shape (d, n), for J of shape (m, d, n) with the pseudo-inverse of rank `codimension`."""
        if len(J) > self.codimension:
            return self._solve_dependent(J, r)
        gram = np.einsum("idn,jdn->ijn", J, J)
        if len(J) == 1:
            with np.errstate(all="ignore"):
                return J[0] * (r[0] / gram[0, 0])
        try:
            multipliers = np.linalg.solve(np.moveaxis(gram, -1, 0), r.T[:, :, np.newaxis])[:, :, 0]
        except np.linalg.LinAlgError:
            return self._solve_dependent(J, r)
        return np.einsum("mdn,nm->dn", J, multipliers)

    def _solve_dependent(self, J: np.ndarray, r: np.ndarray) -> np.ndarray:
        """The same where the rows of J may depend on one another, by its singular values."""
        finite = np.isfinite(J).all(axis=(0, 1))
        U, s, V = np.linalg.svd(np.moveaxis(np.where(finite, J, 0.0), -1, 0), full_matrices=False)
        U, s, V = U[:, :, : self.codimension], s[:, : self.codimension], V[:, : self.codimension]
        with np.errstate(divide="ignore"):
            weights = np.where(s > 0, 1 / s, 0.0)
        solution = np.einsum("nrd,nr,nmr,mn->dn", V, weights, U, r)
        return np.where(finite, solution, np.nan)

    def retract(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points of the zero-loss set near points x, by Gauss–Newton steps, and which of them are good."""
        good = np.isfinite(x).all(axis=0)
        z = np.where(good, x, 0.0)
        size = np.full(z.shape[1], np.inf)
        active = np.flatnonzero(good)
        for _ in range(_ITERATIONS):
            if not active.size:
                break
            step = self.correction(z[:, active])
            finite = np.isfinite(step).all(axis=0)
            good[active[~finite]] = False
            active, step = active[finite], step[:, finite]
            z[:, active] -= step
            size[active] = np.linalg.norm(step, axis=0) / (1 + np.linalg.norm(z[:, active], axis=0))
            active = active[size[active] > _SMALL]
        return z, good & (size <= _ARRIVED)


class ConstrainedBlock:
    """A few blocks of replicas of a random path on a zero-loss set, which are advanced together.

    Parameters
    ----------
    zeros : BatchedZeros
    drift : callable or None
        From points of shape (d, n) to (d, n).
    diffusion : callable
        From points of shape (d, n) to (d, r, n).
    statistics : callable or None
        From points of shape (d, n) to (q, n).
    generators : sequence of numpy.random.Generator
        One for each `BLOCK` of replicas.
    starts : array of shape (n, d)
    h : float
        The step of time.
    """

    def __init__(
        self,
        zeros: BatchedZeros,
        drift: Batched | None,
        diffusion: Batched,
        statistics: Batched | None,
        generators: Sequence[np.random.Generator],
        starts: np.ndarray,
        h: float,
    ) -> None:
        self.zeros, self.drift, self.diffusion, self.statistics = zeros, drift, diffusion, statistics
        self.generators, self.h = generators, h
        self.x = zeros.retract(starts.T)[0]
        self.diverged_at = np.full(len(starts), -1)
        self.retraction = 0.0
        self.recorded_rows = len(self.record())

    def record(self) -> np.ndarray:
        parts = [self.x] if self.statistics is None else [self.x, self.statistics(self.x)]
        return np.vstack([*parts, np.where(self.diverged_at < 0, 1.0, -1.0)])

    def advance(self, made: int, last: int, every: int, end: int, records: np.ndarray) -> int:
        recorded = 0
        for step in range(made + 1, last + 1):
            if (self.diverged_at >= 0).all():
                break
            self._step(step)
            if step % every == 0 or step == end:
                records[recorded] = self.record()
                recorded += 1
        return recorded

    def _step(self, step: int) -> None:
        S = self.diffusion(self.x)
        move = np.einsum("irn,rn->in", S, np.sqrt(self.h) * self._normal(S.shape[1]))
        if self.drift is not None:
            move += self.h * self.drift(self.x)
        y = self.x + self.zeros.tangential(self.x, move)
        z, good = self.zeros.retract(y)
        alive = self.diverged_at < 0
        self.diverged_at[alive & ~good] = step
        moved = alive & good
        self.x = np.where(moved, z, self.x)
        lengths = np.linalg.norm(z - y, axis=0)[moved]
        self.retraction = max(self.retraction, float(lengths.max(initial=0.0)))

    def _normal(self, components: int) -> np.ndarray:
        """Normal numbers of shape (components, n), drawn block by block."""
        n = self.x.shape[1]
        sizes = [min(BLOCK, n - first) for first in range(0, n, BLOCK)]
        drawn = zip(self.generators, sizes, strict=True)
        return np.hstack([rng.standard_normal((components, size)) for rng, size in drawn])

    @property
    def residual(self) -> float:
        """The largest distance from the zero-loss set among those that have not diverged, to first order."""
        distances = np.linalg.norm(self.zeros.correction(self.x), axis=0)
        return float(distances[self.diverged_at < 0].max(initial=0.0))

    def final(self) -> np.ndarray:
        return self.x.T.copy()


def batched_zeros(zeros: ZeroLossSet) -> BatchedZeros:
    """The residuals of a zero-loss set and their derivatives as functions of many points."""
    values = parameter_numbers(zeros.parameter_symbols, zeros.parameters)
    derivatives = [entry for r in zeros.residuals for entry in partial_derivatives(r, zeros.variables)]
    known = zeros.variables, zeros.parameter_symbols, values
    m, d = len(zeros.residuals), len(zeros.variables)
    return BatchedZeros(
        batched_expressions(zeros.residuals, *known, (m,)),
        batched_expressions(derivatives, *known, (m, d)),
        zeros.codimension,
    )


def batched_expressions(
    expressions: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    symbols: Sequence[sympy.Symbol],
    values: np.ndarray,
    shape: tuple[int, ...],
) -> Batched:
    """Expressions of variables and of parameter symbols with values, as a function of many points."""
    function = sympy.lambdify([list(variables), list(symbols)], list(expressions), "numpy", cse=True)

    def value(x: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            parts = [np.broadcast_to(part, x.shape[1:]) for part in function(x, values)]
        return np.stack(parts).reshape(*shape, x.shape[1])

    return value
