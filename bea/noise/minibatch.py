"""Minibatches as noise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy

from bea.noise.reading import fresh_symbols
from bea.systems.laws import Minibatch
from bea.systems.loss import Loss
from bea.systems.loss_sum import LossSum
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["minibatch"]


def minibatch(
    losses: Iterable[Loss | object],
    batch_size: int = 1,
    replacement: bool = False,
    variables: str | Sequence[str | sympy.Symbol] | None = None,
    zero_loss_set: ZeroLossSet | None = None,
) -> NoisyLoss:
    r"""Every step sees the mean loss of a random minibatch: L̂ = (1/n) Σ (1 + η_i) ℓ_i.

    Parameters
    ----------
    losses : LossSum or sequence of Loss, text or SymPy expressions, length n
        The losses ℓ_i of the data. L is their mean.
    batch_size : int, optional
        How many of them a minibatch holds.
    replacement : bool, optional
        Whether it is drawn with replacement.
    variables : str or sequence of names, optional
        The variables, where losses are given as expressions.
    zero_loss_set : ZeroLossSet, optional
        Where all ℓ_i vanish, by default the common zeros of those of the ℓ_i where all are known.

    Returns
    -------
    NoisyLoss
        With the law `Minibatch`.

    Raises
    ------
    ValueError, TypeError
        If the losses differ in their variables, or the minibatch holds all data.

    Examples
    --------
    >>> import bea
    >>> noisy = bea.noise.minibatch(["(a*b - 1)**2", "(b - 1)**2"], variables="a b")
    >>> noisy.expression
    (b - 1)**2*(eta2/2 + 1/2) + (eta1/2 + 1/2)*(a*b - 1)**2
    >>> noisy.law
    Minibatch(batch=1, replacement=False)
    """
    data = losses if isinstance(losses, LossSum) else LossSum(losses, variables)
    parts, n = data.parts, len(data.parts)
    law = Minibatch(batch_size, replacement)
    eta = fresh_symbols(n, {*data.variables, *data.parameter_symbols})
    noisy = sympy.Add(*[(1 + e) / n * part.expression for part, e in zip(parts, eta, strict=True)])
    zeros = zero_loss_set or _common_zeros(parts)
    return NoisyLoss(noisy, data.variables, eta, law, data.parameters, zeros)


def _common_zeros(parts: Sequence[Loss]) -> ZeroLossSet | None:
    """The common zeros of the losses, where those of each are known and cut each other transversally."""
    sets = [part.zero_loss_set for part in parts if part.zero_loss_set is not None]
    residuals = [residual for zeros in sets for residual in zeros.residuals]
    variables = parts[0].variables
    if len(sets) < len(parts) or sum(zeros.codimension for zeros in sets) > len(variables):
        return None
    known = {name: value for zeros in sets for name, value in zeros.parameters.items()}
    return ZeroLossSet(residuals, variables, known, sum(zeros.codimension for zeros in sets))
