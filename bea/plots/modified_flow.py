"""The figure of implicit gradient regularization: descent lands where the modified flow lands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from bea.plots.descent_runs import DIVERGES, DescentRun, descent_runs, settling_time
from bea.plots.phase import draw_background, draw_iterates
from bea.plots.plane import Limits, label_axes, require_plane, window
from bea.plots.style import ITERATES, MARKERS, START, flow_line, order_colour, styled, tints
from bea.plots.zero_curve import draw_zero_loss_set, zero_loss_curves
from bea.schemes.gradient_descent import GradientDescent
from bea.schemes.scheme import Scheme
from bea.systems.loss import Loss

__all__ = ["modified_flow_figure"]


@styled
def modified_flow_figure(
    loss: Loss,
    x0: Sequence[float] | np.ndarray,
    step_sizes: Sequence[float] = (0.005, 0.01, 0.02),
    scheme: Scheme | None = None,
    time: float | None = None,
    order: int = 1,
    *,
    ax: Axes | Sequence[Axes] | None = None,
) -> np.ndarray:
    r"""Draw iterates, the gradient flow and the modified flow from one point, and where they land on Γ.

    Parameters
    ----------
    loss : Loss
        Of two variables.
    x0 : array_like, shape (2,)
    step_sizes : sequence of float, optional
        A darker tint is a larger step. Where iterates diverge, jump across the zero-loss set, or end nearer
        to the gradient flow than to the modified flow, the legend says so: the expansion does not describe
        them.
    scheme : Scheme, optional
        By default gradient descent.
    time : float, optional
        The time h × steps, the same for all. By default the gradient flow has come to rest by then.
    order : int, default 1
        The number of correction terms of the modified flow.
    ax : Axes or pair of Axes, optional
        On a pair, the second shows the ends enlarged; on single axes an inset does. By default a new figure
        of two panels.

    Returns
    -------
    numpy.ndarray of two matplotlib.axes.Axes
        The overview and the enlargement.

    Raises
    ------
    ValueError
        If the loss does not have two variables, x0 is no point of the plane, the step sizes are not
        positive, or no time is given and the gradient flow does not come to rest.
    TypeError
        If an argument is of another kind.

    References
    ----------
    .. [1] D. G. T. Barrett, B. Dherin, "Implicit gradient regularization", ICLR 2021, section 3 and figure 1.

    Examples
    --------
    >>> import bea
    >>> loss = bea.catalogue.two_parameter()
    >>> overview, enlargement = bea.plots.modified_flow_figure(loss, [2.8, 3.5], step_sizes=[0.01, 0.02])
    >>> [text.get_text() for text in enlargement.get_legend().get_texts()][-2:]
    ['$h = 0.01$', '$h = 0.02$']
    """
    require_plane(loss, "the figure of the modified flow", kinds=(Loss,))
    start = loss.field.point(x0)
    sizes = _read_step_sizes(step_sizes)
    time = settling_time(loss, start) if time is None else _read_time(time)
    scheme = GradientDescent() if scheme is None else scheme
    gradient_flow, runs = descent_runs(loss, scheme, start, sizes, time, order)

    everything = [gradient_flow, *(r.flow for r in runs if not r.remark)]
    everything += [r.iterates for r in runs if r.remark != DIVERGES]
    whole = window(everything, None, None)
    overview, enlargement = _panels(ax, np.concatenate(everything + zero_loss_curves(loss, *whole)), whole)
    ends = [gradient_flow[-1], *(end for r in runs if not r.remark for end in (r.flow[-1], r.iterates[-1]))]
    for panel, limits in ((overview, whole), (enlargement, _around(ends, *whole))):
        draw_background(panel, loss, *limits, streamlines=False)
        draw_zero_loss_set(panel, loss, *limits)
        _draw_runs(panel, gradient_flow, runs, order)
        panel.set(xlim=limits[0], ylim=limits[1])
        panel.ticklabel_format(useOffset=False)
    overview.plot(*start, **START)
    label_axes(overview, loss)
    overview.indicate_inset_zoom(enlargement, edgecolor="0.4", linewidth=0.7, alpha=0.7, zorder=1.5)
    legend: dict[str, Any] = {
        "handles": _legend_handles(overview, runs, order),
        "title": _legend_title(scheme, order),
        "alignment": "left",
    }
    if isinstance(ax, Axes):
        enlargement.tick_params(labelsize=7)
        enlargement.locator_params(nbins=3)
        overview.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, frameon=False, **legend)
    else:
        label_axes(enlargement, loss)
        enlargement.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, **legend)
    return np.array([overview, enlargement])


def _panels(
    ax: Axes | Sequence[Axes] | None, points: np.ndarray, limits: tuple[Limits, Limits]
) -> tuple[Axes, Axes]:
    """The axes of the overview and of the enlargement, which as an inset goes where few points are."""
    if ax is None:
        return tuple(plt.subplots(1, 2, figsize=(8.4, 3.4), layout="constrained")[1])
    if isinstance(ax, Axes):
        return ax, ax.inset_axes(_emptiest_corner(points, limits))
    panels = list(np.ravel(np.asarray(ax, dtype=object)))
    if len(panels) != 2 or not all(isinstance(panel, Axes) for panel in panels):
        raise TypeError("ax must be Matplotlib axes, or a pair of them")
    return panels[0], panels[1]


def _emptiest_corner(points: np.ndarray, limits: tuple[Limits, Limits]) -> tuple[float, float, float, float]:
    """Bounds of an inset, in shares of the axes, over the corner in which the fewest points lie."""
    size, room = 0.38, 0.13  # of the inset, and of its tick labels to the left and below
    low, high = np.transpose(limits)
    shares = (points - low) / (high - low)
    near, far = room, 0.97 - size
    corners = np.array([(far, near), (near, far), (far, far), (near, near)])
    inside = [((shares > corner - room) & (shares < corner + size)).all(axis=1) for corner in corners]
    x, y = corners[int(np.argmin([held.sum() for held in inside]))]
    return float(x), float(y), size, size


def _draw_runs(ax: Axes, gradient_flow: np.ndarray, runs: Sequence[DescentRun], order: int) -> None:
    """The gradient flow, and for every step size its modified flow and its iterates."""
    ax.plot(*gradient_flow.T, label="gradient flow", gid="gradient-flow", **flow_line(0))
    for run, colour, marker in zip(runs, tints(order_colour(order), len(runs)), MARKERS, strict=False):
        faint = {"alpha": 0.5, "linewidth": 1.0} if run.remark else {}
        ax.plot(*run.flow.T, gid="modified-flow", **{**flow_line(order), "color": colour, **faint})
        draw_iterates(ax, run.iterates, color=colour, marker=marker, gid="iterates")
        draw_iterates(ax, run.iterates[-1:], color=colour, marker=marker, markersize=6.5, gid="end")
        if run.remark:
            ax.plot(*run.iterates.T, color=colour, linewidth=0.7, linestyle=":", zorder=3.5, gid="jumps")


def _around(ends: Sequence[np.ndarray], xlim: Limits, ylim: Limits) -> tuple[Limits, Limits]:
    """A window about the points where the runs end, on the side from which they come."""
    points = np.array(ends)
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    whole = np.array([xlim[1] - xlim[0], ylim[1] - ylim[0]])
    half = np.maximum(0.75 * np.ptp(points, axis=0), 0.004 * whole)
    (left, bottom), (right, top) = middle - half, middle + half
    return (float(left), float(right)), (float(bottom), float(top))


def _legend_handles(ax: Axes, runs: Sequence[DescentRun], order: int) -> list[Line2D]:
    handles = [line for line in ax.get_lines() if line.get_gid() in ("zero-loss-set", "gradient-flow")]
    handles = [h for h in handles if not str(h.get_label()).startswith("_")]
    for run, colour, marker in zip(runs, tints(order_colour(order), len(runs)), MARKERS, strict=False):
        label = f"$h = {run.step_size:g}$" + (f": {run.remark}" if run.remark else "")
        style = {**ITERATES, **flow_line(order), "color": colour, "marker": marker}
        handles.append(Line2D([], [], label=label, **style))
    return handles


def _legend_title(scheme: Scheme, order: int) -> str:
    name = scheme.name.replace("-", " ")
    terms = "one term" if order == 1 else f"{order} terms"
    return f"dots: {name}\nlines: modified flow, {terms}"


def _read_step_sizes(step_sizes: Sequence[float]) -> list[float]:
    sizes = sorted({float(h) for h in np.atleast_1d(np.asarray(step_sizes, dtype=float))})
    if not sizes or not all(0 < h < np.inf for h in sizes):
        raise ValueError(f"step_sizes must be positive numbers, not {step_sizes!r}")
    return sizes


def _read_time(time: float) -> float:
    if not 0 < time < np.inf:
        raise ValueError(f"time must be a positive number, not {time!r}")
    return float(time)
