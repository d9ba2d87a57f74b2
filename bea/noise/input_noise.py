"""Noise on the inputs of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from bea.noise.reading import fresh_symbols, read_model, square_weight
from bea.systems.expressions import named_symbols, read_expression
from bea.systems.laws import Law
from bea.systems.loss import Loss
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.squares import zeros_of_squares
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["input_noise"]


def input_noise(
    model: str | sympy.Expr,
    inputs: str | Sequence[str | sympy.Symbol],
    data: Sequence[Sequence[float]] | np.ndarray,
    targets: object,
    variables: str | Sequence[str | sympy.Symbol],
    *,
    half: bool = True,
    law: Law | None = None,
    parameters: Mapping[Any, object] | None = None,
    zero_loss_set: ZeroLossSet | None = None,
) -> NoisyLoss:
    r"""Least squares whose inputs are perturbed anew in each step: L̂ = c Σ (f(x_i + η_i, w) − y_i)² [1]_.

    Parameters
    ----------
    model : str or sympy.Expr
        The output f as an expression in the inputs x and the variables w.
    inputs : str or sequence of names, length p
        The names of the inputs.
    data : array_like of shape (n, p)
        The inputs x_i.
    targets : sequence of numbers, length n
        The labels y_i.
    variables : str or sequence of names
        The variables w.
    half : bool, optional
        The normalization: c = 1/(2n), or c = 1/n if False.
    law : Law, optional
        The law of the np components of η, by default normal.
    parameters : mapping from name to number, optional
        Values for parameters.
    zero_loss_set : ZeroLossSet, optional
        Where all f_i = y_i, by default as the residuals f_i − y_i say. Needed where these depend on each
        other, but not linearly.

    Returns
    -------
    NoisyLoss
        On the zero-loss set its regularizer is c Σ ‖∂f/∂x(x_i, w)‖².

    Raises
    ------
    ValueError, TypeError
        If the model or the data are not as described.

    References
    ----------
    .. [1] C. M. Bishop, "Training with noise is equivalent to Tikhonov regularization", Neural Computation 7,
       1995.

    Examples
    --------
    >>> import bea
    >>> noisy = bea.noise.input_noise("a*tanh(b*x)", "x", [[2]], [1], "a b")
    >>> noisy.expression
    (a*tanh(b*(eta1 + 2)) - 1)**2/2
    """
    x = np.asarray(data)
    names = named_symbols(inputs, [model], "inputs")
    if x.ndim != 2 or x.dtype.kind not in "iuf" or x.shape[1] != len(names) or not len(x):
        raise ValueError(
            f"the data must be a matrix with {len(names)} columns, one for each input, not of shape {x.shape}"
        )
    (f,), _, w = read_model([model], [0], variables, {s.name: s for s in names})
    if set(names) & set(w):
        raise ValueError(f"{min(str(s) for s in set(names) & set(w))!r} is both an input and a variable")
    taken = {*w, *names, *f.free_symbols}
    eta = np.array(fresh_symbols(x.size, taken), dtype=object).reshape(x.shape)
    exact = [[read_expression(v) for v in row] for row in x.tolist()]
    outputs = [f.xreplace(dict(zip(names, row, strict=True))) for row in exact]
    moved = [
        f.xreplace({s: v + e for s, v, e in zip(names, row, noise, strict=True)})
        for row, noise in zip(exact, eta, strict=True)
    ]
    _, y, _ = read_model(outputs, targets, w)
    c = square_weight(len(outputs), half)
    loss = Loss(
        sympy.Add(*[c * (f_i - y_i) ** 2 for f_i, y_i in zip(outputs, y, strict=True)]), w, parameters
    )
    noisy = sympy.Add(*[c * (f_i - y_i) ** 2 for f_i, y_i in zip(moved, y, strict=True)])
    zeros = zero_loss_set or zeros_of_squares(loss.expression, w, loss.parameters)
    return NoisyLoss(noisy, w, list(eta.ravel()), law, loss.parameters, zeros)
