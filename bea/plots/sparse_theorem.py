"""The figure of implicit sparse regularization: what its check has measured, in six panels."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bea.plots.style import MARKERS, order_colour, styled

__all__ = ["sparse_theorem_figure"]


@styled
def sparse_theorem_figure(data: dict[str, Any]) -> Figure:
    """The windows, the rate, the scales, the order of learning, the kernel regime and the image.

    Parameters
    ----------
    data : dict
        What the check of the theorem keeps.

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure = Figure(figsize=(13, 7.6), layout="constrained")
    axes = figure.subplots(2, 3)
    _windows(axes[0, 0], *data["windows"])
    _rate(axes[0, 1], data["rate"]["n"])
    _scales(axes[0, 2], data["scales"])
    _learning(axes[1, 0], data["learning"])
    _kernel(axes[1, 1], data["kernel"])
    _image(axes[1, 2], data["image"])
    return figure


def _windows(ax: Axes, steps: int, windows: dict[int, dict[str, np.ndarray]]) -> None:
    """Windows as lines; what is not reached by the last step has no marker."""
    for depth, ends in windows.items():
        across = depth + np.linspace(-0.3, 0.3, len(ends["start"]))
        colour = order_colour(depth - 2)
        ax.vlines(across, ends["start"], ends["stop"], color=colour, alpha=0.5)
        begun, closed = ends["start"] < steps, ends["stop"] < steps
        ax.plot(across[begun], ends["start"][begun], "o", color=colour, markersize=3.5)
        ax.plot(
            across[closed], ends["stop"][closed], "^", color="white", markeredgecolor=colour, markersize=4.5
        )
    ax.axhline(steps, color="0.5", linewidth=0.8, linestyle=":", label="last step")
    ax.set(
        yscale="log",
        xticks=list(windows),
        xlabel="depth $N$",
        ylabel="iterate",
        title="windows, problem by problem",
    )
    ax.plot([], [], "o", color="0.3", label="support found")
    ax.plot([], [], "^", color="white", markeredgecolor="0.3", label=r"off it beyond $\alpha^{N/4}$")
    ax.legend(loc="lower right")


def _rate(ax: Axes, rate: tuple[tuple[float, ...], np.ndarray, np.ndarray]) -> None:
    sizes, errors, bound = rate
    for n, values in zip(sizes, errors, strict=True):
        ax.plot(np.full(len(values), n), values, "o", color=order_colour(0), markersize=2.5, alpha=0.35)
    ax.loglog(sizes, errors.mean(axis=1), "D-", color=order_colour(1), label="mean")
    ax.loglog(sizes, bound, "k--", label=r"$k \sigma^2 \log p / n$")
    ax.set_xticks(sizes, [str(n) for n in sizes])
    ax.minorticks_off()
    ax.set(xlabel="measurements $n$", ylabel=r"$\|w - w^*\|^2$", title="stopped at a time fixed beforehand")
    ax.legend()


def _scales(ax: Axes, scales: dict[int, tuple[np.ndarray, np.ndarray]]) -> None:
    for k, (depth, (t, errors)) in enumerate(scales.items()):
        later = t > 0
        ax.loglog(t[later], errors[:, later].T, color=order_colour(k), linewidth=0.8)
        ax.plot([], [], color=order_colour(k), label=f"$N = {depth}$")
    ax.set(
        xlabel="iterate", ylabel=r"$\|w - w^*\|$", title=r"the same initial scale $\alpha^N = 2\cdot 10^{-3}$"
    )
    ax.legend()


def _learning(ax: Axes, learning: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    for k, (depth, (t, paths, _)) in enumerate(learning.items()):
        for j, path in enumerate(paths.T):
            ax.semilogx(t[1:], path[1:], color=order_colour(k), label=f"$N = {depth}$" if j == 0 else None)
    ax.set(xlabel="iterate", ylabel="$w$ on the support", title="the larger first")
    ax.legend()


def _kernel(ax: Axes, kernel: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    for k, (depth, (t, paths, linear)) in enumerate(kernel.items()):
        share = t / t[-1]
        ax.plot(share, linear, color=order_colour(k), linewidth=0.9)
        ax.plot(share, paths, MARKERS[k], color=order_colour(k), markersize=2.5)
        ax.plot([], [], MARKERS[k], color=order_colour(k), label=f"$N = {depth}$, {t[-1]} steps")
    ax.set(
        xlabel="share of the steps",
        ylabel="six weights",
        title=r"kernel regime, $\alpha^N = 10^3$; lines: linear descent",
    )
    ax.legend()


def _image(ax: Axes, image: dict[Any, np.ndarray]) -> None:
    shown = [("image", image["truth"]), ("least norm", image["least norm"])]
    shown += [(f"$N = {depth}$", image[depth]) for depth in (2, 3)]
    gap = np.full((len(image["truth"]), 1), np.nan)
    rows = []
    for first, second in ((shown[0], shown[1]), (shown[2], shown[3])):
        rows.append(np.hstack([first[1], gap, second[1]]))
    size = len(image["truth"])
    ax.imshow(np.vstack([rows[0], np.full((1, 2 * size + 1), np.nan), rows[1]]), cmap="gray", vmin=0, vmax=1)
    for i, (label, _) in enumerate(shown):
        ax.text((i % 2) * (size + 1), (i // 2) * (size + 1), label, color="white", va="top", fontsize=8)
    ax.set(xticks=[], yticks=[], title="from half as many measurements as pixels")
