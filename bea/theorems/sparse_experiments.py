"""Experiments on diagonal networks: each draws a problem from a seed and returns numbers about its runs."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import quad

from bea.sparse import (
    Problem,
    descend,
    descend_batch,
    early_stopping_window,
    growth_time,
    linear_path,
    minimax_rate,
    minimum_change,
    oracle_lasso,
    oracle_ridge,
    problem,
    rademacher,
)
from bea.theorems.claims import Run

__all__ = [
    "correlated_errors",
    "head_image",
    "image_recovery",
    "kernel_limit",
    "kernel_regime",
    "largest_scale",
    "learning_law",
    "learning_times",
    "least_errors",
    "overfitting",
    "repeat",
    "stopped",
    "widths",
    "window_ends",
]

#: The standard deviation of the noise in all problems whose signal is 1 on the support.
NOISE = 0.5


def repeat(
    run: Run, experiment: Callable[..., dict[str, Any]], problems: int, **setting: Any
) -> dict[str, np.ndarray]:
    """An experiment on several problems with seeds from the check, on all processors; problems come first."""
    seeds = run.rng.integers(2**31, size=problems).tolist()
    result = run.sweep(partial(experiment, **setting), {"seed": seeds})
    if result.errors:
        raise RuntimeError(f"an experiment failed: {result.errors[0]}")
    return {name: np.asarray(result[name]) for name in result.names}


def signs(seed: int, n: int, p: int, k: int, noise: float = NOISE) -> Problem:
    """A matrix of signs, w* = 1 on k of p weights, and noise."""
    return problem(n, p, np.ones(k), noise=noise, rng=seed)


# -- the window ------------------------------------------------------------------------------------------


def window_ends(seed: int, depth: int, alpha: float, steps: int, noise: float = NOISE) -> dict[str, float]:
    """Both ends of the window, n, p, k = 100, 200, 5; an end that is not reached is `steps`."""
    data = signs(seed, 100, 200, 5, noise)
    window = early_stopping_window(
        data.X, data.y, data.truth, depth=depth, alpha=alpha, step_size=0.01, steps=steps
    )
    start, stop = (steps if end is None else end for end in (window.start, window.stop))
    return {"start": float(start), "stop": float(stop)}


def widths(seed: int, depth: int, alphas: tuple[float, ...], steps: int) -> dict[str, np.ndarray]:
    """The ends of that window with half the noise; not a number where an end is not reached in `steps`."""
    ends = [window_ends(seed, depth, alpha, steps, NOISE / 2) for alpha in alphas]
    table = np.array([[e["start"], e["stop"]] for e in ends])
    table[table >= steps] = np.nan
    return {"start": table[:, 0], "stop": table[:, 1]}


def stopped(
    seed: int, n: int, p: int, k: int, noise: float, depth: int = 3, alpha: float = 0.03
) -> dict[str, float]:
    """The error at a time that is fixed beforehand: twice that in which a weight grows to ½ at B = 1."""
    data = signs(seed, n, p, k, noise)
    eta = 0.2 / depth**2
    steps = round(2 * float(growth_time(alpha**depth, 0.5, residual=1, depth=depth, step_size=eta)))
    run = descend(data, depth=depth, alpha=alpha, step_size=eta, steps=steps, record=[steps], coordinates=[])
    return {
        "squared_error": run.l2_error[-1] ** 2,
        "rate": minimax_rate(k, p, n, noise),
        "off_support": run.off_support[-1] / alpha ** (depth / 4),
        "on_support": run.support_error[-1],
    }


def overfitting(seed: int, depth: int, alpha: float, steps: int) -> dict[str, float]:
    """The least error and the last one, on the problem of the window."""
    data = signs(seed, 100, 200, 5)
    run = descend(
        data, depth=depth, alpha=alpha, step_size=0.1 / depth**2, steps=steps, record=200, coordinates=[]
    )
    return {"least": run.l2_error.min() ** 2, "end": run.l2_error[-1] ** 2}


# -- larger scales ---------------------------------------------------------------------------------------


def least_errors(
    seed: int,
    shape: tuple[int, int, int],
    depth: int,
    scale: float,
    eta: float,
    steps: int,
) -> dict[str, Any]:
    """The least error of a run, in units of the minimax rate, and what is off the support then."""
    n, p, k = shape
    data = signs(seed, n, p, k)
    run = descend(data, depth=depth, initial_scale=scale, step_size=eta, steps=steps, record=300)
    best = int(run.l2_error.argmin())
    rate = minimax_rate(k, p, n, NOISE)
    return {
        "least": run.l2_error[best] ** 2 / rate,
        "off_support": run.off_support[best],
        "t": run.t,
        "error": run.l2_error,
    }


def largest_scale(seed: int, depth: int, alphas: tuple[float, ...]) -> dict[str, float]:
    """The largest α of a list from which some iterate has an error below the minimax rate."""
    data = signs(seed, 100, 200, 5)
    eta = 0.1 / depth**2
    steps = round(3 * float(growth_time(alphas[0] ** depth, 0.5, residual=1, depth=depth, step_size=eta)))
    runs = descend_batch(
        data, depth=depth, alpha=alphas, step_size=eta, steps=steps, record=300, coordinates=[], workers=1
    )
    good = np.nanmin(runs.l2_error, axis=1) ** 2 < minimax_rate(5, 200, 100, NOISE)
    return {"alpha": max([alpha for alpha, one in zip(alphas, good, strict=True) if one], default=alphas[0])}


def correlated_errors(seed: int, correlation: float, depth: int = 3, alpha: float = 0.01) -> dict[str, float]:
    """The least error on a correlated design, in units of the minimax rate and of those of two oracles."""
    options: dict[str, Any] = {"design": "correlated", "correlation": correlation}
    data = problem(150, 200, np.ones(5), support=range(0, 200, 40), noise=NOISE, rng=seed, **options)
    run = descend(data, depth=depth, alpha=alpha, step_size=0.1 / depth**2, steps=30_000, record=200)
    least = run.l2_error.min()
    return {
        "rate": least**2 / minimax_rate(5, 200, 150, NOISE),
        "ridge": least / oracle_ridge(data).error,
        "lasso": least / oracle_lasso(data).error,
    }


# -- incremental learning --------------------------------------------------------------------------------


def learning_times(
    seed: int, shape: tuple[int, int], depth: int, steps: int, scale: float = 1e-4, eta: float = 1e-3
) -> dict[str, np.ndarray]:
    """When the weights with w* = 1, 2, 3, 4 are half learnt; not a number where that takes more steps."""
    data = problem(*shape, [1, 2, 3, 4], noise=NOISE, rng=seed)
    run = descend(
        data,
        depth=depth,
        initial_scale=scale,
        step_size=eta,
        steps=steps,
        record=min(steps, 1500),
        spacing="linear",
    )
    halves = np.array([0.5, 1, 1.5, 2])
    late = run.paths[-1] < halves
    times = [np.interp(half, path, run.t) for half, path in zip(halves, run.paths.T, strict=True)]
    return {"times": np.where(late, np.nan, times), "t": run.t, "paths": run.paths}


def learning_law(w_star: float, depth: int, scale: float = 1e-4, eta: float = 1e-3) -> float:
    """The time to w*/2 by the growth law with the residual B = w* − w, by quadrature in log w."""

    def time_per_logarithm(x: float) -> float:
        w = np.exp(x)
        return w / (2 * depth**2 * eta * (w_star - w) * w ** (2 - 2 / depth))

    return float(quad(time_per_logarithm, np.log(scale), np.log(w_star / 2), limit=200)[0])


# -- the kernel regime -----------------------------------------------------------------------------------


def kernel_regime(seed: int, depth: int, steps: int, scales: tuple[float, ...]) -> dict[str, np.ndarray]:
    """Largest distances to the iterates of linear descent, relative to its last; first with half its step.

    The published setting has the first scale and η = 1e-7; the other scales have the same linear step size.
    """
    rng = np.random.default_rng(seed)
    X, w_star = rademacher(500, 100, rng), rng.standard_normal(100)
    data = Problem(X, X @ w_star + 25 * rng.standard_normal(500), w_star)
    gaps = []
    for scale in scales:
        eta = 1e-7 * (scales[0] / scale) ** ((2 * depth - 2) / depth)
        setting: dict[str, Any] = {"depth": depth, "initial_scale": scale}
        run = descend(data, **setting, step_size=eta, steps=steps, coordinates=range(100), record=40)
        path = linear_path(data, run.t, **setting, step_size=eta)
        gaps.append(abs(run.paths - path).max() / abs(path[-1]).max())
        if scale == scales[0]:
            wrong = linear_path(data, run.t, **setting, step_size=eta / 2)
            half = abs(run.paths - wrong).max() / abs(path[-1]).max()
            drawn = {"t": run.t, "paths": run.paths[:, :6], "linear": path[:, :6]}
    return {"gaps": np.array(gaps), "half": half, **drawn}


def kernel_limit(seed: int, scale: float) -> dict[str, float]:
    """The distance of the limit from the least-squares solution of least norm, for n, p = 50, 100, N = 2."""
    data = problem(50, 100, [1.0, -1.0, 2.0], rng=seed)
    nearest = minimum_change(data, depth=2, initial_scale=scale)
    run = descend(
        data, depth=2, initial_scale=scale, step_size=0.01 / max(scale, 1.0), steps=30_000, record=[30_000]
    )
    return {"distance": float(np.linalg.norm(run.w - nearest) / np.linalg.norm(nearest))}


# -- a real image ----------------------------------------------------------------------------------------


def head_image(size: int = 32) -> np.ndarray:
    """The brightest parts of a magnetic resonance image of a head, `size` pixels wide, as a square array.

    The image comes with Matplotlib as sample data. Blocks of its 256 × 256 pixels are averaged and divided by
    the largest; what is below 0.7 is set to zero.

    Examples
    --------
    >>> image = head_image()
    >>> image.shape, float((image > 0).mean().round(2))
    ((32, 32), 0.12)
    """
    from matplotlib import get_data_path

    path = Path(get_data_path(), "sample_data", "s1045.ima.gz")
    with gzip.open(path) as stream:
        pixels = np.frombuffer(stream.read(), dtype="<u2").reshape(256, 256)
    side = 256 // size
    blocks = pixels.reshape(size, side, size, side).mean(axis=(1, 3))
    blocks = blocks / blocks.max()
    return np.where(blocks < 0.7, 0.0, blocks)


def image_recovery(seed: int, size: int, depth: int, steps: int, share: float = 0.5) -> dict[str, Any]:
    """The relative error of the image from `share` as many measurements as pixels, and that of least norm."""
    image = head_image(size).ravel()
    rng = np.random.default_rng(seed)
    X = np.where(rng.random((round(share * image.size), image.size)) < 0.25, 1.0, -1.0)
    data = Problem(X, X @ image, image)
    run = descend(
        data,
        depth=depth,
        initial_scale=1e-3,
        step_size=5e-3 / depth**2,
        steps=steps,
        signed=False,
        record=[steps],
        coordinates=[],
    )
    least = np.linalg.lstsq(X, data.y, rcond=None)[0]
    length = np.linalg.norm(image)
    return {
        "error": run.l2_error[-1] / length,
        "least_norm": np.linalg.norm(least - image) / length,
        "image": run.w,
        "least_image": least,
    }
