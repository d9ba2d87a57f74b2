"""The discretization drift of a game, told apart by the players whose moves made it.

Every player j's field is marked by a symbol s_j. In the modified field of the marked game each monomial in
the s_j then names the players that took part: at h the coefficient of s_i s_j in the equation of player i is
what the moves of j do to i, and that of s_i² is what i does to itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy

from bea.modified.equation import ModifiedEquation, modified_equation
from bea.modified.flint_ring import FlintRing, NotElementaryError
from bea.modified.modified_loss import ModifiedLoss
from bea.modified.sympy_ring import SympyRing
from bea.modified.terms import Terms
from bea.schemes.scheme import Scheme
from bea.systems.game import Game
from bea.systems.loss import Loss
from bea.systems.split_field import SplitField

__all__ = ["DiscretizationDrift", "discretization_drift"]

#: Players, counted from 0, each as often as its moves take part, in increasing order.
Movers = tuple[int, ...]


class DiscretizationDrift:
    """The terms h f₁ + h² f₂ + … by which a scheme departs from a game, split by whose moves made them.

    Returned by `discretization_drift`; not made by hand. Players are counted from 0.

    Attributes
    ----------
    game : Game
    scheme : Scheme
    order : int
        The highest power of h.
    terms : sequence of sympy.ImmutableMatrix of shape (d, 1)
        ``terms[k]`` is the coefficient of h**k of all players, as in `ModifiedEquation`.
    """

    def __init__(self, game: Game, equation: ModifiedEquation, marks: Sequence[sympy.Symbol]) -> None:
        self.game = game
        self.scheme = equation.scheme
        self.order = equation.order
        self._pieces = Terms(self.order + 1, lambda k: _by_movers(equation.terms[k], marks))
        self.terms = Terms(self.order + 1, self._total)

    def _total(self, k: int) -> sympy.ImmutableMatrix:
        return sympy.ImmutableMatrix(_sum(self._pieces[k].values(), self.game.dimension))

    def pieces(self, player: int, k: int = 1) -> dict[Movers, sympy.ImmutableMatrix]:
        """The coefficient of h**k in the equation of one player, by the players whose moves made it.

        Parameters
        ----------
        player : int
        k : int, default 1
            The power of h.

        Returns
        -------
        dict from tuple of int to sympy.ImmutableMatrix of shape (number of the player's variables, 1)
            Pieces that vanish are left out. What nobody's moves have made, such as a decay of the weights,
            has the key ``()``.

        Raises
        ------
        ValueError
            If there is no such player or power.
        """
        self._check(player, k)
        own = {movers: self._own(piece, player) for movers, piece in self._pieces[k].items()}
        return {movers: piece for movers, piece in own.items() if any(piece)}

    def self_term(self, player: int, k: int = 1) -> sympy.ImmutableMatrix:
        """The part of the player's h**k that its own moves alone have made."""
        pieces = self.pieces(player, k)
        return _sum([p for m, p in pieces.items() if set(m) == {player}], len(self.game.players[player]))

    def interaction(self, player: int, k: int = 1) -> sympy.ImmutableMatrix:
        """The part of the player's h**k in which moves of others take part."""
        pieces = self.pieces(player, k)
        return _sum([p for m, p in pieces.items() if set(m) - {player}], len(self.game.players[player]))

    def loss(self, player: int) -> ModifiedLoss:
        """The modified loss of one player, as a function of its own variables, with what is no gradient.

        The player then follows ẋ_i = −c_i ∇_{x_i} (E₀ + h E₁ + …) + c_i (remainder), with its rate c_i; the
        variables of the others are parameters. ``is_exact(k)`` says whether the drift at h**k is a gradient
        in the player's own variables. A function of the others' variables alone may be added to any E_k.

        Examples
        --------
        >>> import bea
        >>> game = bea.Game(["x*y + x**2/2", "-x*y"], players=["x", "y"])
        >>> drift = bea.discretization_drift(game, bea.SimultaneousDescent())
        >>> drift.loss(0).terms[1]
        x*y/2
        """
        self._check(player, 0)
        return self._modified_loss(player, [self._own(self.terms[k], player) for k in range(self.order + 1)])

    def regularizer(self, player: int, other: int) -> sympy.Expr | None:
        """R with −c_i ∇_{x_i} R the piece at h that the player i and another (or i itself) have made.

        Of the losses it is r ∇_jL_i·∇_jL_j with a number or a rate r where that is so, as in zero-sum games
        [1]_.

        Returns
        -------
        sympy.Expr or None
            None where that piece is no gradient in the player's own variables.

        References
        ----------
        .. [1] M. Rosca, Y. Wu, B. Dherin and D. G. T. Barrett (2021), Discretization drift in two-player
               games, International Conference on Machine Learning, Section 3.

        Examples
        --------
        >>> import bea
        >>> game = bea.Game(["x*y", "-x*y"], players=["x", "y"])
        >>> drift = bea.discretization_drift(game, bea.SimultaneousDescent())
        >>> drift.regularizer(0, 1), drift.regularizer(0, 0)
        (-x**2/4, 0)
        """
        self._check(player, 1)
        self._check(other, 1)
        movers = (min(player, other), max(player, other))
        pieces = self.pieces(player)
        if movers not in pieces:
            return sympy.S.Zero
        nothing = sympy.zeros(len(self.game.players[player]), 1)
        loss = self._modified_loss(player, [nothing, pieces[movers]])
        if not loss.is_exact(1):
            return None
        published = self._product_of_gradients(player, other, pieces[movers])
        return loss.terms[1] if published is None else published

    def _product_of_gradients(
        self, player: int, other: int, piece: sympy.ImmutableMatrix
    ) -> sympy.Expr | None:
        """r ∇_jL_i·∇_jL_j with −c_i ∇_i of it the piece, if there is such a constant r."""
        game = self.game
        product = sympy.Add(
            *(game.losses[player].diff(v) * game.losses[other].diff(v) for v in game.players[other])
        )
        slopes = [-game.rates[player] * product.diff(v) for v in game.players[player]]
        pairs = [(p, s) for p, s in zip(piece, slopes, strict=True) if p != 0]
        if pairs[0][1] == 0:
            return None
        ratio = sympy.cancel(pairs[0][0] / pairs[0][1])
        if ratio.free_symbols & set(game.variables):
            ratio = sympy.simplify(ratio)
        if ratio.free_symbols & set(game.variables):
            return None
        same = all(sympy.simplify(p - ratio * s) == 0 for p, s in zip(piece, slopes, strict=True))
        return ratio * sympy.expand(product) if same else None

    def _modified_loss(self, player: int, fields: Sequence[sympy.MatrixBase]) -> ModifiedLoss:
        """The modified loss of fields in the player's own variables, divided by its rate."""
        game, own = self.game, self.game.players[player]
        rows = [[sympy.expand(c / game.rates[player]) for c in field] for field in fields]
        names = {s.name for s in game.losses[player].free_symbols}
        known = {name: value for name, value in game.parameters.items() if name in names}
        loss = Loss(game.losses[player], own, known)
        expressions = [loss.expression, *(c for row in rows for c in row)]
        ring: Any
        try:
            ring = FlintRing(own, expressions)
        except NotElementaryError:
            ring = SympyRing(own, expressions)
        elements = [[ring.element(c) for c in row] for row in rows]
        return ModifiedLoss(loss, ring, elements, [{(0,): sympy.S.One}])

    def _own(self, column: sympy.MatrixBase, player: int) -> sympy.ImmutableMatrix:
        """The rows of a player."""
        rows = [self.game.variables.index(v) for v in self.game.players[player]]
        return sympy.ImmutableMatrix([column[i] for i in rows])

    def _check(self, player: int, k: int) -> None:
        players = len(self.game.players)
        if isinstance(player, bool) or not isinstance(player, int) or not 0 <= player < players:
            raise ValueError(f"the player must be an integer from 0 to {players - 1}, not {player!r}")
        if isinstance(k, bool) or not isinstance(k, int) or not 0 <= k <= self.order:
            raise ValueError(f"the power of h must be an integer from 0 to {self.order}, not {k!r}")

    def __str__(self) -> str:
        lines = []
        for i, own in enumerate(self.game.players):
            lines.append(f"player {i} ({', '.join(map(str, own))})")
            for k in range(1, self.order + 1):
                pieces = self.pieces(i, k)
                lines += [f"  h^{k}  {_said(m, i)}: {list(pieces[m])}" for m in _in_order(pieces, i)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.game!r}, {self.scheme!r}, order={self.order})"

    def latex(self) -> str:
        """LaTeX of the equations: a line for each variable, and under each piece the players that made it."""
        rows = []
        for i, own in enumerate(self.game.players):
            for a, variable in enumerate(own):
                row = sympy.latex(self._own(self.terms[0], i)[a])
                for k in range(1, self.order + 1):
                    power = "h" if k == 1 else f"h^{{{k}}}"
                    pieces = self.pieces(i, k)
                    row += "".join(
                        rf" + {power} \underbrace{{\left({sympy.latex(pieces[m][a])}\right)}}_{{{_named(m)}}}"
                        for m in _in_order(pieces, i)
                        if pieces[m][a] != 0
                    )
                rows.append(rf"\dot{{{sympy.latex(variable)}}} &= {row} + O(h^{{{self.order + 1}}})")
        return "\\begin{aligned}" + r" \\ ".join(rows) + "\\end{aligned}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex()}$"


def discretization_drift(game: Game, scheme: Scheme, order: int = 1) -> DiscretizationDrift:
    """The drift of every player, with its self terms and its interaction terms told apart [1]_.

    Parameters
    ----------
    game : Game
    scheme : Scheme
        One whose modified field is a polynomial in the fields of the players: alternating or simultaneous
        descent, a Runge–Kutta method, momentum, but not Adam.
    order : int, default 1
        The highest power of h.

    Returns
    -------
    DiscretizationDrift

    Raises
    ------
    TypeError, ValueError
        If an argument is of another kind, or the drift is no polynomial in the fields of the players.

    References
    ----------
    .. [1] M. Rosca, Y. Wu, B. Dherin and D. G. T. Barrett (2021), Discretization drift in two-player games,
           International Conference on Machine Learning, Theorems 3.1 and 3.2.

    Examples
    --------
    >>> import bea
    >>> game = bea.Game(["x*y + x**2/2", "-x*y"], players=["x", "y"])
    >>> print(bea.discretization_drift(game, bea.AlternatingDescent()))
    player 0 (x)
      h^1  own moves: [-x/2 - y/2]
      h^1  with player 1: [x/2]
    player 1 (y)
      h^1  with player 0: [-x/2 - y/2]
    """
    if not isinstance(game, Game):
        raise TypeError(
            f"a discretization drift between players is of a Game, not of a {type(game).__name__}"
        )
    marks = [sympy.Dummy(f"s{i}") for i in range(len(game.players))]
    parts = [[mark * c for c in part.components] for mark, part in zip(marks, game.field.parts, strict=True)]
    equation = modified_equation(SplitField(parts, game.variables), scheme, order)
    for k, term in enumerate(equation.terms):
        if not all(c.is_polynomial(*marks) for c in term):
            raise ValueError(
                f"the drift of {scheme.name} at h^{k} is no polynomial in the fields of the players, "
                "so that it cannot be told apart by their moves"
            )
    return DiscretizationDrift(game, equation, marks)


def _by_movers(term: sympy.MatrixBase, marks: Sequence[sympy.Symbol]) -> dict[Movers, sympy.ImmutableMatrix]:
    """A marked term as a sum over monomials in the marks."""
    entries: dict[Movers, list[sympy.Expr]] = {}
    for i, component in enumerate(term):
        for powers, coefficient in sympy.Poly(component, *marks).terms():
            if coefficient != 0:
                movers = tuple(j for j, n in enumerate(powers) for _ in range(n))
                entries.setdefault(movers, [sympy.S.Zero] * len(term))[i] = coefficient
    return {movers: sympy.ImmutableMatrix(entries[movers]) for movers in sorted(entries)}


def _sum(pieces: Any, rows: int) -> sympy.ImmutableMatrix:
    total = sum((sympy.Matrix(p) for p in pieces), sympy.zeros(rows, 1))
    return sympy.ImmutableMatrix(total)


def _in_order(pieces: dict[Movers, Any], player: int) -> list[Movers]:
    """A player's own moves first, then what nobody's moves have made."""
    return sorted(pieces, key=lambda movers: (bool(set(movers) - {player}), not movers, movers))


def _said(movers: Movers, player: int) -> str:
    if not movers:
        return "no moves"
    others = sorted(set(movers) - {player})
    if not others:
        return "own moves"
    counts = {j: movers.count(j) for j in others}
    return "with " + " and ".join(
        f"player {j}" + (f" ({counts[j]} times)" if counts[j] > 1 else "") for j in others
    )


def _named(movers: Movers) -> str:
    return r"\,".join(map(str, movers)) or r"\text{no moves}"
