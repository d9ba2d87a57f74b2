"""Trees in brackets: • is a single vertex, [τ₁, …, τ_m] joins the roots of its parts to a new root."""

from __future__ import annotations

from bea.series.level_sequences import Vertices

__all__ = ["latex_of", "text_of"]

#: The marks of colours 0, 1, 2, …; later colours show their number.
TEXT_MARKS = ("•", "∘", "▪", "▫", "▴", "▵")
LATEX_MARKS = (r"\bullet", r"\circ", r"\blacksquare", r"\square", r"\blacktriangle", r"\triangle")


def text_of(vertices: Vertices) -> str:
    """The brackets in plain text.

    Examples
    --------
    >>> from bea.series.notation import text_of
    >>> text_of(((1, 0), (2, 0), (3, 0), (2, 0)))
    '[[•],•]'
    >>> text_of(((1, 0), (2, 1), (2, 0)))
    '•[∘,•]'
    """
    return _brackets(vertices, TEXT_MARKS, "({})") if vertices else "∅"


def latex_of(vertices: Vertices) -> str:
    r"""The brackets in LaTeX that MathJax knows as well.

    Examples
    --------
    >>> from bea.series.notation import latex_of
    >>> latex_of(((1, 0), (2, 0), (3, 0), (2, 0)))
    '[[\\bullet],\\bullet]'
    """
    return _brackets(vertices, LATEX_MARKS, "{{({})}}") if vertices else r"\emptyset"


def _brackets(vertices: Vertices, marks: tuple[str, ...], other: str) -> str:
    """One walk along the vertices; where there are colours each mark stands before its bracket."""
    plain = all(colour == 0 for _, colour in vertices)
    parts = []
    for i, (level, colour) in enumerate(vertices):
        following = vertices[i + 1][0] if i + 1 < len(vertices) else 1
        mark = marks[colour] if colour < len(marks) else other.format(colour)
        if following > level:
            parts.append("[" if plain else f"{mark}[")
        else:
            parts.append(mark + "]" * (level - following) + ("," if following > 1 else ""))
    return "".join(parts)
