"""Runge–Kutta methods known by name: classes whose data are a tableau, drawn as in the books."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from bea.schemes.runge_kutta import RungeKutta

__all__ = ["NamedTableau", "member", "read_tableau"]

Row = list[str]


class NamedTableau(RungeKutta):
    """A Runge–Kutta method whose class carries its name, its order and its tableau.

    Examples
    --------
    A subclass needs nothing else; blanks at the end of a row are zeros.

    >>> from bea.schemes.named_tableau import NamedTableau
    >>> class Runge(NamedTableau):
    ...     name, order = "runge", 2
    ...     tableau = '''
    ...         0   |
    ...         1/2 | 1/2
    ...         ---------
    ...             | 0   1
    ...     '''
    >>> Runge().A
    Matrix([
    [  0, 0],
    [1/2, 0]])
    """

    tableau: ClassVar[str]

    def __init__(self) -> None:
        A, b, c, b_hat = read_tableau(self.tableau)
        super().__init__(A, b, c, b_hat=b_hat, name=self.name, order=self.order)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def read_tableau(text: str) -> tuple[list[Row], Row, Row, Row | None]:
    """The tables A, b, c and b̂ (or None) of a tableau drawn as in the books, entries parted by blanks."""
    lines = [line.split("|") for line in text.strip().splitlines()]
    rule = next(i for i, line in enumerate(lines) if line[0].strip().startswith("--"))
    c = [line[0].strip() for line in lines[:rule]]
    rows = [line[1].split() for line in lines[:rule] + lines[rule + 1 :]]
    A_b_b_hat = [row + ["0"] * (len(c) - len(row)) for row in rows]
    A, (b, *embedded) = A_b_b_hat[: len(c)], A_b_b_hat[len(c) :]
    return A, b, c, embedded[0] if embedded else None


def member(family: str, members: Mapping[int, type[NamedTableau]], stages: int) -> NamedTableau:
    """The member of a family with the given number of stages.

    Raises
    ------
    ValueError
        If the family has no such member here.
    """
    if stages not in members:
        raise ValueError(f"{family} is known here with {sorted(members)} stages, not {stages!r}")
    return members[stages]()
