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
# # One loss, six ways to inject noise, two time scales
#
# A loss with more weights than data vanishes on a whole surface $\Gamma$. Gradient descent stops where it
# meets $\Gamma$. With noise it does not stop: every step draws $\eta$ anew, of mean 0 and variance
# $\sigma^2$, and goes
#
# $$w \leftarrow w - \alpha\,\nabla_w \hat L(w, \eta), \qquad \hat L(w, 0) = L(w).$$
#
# As $\alpha$ and $\sigma$ become small, one of three things happens. In some $1/(\alpha\sigma^2)$ steps the
# weights follow a flow on $\Gamma$; or only in some $1/(\alpha^2\sigma^2)$ steps they move, by a diffusion on
# $\Gamma$; or they rest [1]. Which it is depends on how the noise gets in. Here one loss goes through six
# ways.

# %%
import numpy as np
import sympy
from IPython.display import HTML, Markdown
from matplotlib import pyplot as plt
from scipy.stats import ks_2samp

import bea
from bea import noise
from bea.systems.expressions import read_expression

surface = bea.ZeroLossSet(["a*b + c - 1"], variables="a b c")
data = [("1/5", "1/5"), ("7/5", "7/5")]
residuals = [f"{x}*(a*b + c) - {y}" for x, y in data]
loss = bea.Loss(" + ".join(f"({r})**2/4" for r in residuals), variables="a b c", zero_loss_set=surface)
loss

# %% [markdown]
# The model is $f(x) = (ab + c)\,x$, a product beside a single weight, with two data on the line $y = x$. Both
# are fitted where $ab + c = 1$. That is $\Gamma$.
#
# ## Six ways
#
# DropConnect multiplies every weight by $1 + \eta_i$, with normal $\eta_i$ or such that weights are dropped.
# Anti-correlated descent looks at the gradient at $w + \eta$. Label noise moves the labels, minibatches take
# one of the two data in each step, and Langevin dynamics adds noise to the gradient.

# %%
ways = {
    "DropConnect, normal": noise.dropconnect(loss),
    "DropConnect, dropping": noise.dropconnect(loss, noise.Bernoulli()),
    "anti-correlated": noise.anti_pgd(loss),
    "label noise": noise.label_noise(loss),
    "minibatches": noise.minibatch([f"({r})**2/2" for r in residuals], 1, False, "a b c", surface),
    "Langevin": noise.sgld(loss),
}
ways["DropConnect, normal"]

# %% [markdown]
# `bea.limit` takes such a loss and finds out what happens. What counts is the regularizer
# $\mathrm{Reg} = \frac12 \Delta_\eta \hat L$ along $\Gamma$, and whether the noise in the gradient vanishes
# there. In the table $c = 1 - ab$ has been put in.

# %%
on_surface = {sympy.Symbol("c"): 1 - sympy.Symbol("a") * sympy.Symbol("b")}


def described(noisy_losses):
    """A table of limits."""
    rows = ["| noise | Reg on Γ | limit | steps for one unit of time |", "|---|---|---|---|"]
    for name, noisy in noisy_losses.items():
        found = bea.limit(noisy)
        regularizer = sympy.latex(sympy.expand(found.regularizer.xreplace(on_surface)))
        scale = f"${sympy.latex(read_expression(found.time_scale))}$" if found.time_scale else "none"
        rows.append(f"| {name} | ${regularizer}$ | {found.kind} | {scale} |")
    return Markdown("\n".join(rows))


limits = {name: bea.limit(noisy) for name, noisy in ways.items()}
described(ways)

# %% [markdown]
# Three kinds move on the fast one of the two scales, along $\dot W = -P\,\nabla\mathrm{Reg}(W)$ with the
# projection $P$ onto the tangent plane. Two are *degenerate*: Reg is constant on $\Gamma$, and things move on
# the slow scale only. Minibatches are *trivial*: where all data are fitted, each minibatch is fitted, too.
#
# For label noise the slow motion is a flow again, $-\frac{c}{4} P\,\nabla\,\mathrm{tr}\,H$ with the Hessian
# $H$ [2, 3]. Here is $c$, and the flow:

# %%
print("c =", limits["label noise"].label_factor)
limits["label noise"].field

# %% [markdown]
# ## First to the surface
#
# Off $\Gamma$ the loss itself pulls. In $O(1/\alpha)$ steps, far fewer than the two scales have, the weights
# come to where the gradient flow ends. After that they begin to creep.

# %%
away = [2.0, -1.5, 1.0]
begin = bea.flow_limit(loss, away).x
alpha = 0.02
for steps in (0, round(0.5 / alpha), round(2 / alpha), round(8 / alpha)):
    run = bea.ensemble(ways["DropConnect, normal"], away, alpha, steps, replicas=500, sigma=0.05)
    gap = np.linalg.norm(run.mean - begin)
    print(f"{steps:4d} steps: mean {run.mean.round(3)}, {gap:.3f} from the end of the flow")

# %% [markdown]
# ## Then along it
#
# One of the limits is random, that of Langevin noise. It is Katzenberger's diffusion [4]: Brownian motion on
# $\Gamma$ with a drift to where the walls of the valley are less steep. Their steepness is $1 + a^2 + b^2$,
# and the drift along $\Gamma$ should be $-\frac14 P\,\nabla\log(1 + a^2 + b^2)$. What `bea.limit` found is
# the same:

# %%
a, b = sympy.symbols("a b")
log_steepness = sympy.log(1 + a**2 + b**2)
to_gentle_walls = bea.VectorField([-log_steepness.diff(a) / 4, -log_steepness.diff(b) / 4, 0], "a b c")
difference = limits["Langevin"].drift(begin) - to_gentle_walls(begin)
print("difference along Γ:", np.abs(surface.tangent_projection(begin) @ difference).max())

# %% [markdown]
# Now all six run for one unit of their time, with $\alpha = \sigma^2 = \varepsilon$. Beside each is its
# limit, integrated on $\Gamma$; for Langevin noise that is the mean of 4000 paths. To first order the mean of
# an ensemble is off the limit by a multiple of $\varepsilon$. Twice the mean for $\varepsilon = 0.02$ minus
# that for $0.04$ should therefore be nearer.


# %%
def descend(name, size, time, replicas, start=begin, **more):
    """An ensemble with α = σ² = size, for so much time of its limit."""
    power = 2 if limits[name].kind == "degenerate" else 1
    sigma = None if name == "minibatches" else size**0.5
    return bea.ensemble(ways[name], start, size, round(time / size ** (power + 1)), replicas, sigma, **more)


def diffusion_paths(time, steps, replicas, drift=to_gentle_walls, **more):
    """Random paths of the limit of Langevin noise."""
    return bea.constrained_paths(drift, sympy.eye(3), surface, begin, time / steps, steps, replicas, **more)


rows = ["| noise | limit | mean, ε = 0.04 | mean, ε = 0.02 | extrapolated | standard error |"]
rows.append("|---|---|---|---|---|---|")
for name, found in limits.items():
    coarse, fine = descend(name, 0.04, 1.0, 500), descend(name, 0.02, 1.0, 500)
    if name == "Langevin":
        limit = diffusion_paths(1.0, 50, 4000).mean
    else:
        limit = bea.constrained_flow(found.drift, surface, begin, (0.0, 1.0)).x[-1]
    errors = [np.sqrt(np.diag(run.covariance) / 500) for run in (coarse, fine)]
    error = np.hypot(errors[0], 2 * errors[1]).max()
    points = [limit, coarse.mean, fine.mean, 2 * fine.mean - coarse.mean]
    shown = [f"({', '.join(f'{v:.3f}' for v in point)})" for point in points]
    rows.append(f"| {name} | {' | '.join(shown)} | {error:.3f} |")
Markdown("\n".join(rows))

# %% [markdown]
# ## What it looks like
#
# The same start, four ways on the same surface. Colours are times. DropConnect, of both kinds, goes to where
# $ab = \frac13$. Anti-correlated descent and label noise go to where the trace of the Hessian,
# $a^2 + b^2 + 1$, is least. Langevin noise goes everywhere; four paths of its limit are drawn.

# %%
settings = {
    "DropConnect, normal": (0.03, 2.0),
    "anti-correlated": (0.03, 1.5),
    "label noise": (0.06, 6.0),
    "Langevin": (0.03, 0.05),
}
window = {"xlim": (0.2, 2.1), "ylim": (-0.9, 0.6), "zlim": (0.5, 2.0)}
space = {"subplot_kw": {"projection": "3d"}, "layout": "constrained"}
figure, panels = plt.subplots(2, 2, figsize=(10.4, 8.6), **space)
for panel, (name, (size, time)) in zip(panels.flat, settings.items(), strict=True):
    found = limits[name]
    steps = round(time / size ** (3 if found.kind == "degenerate" else 2))
    run = descend(name, size, time, 200, record_every=max(1, steps // 100), record_replicas=range(200))
    if name == "Langevin":
        path = diffusion_paths(time, 100, 4, record_every=1, record_replicas=range(4))
    else:
        path = bea.constrained_flow(found.drift, surface, begin, (0.0, time))
    bea.plots.noise_cloud(found, run, path, **window, ax=panel)
    panel.view_init(elev=32, azim=-55)
    panel.set_title(name)

# %% [markdown]
# ## Two clocks
#
# Which scale is the right one shows when the steps of several $(\alpha, \sigma)$ are counted in both units.
# For DropConnect the curves come together on the left:

# %%
name = "DropConnect, normal"
runs = [
    bea.ensemble(
        ways[name], begin, alpha, round(1.5 / (alpha * sigma**2)), 600, sigma,
        record_every=round(0.02 / (alpha * sigma**2)), statistics={"product": "a*b"},
    )
    for alpha, sigma in ((0.02, 0.2), (0.04, 0.2), (0.08, 0.2), (0.04, 0.1))
]  # fmt: skip
flow = bea.constrained_flow(limits[name].drift, surface, begin, (0.0, 1.5), t_eval=np.linspace(0, 1.5, 100))
product = flow.x[:, 0] * flow.x[:, 1]
_ = bea.plots.noise_clocks(limits[name], runs, "product", (flow.t, product), label="mean of $ab$")

# %% [markdown]
# and for label noise on the right:

# %%
name = "label noise"
runs = [
    bea.ensemble(
        ways[name], begin, alpha, round(6 / (alpha * sigma) ** 2), 200, sigma,
        record_every=round(0.1 / (alpha * sigma) ** 2), statistics={"trace": "a**2 + b**2 + 1"},
    )
    for alpha, sigma in ((0.03, 0.3), (0.06, 0.3), (0.12, 0.3), (0.06, 0.6))
]  # fmt: skip
slow = bea.constrained_flow(limits[name].drift, surface, begin, (0.0, 6.0), t_eval=np.linspace(0, 6, 100))
trace = (slow.x**2)[:, :2].sum(axis=1) + 1
_ = bea.plots.noise_clocks(limits[name], runs, "trace", (slow.t, trace), label=r"mean of $\mathrm{tr}\,H$")

# %% [markdown]
# Anti-correlated descent takes the same way as label noise, at another pace: its flow is
# $-\frac12 P\,\nabla\,\mathrm{tr}\,H$, four times as fast, and the unit of its time is shorter by the factor
# $\alpha$ [5].

# %%
fast = bea.constrained_flow(limits["anti-correlated"].drift, surface, begin, (0.0, 1.5), t_eval=slow.t / 4)
print("largest distance of the two flows, with times 4 : 1:", np.abs(fast.x - slow.x).max())

# %% [markdown]
# ## A random limit
#
# Under Langevin noise not only the means must agree, but the laws. The test of Kolmogorov and Smirnov
# compares $a$ and $b$ of an ensemble with those of paths of the diffusion. The diffusion without its drift
# along $\Gamma$ has another law of $a$.

# %%
run = descend("Langevin", 0.02, 0.5, 4000)
for label, drift in (("with the drift", to_gentle_walls), ("without it", None)):
    paths = diffusion_paths(0.5, 25, 4000, drift, rng=1)
    p = [ks_2samp(run.final[:, i], paths.final[:, i]).pvalue for i in (0, 1)]
    print(f"{label}: p = {p[0]:.2g} for a, {p[1]:.2g} for b")

# %% [markdown]
# ## Nothing moves
#
# Once minibatches have come to $\Gamma$, they rest on every scale.

# %%
arrived = bea.ensemble(ways["minibatches"], away, 0.05, 2000, replicas=100).final
later = bea.ensemble(ways["minibatches"], arrived, 0.05, 10_000, replicas=100).final
print("spread of 100 replicas that have come to Γ:", np.ptp(arrived, axis=0).max())
print("largest motion in 10 000 further steps:    ", np.abs(later - arrived).max())

# %% [markdown]
# Other ways to rest are found by algebra, too. Noise on the inputs has a regularizer, but here it is constant
# on $\Gamma$. Dropping the node $ab$ has one that is not. And without the weight $c$ even DropConnect has
# nothing to choose from.


# %%
def on_the_surface(noisy):
    """The noisy loss with Γ, since its two residuals are multiples of one another."""
    return bea.NoisyLoss(noisy.expression, noisy.variables, noisy.noise, noisy.law, zero_loss_set=surface)


labels = [y for _, y in data]
nodes = noise.dropout([f"{x}*(n*a*b + c)" for x, _ in data], labels, "a b c", nodes="n")
inputs = noise.input_noise("(a*b + c)*x", "x", [[0.2], [1.4]], labels, "a b c")
alone = bea.Loss("(a*b - 1)**2/2", variables="a b")
others = {
    "inputs": on_the_surface(inputs),
    "the node ab": on_the_surface(nodes),
    "DropConnect without c": noise.dropconnect(alone),
}
described(others)

# %% [markdown]
# *Uncovered* says that Reg is constant on $\Gamma$, but that the noise enters the gradient not only linearly.
# Then nothing moves on the scale $1/(\alpha\sigma^2)$, and no published theorem speaks about longer ones. But
# in $O(1/\alpha)$ steps the mean comes to sit beside $\Gamma$, to leading order at
# $-\sigma^2 H^+\nabla\mathrm{Reg}$. In units of $\sigma^2$:

# %%
for name, start in (("inputs", begin), ("DropConnect without c", np.array([2.0, 0.5]))):
    run = bea.ensemble(others[name], start, 0.004, 500, replicas=20_000, sigma=0.05)
    offset, error = (run.mean - start) / 0.05**2, np.sqrt(np.diag(run.covariance) / 20_000) / 0.05**2
    predicted = bea.limit(others[name]).offset(start)
    print(f"{name:23} {offset.round(3)} ± {error.max():.3f}, predicted {predicted.round(3)}")

# %% [markdown]
# In the plane of $a$ and $b$ the zero-loss set is the hyperbola $ab = 1$. DropConnect runs for the time
# $1/(\alpha\sigma^2)$ and stays, up to $O(\alpha + \sigma^2)$. Label noise runs for
# $1/(\alpha^2\sigma^2)$ and goes far.

# %%
start, size = [2.0, 0.5], 0.02
figure, panels = plt.subplots(1, 2, figsize=(10.0, 3.9), layout="constrained")
injected = {"DropConnect": (noise.dropconnect(alone), 2), "label noise": (noise.label_noise(alone), 3)}
for panel, (name, (noisy, power)) in zip(panels, injected.items(), strict=True):
    found, steps = bea.limit(noisy), round(1 / size**power)
    run = bea.ensemble(
        noisy, start, size, steps, 300, size**0.5, record_every=steps // 100, record_replicas=range(150)
    )
    still = found.kind == "uncovered"
    path = () if still else bea.constrained_flow(found.drift, found.zero_loss_set, start, (0.0, 1.0))
    bea.plots.noise_cloud(found, run, path, xlim=(0.6, 2.4), ylim=(0.2, 1.5), ax=panel)
    panel.set_title(f"{name}, {steps} steps")

# %% [markdown]
# ## In motion
#
# Anti-correlated descent from off the surface: the cloud falls onto $\Gamma$ at once and then creeps along
# it. The dashed line is the limit. Press play.

# %%
name, size, time = "anti-correlated", 0.03, 1.5
found = limits[name]
run = descend(name, size, time, 400, away, record_every=10, record_replicas=range(150))
path = bea.constrained_flow(found.drift, surface, begin, (0.0, time))
window = {"xlim": (0.2, 2.1), "ylim": (-1.6, 0.2), "zlim": (0.8, 1.9)}
film = bea.plots.noise_animation(found, run, path, frames=20, **window)
plt.close()
HTML(film.to_jshtml(default_mode="once"))

# %% [markdown]
# The theorem behind this notebook has a check of its own, with exponents of both scales, intervals and
# controls: `bea.verify("noise")`.
#
# ## References
#
# 1. A. Shalova, A. Schlichting, M. Peletier, "Singular-limit analysis of gradient descent with noise
#    injection", 2024.
# 2. G. Blanc, N. Gupta, G. Valiant, P. Valiant, "Implicit regularization for deep neural networks driven by
#    an Ornstein–Uhlenbeck like process", Conference on Learning Theory, 2020.
# 3. A. Damian, T. Ma, J. D. Lee, "Label noise SGD provably prefers flat global minimizers", Advances in
#    Neural Information Processing Systems, 2021.
# 4. G. S. Katzenberger, "Solutions of a stochastic differential equation forced onto a manifold by a large
#    drift", Annals of Probability 19, 1991.
# 5. A. Orvieto, H. Kersting, F. Proske, F. Bach, A. Lucchi, "Anticorrelated noise injection for improved
#    generalization", International Conference on Machine Learning, 2022.
