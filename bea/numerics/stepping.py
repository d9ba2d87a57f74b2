"""The compiled loop of every scheme that is no Runge–Kutta method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, NamedTuple

import numpy as np

from bea.numerics.cache import load_module
from bea.numerics.codegen import STRAIGHT_LINE_LIMIT, Key, field_key
from bea.numerics.float_steps import float_loop
from bea.numerics.program import Program
from bea.numerics.step_kernels import drawn_steps, fixed_point_steps, looped_steps, single_steps
from bea.numerics.step_source import CONTROLS, function_source, loop_source
from bea.numerics.tracing import NotTraceable, inputs_of, trace_step
from bea.numerics.vector_steps import NotAlike, StepTrace, vector_source, vector_tail
from bea.schemes.parametric import lifted
from bea.schemes.scheme import Scheme
from bea.systems.vector_field import VectorField

__all__ = ["Loop", "is_small", "step_loop"]

#: A loop (state, rows, counts, record_every, last) ↦ status, as in `bea.numerics.step_kernels`.
Loop = Callable[[np.ndarray, np.ndarray, np.ndarray, int, int], int]

#: Steps without memory of at most this size are compiled into a loop of their own, in half a second or less.
SMALL = 600

#: Orders are drawn for so many steps at once, whatever the chunks in which a run is made.
DRAWN = 1024


def step_loop(
    scheme: Scheme,
    field: VectorField,
    p: np.ndarray,
    h: float,
    report: np.ndarray,
    rng: np.random.Generator,
) -> Loop:
    """The loop that iterates a scheme without free symbols along a field.

    Parameters
    ----------
    scheme : Scheme
    field : VectorField
    p : array
        The parameters of the field.
    h : float
    report : array of shape (2,)
        Receives the number of Newton iterations of the last step and the residual that they left.
    rng : numpy.random.Generator
        From which a scheme draws the orders of its passes.

    Notes
    -----
    The constants of a scheme become arguments of the compiled code, so that a sweep over them compiles once.
    """
    generic, constants = lifted(scheme)
    symbols = [float(constants[s]) for s in generic.parameter_symbols]
    plan = _plan(generic, field)
    q = np.array([h, *p, *symbols])
    if plan.kind == "loop":
        return partial(looped_steps, plan.functions[0], np.array([*np.zeros(CONTROLS), *q]))
    if plan.kind == "fixed point":
        return _fixed_point_loop(plan, q, report)
    if plan.kind == "drawn":
        return _drawn_loop(generic, plan, q, rng)
    values = dict(zip((s.name for s in field.parameter_symbols), map(float, p), strict=True))
    if plan.kind == "flow":
        return float_loop(scheme, field, values, h)
    if plan.kind == "called":
        q = np.array([h, *symbols, *vector_tail(field, values)])
    return partial(single_steps, plan.functions[0], q)


def is_small(scheme: Scheme, field: VectorField) -> bool:
    """Whether a step without memory is one short program, which takes little time to compile into a loop."""
    key = scheme, field_key(field)
    if key not in _small:
        fields = (field, *field.parts)
        calls = StepTrace(scheme, len(field.parts)).calls
        _small[key] = not any(f.native_source for f in fields) and _size(fields, calls) <= SMALL
    return _small[key]


_small: dict[tuple[Scheme, Key], bool] = {}


class Plan(NamedTuple):
    """How the steps of a scheme along a field are made, and the addresses of the compiled functions."""

    kind: Literal["loop", "called", "copied", "fixed point", "drawn", "flow"]
    functions: tuple[int, ...] = ()
    unknowns: int = 0


_plans: dict[tuple[Scheme, Key], Plan] = {}


def _plan(scheme: Scheme, field: VectorField) -> Plan:
    """The plan for a scheme and a field, made once for all values of their parameters."""
    key = scheme, field_key(field)
    if key not in _plans:
        _plans[key] = _make_plan(scheme, field)
    return _plans[key]


def _make_plan(scheme: Scheme, field: VectorField) -> Plan:
    if hasattr(scheme, "draw"):
        rules = (_part_rule(scheme, part) for part in range(len(field.parts)))
        programs = [trace_step(scheme, field, rule=rule) for rule in rules]
        return Plan("drawn", tuple(_address(function_source(f, len(f.outputs))) for f in programs))
    try:
        trace = StepTrace(scheme, len(field.parts))
    except NotTraceable:
        return Plan("flow")
    if trace.has_fixed_points:
        return _fixed_point_plan(scheme, field)
    fields = (field, *field.parts)
    if not any(f.native_source for f in fields) and _size(fields, trace.calls) <= STRAIGHT_LINE_LIMIT:
        return Plan("loop", (_address(loop_source(trace_step(scheme, field), field.dimension)),))
    try:
        return Plan("called", (_address(vector_source(scheme, field)),))
    except NotAlike:
        program = trace_step(scheme, field)
        return Plan("copied", (_address(function_source(program, len(program.outputs))),))


def _size(fields: Sequence[VectorField], calls: Sequence[int]) -> int:
    """How many operations the calls of fields take together."""
    sizes = {j: Program(fields[j].components, inputs_of(fields[j])).size for j in set(calls)}
    return sum(sizes[j] for j in calls)


def _fixed_point_plan(scheme: Scheme, field: VectorField) -> Plan:
    """The compiled start of the unknowns K, their image F(K), its Jacobian, and the next state."""
    programs = [trace_step(scheme, field, wanted="starts")]
    unknowns = len(programs[0].outputs)
    programs += [trace_step(scheme, field, unknowns, wanted=what) for what in ("images", "images", "end")]
    programs[2].differentiate(unknowns)
    arguments = [len(programs[3].outputs), *[unknowns] * 3]
    sources = (function_source(f, n) for f, n in zip(programs, arguments, strict=True))
    return Plan("fixed point", tuple(map(_address, sources)), unknowns)


def _fixed_point_loop(plan: Plan, q: np.ndarray, report: np.ndarray) -> Loop:
    functions, K = np.array(plan.functions), np.zeros(plan.unknowns)

    def loop(z: np.ndarray, rows: np.ndarray, counts: np.ndarray, record_every: int, last: int) -> int:
        after = np.concatenate([z, q])
        return fixed_point_steps(functions, after, z, K, rows, counts, record_every, last, report)

    return loop


def _drawn_loop(scheme: Any, plan: Plan, q: np.ndarray, rng: np.random.Generator) -> Loop:
    """One compiled function for a step with each part, called in the orders that the scheme draws."""
    parts = np.array(plan.functions)
    drawn: dict[int, np.ndarray] = {}

    def loop(z: np.ndarray, rows: np.ndarray, counts: np.ndarray, record_every: int, last: int) -> int:
        status = 0
        while status == 0 and counts[0] < last:
            block = int(counts[0]) // DRAWN
            if block not in drawn:
                drawn.clear()
                drawn[block] = scheme.draw(len(parts), DRAWN, rng)
            first = block * DRAWN
            end = min(last, first + DRAWN)
            status = drawn_steps(parts, q, z, rows, counts, record_every, end, drawn[block], first)
        return status

    return loop


def _part_rule(scheme: Any, part: int) -> Callable[..., tuple[list[Any], Any]]:
    def rule(field: Any, x: Any, memory: Any, h: Any, arithmetic: Any) -> tuple[list[Any], Any]:
        return scheme.part_step(field, x, h, arithmetic, part), memory

    return rule


def _address(source: str) -> int:
    return load_module(source).function.address
