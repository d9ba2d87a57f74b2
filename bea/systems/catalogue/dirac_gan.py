"""The Dirac-GAN: one point mass learns where another is."""

from __future__ import annotations

from bea.systems.expressions import Value
from bea.systems.game import Game

__all__ = ["dirac_gan"]

#: The losses of the generator and of the discriminator, by the kind of GAN.
LOSSES = {
    "wasserstein": ("psi*theta", "-psi*theta"),
    "standard": ("-log(1 + exp(-psi*theta))", "log(1 + exp(-psi*theta))"),
    "non-saturating": ("log(1 + exp(psi*theta)) - log(2)", "log(1 + exp(-psi*theta))"),
}


def dirac_gan(kind: str = "standard", penalty: Value = 0) -> Game:
    r"""The Dirac-GAN, with data at 0, a generator at θ and the linear discriminator D(x) = ψx.

    The loss of the generator is f(ψθ), that of the discriminator −f(ψθ) + (γ/2) ψ².

    Parameters
    ----------
    kind : {"standard", "wasserstein", "non-saturating"}, optional
        f(t) = −log(1 + e^{−t}) of a standard GAN, f(t) = t of a Wasserstein GAN, or the standard GAN whose
        generator descends −f(−ψθ) instead.
    penalty : number, optional
        The weight γ of the gradient penalty R₁, zero by default. It stays a symbol of the game, unless it is
        zero.

    Returns
    -------
    Game
        In the variables theta of the generator and psi of the discriminator. The origin is an equilibrium.

    Raises
    ------
    ValueError
        If there is no such kind, or the penalty is negative.

    Notes
    -----
    At the origin the Jacobian of the field has the eigenvalues −γ/2 ± √(γ²/4 − f′(0)²): without a penalty
    they are imaginary.

    References
    ----------
    .. [1] L. Mescheder, A. Geiger and S. Nowozin, "Which training methods for GANs do actually converge?",
       International Conference on Machine Learning, 2018, Definition 2.1 and Section 4.1.

    Examples
    --------
    >>> from bea import catalogue
    >>> catalogue.dirac_gan("wasserstein", penalty=1).field.components
    (-psi, -gamma*psi + theta)
    """
    if kind not in LOSSES:
        raise ValueError(f"the kind of GAN must be one of {', '.join(LOSSES)}, not {kind!r}")
    if penalty < 0:
        raise ValueError(f"the penalty must not be negative, as {penalty} is")
    generator, discriminator = LOSSES[kind]
    if penalty == 0:
        return Game([generator, discriminator], players=["theta", "psi"])
    losses = [generator, f"{discriminator} + gamma*psi**2/2"]
    return Game(losses, players=["theta", "psi"], parameters={"gamma": penalty})
