"""Gradient descent on diagonal networks beside NumPy, PyTorch and its own matrix products.

All contestants have one thread of linear algebra, where threadpoolctl is installed to see to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import numpy as np
from comparison import Row, installed, medians

ALPHA, STEP_SIZE = 0.1, 1e-3


def one_thread():
    """A block in which the linear algebra has one thread."""
    if not installed("threadpoolctl"):
        return nullcontext()
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def vector_products(X: np.ndarray, steps: int) -> Callable[[], np.ndarray]:
    """The two products of a matrix and a vector that an iteration needs, and nothing else, without Python."""
    from numba import njit

    @njit
    def loop(X, w, r, g):
        for _ in range(steps):
            np.dot(X, w, out=r)
            np.dot(r, X, out=g)
        return g

    n, p = X.shape
    w, r, g = np.full(p, ALPHA), np.empty(n), np.empty(p)
    return lambda: loop(X, w, r, g)


def numpy_descent(X: np.ndarray, y: np.ndarray, depth: int, steps: int) -> np.ndarray:
    n, p = X.shape
    c = 2 * depth * STEP_SIZE / n
    u, v = np.full(p, ALPHA), np.full(p, ALPHA)
    for _ in range(steps):
        g = c * ((X @ (u**depth - v**depth) - y) @ X)
        u, v = u - g * u ** (depth - 1), v + g * v ** (depth - 1)
    return u**depth - v**depth


def torch_descent(X: np.ndarray, y: np.ndarray, depth: int, steps: int) -> Callable[[], np.ndarray]:
    import torch

    torch.set_num_threads(1)
    matrix, target = torch.from_numpy(X), torch.from_numpy(y)
    n, p = X.shape
    c = 2 * depth * STEP_SIZE / n

    @torch.no_grad()
    def run() -> np.ndarray:
        u, v = (torch.full((p,), ALPHA, dtype=torch.float64) for _ in range(2))
        for _ in range(steps):
            g = c * ((matrix @ (u**depth - v**depth) - target) @ matrix)
            u, v = u - g * u ** (depth - 1), v + g * v ** (depth - 1)
        return (u**depth - v**depth).numpy()

    return run


def one_run(n: int, p: int, depth: int, steps: int, rounds: int, ratios: tuple[float, ...]) -> Iterator[Row]:
    """Seconds for an iteration: ours beside the two products, NumPy and PyTorch."""
    import bea

    data = bea.sparse.problem(n, p, noise=0.5)
    name = f"descend {n}×{p}, N={depth}"

    def ours() -> np.ndarray:
        run = bea.sparse.descend(data, depth=depth, alpha=ALPHA, step_size=STEP_SIZE, steps=steps, record=2)
        return run.w

    contestants = {
        name: ours,
        "two products": vector_products(data.X, steps),
        "NumPy": lambda: numpy_descent(data.X, data.y, depth, steps),
    }
    with one_thread():
        if installed("torch"):
            contestants["PyTorch"] = torch_descent(data.X, data.y, depth, steps)
        seconds = {peer: time / steps for peer, time in medians(contestants, rounds).items()}
        reference = contestants["NumPy"]()
        for peer, wanted in zip(("two products", "NumPy", "PyTorch"), ratios, strict=True):
            if peer in seconds:
                difference = abs(ours() - reference).max()
                remark = f"for an iteration; {difference:.1g} from NumPy"
                yield Row(name, peer, seconds[name], seconds[peer], wanted, remark)


def small_runs() -> Iterator[Row]:
    """100 observations of 200 weights."""
    for depth in (2, 3, 4):
        yield from one_run(100, 200, depth, steps=3000, rounds=9, ratios=(0.6, 3, 5))


def large_runs() -> Iterator[Row]:
    """500 observations of 3000 weights, where X outgrows the inner caches."""
    for depth in (2, 3):
        yield from one_run(500, 3000, depth, steps=200, rounds=5, ratios=(0.6, 0.9, 0.9))


def more_rows_than_columns() -> Iterator[Row]:
    """500 observations of 100 weights: the triangular factor of X has fewer rows."""
    yield from one_run(500, 100, 2, steps=3000, rounds=9, ratios=(1, 3, 5))


def batches() -> Iterator[Row]:
    """64 starts with the same inputs: beside single runs, on two threads, and beside matrix products."""
    from numba import njit

    import bea

    alphas = np.geomspace(1e-3, 0.3, 64)

    @njit
    def products(X, XT, W, R, G, steps):
        for _ in range(steps):
            np.dot(W, XT, out=R)
            np.dot(R, X, out=G)

    for n, p, steps in ((100, 200, 2000), (500, 3000, 40)):
        data = bea.sparse.problem(n, p, noise=0.5)
        setting = {"depth": 3, "step_size": STEP_SIZE, "steps": steps, "record": 2}

        def batch(workers: int, data=data, setting=setting) -> object:
            return bea.sparse.descend_batch(data, alpha=alphas, workers=workers, **setting)

        def singles(data=data, setting=setting) -> object:
            return [bea.sparse.descend(data, alpha=alpha, **setting) for alpha in alphas]

        W, R, G = np.ones((64, p)), np.empty((64, n)), np.empty((64, p))
        XT = np.ascontiguousarray(data.X.T)
        one, two = f"batch of 64, {n}×{p}", f"the same, 2 threads, {n}×{p}"
        contestants = {
            one: lambda batch=batch: batch(1),
            two: lambda batch=batch: batch(2),
            "64 single runs": singles,
            "two products": lambda X=data.X, XT=XT, W=W, R=R, G=G, steps=steps: products(
                X, XT, W, R, G, steps
            ),
        }
        with one_thread():
            seconds = {peer: time / steps / 64 for peer, time in medians(contestants, 7).items()}
        remark = "for an iteration of a member"
        yield Row(one, "64 single runs", seconds[one], seconds["64 single runs"], 1.5, remark)
        yield Row(one, "two products", seconds[one], seconds["two products"], 0.6, remark)
        yield Row(two, "one thread", seconds[two], seconds[one], 1.8, remark)


SECTION = (small_runs, large_runs, more_rows_than_columns, batches)
