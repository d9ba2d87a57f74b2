"""Trees as they are drawn in the books: rooted ones upwards from the root, free ones along a longest path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import groupby, pairwise
from math import ceil
from numbers import Integral
from typing import Any

import numpy as np
import sympy
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from bea.plots.style import ORDER_COLOURS, axes_or_new, styled
from bea.series import FreeTree, RootedTree, rooted_trees
from bea.series.counting import require_order
from bea.series.level_sequences import parents

__all__ = ["free_tree", "free_tree_layout", "rooted_tree", "tree_layout", "tree_table"]

Tree = RootedTree | FreeTree

#: What fills the vertices of colours 0, 1, 2, …, which repeat after the last.
FILLS = ("black", "white", *ORDER_COLOURS)

#: How many trees a table shows at most, and up to which order all trees.
MOST_TREES, HIGHEST_ORDER = 500, 9

#: In a table, in units of the length of an edge: the height of a line of text, about the width of a letter,
#: and the space below the last line.
LINE, LETTER, GAP = 0.6, 0.2, 0.95

#: The colour of coefficients in a table.
COEFFICIENT = ORDER_COLOURS[1]

#: Inches for the length of an edge, in a table on a figure of its own.
EDGE = 0.34


@styled
def rooted_tree(tree: RootedTree, *, ax: Axes | None = None) -> Axes:
    """Draw a rooted tree, its root at the origin and every child one unit above its parent.

    Parameters
    ----------
    tree : RootedTree
        Not the empty tree. Vertices of colour 0 are black, those of colour 1 white, others as in
        `bea.plots.style`.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `tree` is no rooted tree, or the empty one.

    Examples
    --------
    >>> from bea import plots
    >>> from bea.series import RootedTree
    >>> ax = plots.rooted_tree(RootedTree([1, 2, 3, 3, 2]))
    """
    _require_vertices(tree)
    return _alone(tree, tree_layout(tree), ax)


@styled
def free_tree(tree: FreeTree, *, ax: Axes | None = None) -> Axes:
    """Draw a tree without a root: a longest path from left to right, its branches above it.

    Parameters
    ----------
    tree : FreeTree
        Vertices are coloured as in `rooted_tree`.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on; by default those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If `tree` is no free tree.

    Examples
    --------
    >>> from bea import plots
    >>> from bea.series import RootedTree
    >>> ax = plots.free_tree(RootedTree([1, 2, 3, 3, 2]).free_tree)
    """
    if not isinstance(tree, FreeTree):
        raise TypeError(f"a FreeTree is drawn, such as RootedTree([1, 2, 2]).free_tree, not {tree!r}")
    return _alone(tree.representative, free_tree_layout(tree), ax)


@styled
def tree_table(
    trees: int | Iterable[Tree],
    *,
    series: Mapping[RootedTree, Any] | None = None,
    columns: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """A table of trees, each with its level sequence, symmetry σ and, if it is rooted, density γ.

    Parameters
    ----------
    trees : int or iterable of RootedTree or FreeTree
        The order up to which all rooted trees are shown, or the trees themselves.
    series : FlowSeries or FieldSeries, optional
        Show the coefficient of every tree too, exact ones as fractions. That of a free tree φ of order n is
        (−1)ⁿ⁺¹ b(φ)/σ(φ), the factor of its elementary function in the modified loss of a gradient
        flow [1]_; b(φ) is the common coefficient of its rootings.
    columns : int, default 8
        How many trees stand in a row at most.
    ax : matplotlib.axes.Axes, optional
        The axes to draw on; by default those of a new figure of fitting size.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `trees` is neither an order nor trees, there are none or more than 500 of them, `columns` is not
        positive, the series has no coefficient of one of them, or rootings of a free tree have different
        coefficients.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Section IX.9.2.

    Examples
    --------
    >>> from bea import plots
    >>> from bea.schemes import ExplicitEuler
    >>> from bea.series import RootedTree, bseries
    >>> ax = plots.tree_table(4, series=bseries(ExplicitEuler(), order=4).log())

    The modified loss of gradient descent, E + h/4 ∇E·∇E.

    >>> free = [RootedTree([1]).free_tree, RootedTree([1, 2]).free_tree]
    >>> ax = plots.tree_table(free, series=bseries(ExplicitEuler(), order=2).log())
    """
    shown = _read_trees(trees)
    if not isinstance(columns, Integral) or isinstance(columns, bool) or columns < 1:
        raise ValueError(f"columns must be a positive integer, not {columns!r}")
    captions = {tree: _caption(tree, series) for tree in shown}
    rows = _rows(shown, columns)
    below = LINE * (2 if series is None else 3) + GAP
    heights = np.array([max(float(_layout(tree)[:, 1].max()) for tree in row) for row in rows]) + below
    cell = max(_width(tree, captions[tree]) for tree in shown)
    width, height = cell * max(map(len, rows)), float(heights.sum()) - GAP + LINE
    ax = axes_or_new(ax, (EDGE * width, EDGE * (height + 0.4)))
    _bare(ax, (0, width), (-height, 0.4))
    points = _points_per_unit(ax)
    for row, base in zip(rows, below - np.cumsum(heights), strict=True):
        for i, tree in enumerate(row):
            centre = np.array([cell * (i + 0.5), base])
            _draw(ax, _rooting(tree), _centred(tree) + centre, size=(0.27 * points) ** 2)
            for line, text in enumerate(captions[tree], start=1):
                colour = COEFFICIENT if line == 3 else "0.2"
                x, y = centre - [0, LINE * line]
                ax.text(x, y, text, color=colour, size=0.34 * points, ha="center", va="center")
    return ax


def tree_layout(tree: RootedTree) -> np.ndarray:
    """Places for the vertices of a tree: the root at the origin, a parent amid its children.

    Branches are put side by side as closely as leaves a distance of 1 at every level, in the manner of
    Reingold and Tilford [1]_, so no edges cross.

    Returns
    -------
    ndarray, shape (order, 2)
        In the order of the level sequence.

    References
    ----------
    .. [1] E. M. Reingold and J. S. Tilford (1981), Tidier drawings of trees, IEEE Transactions on Software
           Engineering 7, 223–228.

    Examples
    --------
    >>> from bea.series import RootedTree
    >>> tree_layout(RootedTree([1, 2, 2])).tolist()
    [[0.0, 0.0], [-0.5, 1.0], [0.5, 1.0]]
    """
    rightmost: dict[float, float] = {}
    placed = [_beside(rightmost, tree_layout(child) + np.array([0, 1])) for child in tree.children]
    if not placed:
        return np.zeros((1, 2))
    middle = (placed[0][0, 0] + placed[-1][0, 0]) / 2
    return np.concatenate([np.zeros((1, 2)), np.concatenate(placed) - [middle, 0]])


def free_tree_layout(tree: FreeTree) -> np.ndarray:
    """Places for the vertices of a free tree: a longest path below, its branches above.

    The representative, lexicographically greatest of all rootings, begins with such a path.

    Returns
    -------
    ndarray, shape (order, 2)
        In the order of the level sequence of the representative; the middle of the drawing is at 0.

    Examples
    --------
    >>> from bea.series import RootedTree
    >>> free_tree_layout(RootedTree([1, 2, 2, 2]).free_tree).tolist()
    [[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]
    """
    rest: RootedTree | None = tree.representative
    rightmost: dict[float, float] = {}
    placed: list[np.ndarray] = []
    while rest is not None:
        following, *branches = rest.children or [None]
        placed.append(_beside(rightmost, tree_layout(RootedTree.from_children(branches))))
        rest = following
    path = [places[:1] for places in placed]
    places = np.concatenate([*path, *(places[1:] for places in reversed(placed))])
    return places - np.array([(places[:, 0].min() + places[:, 0].max()) / 2, 0])


def _beside(rightmost: dict[float, float], places: np.ndarray) -> np.ndarray:
    """Places moved so far to the right as leaves a distance of 1 to the rightmost at every height so far."""
    shift = max((rightmost[y] + 1 - x for x, y in places if y in rightmost), default=0)
    moved = places + np.array([shift, 0])
    for x, y in moved:
        rightmost[y] = max(x, rightmost.get(y, x))
    return moved


def _layout(tree: Tree) -> np.ndarray:
    return free_tree_layout(tree) if isinstance(tree, FreeTree) else tree_layout(tree)


def _rooting(tree: Tree) -> RootedTree:
    return tree.representative if isinstance(tree, FreeTree) else tree


def _centred(tree: Tree) -> np.ndarray:
    """Places with the middle of the drawing at 0."""
    places = _layout(tree)
    return places - np.array([(places[:, 0].min() + places[:, 0].max()) / 2, 0])


def _alone(tree: RootedTree, places: np.ndarray, ax: Axes | None) -> Axes:
    """One tree in a window that fits it."""
    x, y = places.T
    width, height = float(np.ptp(x)), float(np.ptp(y))
    ax = axes_or_new(ax, (0.5 * width + 0.8, 0.5 * height + 0.8))
    _bare(ax, (x.min() - 0.6, x.max() + 0.6), (-0.6, height + 0.6))
    _draw(ax, tree, places, size=46.0)
    return ax


def _draw(ax: Axes, tree: RootedTree, places: np.ndarray, size: float) -> None:
    """All edges, and on them all vertices, of `size` square points each."""
    edges = [(places[i], places[j]) for j, i in enumerate(parents(tree.vertices)) if i >= 0]
    ax.add_collection(LineCollection(edges, colors="0.25", linewidths=max(0.16 * size**0.5, 0.5), zorder=2))
    fills = [FILLS[colour % len(FILLS)] for colour in tree.colours]
    rim = max(0.12 * size**0.5, 0.4)
    x, y = places.T
    ax.scatter(x, y, s=size, c=fills, edgecolors="black", linewidths=rim, zorder=3)


def _bare(ax: Axes, across: tuple[float, float], along: tuple[float, float]) -> None:
    """Nothing but the window, in which both units are equal."""
    ax.set(xlim=across, ylim=along, aspect="equal")
    ax.set_axis_off()


def _points_per_unit(ax: Axes) -> float:
    """The length of an edge in points, so that text and vertices fit it."""
    box = ax.get_window_extent()
    unit = min(box.width / np.ptp(ax.get_xlim()), box.height / np.ptp(ax.get_ylim()))
    return float(unit * 72 / ax.figure.dpi)


def _rows(trees: list[Tree], columns: int) -> list[list[Tree]]:
    """The trees in rows: those of one order in rows about equally long, short orders in one row together."""
    rows: list[list[Tree]] = []
    for _, group in groupby(trees, key=lambda tree: tree.order):
        members = list(group)
        length = ceil(len(members) / ceil(len(members) / columns))
        rows.extend(members[i : i + length] for i in range(0, len(members), length))
    longest = max(map(len, rows))
    joined = [rows[0]]
    for before, row in pairwise(rows):
        if row[0].order != before[0].order and len(joined[-1]) + len(row) <= longest:
            joined[-1] = joined[-1] + row
        else:
            joined.append(row)
    return joined


def _width(tree: Tree, caption: list[str]) -> float:
    """The width that a tree and the text below it need, with space around."""
    letters = max(len(re.sub(r"[{}$^ ]", "", re.sub(r"\\\w+", "x", line))) for line in caption)
    return max(float(np.ptp(_layout(tree)[:, 0])), LETTER * letters) + 1.3


def _caption(tree: Tree, series: Mapping[RootedTree, Any] | None) -> list[str]:
    """The lines below a tree."""
    density = f"   γ = {tree.density}" if isinstance(tree, RootedTree) else ""
    lines = [
        str(list(_rooting(tree).level_sequence)).replace(" ", ""),
        f"σ = {tree.symmetry}{density}",
    ]
    if series is None:
        return lines
    try:
        value = series[tree] if isinstance(tree, RootedTree) else _in_modified_loss(tree, series)
    except KeyError as error:
        raise ValueError(f"the series has no coefficient of {tree!r}") from error
    if isinstance(value, float):
        return [*lines, f"{value:.4g}".replace("-", "−")]
    value = sympy.sympify(value)
    text = (
        str(value).replace("-", "−") if value.is_Rational else f"${sympy.latex(value, fold_short_frac=True)}$"
    )
    return [*lines, text]


def _in_modified_loss(tree: FreeTree, series: Mapping[RootedTree, Any]) -> Any:
    """(−1)ⁿ⁺¹ b(φ)/σ(φ)."""
    first, *others = (series[rooting] for rooting in tree.rootings)
    if any(sympy.simplify(other - first) != 0 for other in others):
        raise ValueError(
            f"the rootings of {tree!r} have different coefficients, so there is no modified loss"
        )
    return (-1) ** (tree.order + 1) * first / tree.symmetry


def _read_trees(trees: int | Iterable[Tree]) -> list[Tree]:
    """The trees of a table, each once, by order."""
    if isinstance(trees, Integral):
        order = int(trees)
        require_order(order)
        if order > HIGHEST_ORDER:
            raise ValueError(f"a table shows all trees up to order {HIGHEST_ORDER} at most, not {order}")
        return [tree for n in range(1, order + 1) for tree in reversed(list(rooted_trees(n)))]
    if not isinstance(trees, Iterable):
        raise TypeError(f"trees must be an order or trees, not {type(trees).__name__}")
    listed = list(dict.fromkeys(trees))
    for tree in listed:
        if not isinstance(tree, FreeTree):
            _require_vertices(tree)
    if not 0 < len(listed) <= MOST_TREES:
        raise ValueError(f"a table shows from 1 to {MOST_TREES} trees, not {len(listed)}")
    return sorted(listed, key=lambda tree: tree.order)


def _require_vertices(tree: object) -> None:
    if not isinstance(tree, RootedTree):
        raise TypeError(f"a RootedTree is drawn, such as RootedTree([1, 2, 2]), not {tree!r}")
    if not tree.order:
        raise ValueError("the empty tree has no vertex to draw")
