"""Functions to sweep over, in a module of their own so that other processes can import them."""

import math
import os
import time

import numpy as np


def noisy(depth, scale, rng):
    """Draws; the sum depends on the order of additions, so that equal bits mean equal work."""
    numbers = scale * np.random.default_rng(rng).standard_normal((depth, 3))
    return {"mean": numbers.mean(), "numbers": numbers[:1], "sine": math.sin(numbers.sum())}


def logged(i, log, seconds=0.0):
    """Writes a line when it is called and one when it is done; from 12 on, waits while a gate is closed."""
    _append(log, f"begin {i}\n")
    time.sleep(seconds)
    while i >= 12 and os.path.exists(f"{log}.closed"):
        time.sleep(0.01)
    _append(log, f"end {i}\n")
    return {"square": i * i, "root": math.sqrt(i)}


def _append(log, line):
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, line.encode())
    os.close(file)


def calls(log):
    """The arguments of the calls that a log tells of."""
    if not os.path.exists(log):
        return []
    with open(log) as lines:
        return [int(line.split()[1]) for line in lines if line.startswith("begin")]


def inverse(x):
    """Fails at 0."""
    return {"inverse": 1 / x}


def dies(x):
    """Ends its process at 3, as a fault in compiled code would."""
    if x == 3:
        os._exit(1)
    return x


def small(i):
    """A task that takes next to no time."""
    return {"i": i}
