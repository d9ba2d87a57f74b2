"""Free trees: trees without a root, and all the ways to root them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cached_property

from bea.series.level_sequences import Vertices, canonical, parents
from bea.series.trees import RootedTree

__all__ = ["FreeTree"]


class FreeTree:
    """A tree without a root, given by any one of its rootings.

    The elementary differentials of a gradient field f = −∇E belong to rooted trees, elementary scalar
    functions such as ∇E·∇E to free ones [1]_.

    Parameters
    ----------
    rooting : RootedTree
        A rooting, not the empty tree.

    Attributes
    ----------
    order : int
        The number of vertices.
    rootings : dict of RootedTree to int
        All rootings, each with the number of vertices that give it, the lexicographically greatest first.

    Raises
    ------
    ValueError
        If the tree is empty.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Section IX.9.2.

    Examples
    --------
    >>> from bea.series import FreeTree, RootedTree
    >>> path = FreeTree(RootedTree([1, 2, 2]))
    >>> path.rootings
    {RootedTree([1, 2, 3]): 2, RootedTree([1, 2, 2]): 1}
    >>> path.symmetry
    2
    """

    def __init__(self, rooting: RootedTree) -> None:
        if not rooting.order:
            raise ValueError("the empty tree is no rooting of a free tree")
        self._given = rooting.vertices

    @property
    def order(self) -> int:
        """The number of vertices."""
        return len(self._given)

    @cached_property
    def rootings(self) -> Mapping[RootedTree, int]:
        """All rootings, each with the number of vertices that give it, lexicographically greatest first."""
        found = Counter(_rooted_at(self._given, i) for i in range(self.order))
        return {RootedTree.from_canonical(v): found[v] for v in sorted(found, reverse=True)}

    @property
    def representative(self) -> RootedTree:
        """The rooting by which free trees are compared: the lexicographically greatest."""
        return next(iter(self.rootings))

    @property
    def symmetry(self) -> int:
        """The number of automorphisms: σ(τ) times the number of vertices that give τ, any rooting."""
        return self.representative.symmetry * self.rootings[self.representative]

    def __repr__(self) -> str:
        return f"FreeTree({self.representative!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FreeTree) and self.representative == other.representative

    def __hash__(self) -> int:
        return hash((FreeTree, self.representative))


def _rooted_at(vertices: Vertices, root: int) -> Vertices:
    """The canonical vertices of the same free tree with another root."""
    neighbours: list[list[int]] = [[] for _ in vertices]
    for i, parent in enumerate(parents(vertices)):
        if parent >= 0:
            neighbours[i].append(parent)
            neighbours[parent].append(i)
    sequence = []
    todo = [(root, -1, 1)]
    while todo:
        i, origin, level = todo.pop()
        sequence.append((level, vertices[i][1]))
        todo.extend((j, i, level + 1) for j in neighbours[i] if j != origin)
    return canonical(sequence)
