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
# # The loss that gradient descent really descends
#
# Gradient descent with a finite step does not follow the gradient flow of its loss $E$. It follows, far
# more closely, the flow of another field, which can be written down term by term in powers of the step
# size $h$:
#
# $$\dot x = -\nabla E + h\,f_1 + h^2 f_2 + \dots$$
#
# This is backward error analysis [1]. For gradient descent the first correction is a gradient, so that to
# first order in $h$ descent follows the flow of a *modified loss* [2]:
#
# $$\tilde E = E + \frac h4\,\lVert\nabla E\rVert^2 .$$
#
# This notebook takes one loss through three steps: **derive** the modified equation, **verify** it
# against the iterates, and **see** what it changes. Put your own loss in the next cell; with two
# variables everything below runs as it stands.

# %%
import numpy as np
import sympy
from matplotlib import pyplot as plt

import bea

loss = bea.Loss("(1 - a**2 * b)**2 / 2", variables="a b")
start = [1.5, 2.0]
loss

# %% [markdown]
# The loss is a small network: weight $b$ after two layers that share the weight $a$, trained to map $1$
# to $1$. It vanishes on a whole curve, the zero-loss set $\Gamma = \{a^2 b = 1\}$. Every point of
# $\Gamma$ fits the data; the question is which of them training finds.
#
# ## Derive
#
# The step of the method is expanded in powers of $h$ and the logarithm of that map is taken, in exact
# rational arithmetic. The method may be any Runge–Kutta method: try `bea.schemes.ImplicitEuler()`.

# %%
equation = bea.modified_equation(loss, bea.GradientDescent(), order=8)
modified = equation.loss
modified.terms[1].factor()

# %% [markdown]
# That is $E_1$ in $\tilde E = E + h E_1 + h^2 E_2 + \dots$. From the regularizer of Barrett and Dherin it
# differs by

# %%
barrett_dherin = loss.gradient.dot(loss.gradient) / 4
sympy.simplify(modified.terms[1] - barrett_dherin)

# %% [markdown]
# From order $h^2$ on the correction is in general no gradient, so that no loss whatever has descent as
# its gradient flow. The field is then split, $f_k = -\nabla E_k + R_k$, into a gradient part and a
# remainder that does no work along rays from the origin, $R_k(x)\cdot x = 0$. There is one such split.
# Whether the remainder vanishes is decided exactly, not from numbers:

# %%
{f"h^{k}": modified.is_exact(k) for k in range(4)}

# %%
modified.remainder[2].applyfunc(sympy.factor)

# %% [markdown]
# The remainder is orthogonal to $(a, b)$, as promised, and it changes sign where $a^2 = 2 b^2$. The
# equation through first order, ready to paste into a paper:

# %%
bea.modified_equation(loss, bea.GradientDescent(), order=1)

# %% [markdown]
# ### Up to which step size?
#
# The series is asymptotic: in general it does not converge, and at a given point a further term improves
# the field only as long as it is smaller than the one before. That is a bound on $h$, and the smaller the
# more terms are kept. At the start, the steepest point of this path:

# %%
for terms in (1, 2, 4, 8):
    truncated = bea.modified_equation(loss, bea.GradientDescent(), order=terms)
    print(f"terms kept: {terms}   h < {truncated.step_size_limit(start):.4f}")

# %% [markdown]
# ## Verify
#
# A formula that is right to order $h^k$ must show it. The distance between one step of descent and the
# flow of the truncated field shrinks like $h^{k+2}$, and at a fixed time like $h^{k+1}$. The slopes of
# these distances are fitted with confidence intervals; where double precision is too coarse, in arbitrary
# precision (`bits`).

# %%
descent = bea.GradientDescent()
step_sizes = np.geomspace(4e-5, 5e-4, 8)
after_one_step = [bea.slope(loss, descent, start, k, step_sizes, bits=200) for k in range(4)]
at_time_one = [bea.slope(loss, descent, start, order=k, kind="global") for k in range(3)]
[*after_one_step, *at_time_one]

# %%
figure, panels = plt.subplots(1, 2, figsize=(8.4, 3.8), layout="constrained")
for panel, slopes in zip(panels, (after_one_step, at_time_one), strict=True):
    bea.plots.error_against_step(slopes, ax=panel)

# %% [markdown]
# The same field can be read off the iterates alone, from their forward differences. This route shares
# nothing with the derivation above, and it works for any optimiser that can be called.

# %%
h = 2e-4


def step(x):
    return x + h * loss.field(x)


observed = bea.observed_field(step, start, h, order=6)
derived = equation.field(5)(start, h=h)
print("observed", observed)
print("derived ", derived)

# %% [markdown]
# The theorem itself has a check of its own, on the two-parameter model of [2]. Each claim is a prediction
# beside its measurement; those named "control" replace the theorem by something false, and hold if the
# check notices.

# %%
bea.verify("igr", quick=True)

# %% [markdown]
# ## See
#
# All runs start in the same point and take the same time $h \times$ steps. They end on $\Gamma$, but not
# together: the larger the step, the farther descent ends from the gradient flow. The modified flow ends
# where descent does, up to the terms that are left out. A step beyond the bound for the first term jumps
# across $\Gamma$, which no flow can do.

# %%
overview, enlargement = bea.plots.modified_flow_figure(loss, start, step_sizes=[0.005, 0.01, 0.02, 0.05])

# %% [markdown]
# The drift has a direction. On $\Gamma$ the loss is flat along the curve and curved across it, by the
# trace of the Hessian, $4a^2b^2 + a^4$. Larger steps end in flatter points:

# %%
trace = sympy.lambdify(loss.variables, loss.hessian.trace())
print(f"gradient flow   trace {trace(*bea.flow_limit(loss, start).x):.4f}")
for h in (0.005, 0.01, 0.02):
    flow_end = bea.flow_limit(equation.field(1), start, parameters={"h": h}).x
    descent_end = bea.iterate(loss, descent, start, step_size=h, steps=2000).x[-1]
    ends = f"{trace(*flow_end):.4f} by the modified flow, {trace(*descent_end):.4f} by descent"
    print(f"h = {h:<11} trace {ends}")

# %% [markdown]
# The modified loss shows why. It adds nothing on $\Gamma$, where the gradient vanishes, and most where
# the loss is steep: it bends the way there.

# %%
with_penalty = modified.truncate(1).with_parameters(h=0.02)
figure, panels = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained")
for panel, other in zip(panels, (None, with_penalty), strict=True):
    bea.plots.loss_surface(loss, (-2, 2), (-1, 2.5), modified=other, ax=panel)

# %% [markdown]
# ## References
#
# 1. E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*, 2nd ed., Springer 2006, chapter IX.
# 2. D. G. T. Barrett, B. Dherin, "Implicit gradient regularization", International Conference on Learning
#    Representations, 2021.
