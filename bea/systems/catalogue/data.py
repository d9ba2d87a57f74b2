"""What the losses of the catalogue share: reading their data, naming their variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy
from numpy.typing import ArrayLike

from bea.systems.expressions import read_expression
from bea.systems.loss import Loss

__all__ = ["exact", "implicit_loss", "numbered", "read_array", "read_count", "require_solvable"]


def read_array(values: ArrayLike, ndim: int, name: str) -> np.ndarray:
    """`values` as a nonempty finite array with `ndim` axes, or a sentence that says why it is none."""
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}")
    if array.ndim != ndim or not array.size:
        kind = {1: "a vector", 2: "a matrix"}[ndim]
        raise ValueError(
            f"{name} must be {kind} with at least one entry, not an array of shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, not {array.tolist()}")
    return array.astype(float)


def read_count(value: int, name: str) -> int:
    """`value` as a positive integer, or a sentence that says why it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}")
    if value < 1:
        raise ValueError(f"{name} must be at least 1, not {value}")
    return int(value)


def require_solvable(X: np.ndarray, y: np.ndarray) -> int:
    """The rank of X, after a check that X w = y has a solution."""
    if len(y) != len(X):
        raise ValueError(f"X has {len(X)} rows but y has {len(y)} entries")
    w, _, rank, values = np.linalg.lstsq(X, y, rcond=None)
    if np.linalg.norm(X @ w - y) > 1e-10 * (np.linalg.norm(y) + values[0] * np.linalg.norm(w)):
        raise ValueError("the loss has no zero: no w solves X w = y for the X and y given")
    if rank == 0:
        raise ValueError("X must have a nonzero entry, or every w solves X w = y")
    return int(rank)


def exact(array: np.ndarray) -> list:
    """The entries of `array`, nested alike, as the exact rational numbers that their decimals spell."""
    return [exact(row) if np.ndim(row) else read_expression(float(row)) for row in array]


def numbered(letter: str, count: int) -> list[sympy.Symbol]:
    """Symbols with indices from 1: ``numbered("u", 2)`` is [u1, u2]."""
    return [sympy.Symbol(f"{letter}{i}") for i in range(1, count + 1)]


def implicit_loss(
    F: str | sympy.Expr,
    variables: str | Sequence[str | sympy.Symbol],
    parameters: Mapping[Any, object] | None,
    count: int,
    description: str,
) -> Loss:
    """The loss ½ F² of a function of `count` variables."""
    loss = Loss.from_residuals([F], variables, parameters, description=description)
    names = " ".join(v.name for v in loss.variables)
    if loss.dimension != count:
        raise ValueError(f"F takes {count} variables here, not {loss.dimension} ({names})")
    if loss.expression.free_symbols.isdisjoint(loss.variables):
        raise ValueError(f"F must depend on a variable among {names}, but {F} does not")
    return loss
