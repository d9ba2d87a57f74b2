"""Ensembles of noisy descent beside the time of their random numbers, NumPy and JAX.

    python benchmarks/peers.py noise

Label noise on ½(ab − 1)², ten thousand replicas by ten thousand steps in double precision. The random numbers
alone are drawn by NumPy's generator in a loop compiled by Numba, block after block, as the ensemble draws
them. NumPy and JAX make a tenth of the steps, and their times are multiplied by ten. NumPy and the random
numbers have one thread, JAX as many as it likes.

Label noise on a diagonal network of width 100 with a batch of all 20 labels: its bound is what the random
numbers and the two products of matrices take, of shapes (20, 100)·(100, 256) and (100, 20)·(20, 256) for each
block. BLAS has one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from comparison import Row, installed, medians
from numba import njit
from threadpoolctl import threadpool_limits

import bea

REPLICAS, STEPS, SHARE = 10_000, 10_000, 10
START, STEP_SIZE, SIGMA = (1.5, 0.5), 1e-2, 0.1

DATA, WIDTH, WIDE_REPLICAS, WIDE_STEPS = 20, 100, 2560, 1000


def label_noise() -> Iterator[Row]:
    """One worker beside its random numbers and NumPy; all workers beside one, and beside JAX."""
    contestants: dict[str, Callable[[], object]] = {
        "one": lambda: ours(1),
        "two": lambda: ours(2),
        "random numbers": random_numbers,
        "NumPy": vectorized_numpy,
    }
    if installed("jax"):
        contestants["JAX"] = jax_scan()
    seconds = medians(contestants, rounds=5)
    for name in ("NumPy", "JAX"):
        if name in seconds:
            seconds[name] *= SHARE
    yield Row("ensemble, one worker", "random numbers", seconds["one"], seconds["random numbers"], 1 / 1.5)
    yield Row("ensemble, one worker", "NumPy", seconds["one"], seconds["NumPy"], 5)
    yield Row("ensemble, two workers", "NumPy", seconds["two"], seconds["NumPy"], 5)
    yield Row("ensemble, two workers", "one worker", seconds["two"], seconds["one"], 1.8)
    if "JAX" in seconds:
        yield Row("ensemble, two workers", "JAX scan", seconds["two"], seconds["JAX"], 15)
        yield Row("ensemble, one worker", "JAX scan", seconds["one"], seconds["JAX"], 15)


def ours(workers: int) -> np.ndarray:
    noisy = bea.NoisyLoss("(a*b - 1 - e)**2 / 2", variables="a b", noise="e")
    return bea.ensemble(noisy, START, STEP_SIZE, STEPS, REPLICAS, sigma=SIGMA, workers=workers).final


@njit(nogil=True, error_model="numpy")
def _fill(rng, buffer, steps):
    for _ in range(steps):
        for lane in range(buffer.size):
            buffer[lane] = rng.standard_normal()


def random_numbers() -> None:
    """As many normal numbers, in blocks of 256 with a generator each."""
    sizes = [min(256, REPLICAS - first) for first in range(0, REPLICAS, 256)]
    for rng, size in zip(np.random.default_rng(0).spawn(len(sizes)), sizes, strict=True):
        _fill(rng, np.empty(size), STEPS)


def vectorized_numpy() -> np.ndarray:
    """All replicas at once, a tenth of the steps."""
    rng = np.random.default_rng(0)
    a, b = np.full(REPLICAS, START[0]), np.full(REPLICAS, START[1])
    for _ in range(STEPS // SHARE):
        residual = a * b - 1 - SIGMA * rng.standard_normal(REPLICAS)
        a, b = a - STEP_SIZE * residual * b, b - STEP_SIZE * residual * a
    return np.stack([a, b])


def jax_scan() -> Callable[[], object]:
    """All replicas at once in one compiled scan, a tenth of the steps."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def step(state, key):
        a, b = state
        residual = a * b - 1 - SIGMA * jax.random.normal(key, (REPLICAS,), jnp.float64)
        return (a - STEP_SIZE * residual * b, b - STEP_SIZE * residual * a), None

    @jax.jit
    def run(key):
        start = tuple(jnp.full(REPLICAS, x) for x in START)
        return jax.lax.scan(step, start, jax.random.split(key, STEPS // SHARE))[0]

    return lambda: jax.block_until_ready(run(jax.random.key(0)))


def diagonal_network() -> Iterator[Row]:
    """One worker beside its bound and NumPy, two beside NumPy."""
    X = np.random.default_rng(1).choice([-1.0, 1.0], (DATA, WIDTH))
    y = X[:, :3].sum(axis=1)
    noisy = bea.noise.label_noise(bea.catalogue.diagonal_network(X, y))

    def ours(workers: int) -> np.ndarray:
        start = np.full(2 * WIDTH, 0.3)
        return bea.ensemble(noisy, start, STEP_SIZE, WIDE_STEPS, WIDE_REPLICAS, SIGMA, workers=workers).final

    with threadpool_limits(1):
        seconds = medians(
            {
                "one": lambda: ours(1),
                "two": lambda: ours(2),
                "bound": lambda: numbers_and_products(X),
                "NumPy": lambda: network_by_numpy(X, y),
            },
            rounds=5,
        )
    yield Row("network, one worker", "random + products", seconds["one"], seconds["bound"], 0.6)
    yield Row("network, one worker", "NumPy", seconds["one"], seconds["NumPy"], 3)
    yield Row("network, two workers", "NumPy", seconds["two"], seconds["NumPy"], 3)
    yield Row("network, two workers", "one worker", seconds["two"], seconds["one"], 1.8)


@njit(nogil=True, error_model="numpy")
def _draw_and_multiply(rng, X, transposed, noise, weights, slopes, steps):
    for _ in range(steps):
        for row in range(noise.shape[0]):
            for lane in range(noise.shape[1]):
                noise[row, lane] = rng.standard_normal()
        np.dot(X, weights, noise)
        np.dot(transposed, noise, slopes)


def numbers_and_products(X: np.ndarray) -> None:
    """The random numbers and the two products of matrices of all steps, block by block."""
    for rng in np.random.default_rng(0).spawn(WIDE_REPLICAS // 256):
        arrays = (np.empty((DATA, 256)), np.ones((WIDTH, 256)), np.empty((WIDTH, 256)))
        _draw_and_multiply(rng, X, X.T.copy(), *arrays, WIDE_STEPS)


def network_by_numpy(X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """All replicas at once."""
    rng = np.random.default_rng(0)
    u, v = np.full((2, WIDTH, WIDE_REPLICAS), 0.3)
    for _ in range(WIDE_STEPS):
        residuals = X @ (u**2 - v**2) - y[:, np.newaxis] - SIGMA * rng.standard_normal((DATA, WIDE_REPLICAS))
        slopes = (4 * STEP_SIZE / DATA) * (X.T @ residuals)
        u -= u * slopes
        v += v * slopes
    return np.concatenate([u, v])


SECTION = (label_noise, diagonal_network)
