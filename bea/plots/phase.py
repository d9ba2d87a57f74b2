"""The phase portrait of a system in the plane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm

from bea.plots.plane import Limits, grid_values, label_axes, require_plane, window
from bea.plots.style import ITERATES, LANDSCAPE, MARKERS, START, STREAMLINES, axes_or_new, flow_line, styled
from bea.plots.zero_curve import draw_zero_loss_set
from bea.systems.loss import Loss
from bea.systems.system import System, as_field

__all__ = ["draw_background", "draw_iterates", "phase_portrait"]


@styled
def phase_portrait(
    loss_or_field: System,
    paths: Sequence[Any] = (),
    xlim: Sequence[float] | None = None,
    ylim: Sequence[float] | None = None,
    *,
    ax: Axes | None = None,
    streamlines: bool = True,
    zero_loss_set: bool = True,
    labels: Sequence[str] | None = None,
) -> Axes:
    r"""Draw a system of two variables: level sets, streamlines, the zero-loss set and solutions.

    Parameters
    ----------
    loss_or_field : Loss, VectorField or Game
        A loss is drawn with its level sets, spaced evenly in the logarithm, and the streamlines of −∇E; a
        game with those of simultaneous play.
    paths : sequence of what `bea.iterate` and `bea.flow` return, optional
        Iterates are drawn as dots and flows as lines. Flows take the colours of the flows with 0, 1, 2, …
        correction terms in the order in which they are given.
    xlim, ylim : (float, float), optional
        The window; by default it holds all of `paths`, of one that diverges its first part.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    streamlines : bool, default True
    zero_loss_set : bool, default True
        Whether to draw Γ, where the loss knows it or is a single square.
    labels : sequence of str, one for each of `paths`, optional
        Names for the legend.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the system does not have two variables, a parameter has no value, the limits are not increasing, or
        there are not as many labels as paths.
    TypeError
        If an argument is of another kind.

    Examples
    --------
    >>> import bea
    >>> loss = bea.catalogue.two_parameter()
    >>> descent = bea.iterate(loss, bea.GradientDescent(), [2.8, 3.5], step_size=0.02, steps=200)
    >>> flow = bea.flow(loss.field, [2.8, 3.5], (0, 4), t_eval=[0, 0.01, 0.1, 1, 4])
    >>> ax = bea.plots.phase_portrait(loss, [flow, descent], labels=["gradient flow", "descent"])
    """
    require_plane(loss_or_field, "a phase portrait")
    names: list[str | None] = [None] * len(paths) if labels is None else list(labels)
    if len(names) != len(paths):
        raise ValueError(f"there must be one label for each of the {len(paths)} paths, not {len(names)}")
    curves = [_points(path) for path in paths]
    xlim, ylim = window([_until_far(points) for points in curves], xlim, ylim)

    ax = axes_or_new(ax, (4.6, 3.8))
    draw_background(ax, loss_or_field, xlim, ylim, streamlines=streamlines)
    if zero_loss_set and isinstance(loss_or_field, Loss):
        draw_zero_loss_set(ax, loss_or_field, xlim, ylim)
    _draw_paths(ax, paths, curves, names)
    ax.set(xlim=xlim, ylim=ylim)
    label_axes(ax, loss_or_field)
    if ax.get_legend_handles_labels()[0]:
        ax.legend()
    return ax


def draw_background(
    ax: Axes,
    system: System,
    xlim: Limits,
    ylim: Limits,
    *,
    streamlines: bool = True,
    count: int = 12,
) -> None:
    """The level sets of a loss, and streamlines of its gradient flow or of a field."""
    if isinstance(system, Loss):
        x, y, (E,) = grid_values([system.expression], system, xlim, ylim)
        levels = _log_levels(E, count)
        norm = BoundaryNorm(levels, LANDSCAPE.N, extend="both")
        ax.contourf(x, y, E, levels=levels, norm=norm, cmap=LANDSCAPE, extend="both", zorder=0.5)
    if streamlines:
        field = as_field(system)
        x, y, (u, v) = grid_values(field.components, field, xlim, ylim)
        ax.streamplot(x, y, u, v, density=0.6, **STREAMLINES)


def draw_iterates(ax: Axes, points: np.ndarray, **style: Any) -> None:
    """Iterates of shape (n, 2) as dots, every one of them; in vector graphics very many become one image."""
    ax.plot(*points.T, rasterized=len(points) > 2000, **{**ITERATES, **style})


def _log_levels(E: np.ndarray, count: int) -> np.ndarray:
    """Levels from far below the middle of the values of E to their top, spaced evenly in log(E − min E)."""
    low, high = float(E.min()), float(E.max())
    if not high > low:
        return np.array([low])
    middle = float(np.ma.median(E)) - low
    return low + np.geomspace(max(middle * 1e-3, (high - low) * 1e-6), high - low, count)[:-1]


def _points(path: Any) -> np.ndarray:
    """The finite states of a path of iterates or of a flow, shape (n, 2)."""
    if hasattr(path, "x"):
        points = np.asarray(path.x, dtype=float)
    elif hasattr(path, "y"):
        points = np.asarray(path.y, dtype=float).T
    else:
        raise TypeError(f"paths are results of bea.iterate or bea.flow, not {type(path).__name__}")
    if points.ndim != 2 or points.shape[1] != 2:
        raise ValueError(
            f"a phase portrait draws paths of two variables, not states of shape {points.shape[1:]}"
        )
    return points[np.isfinite(points).all(axis=1)]


def _until_far(points: np.ndarray) -> np.ndarray:
    """The points before the first that is a hundred times as far out as the start."""
    far = np.abs(points).max(axis=1) > 100 * (1 + np.abs(points[0]).max())
    return points[: np.argmax(far)] if far.any() else points


def _draw_paths(ax: Axes, paths: Sequence[Any], curves: list[np.ndarray], names: list[str | None]) -> None:
    flows = dots = 0
    for path, points, name in zip(paths, curves, names, strict=True):
        if hasattr(path, "x"):
            draw_iterates(ax, points, marker=MARKERS[dots % len(MARKERS)], label=name)
            dots += 1
        else:
            ax.plot(*points.T, label=name, **flow_line(flows))
            flows += 1
        ax.plot(*points[:1].T, **START)
