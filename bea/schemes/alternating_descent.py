"""Alternating play of gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bea.schemes.parametric import ParametricScheme
from bea.schemes.parts import read_sequence
from bea.schemes.scheme import Arithmetic

__all__ = ["AlternatingDescent"]


@dataclass(frozen=True, repr=False)
class AlternatingDescent(ParametricScheme):
    """Alternating play: one player after the other descends its own loss, knowing the moves before [1]_.

    A round takes the time h: every player moves for h, so that the modified field is
    f − (h/2) f'f + h Σ_i Σ_j (∂_j f_i) f_j + …, with the players j that move before i in the inner sum. A
    player that moves n times in a round follows n times its field, since each of its moves is for the time h.

    Parameters
    ----------
    sequence : sequence of int, optional
        The players, counted from 0, in the order of play, each of them at least once: ``(1, 0)`` begins with
        the second player, and in ``(0, 1, 1)`` it moves twice. By default in the order of the game.
    updates : sequence of int, optional
        For each player, how many updates it makes whenever it is its turn; by default one.

    Raises
    ------
    TypeError, ValueError
        If these hold no integers, or a number of updates is not positive.

    References
    ----------
    .. [1] M. Rosca, Y. Wu, B. Dherin and D. G. T. Barrett (2021), Discretization drift in two-player games,
           International Conference on Machine Learning, Theorem 3.2.
    .. [2] J. P. Bailey, G. Gidel and G. Piliouras (2020), Finite regret and cycles with fixed step-size via
           alternating gradient descent-ascent, Conference on Learning Theory.

    Examples
    --------
    >>> import bea
    >>> game = bea.Game(["x*y", "-x*y"], players=["x", "y"])
    >>> bea.modified_equation(game, bea.AlternatingDescent(), order=1).terms[1].T
    Matrix([[x/2, -y/2]])

    Two updates of the second player in every round:

    >>> bea.modified_equation(game, bea.AlternatingDescent(updates=(1, 2)), order=0).terms[0].T
    Matrix([[-y, 2*x]])
    """

    sequence: Sequence[int] | None = None
    updates: Sequence[int] | None = None

    name, order = "alternating-descent", 1

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        for field in ("sequence", "updates"):
            object.__setattr__(self, field, read_sequence(getattr(self, field), owner, field))
        sequence, updates = self.sequence or (), self.updates or ()
        if any(count < 1 for count in updates):
            raise ValueError(f"every player of {owner} makes at least one update, but updates is {updates}")
        if any(count > 1 for count in updates) or len(set(sequence)) < len(sequence):
            object.__setattr__(self, "order", None)

    def require(self, parts: int) -> None:
        """Refuse a system with fewer than two players, or with others than the sequence and updates name."""
        if parts < 2:
            raise ValueError(f"{self.name} is played by two players or more: give it a Game")
        self.turns(parts)

    def turns(self, players: int) -> tuple[int, ...]:
        """The player of each update of one round.

        Raises
        ------
        ValueError
            If the sequence does not name every player, or there is not one number of updates for each.

        Examples
        --------
        >>> AlternatingDescent(sequence=(1, 0), updates=(1, 3)).turns(2)
        (1, 1, 1, 0)
        """
        sequence = tuple(range(players)) if self.sequence is None else self.sequence
        updates = (1,) * players if self.updates is None else self.updates
        if set(sequence) != set(range(players)):
            raise ValueError(
                f"the sequence must name each of the players 0 to {players - 1}, but it is {sequence}"
            )
        if len(updates) != players:
            raise ValueError(
                f"there must be one number of updates for each of the {players} players, not {updates}"
            )
        return tuple(player for player in sequence for _ in range(updates[player]))

    def step(self, field: Any, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """One round: x ↦ x + h f_i(x) for one player i after the other."""
        point = list(x)
        for player in self.turns(len(field.parts)):
            move = field.parts[player](point)
            point = [x_k + h * m_k for x_k, m_k in zip(point, move, strict=True)]
        return point
