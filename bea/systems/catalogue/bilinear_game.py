"""The bilinear game, which turns round its equilibrium for ever."""

from __future__ import annotations

from bea.systems.expressions import Value
from bea.systems.game import Game

__all__ = ["bilinear_game"]


def bilinear_game(strength: Value = 1) -> Game:
    r"""The zero-sum game L₁ = c x y, L₂ = −c x y.

    Parameters
    ----------
    strength : number, optional
        The constant c, which stays a symbol of the game; this is its value.

    Returns
    -------
    Game
        In the variables x and y, one for each player. The only equilibrium is the origin.

    Raises
    ------
    ValueError
        If the strength is zero.

    Notes
    -----
    In continuous time x² + y² is conserved. Simultaneous descent multiplies it by 1 + c²h² in every step;
    alternating descent conserves x² + y² − c h x y when x moves first.

    References
    ----------
    .. [1] J. P. Bailey, G. Gidel and G. Piliouras, "Finite regret and cycles with fixed step-size via
       alternating gradient descent-ascent", Conference on Learning Theory, 2020.

    Examples
    --------
    >>> from bea import catalogue
    >>> catalogue.bilinear_game().field.components
    (-c*y, c*x)
    """
    if strength == 0:
        raise ValueError("the strength must not be 0: then nobody moves")
    return Game(["c*x*y", "-c*x*y"], players=["x", "y"], parameters={"c": strength})
