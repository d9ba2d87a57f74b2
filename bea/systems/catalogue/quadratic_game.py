"""Quadratic games between agreement and conflict."""

from __future__ import annotations

from bea.systems.expressions import Value
from bea.systems.game import Game

__all__ = ["quadratic_game"]


def quadratic_game(curvature: Value = 1, agreement: Value = 0, conflict: Value = 1) -> Game:
    r"""The game L₁ = (a/2) x² + (b + c) x y, L₂ = (a/2) y² + (b − c) x y.

    The Jacobian of the moves is [[a, b], [b, a]] + [[0, c], [−c, 0]]: the symmetric part is a potential game,
    in which all descend one loss, and the antisymmetric part a Hamiltonian game, in which all turn round.

    Parameters
    ----------
    curvature, agreement, conflict : number, optional
        The constants a, b and c, which stay symbols of the game; these are their values.

    Returns
    -------
    Game
        In the variables x and y, one for each player, with an equilibrium in the origin.

    Notes
    -----
    The field has the eigenvalues −a ± √(b² − c²) there.

    References
    ----------
    .. [1] D. Balduzzi, S. Racanière, J. Martens, J. Foerster, K. Tuyls and T. Graepel, "The mechanics of
       n-player differentiable games", International Conference on Machine Learning, 2018, Section 2.

    Examples
    --------
    >>> from bea import catalogue
    >>> catalogue.quadratic_game(conflict=3).field.jacobian
    Matrix([
    [    -a, -b - c],
    [-b + c,     -a]])
    """
    losses = ["a*x**2/2 + (b + c)*x*y", "a*y**2/2 + (b - c)*x*y"]
    parameters = {"a": curvature, "b": agreement, "c": conflict}
    return Game(losses, players=["x", "y"], parameters=parameters)
