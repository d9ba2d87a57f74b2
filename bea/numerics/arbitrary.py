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
from typing import Any, cast

import numpy as np
import sympy
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
from bea.schemes.memory import flattened, memory_size, shaped
from bea.schemes.parametric import values_of
from bea.schemes.rehearsal import explained
from bea.schemes.scheme import Memory, Scheme
from bea.systems.expressions import read_parameters
from bea.systems.system import System, as_field
from bea.systems.traversal import free_symbols
from bea.systems.vector_field import VectorField

__all__ = [
    "ArbArithmetic",
    "ArbField",
    "DivergedError",
    "evaluate",
    "flow",
    "iterate",
    "read_number",
    "taylor",
]

#: Terms left out of a Taylor series are this many bits below the precision asked for.
TRUNCATION_BITS = 8
#: An iterate beyond this power of 2 has diverged, as it has in double precision.
LARGEST_EXPONENT = 1024
#: A solution whose steps become this many halvings shorter than the time behind them ends in a singularity.
SHORTEST_STEP = 32


class DivergedError(ValueError):
    """An iterate is not finite or too large."""


def flow(
    field: System,
    x0: Sequence[object],
    t: object,
    parameters: Mapping[Any, object] | None = None,
    bits: int = 200,
    max_steps: int = 10_000,
) -> np.ndarray:
    """The solution at time `t` of ẋ = f(x) from `x0`, by Taylor series [1]_, to `bits` bits.

    Parameters
    ----------
    field : VectorField, Loss or Game
        For a loss, its gradient flow −∇E; for a game, simultaneous play.
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
    max_steps = _count(max_steps, "max_steps")

    def solve() -> np.ndarray:
        balls = ArbField(field, parameters, bits, max_steps)
        return np.array(balls.flow(_point(field, x0), read_number(t).mid()), dtype=object)

    return with_guard_bits(bits, solve)


class ArbField:
    """A field on balls, as schemes use it: its values, its exact flow, and the parts of which it is made."""

    def __init__(
        self, field: VectorField, parameters: Mapping[Any, object] | None, bits: int, max_steps: int = 10_000
    ) -> None:
        program = _program(field)
        constants = program.constants(_parameter_values(field, parameters))
        self._series, self._check = program.machine(constants), program.machine(constants)
        self._bits = bits
        self._max_steps = max_steps
        self.parts = [
            ArbField(part, _parameters_of(part, parameters), bits, max_steps) for part in field.parts
        ]

    def __call__(self, x: Sequence[arb]) -> list[arb]:
        return self._check.value(x)

    def flow(self, x: Sequence[arb], t: arb) -> list[arb]:
        """The solution at time t from x, both exact numbers, by steps of Taylor series."""
        x, end = [value.mid() for value in x], t.mid()
        remaining, steps = end, 0
        while remaining != 0:
            reached = end - remaining
            if steps == self._max_steps:
                raise ValueError(f"the flow came only to t = {float(reached):.6g} in {steps} steps")
            x, length = taylor_step(self._series, self._check, x, remaining, self._bits + TRUNCATION_BITS)
            if length != remaining and magnitude([length]) < magnitude([reached]) - SHORTEST_STEP:
                raise ValueError(
                    f"the solution cannot be continued to t = {float(end):.6g}, "
                    f"since it becomes singular near t = {float(reached):.6g}"
                )
            remaining, steps = (remaining - length).mid(), steps + 1
        return x


def iterate(
    system: System,
    scheme: Scheme,
    x0: Sequence[object],
    step_size: object,
    steps: int,
    parameters: Mapping[Any, object] | None = None,
    bits: int = 200,
    memory: Sequence[object] | None = None,
) -> np.ndarray:
    """The iterates of a scheme, each step accurate to `bits` bits.

    Parameters
    ----------
    system : VectorField, Loss or Game
        For a loss, the scheme discretizes its gradient flow −∇E; for a game, simultaneous play.
    scheme : Scheme
        One that draws passes at random takes the mean over all orders here.
    x0, bits
        As in `flow`.
    step_size : number
    steps : int
    parameters : mapping from name to number, optional
        Values for parameters of the system, before those that it has, and of the scheme.
    memory : sequence of r numbers, optional
        What the scheme remembers before the first step, in the order of ``ModifiedEquation.memory``.

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
    return iterate_with_memory(system, scheme, x0, step_size, steps, parameters, bits, memory)[0]


def iterate_with_memory(
    system: System,
    scheme: Scheme,
    x0: Sequence[object],
    step_size: object,
    steps: int,
    parameters: Mapping[Any, object] | None = None,
    bits: int = 200,
    memory: Sequence[object] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """The iterates as from `iterate`, and the memory after the last step, of shape (r,)."""
    field = as_field(system)
    if not isinstance(scheme, Scheme):
        raise TypeError(f"scheme must be a bea scheme, not {type(scheme).__name__}")
    scheme.require(len(field.parts))
    parameters, constants = values_of(scheme, parameters, field)
    if constants:
        scheme = cast(Any, scheme).with_parameters(**constants)
    steps = _count(steps, "steps")

    def run() -> tuple[np.ndarray, np.ndarray]:
        balls, arithmetic = ArbField(field, parameters, bits), ArbArithmetic()
        h = read_number(step_size)
        states = [_point(field, x0)]
        m: Memory
        if memory is None:
            m = scheme.start(balls, states[0], h, arithmetic)
        else:
            m = shaped(_memory(memory, memory_size(scheme, field.dimension)), field.dimension, scheme)
        for k in range(1, steps + 1):
            x, m = scheme.update(balls, states[-1], m, h, arithmetic)
            size = magnitude(x)
            if size > LARGEST_EXPONENT:
                what = "x is not finite" if size == inf else f"|x| exceeds 2**{LARGEST_EXPONENT}"
                raise DivergedError(f"the iterates diverge: {what} after {k} steps")
            require_accurate(x, max(size, magnitude(states[-1])), bits + steps.bit_length())
            states.append([value.mid() for value in x])
            m = shaped([value.mid() for value in flattened(m, scheme)], field.dimension, scheme)
        return np.array(states, dtype=object), np.array(flattened(m, scheme), dtype=object)

    with explained(scheme, len(field.parts)):
        return with_guard_bits(bits, run)


def taylor(
    field: System,
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


def evaluate(
    expressions: Sequence[sympy.Expr],
    variables: Sequence[sympy.Symbol],
    x: Sequence[object],
    parameters: Mapping[str, object],
    bits: int = 200,
) -> list[arb]:
    """The values of expressions at a point, accurate to `bits` bits of the largest; each an exact number.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
    variables : sequence of d sympy.Symbol
    x : sequence of d numbers
    parameters : mapping from name to number
        A value for every other symbol.
    bits : int, default 200

    Raises
    ------
    ValueError
        If a value is not finite, or an expression has no arbitrary-precision counterpart.

    Examples
    --------
    >>> import sympy
    >>> x, c = sympy.symbols("x c")
    >>> print(evaluate([sympy.sqrt(c * x)], [x], [8], {"c": 4})[0].str(20, radius=False))
    5.6568542494923801952
    """
    free = free_symbols(expressions) - set(variables)
    symbols = tuple(sorted(free, key=lambda s: s.name))
    program = straight_line(tuple(expressions), tuple(variables), symbols)

    def compute() -> list[arb]:
        machine = program.machine(program.constants([read_number(parameters[s.name]) for s in symbols]))
        values = machine.value([read_number(value) for value in x])
        size = magnitude(values)
        if size == inf:
            raise ValueError(f"the expressions are not finite at {list(x)}")
        require_accurate(values, size, bits)
        return [value.mid() for value in values]

    return with_guard_bits(bits, compute)


def _parameters_of(part: VectorField, parameters: Mapping[Any, object] | None) -> dict[Any, object]:
    """Those of the parameters that a part has."""
    names = {s.name for s in part.parameter_symbols}
    return {name: value for name, value in (parameters or {}).items() if str(name) in names}


def _program(field: VectorField) -> StraightLine:
    return straight_line(field.components, field.variables, field.parameter_symbols)


def _count(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise ValueError(f"{name} must be an integer, 0 or more, not {value!r}")
    return int(value)


def _memory(memory: Sequence[object], size: int) -> list[arb]:
    """The memory as midpoints at the present precision."""
    if isinstance(memory, str) or np.shape(np.array(memory, dtype=object)) != (size,):
        raise ValueError(f"memory must be a sequence of {size} numbers, not {memory!r}")
    return [read_number(value).mid() for value in memory]


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
