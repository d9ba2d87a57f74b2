"""Errors against the step size, with the measured slopes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatterSciNotation, LogLocator, NullFormatter

from bea.plots.style import MARKERS, axes_or_new, order_colour, styled
from bea.theorems.slopes import Slope

__all__ = ["error_against_step"]


@styled
def error_against_step(slopes: Slope | Sequence[Slope], *, ax: Axes | None = None) -> Axes:
    r"""Draw the errors of measured slopes against the step size, both logarithmic.

    Each series carries a line of the measured slope, a triangle of the predicted one, and an entry in the
    legend that names both. Errors below the range of floats, which read 0, cannot be drawn; the legend
    counts them.

    Parameters
    ----------
    slopes : Slope or sequence of Slope
        What `bea.slope` returns.
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
    >>> loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
    >>> slopes = [bea.slope(loss, bea.GradientDescent(), [1.4, 1.1], order=k) for k in (0, 1)]
    >>> ax = bea.plots.error_against_step(slopes)
    """
    series = [slopes] if isinstance(slopes, Slope) else list(slopes)
    if not series:
        raise ValueError("there must be at least one slope to draw")
    for slope in series:
        if not isinstance(slope, Slope):
            raise TypeError(f"slopes are results of bea.slope, not {type(slope).__name__}")
    columns = 1 if len(series) < 4 else 2
    ax = axes_or_new(ax, (4.6 if columns == 1 else 5.6, 3.6 + 0.08 * len(series)))
    ax.set(xscale="log", yscale="log", xlabel="step size $h$", ylabel=_error_name(series))
    for slope, marker in zip(series, cycle(MARKERS), strict=False):
        _draw_errors(ax, slope, marker)
    spans = np.ptp(np.log10([ax.get_xlim(), ax.get_ylim()]), axis=1)
    for slope in series:
        _draw_triangle(ax, slope, spans)
    _label_short_axis(ax)
    place: dict[str, Any] = {
        "loc": "lower left",
        "bbox_to_anchor": (0.0, 1.0),
        "borderaxespad": 0.2,
        "frameon": False,
    }
    ax.legend(
        title="± half the interval; grey: predicted slopes",
        alignment="left",
        columnspacing=1.0,
        handletextpad=0.2,
        ncols=columns,
        **place,
    )
    return ax


def _draw_errors(ax: Axes, slope: Slope, marker: str) -> None:
    """The errors of one slope and the fitted line."""
    h, errors, note = _positive(slope)
    style: dict[str, Any] = {"color": order_colour(slope.order), "markersize": 4.5}
    ax.plot(h, errors, marker, label=_legend_entry(slope) + note, gid="errors", **style)
    if len(h) > 1:
        ends = np.array([h.min(), h.max()])
        ax.plot(ends, _fitted(slope, ends), linewidth=1.0, gid="fit", **style)


def _legend_entry(slope: Slope) -> str:
    """The number of terms, the slope and its interval, with as many digits as that deserves."""
    low, high = slope.interval
    reach = max(high - slope.value, slope.value - low)
    digits = int(np.clip(np.ceil(-np.log10(max(reach, 1e-6))), 2, 6))
    return f"through $h^{{{slope.order}}}$: slope {slope.value:.{digits}f} ± {reach:.1g}"


def _positive(slope: Slope) -> tuple[np.ndarray, np.ndarray, str]:
    """The step sizes and errors that have logarithms, and a note on those that have none."""
    h, errors = np.asarray(slope.step_sizes, dtype=float), np.asarray(slope.errors, dtype=float)
    shown = errors > 0
    hidden = len(shown) - int(shown.sum())
    return h[shown], errors[shown], f"\n({hidden} of {len(shown)} errors too small to draw)" if hidden else ""


def _fitted(slope: Slope, h: np.ndarray) -> np.ndarray:
    """The line of the measured slope through the error at the smallest step size."""
    step_sizes, errors, _ = _positive(slope)
    first = np.argmin(step_sizes)
    return 10.0 ** (np.log10(errors[first]) + slope.value * np.log10(h / step_sizes[first]))


def _draw_triangle(ax: Axes, slope: Slope, spans: np.ndarray) -> None:
    """A right triangle of the predicted slope under the line, with its number; only that where it is flat."""
    h = _positive(slope)[0]
    if len(h) < 2:
        return
    left, right = np.exp(np.log(h.min()) + np.array([0.56, 0.72]) * np.log(h.max() / h.min()))
    base = _fitted(slope, left) * 10.0 ** (-0.02 * spans[1])
    left, right = np.array([left, right]) * 10.0 ** (0.015 * spans[0])
    top = base * (right / left) ** slope.predicted
    steep = np.log10(top / base) > 0.02 * spans[1]
    if steep:
        ax.plot(
            [left, right, right, left], [base, base, top, base], color="0.4", linewidth=0.7, gid="triangle"
        )
    place: dict[str, Any] = {"xytext": (3, 0), "textcoords": "offset points", "fontsize": 7.5}
    place["va"] = "center" if steep else "top"
    ax.annotate(f"{slope.predicted:g}", (right, np.sqrt(base) * np.sqrt(top)), color="0.4", **place)


def _label_short_axis(ax: Axes) -> None:
    """Label 2 and 5 between the powers of ten too, where there are few of these."""
    short = np.ptp(np.log10(ax.get_xlim())) < 1.6
    ax.xaxis.set_minor_locator(LogLocator(subs=(2, 5) if short else range(2, 10)))
    ax.xaxis.set_minor_formatter(
        LogFormatterSciNotation(minor_thresholds=(np.inf, np.inf)) if short else NullFormatter()
    )


def _error_name(slopes: Sequence[Slope]) -> str:
    """What the errors are, if all are of one kind."""
    kinds = {(slope.kind, slope.time) for slope in slopes}
    if len(kinds) > 1:
        return "error"
    kind, time = kinds.pop()
    return "error after one step" if kind == "local" else f"error at time $t = {time:g}$"
