# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Implicit gradient regularization of a network
#
# Gradient descent with a finite step size does not follow the gradient flow of the loss $E$, but nearly
# that of $E + \frac{h}{4}\lVert\nabla E\rVert^2$, which prefers flat places [1]. Here `bea` is pointed at
# a network: a function that JAX can differentiate, with its parameters in a pytree. No Hessian is formed,
# and nothing depends on where JAX computes: the notebook runs on a processor or on an accelerator as it
# is.

# %%
import jax
import jax.numpy as jnp
import numpy as np
import optax
from matplotlib import pyplot as plt

import bea
from bea import nets
from bea.nets.closeness import distances
from bea.nets.data import digits
from bea.nets.experiments import sweep_regularization, sweep_step_sizes
from bea.nets.measures import classifier
from bea.nets.training import train
from bea.theorems.samples import mean_interval

images = digits(500, rng=0)
images

# %% [markdown]
# A perceptron with two hidden layers of 32 units is to tell the ten digits apart.

# %%
network = classifier((64, 32, 32, 10), objective="cross-entropy", activation="tanh")
x, y = jnp.asarray(images.x), jnp.asarray(images.y)


def loss(params):
    return network.loss(params, x, y)


params = network.model.init(rng=0)
print(f"{network.model.size} parameters, E = {loss(params):.4f}")

# %% [markdown]
# ## The modified field and the regularizer
#
# `nets.modified_field` evaluates $-\nabla E + h f_1 + h^2 f_2$ by nested Jacobian–vector products. With each
# power of $h$ comes one Hessian more, or a derivative of it, so $h$ times the sharpness says how far the
# expansion can be trusted.


# %%
def norm(tree):
    return float(jnp.sqrt(sum(jnp.vdot(leaf, leaf) for leaf in jax.tree.leaves(tree))))


field = nets.modified_field(loss, order=2)
for power, term in enumerate(field.terms(params)):
    print(f"norm of the coefficient of h^{power}: {norm(term):.4f}")
trace = nets.hessian_trace(loss, params)
print(f"R = |grad E|² / m: {nets.regularizer(loss, params):.3e}")
print(f"slope of the loss surface: {nets.slope(loss, params):.4f}")
print(f"sharpness: {nets.sharpness(loss, params).values[0]:.4f}")
print(f"trace of the Hessian: {trace.value:.2f} ± {trace.error:.2f}")

# %% [markdown]
# ## The field that an optimizer follows, observed
#
# The field of any optimizer of Optax can be estimated from its steps alone. For plain descent it must be
# the modified field. With momentum it is that of the heavy ball, about $1/(1-\beta)$ times as fast, once
# the memory has forgotten its start.

# %%
schemes = {
    "descent": (optax.sgd, bea.GradientDescent(), 0, np.geomspace(0.01, 0.1, 6)),
    "momentum 0.5": (
        lambda h: optax.sgd(h, momentum=0.5),
        bea.HeavyBall(beta="1/2"),
        40,
        np.geomspace(0.001, 0.01, 6),
    ),
}
figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.4), layout="constrained")
with jax.enable_x64(True):
    precise = jax.tree.map(lambda leaf: jnp.asarray(leaf, float), params)
    for ax, (name, (optimizer, scheme, warm_up, step_sizes)) in zip(axes, schemes.items(), strict=True):
        field = nets.modified_field(loss, scheme, order=2)
        gaps = []
        for h in step_sizes:
            gap, point = nets.observed_field(
                optimizer, loss, precise, float(h), order=4, warm_up=warm_up, return_point=True
            )
            row = []
            for power, term in enumerate(field.terms(point)):
                gap = jax.tree.map(lambda u, v, c=h**power: u - c * v, gap, term)
                row.append(norm(gap))
            gaps.append(row)
        for power, errors in enumerate(np.transpose(gaps)):
            ax.loglog(step_sizes, errors, "o-", label=f"field through $h^{power}$")
        ax.set(xlabel="step size $h$", title=name)
axes[0].set_ylabel("distance from the observed field")
_ = axes[0].legend()

# %% [markdown]
# ## Descent follows the modified flow
#
# After the physical time 1, descent is $O(h)$ away from the gradient flow, $O(h^2)$ from the flow of $E +
# \frac{h}{4}\lVert\nabla E\rVert^2$, and $O(h^3)$ from that of the next order. With the wrong sign of the
# regularizer nothing is gained.

# %%
counts = [10, 20, 40, 80]
ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")[1]
for label, style, options in (
    ("gradient flow", "C0o--", {"order": 0}),
    ("modified flow", "C1o-", {"order": 1}),
    ("two terms", "C2o-", {"order": 2}),
    ("wrong sign", "k:", {"order": 1, "reverse": True}),
):
    found = distances(counts, time=1.0, width=8, **options)
    ax.loglog(found["step_sizes"], found["distances"], style, label=label)
ax.set(xlabel="step size $h$", ylabel="distance at time 1")
ax.set_xticks([1 / n for n in counts], [f"1/{n}" for n in counts])
ax.minorticks_off()
_ = ax.legend()

# %% [markdown]
# ## Training, with what is of interest recorded
#
# `train` runs descent, its flow (by a Runge–Kutta method), or any optimizer, on all examples or on
# minibatches, for a physical time $h$ × steps. Everything is compiled, and it may train many networks at
# once.

# %%
context = (images.x, images.y, images.x_test, images.y_test)
times = np.arange(0, 41, 4)
runs = {
    "descent, $h = 0.2$": {"step_size": 0.2},
    "its flow": {"step_size": 0.2, "method": "flow"},
    "minibatches of 50": {"step_size": 0.2, "batch_size": 50, "rng": 1},
}
figure, axes = plt.subplots(1, 3, figsize=(11.5, 3.4), layout="constrained")
for name, options in runs.items():
    run = train(
        network.loss,
        params,
        (images.x, images.y),
        time=40.0,
        measures=network.measures,
        context=context,
        record=times,
        **options,
    )
    for ax, measure in zip(axes, ("loss", "trace", "test_accuracy"), strict=True):
        ax.plot(run.t, run.measures[measure], "--" if name == "its flow" else "-", label=name)
for ax, title in zip(axes, ("$E$", "trace of the Hessian", "test accuracy"), strict=True):
    ax.set(xlabel="time $h$ × steps", title=title)
axes[0].set_yscale("log")
axes[2].set_ylim(0.85, 0.97)
_ = axes[1].legend()

# %% [markdown]
# ## What the step size changes
#
# Six seeds; every run is compared with the gradient flow from the same start on the same images.
# Differences in pairs have intervals that are far smaller than the scatter between seeds. Where the loss
# first comes to 0.5, a larger step has a smaller regularizer relative to the loss and a smaller trace of the
# Hessian, nearly in proportion to $h$. An effect on the test accuracy is not seen here.

# %%
settings = {"seeds": range(6), "time": 12.0, "levels": [0.5], "options": {"progress": False}}
swept = sweep_step_sizes([0.05, 0.1, 0.2], [32], flow_step=0.2, **settings)
quantities = {"ratio": "$R/E$", "trace": "trace of the Hessian", "test_accuracy": "test accuracy"}
figure, axes = plt.subplots(1, 3, figsize=(11.5, 3.4), layout="constrained")
for ax, (name, title) in zip(axes, quantities.items(), strict=True):
    change = 100 * swept.change(name, level=0)[0]
    means, ends = zip(*map(mean_interval, change), strict=True)
    bars = [mean - low for mean, (low, _) in zip(means, ends, strict=True)]
    ax.plot(swept.values, change, "o", color="0.75", markersize=3)
    ax.errorbar(swept.values, means, bars, fmt="o-", capsize=3)
    ax.axhline(0, color="0.7", linewidth=0.8)
    ax.set(xlabel="step size $h$", title=title, xlim=(0, 0.25))
_ = axes[0].set_ylabel("change from the gradient flow (%)")

# %% [markdown]
# ## Explicit regularization
#
# The flow of $E + \mu\lVert\nabla E\rVert^2$ with $\mu = h/4$ does nearly the same as descent with $h$, while
# $h$ is below $2/$sharpness.

# %%
explicit = sweep_regularization([0.025, 0.05, 0.2], [32], flow_step=0.125, **settings)
ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")[1]
for label, style, mu, change in (
    ("descent, at $h/4$", "ks", np.array(swept.values) / 4, swept.change("trace", level=0)[0]),
    ("flow with $\\mu$", "C1o-", np.array(explicit.values), explicit.change("trace", level=0)[0]),
):
    ax.plot(mu, 100 * change.mean(axis=1), style, label=label)
ax.axhline(0, color="0.7", linewidth=0.8)
ax.set(xlabel="$\\mu$ or $h/4$", ylabel="change of the trace of the Hessian (%)")
_ = ax.legend()

# %% [markdown]
# Beyond $2/$sharpness descent oscillates, and no such flow says what it does. It comes to places that are
# flatter by far than those to which the $\mu$ that belongs to it leads:

# %%
fast = sweep_step_sizes([0.8], [32], flow_step=0.2, **settings)
print(f"2 / sharpness, where the flow comes to E = 0.5: {2 / fast.at_levels['sharpness'][0, 0].mean():.2f}")
for label, change in (("the flow with μ = 0.2", explicit), ("descent with h = 0.8", fast)):
    percent = 100 * np.expm1(change.change("trace", level=0)[0, -1].mean())
    print(f"change of the trace by {label}: {percent:.1f} %")

# %% [markdown]
# ## Where each flow breaks down
#
# On a small network, a long run comes to the edge of stability, $h$ times sharpness $= 2$. `compare_flows`
# puts all known flows beside it: the gradient flow, those with one to three terms, the principal flow, and
# the central flow, which is for the mean of the iterates. Errors after one step are over its length, those
# along the way over the way. It takes about a minute.

# %%
nodes = np.linspace(-1, 1, 12)[:, None]
tiny = nets.MLP((1, 6, 6, 1), "tanh")


def misfit(params):
    return jnp.mean((tiny.apply(params, nodes) - (4 * nodes**3 - 3 * nodes)) ** 2) / 2


with jax.enable_x64(True):
    start = tiny.init(np.random.default_rng(2))
    flows = nets.compare_flows(misfit, start, h=0.1, steps=900, points=20)
flows

# %%
_ = bea.plots.flow_comparison(flows)

# %% [markdown]
# The check of all this, with intervals, more widths, a second loss and controls, is
# `bea.verify("igr-networks")`; that of the edge is `bea.verify("edge-of-stability")`.
#
# ## Reference
#
# 1. D. G. T. Barrett, B. Dherin, "Implicit gradient regularization", International Conference on Learning
#    Representations, 2021.
