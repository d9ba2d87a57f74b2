"""A Wasserstein GAN that learns the mean and the variance of a normal distribution, in closed form."""

from __future__ import annotations

from bea.systems.expressions import Value
from bea.systems.game import Game

__all__ = ["gaussian_gan"]


def gaussian_gan(mean: Value = 1, deviation: Value = 1, penalty: Value = 0) -> Game:
    r"""The game of a generator m + s z, z ~ N(0, 1), against the discriminator D(x) = v x + w x².

    Data are N(μ, σ²). The difference of the expected values of D is known in closed form,
    V = v(μ − m) + w(μ² + σ² − m² − s²); the generator descends V, the discriminator −V + (ρ/2)(v² + w²).

    Parameters
    ----------
    mean, deviation : number, optional
        μ and σ of the data, which stay symbols of the game; these are their values.
    penalty : number, optional
        The weight ρ that keeps the discriminator small, zero by default. It stays a symbol of the game,
        unless it is zero.

    Returns
    -------
    Game
        In the variables m, s of the generator and v, w of the discriminator. The equilibria are m = μ,
        s = ±σ, v = w = 0.

    Raises
    ------
    ValueError
        If the deviation is not positive, or the penalty negative.

    References
    ----------
    .. [1] C. Daskalakis, A. Ilyas, V. Syrgkanis and H. Zeng, "Training GANs with optimism", International
       Conference on Learning Representations, 2018: learning a mean by a linear discriminator, and a
       covariance by a quadratic one.

    Examples
    --------
    >>> from bea import catalogue
    >>> game = catalogue.gaussian_gan()
    >>> game.is_zero_sum, game.field([1.0, 1.0, 0.0, 0.0])
    (True, array([0., 0., 0., 0.]))
    """
    if deviation <= 0:
        raise ValueError(f"the deviation must be positive, not {deviation}")
    if penalty < 0:
        raise ValueError(f"the penalty must not be negative, as {penalty} is")
    value = "v*(mu - m) + w*(mu**2 + sigma**2 - m**2 - s**2)"
    parameters = {"mu": mean, "sigma": deviation}
    if penalty == 0:
        return Game([value, f"-({value})"], players=["m s", "v w"], parameters=parameters)
    losses = [value, f"-({value}) + rho*(v**2 + w**2)/2"]
    return Game(losses, players=["m s", "v w"], parameters={**parameters, "rho": penalty})
