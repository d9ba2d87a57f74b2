"""The modified field of any map, observed from its iterates alone."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from numbers import Complex, Rational, Real
from typing import Any

import numpy as np
import numpy.typing as npt
from flint import arb, ctx

__all__ = ["observed_field"]


def observed_field(
    step: Callable[..., Any],
    x0: npt.ArrayLike,
    h: Any,
    order: int,
    return_error: bool = False,
    memory: npt.ArrayLike | None = None,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    r"""Estimate the field of which `step` is the flow for time h, from finite differences of its iterates.

    The shift along the iterates x_k is 1 + Δ = exp(h D), D the derivative along the field that the map
    follows. So that field is D x₀ = (1/h) log(1 + Δ) x₀, and the first `order` terms of the logarithm are

    .. math:: \tilde f(x_0) = \frac1h \sum_{j=1}^{\text{order}} \frac{(-1)^{j+1}}{j} Δ^j x_0
              + O(h^{\text{order}}).

    No derivative is taken, so the map may be a black box of any size. These are the interpolating vector
    fields of discrete averaging [1]_.

    Parameters
    ----------
    step : callable
        The map x ↦ Φ_h(x). It is given an array of the shape of `x0`, its own copy, and returns the next.
    x0 : array_like of any shape
        Floats, whose field is floats too, or an object array: fractions, mpmath numbers, balls or SymPy
        expressions stay what they are.
    h : number
        The step size that belongs to `step`. With an object array, a float is the decimal number that it
        spells: 0.1 is 1/10.
    order : int
        The number of terms, which is also the number of steps.
    return_error : bool, default False
        Whether to return an estimate of the error too, at the price of one more step.
    memory : array_like, optional
        What the map remembers at `x0`, where it is a map (x, memory) ↦ (x, memory). It should be what the map
        would remember in the long run, since otherwise its transient is no flow of a smooth field.

    Returns
    -------
    field : array of the shape of `x0`
    error : array of the shape of `x0`
        Only if `return_error`: the size of the first term left out, which is the leading error.

    Raises
    ------
    ValueError
        If `h` is zero or not finite, `order` is not a positive integer, or `step` returns something of
        another shape or that is not finite.
    TypeError
        If `h` is no number, or `x0` or what `step` returns holds none, or `step` is no function of x, or of
        x and memory where a memory is given.

    Notes
    -----
    In floating point the j-th difference carries a rounding error of up to 2^j ε ‖x‖, so the estimate has
    one of up to about 2^order ε ‖x‖/h.

    References
    ----------
    .. [1] V. Gelfreich and A. Vieiro (2024), "On exponentially accurate approximation of a near the identity
           map by an autonomous flow", arXiv:2411.03188.

    Examples
    --------
    Euler's method on ẏ = y² follows y² − h y³ + (3/2) h² y⁴ − …, here 1 − 0.01 + 0.00015 − …:

    >>> import bea
    >>> bea.observed_field(lambda y: y + 0.01 * y**2, [1.0], h=0.01, order=8)
    array([0.99014738])
    """
    if isinstance(order, bool) or not isinstance(order, int) or order < 1:
        raise ValueError(f"order must be an integer, 1 or more, not {order!r}")
    _require_function(step, with_memory=memory is not None)
    x = _array(x0, "x0")
    _require_finite(x, "x0 is")
    exact = x.dtype == object
    h = _step_size(h, exact)

    iterates = [x]
    for k in range(1, order + 1 + return_error):
        if memory is None:
            end = step(x.copy())
        else:
            end, memory = _pair(step(x.copy(), memory))
        x = _array(end, "step(x)")
        if not exact and x.dtype == object:
            x = x.astype(iterates[0].dtype)
        if x.shape != iterates[0].shape:
            raise ValueError(f"step must keep the shape {iterates[0].shape} of x0, but it returned {x.shape}")
        _require_finite(x, f"iterate {k} of step is")
        iterates.append(x)

    with ctx.workprec(_bits(iterates)):
        terms = [_divided(difference, j, h) for j, difference in enumerate(_leading_differences(iterates), 1)]
        field = terms[0]
        for j in range(2, order + 1):
            field = field - terms[j - 1] if j % 2 == 0 else field + terms[j - 1]
    return (field, abs(terms[order])) if return_error else field


def _require_function(step: object, with_memory: bool) -> None:
    """Refuse what cannot be called as step(x), or step(x, memory), before it is."""
    form = "step(x, memory), since a memory is given" if with_memory else "step(x)"
    if not callable(step):
        raise TypeError(f"step must be a function, called as {form}, not {step!r}")
    if not _takes(step, 2 if with_memory else 1):
        hint = ", or needs memory=" if not with_memory and _takes(step, 2) else ""
        raise TypeError(f"step is called as {form}, but it takes other arguments{hint}")


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Whether a function takes so many arguments, as far as Python can tell."""
    try:
        signature = inspect.signature(function)
    except ValueError:  # one of those written in C, which do not say
        return True
    try:
        signature.bind(*[None] * count)
    except TypeError:
        return False
    return True


def _pair(end: Any) -> tuple[Any, Any]:
    """The next x and the next memory."""
    if not isinstance(end, tuple | list) or len(end) != 2:
        raise TypeError(
            "step must return the next x and the next memory, since a memory is given, "
            f"but it returned {type(end).__name__} {end!r}"
        )
    return end[0], end[1]


def _bits(iterates: list[np.ndarray]) -> int:
    """A precision at which differences of balls lose nothing but what the balls themselves leave open."""
    balls = [x for iterate in iterates if iterate.dtype == object for x in iterate.flat if isinstance(x, arb)]
    lengths = [int(ball.mid().man_exp()[0]).bit_length() for ball in balls]
    return max(lengths, default=0) + len(iterates) + ctx.prec


def _array(values: Any, name: str) -> np.ndarray:
    """`values` as a new array of floats, complex numbers or objects, integers among objects as fractions."""
    array = np.array(values)
    if array.dtype.kind in "iu":
        return array.astype(float)
    if array.dtype.kind == "O":
        return np.array([Fraction(v) if isinstance(v, int) else v for v in array.flat], dtype=object).reshape(
            array.shape
        )
    if array.dtype.kind not in "fc":
        raise TypeError(f"{name} must hold numbers, not {array.dtype}")
    return array


def _step_size(h: Any, exact: bool) -> Any:
    """`h`, as a fraction if the arithmetic is exact and h is an integer or a float, else as a float."""
    if isinstance(h, str) or np.ndim(h) != 0:
        raise TypeError(f"h must be a number, not {h!r}")
    if h == 0 or not _is_finite(h):
        raise ValueError(f"h must be finite and not zero, not {h}")
    if not exact:
        return complex(h) if isinstance(h, Complex) and not isinstance(h, Real) else float(h)
    return Fraction(str(h)) if isinstance(h, Real) and not isinstance(h, Rational) else h


def _is_finite(value: Any) -> bool:
    """Whether a number of any kind is finite, by its own word or because it cancels against itself."""
    own_word = getattr(value, "is_finite", None)
    return bool(own_word()) if callable(own_word) else bool(value - value == 0)


def _require_finite(x: np.ndarray, subject: str) -> None:
    finite = all(map(_is_finite, x.flat)) if x.dtype == object else bool(np.isfinite(x).all())
    if not finite:
        raise ValueError(f"{subject} not finite: {x.tolist()}")


def _leading_differences(iterates: list[np.ndarray]) -> list[np.ndarray]:
    """The forward differences Δx₀, Δ²x₀, …, one fewer than there are iterates."""
    leading = []
    while len(iterates) > 1:
        iterates = [after - before for before, after in pairwise(iterates)]
        leading.append(iterates[0])
    return leading


def _divided(difference: np.ndarray, j: int, h: Any) -> np.ndarray:
    """difference / (j h), by integers where h is a fraction, which not every kind of number can divide by."""
    if isinstance(h, Rational) and difference.dtype == object:
        return difference * int(h.denominator) / (j * int(h.numerator))
    return difference / (j * h)
