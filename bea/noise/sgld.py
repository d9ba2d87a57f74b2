"""Langevin dynamics."""

from __future__ import annotations

import sympy

from bea.noise.reading import fresh_symbols, read_loss
from bea.systems.expressions import Value, read_expression
from bea.systems.laws import Law
from bea.systems.loss import Loss
from bea.systems.noisy_loss import NoisyLoss

__all__ = ["sgld"]


def sgld(loss: Loss, temperature: Value | str = "1/2", law: Law | None = None) -> NoisyLoss:
    r"""Gradient Langevin dynamics: the same noise everywhere, L̂ = L + √(2T) η·w [1]_.

    Parameters
    ----------
    loss : Loss
    temperature : number, text or sympy.Expr, optional
        T, by default 1/2, so that L̂ = L + η·w. A symbol becomes a parameter.
    law : Law, optional
        The law of η, by default normal.

    Returns
    -------
    NoisyLoss

    Raises
    ------
    ValueError, TypeError
        If the temperature is not positive, or `loss` no Loss.

    Notes
    -----
    The step w ← w − α∇L(w) − α√(2T) η is that of Langevin dynamics at the temperature T, w ← w − α∇L(w)
    + √(2αT) ξ, when the standard deviation of η is σ = 1/√α.

    References
    ----------
    .. [1] M. Welling and Y. W. Teh, "Bayesian learning via stochastic gradient Langevin dynamics",
       International Conference on Machine Learning, 2011.

    Examples
    --------
    >>> import bea
    >>> bea.noise.sgld(bea.Loss("x**2*y**2/2", variables="x y")).expression
    eta1*x + eta2*y + x**2*y**2/2
    """
    w = read_loss(loss, "sgld").variables
    T = read_expression(temperature, {s.name: s for s in loss.parameter_symbols})
    if T.free_symbols & set(w) or (T.is_number and not T.is_positive):
        raise ValueError(f"the temperature must be a positive number or a parameter, not {temperature}")
    eta = fresh_symbols(len(w), {*w, *loss.parameter_symbols, *T.free_symbols})
    work = sympy.sqrt(2 * T) * sympy.Add(*[e * v for v, e in zip(w, eta, strict=True)])
    return NoisyLoss(
        sympy.expand_mul(work) + loss.expression, w, eta, law, loss.parameters, loss.zero_loss_set
    )
