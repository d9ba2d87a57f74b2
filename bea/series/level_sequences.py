"""Trees as tuples of vertices in depth-first order, each a pair (level, colour); siblings greatest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Integral

__all__ = [
    "Vertices",
    "branch_sizes",
    "canonical",
    "join",
    "parents",
    "raised",
    "read_integers",
    "require_colours",
    "require_levels",
]

Vertices = tuple[tuple[int, int], ...]


def read_integers(source: Sequence[int], what: str) -> list[int]:
    """The entries of a level sequence or a list of colours, which must be integers."""
    if isinstance(source, str) or not isinstance(source, Iterable):
        raise TypeError(f"{what} must be a sequence of integers, such as [1, 2, 2], not {source!r}")
    entries = list(source)
    for entry in entries:
        if not isinstance(entry, Integral) or isinstance(entry, bool):
            raise TypeError(f"{what} must consist of integers, but it holds {entry!r}")
    return [int(entry) for entry in entries]


def require_levels(levels: Sequence[int]) -> None:
    """Refuse a sequence of levels that no tree has."""
    for i in range(1, len(levels)):
        if levels[i] <= levels[0]:
            raise ValueError(
                f"no tree has the level sequence {list(levels)}: its vertex {i + 1} is at level {levels[i]}, "
                f"but only the first vertex, the root, can be at level {levels[0]} or below"
            )
        if levels[i] > levels[i - 1] + 1:
            raise ValueError(
                f"no tree has the level sequence {list(levels)}: its vertex {i + 1} is at level {levels[i]}, "
                f"but right after level {levels[i - 1]} it can be at most {levels[i - 1] + 1}"
            )


def require_colours(colours: Sequence[int], vertices: int) -> None:
    """Refuse colours that do not fit a tree with so many vertices."""
    if len(colours) != vertices:
        raise ValueError(f"each of the {vertices} vertices needs one colour, but {len(colours)} were given")
    for colour in colours:
        if colour < 0:
            raise ValueError(f"colours are numbered 0, 1, 2, …, so {colour} is none")


def canonical(vertices: Sequence[tuple[int, int]]) -> Vertices:
    """The lexicographically greatest order of the vertices of one tree."""
    open_branches: list[Vertices] = []  # the nearest last
    for level, colour in reversed(vertices):
        children = []
        while open_branches and open_branches[-1][0][0] > level:
            children.append(open_branches.pop())
        open_branches.append(join((level, colour), children))
    return open_branches[0] if open_branches else ()


def join(root: tuple[int, int], branches: Iterable[Vertices]) -> Vertices:
    """A root with canonical branches, which already stand one level above it."""
    return (root, *(vertex for branch in sorted(branches, reverse=True) for vertex in branch))


def raised(vertices: Iterable[tuple[int, int]], by: int) -> Vertices:
    """The same vertices, all `by` levels further from the root."""
    return tuple((level + by, colour) for level, colour in vertices)


def branch_sizes(vertices: Vertices) -> list[int]:
    """For each vertex the number of vertices of its branch: itself and all above it."""
    sizes: list[int] = []
    open_branches: list[int] = []
    for i, (level, _) in enumerate(vertices):
        sizes.append(0)
        while open_branches and vertices[open_branches[-1]][0] >= level:
            start = open_branches.pop()
            sizes[start] = i - start
        open_branches.append(i)
    for start in open_branches:
        sizes[start] = len(vertices) - start
    return sizes


def parents(vertices: Vertices) -> list[int]:
    """For each vertex the position of its parent; −1 for the root."""
    last_at_level: dict[int, int] = {}
    found = []
    for i, (level, _) in enumerate(vertices):
        found.append(last_at_level.get(level - 1, -1))
        last_at_level[level] = i
    return found
