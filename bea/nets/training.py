"""Training by descent, by its flow or by any optimizer, at equal physical time, for many members at once."""

from __future__ import annotations

import time as clock
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax

from bea.nets.pytrees import Pytree
from bea.nets.training_arguments import read_moments, read_rule, read_settings, read_start, read_steps
from bea.nets.training_steps import NEVER, TURN, Rule, State, advance, first_state, look_at_levels, measured
from bea.numerics.arguments import read_rng

__all__ = ["InterruptedTraining", "Training", "train"]

#: How many steps are made before the keyboard is first looked at, and about how many seconds pass in between.
FIRST_CHUNK, PATIENCE = 16, 0.5

Measures = Mapping[str, Callable[[Any, Any], Any]] | Callable[[Any, Any], Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class Training:
    """A training run, as `train` returns it. With members, every array has an axis of them at the end.

    Attributes
    ----------
    params : pytree
        The last parameters that are finite; with members, of all of them, along the first axis.
    step_size : float
    steps_made : int
    t : array of shape (n,)
        The times at which it was measured.
    measures : dict from str to array of shape (n,)
        What was measured then. Once a member has diverged, NaN.
    level_params : pytree
        The parameters where the loss first came to each level, along the first axis (with members, after
        theirs); NaN for a level that was not reached.
    level_t : array of shape (number of levels,)
        The times of it, NaN for a level that was not reached.
    at_levels : dict from str to array of shape (number of levels,)
        What is measured there, NaN for a level that was not reached.
    diverged_at : int, None, or integer array of shape (members,)
        The number of the first iterate that is not finite or has a loss that is not. With members, −1 for
        those that did not diverge.
    success : bool
        Whether all steps were made, and no member diverged.
    message : str
        What happened, in a sentence.
    """

    params: Pytree = field(repr=False)
    step_size: float
    steps_made: int
    t: np.ndarray = field(repr=False)
    measures: dict[str, np.ndarray] = field(repr=False)
    level_params: Pytree = field(repr=False)
    level_t: np.ndarray = field(repr=False)
    at_levels: dict[str, np.ndarray] = field(repr=False)
    diverged_at: int | np.ndarray | None
    success: bool
    message: str


class InterruptedTraining(KeyboardInterrupt):
    """The interrupt of a run from the keyboard; its attribute `training` holds what was computed so far."""

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self.training = training

    def __str__(self) -> str:
        return f"{self.training.message}; what was computed is in the attribute 'training' of this exception"


def train(
    loss: Callable[..., Any],
    params: Pytree,
    data: Sequence[Any] = (),
    *,
    step_size: float,
    time: float,
    method: Literal["flow"] | optax.GradientTransformation | Callable[[Any], Any] | None = None,
    mu: float = 0.0,
    batch_size: int | None = None,
    sampling: Literal["shuffling", "replacement"] = "shuffling",
    measures: Measures | None = None,
    context: Pytree = None,
    record: Sequence[float] | None = None,
    levels: Sequence[float] = (),
    members: bool = False,
    rng: int | np.random.Generator | None = 0,
    progress: Callable[[int, int], object] | None = None,
) -> Training:
    """Train a model for a physical time h × steps, by compiled loops, in a memory that does not grow.

    Parameters
    ----------
    loss : callable
        ``E(params, *batch)``, a scalar that JAX can differentiate.
    params : pytree of float arrays
        The start.
    data : sequence of arrays, optional
        What the loss is given, all with the examples along the first axis.
    step_size : float
        The step size h > 0.
    time : float
        The physical time at which to end, a multiple of h.
    method : optional
        By default gradient descent. ``"flow"`` is the gradient flow, by the classical Runge–Kutta method with
        steps h. Or a function that makes an optimizer of Optax for a step size, such as ``optax.adam``, or an
        optimizer that has one already.
    mu : float, default 0
        Train on E + μ‖∇E‖² in place of E: explicit gradient regularization.
    batch_size : int, optional
        Train on so many examples at a time; by default on all.
    sampling : {"shuffling", "replacement"}
        Whether minibatches go through all examples in a new order in every epoch, which leaves out a last
        batch that would be smaller, or are drawn independently.
    measures : mapping from str to callable, optional
        What to measure: functions of the parameters and of `context` with a scalar value, which JAX can
        trace. Or one function whose value is a dict of scalars.
    context : pytree of arrays, optional
        What the measures are given besides, such as images for a test; by default `data`.
    record : sequence of floats, optional
        The times at which to measure, each rounded to a whole number of steps; by default the end.
    levels : sequence of floats, optional
        Keep the parameters where the loss first comes down to these values, to compare runs at equal loss.
        They are found on the line between two iterates, linear in the loss, with an error of O(h²).
    members : bool, default False
        Whether `params`, `data` and `context` have an axis of members in front: independent runs, in one
        compiled loop.
    rng : int, numpy.random.Generator or None, default 0
        Randomness of the minibatches, as in NumPy.
    progress : callable, optional
        Called with the number of steps made and of all steps, after every half second or so.

    Returns
    -------
    Training

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described.
    InterruptedTraining
        On an interrupt from the keyboard. It is a `KeyboardInterrupt`, so it ends loops and scripts as
        always, and its attribute ``training`` keeps what was computed.

    Warns
    -----
    RuntimeWarning
        If the run diverges, or the run of a member. Its last finite parameters are kept.

    References
    ----------
    .. [1] D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference
           on Learning Representations, Section 6.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> from bea.nets.training import train
    >>> E = lambda p: jnp.sum((0.6 - p[0] * p[1]) ** 2) / 2
    >>> run = train(E, jnp.array([2.8, 3.5]), step_size=0.01, time=12, levels=[0.1])
    >>> [round(float(p), 3) for p in run.params], run.success
    ([0.288, 2.084], True)
    """
    h, steps = read_steps(step_size, time)
    mu, level_values = read_settings(mu, levels)
    read_start(loss, params, data, members)
    rule = read_rule(loss, method, mu, batch_size, sampling, members, data, level_values)
    measure, moments = _measure_of(measures), read_moments(record, h, steps)
    with TURN:
        run = _Run(rule, params, data, (h, mu, level_values), measure, context, read_rng(rng))
        try:
            run.go(moments, steps, progress)
        except KeyboardInterrupt:
            raise InterruptedTraining(run.result(steps, interrupted=True)) from None
        outcome = run.result(steps, interrupted=False)
    if not outcome.success:
        warnings.warn(outcome.message, RuntimeWarning, stacklevel=2)
    return outcome


class _Measures:
    """Several measures as one function; the same measures make the same compiled program."""

    def __init__(self, measures: Mapping[str, Callable[[Any, Any], Any]]) -> None:
        for name, measure in measures.items():
            if not callable(measure):
                raise TypeError(f"the measure {name!r} must be a function of parameters and context")
        self.functions = tuple(measures.items())

    def __call__(self, params: Pytree, context: Pytree) -> dict[str, jax.Array]:
        return {name: measure(params, context) for name, measure in self.functions}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Measures) and self.functions == other.functions

    def __hash__(self) -> int:
        return hash(self.functions)


def _measure_of(measures: Any) -> Callable[[Pytree, Pytree], Mapping[str, Any]]:
    """One function for all measures."""
    if measures is None or isinstance(measures, Mapping):
        return _Measures(measures or {})
    if not callable(measures):
        raise TypeError(f"measures must be a mapping from names to functions, not {type(measures).__name__}")
    return measures


class _Run:
    """A run, chunk by chunk, so that an interrupt is heard between two chunks."""

    def __init__(
        self,
        rule: Rule,
        params: Pytree,
        data: Sequence[Any],
        settings: tuple[float, float, tuple[float, ...]],
        measure: Callable[[Pytree, Pytree], Mapping[str, Any]],
        context: Pytree,
        generator: np.random.Generator,
    ) -> None:
        h, mu, levels = settings
        params = jax.tree.map(jnp.asarray, params)
        self.rule, self.h, self.levels = rule, h, len(levels)
        self.data = tuple(jnp.asarray(array) for array in data)
        self.settings = (h, mu, np.array(levels))
        self.measure = measure
        self.context = self.data if context is None else jax.tree.map(jnp.asarray, context)
        jax.eval_shape(partial(measured, measure, rule.members), params, self.context)  # before any step
        self.made, self.chunk = 0, FIRST_CHUNK
        self.state: State = first_state(rule, params, self.data, h, self.levels)
        count = jax.tree.leaves(params)[0].shape[0] if rule.members else 1
        keys = jax.vmap(jax.random.key)(jnp.asarray(generator.integers(2**31, size=count)))
        self.keys = keys if rule.members else keys[0]
        self.times: list[float] = []
        self.rows: list[dict[str, np.ndarray]] = []

    def whole(self) -> np.ndarray:
        """Which members have not diverged."""
        return np.asarray(self.state.diverged_at) == NEVER

    def go(self, moments: list[int], steps: int, progress: Callable[[int, int], object] | None) -> None:
        """Make all steps, and measure after some of them."""
        for moment in moments:
            self._advance(moment, steps, progress)
            self.rows.append(self._measured(self.state.params, self.whole()))
            self.times.append(moment * self.h)
        self._advance(steps, steps, progress)

    def _advance(self, until: int, total: int, progress: Callable[[int, int], object] | None) -> None:
        """Make steps until there are so many, or everything has diverged."""
        while self.made < until and self.whole().any():
            count = min(self.chunk, until - self.made)
            begun = clock.perf_counter()
            state = advance(self.rule, self.state, self.data, self.keys, self.settings, self.made, count)
            self.state, self.made = jax.block_until_ready(state), self.made + count
            if clock.perf_counter() - begun < PATIENCE / 2 and count == self.chunk:
                self.chunk *= 2
            if progress is not None:
                progress(self.made, total)

    def _measured(self, params: Pytree, valid: np.ndarray) -> dict[str, np.ndarray]:
        """The measures where they are valid, NaN elsewhere."""
        values = measured(self.measure, self.rule.members, params, self.context)
        return {name: np.where(valid, np.asarray(v, dtype=float), np.nan) for name, v in values.items()}

    def _at_levels(self, reached: np.ndarray) -> list[dict[str, np.ndarray]]:
        members, rows = self.rule.members, []
        for i in range(self.levels):
            here = jax.tree.map(lambda leaf, i=i: leaf[:, i] if members else leaf[i], self.state.snapshots)
            rows.append(self._measured(here, reached[i] >= 0))
        return rows

    def result(self, steps: int, interrupted: bool) -> Training:
        """What was computed so far."""
        if self.levels:
            self.state = look_at_levels(self.rule, self.state, self.data, self.settings[2], self.made)
        reached = np.moveaxis(np.asarray(self.state.reached, dtype=float), -1, 0)
        diverged_at, whole = np.asarray(self.state.diverged_at), self.whole()
        alone = None if whole.all() else int(diverged_at.min())
        return Training(
            params=self.state.params,
            step_size=self.h,
            steps_made=self.made if alone is None or self.rule.members else min(self.made, alone),
            t=np.array(self.times),
            measures=_columns(self.rows),
            level_params=self.state.snapshots,
            level_t=np.where(reached >= 0, reached * self.h, np.nan),
            at_levels=_columns(self._at_levels(reached)),
            diverged_at=diverged_at if self.rule.members else alone,
            success=self.made == steps and bool(whole.all()),
            message=_message(diverged_at, self.made, steps, interrupted),
        )


def _columns(rows: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.array([row[name] for row in rows]) for name in (rows[0] if rows else {})}


def _message(diverged_at: np.ndarray, made: int, steps: int, interrupted: bool) -> str:
    if diverged_at.ndim and (diverged_at != NEVER).any():
        first = diverged_at[diverged_at != NEVER].min()
        return (
            f"{np.count_nonzero(diverged_at != NEVER)} of {diverged_at.size} members diverged, the first at "
            f"iterate {first}; their last finite parameters are kept"
        )
    if not diverged_at.ndim and diverged_at != NEVER:
        return f"diverged: iterate {diverged_at} or its loss is not finite; the last finite iterate is kept"
    return f"interrupted: {made} of {steps} steps were made" if interrupted else f"{made} steps were made"
