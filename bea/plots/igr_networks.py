"""The figure of implicit gradient regularization on networks: what its check has measured, in six panels."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bea.nets.experiments import Comparison
from bea.plots.style import MARKERS, flow_line, order_colour, styled, tints
from bea.theorems.igr_networks_claims import CLAIMED, mean_change

__all__ = ["igr_networks_figure"]

#: The colours of the two objectives.
HUES = {"cross-entropy": order_colour(1), "squared-error": order_colour(2)}
#: Around 0 the axis of changes is linear, beyond it logarithmic: in percent.
LINEAR = 1.0


@styled
def igr_networks_figure(data: dict[str, Any]) -> Figure:
    """The four predictions against the step size, the orders, and explicit regularization.

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
    panels = (
        ("ratio", "(1) $R/E$"),
        ("trace", "(2) trace of the Hessian"),
        ("test_accuracy", "(3) test accuracy"),
        ("perturbed_loss", "(4) loss under perturbed parameters"),
    )
    for ax, (name, title) in zip(axes.flat, panels, strict=False):
        _changes(ax, data, name, title)
    _legend(axes[0, 0], data)
    _closeness(axes[1, 1], data["closeness"])
    _explicit(axes[1, 2], data["cross-entropy"], data["explicit"])
    return figure


def _changes(ax: Axes, data: dict[str, Any], name: str, title: str) -> None:
    """Changes against the step size: solid where the loss is the same, open where the time is."""
    ax.axhline(0, color="0.7", linewidth=0.8)
    for objective, hue in HUES.items():
        comparison: Comparison = data[objective]
        colours = tints(hue, len(comparison.widths))
        for i, colour in enumerate(colours):
            shift = 1 + 0.06 * (i - (len(colours) - 1) / 2)
            h = np.array(comparison.values) * shift
            for level, how in ((0, {}), (None, {"markerfacecolor": "white", "linestyle": "none"})):
                means, bars = _intervals(comparison.change(name, level=level)[i])
                style: dict[str, Any] = {
                    "color": colour,
                    "marker": MARKERS[i],
                    "markersize": 4.5,
                    "linewidth": 1.1,
                    **how,
                }
                ax.errorbar(h * (1 if level == 0 else 1.03), means, bars, elinewidth=0.8, capsize=2, **style)
        _shade_unstable(ax, comparison)
    unit = "points" if "accuracy" in name else "%"
    ax.set_xscale("log")
    ax.set_yscale("symlog", linthresh=LINEAR)
    ticks = [h for objective in HUES for h in data[objective].values]
    ax.set_xticks(ticks, [f"{h:g}" for h in ticks])
    ax.minorticks_off()
    low, high = ax.get_ylim()
    marks = [t for t in (-100, -30, -10, -3, -1, 0, 1, 3, 10, 30, 100) if low <= t <= high]
    ax.set_yticks(marks, [f"{t:g}" for t in marks])
    ax.set(xlabel="step size $h$", ylabel=f"change from the gradient flow ({unit})", title=title)


def _shade_unstable(ax: Axes, comparison: Comparison) -> None:
    """Shade the step sizes that are above 2/sharpness somewhere along a flow that was measured."""
    flows = [
        comparison.measures["sharpness"][:, 0],
        *np.moveaxis(comparison.at_levels["sharpness"][:, 0], 1, 0),
    ]
    sharpest = max(float(np.nanmax(values)) for values in flows)
    unstable = [h for h in comparison.values if h * sharpest > 2]
    if unstable:
        ax.axvspan(unstable[0] / 1.2, unstable[-1] * 1.2, color="0.93", zorder=0)


def _intervals(changes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means in percent and half widths of their intervals; NaN where a run has no value."""
    found = [
        mean_change(100 * row) if np.isfinite(row).all() else (np.nan, (np.nan, np.nan)) for row in changes
    ]
    means = np.array([mean for mean, _ in found])
    return means, np.array([high for _, (_, high) in found]) - means


def _legend(ax: Axes, data: dict[str, Any]) -> None:
    for objective, hue in HUES.items():
        comparison: Comparison = data[objective]
        name = objective.replace("-error", "d error").replace("squaredd", "squared")
        for i, (width, colour) in enumerate(
            zip(comparison.widths, tints(hue, len(comparison.widths)), strict=True)
        ):
            ax.plot([], [], MARKERS[i] + "-", color=colour, markersize=4.5, label=f"{name}, width {width}")
    ax.fill_between([], [], color="0.93", label="above 2/sharpness for some")
    ax.plot([], [], "o", color="0.4", markersize=4.5, label="at equal loss")
    ax.plot([], [], "o", color="0.4", markerfacecolor="white", markersize=4.5, label="at equal time")
    ax.set_ylim(top=100 * ax.get_ylim()[1])
    ax.legend(loc="upper left")


def _closeness(ax: Axes, found: list[tuple[int, bool, np.ndarray, np.ndarray, float]]) -> None:
    names = ("gradient flow", r"$+\,\frac{h}{4}\|\nabla E\|^2$", "two terms")
    for order, reverse, h, errors, power in found:
        label = r"$-\,\frac{h}{4}\|\nabla E\|^2$: wrong sign" if reverse else names[order]
        style = {**flow_line(order), "color": "0.45", "linestyle": ":"} if reverse else flow_line(order)
        ax.loglog(h, errors, marker="o", markersize=3.5, label=f"{label}, order {power:.2f}", **style)
    ax.set(
        xlabel="step size $h$", ylabel="distance of all parameters at time 1", title="nearness to the flows"
    )
    ax.set_ylim(bottom=ax.get_ylim()[0] / 100)
    ax.legend(loc="lower right")


def _explicit(ax: Axes, descent: Comparison, found: Comparison) -> None:
    """Changes by μ‖∇E‖², and by descent with h at μ = h/4, at equal loss."""
    i = descent.widths.index(found.widths[0])
    ax.axhline(0, color="0.7", linewidth=0.8)
    for k, (name, label) in enumerate((("ratio", "$R/E$"), ("trace", "trace of the Hessian"))):
        colour = order_colour(k)
        stable = slice(0, CLAIMED + 1)
        for comparison, row, mu, text, marker in (
            (descent, i, np.array(descent.values[stable]) / 4, "descent, at $h/4$", "s"),
            (found, 0, np.array(found.values) * 1.03, r"flow of $E + \mu\|\nabla E\|^2$", "o"),
        ):
            means, bars = _intervals(comparison.change(name, level=0)[row, : len(mu)])
            face = "white" if marker == "o" else colour
            style: dict[str, Any] = {"color": colour, "marker": marker, "markerfacecolor": face}
            ax.errorbar(
                mu, means, bars, markersize=4.5, capsize=2, linewidth=1.1, label=f"{label}: {text}", **style
            )
    ax.set(
        xscale="log",
        xlabel=r"$\mu$ or $h/4$",
        ylabel="change from the gradient flow (%)",
        title=f"explicit regularization at equal loss, width {found.widths[0]}",
    )
    ticks = sorted({*(h / 4 for h in descent.values[: CLAIMED + 1]), *found.values})
    ax.set_xticks(ticks, [f"{mu:g}" for mu in ticks])
    ax.minorticks_off()
    ax.legend(loc="lower left")
