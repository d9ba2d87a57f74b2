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
# # Sparse recovery by depth and early stopping
#
# Write the weights of a linear model as $w = u^N - v^N$, entry by entry, and run plain gradient descent on
# $\frac1n\lVert Xw - y\rVert^2$ from $u = v = \alpha$. Nothing asks for sparse weights, and yet, stopped
# in time, descent finds a $k$-sparse $w^*$ from far fewer measurements than weights [1]. This notebook
# shows when to stop, and what the depth $N$ and the start $\alpha$ do to it. The problems are smaller than
# the published ones; `bea.verify("sparse")` runs those.

# %%
import tempfile

import numpy as np
from matplotlib import pyplot as plt

import bea
from bea.sparse import descend, early_stopping_window, problem
from bea.theorems.sparse_experiments import head_image

data = problem(200, 600, signal=[1, 1, 1, 1, 1], noise=0.5, rng=0)
rate = bea.sparse.minimax_rate(5, data.p, data.n, noise=0.5)
data

# %% [markdown]
# ## Convergence
#
# From $\alpha^N = 10^{-6}$ the five weights on the support rise to 1 one after the other, while the other
# 595 stay small. The published plots call $\alpha^N$ the initial scale; here it is `initial_scale`.

# %%
figure, axes = plt.subplots(1, 3, figsize=(11.5, 3.2), layout="constrained")
for ax, depth, steps in zip(axes, (2, 3, 5), (300, 5000, 30_000), strict=True):
    run = descend(
        data,
        depth=depth,
        initial_scale=1e-6,
        step_size=0.2 / depth**2,
        steps=steps,
        record=500,
        spacing="linear",
    )
    bea.plots.coordinate_paths(run, data, ax=ax)
    print(f"N = {depth}: least squared error {run.l2_error.min() ** 2:.4f}, minimax rate {rate:.4f}")

# %% [markdown]
# ## The initial scale
#
# From the larger $\alpha^N = 2\cdot 10^{-3}$ two layers never come near the truth, ten do. A larger depth
# allows a larger start.

# %%
settings = {2: (0.1 / 4, 1000), 3: (0.2 / 9, 2000), 10: (0.2 / 100, 5000)}
runs = [
    descend(data, depth=depth, initial_scale=2e-3, step_size=eta, steps=steps, record=300)
    for depth, (eta, steps) in settings.items()
]
ax = bea.plots.error_path(runs)
ax.axhline(np.sqrt(rate), color="0.5", linestyle=":")
_ = ax.set_title("dotted: root of the minimax rate")

# %% [markdown]
# ## The window
#
# The window starts when every weight on the support is within 0.1 of the truth, and stops when a weight
# off it is beyond $\alpha^{N/4}$. After it, the noise is learnt.

# %%
small = problem(100, 200, signal=[1, 1, 1, 1, 1], noise=0.5, rng=2)
figure, axes = plt.subplots(1, 2, figsize=(9.6, 3.4), layout="constrained")
for ax, depth, steps in zip(axes, (2, 3), (3000, 50_000), strict=True):
    setting = {"depth": depth, "alpha": 0.005, "step_size": 0.01, "steps": steps}
    window = early_stopping_window(small.X, small.y, small.w_star, **setting)
    bea.plots.error_path(descend(small, record=300, **setting), window, ax=ax)

# %% [markdown]
# A smaller $\alpha$ widens the window, and so does a larger depth. By the growth law of the weights,
# $\dot w = 2N^2\eta B w^{2-2/N}$, its width grows like $\alpha^{-(N-2)}$ for $N > 2$ and only like
# $\log(1/\alpha)$ for $N = 2$:

# %%
windows = [
    early_stopping_window(
        small.X, small.y, small.w_star, depth=depth, alpha=alpha, step_size=0.1 / depth**2, steps=500_000
    )
    for depth, lowest, highest in ((2, 1e-6, 1e-3), (3, 0.002, 0.05), (4, 0.03, 0.1))
    for alpha in np.geomspace(lowest, highest, 7)
]
_ = bea.plots.stopping_windows(windows)

# %% [markdown]
# ## The larger first
#
# With $w^* = 1, 2, 3, 4$ on the support the weights are learnt from the largest to the smallest, the more
# in turn the deeper. The stars are where the growth law puts the first half of each weight, if its
# residual is $w^* - w$; with 200 measurements the weights also see one another.

# %%
graded = problem(200, 600, signal=[1, 2, 3, 4], noise=0.5, rng=0)
figure, axes = plt.subplots(1, 3, figsize=(11.5, 3.2), layout="constrained")
for ax, depth, steps in zip(axes, (2, 3, 5), (2500, 6000, 15_000), strict=True):
    run = descend(
        graded, depth=depth, initial_scale=1e-4, step_size=1e-3, steps=steps, record=400, spacing="linear"
    )
    bea.plots.coordinate_paths(run, graded, ax=ax)
    for target in (1, 2, 3, 4):
        w = np.geomspace(1e-4, target / 2, 2000)
        slowness = 1 / (
            (1 - w / target) * bea.sparse.growth_rate(w, residual=target, depth=depth, step_size=1e-3)
        )
        ax.plot(np.trapezoid(slowness, w), target / 2, "k*", markersize=8)

# %% [markdown]
# ## The kernel regime
#
# From a large start, $\alpha^N = 1000$, the network is a linear model in disguise: descent on it, with the
# step size $4N^2\eta\alpha^{2N-2}$, draws the lines. It finds nothing sparse.

# %%
rng = np.random.default_rng(0)
X, w_star = bea.sparse.rademacher(500, 100, rng), rng.standard_normal(100)
dense = bea.sparse.Problem(X, X @ w_star + 25 * rng.standard_normal(500), w_star)
figure, axes = plt.subplots(1, 3, figsize=(11.5, 3.2), layout="constrained")
for ax, depth, steps in zip(axes, (2, 3, 4), (5000, 300, 100), strict=True):
    setting = {"depth": depth, "initial_scale": 1e3, "step_size": 1e-7}
    run = descend(dense, steps=steps, record=25, spacing="linear", coordinates=range(5), **setting)
    ax.plot(run.t, bea.sparse.linear_path(dense, run.t, **setting)[:, :5])
    ax.set_prop_cycle(None)
    ax.plot(run.t, run.paths, "o", markersize=3)
    ax.set(xlabel="iterate", title=f"$N = {depth}$; lines: linear descent")
_ = axes[0].set_ylabel("five weights")

# %% [markdown]
# ## An image from half as many measurements
#
# The bright parts of a magnetic resonance image of a head, which comes with Matplotlib: 1024 pixels, 12 % of
# them not black, seen through 512 random sums without noise. Pixels are not negative, so $w = u^N$ will do.

# %%
image = head_image()
rng = np.random.default_rng(0)
sums = np.where(rng.random((image.size // 2, image.size)) < 0.25, 1.0, -1.0)
measured = bea.sparse.Problem(sums, sums @ image.ravel(), image.ravel())
shown = {"image": image, "least norm": np.linalg.lstsq(sums, measured.y, rcond=None)[0]}
for depth in (2, 3):
    run = descend(
        measured, depth=depth, initial_scale=1e-3, step_size=5e-3 / depth**2, steps=10_000, signed=False
    )
    shown[f"$N = {depth}$"] = run.w
figure, axes = plt.subplots(1, 4, figsize=(11.5, 3.2), layout="constrained")
for ax, (name, pixels) in zip(axes, shown.items(), strict=True):
    error = np.linalg.norm(pixels.ravel() - image.ravel()) / np.linalg.norm(image)
    title = name if name == "image" else f"{name}, error {error:.2f}"
    ax.imshow(pixels.reshape(image.shape), cmap="gray", vmin=0, vmax=1)
    ax.set(title=title, xticks=[], yticks=[])

# %% [markdown]
# ## Where it works: phase diagrams
#
# `bea.sweep` runs a function over a grid on all processors and keeps each result in a folder. Call it again
# after an interrupt, or with a larger grid, and it does only what is missing. A recovery succeeds if some
# iterate has a squared error below the minimax rate. Descent may take three times as long as a weight needs
# to grow to ½, but at most 30 000 steps, in which from a very small $\alpha$ deep networks do not leave it.


# %%
def recovery(depth, alpha, trial):
    """Whether descent from α reaches the minimax rate."""
    data = problem(80, 160, signal=np.ones(4), noise=0.5, rng=trial)
    eta = 0.1 / depth**2
    steps = 3 * bea.sparse.growth_time(alpha**depth, 0.5, residual=1, depth=depth, step_size=eta)
    steps = int(np.clip(steps, 100, 30_000))
    run = descend(data, depth=depth, alpha=alpha, step_size=eta, steps=steps, coordinates=[])
    rate = bea.sparse.minimax_rate(4, data.p, data.n, noise=0.5)
    return {"recovered": float(run.l2_error.min() ** 2 < rate)}


folder = tempfile.TemporaryDirectory()
grid = {"depth": [2, 3, 4, 5, 6], "alpha": np.geomspace(0.03, 0.9, 11), "trial": range(6)}
result = bea.sweep(recovery, {**grid, "trial": range(2)}, store=folder.name, progress=False)
result = bea.sweep(recovery, grid, store=folder.name, progress=False)
print(result)
ax = bea.plots.phase_diagram(result, "alpha", "depth", "recovered", label="share of recoveries")
_ = ax.set(xlabel=r"$\alpha$", ylabel="depth $N$")

# %% [markdown]
# How many measurements does a sparse signal need? More the more weights it has; descent of depth 3 from
# $\alpha = 0.02$, without noise:


# %%
def exact(n, k, trial):
    """Whether descent finds k of 120 weights from n sums without noise."""
    data = problem(n, 120, signal=np.ones(k), rng=trial)
    run = descend(data, depth=3, alpha=0.02, step_size=0.01, steps=6000, coordinates=[])
    return {"recovered": float(run.l2_error[-1] < 0.1 * np.sqrt(k))}


grid = {"n": range(10, 111, 10), "k": range(1, 31, 3), "trial": range(4)}
result = bea.sweep(exact, grid, store=folder.name, progress=False)
ax = bea.plots.phase_diagram(result, "n", "k", "recovered", label="share of recoveries")
_ = ax.set(xlabel="measurements $n$", ylabel="sparsity $k$")
folder.cleanup()

# %% [markdown]
# The theorem behind this notebook has a check of its own, with intervals and controls:
# `bea.verify("sparse")`.
#
# ## Reference
#
# 1. J. Li, T. V. Nguyen, C. Hegde, R. K. W. Wong, "Implicit sparse regularization: the impact of depth and
#    early stopping", Advances in Neural Information Processing Systems, 2021.
