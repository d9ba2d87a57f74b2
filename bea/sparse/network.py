"""Runs of diagonal networks: reading their arguments, storing their state, advancing them chunk by chunk."""

from __future__ import annotations

from threading import Event
from typing import Any, NamedTuple

import numpy as np

from bea.sparse.kernels import COLUMNS, MEASURES, WIDTH, advance, observe, weights
from bea.sparse.problems import Problem, read_indices, read_positive
from bea.systems.catalogue.data import read_count

__all__ = [
    "Data",
    "Group",
    "Recorder",
    "compress",
    "read_alpha",
    "read_depth",
    "read_records",
    "read_signed",
    "smaller_step",
]

#: About how many multiplications are made between two looks at the keyboard.
_CHUNK = 2_000_000_000

#: How often a step size that diverges is halved at most, to find one that does not.
MOST_HALVINGS = 60

SPACINGS = ("logarithmic", "linear")


class Data(NamedTuple):
    """Inputs and targets, (m, rows), as the kernels take them, and what they leave out of |X w − y|²."""

    X: np.ndarray
    Y: np.ndarray
    offset: np.ndarray
    n: int


class Recorder(NamedTuple):
    """Which iterates are recorded, and what is compared with what."""

    due: np.ndarray
    w_star: np.ndarray
    support: np.ndarray
    coordinates: np.ndarray


def compress(X: np.ndarray, Y: np.ndarray) -> Data:
    """X = QR has Xᵀ(Xw − y) = Rᵀ(Rw − Qᵀy), of p rows, not n; zeros fill up the tiles."""
    n, p = X.shape
    offset = np.zeros(len(Y))
    if n > p:
        Q, X = np.linalg.qr(X)
        # One by one, since a product of matrices adds up in an order that depends on how many rows there are.
        reduced = np.array([y @ Q for y in Y])
        offset = np.array([((y - Q @ z) ** 2).sum() for y, z in zip(Y, reduced, strict=True)])
        Y = reduced
    rows = len(X) + -len(X) % WIDTH
    inputs = _aligned(rows, p + -p % COLUMNS)
    inputs[: len(X), :p] = X
    return Data(inputs, np.pad(Y, ((0, 0), (0, rows - len(X)))), offset, n)


def _aligned(rows: int, columns: int) -> np.ndarray:
    """A matrix of zeros whose memory begins at a cache line, as then do its rows."""
    memory = np.zeros(rows * columns + 8)
    first = -(memory.ctypes.data // 8) % 8
    return memory[first : first + rows * columns].reshape(rows, columns)


class Group:
    """The state of one member, or of `WIDTH` members, which the kernels advance together."""

    def __init__(
        self, data: Data, depth: int, signed: bool, alphas: np.ndarray, steps: np.ndarray, recorder: Recorder
    ) -> None:
        m, p = len(alphas), data.X.shape[1]
        self.p = recorder.w_star.size
        self.depth, self.signed = depth, signed
        self.network = (data.X, data.Y, depth, signed, 2 * depth * steps / data.n)
        self.state = np.empty((2, m, p))
        self.state[:] = alphas[:, None]
        self.work = (
            np.empty((2, m, p)),
            np.empty((m, p)),
            np.empty((m, p)),
            self.state.copy(),
            np.empty(m),
        )
        self.diverged = np.full(m, -1)
        self.clock = np.zeros(2, dtype=np.int64)
        self.table = np.full((m, recorder.due.size, len(MEASURES) + recorder.coordinates.size), np.nan)
        self.recorder = (recorder.due, self.table, data.offset, data.n, *recorder[1:])
        self.chunk = max(1, _CHUNK // (4 * m * data.X.size))

    def run(self, steps: int, stop: Event | None = None) -> None:
        """Make all steps, or as many as can be made, or until `stop` is set from another thread."""
        run = (self.network, self.state, self.work, self.diverged, self.recorder, self.clock)
        while self.clock[0] < steps and (self.diverged < 0).any():
            if stop is not None and stop.is_set():
                return
            advance(*run, min(self.clock[0] + self.chunk, steps))
        observe(*run)
        weights(self.state, self.depth, self.signed, self.work[0], self.work[1])

    @property
    def last(self) -> np.ndarray:
        """u, v and w of the last iterates, of shape (3, m, p)."""
        return np.concatenate([self.state, self.work[1][None]])[:, :, : self.p]


def smaller_step(
    data: Data, depth: int, signed: bool, start: np.ndarray, eta: float, steps: int, diverged_at: int
) -> str:
    """A sentence with a step size below `eta`, found by halving, with which the run does not diverge.

    What took t steps takes about 2t with half the step size. So many are tried and twice as many again, and
    more if they are quickly made, up to all.
    """
    if diverged_at == 0:
        return "no step size helps, since that is the start"
    nothing = np.empty(0, dtype=np.int64)
    recorder = Recorder(nothing, np.zeros(data.X.shape[1]), np.zeros(data.X.shape[1], dtype=bool), nothing)
    for halvings in range(1, MOST_HALVINGS + 1):
        smaller = eta / 2**halvings
        group = Group(data, depth, signed, start[None], np.array([smaller]), recorder)
        tried = min(steps, max(4 * diverged_at * 2**halvings, group.chunk))
        group.run(tried)
        if group.diverged[0] < 0:
            return f"with step_size = {smaller:g} {tried} steps do not diverge"
    return f"no step size down to {smaller:g} helps"


def read_depth(value: Any) -> int:
    """The depth N of a network, at least 2: with N = 1 the weights themselves would be trained."""
    depth = read_count(value, "depth")
    if depth < 2:
        raise ValueError("depth must be at least 2, not 1, for which w = u − v and descent is linear")
    return depth


def read_signed(value: Any) -> bool:
    """Whether a network has the part v."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"signed must be True or False, not {value!r}")
    return bool(value)


def read_alpha(alpha: Any, initial_scale: Any, depth: int) -> np.ndarray:
    """The start u₀ = v₀ = α of every member, from α or from αᴺ."""
    if (alpha is None) == (initial_scale is None):
        raise ValueError(
            "give exactly one of alpha, which is u0 = v0, and initial_scale, which is alpha^depth"
        )
    name = "initial_scale" if alpha is None else "alpha"
    values = read_positives(initial_scale if alpha is None else alpha, name)
    starts = values ** (1 / depth) if alpha is None else values
    with np.errstate(over="ignore"):
        if not (starts**depth < 1e50).all():
            raise ValueError(f"alpha^depth must be below 1e50, not {(starts**depth).max():g}")
    return starts


def read_positives(values: Any, name: str) -> np.ndarray:
    """A positive number, or a vector of them."""
    if np.ndim(values) == 0:
        return np.array(read_positive(values, name))
    if np.ndim(values) != 1 or not len(values):
        raise ValueError(f"{name} must be a number or a vector, not an array of shape {np.shape(values)}")
    return np.array([read_positive(value, name) for value in values])


def read_records(
    data: Problem, steps: Any, record: Any, spacing: str, coordinates: Any
) -> tuple[int, Recorder]:
    """The number of steps, which may be 0, and the recorder."""
    steps = _read_steps(steps)
    if spacing not in SPACINGS:
        raise ValueError(f"spacing must be one of {', '.join(SPACINGS)}, not {spacing!r}")
    if np.ndim(record) == 1:
        due = np.unique(read_indices(record, steps + 1, "record"))
    else:
        count = read_count(record, "record")
        if spacing == "linear":
            spaced = np.linspace(0, steps, count)
        else:
            spaced = np.concatenate([[0], np.geomspace(1, max(steps, 1), count)])
        due = np.unique(np.minimum(np.rint(spaced), steps).astype(np.int64))
    known = data.w_star is not None
    w_star = data.truth if known else np.zeros(data.p)
    support = w_star != 0
    if coordinates is None:
        chosen = np.flatnonzero(support)
    else:
        chosen = read_indices(coordinates, data.p, "coordinates")
    return steps, Recorder(due, w_star, support, chosen)


def _read_steps(steps: Any) -> int:
    """`steps` as an integer that is not negative."""
    if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)):
        raise TypeError(f"steps must be an integer, not {type(steps).__name__}")
    if steps < 0:
        raise ValueError(f"steps must not be negative, not {steps}")
    return int(steps)
