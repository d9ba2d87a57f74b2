"""Schemes beyond Runge–Kutta: derivations beside the times wanted, iterates beside hand-written loops.

    python benchmarks/peers.py schemes

A hand-written loop is what a user would write with Numba for this one scheme and this one loss: the step, a
test for divergence, a record of every iterate.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
from comparison import Row, medians
from numba import njit

import bea
from bea import schemes

STEPS = 200_000
STEP_SIZE = 1e-3
START = np.array([2.8, 1.5])

#: Seconds for the derivation through h^6.
LIMITS = {"heavy-ball": 0.2, "simultaneous-descent": 0.5, "alternating-descent": 0.5}


def derivations() -> Iterator[Row]:
    """Heavy ball on the quartic loss, and play in a quartic game, through h^6."""
    loss = bea.Loss("(y - a*b)**2 / 2", variables="a b", parameters={"y": 0.6})
    game = bea.Game(["x**4/4 + x*y - x**2*y**2/2", "y**4/4 - x*y + x**2*y**2/2"], players=["x", "y"])
    cases = [
        ("heavy ball, symbolic beta", loss, schemes.HeavyBall()),
        ("heavy ball, beta = 9/10", loss, schemes.HeavyBall("9/10")),
        ("simultaneous play", game, schemes.SimultaneousDescent()),
        ("alternating play", game, schemes.AlternatingDescent()),
    ]
    for label, system, scheme in cases:
        seconds = medians({"ours": lambda s=system, m=scheme: bea.modified_equation(s, m, order=6)}, rounds=5)
        yield Row(label + ", h^6", "what is wanted", seconds["ours"], LIMITS[scheme.name], 1.0)


def iterates() -> Iterator[Row]:
    """Every scheme beside a hand-written loop of the same scheme."""
    loss = bea.Loss("(3/5 - a*b)**2 / 2", variables="a b")
    game = bea.Game(["(3/5 - a*b)**2 / 2", "(3/5 - a*b)**2 / 2"], players=["a", "b"])
    for scheme, loop in LOOPS:
        system = game if scheme.name == "alternating-descent" else loss
        ours = bea.iterate(system, scheme, START, STEP_SIZE, STEPS)
        rows = np.empty((STEPS + 1, 2))
        loop(START, STEP_SIZE, STEPS, rows)
        difference = np.abs(ours.x - rows).max()
        if not difference < 1e-9:
            raise AssertionError(f"{scheme.name} and its loop differ by {difference}")
        seconds = medians(
            {
                "ours": lambda s=system, m=scheme: bea.iterate(s, m, START, STEP_SIZE, STEPS),
                "loop": lambda f=loop: f(START, STEP_SIZE, STEPS, np.empty((STEPS + 1, 2))),
            },
            rounds=15,
        )
        remark = f"{seconds['ours'] / STEPS * 1e9:.1f} ns a step, largest difference {difference:.0e}"
        yield Row(scheme.name, "hand-written loop", seconds["ours"], seconds["loop"], 0.7, remark)


def first_use() -> Iterator[Row]:
    """The first run of a scheme with other constants, which compiles nothing anew."""
    loss = bea.Loss("(3/5 - a*b)**2 / 2", variables="a b")
    bea.iterate(loss, schemes.HeavyBall(0.5), START, STEP_SIZE, 1)
    start = time.perf_counter()
    bea.iterate(loss, schemes.HeavyBall(0.51), START, STEP_SIZE, 1)
    yield Row("another beta", "20 ms", time.perf_counter() - start, 0.02, 1.0)


# -- loops as a user writes them -------------------------------------------------------------------------


@njit
def gradient_descent(start, h, steps, rows):
    a, b = start
    rows[0, 0], rows[0, 1] = a, b
    for k in range(1, steps + 1):
        r = a * b - 0.6
        a, b = a - h * b * r, b - h * a * r
        if not (abs(a) < 1e100 and abs(b) < 1e100):
            break
        rows[k, 0], rows[k, 1] = a, b


@njit
def heavy_ball(start, h, steps, rows):
    a, b = start
    rows[0, 0], rows[0, 1] = a, b
    m = n = 0.0
    for k in range(1, steps + 1):
        r = a * b - 0.6
        m, n = 0.9 * m - b * r, 0.9 * n - a * r
        a, b = a + h * m, b + h * n
        if not (abs(a) < 1e100 and abs(b) < 1e100):
            break
        rows[k, 0], rows[k, 1] = a, b


@njit
def nesterov(start, h, steps, rows):
    a, b = start
    rows[0, 0], rows[0, 1] = a, b
    m = n = 0.0
    for k in range(1, steps + 1):
        c, d = a + h * 0.9 * m, b + h * 0.9 * n
        r = c * d - 0.6
        m, n = 0.9 * m - d * r, 0.9 * n - c * r
        a, b = a + h * m, b + h * n
        if not (abs(a) < 1e100 and abs(b) < 1e100):
            break
        rows[k, 0], rows[k, 1] = a, b


@njit
def adam(start, h, steps, rows):
    a, b = start
    rows[0, 0], rows[0, 1] = a, b
    m = n = v = w = 0.0
    for k in range(1, steps + 1):
        r = a * b - 0.6
        f, g = -b * r, -a * r
        m, n = 0.9 * m + 0.1 * f, 0.9 * n + 0.1 * g
        v, w = 0.99 * v + 0.01 * f * f, 0.99 * w + 0.01 * g * g
        a, b = a + h * m / np.sqrt(v + 1e-4), b + h * n / np.sqrt(w + 1e-4)
        if not (abs(a) < 1e100 and abs(b) < 1e100):
            break
        rows[k, 0], rows[k, 1] = a, b


@njit
def optimistic(start, h, steps, rows):
    a, b = start
    rows[0, 0], rows[0, 1] = a, b
    r = a * b - 0.6
    m, n = -b * r, -a * r
    for k in range(1, steps + 1):
        r = a * b - 0.6
        f, g = -b * r, -a * r
        a, b = a + h * (2 * f - m), b + h * (2 * g - n)
        m, n = f, g
        if not (abs(a) < 1e100 and abs(b) < 1e100):
            break
        rows[k, 0], rows[k, 1] = a, b


@njit
def extragradient(start, h, steps, rows):
    a, b = start
    rows[0, 0], rows[0, 1] = a, b
    for k in range(1, steps + 1):
        r = a * b - 0.6
        c, d = a - h * b * r, b - h * a * r
        r = c * d - 0.6
        a, b = a - h * d * r, b - h * c * r
        if not (abs(a) < 1e100 and abs(b) < 1e100):
            break
        rows[k, 0], rows[k, 1] = a, b


@njit
def alternating(start, h, steps, rows):
    a, b = start
    rows[0, 0], rows[0, 1] = a, b
    for k in range(1, steps + 1):
        a -= h * b * (a * b - 0.6)
        b -= h * a * (a * b - 0.6)
        if not (abs(a) < 1e100 and abs(b) < 1e100):
            break
        rows[k, 0], rows[k, 1] = a, b


LOOPS: list[tuple[schemes.Scheme, Callable]] = [
    (schemes.GradientDescent(), gradient_descent),
    (schemes.HeavyBall("9/10"), heavy_ball),
    (schemes.Nesterov("9/10"), nesterov),
    (schemes.Adam("9/10", "99/100", "1/10000"), adam),
    (schemes.OptimisticGradient(), optimistic),
    (schemes.Extragradient(), extragradient),
    (schemes.AlternatingDescent(), alternating),
]

SECTION = [derivations, iterates, first_use]
