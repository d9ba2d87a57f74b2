"""How the step size shapes training: perceptrons on real images, against the gradient flow.

A task trains one perceptron from many seeds in one compiled loop; a sweep collects tasks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np

import bea.sweeps
from bea.nets.data import CLASSES, PIXELS, digits
from bea.nets.measures import classifier
from bea.nets.models import stack
from bea.nets.training import train
from bea.nets.training_steps import FLOW, NEVER
from bea.sweeps import SweepResult
from bea.systems.catalogue.data import read_count

__all__ = ["Comparison", "perceptrons", "sweep_regularization", "sweep_step_sizes"]

#: The name in a task for gradient descent; its flow is called `FLOW`.
DESCENT = "gradient-descent"
#: What is measured at the levels of the loss is kept under names that start with this.
AT_LEVEL = "at_level_"


def perceptrons(
    width: int,
    step_size: float,
    method: str = DESCENT,
    mu: float = 0.0,
    *,
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4, 5),
    depth: int = 2,
    objective: str = "cross-entropy",
    activation: str = "tanh",
    gain: float = 1.0,
    images: int = 500,
    time: float = 60.0,
    record: tuple[float, ...] = (),
    levels: tuple[float, ...] = (),
    batch_size: int | None = None,
) -> dict[str, np.ndarray]:
    """Train a perceptron on the digits from many seeds, and measure it: one task of a sweep.

    A seed draws the split of the images, and the start. The same seed is the same network on the same images
    for all step sizes, so that differences are taken in pairs.

    Parameters
    ----------
    width : int
        The number of units in each hidden layer.
    step_size : float
        The step size; for the flow, that of the Runge–Kutta method.
    method : {"gradient-descent", "flow"}
    mu : float, default 0
        Train on E + μ‖∇E‖².
    seeds : tuple of int
    depth : int, default 2
        The number of hidden layers.
    objective, activation, gain
        As for `classifier`.
    images : int, default 500
        How many images to train on.
    time : float, default 60
        The physical time, a multiple of the step size.
    record : tuple of floats
        The times at which to measure; the end is added.
    levels : tuple of floats
        The values of the loss at which to measure, where they are first reached.
    batch_size : int, optional
        As for `train`; by default all images.

    Returns
    -------
    dict from str to array
        The measures of `bea.nets.measures.Classifier`, shape (times, seeds); with ``at_level_`` before their
        names, shape (levels, seeds); ``t``, ``level_t`` and ``diverged_at``, −1 where a run did not diverge.

    Examples
    --------
    >>> from bea.nets.experiments import perceptrons
    >>> runs = perceptrons(8, 0.25, seeds=(0, 1), images=100, time=10.0)
    >>> runs["test_accuracy"].shape, bool((runs["test_accuracy"] > 0.6).all())
    ((1, 2), True)
    """
    if method not in (DESCENT, FLOW):
        raise ValueError(f"method must be 'gradient-descent' or 'flow', not {method!r}")
    hidden = (read_count(width, "width"),) * read_count(depth, "depth")
    network = classifier((PIXELS, *hidden, CLASSES), objective, activation, "lecun", gain)
    context = _images(tuple(seeds), images)
    run = train(
        network.loss,
        stack([network.model.init(np.random.default_rng([seed, 1])) for seed in seeds]),
        context[:2],
        step_size=step_size,
        time=time,
        method=FLOW if method == FLOW else None,
        mu=mu,
        measures=network.measures,
        context=context,
        record=sorted({*record, time}),
        levels=levels,
        members=True,
        batch_size=batch_size,
    )
    kept = {"t": run.t, "level_t": run.level_t, "diverged_at": np.asarray(run.diverged_at)}
    return {**kept, **run.measures, **{AT_LEVEL + name: value for name, value in run.at_levels.items()}}


@lru_cache(maxsize=4)
def _images(seeds: tuple[int, ...], images: int) -> tuple[np.ndarray, ...]:
    """(x, y, x_test, y_test), seeds in front."""
    splits = [digits(images, rng=seed) for seed in seeds]
    return tuple(
        np.stack([getattr(split, name) for split in splits]) for name in ("x", "y", "x_test", "y_test")
    )


@dataclass(frozen=True, eq=False)
class Comparison:
    """Runs of networks of several widths, each beside the gradient flow of the same seeds.

    Attributes
    ----------
    widths : tuple of int
        The numbers of units in the hidden layers.
    sizes : tuple of int
        The numbers of parameters.
    values : tuple of float
        What was swept, step sizes h or factors μ.
    swept : {"h", "μ"}
    seeds : tuple of int
    t : array of shape (times,)
    levels : tuple of float
    measures : dict from str to array of shape (widths, 1 + values, times, seeds)
        Index 0 of the second axis is the gradient flow.
    at_levels : dict from str to array of shape (widths, 1 + values, levels, seeds)
    level_t : array of shape (widths, 1 + values, levels, seeds)
        When the levels of the loss were reached, NaN where they were not.
    diverged_at : integer array of shape (widths, 1 + values, seeds)
        −1 where a run did not diverge.
    settings : dict
        The other arguments of `perceptrons`.
    """

    widths: tuple[int, ...]
    sizes: tuple[int, ...]
    values: tuple[float, ...]
    swept: str
    seeds: tuple[int, ...]
    t: np.ndarray = field(repr=False)
    levels: tuple[float, ...]
    measures: dict[str, np.ndarray] = field(repr=False)
    at_levels: dict[str, np.ndarray] = field(repr=False)
    level_t: np.ndarray = field(repr=False)
    diverged_at: np.ndarray = field(repr=False)
    settings: dict[str, Any] = field(repr=False)

    @property
    def diverged(self) -> np.ndarray:
        """Which runs diverged, shape (widths, 1 + values, seeds)."""
        return self.diverged_at != NEVER

    def change(self, name: str, *, level: int | None = None, moment: int = -1) -> np.ndarray:
        """How much a measure differs from that of the gradient flow with the same seed.

        Parameters
        ----------
        name : str
            One of ``measures``.
        level : int, optional
            The index of a level of the loss, to compare where it is first reached; by default runs are
            compared at equal time.
        moment : int, optional
            The index of that time, by default the last.

        Returns
        -------
        array of shape (widths, values, seeds)
            Differences of accuracies; of all other measures, which are positive, logarithms of ratios.
        """
        if name not in self.measures:
            raise ValueError(f"there is no measure {name!r}; there are {', '.join(self.measures)}")
        if level is not None and not -len(self.levels) <= level < len(self.levels):
            raise ValueError(f"level is an index of levels = {self.levels}, and {level} is none")
        values = self.measures[name][:, :, moment] if level is None else self.at_levels[name][:, :, level]
        if "accuracy" not in name:
            values = np.log(values)
        return values[:, 1:] - values[:, :1]


def sweep_step_sizes(
    step_sizes: Sequence[float],
    widths: Sequence[int],
    seeds: Sequence[int] = range(6),
    *,
    flow_step: float | None = None,
    record: Sequence[float] = (),
    levels: Sequence[float] = (),
    sweep: Callable[..., SweepResult] = bea.sweeps.sweep,
    options: dict[str, Any] | None = None,
    **settings: Any,
) -> Comparison:
    """Gradient descent with several step sizes against the gradient flow, at equal physical time.

    Parameters
    ----------
    step_sizes : sequence of floats
    widths : sequence of int
        The numbers of units in the hidden layers.
    seeds : sequence of int, default range(6)
        As for `perceptrons`: all of them make one task.
    flow_step : float, optional
        The step of the Runge–Kutta method; by default the smallest step size.
    record, levels
        As for `perceptrons`.
    sweep : callable, optional
        What runs the tasks, by default `bea.sweep`.
    options : dict, optional
        Its arguments, such as ``{"store": "folder"}``, in which the result of each task is kept.
    **settings
        Further arguments of `perceptrons`.

    Returns
    -------
    Comparison

    Raises
    ------
    RuntimeError
        If a task failed.

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Section 6.

    Examples
    --------
    >>> from bea.nets.experiments import sweep_step_sizes
    >>> quiet = {"progress": False}
    >>> runs = sweep_step_sizes([0.2, 0.4], [4], seeds=range(3), images=100, time=8.0, options=quiet)
    >>> runs.change("norm").shape
    (1, 2, 3)
    """
    steps = tuple(float(h) for h in step_sizes)
    if not steps:
        raise ValueError("step_sizes must hold one or more, but it is empty")
    smallest = min(steps) if flow_step is None else float(flow_step)
    runs = [(smallest, FLOW, 0.0), *((h, DESCENT, 0.0) for h in steps)]
    return _compare(runs, steps, "h", widths, seeds, record, levels, sweep, options, settings)


def sweep_regularization(
    factors: Sequence[float],
    widths: Sequence[int],
    seeds: Sequence[int] = range(6),
    *,
    flow_step: float,
    record: Sequence[float] = (),
    levels: Sequence[float] = (),
    sweep: Callable[..., SweepResult] = bea.sweeps.sweep,
    options: dict[str, Any] | None = None,
    **settings: Any,
) -> Comparison:
    """The gradient flow of E + μ‖∇E‖² for several μ against that of E; see `sweep_step_sizes`.

    Parameters
    ----------
    factors : sequence of floats
        The factors μ. With μ = h/4 it is the modified flow of gradient descent with the step size h.
    flow_step : float
        The step of the Runge–Kutta method.
    widths, seeds, record, levels, sweep, options, **settings
        As for `sweep_step_sizes`.

    Returns
    -------
    Comparison

    Raises
    ------
    RuntimeError
        If a task failed.

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Section 4 (explicit gradient regularization).

    Examples
    --------
    >>> from bea.nets.experiments import sweep_regularization
    >>> settings = {"images": 100, "time": 4.0, "options": {"progress": False}}
    >>> runs = sweep_regularization([0.1], [4], seeds=range(3), flow_step=0.2, **settings)
    >>> runs.swept, runs.change("slope").shape
    ('μ', (1, 1, 3))
    """
    mus = tuple(float(mu) for mu in factors)
    runs = [(float(flow_step), FLOW, mu) for mu in (0.0, *mus)]
    return _compare(runs, mus, "μ", widths, seeds, record, levels, sweep, options, settings)


def _compare(
    runs: list[tuple[float, str, float]],
    values: tuple[float, ...],
    swept: str,
    widths: Sequence[int],
    seeds: Sequence[int],
    record: Sequence[float],
    levels: Sequence[float],
    sweep: Callable[..., SweepResult],
    options: dict[str, Any] | None,
    settings: dict[str, Any],
) -> Comparison:
    """Run a task for each width and each (step size, method, μ), and collect them."""
    members, shape = tuple(int(seed) for seed in seeds), (len(widths), len(runs))
    common = {"seeds": members, "record": tuple(record), "levels": tuple(levels), **settings}
    grid = [
        {"width": int(width), "step_size": h, "method": method, "mu": mu, **common}
        for width in widths
        for h, method, mu in runs
    ]
    result = sweep(perceptrons, grid, **(options or {}))
    if result.errors:
        raise RuntimeError(f"an experiment failed: {result.errors[0]}")
    arrays = {name: _table(result, name, shape) for name in result.names}
    at_levels = {n.removeprefix(AT_LEVEL): a for n, a in arrays.items() if n.startswith(AT_LEVEL)}
    others = {"t", "level_t", "diverged_at"}
    depth = settings.get("depth", 2)
    return Comparison(
        widths=tuple(int(width) for width in widths),
        sizes=tuple(classifier((PIXELS, *(int(w),) * depth, CLASSES)).model.size for w in widths),
        values=values,
        swept=swept,
        seeds=members,
        t=arrays["t"][0, 0],
        levels=tuple(levels),
        measures={n: a for n, a in arrays.items() if n not in others and not n.startswith(AT_LEVEL)},
        at_levels=at_levels,
        level_t=arrays["level_t"],
        diverged_at=arrays["diverged_at"],
        settings=dict(settings),
    )


def _table(result: SweepResult, name: str, shape: tuple[int, int]) -> np.ndarray:
    """A result of all tasks, widths and runs in front."""
    values = np.asarray(result[name])
    return values.reshape(*shape, *values.shape[1:])
