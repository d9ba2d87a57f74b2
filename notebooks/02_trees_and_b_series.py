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
# # From a tableau to a modified equation: trees and B-series
#
# The first notebook derived the modified equation of one method for one loss. This one derives it for
# **all** fields at once. The price is a little botany: every derivative of $\dot y = f(y)$ is a sum over
# rooted trees, and so is one step of any Runge–Kutta method [1].
#
# Put your own method in the next cell. Its tableau is all that is needed; exact numbers stay exact.

# %%
import sympy
from matplotlib import pyplot as plt

import bea
from bea.modified import elementary_differential, evaluate_series, modified_loss_of_series
from bea.schemes import RK4, ExplicitEuler, Gauss, RungeKutta, SecondOrder
from bea.series import FlowSeries, RootedTree, bseries, count_trees

method = RungeKutta([[0, 0], ["2/3", 0]], ["1/4", "3/4"], name="my method")
method

# %% [markdown]
# ## Trees
#
# A vertex with $m$ children stands for the $m$-th derivative of $f$, applied to what its children stand
# for. A tree is written by the levels of its vertices, the root being at level 1:

# %%
tree = RootedTree([1, 2, 3, 2])
figure, panel = plt.subplots(figsize=(1.6, 1.9))
bea.plots.rooted_tree(tree, ax=panel)
print(f"{tree}   order {tree.order}   σ = {tree.symmetry}   γ = {tree.density}")

# %% [markdown]
# This one is $F(\tau) = f''(f'f, f)$. The symmetry $\sigma$ counts automorphisms, the density $\gamma$ is
# the product of the sizes of all branches. For a given field $F(\tau)$ can be written out:

# %%
pendulum = bea.VectorField(["p", "-sin(q)"], variables="q p")
elementary_differential(tree, pendulum)

# %% [markdown]
# All trees up to order 5, and how fast their number grows:

# %%
table = bea.plots.tree_table(5)
[count_trees(n) for n in range(1, 13)]

# %% [markdown]
# ## A method is a series, and so is its modified equation
#
# One step of a method is a B-series,
#
# $$y_1 = y + \sum_\tau \frac{h^{|\tau|}}{\sigma(\tau)}\, a(\tau)\, F(\tau)(y),$$
#
# and the exact solution is the one with $a(\tau) = 1/\gamma(\tau)$. Comparing the two gives the order of
# the method and its error constants:

# %%
step = bseries(method, order=5)
print("order", step.order_of_accuracy())
step.error_constants()

# %% [markdown]
# Such series can be composed, `s @ t` being the step `s` followed by the step `t`, and they form a group.
# The modified equation is the field whose exact flow is the method. In the group it is the logarithm:

# %%
modified = step.log()
assert modified.exp() == step
assert step @ step.inverse() == FlowSeries.identity(order=5)
table = bea.plots.tree_table(4, series=modified)

# %% [markdown]
# The coefficients are exact. For Euler's method they are old acquaintances: $1, -\frac12, \frac13, \dots$
# at the tall trees, the coefficients of $\log(1 + x)$, and the Bernoulli numbers at the bushy ones.

# %%
euler = bseries(ExplicitEuler(), order=10).log()
tall = [euler[RootedTree(range(1, n + 1))] for n in range(1, 11)]
bushy = [euler[RootedTree([1] + [2] * (n - 1))] for n in range(1, 11)]
assert bushy == [sympy.bernoulli(n, 0) for n in range(10)]
print("tall ", *tall)
print("bushy", *bushy)

# %% [markdown]
# Put in a field, and the series becomes an equation. The other way to it, by Lie series and without any
# tree, gives the same:

# %%
equation = evaluate_series(modified.truncate(3), pendulum)
assert equation.terms[2] == bea.modified_equation(pendulum, method, order=2).terms[2]
equation

# %% [markdown]
# ## What is the modified field for every system?
#
# Write $u \circ v$ for the tree in which the root of $v$ becomes a child of the root of $u$. The trees
# $u \circ v$ and $v \circ u$ are one tree with its root at either end of an edge, and that is all that
# matters:
#
# - if always $b(u \circ v) = b(v \circ u)$, the modified field of every gradient system is a gradient;
# - if always $b(u \circ v) = -b(v \circ u)$, the modified field of every Hamiltonian system is Hamiltonian;
# - a third condition, also on trees without a root, decides whether energy is kept [2].
#
# Through which power of $h$ does each of them hold, up to $h^7$?

# %%
methods = {scheme.name: bseries(scheme, order=8) for scheme in (ExplicitEuler(), method, RK4(), Gauss(2))}
methods["average vector field"] = FlowSeries.average_vector_field(order=8)
structures = ("gradient", "symplectic", "energy-preserving")
print(f"{'':22}", *(f"{structure:>18}" for structure in structures))
for name, flow in methods.items():
    powers = (flow.log().structure_order(structure) - 1 for structure in structures)
    print(f"{name:22}", *(f"{'h^' + str(power):>18}" for power in powers))

# %% [markdown]
# A method of order $p$ has all three through $h^{p-1}$, as there is no correction before $h^p$. What counts
# is what comes beyond.
#
# ### From a tableau to a modified loss
#
# Where the field is a gradient, there is a modified loss $\tilde E = E + h E_1 + h^2 E_2 + \dots$, and it
# needs no integral: each free tree, a tree without a root, contributes one term. Three lines from a tableau:

# %%
loss = bea.Loss("(1 - a**2 * b)**2 / 2", variables="a b")

series = bseries(ExplicitEuler(), order=6).log()
highest = series.structure_order("gradient") - 1
terms = [modified_loss_of_series(series, loss, k) for k in range(highest + 1)]

print(f"The modified field is a gradient for every loss through h^{highest}.")
sympy.Matrix([sympy.factor(term) for term in terms])

# %% [markdown]
# This is $E$ and $\frac14 \lVert\nabla E\rVert^2$, the regularizer of gradient descent.
#
# ## Designing a method
#
# Tableaus may hold symbols. All explicit methods of two stages and order 2 form a family with one parameter
# $\alpha$, and their modified equation is one series in $\alpha$:

# %%
family = bseries(SecondOrder(), order=4).log()
table = bea.plots.tree_table(4, series=family)

# %% [markdown]
# At order 3 the two trees are rootings of one free tree, so the term of $h^2$ is a gradient for every loss
# if their coefficients agree:

# %%
path, fork = RootedTree([1, 2, 3]), RootedTree([1, 2, 2])
assert path.free_tree == fork.free_tree
sympy.solve(family[path] - family[fork])

# %% [markdown]
# None of the methods with a name in this family is this one: the midpoint rule has $\alpha = \frac12$,
# Ralston's method $\frac23$, Heun's $1$. With $\alpha = \frac13$, and only then, every loss has a modified
# loss through $h^2$. Its new term is

# %%
designed = bseries(SecondOrder("1/3"), order=4).log()
sympy.factor(modified_loss_of_series(designed, loss, 2))

# %% [markdown]
# The decomposition of the first notebook, which looks at this one loss and at no tree, agrees, and finds
# no loss for the other three:

# %%
for alpha in ("1/3", "1/2", "2/3", "1"):
    exact = bea.modified_equation(loss, SecondOrder(alpha), order=2).loss.is_exact(2)
    print(f"α = {alpha:5} the term of h² is {'a gradient' if exact else 'no gradient'}")

# %% [markdown]
# How far does it go? At $h^3$ the design ends; further stages would be needed.

# %%
designed.structure_order("gradient") - 1

# %% [markdown]
# The claims of this notebook, and more of their kind, have a check of their own:

# %%
bea.verify("bseries", quick=True)

# %% [markdown]
# ## References
#
# 1. E. Hairer, C. Lubich, G. Wanner, *Geometric Numerical Integration*, 2nd ed., Springer 2006, chapters III
#    and IX.
# 2. E. Celledoni, R. I. McLachlan, B. Owren, G. R. W. Quispel, "Energy-preserving integrators and the
#    structure of B-series", Foundations of Computational Mathematics 10, 2010.
