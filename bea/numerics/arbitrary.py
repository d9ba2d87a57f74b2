"""Flows and iterates in arbitrary precision, by Taylor series in ball arithmetic.

Results are computed with guard bits, checked by the radii of the balls, and returned as exact midpoints:
radii carried from step to step would grow like e^{‖f'‖t}, whatever the true error does.

The precision of python-flint is one setting of the whole process. These functions set it and put it back, so
they must not run in several threads at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from math import inf
from typing import Any

import numpy as np
from flint import arb

from bea.numerics.balls import (
    ArbArithmetic,
    exact_value,
    magnitude,
    read_number,
    require_accurate,
    with_guard_bits,
)
from bea.numerics.straight_line import StraightLine, straight_line
from bea.numerics.taylor_step import taylor_step
from bea.schemes.scheme import Scheme
from bea.systems import Loss, VectorField
from bea.systems.expressions import read_parameters
from bea.systems.loss import as_field

__all__ = ["ArbArithmetic", "flow", "iterate", "read_number", "taylor"]

#: Terms left out of a Taylor series are this many bits below the precision asked for.
TRUNCATION_BITS = 8
#: An iterate beyond this power of 2 has diverged, as it has in double precision.
LARGEST_EXPONENT = 1024
#: A solution whose steps become this many halvings shorter than the time behind them ends in a singularity.
SHORTEST_STEP = 32


def flow(
    field: VectorField | Loss,
    x0: Sequence[object],
    t: object,
    parameters: Mapping[Any, object] | None = None,
    bits: int = 200,
    max_steps: int = 10_000,
) -> np.ndarray:
    """The solution at time `t` of ẋ = f(x) from `x0`, by Taylor series [1]_, to `bits` bits.

    Parameters
    ----------
    field : VectorField or Loss
        For a loss, its gradient flow −∇E.
    x0 : sequence of d numbers
        Integers, floats, fractions, text, SymPy numbers or balls. A float is the decimal number that it
        spells: 0.6 is 3/5. Of a ball the midpoint is taken.
    t : number
        The time, negative to go backwards.
    parameters : mapping from name to number, optional
        Values for parameters of the field, before those that it has.
    bits : int, default 200
    max_steps : int, default 10000

    Returns
    -------
    array of `flint.arb`, shape (d,), each an exact number

    Raises
    ------
    ValueError
        If the solution ends in a singularity before `t` or needs more than `max_steps` steps, or if the field
        is not smooth somewhere on it, has no arbitrary-precision counterpart, or loses every guard bit to
        cancellation.
    TypeError
        If an argument is of another kind.

    Notes
    -----
    Every step of the method is accurate to 2**-bits, relative to the largest component. The error at `t` is
    the sum of the errors of the steps, each carried on by the flow.

    References
    ----------
    .. [1] À. Jorba and M. Zou (2005), "A software package for the numerical integration of ODEs by means of
       high-order Taylor methods", Experimental Mathematics 14, 99–117.

    Examples
    --------
    >>> import bea
    >>> logistic = bea.VectorField(["x*(1 - x)"], variables="x")
    >>> print(bea.arbitrary.flow(logistic, [0.5], 1)[0].str(40, radius=False))
    0.7310585786300048792511592418218362743651
    """
    field = as_field(field)
    program = _program(field)
    max_steps = _count(max_steps, "max_steps")

    def solve() -> np.ndarray:
        constants = program.constants(_parameter_values(field, parameters))
        series, check = program.machine(constants), program.machine(constants)
        x, end = _point(field, x0), read_number(t).mid()
        remaining, steps = end, 0
        while remaining != 0:
            reached = end - remaining
            if steps == max_steps:
                raise ValueError(f"the flow came only to t = {float(reached):.6g} in {max_steps} steps")
            x, length = taylor_step(series, check, x, remaining, bits + TRUNCATION_BITS)
            if length != remaining and magnitude([length]) < magnitude([reached]) - SHORTEST_STEP:
                raise ValueError(
                    f"the solution cannot be continued to t = {float(end):.6g}, "
                    f"since it becomes singular near t = {float(reached):.6g}"
                )
            remaining, steps = (remaining - length).mid(), steps + 1
        return np.array(x, dtype=object)

    return with_guard_bits(bits, solve)


def iterate(
    system: VectorField | Loss,
    scheme: Scheme,
    x0: Sequence[object],
    step_size: object,
    steps: int,
    parameters: Mapping[Any, object] | None = None,
    bits: int = 200,
) -> np.ndarray:
    """The iterates of a one-step scheme, each step accurate to `bits` bits.

    Parameters
    ----------
    system : VectorField or Loss
        For a loss, the scheme discretizes its gradient flow −∇E.
    scheme : Scheme
    x0, parameters, bits
        As in `flow`.
    step_size : number
    steps : int

    Returns
    -------
    array of `flint.arb`, shape (steps + 1, d), each an exact number
        Row k is the state after k steps.

    Raises
    ------
    ValueError
        If an iterate is not finite or exceeds 2**1024, or the stages of an implicit scheme are not found.
    TypeError
        If an argument is of another kind.

    Examples
    --------
    >>> import bea
    >>> decay = bea.VectorField(["-x"], variables="x")
    >>> path = bea.arbitrary.iterate(decay, bea.schemes.ExplicitEuler(), [1], "1/3", steps=3)
    >>> print(path[3, 0].str(30, radius=False))
    0.296296296296296296296296296296
    """
    field = as_field(system)
    if not isinstance(scheme, Scheme):
        raise TypeError(f"scheme must be a bea scheme, not {type(scheme).__name__}")
    steps = _count(steps, "steps")
    program = _program(field)

    def run() -> np.ndarray:
        machine = program.machine(program.constants(_parameter_values(field, parameters)))
        arithmetic = ArbArithmetic()
        h = read_number(step_size)
        states = [_point(field, x0)]
        for k in range(1, steps + 1):
            balls = scheme.step(machine.value, states[-1], h, arithmetic)
            size = magnitude(balls)
            if size > LARGEST_EXPONENT:
                what = "x is not finite" if size == inf else f"|x| exceeds 2**{LARGEST_EXPONENT}"
                raise ValueError(f"the iterates diverge: {what} after {k} steps")
            require_accurate(balls, max(size, magnitude(states[-1])), bits + steps.bit_length())
            states.append([x.mid() for x in balls])
        return np.array(states, dtype=object)

    return with_guard_bits(bits, run)


def taylor(
    field: VectorField | Loss,
    x0: Sequence[object],
    order: int,
    parameters: Mapping[Any, object] | None = None,
    bits: int = 200,
) -> np.ndarray:
    """The Taylor coefficients x_0, …, x_order of the solution x(t) = Σ_k x_k t^k from `x0`.

    Parameters
    ----------
    field, x0, parameters, bits
        As in `flow`.
    order : int

    Returns
    -------
    array of `flint.arb`, shape (order + 1, d)
        Balls that contain the coefficients.

    Raises
    ------
    ValueError, TypeError
        If an argument is of another kind.

    Examples
    --------
    >>> import bea
    >>> field = bea.VectorField(["y**2"], variables="y")
    >>> [int(float(c)) for c in bea.arbitrary.taylor(field, [2], order=4)[:, 0]]
    [2, 4, 8, 16, 32]
    """
    field = as_field(field)
    order = _count(order, "order")
    program = _program(field)

    def expand() -> np.ndarray:
        machine = program.machine(program.constants(_parameter_values(field, parameters)))
        coefficients = machine.solution(_point(field, x0), enclose=True)
        return np.array(list(islice(coefficients, order + 1)), dtype=object)

    return with_guard_bits(bits, expand)


def _program(field: VectorField) -> StraightLine:
    return straight_line(field.components, field.variables, field.parameter_symbols)


def _count(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise ValueError(f"{name} must be an integer, 0 or more, not {value!r}")
    return int(value)


def _point(field: VectorField, x0: Sequence[object]) -> list[arb]:
    """The starting point as midpoints at the present precision."""
    if isinstance(x0, str) or np.shape(np.array(x0, dtype=object)) != (field.dimension,):
        raise ValueError(f"x0 must be a sequence of {field.dimension} numbers, not {x0!r}")
    return [read_number(value).mid() for value in x0]


def _parameter_values(field: VectorField, parameters: Mapping[Any, object] | None) -> list[arb]:
    """A ball for every parameter of the field, from `parameters` or else from its own values."""
    parameters = field.concerning(parameters)
    balls = {str(name): value for name, value in parameters.items() if isinstance(value, arb)}
    exact = {name: 0 if str(name) in balls else exact_value(value) for name, value in parameters.items()}
    symbols, values = read_parameters(exact, set(field.parameter_symbols), ())
    known = {**field.parameters, **values, **balls}
    missing = [s.name for s in symbols if s.name not in known]
    if missing:
        raise ValueError(f"no value for parameter {missing[0]!r}: pass parameters={{{missing[0]!r}: ...}}")
    return [read_number(known[s.name]) for s in symbols]
