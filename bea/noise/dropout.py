"""Dropout: factors on the nodes of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from bea.noise.reading import fresh_symbols, read_model, square_weight
from bea.systems.expressions import named_symbols, read_expression
from bea.systems.laws import Bernoulli, Law
from bea.systems.loss import Loss
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.squares import zeros_of_squares
from bea.systems.traversal import replace_symbols
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["dropout", "two_layer_network"]


def dropout(
    outputs: object,
    targets: object,
    variables: str | Sequence[str | sympy.Symbol],
    nodes: str | Sequence[str | sympy.Symbol],
    *,
    half: bool = True,
    law: Law | None = None,
    parameters: Mapping[Any, object] | None = None,
    zero_loss_set: ZeroLossSet | None = None,
) -> NoisyLoss:
    r"""Least squares on a network whose nodes are multiplied by 1 + η_j, for all data of a step alike [1]_.

    Parameters
    ----------
    outputs : sequence of str or sympy.Expr, length n
        The outputs f_i as expressions in w and in the nodes.
    targets : sequence of numbers or expressions, length n
        The labels y_i.
    variables : str or sequence of names
        The variables w.
    nodes : str or sequence of names
        A symbol for every node that can be dropped, which multiplies what the node passes on: 1 stands for a
        node that is kept and 0 for one that is dropped.
    half : bool, optional
        The normalization: L = c Σ (f_i − y_i)² with c = 1/(2n), or c = 1/n if False.
    law : Law, optional
        The law of η, by default `Bernoulli`.
    parameters : mapping from name to number, optional
        Values for parameters.
    zero_loss_set : ZeroLossSet, optional
        Where all f_i = y_i, by default as the residuals f_i − y_i say. Needed where these depend on each
        other, but not linearly.

    Returns
    -------
    NoisyLoss

    Raises
    ------
    ValueError, TypeError
        If the model is not as described, or a node does not occur.

    References
    ----------
    .. [1] N. Srivastava, G. Hinton, A. Krizhevsky, I. Sutskever and R. Salakhutdinov, "Dropout: a simple way
       to prevent neural networks from overfitting", Journal of Machine Learning Research 15, 2014.

    Examples
    --------
    >>> import bea
    >>> noisy = bea.noise.dropout(["a1*n1*tanh(w1) + a2*n2*tanh(w2)"], [1], "a1 a2 w1 w2", nodes="n1 n2")
    >>> noisy.regularizer
    a1**2*tanh(w1)**2/2 + a2**2*tanh(w2)**2/2
    """
    entries = list(outputs) if isinstance(outputs, Sequence) and not isinstance(outputs, str) else [outputs]
    symbols = named_symbols(nodes, entries, "nodes")
    f, y, w = read_model(outputs, targets, variables, {s.name: s for s in symbols})
    twins = {s.name for s in symbols} & {v.name for v in w}
    if twins:
        raise ValueError(f"{min(twins)!r} is both a node and a variable")
    missing = [s.name for s in symbols if not any(s in f_i.free_symbols for f_i in f)]
    if missing:
        raise ValueError(f"the node {missing[0]!r} does not occur in the outputs")
    c = square_weight(len(f), half)
    marked = sympy.Add(*[c * (f_i - y_i) ** 2 for f_i, y_i in zip(f, y, strict=True)])
    loss = Loss(marked.xreplace(dict.fromkeys(symbols, sympy.S.One)), w, parameters)
    eta = fresh_symbols(len(symbols), {*w, *loss.parameter_symbols})
    (noisy,) = replace_symbols([marked], {s: 1 + e for s, e in zip(symbols, eta, strict=True)})
    zeros = zero_loss_set or zeros_of_squares(loss.expression, w, loss.parameters)
    return NoisyLoss(noisy, w, eta, law or Bernoulli(), loss.parameters, zeros)


def two_layer_network(
    data: Sequence[Sequence[float]] | np.ndarray, width: int, activation: str = "tanh"
) -> tuple[list[sympy.Expr], list[sympy.Symbol], list[sympy.Symbol]]:
    r"""The outputs f_i = Σ_j a_j n_j s(w_j · x_i) of a two-layer network, its variables and its nodes.

    Parameters
    ----------
    data : array_like of shape (n, p)
        The inputs x_i.
    width : int
        The number of hidden nodes.
    activation : str, optional
        The function s: text in one name, such as ``"tanh(u)"``, or the name of a function.

    Returns
    -------
    outputs, variables, nodes : lists
        What `dropout` takes. The variables are a1, a2, … and w1_1, w1_2, …, the nodes n1, n2, …

    Raises
    ------
    ValueError
        If the data are no matrix, the width is not positive, or the activation not a function of one name.

    Examples
    --------
    >>> from bea.noise import two_layer_network
    >>> outputs, variables, nodes = two_layer_network([[1, 2]], width=2)
    >>> outputs[0]
    a1*n1*tanh(w1_1 + 2*w1_2) + a2*n2*tanh(w2_1 + 2*w2_2)
    """
    x = np.asarray(data)
    if x.ndim != 2 or x.dtype.kind not in "iuf" or 0 in x.shape:
        raise ValueError(f"the data must be a matrix of numbers, one input a row, not of shape {x.shape}")
    if isinstance(width, bool) or not isinstance(width, int) or width < 1:
        raise ValueError(f"the width must be a positive integer, not {width!r}")
    s = read_expression(f"{activation}(u)" if activation.isidentifier() else activation)
    if len(s.free_symbols) != 1:
        raise ValueError(f"the activation must be a function of one name, not {activation!r}")
    (u,) = s.free_symbols
    a = [sympy.Symbol(f"a{j}") for j in range(1, width + 1)]
    nodes = [sympy.Symbol(f"n{j}") for j in range(1, width + 1)]
    w = [[sympy.Symbol(f"w{j}_{k}") for k in range(1, x.shape[1] + 1)] for j in range(1, width + 1)]
    rows = [[read_expression(float(v) if x.dtype.kind == "f" else int(v)) for v in row] for row in x]
    outputs = [
        sympy.Add(
            *[a_j * n_j * s.xreplace({u: _dot(w_j, row)}) for a_j, n_j, w_j in zip(a, nodes, w, strict=True)]
        )
        for row in rows
    ]
    return outputs, [*a, *(v for w_j in w for v in w_j)], nodes


def _dot(w: Sequence[sympy.Expr], x: Sequence[sympy.Expr]) -> sympy.Expr:
    return sympy.Add(*[w_k * x_k for w_k, x_k in zip(w, x, strict=True)])
