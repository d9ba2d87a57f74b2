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
# # The game that gradient descent really plays
#
# In a differentiable game every player $i$ moves its own variables $x_i$ so as to lower its own loss
# $L_i(x)$, which depends on the variables of all. In continuous time
#
# $$\dot x_i = -c_i\,\nabla_{x_i} L_i(x).$$
#
# Training plays in discrete steps: all players at once, or one after the other. Each way of playing
# follows another differential equation, and the difference decides whether training converges [1].

# %%
import math

import numpy as np
from matplotlib import pyplot as plt

import bea
from bea import catalogue
from bea.schemes import RK4, Heun

game = catalogue.bilinear_game()
game

# %% [markdown]
# ## Three ways to play
#
# In continuous time this game turns round its equilibrium for ever. Simultaneous and alternating descent
# do something else, and the modified equation through $h$ says what.

# %%
plays = {"simultaneous": bea.SimultaneousDescent(), "alternating": bea.AlternatingDescent()}
bea.modified_equation(game, plays["simultaneous"], order=1)

# %%
bea.modified_equation(game, plays["alternating"], order=1)

# %%
h, start, time = 0.2, [1.0, 0.5], 4 * math.pi
times = np.linspace(0, time, 400)
ideal = bea.flow(game.field, start, (0, time), t_eval=times)
figure, panels = plt.subplots(1, 2, figsize=(8.4, 4.3), layout="constrained")
windows = [((-4.4, 4.4), (-4.4, 5.6)), ((-1.6, 1.6), (-1.6, 2.04))]
for panel, window, (name, play) in zip(panels, windows, plays.items(), strict=True):
    steps = bea.iterate(game, play, start, step_size=h, steps=int(time / h))
    field = bea.modified_equation(game, play, order=2).field()
    modified = bea.flow(field, start, (0, time), parameters={"h": h}, t_eval=times)
    labels = ["ideal flow", "modified flow", f"{name} play"]
    bea.plots.phase_portrait(game.field, [ideal, modified, steps], *window, labels=labels, ax=panel)
    panel.set_aspect("equal")
    panel.legend(loc="upper left")

# %% [markdown]
# Simultaneous play spirals out. Alternating play stays on an ellipse: it conserves
# $x^2 + y^2 - h\,xy$ to the last digit.

# %%
steps = bea.iterate(game, plays["alternating"], start, step_size=h, steps=1000)
x, y = steps.x.T
print("spread of x² + y² − hxy:", np.ptp(x**2 + y**2 - h * x * y))
print("spread of x² + y²:      ", np.ptp(x**2 + y**2))

# %% [markdown]
# ## Whose moves are to blame?
#
# `discretization_drift` marks the field of every player by a symbol and reads off who has made which part
# of the drift. Here is a zero-sum game in which both players also curve their own loss. The braces name the
# players, counted from 0, whose moves take part.

# %%
zero_sum = bea.Game(["x*y + x**2*y**2 + x**2/2 - y**2/2", "-(x*y + x**2*y**2 + x**2/2 - y**2/2)"], ["x", "y"])
drift = bea.discretization_drift(zero_sum, plays["simultaneous"])
drift

# %% [markdown]
# In a zero-sum game each piece is a gradient in the player's own variables, so that it amounts to a term
# in the player's loss [1]. A player's own steps draw it to where its own gradient is small; the steps of
# its opponent draw it to where the opponent's gradient is *large*. The second is what destabilises.

# %%
for player in (0, 1):
    for other in (player, 1 - player):
        print(f"player {player}, moves of {other}:", drift.regularizer(player, other).factor())

# %% [markdown]
# When the players move in turn, the sign of the interaction changes for the one who moves second:

# %%
alternating = bea.discretization_drift(zero_sum, plays["alternating"])
print("simultaneous:", drift.regularizer(1, 0).factor())
print("alternating: ", alternating.regularizer(1, 0).factor())

# %% [markdown]
# A general game has no such loss. Whether one exists is decided exactly:

# %%
general = bea.Game(["a*b*c + a**2*c", "a*c**3 + b**2*c"], players=["a b", "c"])
general_drift = bea.discretization_drift(general, plays["simultaneous"])
print("own moves:           ", general_drift.regularizer(0, 0))
print("moves of the opponent:", general_drift.regularizer(0, 1))

# %% [markdown]
# ## Is the equilibrium stable?
#
# `local_stability` puts two things side by side: the eigenvalues of the modified field at the equilibrium,
# and the spectral radius of the step itself. A better integrator helps, but in different ways [2]: Heun's
# method still moves outwards, RK4 moves inwards. The modified field must reach $h^5$ to see the latter.

# %%
for play in (*plays.values(), Heun(), RK4()):
    print(bea.local_stability(game, play, [0, 0], step_size=0.2, order=5), "\n")

# %% [markdown]
# The game itself can be changed, too. Consensus optimization [3] lets all players descend the size of the
# field together, and symplectic gradient adjustment [4] adds the part of that which turns. Both are fields
# like any other, here with the strength $\gamma$ on the axis. Below $\gamma \approx h/2$ the drift wins.

# %%
strengths = np.linspace(0, 0.4, 41)
figure, panel = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
for h in (0.1, 0.2, 0.4):
    found = [
        bea.local_stability(game.consensus(g), plays["simultaneous"], [0, 0], h, order=2) for g in strengths
    ]
    (line,) = panel.plot(strengths, [s.rate for s in found], label=f"h = {h}")
    panel.plot(
        strengths[::4], [s.modified_rate for s in found][::4], "o", markersize=4, color=line.get_color()
    )
panel.axhline(0, color="0.4", linewidth=0.8)
panel.set(
    xlabel=r"consensus $\gamma$", ylabel="rate of growth", title="lines: the step, dots: modified field"
)
_ = panel.legend()

# %% [markdown]
# ## A GAN
#
# A generator $m + s z$ with normal $z$ learns the normal distribution of the data against a quadratic
# discriminator $v x + w x^2$. All expectations are known in closed form.

# %%
gan = catalogue.gaussian_gan(mean=1, deviation=1)
gan

# %%
begin, h, steps = [0.6, 0.8, 0.0, 0.0], 0.05, 1600
runs = {
    "simultaneous": bea.iterate(gan, plays["simultaneous"], begin, h, 500),
    "alternating": bea.iterate(gan, plays["alternating"], begin, h, steps),
    "consensus, γ = 0.1": bea.iterate(gan.consensus(0.1), plays["simultaneous"], begin, h, steps),
}
figure, panels = plt.subplots(1, 3, figsize=(9.6, 3.5), layout="constrained", sharey=True)
for panel, (name, run) in zip(panels, runs.items(), strict=True):
    panel.plot(run.t, run.x[:, 0], label="mean $m$")
    panel.plot(run.t, run.x[:, 1], label="deviation $s$")
    panel.axhline(1, color="0.4", linewidth=0.8, zorder=0)
    panel.set(title=name, xlabel="time $h$ × steps", ylim=(-0.2, 3.4))
_ = panels[-1].legend(loc="upper right")

# %% [markdown]
# Simultaneous play drives the deviation to zero: the generator collapses to a point. Alternating play
# turns round the solution, and consensus finds it. Near the solution the eigenvalues say the same:

# %%
print(bea.local_stability(gan, plays["simultaneous"], [1, 1, 0, 0], step_size=0.05, order=3), "\n")
print(bea.local_stability(gan.consensus(0.1), plays["simultaneous"], [1, 1, 0, 0], step_size=0.05, order=3))

# %% [markdown]
# ## Checked
#
# The theorem behind this notebook has a check of its own; claims named "control" replace it by something
# false, and hold if the check notices.

# %%
bea.verify("games", quick=True)

# %% [markdown]
# ## References
#
# 1. M. Rosca, Y. Wu, B. Dherin, D. G. T. Barrett, "Discretization drift in two-player games", International
#    Conference on Machine Learning, 2021.
# 2. C. Qin, Y. Wu, J. T. Springenberg, A. Brock, J. Donahue, T. Lillicrap, P. Kohli, "Training generative
#    adversarial networks by solving ordinary differential equations", Advances in Neural Information
#    Processing Systems 33, 2020.
# 3. L. Mescheder, S. Nowozin, A. Geiger, "The numerics of GANs", Advances in Neural Information Processing
#    Systems 30, 2017.
# 4. D. Balduzzi, S. Racanière, J. Martens, J. Foerster, K. Tuyls, T. Graepel, "The mechanics of n-player
#    differentiable games", International Conference on Machine Learning, 2018.
