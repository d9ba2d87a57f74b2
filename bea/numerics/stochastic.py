"""Random solutions of stochastic modified equations, many at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy

from bea.modified.stochastic import StochasticModifiedEquation
from bea.numerics.arguments import read_positive, read_rng
from bea.systems.evaluation import parameter_numbers, read_point
from bea.systems.expressions import STEP_SIZE
from bea.systems.traversal import free_symbols

__all__ = ["stochastic_paths"]

#: A function of states of shape (d, paths), whose value has a shape that ends in (paths,).
Batched = Callable[[np.ndarray], np.ndarray]


def stochastic_paths(
    equation: StochasticModifiedEquation,
    x0: Sequence[float] | np.ndarray,
    h: float,
    steps: int,
    paths: int,
    parameters: Mapping[Any, object] | None = None,
    *,
    substeps: int = 4,
    rng: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Random solutions of a stochastic modified equation at the times 0, h, …, steps · h.

    Parameters
    ----------
    equation : StochasticModifiedEquation
    x0 : array_like of shape (d,)
    h : float
        The learning rate.
    steps, paths : int
        How many learning rates of time, and how many independent solutions.
    parameters : mapping from name to number, optional
        Values for parameters, which replace those of the loss.
    substeps : int, default 4
        Steps of the integration for one learning rate.
    rng : int, numpy.random.Generator or None
        Randomness, as in NumPy. Equations with as many columns of noise see the same noise for the same seed.

    Returns
    -------
    array of shape (steps + 1, d, paths)

    Raises
    ------
    ValueError, TypeError
        If an argument is not as described, a parameter has no value, or a solution is not finite.

    Notes
    -----
    The drift is integrated by the classical Runge–Kutta method, the noise is added as in the method of Euler
    and Maruyama. With Δ = h / substeps the weak error is O(Δ⁴ + hΔ), since the noise is small [1]_.

    References
    ----------
    .. [1] G. N. Milstein and M. V. Tretyakov (1997), Numerical methods in the weak sense for stochastic
           differential equations with small noise, SIAM Journal on Numerical Analysis 34, 2142–2167.

    Examples
    --------
    >>> import bea
    >>> equation = bea.stochastic_modified_equation(bea.Loss("x**2/2", variables="x"), noise=[1])
    >>> x = bea.stochastic_paths(equation, [0.0], h=0.1, steps=60, paths=20_000, rng=0)
    >>> x.shape, round(float(x[-1].var()), 2)
    ((61, 1, 20000), 0.05)
    """
    if not isinstance(equation, StochasticModifiedEquation):
        raise TypeError(f"equation must be a stochastic modified equation, not {type(equation).__name__}")
    point = read_point(x0, equation.drift.dimension, "x0")
    h = read_positive(h, "h")
    steps, paths, substeps = (
        _count(n, name) for n, name in ((steps, "steps"), (paths, "paths"), (substeps, "substeps"))
    )
    drift, noise = _compiled(equation, h, parameters)
    generator, delta = read_rng(rng), h / substeps
    scale = np.sqrt(h * delta)
    x = np.repeat(point[:, np.newaxis], paths, axis=1)
    result = np.empty((steps + 1, *x.shape))
    result[0] = x
    for k in range(steps * substeps):
        increments = generator.standard_normal((equation.noise.cols, paths))
        kick = scale * np.einsum("irp,rp->ip", noise(x), increments)
        x = _classical_step(drift, x, delta) + kick
        if (k + 1) % substeps == 0:
            if not np.isfinite(x).all():
                raise ValueError(
                    f"a solution is not finite at t = {(k + 1) * delta:g}: h = {h:g} is too large"
                )
            result[(k + 1) // substeps] = x
    return result


def _compiled(
    equation: StochasticModifiedEquation, h: float, parameters: Mapping[Any, object] | None
) -> tuple[Batched, Batched]:
    """The drift, of shape (d, paths), and the noise, of shape (d, r, paths), as functions of the states."""
    variables, entries = equation.drift.variables, list(equation.noise)
    free = free_symbols([*equation.drift.components, *entries]) - {*variables, STEP_SIZE}
    symbols = sorted(free, key=lambda s: s.name)
    known = {n: v for n, v in equation.loss.parameters.items() if n in {s.name for s in free}}
    p = parameter_numbers(symbols, known, parameters)

    def batched(expressions: Sequence[sympy.Expr], shape: tuple[int, ...]) -> Batched:
        function = sympy.lambdify(
            [list(variables), [*symbols, STEP_SIZE]], list(expressions), "numpy", cse=True
        )

        def value(x: np.ndarray) -> np.ndarray:
            parts = [np.broadcast_to(part, x.shape[1:]) for part in function(x, [*p, h])]
            return np.stack(parts).reshape(*shape, x.shape[1])

        return value

    return batched(equation.drift.components, (len(variables),)), batched(entries, equation.noise.shape)


def _classical_step(drift: Batched, x: np.ndarray, delta: float) -> np.ndarray:
    """One step of the classical Runge–Kutta method."""
    k1 = drift(x)
    k2 = drift(x + delta / 2 * k1)
    k3 = drift(x + delta / 2 * k2)
    k4 = drift(x + delta * k3)
    return x + delta / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _count(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise ValueError(f"{name} must be a positive integer, not {value!r}")
    return int(value)
