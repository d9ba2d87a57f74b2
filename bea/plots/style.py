"""What colours, lines and markers mean in every picture, and how a picture is set.

Blue, dashed: the flow without correction. Vermilion, green, …: flows with one, two, … correction terms.
Dots: the iterates of the discrete algorithm. Thick grey: the zero-loss set Γ. Among several step sizes a
darker tint is a larger step. The first colours are those of Okabe and Ito, told apart with every common
colour vision.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib as mpl
import numpy as np
from matplotlib import patheffects
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex, to_rgb

__all__ = [
    "GAMMA",
    "ITERATES",
    "LANDSCAPE",
    "MARKERS",
    "START",
    "STREAMLINES",
    "axes_or_new",
    "flow_line",
    "order_colour",
    "styled",
    "tints",
]

#: Colours by the number of correction terms; 0 is the flow of the system itself.
ORDER_COLOURS = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#332288",
    "#882255",
    "#666633",
)

#: Markers, where several sets of points must be told apart.
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")

#: The zero-loss set: cased in white, to be seen on every ground.
GAMMA: dict[str, Any] = {
    "color": "0.3",
    "linewidth": 2.6,
    "solid_capstyle": "butt",
    "path_effects": [patheffects.withStroke(linewidth=4.4, foreground="white")],
    "zorder": 2.0,
}

#: The loss behind everything else: the paler, the lower.
LANDSCAPE = LinearSegmentedColormap.from_list("landscape", ["#fdfdfc", "#e9eff3", "#d6e0e8", "#c2d1dc"])

#: Streamlines of a field.
STREAMLINES: dict[str, Any] = {"color": "0.62", "linewidth": 0.6, "arrowsize": 0.7, "zorder": 1.1}

#: The iterates of a discrete algorithm.
ITERATES: dict[str, Any] = {
    "linestyle": "none",
    "color": "0.1",
    "markersize": 3.4,
    "markeredgecolor": "black",
    "markeredgewidth": 0.35,
    "zorder": 4.0,
}

#: The point from which they start.
START: dict[str, Any] = {
    "marker": "o",
    "linestyle": "none",
    "color": "white",
    "markeredgecolor": "black",
    "markersize": 6.0,
    "zorder": 5.0,
}

#: Settings that hold while a picture is drawn, and are put back afterwards.
SETTINGS: dict[str, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9.5,
    "axes.linewidth": 0.8,
    "legend.fontsize": 8.0,
    "legend.title_fontsize": 8.0,
    "legend.framealpha": 0.92,
    "legend.edgecolor": "0.85",
    "legend.fancybox": False,
    "lines.linewidth": 1.6,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
}

P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """`draw`, run with the settings of this package; the reader's own rcParams are the same afterwards."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        plt.draw_if_interactive()  # loads the backend now: on leaving the context its settings would be lost
        with mpl.rc_context(SETTINGS):
            return draw(*args, **kwargs)

    return drawn


def axes_or_new(ax: Axes | None, figsize: tuple[float, float]) -> Axes:
    """`ax`, or the axes of a new figure where there is none."""
    if ax is None:
        return plt.subplots(figsize=figsize, layout="constrained")[1]
    if not isinstance(ax, Axes):
        raise TypeError(f"ax must be Matplotlib axes, not {type(ax).__name__}")
    ax.tick_params(which="both", labelsize=SETTINGS["xtick.labelsize"])
    return ax


def order_colour(order: int) -> str:
    """The colour of the flow with `order` correction terms."""
    return ORDER_COLOURS[order % len(ORDER_COLOURS)]


def flow_line(order: int) -> dict[str, Any]:
    """How the flow with `order` correction terms is drawn."""
    dashes = (0, (5, 2)) if order == 0 else "solid"
    return {"color": order_colour(order), "linestyle": dashes, "zorder": 3.0}


def tints(colour: str, count: int) -> list[str]:
    """`count` tints of one colour, from light to dark.

    Examples
    --------
    >>> tints("#D55E00", 3)
    ['#eebf99', '#d55e00', '#6a2f00']
    """
    base = np.array(to_rgb(colour))
    if count == 1:
        return [colour]
    shares = np.linspace(-0.6, 0.5, count) if count != 3 else np.array([-0.6, 0.0, 0.5])
    return [to_hex(base * (1 - s) if s >= 0 else base + (1 - base) * -s) for s in shares]
