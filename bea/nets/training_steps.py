"""One step of training as JAX compiles it, and the loop over many of them, for one member or for several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from threading import RLock
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from bea.nets.pytrees import Pytree, add, dot, is_finite, scale

__all__ = ["FLOW", "NEVER", "TURN", "Rule", "State", "advance", "first_state", "look_at_levels", "measured"]

#: What `method` is called for the gradient flow.
FLOW = "flow"
#: One run at a time: on few processors two programs of XLA in two threads may wait for each other for ever.
TURN = RLock()
#: The number of a step that was not made.
NEVER = -1


@dataclass(frozen=True)
class Rule:
    """All of a training run that is compiled into its steps.

    Attributes
    ----------
    loss : callable
        E(params, *batch).
    method : None, "flow", optax.GradientTransformation or callable
        Gradient descent; its flow, by one step of the classical Runge–Kutta method; an optimizer; or a
        function that makes an optimizer for a step size.
    regularized : bool
        Whether μ‖∇E‖² is added to the loss.
    batch_size : int or None
    shuffled : bool
        Whether minibatches are drawn without replacement.
    members : bool
        Whether the parameters and the data have an axis of members in front.
    """

    loss: Callable[..., jax.Array]
    method: Any
    regularized: bool
    batch_size: int | None
    shuffled: bool
    members: bool


class State(NamedTuple):
    """Where a member of a training run is.

    `previous` and `value` are the parameters before the last step and the loss there; `order` is the order of
    the examples in this epoch; `snapshots` are the parameters at which each level of the loss was first
    reached, at the times `reached`, in steps. All parameters are the last finite ones: `diverged_at` is the
    number of the first step after which they are not.
    """

    params: Pytree
    memory: Any
    order: jax.Array
    previous: Pytree
    value: jax.Array
    snapshots: Pytree
    reached: jax.Array
    diverged_at: jax.Array


def optimizer_of(rule: Rule, h: Any) -> optax.GradientTransformation | None:
    """The optimizer of a rule; None for descent and for the flow."""
    if rule.method is None or rule.method == FLOW:
        return None
    if isinstance(rule.method, optax.GradientTransformation):
        return rule.method
    optimizer = rule.method(h)
    if not isinstance(optimizer, optax.GradientTransformation):
        raise TypeError(
            f"method must make an optimizer for a step size, but it made {type(optimizer).__name__}"
        )
    return optimizer


def first_state(rule: Rule, params: Pytree, data: Pytree, h: float, levels: int) -> State:
    """The state before the first step."""

    examples = jax.tree.leaves(data)[0].shape[int(rule.members)] if rule.batch_size else 0

    def one(params: Pytree) -> State:
        optimizer = optimizer_of(rule, h)
        return State(
            params=params,
            memory=() if optimizer is None else optimizer.init(params),
            order=jnp.arange(examples),
            previous=params,
            value=jnp.asarray(jnp.inf, jnp.result_type(*jax.tree.leaves(params))),
            snapshots=jax.tree.map(lambda leaf: jnp.full((levels, *leaf.shape), jnp.nan, leaf.dtype), params),
            reached=jnp.full(levels, float(NEVER)),
            diverged_at=jnp.asarray(NEVER),
        )

    return jax.vmap(one)(params) if rule.members else one(params)


@partial(jax.jit, static_argnums=0)
def advance(
    rule: Rule,
    state: State,
    data: Pytree,
    keys: jax.Array,
    settings: tuple[Any, Any, Any],
    start: Any,
    count: Any,
) -> State:
    """`count` steps more, from the step numbered `start`; `settings` are h, μ and the levels of the loss."""

    def step(k: Any, state: State) -> State:
        one = partial(_step, rule, k, settings)
        return jax.vmap(one)(state, data, keys) if rule.members else one(state, data, keys)

    return jax.lax.fori_loop(start, start + count, step, state)


@partial(jax.jit, static_argnums=0)
def look_at_levels(rule: Rule, state: State, data: Pytree, levels: Any, made: Any) -> State:
    """The state with the levels that the last of `made` steps reaches; a step looks at its start only."""

    def one(state: State, data: Pytree) -> State:
        value = jnp.asarray(rule.loss(state.params, *data))
        value = jnp.where(state.diverged_at == NEVER, value, jnp.nan)
        snapshots, reached = _levels(made, value, jnp.asarray(levels, value.dtype), state)
        return state._replace(snapshots=snapshots, reached=reached)

    return jax.vmap(one)(state, data) if rule.members else one(state, data)


@partial(jax.jit, static_argnums=(0, 1))
def measured(
    measure: Callable[..., Any], members: bool, params: Pytree, context: Pytree
) -> dict[str, jax.Array]:
    """What a function of the parameters and their context says, for every member."""
    values = jax.vmap(measure)(params, context) if members else measure(params, context)
    if not isinstance(values, Mapping):
        raise TypeError(
            f"what measures returns must be a mapping from names to numbers, not {type(values).__name__}"
        )
    return dict(values)


def _step(rule: Rule, k: Any, settings: tuple[Any, Any, Any], state: State, data: Pytree, key: Any) -> State:
    h, mu, levels = settings
    batch, order = _batch(rule, k, state.order, data, key)
    h, mu = (jnp.asarray(number, state.value.dtype) for number in (h, mu))
    new, memory, value = _update(rule, h, partial(_gradient, rule, mu, batch), state)
    snapshots, reached = _levels(k, value, jnp.asarray(levels, value.dtype), state)

    whole = state.diverged_at == NEVER
    sound = jnp.isfinite(value)
    fine = whole & sound & is_finite(new)

    def kept(u: Pytree, v: Pytree) -> Pytree:
        return jax.tree.map(partial(jnp.where, fine), u, v)

    return State(
        params=kept(new, state.params),
        memory=kept(memory, state.memory),
        order=order,
        previous=kept(state.params, state.previous),
        value=kept(value, state.value),
        snapshots=snapshots,
        reached=reached,
        diverged_at=jnp.where(whole & ~fine, jnp.where(sound, k + 1, k), state.diverged_at),
    )


def _gradient(rule: Rule, mu: Any, batch: tuple[Any, ...], params: Pytree) -> tuple[Pytree, jax.Array]:
    """The gradient of E + μ‖∇E‖², and E."""

    def loss(params: Pytree) -> jax.Array:
        return jnp.asarray(rule.loss(params, *batch))

    def regularized(params: Pytree) -> tuple[jax.Array, jax.Array]:
        value, g = jax.value_and_grad(loss)(params)
        return value + mu * dot(g, g), value

    if rule.regularized:
        return jax.grad(regularized, has_aux=True)(params)
    value, g = jax.value_and_grad(loss)(params)
    return g, value


def _update(
    rule: Rule, h: Any, ascent: Callable[[Pytree], tuple[Pytree, jax.Array]], state: State
) -> tuple[Pytree, Any, jax.Array]:
    """The parameters after a step, the memory of the optimizer, and the loss before the step."""
    x, optimizer = state.params, optimizer_of(rule, h)
    if rule.method == FLOW:
        return _runge_kutta(h, ascent, x)
    g, value = ascent(x)
    if optimizer is None:
        return add(x, scale(-h, g)), (), value
    change, memory = optimizer.update(g, state.memory, x)
    return optax.apply_updates(x, change), memory, value


def _runge_kutta(
    h: Any, ascent: Callable[[Pytree], tuple[Pytree, jax.Array]], x: Pytree
) -> tuple[Pytree, Any, jax.Array]:
    """One step of the classical method, its stages in a loop so that one gradient is compiled."""

    def stage(carry: tuple[Pytree, Pytree], c: jax.Array) -> tuple[tuple[Pytree, Pytree], jax.Array]:
        k, mean = carry
        k, value = ascent(add(x, scale(-h * c[0], k)))
        return (k, add(mean, scale(c[1], k))), value

    zero = jax.tree.map(jnp.zeros_like, x)
    c = jnp.array([[0, 1 / 6], [1 / 2, 1 / 3], [1 / 2, 1 / 3], [1, 1 / 6]], h.dtype)
    (_, mean), values = jax.lax.scan(stage, (zero, zero), c)
    return add(x, scale(-h, mean)), (), values[0]


def _batch(rule: Rule, k: Any, order: jax.Array, data: Any, key: Any) -> tuple[tuple[Any, ...], jax.Array]:
    """The examples of step k, and the order in which the epoch goes through them."""
    if rule.batch_size is None:
        return tuple(data), order
    size, total = rule.batch_size, order.shape[0]
    if not rule.shuffled:
        chosen = jax.random.randint(jax.random.fold_in(key, k), (size,), 0, total)
        return tuple(array[chosen] for array in data), order
    epoch, place = jnp.divmod(k, total // size)
    order = jax.lax.cond(
        place == 0,
        lambda: jax.random.permutation(jax.random.fold_in(key, epoch), total).astype(order.dtype),
        lambda: order,
    )
    chosen = jax.lax.dynamic_slice_in_dim(order, place * size, size)
    return tuple(array[chosen] for array in data), order


def _levels(k: Any, value: Any, levels: jax.Array, state: State) -> tuple[Pytree, jax.Array]:
    """Where the loss first reaches each level: on the straight line between two iterates, linear in the loss.

    On a smooth path it errs by O(h²), whereas the iterate itself is O(h) past the level.
    """
    if not levels.shape[0]:
        return state.snapshots, state.reached
    now = (state.reached == NEVER) & (value <= levels)
    share = jnp.where(
        jnp.isfinite(state.value), (state.value - levels) / (state.value - value), jnp.ones_like(levels)
    )

    def snapshot(kept: jax.Array, before: jax.Array, after: jax.Array) -> jax.Array:
        shape = (-1, *[1] * after.ndim)
        between = before + share.reshape(shape) * (after - before)
        return jnp.where(now.reshape(shape), between, kept)

    snapshots = jax.tree.map(snapshot, state.snapshots, state.previous, state.params)
    time = jnp.maximum(k - 1 + share, 0).astype(state.reached.dtype)
    return snapshots, jnp.where(now, time, state.reached)
