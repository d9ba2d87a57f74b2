"""Rooted trees, in the canonical form of their level sequences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from math import factorial, prod
from typing import TYPE_CHECKING, Any

from bea.series.level_sequences import (
    Vertices,
    branch_sizes,
    canonical,
    join,
    raised,
    read_integers,
    require_colours,
    require_levels,
)
from bea.series.notation import latex_of, text_of

if TYPE_CHECKING:
    from bea.series.free_trees import FreeTree

__all__ = ["EMPTY", "RootedTree"]


class RootedTree:
    r"""A rooted tree, possibly with coloured vertices, given by the levels of its vertices [1]_.

    A level sequence lists the vertices of a tree in depth-first order, each by its level, which is 1 for the
    root and one more for a child than for its parent. Of all level sequences of one tree the
    lexicographically greatest is canonical [2]_. Every other one is brought to it, so trees are equal when
    they are isomorphic.

    Parameters
    ----------
    level_sequence : sequence of int
        The levels; the first may be any integer, from which the others count. The empty sequence is the
        empty tree ∅, whose elementary differential is the identity y.
    colours : sequence of int, optional
        A colour 0, 1, 2, … for each vertex, as P-series and additive methods need them; by default all are
        0.

    Attributes
    ----------
    order : int
        The number of vertices |τ|.
    level_sequence, colours : tuple of int
        The canonical level sequence, which begins with 1, and the colours in the same order.
    children : tuple of RootedTree
        The trees τ₁, …, τ_m of τ = [τ₁, …, τ_m].
    symmetry, density, labellings : int
        σ(τ), γ(τ) and α(τ).

    Raises
    ------
    ValueError
        If no tree has this level sequence, or the colours do not fit it.
    TypeError
        If a level or a colour is not an integer.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Section III.1.
    .. [2] T. Beyer and S. M. Hedetniemi (1980), Constant time generation of rooted trees, SIAM Journal on
           Computing 9, 706–712.

    Examples
    --------
    >>> from bea.series import RootedTree
    >>> tree = RootedTree([1, 2, 2, 3])
    >>> tree
    RootedTree([1, 2, 3, 2])
    >>> print(tree)
    [[•],•]
    >>> tree.order, tree.symmetry, tree.density, tree.labellings
    (4, 1, 8, 3)
    """

    def __init__(self, level_sequence: Sequence[int], colours: Sequence[int] | None = None) -> None:
        levels = read_integers(level_sequence, "level_sequence")
        paint = [0] * len(levels) if colours is None else read_integers(colours, "colours")
        require_levels(levels)
        require_colours(paint, len(levels))
        vertices = [(level - levels[0] + 1, colour) for level, colour in zip(levels, paint, strict=True)]
        self._set(canonical(vertices))

    def _set(self, vertices: Vertices) -> None:
        self.vertices = vertices
        self._hash = hash(vertices)

    @classmethod
    def from_canonical(cls, vertices: Vertices) -> RootedTree:
        """The tree of vertices (level, colour) that are known to be in canonical order."""
        tree = object.__new__(cls)
        tree._set(vertices)
        return tree

    @classmethod
    def from_children(cls, children: Iterable[Any], colour: int = 0) -> RootedTree:
        """The tree [τ₁, …, τ_m]: a new root whose children are the roots of the given trees.

        Parameters
        ----------
        children : iterable
            Of `RootedTree`, or of such iterables again; an empty one stands for a single vertex.
        colour : int, optional
            The colour of the new root.

        Raises
        ------
        TypeError
            If a child is neither a tree nor an iterable of children.
        ValueError
            If a child is the empty tree, or the colour is negative.

        Examples
        --------
        >>> from bea.series import RootedTree
        >>> RootedTree.from_children([[], [[]]])
        RootedTree([1, 2, 3, 2])
        """
        require_colours([colour], 1)
        branches = []
        for child in children:
            if not isinstance(child, RootedTree):
                if isinstance(child, str) or not isinstance(child, Iterable):
                    raise TypeError(f"a child is a RootedTree or a list of children, not {child!r}")
                child = cls.from_children(child)
            child._require_root()
            branches.append(raised(child.vertices, 1))
        return cls.from_canonical(join((1, colour), branches))

    # -- its parts -------------------------------------------------------------------------------------

    @property
    def order(self) -> int:
        """The number of vertices |τ|; 0 for the empty tree."""
        return len(self.vertices)

    @property
    def level_sequence(self) -> tuple[int, ...]:
        """The canonical level sequence, which begins with 1."""
        return tuple(level for level, _ in self.vertices)

    @property
    def colours(self) -> tuple[int, ...]:
        """The colours of the vertices, in the order of the level sequence."""
        return tuple(colour for _, colour in self.vertices)

    @property
    def root_colour(self) -> int:
        """The colour of the root, which a tree that is not empty has."""
        self._require_root()
        return self.vertices[0][1]

    @cached_property
    def children(self) -> tuple[RootedTree, ...]:
        """The trees τ₁, …, τ_m of τ = [τ₁, …, τ_m], the lexicographically greatest first."""
        sizes = branch_sizes(self.vertices)
        found, i = [], 1
        while i < self.order:
            found.append(self.from_canonical(raised(self.vertices[i : i + sizes[i]], -1)))
            i += sizes[i]
        return tuple(found)

    @property
    def free_tree(self) -> FreeTree:
        """The free tree of which this is a rooting.

        Examples
        --------
        >>> from bea.series import RootedTree
        >>> RootedTree([1, 2, 2]).free_tree == RootedTree([1, 2, 3]).free_tree
        True
        """
        from bea.series.free_trees import FreeTree

        return FreeTree(self)

    # -- its numbers -----------------------------------------------------------------------------------

    @cached_property
    def symmetry(self) -> int:
        """The symmetry σ(τ), the number of automorphisms: σ([τ₁^m₁, …]) = Π m_i! σ(τ_i)^m_i, τ_i distinct."""
        return prod(self._repetitions())

    def _repetitions(self) -> list[int]:
        """For each vertex how many branches like its own hang on its parent, up to and with this one."""
        counts: list[int] = []
        for i, size in enumerate(branch_sizes(self.vertices)):
            again = i >= size and self.vertices[i - size : i] == self.vertices[i : i + size]
            counts.append(counts[i - size] + 1 if again else 1)
        return counts

    @cached_property
    def density(self) -> int:
        """The density γ(τ) = |τ| γ(τ₁) ⋯ γ(τ_m), the product of the sizes of all branches; γ(∅) = 1."""
        return prod(branch_sizes(self.vertices))

    @property
    def labellings(self) -> int:
        """The number α(τ) = |τ|! / (σ(τ) γ(τ)) of monotone labellings of the vertices."""
        return factorial(self.order) // (self.symmetry * self.density)

    # -- its algebra -----------------------------------------------------------------------------------

    def butcher_product(self, other: RootedTree) -> RootedTree:
        """The Butcher product u ∘ v: the root of v becomes a child of the root of u.

        Raises
        ------
        ValueError
            If one of the two is the empty tree.

        Examples
        --------
        >>> from bea.series import RootedTree
        >>> dot = RootedTree([1])
        >>> dot.butcher_product(dot).butcher_product(dot)
        RootedTree([1, 2, 2])
        """
        self._require_root()
        other._require_root()
        branches = (raised(child.vertices, 1) for child in (*self.children, other))
        return self.from_canonical(join(self.vertices[0], branches))

    def graft(self, other: RootedTree) -> Mapping[RootedTree, int]:
        """The trees that arise when the root of `other` becomes the child of any vertex of this tree.

        Returns
        -------
        dict of RootedTree to int
            For each of them the number of vertices of this tree that lead to it. The Lie derivative of
            elementary differentials is F(u)'F(v) = Σ_τ (this number) F(τ), u this tree and v the other.

        Raises
        ------
        ValueError
            If one of the two is the empty tree.

        Examples
        --------
        >>> from bea.series import RootedTree
        >>> RootedTree([1, 2, 2]).graft(RootedTree([1]))
        {RootedTree([1, 2, 3, 2]): 2, RootedTree([1, 2, 2, 2]): 1}
        """
        self._require_root()
        other._require_root()
        grafted: Counter[Vertices] = Counter()
        for i, (level, _) in enumerate(self.vertices, start=1):
            scion = raised(other.vertices, level)
            grafted[canonical((*self.vertices[:i], *scion, *self.vertices[i:]))] += 1
        return {self.from_canonical(v): grafted[v] for v in sorted(grafted, reverse=True)}

    def _require_root(self) -> None:
        if not self.order:
            raise ValueError("the empty tree has no root, so nothing can be grafted on it or it on anything")

    # -- its text --------------------------------------------------------------------------------------

    @property
    def latex(self) -> str:
        r"""The tree in LaTeX: ∅, •, or [τ₁, …, τ_m]; with colours, a root stands before its bracket."""
        return latex_of(self.vertices)

    def _repr_latex_(self) -> str:
        return f"${self.latex}$"

    def __str__(self) -> str:
        return text_of(self.vertices)

    def __repr__(self) -> str:
        colours = f", colours={list(self.colours)}" if any(self.colours) else ""
        return f"RootedTree({list(self.level_sequence)}{colours})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RootedTree) and self.vertices == other.vertices

    def __hash__(self) -> int:
        return self._hash


#: The empty tree ∅, of order 0, with σ = γ = 1; its elementary differential is the identity y.
EMPTY = RootedTree([])
