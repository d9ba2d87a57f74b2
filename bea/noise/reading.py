"""What the constructors of noisy losses share: names for the noise, and losses of models with data."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from bea.systems.expressions import named_symbols, read_expression
from bea.systems.loss import Loss

__all__ = ["fresh_symbols", "read_loss", "read_model", "square_weight"]


def fresh_symbols(n: int, taken: Collection[sympy.Symbol]) -> list[sympy.Symbol]:
    """Names eta1, …, etan for the noise, or with underscores where a taken symbol bears one of them."""
    names = {s.name for s in taken}
    prefix = "eta"
    while any(f"{prefix}{i}" in names for i in range(1, n + 1)):
        prefix += "_"
    return [sympy.Symbol(f"{prefix}{i}") for i in range(1, n + 1)]


def read_loss(loss: object, noise: str) -> Loss:
    """The loss, or a sentence that says why it is none."""
    if not isinstance(loss, Loss):
        raise TypeError(f"{noise} takes a Loss, not {type(loss).__name__}")
    return loss


def read_model(
    outputs: object,
    targets: object,
    variables: str | Sequence[str | sympy.Symbol] | None,
    known: Mapping[str, sympy.Symbol] | None = None,
) -> tuple[list[sympy.Expr], list[sympy.Expr], tuple[sympy.Symbol, ...]]:
    """Outputs f_i, targets y_i and variables as SymPy objects, one target for each output."""
    f, y = _listed(outputs, "outputs"), _listed(targets, "targets")
    if variables is None:
        raise TypeError("a model that is given by its outputs needs variables")
    if len(f) != len(y):
        raise ValueError(f"there must be one target for each output, but there are {len(y)} for {len(f)}")
    names = named_symbols(variables, f, "variables")
    symbols = {**(known or {}), **{v.name: v for v in names}}
    return [read_expression(e, symbols) for e in f], [read_expression(e, symbols) for e in y], names


def square_weight(n: int, half: bool) -> sympy.Rational:
    """1/(2n) or 1/n: the factor of the sum of squares over n data."""
    if not isinstance(half, bool):
        raise TypeError(f"half must be True or False, not {half!r}")
    return sympy.Rational(1, 2 * n if half else n)


def _listed(values: Any, what: str) -> list[object]:
    """One value, or a sequence or array of them, as a list."""
    if isinstance(values, np.ndarray):
        return values.ravel().tolist()
    if isinstance(values, Sequence | sympy.MatrixBase) and not isinstance(values, str):
        entries = list(values)
    elif values is None:
        raise TypeError(f"a model needs {what}")
    else:
        entries = [values]
    if not entries:
        raise ValueError(f"a model needs {what}, but there are none")
    return entries
