"""Anti-correlated perturbations."""

from __future__ import annotations

from bea.noise.reading import fresh_symbols, read_loss
from bea.systems.laws import Law
from bea.systems.loss import Loss
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.traversal import replace_symbols

__all__ = ["anti_pgd"]


def anti_pgd(loss: Loss, law: Law | None = None) -> NoisyLoss:
    r"""Anti-correlated perturbed gradient descent: L̂ = L(v + η) [1]_.

    Parameters
    ----------
    loss : Loss
    law : Law, optional
        The law of η, by default normal.

    Returns
    -------
    NoisyLoss
        Its regularizer is ½ tr ∇²L.

    Raises
    ------
    TypeError
        If `loss` is no Loss.

    Notes
    -----
    The method perturbs every step by what is new in the noise, w ← w − α∇L(w) + η' − η, where η is the
    perturbation of the step before. In terms of v = w − η it is descent on L(v + η), v ← v − α∇L(v + η),
    and v is what the loss describes.

    References
    ----------
    .. [1] A. Orvieto, H. Kersting, F. Proske, F. Bach and A. Lucchi, "Anticorrelated noise injection for
       improved generalization", International Conference on Machine Learning, 2022.

    Examples
    --------
    >>> import bea
    >>> noisy = bea.noise.anti_pgd(bea.Loss("x**2*y**2/2", variables="x y"))
    >>> noisy.expression
    (eta1 + x)**2*(eta2 + y)**2/2
    >>> noisy.regularizer
    x**2/2 + y**2/2
    """
    w = read_loss(loss, "anti_pgd").variables
    eta = fresh_symbols(len(w), {*w, *loss.parameter_symbols})
    (noisy,) = replace_symbols([loss.expression], {v: v + e for v, e in zip(w, eta, strict=True)})
    return NoisyLoss(noisy, w, eta, law, loss.parameters, loss.zero_loss_set)
