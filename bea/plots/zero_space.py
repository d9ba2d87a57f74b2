"""The zero-loss set in the space of three variables, as curves and as facets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, permutations, product

import numpy as np
import sympy
from contourpy import contour_generator

from bea.plots.plane import Limits
from bea.systems.derivatives import partial_derivatives
from bea.systems.evaluation import parameter_numbers
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["zero_loss_facets", "zero_loss_lines"]

#: How many planes across each axis cut a surface, and grid points along one side of such a plane.
CUTS, RESOLUTION = 9, 61

#: Grid cells along each side of the box, which are cut into tetrahedra: their corners are those of the cell
#: on the way from (0, 0, 0) to (1, 1, 1) along the axes in some order.
CELLS = 16
TETRAHEDRA = np.array(
    [[np.eye(3, dtype=int)[list(p)][:k].sum(axis=0) for k in range(4)] for p in permutations(range(3))]
)

#: By how many corners of a tetrahedron are below zero: the edges, between corners in the order of their
#: values, on which the corners of a triangle are. There are two triangles where it is two.
CROSSED = (
    (1, ((0, 1), (0, 2), (0, 3))),
    (2, ((0, 2), (0, 3), (1, 3))),
    (2, ((0, 2), (1, 3), (1, 2))),
    (3, ((3, 0), (3, 1), (3, 2))),
)

#: How many Gauss–Newton steps take points near Γ onto it.
NEWTON_STEPS = 8

#: A curve is followed by steps of this share of the diagonal of the box, from seeds on a grid of so many
#: points along each side, for so many steps at most.
STRIDE, SEEDS, MOST_STEPS = 1 / 150, 4, 3000


def zero_loss_lines(zeros: ZeroLossSet, box: Sequence[Limits]) -> list[np.ndarray]:
    """Curves on Γ inside a box, each an array of shape (n, 3) of points of Γ to rounding.

    A surface is given by its cuts with planes across the three axes, a curve by itself, and isolated points
    by nothing.

    Examples
    --------
    >>> import bea
    >>> sphere = bea.ZeroLossSet(["x**2 + y**2 + z**2 - 1"], variables="x y z")
    >>> lines = zero_loss_lines(sphere, [(-1.5, 1.5)] * 3)
    >>> max(float(abs((line**2).sum(axis=1) - 1).max()) for line in lines) < 1e-14
    True
    """
    if zeros.dimension == 2:
        return _cuts(zeros, box)
    return _traces(zeros, box) if zeros.dimension == 1 else []


def zero_loss_facets(zeros: ZeroLossSet, box: Sequence[Limits]) -> np.ndarray:
    """Triangles with corners on Γ, of shape (n, 3, 3) by triangle and corner; none where Γ is no surface.

    Where the first residual changes its sign in a tetrahedron it is replaced by a linear function there
    [1]_. The corners that this gives are carried onto Γ.

    References
    ----------
    .. [1] A. Doi, A. Koide, "An efficient method of triangulating equi-valued surfaces by using tetrahedral
           cells", IEICE Transactions E74, 1991.

    Examples
    --------
    >>> import bea
    >>> sphere = bea.ZeroLossSet(["x**2 + y**2 + z**2 - 1"], variables="x y z")
    >>> facets = zero_loss_facets(sphere, [(-1.5, 1.5)] * 3)
    >>> float(abs((facets**2).sum(axis=2) - 1).max()) < 1e-14
    True
    """
    if zeros.dimension != 2:
        return np.empty((0, 3, 3))
    corners, heights = _tetrahedra(zeros, box)
    below = np.where(np.isfinite(heights).all(axis=1), (heights < 0).sum(axis=1), 0)
    facets = []
    for count, triangle in CROSSED:
        x, r = corners[below == count], heights[below == count, :, None]
        sides = [(r[:, q] * x[:, p] - r[:, p] * x[:, q]) / (r[:, q] - r[:, p]) for p, q in triangle]
        facets.append(np.stack(sides, axis=1))
    reach = max(high - low for low, high in box) / CELLS
    found = _carried(zeros, np.concatenate(facets).reshape(-1, 3), reach).reshape(-1, 3, 3)
    return found[np.isfinite(found).all(axis=(1, 2))]


def _tetrahedra(zeros: ZeroLossSet, box: Sequence[Limits]) -> tuple[np.ndarray, np.ndarray]:
    """Corners (n, 4, 3) of the tetrahedra and the first residual there (n, 4), in the order of its values."""
    points = np.stack(np.meshgrid(*(np.linspace(*side, CELLS + 1) for side in box), indexing="ij"), axis=-1)
    values = _over_points(zeros, zeros.residuals[:1])(points.reshape(-1, 3)).reshape(points.shape[:3])
    cells = np.stack(np.meshgrid(*[np.arange(CELLS)] * 3, indexing="ij"), axis=-1).reshape(-1, 1, 1, 3)
    i, j, k = np.moveaxis((cells + TETRAHEDRA).reshape(-1, 4, 3), -1, 0)
    order = np.argsort(values[i, j, k], axis=1)
    corners = np.take_along_axis(points[i, j, k], order[:, :, None], axis=1)
    return corners, np.take_along_axis(values[i, j, k], order, axis=1)


def _carried(zeros: ZeroLossSet, points: np.ndarray, reach: float) -> np.ndarray:
    """Points of shape (n, 3) carried onto Γ by Gauss–Newton steps; not a number where Γ is beyond `reach`."""
    F = _over_points(zeros, zeros.residuals)
    slopes = [slope for r in zeros.residuals for slope in partial_derivatives(r, zeros.variables)]
    J = _over_points(zeros, slopes)
    x, rank, n = points, zeros.codimension, len(points)
    length = np.full(n, np.inf)
    for _ in range(NEWTON_STEPS):
        residual, jacobian = F(x), J(x).reshape(n, len(zeros.residuals), 3)
        known = np.isfinite(residual).all(axis=1) & np.isfinite(jacobian).all(axis=(1, 2))
        U, s, V = np.linalg.svd(np.where(known[:, None, None], jacobian, 0.0), full_matrices=False)
        inverse = np.where(s > 1e-12 * s[:, :1], 1.0, 0.0) / np.where(s > 0, s, 1.0)
        along = np.einsum("nij,ni->nj", U, np.where(known[:, None], residual, 0.0))[:, :rank]
        step = np.einsum("nj,njk->nk", along * inverse[:, :rank], V[:, :rank])
        x, length = np.where(known[:, None], x - step, np.nan), np.linalg.norm(step, axis=1)
    near = (length < 1e-12) & (np.abs(F(x)).max(axis=1) < 1e-9 * (1 + s[:, 0]))
    near &= np.linalg.norm(x - points, axis=1) <= reach
    return np.where(near[:, None], x, np.nan)


def _over_points(zeros: ZeroLossSet, expressions: Sequence[sympy.Expr]) -> Callable[[np.ndarray], np.ndarray]:
    """Expressions as a function from points (n, 3) to values (n, m); not a number where there is none."""
    numbers = parameter_numbers(zeros.parameter_symbols, zeros.parameters)
    symbols = [*zeros.variables, *zeros.parameter_symbols]
    function = sympy.lambdify(symbols, list(expressions), "numpy", cse=True)

    def values(points: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            found = function(*points.T, *numbers)
        rows = [np.broadcast_to(np.asarray(row, dtype=float), len(points)) for row in found]
        return np.stack(rows, axis=1)

    return values


def _cuts(zeros: ZeroLossSet, box: Sequence[Limits]) -> list[np.ndarray]:
    """The cuts of a surface with planes: contours of the first residual, carried onto Γ."""
    residual = _over_points(zeros, zeros.residuals[:1])
    lines = []
    for axis in range(3):
        u, v = (np.linspace(*box[i], RESOLUTION) for i in range(3) if i != axis)
        plane = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
        for level in np.linspace(*box[axis], CUTS):
            values = residual(np.insert(plane, axis, level, axis=1)).reshape(len(v), len(u))
            for flat in contour_generator(u, v, np.ma.masked_invalid(values)).lines(0.0):
                lines.append(np.insert(np.asarray(flat), axis, level, axis=1))
    if not lines:
        return []
    reach = max(high - low for low, high in box) / RESOLUTION
    carried = _carried(zeros, np.concatenate(lines), reach)
    parts = np.split(carried, np.cumsum([len(line) for line in lines])[:-1])
    return [piece for part in parts for piece in _pieces(part)]


def _pieces(line: np.ndarray) -> list[np.ndarray]:
    """The pieces of a line between points that are not numbers."""
    gaps = np.flatnonzero(~np.isfinite(line).all(axis=1))
    ends = [-1, *gaps.tolist(), len(line)]
    return [line[i + 1 : j] for i, j in pairwise(ends) if j - i > 2]


def _traces(zeros: ZeroLossSet, box: Sequence[Limits]) -> list[np.ndarray]:
    """All branches of a curve that seeds on a grid lead to, each followed until it leaves the box."""
    low, high = np.array(box).T
    stride = STRIDE * float(np.linalg.norm(high - low))
    branches: list[np.ndarray] = []
    for place in product((np.arange(SEEDS) + 0.5) / SEEDS, repeat=3):
        seed = _retracted(zeros, low + np.array(place) * (high - low))
        if seed is None or ((seed < low) | (seed > high)).any():
            continue
        if all(np.linalg.norm(branch - seed, axis=1).min() > stride for branch in branches):
            forward = _follow(zeros, seed, stride, (low, high))
            closed = len(forward) > 2 and bool((forward[-1] == seed).all())
            back = forward[:0] if closed else _follow(zeros, seed, -stride, (low, high))[:0:-1]
            branches.append(np.array([*back, *forward]))
    return [branch for branch in branches if len(branch) > 1]


def _follow(
    zeros: ZeroLossSet, seed: np.ndarray, stride: float, box: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Points of a curve from a seed on: a step along the tangent, and back onto Γ.

    It ends where the curve leaves the box, closes at the seed, or is singular.
    """
    low, high = box
    points = [seed]
    tangent = _tangent(zeros, seed) * np.sign(stride)
    for _ in range(MOST_STEPS):
        point = _retracted(zeros, points[-1] + abs(stride) * tangent)
        if point is None or not 0 < np.linalg.norm(point - points[-1]) < 2 * abs(stride):
            break
        if ((point < low) | (point > high)).any():
            break
        if len(points) > 2 and np.linalg.norm(point - seed) < 0.75 * abs(stride):
            points.append(seed)
            break
        points.append(point)
        turned = _tangent(zeros, point)
        tangent = turned * np.sign(turned @ tangent)
    return np.array(points)


def _tangent(zeros: ZeroLossSet, point: np.ndarray) -> np.ndarray:
    """A unit tangent of a curve: what F' takes to zero."""
    return np.linalg.svd(zeros.jacobian(point))[2][-1]


def _retracted(zeros: ZeroLossSet, point: np.ndarray) -> np.ndarray | None:
    """The point of Γ near another, or None where Gauss–Newton steps find none."""
    try:
        return zeros.retract(point)
    except RuntimeError:
        return None
