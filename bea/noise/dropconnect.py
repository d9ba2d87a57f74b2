"""DropConnect: factors on the weights."""

from __future__ import annotations

from bea.noise.reading import fresh_symbols, read_loss
from bea.systems.laws import Law
from bea.systems.loss import Loss
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.traversal import replace_symbols

__all__ = ["dropconnect"]


def dropconnect(loss: Loss, law: Law | None = None) -> NoisyLoss:
    """Every weight is multiplied by 1 + η_i, drawn anew in each step: L̂ = L(w ⊙ (1 + η)) [1]_.

    Parameters
    ----------
    loss : Loss
    law : Law, optional
        The law of η, by default normal. `Bernoulli` drops weights.

    Returns
    -------
    NoisyLoss
        Its regularizer is ½ Σ w_i² ∂²L/∂w_i², if the noise is small with σ.

    Raises
    ------
    TypeError
        If `loss` is no Loss.

    Notes
    -----
    For small σ `Bernoulli` drops weights seldom, but a dropped weight is no small change. Its regularizer is
    then Σ (L without w_i − L + w_i ∂L/∂w_i), the limit of (E L̂ − L)/σ². That is the above where L is
    quadratic in each weight, as for the sum of products; for the diagonal network of depth 2 it is a quarter
    of it, along the zero-loss set.

    References
    ----------
    .. [1] L. Wan, M. Zeiler, S. Zhang, Y. LeCun and R. Fergus, "Regularization of neural networks using
       DropConnect", International Conference on Machine Learning, 2013.

    Examples
    --------
    >>> import bea
    >>> noisy = bea.noise.dropconnect(bea.catalogue.sum_of_products(n=1))
    >>> noisy.expression
    (a1*b1*(eta1 + 1)*(eta2 + 1) - y)**2/2
    >>> noisy.regularizer
    a1**2*b1**2
    """
    w = read_loss(loss, "dropconnect").variables
    eta = fresh_symbols(len(w), {*w, *loss.parameter_symbols})
    factors = {v: v * (1 + e) for v, e in zip(w, eta, strict=True)}
    (noisy,) = replace_symbols([loss.expression], factors)
    return NoisyLoss(noisy, w, eta, law, loss.parameters, loss.zero_loss_set)
