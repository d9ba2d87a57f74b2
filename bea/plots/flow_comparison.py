"""Flows beside one run of descent: how far each is off, against h·sharpness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from bea.plots.style import MARKERS, flow_line, order_colour, styled

if TYPE_CHECKING:
    from bea.nets.comparison import FlowComparison

__all__ = ["flow_comparison"]

#: How each flow is drawn; the modified flows as everywhere.
LINES: dict[str, dict[str, Any]] = {
    "gradient flow": flow_line(0),
    "first order": flow_line(1),
    "second order": flow_line(2),
    "third order": flow_line(3),
    "principal flow": {"color": order_colour(5), "linestyle": "-.", "zorder": 3.2},
    "central flow": {"color": "0.1", "linestyle": "solid", "zorder": 3.4, "linewidth": 2.2},
}

#: Distances beyond this many ways of the iterates are not drawn.
HIGHEST = 3.0


@styled
def flow_comparison(comparison: FlowComparison, ax: Sequence[Axes] | None = None) -> np.ndarray:
    """Draw how far flows are from one run of descent, and where each breaks down.

    Parameters
    ----------
    comparison : FlowComparison
        From `bea.nets.compare_flows`.
    ax : sequence of three matplotlib.axes.Axes, optional
        By default those of a new figure.

    Returns
    -------
    array of three matplotlib.axes.Axes
        h·sharpness at the iterates; the distance of the flows from these, or from their mean, with a cross
        where a flow breaks down; and the errors after one step against h·sharpness.
    """
    axes = np.asarray(plt.subplots(1, 3, figsize=(14, 4.3), layout="constrained")[1] if ax is None else ax)
    if axes.shape != (3,):
        raise ValueError(f"ax must be three axes, not an array of shape {axes.shape}")
    _draw_sharpness(axes[0], comparison)
    _draw_distances(axes[1], comparison)
    _draw_one_steps(axes[2], comparison)
    return axes


def _draw_sharpness(ax: Axes, comparison: FlowComparison) -> None:
    ax.plot(comparison.n, comparison.product, color="0.25", marker="o", markersize=2.5, linewidth=1.0)
    ax.axhline(2, color="0.6", linewidth=0.9, linestyle=":")
    ax.set(
        xlim=(0, comparison.n[-1]),
        ylim=(0, None),
        xlabel="step of descent",
        ylabel="h · sharpness",
        title=f"descent with h = {comparison.h:g}",
    )


def _draw_distances(ax: Axes, comparison: FlowComparison) -> None:
    for compared in comparison.flows:
        style = LINES[compared.name]
        known = np.isfinite(compared.error) & (comparison.n > 0)
        ax.semilogy(comparison.n[known], compared.error[known], label=compared.name, **style)
        if compared.breaks_down is not None:
            at = np.flatnonzero(comparison.n == compared.breaks_down)[0]
            height = compared.error[at]
            height = min(height, HIGHEST) if np.isfinite(height) else comparison.share
            ax.plot(compared.breaks_down, height, "X", color=style["color"], markersize=7, zorder=4)
    ax.axhline(comparison.share, color="0.6", linewidth=0.9, linestyle=":")
    finite = [c.error[np.isfinite(c.error) & (comparison.n > 0)] for c in comparison.flows]
    values = np.concatenate([*finite, [comparison.share]])
    ax.set(
        xlim=(0, comparison.n[-1]),
        ylim=(max(values[values > 0].min() / 2, 1e-9), min(values.max(), HIGHEST) * 2),
        xlabel="step of descent",
        ylabel="distance from the iterates or their mean, of the way",
        title="along the run; crosses: breaks down",
    )
    ax.legend(loc="lower right")


def _draw_one_steps(ax: Axes, comparison: FlowComparison) -> None:
    local = [(compared.name, compared.one_step) for compared in comparison.flows]
    for (name, errors), marker in zip(local, MARKERS, strict=False):
        if errors is None:
            continue
        known = np.isfinite(errors) & (errors > 0)
        ax.semilogy(
            comparison.product[known],
            errors[known],
            marker,
            color=LINES[name]["color"],
            markersize=4,
            markeredgecolor="black",
            markeredgewidth=0.3,
            label=name,
        )
    for bound in (1, 2):
        ax.axvline(bound, color="0.75", linewidth=0.8, linestyle=":", zorder=0)
    ax.set(xlabel="h · sharpness", ylabel="error over the length of the step", title="after one step")
    ax.legend(loc="lower right")
