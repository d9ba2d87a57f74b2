"""Gradient descent on diagonal linear networks, one run or many with the same inputs."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bea.sparse.kernels import DIVERGED_SQUARES, MEASURES, WIDTH
from bea.sparse.network import (
    Data,
    Group,
    compress,
    read_alpha,
    read_depth,
    read_positives,
    read_records,
    read_signed,
    smaller_step,
)
from bea.sparse.problems import Problem, read_positive
from bea.systems.catalogue.data import read_array, read_count

__all__ = ["Descent", "DescentBatch", "descend", "descend_batch"]


@dataclass(frozen=True, eq=False)
class _Recorded:
    """What was recorded; the last axis of the table is what was measured, the one before it time."""

    t: np.ndarray = field(repr=False)
    table: np.ndarray = field(repr=False)
    coordinates: np.ndarray = field(repr=False)
    u: np.ndarray = field(repr=False)
    v: np.ndarray | None = field(repr=False)
    w: np.ndarray = field(repr=False)
    depth: int
    steps: int
    truth_known: bool

    @property
    def loss(self) -> np.ndarray:
        """The training loss (1/n)‖Xw − y‖²."""
        return self.table[..., 0]

    @property
    def l2_error(self) -> np.ndarray:
        """‖w − w*‖₂."""
        return self._compared(1)

    @property
    def support_error(self) -> np.ndarray:
        """max |w_j − w*_j| over the support; 0 if it is empty."""
        return self._compared(2)

    @property
    def off_support(self) -> np.ndarray:
        """max |w_j| off the support; 0 if nothing is off it."""
        return self._compared(3)

    @property
    def off_support_signed(self) -> np.ndarray:
        """max w_j, with its sign, off the support; 0 if nothing is off it."""
        return self._compared(4)

    @property
    def paths(self) -> np.ndarray:
        """The chosen coordinates w_j, the last axis in the order of `coordinates`."""
        return self.table[..., len(MEASURES) :]

    def _compared(self, column: int) -> np.ndarray:
        if not self.truth_known:
            raise ValueError("the problem has no w_star to compare with; give it as Problem(X, y, w_star)")
        return self.table[..., column]


@dataclass(frozen=True, eq=False)
class Descent(_Recorded):
    """One run, as `descend` returns it.

    Attributes
    ----------
    t : array of shape (r,)
        The recorded iterates.
    loss, l2_error, support_error, off_support, off_support_signed : arrays of shape (r,)
        (1/n)‖Xw − y‖², ‖w − w*‖₂, max |w_j − w*_j| on the support, and max |w_j| and max w_j off it.
    paths : array of shape (r, c)
        The chosen coordinates of w.
    coordinates : array of c int
        Which these are.
    u, v, w : arrays of shape (p,)
        The last iterate; v is None without sign.
    diverged_at : int or None
        The first iterate that is no number or has ‖Xw − y‖² beyond 1e200; everything here ends before it.
    success : bool
        Whether all steps were made.
    message : str
        What happened, in a sentence; after a divergence it names a step size that works.
    depth, steps, alpha, step_size
        The arguments.
    initial_scale : float
        αᴺ.
    """

    alpha: float
    step_size: float
    diverged_at: int | None
    remedy: str = ""

    @property
    def initial_scale(self) -> float:
        """αᴺ, the size of uᴺ at the start."""
        return self.alpha**self.depth

    @property
    def success(self) -> bool:
        """Whether all steps were made."""
        return self.diverged_at is None

    @property
    def message(self) -> str:
        """What happened, in a sentence."""
        if self.diverged_at is None:
            return f"made {self.steps} steps"
        return (
            f"the iterates diverged: at iterate {self.diverged_at} |Xw − y|² is no number or beyond "
            f"{DIVERGED_SQUARES:g}{self.remedy and '; '}{self.remedy}"
        )


@dataclass(frozen=True, eq=False)
class DescentBatch(_Recorded):
    """Many runs with the same inputs, as `descend_batch` returns them: a sequence of `Descent`.

    Attributes
    ----------
    t : array of shape (r,)
    loss, l2_error, support_error, off_support, off_support_signed : arrays of shape (m, r)
        As for `Descent`, one member a row; not-a-number from where a member diverged.
    paths : array of shape (m, r, c)
    u, v, w : arrays of shape (m, p)
    alpha, step_size : arrays of shape (m,)
    diverged_at : tuple of m int or None
    """

    alpha: np.ndarray = field(repr=False)
    step_size: np.ndarray = field(repr=False)
    diverged_at: tuple[int | None, ...] = field(repr=False)

    @property
    def initial_scale(self) -> np.ndarray:
        """αᴺ, member by member."""
        return self.alpha**self.depth

    def __len__(self) -> int:
        return len(self.alpha)

    def __getitem__(self, member: int) -> Descent:
        end = self.diverged_at[member]
        reached = slice(None) if end is None else self.t < end
        return Descent(
            self.t[reached],
            self.table[member][reached],
            self.coordinates,
            self.u[member],
            None if self.v is None else self.v[member],
            self.w[member],
            self.depth,
            self.steps,
            self.truth_known,
            float(self.alpha[member]),
            float(self.step_size[member]),
            end,
        )


def descend(
    problem: Problem,
    *,
    depth: int,
    alpha: float | None = None,
    initial_scale: float | None = None,
    step_size: float,
    steps: int,
    signed: bool = True,
    record: int | ArrayLike = 100,
    spacing: str = "logarithmic",
    coordinates: ArrayLike | None = None,
) -> Descent:
    r"""Gradient descent on (1/n)‖Xw − y‖² over w = uᴺ − vᴺ, from u = v = α, by compiled code.

    Parameters
    ----------
    problem : Problem
        The data; own data as ``Problem(X, y)`` or ``Problem(X, y, w_star)``.
    depth : int
        The depth N ≥ 2.
    alpha, initial_scale : float
        Exactly one of them: α itself, at which every u and v begins, or αᴺ, which published plots call the
        initial scale.
    step_size : float
        η > 0.
    steps : int
        How many steps to make.
    signed : bool, optional
        If false, w = uᴺ, without v.
    record : int or sequence of int, optional
        About how many iterates to record, or which.
    spacing : {"logarithmic", "linear"}, optional
        How a number of records is spread; the iterate 0 always is one.
    coordinates : sequence of int, optional
        Coordinates of w to record; by default the support, where w* is known.

    Returns
    -------
    Descent

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Warns
    -----
    RuntimeWarning
        If the iterates diverge: it tells at which iterate, and a smaller step size that was tried and works.

    Notes
    -----
    With r = Xᵀ(Xw − y)/n a step is u ← u − 2Nη r uᴺ⁻¹ and v ← v + 2Nη r vᴺ⁻¹, entry by entry: the loss has
    no factor ½. For n > p the inputs are first replaced by the triangular factor of X = QR, which has the
    same gradients and fewer rows. Memory does not grow with the number of steps.

    References
    ----------
    .. [1] J. Li, T. V. Nguyen, C. Hegde and R. K. W. Wong, "Implicit sparse regularization: the impact of
       depth and early stopping", Advances in Neural Information Processing Systems, 2021.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.problem(60, 100, signal=[1, -1, 2])
    >>> run = bea.sparse.descend(data, depth=3, alpha=0.02, step_size=0.01, steps=4000)
    >>> run.w[:3].round(3)
    array([ 1., -1.,  2.])
    """
    N, data, signed = read_depth(depth), _read_problem(problem), read_signed(signed)
    start = read_alpha(alpha, initial_scale, N)
    if start.ndim:
        raise TypeError("alpha and initial_scale must be one number here; descend_batch takes several")
    eta = read_positive(step_size, "step_size")
    steps, recorder = read_records(data, steps, record, spacing, coordinates)
    whole = compress(data.X, data.y[None])
    group = Group(whole, N, signed, start[None], np.array([eta]), recorder)
    group.run(steps)
    u, v, w = group.last[:, 0]
    end = None if group.diverged[0] < 0 else int(group.diverged[0])
    remedy = "" if end is None else smaller_step(whole, N, signed, start, eta, steps, end)
    reached = slice(None) if end is None else recorder.due < end
    result = Descent(
        recorder.due[reached],
        group.table[0][reached],
        recorder.coordinates,
        u,
        v if signed else None,
        w,
        N,
        steps,
        data.w_star is not None,
        float(start),
        eta,
        end,
        remedy,
    )
    if not result.success:
        warnings.warn(result.message, RuntimeWarning, stacklevel=2)
    return result


def descend_batch(
    problem: Problem,
    *,
    depth: int,
    alpha: ArrayLike | None = None,
    initial_scale: ArrayLike | None = None,
    step_size: ArrayLike,
    steps: int,
    targets: ArrayLike | None = None,
    signed: bool = True,
    record: int | ArrayLike = 100,
    spacing: str = "logarithmic",
    coordinates: ArrayLike | None = None,
    workers: int | None = None,
) -> DescentBatch:
    """Many runs of `descend` with the same inputs X, four at a time and on several threads.

    Parameters
    ----------
    problem : Problem
    depth : int
    alpha, initial_scale, step_size : float or array_like of shape (m,)
        As for `descend`; a number serves all members.
    steps : int
    targets : array_like of shape (m, n), optional
        The outputs y of every member, such as several draws of the noise; by default those of the problem.
    signed, record, spacing, coordinates
        As for `descend`.
    workers : int, optional
        How many threads; by default one a processor.

    Returns
    -------
    DescentBatch

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.

    Warns
    -----
    RuntimeWarning
        If members diverge; `descend` with such a member alone finds a step size that works.

    Notes
    -----
    A member has the same bits for any number of threads and in whatever company; it agrees with `descend` up
    to rounding, since sums are added in another order there.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.problem(60, 100, signal=[1, 1], noise=0.1)
    >>> runs = bea.sparse.descend_batch(data, depth=2, alpha=[1e-3, 0.1, 1], step_size=0.02, steps=300)
    >>> runs.l2_error[:, -1].round(2)
    array([0.03, 0.23, 0.94])
    """
    N, data, signed = read_depth(depth), _read_problem(problem), read_signed(signed)
    etas = read_positives(step_size, "step_size")
    starts, Y = read_alpha(alpha, initial_scale, N), data.y[None]
    if targets is not None:
        Y = read_array(targets, 2, "targets")
        if Y.shape[1] != data.n:
            raise ValueError(f"targets must have {data.n} columns, one for each row of X, not {Y.shape[1]}")
    sizes = {"alpha": starts.size, "step_size": etas.size, "targets": len(Y)}
    m = max(sizes.values())
    if set(sizes.values()) - {1, m}:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        raise ValueError(f"members must agree in number; given are {told}")
    steps, recorder = read_records(data, steps, record, spacing, coordinates)
    threads = read_count(workers if workers is not None else os.cpu_count() or 1, "workers")

    whole = compress(data.X, np.broadcast_to(Y, (m, data.n)))
    starts, etas = np.broadcast_to(starts, m), np.broadcast_to(etas, m)
    quads = [np.minimum(np.arange(first, first + WIDTH), m - 1) for first in range(0, m, WIDTH)]
    groups = [Group(_members(whole, quad), N, signed, starts[quad], etas[quad], recorder) for quad in quads]
    _run_all(groups, steps, threads)
    u, v, w = np.concatenate([group.last for group in groups], axis=1)[:, :m]
    diverged = np.concatenate([group.diverged for group in groups])[:m]
    if (diverged >= 0).any():
        members = np.flatnonzero(diverged >= 0).tolist()
        warnings.warn(
            f"the iterates of the members {members} diverged; descend with one of them alone tells when, and "
            "finds a step size that works",
            RuntimeWarning,
            stacklevel=2,
        )
    return DescentBatch(
        recorder.due,
        np.concatenate([group.table for group in groups])[:m],
        recorder.coordinates,
        u,
        v if signed else None,
        w,
        N,
        steps,
        data.w_star is not None,
        starts.copy(),
        etas.copy(),
        tuple(None if t < 0 else int(t) for t in diverged),
    )


def _members(data: Data, members: np.ndarray) -> Data:
    return Data(data.X, data.Y[members], data.offset[members], data.n)


def _run_all(groups: list[Group], steps: int, threads: int) -> None:
    """Run all groups; an interrupt reaches the threads through `stop`."""
    stop = Event()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for _ in pool.map(lambda group: group.run(steps, stop), groups):
                pass
        finally:
            stop.set()


def _read_problem(problem: Any) -> Problem:
    if not isinstance(problem, Problem):
        raise TypeError(f"problem must be a Problem, such as Problem(X, y), not {type(problem).__name__}")
    return problem
