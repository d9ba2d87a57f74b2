"""Rooted trees by number: flat tables of their parts, their products and their cuts, grown on demand.

Cuts of high order are kept on disk; see `bea.series.stored_cuts`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from threading import RLock
from typing import Any, NamedTuple

import numpy as np

from bea.series.counting import count_trees, require_order
from bea.series.level_sequences import Vertices, join, raised
from bea.series.stored_cuts import Cuts, as_cuts, empty_cuts, load_cuts, save_cuts
from bea.series.table_kernels import fill_cuts, fill_order, fill_products
from bea.series.trees import EMPTY, RootedTree

__all__ = ["MAX_TREES", "TreeTables", "clear_tables", "rooted_trees", "tree_tables"]

#: More trees than this are refused: those of order 20 and below are 20 million, and their tables take 3.5 GB.
MAX_TREES = 25_000_000


class Products(NamedTuple):
    """All Butcher products up to an order: x ∘ c is at ``offset[|c|] + (c − start[|c|]) width[|c|] + x``."""

    order: int
    offset: np.ndarray
    width: np.ndarray
    flat: np.ndarray


class TreeTables:
    """All rooted trees up to some order, numbered from 0; see `bea.series.table_kernels` for the numbering.

    Parameters
    ----------
    colours : int, optional
        In how many colours each vertex can come.

    Attributes
    ----------
    order : int
        Up to which order the trees are numbered.
    start : int64 array, shape (order + 2,)
        The number of the first tree of each order; ``start[order + 1]`` is how many there are in all.
    rest, child : int32 arrays
        For each tree τ = r ∘ c the numbers of r and c; c, the largest child of the root, is −1 for a single
        vertex.
    order_of : uint8 array
        The order of each tree.

    Examples
    --------
    >>> from bea.series.tables import tree_tables
    >>> tables = tree_tables()
    >>> [str(tables.tree(i)) for i in tables.numbers(4)]
    ['[•,•,•]', '[[•],•]', '[[•,•]]', '[[[•]]]']
    >>> root_parts, branches = tables.cuts(4)
    >>> [(str(tables.tree(x)), str(tables.tree(y))) for x, y in zip(root_parts[1], branches[1])]
    [('[•]', '[•]'), ('[[•]]', '•'), ('[•,•]', '•')]
    """

    def __init__(self, colours: int = 1) -> None:
        self.colours = colours
        self.order = 0
        self.start = np.zeros(2, dtype=np.int64)
        self.rest = self.child = np.empty(0, dtype=np.int32)
        self.order_of = np.empty(0, dtype=np.uint8)
        self._root_colours = self.order_of
        self._bases: list[np.ndarray] = []
        self._cuts: list[Cuts] = []
        self._products = Products(0, self.start, self.start, self.rest)
        self._lock = RLock()

    def __reduce__(self) -> tuple[Any, ...]:
        """Tables travel to other processes by what they are made of."""
        return tree_tables, (self.order, self.colours)

    def grow(self, order: int) -> TreeTables:
        """Number the trees up to that order, if they are not yet.

        Raises
        ------
        ValueError
            If the order is no positive integer, or there are too many trees.
        """
        require_order(order)
        with self._lock:
            if order > self.order:
                self._number(int(order))
        return self

    def _number(self, order: int) -> None:
        counts = [0]
        for n in range(1, order + 1):
            counts.append(count_trees(n, self.colours))
            if sum(counts) > MAX_TREES:
                raise ValueError(
                    f"order {order} is too high: there are {sum(counts)} trees up to order {n} "
                    f"in {self.colours} colour(s), and the tables hold at most {MAX_TREES}"
                )
        start = np.concatenate([[0], np.cumsum(counts)])
        rest = np.full(start[-1], -1, dtype=np.int32)
        child = rest.copy()
        bases = [np.empty(0, dtype=np.int32)] * 2
        for n in range(2, order + 1):
            bases.append(np.empty(start[n] + 1, dtype=np.int32))
            fill_order(n, start, rest, child, bases[n])
        self.start, self.rest, self.child, self._bases = start, rest, child, bases
        self.order_of = np.repeat(np.arange(order + 1, dtype=np.uint8), counts)
        self.order = order

    @property
    def root_colours(self) -> np.ndarray:
        """The colour of the root of each tree, as a uint8 array."""
        with self._lock:
            if len(self._root_colours) < len(self.rest):
                colours = np.zeros(len(self.rest), dtype=np.uint8)
                colours[: self.colours] = np.arange(self.colours)
                for n in range(2, self.order + 1 if self.colours > 1 else 2):
                    colours[self.slice(n)] = colours[self.rest[self.slice(n)]]
                self._root_colours = colours
        return self._root_colours

    def numbers(self, n: int) -> range:
        """The numbers of the trees of order n."""
        self.grow(n)
        return range(int(self.start[n]), int(self.start[n + 1]))

    def slice(self, n: int) -> slice:
        """Where the trees of order n stand in an array over all trees."""
        return slice(int(self.start[n]), int(self.start[n + 1]))

    # -- products and cuts -----------------------------------------------------------------------------

    def products(self, order: int) -> Products:
        """All Butcher products up to that order."""
        self.grow(order)
        with self._lock:
            if order > self._products.order:
                self._products = self._multiply(order)
        return self._products

    def _multiply(self, order: int) -> Products:
        width = np.zeros(order + 1, dtype=np.int64)
        width[1:order] = self.start[order:1:-1]
        sizes = width * np.diff(self.start)[: order + 1]
        offset = np.cumsum(sizes) - sizes
        flat = np.empty(sizes.sum(), dtype=np.int32)
        for n in range(2, order + 1):
            fill_products(
                n, self.start, self.rest, self.child, self.order_of, self._bases[n], offset, width, flat
            )
        return Products(order, offset, width, flat)

    def product(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """The numbers of the Butcher products i ∘ j, entry by entry.

        Parameters
        ----------
        i, j : int arrays
            Numbers of trees.
        """
        highest = int((self.order_of[i].astype(int) + self.order_of[j]).max(initial=1))
        table = self.products(highest)
        m = self.order_of[j]
        return table.flat[table.offset[m] + (j - self.start[m]) * table.width[m] + i]

    def reroot(self, n: int) -> np.ndarray:
        """For each tree r ∘ c of order n the number of c ∘ r, the root moved along one edge.

        The largest child of a root lies towards the centre of the tree, so these moves lead from any rooting
        of a free tree to every other one.
        """
        self.grow(n)
        part = self.slice(n)
        if n == 1:
            return np.arange(self.colours)
        return self.product(self.child[part], self.rest[part])

    def cuts(self, n: int) -> Cuts:
        """All cuts of one edge in the trees of order n.

        Returns
        -------
        root_part, branch : int32 arrays, shape (T_n, n − 1)
            The numbers of the part at the root and of the part cut off.
        """
        self.grow(n)
        with self._lock:
            while len(self._cuts) <= n:
                self._cut(len(self._cuts))
        return self._cuts[n]

    def _cut(self, n: int) -> None:
        trees = int(self.start[n + 1] - self.start[n]) if n else 0
        words = load_cuts(n, self.colours, trees)
        if words is None:
            words = empty_cuts(n, trees)
            self._fill_cuts(n, *as_cuts(words, n, trees))
            save_cuts(n, self.colours, words)
        self._cuts.append(as_cuts(words, n, trees))

    def _fill_cuts(self, n: int, root_part: np.ndarray, branch: np.ndarray) -> None:
        table = self.products(max(self.order - 1, 1))
        for m in range(1, n):
            fill_cuts(
                n, m, self.start, self.order_of, self._bases[n], table.offset, table.width, table.flat,
                self._cuts[n - m], self._cuts[m], root_part, branch,
            )  # fmt: skip

    # -- numbers and trees -----------------------------------------------------------------------------

    def number(self, tree: RootedTree) -> int:
        """The number of a tree, which must not be empty.

        Raises
        ------
        ValueError
            If the tree has a colour that these tables do not.
        """
        if max(tree.colours) >= self.colours:
            raise ValueError(f"the tree {tree!r} has colours beyond the {self.colours} of these tables")
        self.grow(tree.order)
        open_branches: list[tuple[int, int]] = []  # the levels and numbers of branches, the nearest last
        for level, colour in reversed(tree.vertices):
            children = []
            while open_branches and open_branches[-1][0] > level:
                children.append(open_branches.pop()[1])
            open_branches.append((level, self._join(colour, sorted(children))))
        return open_branches[0][1]

    def _join(self, root: int, children: list[int]) -> int:
        """The number of the tree with that single vertex as root and the given children, in rising order."""
        i, order = root, 1
        for c in children:
            rest_order, order = order, order + int(self.order_of[c])
            i += int(self._bases[order][c]) - int(self.start[rest_order])
        return i

    def tree(self, i: int) -> RootedTree:
        """The tree of that number; −1 is the empty tree."""
        return EMPTY if i < 0 else RootedTree.from_canonical(self._vertices(int(i), {}))

    def trees(self, n: int) -> Iterator[RootedTree]:
        """The trees of order n, one after the other."""
        known: dict[int, Vertices] = {}
        for i in self.numbers(n):
            yield RootedTree.from_canonical(self._vertices(i, known))

    def _vertices(self, i: int, known: dict[int, Vertices]) -> Vertices:
        """The canonical vertices of a tree; those of its branches, one level up, are kept in `known`."""
        branches = []
        while (c := int(self.child[i])) >= 0:
            if c not in known:
                known[c] = raised(self._vertices(c, known), 1)
            branches.append(known[c])
            i = int(self.rest[i])
        return join((1, i), branches)


@cache
def _tables(colours: int) -> TreeTables:
    return TreeTables(colours)


def tree_tables(order: int = 1, colours: int = 1) -> TreeTables:
    """The tables that all series share, grown to at least that order."""
    return _tables(int(colours)).grow(order)


def clear_tables() -> None:
    """Forget all tables, so that their memory is free again once no series uses them."""
    _tables.cache_clear()


def rooted_trees(order: int, colours: int = 1) -> Iterator[RootedTree]:
    """All rooted trees of that order, one after the other.

    They come in the order of the tables in Hairer, Lubich and Wanner (2006), Section III.1: by the largest
    branch at the root, bushy trees first.

    Parameters
    ----------
    order : int
        The number of vertices, 1 or more.
    colours : int, optional
        In how many colours each vertex can come.

    Yields
    ------
    RootedTree

    Raises
    ------
    ValueError
        If the order is no positive integer, or there are too many trees for the tables.

    Examples
    --------
    >>> from bea.series import rooted_trees
    >>> for tree in rooted_trees(4):
    ...     print(tree, tree.level_sequence)
    [•,•,•] (1, 2, 2, 2)
    [[•],•] (1, 2, 3, 2)
    [[•,•]] (1, 2, 3, 3)
    [[[•]]] (1, 2, 3, 4)
    """
    count_trees(order, colours)
    return tree_tables(order, colours).trees(order)
