"""A step of a scheme as a program: the scheme's own rule, run on the registers of a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sympy

from bea.numerics.program import Linear, Program, real_number
from bea.schemes.memory import flattened, memory_size, shaped
from bea.schemes.scheme import Scheme
from bea.systems.expressions import STEP_SIZE, read_expression
from bea.systems.vector_field import VectorField

__all__ = ["FixedPoints", "NotTraceable", "Number", "ProgramArithmetic", "Rule", "inputs_of", "trace_step"]

#: A rule that maps a scheme's field, x, memory, h and arithmetic to the next x and memory.
Rule = Callable[..., tuple[list[Any], Any]]


class NotTraceable(Exception):
    """The step asks for something that is no finite program, such as an exact flow."""


class Number:
    """A linear combination of registers, and a constant at None."""

    __slots__ = ("linear", "program")

    def __init__(self, program: Program, linear: Linear) -> None:
        self.program = program
        self.linear = linear

    @classmethod
    def register(cls, program: Program, register: int) -> Number:
        """What a register holds."""
        constant = program.constant(register)
        if constant is None:
            return cls(program, {register: 1.0})
        return cls(program, {None: constant} if constant else {})

    @property
    def place(self) -> int:
        """The register of this number, in which it is put if need be."""
        place = self.program.linear(self.linear)
        self.linear = {place: 1.0}
        return place

    def _is_constant(self) -> bool:
        return all(register is None for register in self.linear)

    def __add__(self, other: Any) -> Number:
        linear = dict(self.linear)
        for register, c in self._number(other).linear.items():
            linear[register] = linear.get(register, 0.0) + c
        return Number(self.program, {r: c for r, c in linear.items() if c != 0})

    __radd__ = __add__

    def __neg__(self) -> Number:
        return self * -1

    def __sub__(self, other: Any) -> Number:
        return self + -self._number(other)

    def __rsub__(self, other: Any) -> Number:
        return -self + other

    def __mul__(self, other: Any) -> Number:
        other = self._number(other)
        for constant, factor in ((self, other), (other, self)):
            if constant._is_constant():
                c = constant.linear.get(None, 0.0)
                return Number(self.program, {r: c * d for r, d in factor.linear.items() if c * d != 0})
        (left, c), (right, d) = self._scaled(), other._scaled()
        return Number(self.program, {self.program.chain(left, right): c * d})

    def _scaled(self) -> tuple[int, float]:
        """A register and the number by which it is multiplied."""
        if len(self.linear) == 1:
            ((register, c),) = self.linear.items()
            if register is not None:
                return register, c
        return self.place, 1.0

    __rmul__ = __mul__

    def _number(self, value: Any) -> Number:
        if isinstance(value, Number):
            return value
        return Number(self.program, {None: float(value)} if value else {})


class FixedPoints:
    """What a trace does where a scheme asks for the solution of K = F(K).

    Without `unknowns` every solution is taken to be its start, and the starts are collected; with them, the
    unknowns take the places of the solutions one after the other, and their images F(K) are collected.
    """

    def __init__(self, unknowns: Sequence[Number] = ()) -> None:
        self.unknowns = list(unknowns)
        self.starts: list[Number] = []
        self.images: list[Number] = []

    def solve(
        self, function: Callable[[list[Any]], list[Any]], start: list[list[Number]]
    ) -> list[list[Number]]:
        """The unknowns, or the start, in the shape of the start."""
        flat = [value for row in start for value in row]
        begin = len(self.starts)
        self.starts += flat
        if self.unknowns:
            flat = self.unknowns[begin : begin + len(flat)]
        values = iter(flat)
        solution = [[next(values) for _ in row] for row in start]
        if self.unknowns:
            self.images += [value for row in function(solution) for value in row]
        return solution


class ProgramArithmetic:
    """The arithmetic of registers for the steps of schemes."""

    def __init__(self, program: Program, fixed_points: FixedPoints) -> None:
        self._program = program
        self._fixed_points = fixed_points

    def number(self, constant: sympy.Expr) -> Number:
        constant = read_expression(constant)
        if constant.free_symbols:
            return Number.register(self._program, self._program.expression(constant))
        value = real_number(constant)
        return Number(self._program, {None: value} if value else {})

    def power(self, base: Number, exponent: sympy.Rational) -> Number:
        exponent = sympy.Rational(exponent)
        if exponent == 0:
            return Number(self._program, {None: 1.0})
        place = base.place
        if exponent.q == 2:
            place, exponent = self._program.function("sqrt", [place]), exponent * 2
        if exponent.q != 1:
            other = self._program.linear({None: float(exponent)})
            return Number(self._program, {self._program.function("power", [place, other]): 1.0})
        if exponent < 0:
            place = self._program.function("reciprocal", [place])
        result = Number(self._program, {place: 1.0})
        for _ in range(abs(int(exponent)) - 1):
            result = result * Number(self._program, {place: 1.0})
        return result

    def fixed_point(self, function: Callable[[list[Any]], list[Any]], start: list[Any]) -> list[Any]:
        return self._fixed_points.solve(function, start)


def inputs_of(field: VectorField) -> list[sympy.Symbol]:
    """The symbols on which a field depends: its variables, then its parameters."""
    return [*field.variables, *field.parameter_symbols]


class _InlinedField:
    """A field whose program is copied into the step wherever the step asks for a value."""

    def __init__(self, program: Program, field: VectorField, parameters: dict[str, int]) -> None:
        self._program = program
        self._own = Program(field.components, inputs_of(field))
        self._parameters = [parameters[s.name] for s in field.parameter_symbols]
        self.parts = [_InlinedField(program, part, parameters) for part in field.parts]

    @property
    def size(self) -> int:
        """The operations of one evaluation."""
        return self._own.size

    def __call__(self, point: Sequence[Number]) -> list[Number]:
        arguments = [*(value.place for value in point), *self._parameters]
        return [Number.register(self._program, r) for r in self._program.inline(self._own, arguments)]

    def flow(self, point: Sequence[Number], t: Number) -> list[Number]:
        raise NotTraceable


def trace_step(
    scheme: Scheme,
    field: VectorField,
    fixed_points: int = 0,
    rule: Rule | None = None,
    wanted: str = "end",
) -> Program:
    """The program of one step.

    Its inputs are the unknowns of fixed points, x, the memory, h, the parameters of the field, and the
    symbols of the scheme; its outputs the next x and memory, or what else is `wanted`.

    Parameters
    ----------
    scheme : Scheme
    field : VectorField
    fixed_points : int
        How many unknowns there are.
    rule : callable, optional
        Taken in the place of ``scheme.update``.
    wanted : {"end", "starts", "images"}
        The next x and memory; the starts of fixed points; their images F(K).

    Raises
    ------
    NotTraceable
        If the step is no finite program.
    """
    d, r = field.dimension, memory_size(scheme, field.dimension)
    symbols = [*field.parameter_symbols, *scheme.parameter_symbols]
    inputs = [*(sympy.Dummy() for _ in range(fixed_points + d + r)), STEP_SIZE, *symbols]
    program = Program([], inputs)
    numbers = [Number(program, {i: 1.0}) for i in range(len(inputs))]
    unknowns, z = numbers[:fixed_points], numbers[fixed_points : fixed_points + d + r]
    h = numbers[fixed_points + d + r]
    solver = FixedPoints(unknowns)
    arithmetic = ProgramArithmetic(program, solver)
    places = {s.name: inputs.index(s) for s in field.parameter_symbols}
    inlined = _InlinedField(program, field, places)
    x, memory = (rule or scheme.update)(inlined, z[:d], shaped(z[d:], d, scheme), h, arithmetic)
    end = [*x, *flattened(memory, scheme)]
    results = {"end": end, "starts": solver.starts, "images": solver.images}[wanted]
    program.outputs = [Number(program, {}).place if not v.linear else v.place for v in results]
    return program
