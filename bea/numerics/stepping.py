"""The compiled loop of every scheme that is no Runge–Kutta method."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

import numpy as np

from bea.numerics.cache import load_module
from bea.numerics.codegen import STRAIGHT_LINE_LIMIT
from bea.numerics.float_steps import float_loop
from bea.numerics.program import Program
from bea.numerics.step_kernels import drawn_steps, fixed_point_steps, looped_steps, single_steps
from bea.numerics.step_source import CONTROLS, function_source, loop_source
from bea.numerics.tracing import NotTraceable, inputs_of, trace_step
from bea.numerics.vector_steps import NotAlike, StepTrace, vector_source, vector_tail
from bea.schemes.parametric import lifted
from bea.schemes.scheme import Scheme
from bea.systems.vector_field import VectorField

__all__ = ["Loop", "step_loop"]

#: A loop (state, rows, counts, record_every, last) ↦ status, as in `bea.numerics.step_kernels`.
Loop = Callable[[np.ndarray, np.ndarray, np.ndarray, int, int], int]

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
    values = dict(zip((s.name for s in field.parameter_symbols), map(float, p), strict=True))
    q = np.array([h, *p, *symbols])
    if hasattr(generic, "draw"):
        return _drawn_loop(generic, field, q, rng)
    try:
        trace = StepTrace(generic, len(field.parts))
    except NotTraceable:
        return float_loop(scheme, field, values, h)
    if trace.has_fixed_points:
        return _fixed_point_loop(generic, field, q, report)
    if not _is_large(field, tuple(trace.calls)):
        return partial(looped_steps, _looped(generic, field), np.array([*np.zeros(CONTROLS), *q]))
    try:
        source = vector_source(generic, field)
        q = np.array([h, *symbols, *vector_tail(field, values)])
    except NotAlike:
        program = trace_step(generic, field)
        source = function_source(program, len(program.outputs))
    return partial(single_steps, _address(source), q)


@lru_cache(maxsize=256)
def _is_large(field: VectorField, calls: tuple[int, ...]) -> bool:
    """Whether the fields that a step calls are better called than copied into it."""
    fields = (field, *field.parts)
    if any(f.native_source is not None for f in fields):
        return True
    sizes = {j: Program(fields[j].components, inputs_of(fields[j])).size for j in set(calls)}
    return sum(sizes[j] for j in calls) > STRAIGHT_LINE_LIMIT


@lru_cache(maxsize=256)
def _looped(scheme: Scheme, field: VectorField) -> int:
    return _address(loop_source(trace_step(scheme, field), field.dimension))


def _fixed_point_loop(scheme: Scheme, field: VectorField, q: np.ndarray, report: np.ndarray) -> Loop:
    programs = [trace_step(scheme, field, wanted="starts")]
    unknowns = len(programs[0].outputs)
    programs += [trace_step(scheme, field, unknowns, wanted=what) for what in ("images", "images", "end")]
    programs[2].differentiate(unknowns)
    size = len(programs[3].outputs)
    sources = [function_source(programs[0], size), *(function_source(f, unknowns) for f in programs[1:])]
    functions = np.array([_address(source) for source in sources])
    q, K = np.array([*np.zeros(size), *q]), np.zeros(unknowns)

    def loop(z: np.ndarray, rows: np.ndarray, counts: np.ndarray, record_every: int, last: int) -> int:
        return fixed_point_steps(functions, q, z, K, rows, counts, record_every, last, report)

    return loop


def _drawn_loop(scheme: Any, field: VectorField, q: np.ndarray, rng: np.random.Generator) -> Loop:
    """One compiled function for a step with each part, called in the orders that the scheme draws."""
    addresses = []
    for part in range(len(field.parts)):
        program = trace_step(scheme, field, rule=_part_rule(scheme, part))
        addresses.append(_address(function_source(program, len(program.outputs))))
    parts = np.array(addresses)
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
