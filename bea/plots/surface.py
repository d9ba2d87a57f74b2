"""The surface of a loss, and how a modified loss differs from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize, SymLogNorm

from bea.plots.plane import Limits, grid_values, label_axes, read_limits, require_plane
from bea.plots.style import GAMMA, axes_or_new, styled
from bea.plots.zero_curve import draw_zero_loss_set, zero_loss_curves
from bea.systems.loss import Loss

__all__ = ["loss_surface"]

#: Decades of a logarithmic colour scale, of values of one sign and of both; what is smaller has one colour.
DECADES, DECADES_EACH = 4, 2


@styled
def loss_surface(
    loss: Loss,
    xlim: Sequence[float],
    ylim: Sequence[float],
    *,
    modified: Loss | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw a loss of two variables: flat, or as a surface in space where `ax` has three dimensions.

    Colour shows the loss E, on a logarithmic scale. With a `modified` loss Ẽ,
    colour shows the difference Ẽ − E, and E is given by level sets, or by the height of the surface.

    Parameters
    ----------
    loss : Loss
    xlim, ylim : (float, float)
        The window.
    modified : Loss, optional
        A loss of the same variables, such as ``equation.loss.truncate(1).with_parameters(h=0.1)``.
    ax : matplotlib.axes.Axes or mpl_toolkits.mplot3d.Axes3D, optional
        Where to draw; by default flat, in a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a loss does not have two variables, or one of its parameters no value, or the variables differ.
    TypeError
        If an argument is of another kind.

    Examples
    --------
    >>> import bea
    >>> loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
    >>> equation = bea.modified_equation(loss, bea.GradientDescent(), order=1)
    >>> modified = equation.loss.truncate(1).with_parameters(h=0.1)
    >>> ax = bea.plots.loss_surface(loss, (-2, 2), (-2, 2), modified=modified)
    """
    require_plane(loss, "a loss surface", kinds=(Loss,))
    xlim, ylim = read_limits(xlim, "xlim"), read_limits(ylim, "ylim")
    x, y, (E,) = grid_values([loss.expression], loss, xlim, ylim)
    shade = E if modified is None else _difference(loss, modified, E, xlim, ylim)

    ax = axes_or_new(ax, (4.6, 3.8))
    scale = _Scale.of(shade)
    name = f"${_symbol(loss)}$" if modified is None else r"$\tilde E - E$"
    if hasattr(ax, "plot_surface"):
        _draw_in_space(ax, loss, (x, y, E), scale.clip(shade), scale, name)
    else:
        _draw_flat(ax, loss, (x, y, scale.clip(shade)), scale, name)
        if modified is not None:
            ax.contour(x, y, E, levels=_Scale.of(E).levels[::3], colors="0.7", linewidths=0.5)
    ax.set(xlim=xlim, ylim=ylim)
    label_axes(ax, loss)
    return ax


def _difference(loss: Loss, modified: Loss, E: np.ndarray, xlim: Limits, ylim: Limits) -> np.ndarray:
    """Ẽ − E on the grid."""
    require_plane(modified, "a loss surface", kinds=(Loss,))
    if modified.variables != loss.variables:
        names = " and ".join(str(v) for v in loss.variables)
        raise ValueError(
            f"the modified loss must be of the same variables {names}, not of {modified.variables}"
        )
    return grid_values([modified.expression], modified, xlim, ylim)[2][0] - E


@dataclass(frozen=True)
class _Scale:
    """A colour scale: logarithmic, so that what happens near the zero-loss set is seen."""

    norm: Normalize
    levels: np.ndarray
    ticks: np.ndarray
    map: str
    extend: str

    @classmethod
    def of(cls, values: np.ndarray) -> _Scale:
        low, high = float(values.min()), float(values.max())
        top = max(high, -low) or 1.0
        rounding = 1e-13 * top
        one_sign = low >= -rounding or high <= rounding
        decades = DECADES if one_sign else DECADES_EACH
        steps = np.geomspace(top * 10.0**-decades, top, 6 * decades + 1)
        ticks = 10.0 ** np.arange(np.ceil(np.log10(steps[0])), np.floor(np.log10(top)) + 1)
        if low >= -rounding:
            return cls(LogNorm(steps[0], top), steps, ticks, "viridis", "min")
        if one_sign:
            norm = SymLogNorm(steps[0], vmin=-top, vmax=-steps[0])
            return cls(norm, -steps[::-1], -ticks[::-1], "viridis", "max")
        norm = SymLogNorm(steps[0], vmin=-top, vmax=top)
        both = [np.concatenate([-part[::-1], part]) for part in (steps, ticks)]
        return cls(norm, both[0], np.insert(both[1], len(ticks), 0.0), "PuOr_r", "neither")

    def clip(self, values: np.ndarray) -> np.ndarray:
        """The values, with those beyond the scale moved just beyond its ends."""
        reach = 1e-3 * np.abs(self.levels).min()
        return np.clip(values, self.levels[0] - reach, self.levels[-1] + reach)


def _draw_flat(ax: Axes, loss: Loss, grid: tuple[np.ndarray, ...], scale: _Scale, name: str) -> None:
    x, y, shade = grid
    shown: dict[str, Any] = {"norm": scale.norm, "cmap": scale.map, "extend": scale.extend}
    filled = ax.contourf(x, y, shade, levels=scale.levels, **shown)
    _add_bar(ax, filled, scale, name)
    if draw_zero_loss_set(ax, loss, (x[0], x[-1]), (y[0], y[-1])):
        ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.1, frameon=False)


def _draw_in_space(
    ax: Any, loss: Loss, grid: tuple[np.ndarray, ...], shade: np.ndarray, scale: _Scale, name: str
) -> None:
    x, y, E = grid
    mappable = ScalarMappable(scale.norm, scale.map)
    mesh: dict[str, Any] = {"rcount": 80, "ccount": 80, "linewidth": 0, "shade": False, "antialiased": False}
    ax.plot_surface(*np.meshgrid(x, y), E, facecolors=mappable.to_rgba(shade), **mesh)
    for curve in zero_loss_curves(loss, (x[0], x[-1]), (y[0], y[-1])):
        ax.plot(*curve.T, np.zeros(len(curve)), gid="zero-loss-set", **{**GAMMA, "zorder": 10.0})
    ax.set_zlabel(f"${_symbol(loss)}$")
    _add_bar(ax, mappable, scale, name, shrink=0.6, pad=0.14)


def _add_bar(ax: Axes, mappable: Any, scale: _Scale, name: str, **place: Any) -> None:
    bar = ax.figure.colorbar(mappable, ax=ax, label=name, **place)
    bar.set_ticks(list(scale.ticks), labels=[_power_of_ten(tick) for tick in scale.ticks])
    bar.minorticks_off()


def _power_of_ten(value: float) -> str:
    """±10^k or 0 as a label."""
    sign = "-" if value < 0 else ""
    return "$0$" if value == 0 else f"${sign}10^{{{round(np.log10(abs(value)))}}}$"


def _symbol(loss: Loss) -> str:
    return f"E({', '.join(sympy.latex(v) for v in loss.variables)})"
