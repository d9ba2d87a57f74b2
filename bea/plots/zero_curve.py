"""The zero-loss set of a loss of two variables, as curves."""

from __future__ import annotations

import numpy as np
import sympy
from contourpy import contour_generator
from matplotlib.axes import Axes

from bea.plots.plane import Limits, grid_values
from bea.plots.style import GAMMA
from bea.systems.loss import Loss
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["draw_zero_loss_set", "find_zero_loss_set", "zero_loss_curves"]


def find_zero_loss_set(loss: Loss) -> ZeroLossSet | None:
    """The zero-loss set that the loss carries, or else the one that a single square c·F², c > 0, shows.

    Examples
    --------
    >>> import bea
    >>> find_zero_loss_set(bea.Loss("(1 - a*b)**2 / 2", variables="a b")).residuals
    (a*b - 1,)
    """
    if loss.zero_loss_set is not None:
        return loss.zero_loss_set
    coefficient, power = sympy.factor(loss.expression).as_coeff_Mul()
    base, exponent = power.as_base_exp()
    if not (coefficient.is_positive and exponent.is_even and exponent.is_positive):
        return None
    free = {s.name for s in base.free_symbols}
    known = {name: value for name, value in loss.parameters.items() if name in free}
    return ZeroLossSet([base], loss.variables, known)


def zero_loss_curves(loss: Loss, xlim: Limits, ylim: Limits) -> list[np.ndarray]:
    """The pieces of Γ inside a window, each an array of shape (n, 2) of points of Γ to rounding.

    Contours of the first residual on a grid, whose every vertex is carried onto Γ. There are none where no
    zero-loss set is known or where it is not a curve.
    """
    zeros = find_zero_loss_set(loss)
    if zeros is None or zeros.dimension != 1:
        return []
    x, y, (values,) = grid_values(zeros.residuals[:1], loss, xlim, ylim)
    reach = np.hypot(x[1] - x[0], y[1] - y[0])
    curves = []
    for line in contour_generator(x, y, values).lines(0.0):
        vertices = [_nearby_zero(zeros, vertex, reach) for vertex in np.asarray(line)]
        breaks = [i for i, vertex in enumerate(vertices) if vertex is None]
        for start, end in zip([-1, *breaks], [*breaks, len(vertices)], strict=True):
            if end - start > 2:
                curves.append(np.array(vertices[start + 1 : end]))
    return curves


def _nearby_zero(zeros: ZeroLossSet, vertex: np.ndarray, reach: float) -> np.ndarray | None:
    """The point of Γ near `vertex`, or None where there is none within `reach`."""
    try:
        end = zeros.retract(vertex)
    except RuntimeError:
        return None
    return end if np.linalg.norm(end - vertex) <= reach else None


def draw_zero_loss_set(ax: Axes, loss: Loss, xlim: Limits, ylim: Limits) -> bool:
    """Draw Γ; whether there was anything to draw."""
    curves = zero_loss_curves(loss, xlim, ylim)
    for i, curve in enumerate(curves):
        ax.plot(*curve.T, label=r"zero-loss set $\Gamma$" if i == 0 else None, gid="zero-loss-set", **GAMMA)
    return bool(curves)
