"""Noise on the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy

from bea.noise.reading import fresh_symbols, read_model, square_weight
from bea.systems.laws import Law
from bea.systems.loss import Loss
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.squares import weighted_squares, zeros_of_squares
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["label_noise"]


def label_noise(
    model: Loss | object,
    targets: object = None,
    variables: str | Sequence[str | sympy.Symbol] | None = None,
    *,
    half: bool = True,
    law: Law | None = None,
    parameters: Mapping[Any, object] | None = None,
    zero_loss_set: ZeroLossSet | None = None,
) -> NoisyLoss:
    r"""Least squares whose labels are perturbed anew in each step: L̂ = c Σ (f_i(w) − y_i − η_i)².

    Parameters
    ----------
    model : Loss, or sequence of str or sympy.Expr, length n
        The outputs f_i as expressions in w; or a loss that is written as a sum of squares Σ c_i r_i², of
        which L̂ = Σ c_i (r_i − η_i)². SymPy orders the squares, so that η_i need not belong to the datum i.
    targets : sequence of numbers or expressions, length n
        The labels y_i, where outputs are given.
    variables : str or sequence of names
        The variables w, where outputs are given.
    half : bool, optional
        The normalization, where outputs are given: c = 1/(2n), or c = 1/n if False.
    law : Law, optional
        The law of η, by default normal.
    parameters : mapping from name to number, optional
        Values for parameters, where outputs are given.
    zero_loss_set : ZeroLossSet, optional
        Where all f_i = y_i, by default as the residuals f_i − y_i say. Needed where these depend on each
        other, but not linearly.

    Returns
    -------
    NoisyLoss

    Raises
    ------
    ValueError, TypeError
        If the model is not as described.

    References
    ----------
    .. [1] G. Blanc, N. Gupta, G. Valiant and P. Valiant, "Implicit regularization for deep neural networks
       driven by an Ornstein–Uhlenbeck like process", Conference on Learning Theory, 2020.
    .. [2] A. Damian, T. Ma and J. D. Lee, "Label noise SGD provably prefers flat global minimizers", Advances
       in Neural Information Processing Systems, 2021.

    Examples
    --------
    >>> import bea
    >>> bea.noise.label_noise(["a*b", "a + b"], [1, 2], "a b", half=False).expression
    (a*b - eta1 - 1)**2/2 + (a + b - eta2 - 2)**2/2
    """
    if isinstance(model, Loss):
        if any(given is not None for given in (targets, variables, parameters, zero_loss_set)):
            raise TypeError(
                "a loss has targets, variables, parameters and zeros of its own: none are to be given"
            )
        return _of_loss(model, law)
    f, y, w = read_model(model, targets, variables)
    c = square_weight(len(f), half)
    loss = Loss(sympy.Add(*[c * (f_i - y_i) ** 2 for f_i, y_i in zip(f, y, strict=True)]), w, parameters)
    zeros = zero_loss_set or zeros_of_squares(loss.expression, w, loss.parameters)
    eta = fresh_symbols(len(f), {*w, *loss.parameter_symbols})
    noisy = sympy.Add(*[c * (f_i - y_i - e) ** 2 for f_i, y_i, e in zip(f, y, eta, strict=True)])
    return NoisyLoss(noisy, w, eta, law, loss.parameters, zeros)


def _of_loss(loss: Loss, law: Law | None) -> NoisyLoss:
    """Label noise on a loss that is written as a sum of squares."""
    squares = weighted_squares(loss.expression)
    if squares is None:
        raise ValueError(f"label noise needs a loss that is written as a sum of squares, not {loss!r}")
    eta = fresh_symbols(len(squares), {*loss.variables, *loss.parameter_symbols})
    noisy = sympy.Add(*[c * (r - e) ** 2 for (c, r), e in zip(squares, eta, strict=True)])
    return NoisyLoss(noisy, loss.variables, eta, law, loss.parameters, loss.zero_loss_set)
