"""Numbers out of exact expressions: points, parameter values and NumPy functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import sympy

from bea.systems.expressions import read_parameters
from bea.systems.traversal import leaves

__all__ = ["compile_numpy", "parameter_numbers", "read_point"]


def read_point(x: Sequence[float] | np.ndarray, dimension: int, name: str) -> np.ndarray:
    """`x` as an array of `dimension` finite floats, or a sentence that says why it is none."""
    array = np.asarray(x)
    if array.dtype == object and all(map(_is_real, array.flat)):
        array = np.array([float(value) for value in array.flat]).reshape(array.shape)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers, not {array.dtype}")
    if array.shape != (dimension,):
        raise ValueError(f"{name} must have shape ({dimension},), not {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, not {array.tolist()}")
    return array.astype(float)


def _is_real(value: object) -> bool:
    """Whether this is a real number of Python or SymPy."""
    if isinstance(value, sympy.Expr):
        return bool(value.is_number and value.is_real)
    return isinstance(value, Real | Decimal) and not isinstance(value, bool)


def parameter_numbers(
    symbols: Sequence[sympy.Symbol],
    values: Mapping[str, sympy.Expr],
    extra: Mapping[Any, object] | None = None,
) -> np.ndarray:
    """Numbers for the parameter `symbols`, in that order, from `values` and, before those, from `extra`.

    Raises
    ------
    ValueError
        If a parameter has no value, or `extra` names one that is not among the symbols.
    """
    ordered, given = read_parameters(extra, set(symbols), ())
    merged = {**values, **given}
    missing = [s.name for s in ordered if s.name not in merged]
    if missing:
        raise ValueError(f"no value for parameter {missing[0]!r}: pass parameters={{{missing[0]!r}: ...}}")
    return np.array([float(merged[s.name]) for s in ordered])


def compile_numpy(
    expressions: Sequence[sympy.Expr], variables: Sequence[sympy.Symbol], parameters: Sequence[sympy.Symbol]
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A function of the arrays (x, p) whose value is the array of the expressions at that point."""
    arguments = [list(variables), list(parameters)]
    if any(leaf.has(sympy.Integral) for leaf in leaves(expressions)):
        function = sympy.lambdify(arguments, list(expressions), ["scipy", "numpy"])
    else:
        # Sorting terms would cost most of the time, and `lambdify` itself walks through shared parts again.
        parts, results = sympy.cse(list(expressions), list=False, order="none")
        flat = [*results, *(value for _, value in parts)]
        function = sympy.lambdify(arguments, flat, "numpy", cse=lambda _: (parts, results))

    def value(x: np.ndarray, p: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # 1/(1 + e^u) is 0 where e^u is beyond the floats
            numbers = np.array(function(x, p), dtype=complex)
        if np.any(numbers.imag != 0):
            raise ValueError(f"the value at {x.tolist()} is not real: {numbers.tolist()}")
        return numbers.real.copy()

    return value
