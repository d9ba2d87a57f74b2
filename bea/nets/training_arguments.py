"""Reading the arguments of a training run, each mistake answered in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from bea.nets.pytrees import require_number, require_params
from bea.nets.training_steps import FLOW, Rule
from bea.numerics.arguments import read_positive
from bea.systems.catalogue.data import read_count

__all__ = ["read_moments", "read_rule", "read_settings", "read_start", "read_steps"]

#: By how much a time may miss a whole number of steps, relative to it.
ROUNDING = 1e-6


def read_steps(step_size: Any, time: Any) -> tuple[float, int]:
    """The step size and the number of steps."""
    h, end = read_positive(step_size, "step_size"), read_positive(time, "time")
    steps = round(end / h)
    if steps < 1 or abs(steps * h - end) > ROUNDING * end:
        raise ValueError(f"time must be a multiple of step_size, but {end:g} is {end / h:g} times {h:g}")
    return h, steps


def read_settings(mu: Any, levels: Any) -> tuple[float, tuple[float, ...]]:
    """The factor of the explicit regularization, and the levels of the loss."""
    factor = 0.0 if isinstance(mu, int | float) and mu == 0 else read_positive(mu, "mu")
    if np.ndim(levels) != 1:
        raise ValueError(f"levels must be a sequence of numbers, not {levels!r}")
    return factor, tuple(read_positive(level, "a level") for level in levels)


def read_start(loss: Any, params: Any, data: Any, members: bool) -> None:
    """Refuse a loss that is no function with a scalar value, and what does not fit together."""
    if not callable(loss):
        raise TypeError(f"the loss must be a function loss(params, *batch), not {type(loss).__name__}")
    require_params(params)
    if isinstance(data, str) or not isinstance(data, Sequence):
        raise TypeError(f"data must be a sequence of arrays, such as (x, y), not {type(data).__name__}")
    arrays = jax.tree.map(jnp.asarray, (params, tuple(data)))
    if members:
        counts = {leaf.shape[:1] for leaf in jax.tree.leaves(arrays)}
        if len(counts) != 1 or counts == {()}:
            told = sorted(shape[0] if shape else 0 for shape in counts)
            raise ValueError(
                f"with members all parameters and data must have the same number of them in front, not {told}"
            )
        arrays = jax.tree.map(lambda leaf: leaf[0], arrays)
    require_number(loss, arrays[0], *arrays[1])


def read_rule(
    loss: Any, method: Any, mu: float, batch_size: Any, sampling: Any, members: bool, data: Any, levels: Any
) -> Rule:
    """What is compiled into the steps."""
    known = method is None or isinstance(method, optax.GradientTransformation) or callable(method)
    if not known and not (isinstance(method, str) and method == FLOW):
        sentence = f"method must be 'flow', an optimizer or a function that makes one, not {method!r}"
        raise ValueError(sentence) if isinstance(method, str) else TypeError(sentence)
    if sampling not in ("shuffling", "replacement"):
        raise ValueError(f"sampling must be 'shuffling' or 'replacement', not {sampling!r}")
    if batch_size is not None:
        _require_batch(read_count(batch_size, "batch_size"), data, members)
        if isinstance(method, str) or levels:
            what = "the flow" if isinstance(method, str) else "a level of the loss"
            raise ValueError(f"{what} is that of all examples: give no batch_size")
    return Rule(loss, method, mu > 0, batch_size, sampling == "shuffling", bool(members))


def _require_batch(size: int, data: Any, members: bool) -> None:
    axis = int(members)
    counts = {np.shape(array)[axis] if np.ndim(array) > axis else 0 for array in data}
    if len(counts) != 1 or size > min(counts):
        raise ValueError(
            f"batch_size = {size} needs data with so many examples or more, the same number in every array, "
            f"not {sorted(counts)}"
        )


def read_moments(record: Any, h: float, steps: int) -> list[int]:
    """The numbers of the steps after which to measure, in their order."""
    if record is None:
        return [steps]
    times = np.asarray(record, dtype=float)
    if times.ndim != 1 or not ((times >= 0) & (times <= steps * h * (1 + ROUNDING))).all():
        raise ValueError(f"record must hold times from 0 to {steps * h:g}, not {record!r}")
    return sorted({min(round(t / h), steps) for t in times.tolist()})
