"""Rooted trees as they are drawn in the books: the root below, its branches above it."""

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
from bea.series import RootedTree, rooted_trees
from bea.series.counting import require_order
from bea.series.level_sequences import parents

__all__ = ["rooted_tree", "tree_layout", "tree_table"]

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
    x, y = tree_layout(tree).T
    width, height = float(np.ptp(x)), float(np.ptp(y))
    ax = axes_or_new(ax, (0.5 * width + 0.8, 0.5 * height + 0.8))
    _bare(ax, (x.min() - 0.6, x.max() + 0.6), (-0.6, height + 0.6))
    _draw(ax, tree, np.zeros(2), size=46.0)
    return ax


@styled
def tree_table(
    trees: int | Iterable[RootedTree],
    *,
    series: Mapping[RootedTree, Any] | None = None,
    columns: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """A table of rooted trees, each with its level sequence, symmetry σ and density γ.

    Parameters
    ----------
    trees : int or iterable of RootedTree
        The order up to which all trees are shown, or the trees themselves.
    series : FlowSeries or FieldSeries, optional
        Show the coefficient of every tree too, exact ones as fractions.
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
        If `trees` is neither an order nor rooted trees, there are none or more than 500 of them, `columns` is
        not positive, or the series has no coefficient of one of them.

    Examples
    --------
    >>> from bea import plots
    >>> from bea.schemes import ExplicitEuler
    >>> from bea.series import bseries
    >>> ax = plots.tree_table(4, series=bseries(ExplicitEuler(), order=4).log())
    """
    shown = _read_trees(trees)
    if not isinstance(columns, Integral) or isinstance(columns, bool) or columns < 1:
        raise ValueError(f"columns must be a positive integer, not {columns!r}")
    captions = {tree: _caption(tree, series) for tree in shown}
    rows = _rows(shown, columns)
    below = LINE * (2 if series is None else 3) + GAP
    heights = np.array([max(max(tree.level_sequence) - 1 for tree in row) for row in rows]) + below
    cell = max(_width(tree, captions[tree]) for tree in shown)
    width, height = cell * max(map(len, rows)), float(heights.sum()) - GAP + LINE
    ax = axes_or_new(ax, (EDGE * width, EDGE * (height + 0.4)))
    _bare(ax, (0, width), (-height, 0.4))
    points = _points_per_unit(ax)
    for row, base in zip(rows, below - np.cumsum(heights), strict=True):
        for i, tree in enumerate(row):
            centre = np.array([cell * (i + 0.5), base])
            _draw(ax, tree, centre - [_middle(tree), 0], size=(0.27 * points) ** 2)
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
    placed: list[np.ndarray] = []
    rightmost: dict[float, float] = {}
    for child in tree.children:
        branch = tree_layout(child) + np.array([0, 1])
        branch[:, 0] += max((rightmost[y] + 1 - x for x, y in branch if y in rightmost), default=0)
        for x, y in branch:
            rightmost[y] = max(x, rightmost.get(y, x))
        placed.append(branch)
    if not placed:
        return np.zeros((1, 2))
    middle = (placed[0][0, 0] + placed[-1][0, 0]) / 2
    return np.concatenate([np.zeros((1, 2)), np.concatenate(placed) - [middle, 0]])


def _middle(tree: RootedTree) -> float:
    """How far the middle of the drawing is to the right of the root."""
    x = tree_layout(tree)[:, 0]
    return float(x.min() + x.max()) / 2


def _draw(ax: Axes, tree: RootedTree, root: np.ndarray, size: float) -> None:
    """All edges, and on them all vertices, of `size` square points each."""
    places = tree_layout(tree) + root
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


def _rows(trees: list[RootedTree], columns: int) -> list[list[RootedTree]]:
    """The trees in rows: those of one order in rows about equally long, short orders in one row together."""
    rows: list[list[RootedTree]] = []
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


def _width(tree: RootedTree, caption: list[str]) -> float:
    """The width that a tree and the text below it need, with space around."""
    letters = max(len(re.sub(r"[{}$^ ]", "", re.sub(r"\\\w+", "x", line))) for line in caption)
    return max(float(np.ptp(tree_layout(tree)[:, 0])), LETTER * letters) + 1.3


def _caption(tree: RootedTree, series: Mapping[RootedTree, Any] | None) -> list[str]:
    """The lines below a tree."""
    lines = [str(list(tree.level_sequence)).replace(" ", ""), f"σ = {tree.symmetry}   γ = {tree.density}"]
    if series is None:
        return lines
    try:
        value = series[tree]
    except KeyError as error:
        raise ValueError(f"the series has no coefficient of {tree!r}") from error
    if isinstance(value, float):
        return [*lines, f"{value:.4g}".replace("-", "−")]
    value = sympy.sympify(value)
    text = (
        str(value).replace("-", "−") if value.is_Rational else f"${sympy.latex(value, fold_short_frac=True)}$"
    )
    return [*lines, text]


def _read_trees(trees: int | Iterable[RootedTree]) -> list[RootedTree]:
    """The trees of a table, each once, by order."""
    if isinstance(trees, Integral):
        order = int(trees)
        require_order(order)
        if order > HIGHEST_ORDER:
            raise ValueError(f"a table shows all trees up to order {HIGHEST_ORDER} at most, not {order}")
        return [tree for n in range(1, order + 1) for tree in reversed(list(rooted_trees(n)))]
    if not isinstance(trees, Iterable):
        raise TypeError(f"trees must be an order or rooted trees, not {type(trees).__name__}")
    listed = list(dict.fromkeys(trees))
    for tree in listed:
        _require_vertices(tree)
    if not 0 < len(listed) <= MOST_TREES:
        raise ValueError(f"a table shows from 1 to {MOST_TREES} trees, not {len(listed)}")
    return sorted(listed, key=lambda tree: tree.order)


def _require_vertices(tree: object) -> None:
    if not isinstance(tree, RootedTree):
        raise TypeError(f"a RootedTree is drawn, such as RootedTree([1, 2, 2]), not {tree!r}")
    if not tree.order:
        raise ValueError("the empty tree has no vertex to draw")
