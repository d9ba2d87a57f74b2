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
# # What momentum and Adam remember, and what they follow
#
# An optimiser with a memory (a velocity, running means) is a map of more than the weights: it takes
# $(x, m)$ to $(x', m')$. Yet after a short *transient* the memory has forgotten how it began and is a
# function of where the weights are, $m = S_h(x)$. On this *slow manifold* the optimiser is a map of $x$
# alone, and follows a differential equation like any other method:
#
# $$\dot x = f_0(x) + h f_1(x) + h^2 f_2(x) + \dots$$
#
# This notebook derives it for the heavy ball, Nesterov's momentum and Adam, and for an optimiser that is
# written on the spot. Put your own loss in the next cell.

# %%
from dataclasses import dataclass

import numpy as np
import sympy
from matplotlib import pyplot as plt

import bea
from bea.schemes.parametric import ParametricScheme, constant

loss = bea.Loss("(3/5 - a*b)**2 / 2", variables="a b")
start = [1.2, 0.7]
loss

# %% [markdown]
# ## Momentum
#
# The heavy ball is $v \mapsto \beta v - h\nabla E(x)$, $x \mapsto x + v$. Constants that are not given
# stay symbols, so the formula comes out for every $\beta$:

# %%
heavy_ball = bea.modified_equation(loss, bea.HeavyBall(), order=1)
heavy_ball

# %% [markdown]
# The correction is the gradient of a multiple of $\lVert\nabla E\rVert^2$. Which multiple? For the heavy
# ball $(1+\beta)/(4(1-\beta)^3)$ [1], for Nesterov's method another one:

# %%
squared_gradient = loss.gradient.dot(loss.gradient)
for scheme in (bea.HeavyBall(), bea.Nesterov()):
    first = bea.modified_equation(loss, scheme, order=1).loss.terms[1]
    print(f"{scheme.name:<12}", sympy.factor(first / squared_gradient))

# %% [markdown]
# What is remembered on the slow manifold is part of the answer: at $h = 0$ the velocity is that of a body
# in a thick fluid, $-\nabla E/(1-\beta)$ (in units of $h$). The rest are corrections for the way it has
# come.

# %%
half = sympy.Rational(1, 2)
equation = bea.modified_equation(loss, bea.HeavyBall(half), order=3)
sympy.Matrix(equation.memory.terms[0]).applyfunc(sympy.factor)

# %% [markdown]
# ### The transient
#
# Training begins with zero velocity, off the slow manifold. The first steps are too short; from then on
# the iterates follow a flow that seems to have started a little earlier, at
# $x_0 + \frac{h\beta}{(1-\beta)^2}\nabla E(x_0)$. Started with the velocity that belongs to $x_0$, they
# follow the flow from $x_0$ itself.

# %%
h, steps = 0.005, 24
scheme = bea.HeavyBall(half)
equation = bea.modified_equation(loss, scheme, order=7)
step = bea.StepMap(loss, scheme, step_size=h)
shifted = start - h * 0.5 / (1 - 0.5) ** 2 * loss.field(start)

figure, (position, distance) = plt.subplots(1, 2, figsize=(9.6, 4.0), layout="constrained")
t = h * np.arange(steps)
beginnings = (
    ("from zero velocity", np.zeros(2), shifted),
    ("on the slow manifold", equation.memory(start, h=h), start),
)
for k, (label, memory, origin) in enumerate(beginnings):
    x, path, gaps = np.array(start), [], []
    for _ in range(steps):
        path.append(x)
        gaps.append(np.linalg.norm(memory - equation.memory(x, h=h)))
        x, memory = step(x, memory)
    flow = bea.flow(equation.field(), origin, (0, t[-1]), parameters={"h": h}, t_eval=t).y
    position.plot(t, flow[1], color=f"C{k}", label=f"flow from {'the shifted start' if k == 0 else '$x_0$'}")
    position.plot(t, np.array(path)[:, 1], "os"[k], color=f"C{k}", markersize=4, label=label)
    if k == 0:
        distance.semilogy(gaps, "o", color="C0", markersize=4, label=label)
        distance.semilogy(gaps[0] * 0.5 ** np.arange(steps), "k:", label=r"$\beta^n$")
position.set(xlabel="time $nh$", ylabel="$b$", title="the first steps")
distance.set(xlabel="step $n$", ylabel="distance to the slow manifold", title="the memory forgets its start")
position.legend()
_ = distance.legend()
# %% [markdown]
# ### Slopes
#
# On the slow manifold the error after one step falls like $h^{k+2}$ when the terms through $h^k$ are
# kept. `bea.slope` starts there by itself.

# %%
slopes = [bea.slope(loss, scheme, start, order=k, bits=200) for k in range(4)]
bea.plots.error_against_step(slopes)
slopes

# %% [markdown]
# ### What momentum regularises
#
# At the same effective step size $h/(1-\beta)$ all momenta take equally long. The larger $\beta$, the
# farther the end on the zero-loss set $ab = 3/5$ is drawn to flat points, where $a^2 + b^2$ is small:

# %%
far, effective = [1.5, 2.0], 0.004
for beta in (0, sympy.Rational(1, 4), half, sympy.Rational(3, 4)):
    ball = bea.HeavyBall(beta)
    size = effective * float(1 - beta)
    memory = bea.modified_equation(loss, ball, order=4).memory(far, h=size)
    end = bea.iterate(loss, ball, far, size, steps=round(25 / size), memory=memory).x[-1]
    print(f"beta = {beta!s:<4} a² + b² = {end @ end:.5f}")

# %% [markdown]
# ## Adam
#
# Adam divides a running mean of the gradient by the root of a running mean of its square. On one weight
# with $E = x^2/2$ its equation can be read at a glance:

# %%
line = bea.Loss("x**2 / 2", variables="x")
adam = bea.modified_equation(line, bea.Adam(), order=1)
adam.terms[0]

# %%
x, eps, beta1, beta2 = sympy.symbols("x eps beta1 beta2")
bracket = sympy.factor(sympy.simplify(-2 * adam.terms[1][0] * (x**2 + eps) / x))
bracket

# %% [markdown]
# This is the factor of a penalty on the (perturbed) 1-norm of the gradient [2]. It may be negative: then
# Adam *rewards* large gradients. That happens for $\beta_2 > \beta_1$ where $g^2$ is large beside
# $\varepsilon$; close to a minimum, or for a large $\varepsilon$, it acts like momentum.

# %%
values = {beta1: sympy.Rational(9, 10), beta2: sympy.Rational(999, 1000)}
ratio = sympy.Symbol("r", positive=True)
practical = bracket.subs(values).subs(eps, ratio * x**2)
(zero,) = sympy.solve(sympy.simplify(practical), ratio)
print("with β₁ = 0.9, β₂ = 0.999 the sign changes at ε/g² =", zero)

# %%
figure, ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
grid = np.geomspace(1e-2, 1e5, 300)
for pair in ((0.5, 0.75), (0.9, 0.99), (0.9, 0.999)):
    curve = sympy.lambdify(eps, bracket.subs({beta1: pair[0], beta2: pair[1], x: 1}))(grid)
    ax.semilogx(grid, curve, label=rf"$\beta_1 = {pair[0]}$, $\beta_2 = {pair[1]}$")
ax.axhline(0, color="0.5", linewidth=0.8)
ax.set_yscale("symlog", linthresh=10)
ax.set(xlabel=r"$\varepsilon/g^2$", ylabel="strength of the penalty")
ax.legend()
# %% [markdown]
# The slopes confirm the equation, here in two variables and through $h^2$:

# %%
[bea.slope(loss, bea.Adam("1/2", "3/4", "1/2"), start, order=k, bits=200) for k in range(3)]

# %% [markdown]
# ## An optimiser of your own
#
# A scheme is its update rule. This one averages gradients that are cut to length:


# %%
@dataclass(frozen=True)
class AveragedGradient(ParametricScheme):
    """The running mean of the gradient, shortened to less than 1."""

    decay: object = constant("c")
    name, vectors = "averaged-gradient", 1

    def update(self, field, x, memory, h, arithmetic):
        """m ↦ cm + (1 − c) f/√(1 + ‖f‖²), x ↦ x + hm."""
        c, f = arithmetic.number(self.decay), field(x)
        scale = arithmetic.power(sum((v * v for v in f[1:]), f[0] * f[0]) + 1, -half)
        m = [c * old + (1 - c) * (v * scale) for old, v in zip(memory[0], f, strict=True)]
        return [a + h * b for a, b in zip(x, m, strict=True)], [m]


bea.modified_equation(line, AveragedGradient(), order=1)

# %%
[bea.slope(loss, AveragedGradient("1/3"), start, order=k, bits=200) for k in range(3)]

# %% [markdown]
# The theorems behind this notebook have checks of their own: `bea.verify("momentum")` and
# `bea.verify("adam")`.
#
# ## References
#
# 1. A. Ghosh, H. Lyu, X. Zhang, R. Wang, "Implicit regularization in heavy-ball momentum accelerated
#    stochastic gradient descent", International Conference on Learning Representations, 2023.
# 2. M. D. Cattaneo, J. M. Klusowski, B. Shigida, "On the implicit bias of Adam", International Conference
#    on Machine Learning, 2024.
