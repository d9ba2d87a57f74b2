"""Many replicas of a random run: blocks with a generator each, slices of time, threads and statistics."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, Protocol, TypeVar

import numpy as np

from bea.numerics.ensemble_result import Ensemble, EnsemblePath
from bea.numerics.moments import Moments

__all__ = [
    "BLOCK",
    "Block",
    "Progress",
    "Run",
]

#: So many replicas share a generator and are advanced together. It is part of what a seed means.
BLOCK = 256

#: A slice of time lasts so many seconds, but no block is advanced for less than so many at a time.
_SLICE, _LEAST = 0.2, 2e-3

#: How many steps the first slice has.
_FIRST = 16

#: At most so many numbers are recorded by a block before they are reduced to statistics.
_RECORDED = 2**19

#: A function of the steps made and of the steps that were asked for.
Progress = Callable[[int, int], object]


class Block(Protocol):
    """Replicas that are advanced together, by one thread at a time."""

    diverged_at: np.ndarray
    recorded_rows: int

    def record(self) -> np.ndarray:
        """The variables, the statistics, and a number that is negative for a replica that has diverged: the
        array of shape (rows, replicas) at this moment."""

    def advance(self, made: int, last: int, every: int, end: int, records: np.ndarray) -> int:
        """Make the steps from `made` to `last`, record after each multiple of `every` and after `end`."""

    def final(self) -> np.ndarray:
        """The states, of shape (replicas, d)."""


E = TypeVar("E", bound=Ensemble)


class Run:
    """One run of all blocks, slice by slice of time; an interrupt is obeyed at the end of a slice.

    Parameters
    ----------
    blocks : sequence of Block
    dimension : int
    names : sequence of str
        Of the statistics.
    steps, record_every : int
    kept : sequence of int
        The replicas whose paths are kept.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        dimension: int,
        names: Sequence[str],
        steps: int,
        record_every: int,
        kept: Sequence[int],
    ) -> None:
        self.blocks, self.d, self.names, self.kept = blocks, dimension, list(names), np.array(kept, dtype=int)
        self.steps, self.every, self.made = steps, record_every, 0
        self.times = np.append(np.arange(0, steps, record_every), steps) if steps else np.array([0])
        self.moments = Moments.none(len(self.times), dimension + len(self.names))
        self.states = np.full((len(self.times), len(self.kept), dimension), np.nan)
        self.offsets = np.cumsum([0, *(len(block.diverged_at) for block in blocks)])
        for number, block in enumerate(blocks):
            self._take(number, block.record()[np.newaxis], 0)

    def advance(self, workers: int, progress: Progress | None) -> bool:
        """Make all steps; return whether there was no interrupt."""
        rows = max(block.recorded_rows * len(block.diverged_at) for block in self.blocks)
        most = max(1, _RECORDED // rows)
        least = max(_SLICE, _LEAST * len(self.blocks) / workers)
        length, interrupted = _FIRST, False
        with ThreadPoolExecutor(workers + 1) as pool:  # one thread leads the others, and this one listens
            while self.made < self.steps and not interrupted:
                last = min(self.made + length, self.steps, (self.made // self.every + most) * self.every)
                begun = time.perf_counter()
                interrupted = _heard_interrupt(pool.submit(self._slice, pool, last))
                pace = least / max(time.perf_counter() - begun, 1e-6)
                length = max(1, int((last - self.made) * min(max(pace, 0.5), 4.0)))
                self.made = last
                try:
                    if progress is not None:
                        progress(self.made, self.steps)
                except KeyboardInterrupt:
                    interrupted = True
        return not interrupted

    def _slice(self, pool: ThreadPoolExecutor, last: int) -> None:
        """Advance all blocks to step `last`."""
        first = int(np.searchsorted(self.times, self.made, side="right"))
        count = int(np.searchsorted(self.times, last, side="right")) - first
        futures = [pool.submit(self._advance, block, last, count) for block in self.blocks]
        for number, future in enumerate(futures):
            self._take(number, future.result(), first)

    def _advance(self, block: Block, last: int, count: int) -> np.ndarray:
        records = np.empty((count, block.recorded_rows, len(block.diverged_at)))
        return records[: block.advance(self.made, last, self.every, self.steps, records)]

    def _take(self, number: int, records: np.ndarray, first: int) -> None:
        """Take in the records of a block, which begin at record number `first`."""
        counted, times = records[:, -1] > 0, slice(first, first + len(records))
        values = records[:, :-1]
        self._require_finite(number, values, counted, first)
        self.moments.add(Moments.of(values, counted), times)
        start, stop = self.offsets[number : number + 2]
        for column in np.flatnonzero((start <= self.kept) & (self.kept < stop)):
            lane = self.kept[column] - start
            states = np.where(counted[:, lane, np.newaxis], values[:, : self.d, lane], np.nan)
            self.states[times, column] = states

    def _require_finite(self, number: int, values: np.ndarray, counted: np.ndarray, first: int) -> None:
        bad = ~np.isfinite(values[:, self.d :]) & counted[:, np.newaxis]
        if bad.any():
            k, j, lane = np.argwhere(bad)[0]
            raise ValueError(
                f"the statistic {self.names[j]!r} is not finite for replica {self.offsets[number] + lane} "
                f"after step {self.times[first + k]}"
            )

    @property
    def diverged_at(self) -> np.ndarray:
        """The steps at which replicas diverged, and 0."""
        return np.maximum(np.concatenate([block.diverged_at for block in self.blocks]), 0)

    def ensemble(self, step_size: float, kind: type[E], **known: Any) -> E:
        """What was computed so far."""
        diverged_at = self.diverged_at
        final = np.concatenate([block.final() for block in self.blocks])
        return kind(
            final=final,
            diverged_at=diverged_at,
            path=self._path(step_size),
            steps_made=self.made,
            success=self.made == self.steps and not diverged_at.any(),
            message=self._message(diverged_at),
            step_size=step_size,
            steps=self.steps,
            **known,
        )

    def _path(self, step_size: float) -> EnsemblePath:
        recorded = int(np.searchsorted(self.times, self.made, side="right"))
        moments, steps = self.moments.until(recorded), self.times[:recorded]
        covariance = moments.covariance
        rows = {name: self.d + j for j, name in enumerate(self.names)}
        mean = np.where(moments.count[:, np.newaxis] > 0, moments.mean, np.nan)
        return EnsemblePath(
            steps=steps,
            t=steps * step_size,
            count=moments.count,
            mean=mean[:, : self.d],
            covariance=covariance[:, : self.d, : self.d],
            statistics={name: mean[:, row] for name, row in rows.items()},
            variances={name: covariance[:, row, row] for name, row in rows.items()},
            replicas=self.states[:recorded],
        )

    def _message(self, diverged_at: np.ndarray) -> str:
        made = (
            f"made {self.made} steps"
            if self.made == self.steps
            else (f"interrupted after {self.made} of {self.steps} steps")
        )
        lost = diverged_at[diverged_at > 0]
        if not lost.size:
            return made
        return f"{made}; {lost.size} of {diverged_at.size} replicas diverged, the first at step {lost.min()}"


def _heard_interrupt(future: Future[None]) -> bool:
    """Wait for what a thread does, to its end, and return whether an interrupt came meanwhile."""
    interrupted = False
    while not future.done():
        try:
            wait([future])
        except KeyboardInterrupt:
            interrupted = True
    future.result()
    return interrupted
