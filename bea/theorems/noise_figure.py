"""The figure of the theorem of injected noise: what its check has measured, in six panels."""

from __future__ import annotations

from collections.abc import Mapping
from math import pi, sqrt
from typing import Any

import numpy as np
from scipy.stats import norm

__all__ = ["noise_figure"]


def noise_figure(data: Mapping[str, Any]) -> Any:
    """The zero-loss curve with ensemble and limit, clocks on both scales, flatness, and the random limit."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 8.5), layout="constrained")
    axes = figure.subplots(2, 3)
    _draw_curve(axes[0, 0], data["curve"])
    _draw_clock(axes[0, 1], data["dropconnect"], "DropConnect, three products: mean of $a_1 b_1$", 1)
    _draw_clock(axes[0, 2], data["Dropout, tanh network"], "Dropout, tanh network: mean of $w_2$", 1)
    _draw_circle(axes[1, 0], data["circle"])
    label = "label noise, diagonal network"
    _draw_clock(axes[1, 1], data[label], rf"{label}: mean of $\mathrm{{tr}}\,H$", 2)
    _draw_flatness(axes[1, 2], data["flatness"])
    return figure


def _draw_curve(ax: Any, data: Mapping[str, Any]) -> None:
    a = np.linspace(0.25, 2.4, 200)
    ax.plot(a, data["y"] / a, color="black", lw=1, label="zero-loss set $ab = y$")
    ax.plot(*data["path"][:, 0].T, color="C0", lw=0.3, alpha=0.5, label="a run with label noise")
    ax.plot(*data["path"][-1].T, ".", color="C1", label="where 20 runs end")
    ax.plot(*data["limit"].T, color="C3", lw=2, label="the limit, from the end of the gradient flow")
    ax.set(xlabel="a", ylabel="b", title="fast to the zero-loss set, slowly along it", ylim=(0, 1.6))
    ax.legend()


def _draw_clock(ax: Any, data: Mapping[str, Any], title: str, power: int) -> None:
    for alpha, (times, values) in data["paths"].items():
        ax.plot(times, values, label=rf"$\alpha = {alpha:g}$")
    ax.plot(*data["limit"], color="black", ls="--", label="limit")
    exponent = "" if power == 1 else f"^{power}"
    ax.set(xlabel=rf"$\alpha{exponent} \sigma^2 \times$ steps, $\sigma^2 \propto \alpha$", title=title)
    ax.legend()


def _draw_flatness(ax: Any, data: Mapping[str, Any]) -> None:
    for colour, (label, paths) in zip(("C0", "C1"), data.items(), strict=True):
        loss = label.partition(", ")[2]
        for style, (noise, (times, values)) in zip(("-", "--"), paths.items(), strict=True):
            ax.plot(times, values, color=colour, ls=style, label=f"{noise}, {loss}")
    ax.set(xlabel=r"$\alpha \times$ steps", title=r"flatness: mean of $\mathrm{tr}\,H$", ylim=(0, None))
    ax.legend()


def _draw_circle(ax: Any, data: Mapping[str, Any]) -> None:
    angles = np.linspace(-pi, pi, 200)
    ax.hist(data["angles"], bins=40, density=True, color="C0", alpha=0.6, label="Langevin noise")
    ax.plot(angles, norm(scale=sqrt(0.5)).pdf(angles), color="black", ls="--", label="limit")
    ax.set(xlabel="angle", title="a random limit: the angle on the circle at t = 0.5")
    ax.legend()
