"""The modified flow of networks beside gradients of the same network: processor time and memory.

The networks are perceptrons with a batch of 64: as for images of 28×28 pixels, where most parameters belong
to the first layer, and with wide hidden layers, where derivatives of higher order have more to carry. Times
are the least processor times over all rounds, which do not count the waiting for other processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from time import process_time
from typing import Any

import numpy as np
from comparison import Row, installed

BATCH, H = 64, 0.01

#: Widths with about 10⁵ and 10⁶ parameters.
WIDTHS = ([784, 124, 10], [64, 270, 270, 10], [784, 800, 400, 10], [64, 940, 940, 10])


@dataclass
class MemoryRow:
    """Bytes of parameters, temporaries and results: ours beside one gradient, and the ratio allowed."""

    ours: str
    peer: str
    our_bytes: int
    peer_bytes: int
    allowed: float
    remark: str = ""

    def __str__(self) -> str:
        ratio = self.our_bytes / self.peer_bytes
        mark = "ok  " if ratio <= self.allowed else "MUCH"
        sizes = f"{self.our_bytes / 1e6:10.2f} MB {self.peer_bytes / 1e6:10.2f} MB"
        names = f"{self.ours:26} {self.peer:18}"
        return f"{mark} {names} {sizes} {ratio:8.2f}× (allowed {self.allowed:.2g}×) {self.remark}"


def perceptron(widths: list[int]) -> tuple[Callable[[Any], Any], Any]:
    """A loss over a random batch, and parameters to start from."""
    import jax
    import jax.numpy as jnp

    rng = np.random.default_rng(0)
    params = [
        (jnp.asarray(rng.standard_normal((m, n)) / np.sqrt(m), jnp.float32), jnp.zeros(n, jnp.float32))
        for m, n in pairwise(widths)
    ]
    inputs = jnp.asarray(rng.standard_normal((BATCH, widths[0])), jnp.float32)
    labels = jnp.asarray(rng.integers(0, widths[-1], BATCH))

    def loss(params):
        a = inputs
        for W, b in params[:-1]:
            a = jnp.tanh(a @ W + b)
        W, b = params[-1]
        return -jnp.mean(jax.nn.log_softmax(a @ W + b)[jnp.arange(BATCH), labels])

    return loss, params


def least(contestants: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """The least processor seconds of each contestant, after one call that does not count."""
    for run in contestants.values():
        run()
    seconds = dict.fromkeys(contestants, float("inf"))
    for _ in range(rounds):
        for name, run in contestants.items():
            start = process_time()
            run()
            seconds[name] = min(seconds[name], process_time() - start)
    return seconds


def memory(compiled: Any) -> tuple[int, int]:
    """Bytes of temporaries and results, without and with those of the parameters."""
    report = compiled.memory_analysis()
    working = report.temp_size_in_bytes + report.output_size_in_bytes
    return working, working + report.argument_size_in_bytes


def one_network(widths: list[int]) -> Iterator[Row | MemoryRow]:
    """Modified fields, and the field observed from steps, of one perceptron."""
    import jax
    import optax

    from bea import nets

    loss, params = perceptron(widths)
    size = sum(leaf.size for leaf in jax.tree.leaves(params))
    functions = {"gradient": jax.grad(loss)}
    for order in (1, 2, 3):
        field = nets.modified_field(loss, order=order)
        functions[f"field through h^{order}"] = lambda p, field=field: field(p, H)
    compiled = {name: jax.jit(function).lower(params).compile() for name, function in functions.items()}
    step = jax.jit(lambda p: jax.tree.map(lambda x, g: x - H * g, p, jax.grad(loss)(p)))

    def steps(count: int) -> Any:
        x = params
        for _ in range(count):
            x = step(x)
        return jax.block_until_ready(x)

    contestants = {name: lambda run=run: jax.block_until_ready(run(params)) for name, run in compiled.items()}
    contestants["observed, 3 terms"] = lambda: jax.block_until_ready(
        nets.observed_field(optax.sgd, loss, params, H, 3)
    )
    contestants["4 steps"] = lambda: steps(4)
    seconds = least(contestants, 15)
    remark = f"{'–'.join(map(str, widths))}, {size} parameters"
    for order, wanted in ((1, 1 / 5), (2, 1 / 10), (3, 1 / 40)):
        name = f"field through h^{order}"
        yield Row(name, "gradient", seconds[name], seconds["gradient"], wanted, remark)
    yield Row("observed, 3 terms", "4 steps", seconds["observed, 3 terms"], seconds["4 steps"], 1, remark)
    (own, whole), (of_one, whole_of_one) = (
        memory(compiled[name]) for name in ("field through h^2", "gradient")
    )
    extra = f"{remark}; {own / of_one:.2f}× without the parameters"
    yield MemoryRow("field through h^2", "gradient", whole, whole_of_one, 4, extra)


def networks() -> Iterator[Row | MemoryRow]:
    """Perceptrons of about 10⁵ and 10⁶ parameters."""
    if not installed("jax") or not installed("optax"):
        return
    for widths in WIDTHS:
        yield from one_network(widths)


SECTION = (networks,)
