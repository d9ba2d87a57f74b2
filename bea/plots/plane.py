"""Systems in the plane: values on a grid, windows, and names of axes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import sympy
from matplotlib.axes import Axes

from bea.systems.evaluation import parameter_numbers
from bea.systems.game import Game
from bea.systems.loss import Loss
from bea.systems.system import System
from bea.systems.vector_field import VectorField

__all__ = ["Limits", "grid_values", "label_axes", "read_limits", "require_plane", "window"]

Limits = tuple[float, float]

#: Grid points along one side of a window.
RESOLUTION = 241


def require_plane(system: object, what: str, *, kinds: tuple[type, ...] = (Loss, VectorField, Game)) -> None:
    """Refuse what is not a system of two variables."""
    if not isinstance(system, Loss | VectorField | Game) or not isinstance(system, kinds):
        names = " or a ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"{what} takes a {names}, not {type(system).__name__}")
    if system.dimension != 2:
        raise ValueError(f"{what} draws systems of two variables, but this one has {system.dimension}")


def grid_values(
    expressions: Sequence[sympy.Expr], system: Loss | VectorField, xlim: Limits, ylim: Limits
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """The coordinates x (n,), y (n,) of a grid and the expressions' values on it, each of shape (n, n).

    The expressions are in the variables and the parameters of `system`; a value that is not finite is masked.
    """
    numbers = parameter_numbers(system.parameter_symbols, system.parameters)
    function = sympy.lambdify(
        [*system.variables, *system.parameter_symbols], list(expressions), "numpy", cse=True
    )
    x, y = np.linspace(*xlim, RESOLUTION), np.linspace(*ylim, RESOLUTION)
    X, Y = np.meshgrid(x, y)
    with np.errstate(all="ignore"):
        values = function(X, Y, *numbers)
    return x, y, [np.ma.masked_invalid(np.broadcast_to(np.asarray(v, dtype=float), X.shape)) for v in values]


def read_limits(limits: Sequence[float], name: str) -> Limits:
    """`limits` as two finite increasing numbers."""
    pair = np.asarray(limits, dtype=float)
    if pair.shape != (2,) or not np.isfinite(pair).all() or not pair[0] < pair[1]:
        raise ValueError(f"{name} must be two finite increasing numbers, not {limits!r}")
    return float(pair[0]), float(pair[1])


def window(
    curves: Iterable[np.ndarray],
    xlim: Sequence[float] | None,
    ylim: Sequence[float] | None,
    margin: float = 0.12,
) -> tuple[Limits, Limits]:
    """The limits asked for, and where none are, the smallest that hold all `curves`, with a margin.

    Without curves a coordinate runs from −3 to 3.
    """
    points = np.concatenate([np.empty((0, 2)), *curves])
    points = points[np.isfinite(points).all(axis=1)]
    limits = []
    for i, (given, name) in enumerate(((xlim, "xlim"), (ylim, "ylim"))):
        if given is not None:
            limits.append(read_limits(given, name))
        elif len(points) == 0:
            limits.append((-3.0, 3.0))
        else:
            low, high = points[:, i].min(), points[:, i].max()
            pad = margin * (high - low) or 0.1 * abs(low) or 1.0
            limits.append((float(low - pad), float(high + pad)))
    return limits[0], limits[1]


def label_axes(ax: Axes, system: System) -> None:
    """Name the axes after the variables."""
    first, second = system.variables
    ax.set_xlabel(f"${sympy.latex(first)}$")
    ax.set_ylabel(f"${sympy.latex(second)}$", rotation=0, labelpad=8)
