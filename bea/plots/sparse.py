"""Pictures of descent on diagonal networks: paths, errors, early-stopping windows and phase diagrams."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from bea.plots.style import MARKERS, axes_or_new, order_colour, styled
from bea.sparse import Descent, Problem, Window
from bea.sweeps import SweepResult

__all__ = ["coordinate_paths", "error_path", "phase_diagram", "stopping_windows"]

#: Where a legend hides nothing.
OUTSIDE: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "frameon": False}


@styled
def coordinate_paths(run: Descent, problem: Problem | None = None, *, ax: Axes | None = None) -> Axes:
    """Draw the recorded coordinates of w against the iterate.

    Parameters
    ----------
    run : Descent
        What `bea.sparse.descend` returns, with the coordinates that it was told to record.
    problem : Problem, optional
        If its w* is known, that is where the dashed lines are.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If something else is given.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.problem(60, 100, signal=[1, 2, 3])
    >>> run = bea.sparse.descend(data, depth=3, alpha=0.02, step_size=0.003, steps=2000)
    >>> ax = bea.plots.coordinate_paths(run, data)
    >>> [line.get_label() for line in ax.get_lines()[:3]]
    ['$w_{1}$', '$w_{2}$', '$w_{3}$']
    """
    _require(run, Descent, "run", "bea.sparse.descend")
    ax = axes_or_new(ax, (4.8, 3.4))
    for k, (coordinate, path) in enumerate(zip(run.coordinates, run.paths.T, strict=True)):
        label = f"$w_{{{coordinate + 1}}}$"
        ax.plot(run.t, path, color=order_colour(k), label=label, gid="path")
    if problem is not None:
        _require(problem, Problem, "problem", "bea.sparse.problem")
        for k, value in enumerate(problem.truth[run.coordinates]):
            ax.axhline(value, color=order_colour(k), linestyle="--", linewidth=0.8, zorder=1, gid="truth")
        ax.plot([], [], color="0.4", linestyle="--", linewidth=0.8, label="$w^*$")
    ax.set(xlabel="iterate", ylabel="coordinate of $w$", title=_setting(run))
    ax.locator_params(axis="x", nbins=5)
    if len(run.coordinates) <= 8:
        ax.legend(**OUTSIDE)
    return ax


@styled
def error_path(
    runs: Descent | Sequence[Descent], window: Window | None = None, *, ax: Axes | None = None
) -> Axes:
    """Draw the error ‖w − w*‖ against the iterate, both logarithmic, with the early-stopping window shaded.

    Parameters
    ----------
    runs : Descent or sequence of Descent
        Runs on a problem whose w* is known.
    window : Window, optional
        What `bea.sparse.early_stopping_window` returns. It is shaded up to the end of the runs where it has
        no end, and not at all where it is empty.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If something else is given, or nothing.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.problem(60, 100, signal=[1, 1, 1], noise=0.5)
    >>> setting = dict(depth=2, alpha=0.005, step_size=0.01, steps=3000)
    >>> run = bea.sparse.descend(data, **setting)
    >>> window = bea.sparse.early_stopping_window(data.X, data.y, data.w_star, **setting)
    >>> ax = bea.plots.error_path(run, window)
    >>> ax.get_ylabel()
    'error $\\\\|w - w^*\\\\|$'
    """
    series = [runs] if isinstance(runs, Descent) else list(runs)
    if not series:
        raise ValueError("there must be at least one run to draw")
    for run in series:
        _require(run, Descent, "run", "bea.sparse.descend")
    ax = axes_or_new(ax, (4.8, 3.4))
    for k, run in enumerate(series):
        later = run.t > 0
        ax.loglog(run.t[later], run.l2_error[later], color=order_colour(k), label=_setting(run), gid="error")
    if window is not None:
        _require(window, Window, "window", "bea.sparse.early_stopping_window")
        stop = max(run.t[-1] for run in series) if window.stop is None else window.stop
        if window.start is not None and window.start < stop:
            ax.axvspan(window.start, stop, color="0.88", zorder=0, label="window", gid="window")
    ax.set(xlabel="iterate", ylabel=r"error $\|w - w^*\|$")
    ax.legend()
    return ax


@styled
def stopping_windows(windows: Sequence[Window], *, ax: Axes | None = None) -> Axes:
    r"""Draw early-stopping windows against α, those of each depth as a band from their starts to their ends.

    Parameters
    ----------
    windows : sequence of Window
        What `bea.sparse.early_stopping_window` returns, for several α and depths N. Those without a start or
        without an end are left out, and the legend counts them.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If something else is given, or nothing.

    Notes
    -----
    Time is ηt, so that windows of different step sizes can be compared.

    Examples
    --------
    >>> import bea
    >>> data = bea.sparse.problem(60, 100, signal=[1, 1, 1], noise=0.5)
    >>> windows = [
    ...     bea.sparse.early_stopping_window(
    ...         data.X, data.y, data.w_star, depth=2, alpha=alpha, step_size=0.01, steps=3000)
    ...     for alpha in (0.001, 0.005)]
    >>> ax = bea.plots.stopping_windows(windows)
    >>> ax.get_xscale(), ax.get_yscale()
    ('log', 'log')
    """
    for window in windows:
        _require(window, Window, "window", "bea.sparse.early_stopping_window")
    if not windows:
        raise ValueError("there must be at least one window to draw")
    ax = axes_or_new(ax, (4.8, 3.4))
    for depth, marker in zip(sorted({w.depth for w in windows}), cycle(MARKERS), strict=False):
        mine = sorted((w for w in windows if w.depth == depth), key=lambda w: w.alpha)
        ends = [
            (w.alpha, w.start * w.step_size, w.stop * w.step_size)
            for w in mine
            if w.start is not None and w.stop is not None
        ]
        hidden = len(mine) - len(ends)
        label = f"$N = {depth}$" + (f" ({hidden} without an end)" if hidden else "")
        alpha, start, stop = np.array(ends).reshape(-1, 3).T
        style: dict[str, Any] = {"color": order_colour(depth - 2), "marker": marker, "markersize": 3.5}
        ax.fill_between(
            alpha, start, np.maximum(start, stop), color=style["color"], alpha=0.2, linewidth=0, gid="window"
        )
        ax.plot(alpha, start, linewidth=1.0, gid="start", label=label, **style)
        ax.plot(alpha, stop, linewidth=1.0, linestyle="--", gid="stop", **style)
    ax.set(xscale="log", yscale="log", xlabel=r"$\alpha$", ylabel=r"time $\eta t$")
    ax.set_title("solid: support found; dashed: the rest grows up")
    ax.legend(**OUTSIDE)
    return ax


@styled
def phase_diagram(
    result: SweepResult, x: str, y: str, value: str, *, ax: Axes | None = None, label: str | None = None
) -> Axes:
    """Draw a result of a sweep over two of its parameters, averaged over all others.

    Parameters
    ----------
    result : SweepResult
        What `bea.sweep` returns for a grid that is a mapping.
    x, y : str
        The names of the parameters along the axes.
    value : str
        The name of the result; one number for each task, such as the success of a recovery.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    label : str, optional
        What to write at the colours; by default the name of the result.

    Returns
    -------
    matplotlib.axes.Axes
        Cells without a result stay white.

    Raises
    ------
    TypeError, ValueError, KeyError
        If an argument is not as described.

    Examples
    --------
    >>> import bea
    >>> def product(a, b):
    ...     return {"area": a * b}
    >>> result = bea.sweep(product, {"a": [1, 2, 3], "b": [1.0, 2.0]}, progress=False)
    >>> ax = bea.plots.phase_diagram(result, "a", "b", "area")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('a', 'b')
    """
    _require(result, SweepResult, "result", "bea.sweep")
    names = list(result.axes)
    for name in (x, y):
        if name not in names:
            raise ValueError(f"the sweep has no axis {name!r}; it has {', '.join(names) or 'none'}")
    if x == y:
        raise ValueError(f"x and y must be two parameters, not {x!r} twice")
    table = result[value]
    if table.ndim != len(names):
        raise ValueError(f"{value!r} must be one number for each task, not an array")
    others = tuple(i for i, name in enumerate(names) if name not in (x, y))
    cells = np.ma.mean(table.astype(float), axis=others)
    if names.index(x) < names.index(y):
        cells = cells.T
    ax = axes_or_new(ax, (4.8, 3.4))
    mesh = ax.pcolormesh(cells, cmap="cividis", edgecolors="white", linewidth=0.4)
    for axis, name in ((ax.xaxis, x), (ax.yaxis, y)):
        values = result.axes[name]
        every = -(-len(values) // 8)
        places = range(0, len(values), every)
        axis.set_ticks([i + 0.5 for i in places], [_short(values[i]) for i in places])
    ax.set(xlabel=x, ylabel=y)
    ax.figure.colorbar(mesh, ax=ax, label=value if label is None else label)
    return ax


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _setting(run: Descent) -> str:
    return rf"$N = {run.depth}$, $\alpha = {run.alpha:.3g}$"


def _require(value: Any, kind: type, name: str, source: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a result of {source}, not {type(value).__name__}")
