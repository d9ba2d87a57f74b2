"""Games: several players, each with a loss of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import sympy

from bea.systems.derivatives import partial_derivatives
from bea.systems.expressions import (
    Value,
    named_symbols,
    read_expression,
    read_expressions,
    read_parameters,
    require_smooth,
)
from bea.systems.split_field import SplitField
from bea.systems.traversal import free_symbols
from bea.systems.vector_field import VectorField

__all__ = ["Game"]


class Game:
    """A differentiable game: player i moves the variables x_i so as to lower its own loss L_i [1]_.

    In continuous time all players follow ẋ_i = −c_i ∇_{x_i} L_i(x), with rates c_i.

    Parameters
    ----------
    losses : sequence of str or sympy.Expr, length n
        The losses L_i, each a function of the variables of all players.
    players : sequence of str or of sequences of names, length n
        The variables that each player moves, such as ``["x", "y"]`` or ``["a b", "c"]``.
    rates : sequence of numbers, text or SymPy expressions, length n, optional
        The positive rates c_i, 1 by default: with a step size h player i makes steps of size c_i h.
    parameters : mapping from name to number, optional
        Values for parameters: the free symbols that are no variables.

    Attributes
    ----------
    losses, rates : tuple of n sympy.Expr
    players : tuple of n tuples of sympy.Symbol
    variables : tuple of sympy.Symbol
        The variables of all players, one player after the other.

    Raises
    ------
    ValueError, TypeError
        If there are not as many players and rates as losses, two players move one variable, text does not
        parse, or a rate is not positive.

    References
    ----------
    .. [1] D. Balduzzi, S. Racanière, J. Martens, J. Foerster, K. Tuyls and T. Graepel (2018), The mechanics
           of n-player differentiable games, International Conference on Machine Learning.

    Examples
    --------
    >>> import bea
    >>> game = bea.Game(losses=["x*y", "-x*y"], players=["x", "y"])
    >>> game.field.components
    (-y, x)
    >>> game.is_zero_sum
    True
    """

    def __init__(
        self,
        losses: Sequence[object],
        players: Sequence[str | Sequence[str | sympy.Symbol]],
        rates: Sequence[object] | None = None,
        parameters: Mapping[Any, object] | None = None,
    ) -> None:
        for value, what in ((losses, "losses"), (players, "players"), (rates, "rates")):
            if value is not None and (isinstance(value, str) or not isinstance(value, Sequence)):
                raise TypeError(f"{what} must be a sequence with one entry for each player, not {value!r}")
        rates = [1] * len(losses) if rates is None else rates
        if not len(losses) == len(players) == len(rates) > 0:
            raise ValueError(
                f"a game needs one loss, one set of variables and one rate for each player, "
                f"but {len(losses)}, {len(players)} and {len(rates)} were given"
            )
        self.players = tuple(named_symbols(names, losses, "players") for names in players)
        self.variables = tuple(v for player in self.players for v in player)
        if len(set(self.variables)) < len(self.variables):
            twice = next(v for v in self.variables if self.variables.count(v) > 1)
            raise ValueError(f"the variable {twice} is moved by two players; each variable belongs to one")
        names = {v.name: v for v in self.variables}
        self.losses = read_expressions(list(losses), names)
        self.rates = tuple(_read_rate(rate, names) for rate in rates)
        free = free_symbols([*self.losses, *self.rates])
        self.parameter_symbols, self.parameters = read_parameters(parameters, free, self.variables)
        for rate in self.rates:
            if not rate.subs(self.parameters).is_positive and not rate.subs(self.parameters).free_symbols:
                raise ValueError(f"the rate of a player must be positive, not {rate}")

    @property
    def dimension(self) -> int:
        """The number d of variables of all players together."""
        return len(self.variables)

    @property
    def is_zero_sum(self) -> bool:
        """Whether the losses of all players add up to zero identically."""
        total = sympy.expand(sympy.Add(*self.losses))
        if total.is_polynomial(*total.free_symbols):
            return bool(total == 0)
        return bool(sympy.simplify(total) == 0)

    @cached_property
    def field(self) -> SplitField:
        """The field of simultaneous play in continuous time; its parts are the moves of single players."""
        require_smooth(self.losses, "the loss of a player")
        parts = []
        for loss, player, rate in zip(self.losses, self.players, self.rates, strict=True):
            moves = dict(zip(player, partial_derivatives(loss, player), strict=True))
            components = [-rate * moves[v] if v in moves else sympy.S.Zero for v in self.variables]
            own = free_symbols([*components])
            values = {s.name: self.parameters[s.name] for s in own if s.name in self.parameters}
            parts.append(VectorField(components, self.variables, values))
        return SplitField(parts, absent=[s.name for s in self.parameter_symbols])

    @property
    def components(self) -> tuple[sympy.Expr, ...]:
        """The d components of the field."""
        return self.field.components

    def consensus(self, gamma: object = "gamma") -> SplitField:
        """The field of consensus optimization, ẋ = −v − γJᵀv with v = −f and J its Jacobian [1]_.

        All players together also descend ½‖v‖², which vanishes where no player wants to move.

        Parameters
        ----------
        gamma : number, text or SymPy expression, optional
            The strength γ of the consensus; by default the symbol ``gamma``, a parameter of the field.

        Returns
        -------
        SplitField
            Its parts are the moves of the players, so that alternating play is possible.

        Raises
        ------
        ValueError, TypeError
            If `gamma` cannot be read, depends on the variables or has the name of a parameter of the game.

        References
        ----------
        .. [1] L. Mescheder, S. Nowozin and A. Geiger (2017), The numerics of GANs, Advances in Neural
               Information Processing Systems 30, Algorithm 2.

        Examples
        --------
        >>> import bea
        >>> bea.Game(["x*y", "-x*y"], players=["x", "y"]).consensus("1/10").components
        (-x/10 - y, x - y/10)
        """
        v, J = -self.field.expressions, -self.field.jacobian
        return self._played(-v - self._strength(gamma, "gamma") * J.T * v)

    def symplectic_gradient_adjustment(
        self, lam: object = "lam", *, align: bool = False, epsilon: object = "1/10"
    ) -> SplitField:
        """The field adjusted by the antisymmetric part of the game, ẋ = −(v + λAᵀv), A = (J − Jᵀ)/2 [1]_.

        Parameters
        ----------
        lam : number, text or SymPy expression, optional
            The strength λ; by default the symbol ``lam``, a parameter of the field.
        align : bool, default False
            Whether λ bears the sign of ⟨v, Jᵀv⟩⟨Aᵀv, Jᵀv⟩/d + ε, so that stable equilibria attract and
            unstable ones repel. Such a field jumps: it has iterates, but no modified equation.
        epsilon : number, text or SymPy expression, default 1/10
            The small positive ε of that rule, which decides where the products vanish.

        Returns
        -------
        SplitField
            Its parts are the moves of the players, so that alternating play is possible.

        Raises
        ------
        ValueError, TypeError
            If `lam` or `epsilon` cannot be read, depends on the variables or has the name of a parameter of
            the game.

        References
        ----------
        .. [1] D. Balduzzi, S. Racanière, J. Martens, J. Foerster, K. Tuyls and T. Graepel (2018), The
               mechanics of n-player differentiable games, International Conference on Machine Learning,
               Algorithm 1.

        Examples
        --------
        >>> import bea
        >>> game = bea.Game(["x*y", "-x*y"], players=["x", "y"])
        >>> game.symplectic_gradient_adjustment("1/2").components
        (-x/2 - y, x - y/2)
        """
        v, J = -self.field.expressions, -self.field.jacobian
        adjustment = (J - J.T).T * v / 2
        strength = self._strength(lam, "lam")
        if align:
            slope = J.T * v
            products = v.dot(slope) * adjustment.dot(slope) / self.dimension
            strength *= sympy.sign(products + self._strength(epsilon, "epsilon"))
        return self._played(-v - strength * adjustment)

    def _strength(self, value: object, name: str) -> sympy.Expr:
        """A constant of an adjustment."""
        strength = read_expression(value)
        own = {s.name for s in strength.free_symbols}
        if own & {v.name for v in self.variables}:
            raise ValueError(f"{name} must not depend on the variables, as {value} does")
        if shared := own & {s.name for s in self.parameter_symbols}:
            raise ValueError(f"{min(shared)!r} in {name} is also a parameter of the game: rename one")
        return strength

    def _played(self, field: sympy.MatrixBase) -> SplitField:
        """A field on the variables of the game, each player's components a part of its own."""
        parts = []
        for player in self.players:
            own = [c if v in player else sympy.S.Zero for v, c in zip(self.variables, field, strict=True)]
            names = {s.name for s in free_symbols(own)}
            known = {name: value for name, value in self.parameters.items() if name in names}
            parts.append(VectorField(own, self.variables, known))
        return SplitField(parts, absent=[s.name for s in self.parameter_symbols])

    def with_parameters(self, /, **values: Value) -> Game:
        """The same game with further parameter values, which replace earlier ones."""
        return Game(self.losses, self.players, self.rates, {**self.parameters, **values})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Game) and self._key == other._key

    def __hash__(self) -> int:
        return hash((self.losses, self.players, self.rates))

    @property
    def _key(self) -> tuple:
        return self.losses, self.players, self.rates, self.parameters

    def __reduce__(self) -> tuple:
        return Game, self._key

    def __repr__(self) -> str:
        players = [" ".join(v.name for v in player) for player in self.players]
        rates = "" if all(c == 1 for c in self.rates) else f", rates={[str(c) for c in self.rates]}"
        return f"Game({[str(loss) for loss in self.losses]}, players={players}{rates})"

    def _repr_latex_(self) -> str:
        rows = (
            rf"{', '.join(map(sympy.latex, player))}: \quad L_{{{i}}} &= {sympy.latex(loss)}"
            for i, (player, loss) in enumerate(zip(self.players, self.losses, strict=True), start=1)
        )
        return "$\\displaystyle \\begin{aligned}" + r" \\ ".join(rows) + "\\end{aligned}$"


def _read_rate(rate: object, variables: Mapping[str, sympy.Symbol]) -> sympy.Expr:
    expression = read_expression(rate)
    if {s.name for s in expression.free_symbols} & set(variables):
        raise ValueError(f"the rate of a player must not depend on the variables, as {rate} does")
    return expression
