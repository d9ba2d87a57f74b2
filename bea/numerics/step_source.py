"""Source of compiled functions that make many steps of a scheme, or one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from bea.numerics.blocks import block_source
from bea.numerics.codegen import DECORATOR, HEADER, STRAIGHT_LINE_LIMIT, statement_text, straight_line_source
from bea.numerics.iterate_kernels import LIMIT
from bea.numerics.program import Program

__all__ = ["CONTROLS", "function_source", "loop_source"]

#: How many numbers before the parameters control a loop: the steps to make, how many steps are between two
#: records, and how many until the next; and, written by the loop: the steps made, the records, and whether
#: the next iterate has diverged.
CONTROLS = 6

_LOOP = """\
last, every, due = int(p[0]), int(p[1]), int(p[2])
made, recorded, diverged = 0, 0, False
{parameters}
{load}
while made < last:
{statements}
    diverged = not ({bounded})
    if diverged:
        break
{advance}
    made += 1
    due -= 1
    if due == 0:
{record}
        recorded += 1
        due = every
{store}
p[3], p[4], p[5] = made, recorded, 1.0 if diverged else 0.0
"""


def loop_source(program: Program, dimension: int) -> str:
    """The module of a function that makes many steps, with x and the memory in registers.

    Its arguments are the state (x, memory), the controls and parameters, and the rows of records of x.

    Parameters
    ----------
    program : Program
        One step. Its first inputs are the state, as many as it has outputs.
    dimension : int
        The number of variables in x.
    """
    size = len(program.outputs)
    start = program.inputs
    statements = [f"r{k} = {statement_text(s)}" for k, s in enumerate(program.statements, start=start)]
    body = _LOOP.format(
        dimension=dimension,
        parameters=_lines(f"r{i} = p[{CONTROLS + i - size}]" for i in range(size, start)),
        load=_lines(f"r{i} = x[{i}]" for i in range(size)),
        statements=textwrap.indent(_lines(statements) or "pass", "    "),
        bounded=" and ".join(f"abs(r{register}) <= {LIMIT!r}" for register in dict.fromkeys(program.outputs)),
        advance="    " + _together((f"r{i}" for i in range(size)), (f"r{r}" for r in program.outputs)),
        record=textwrap.indent(
            _lines(f"out[recorded*{dimension} + {i}] = r{i}" for i in range(dimension)), "        "
        ),
        store=_lines(f"x[{i}] = r{i}" for i in range(size)),
    )
    return HEADER + DECORATOR + textwrap.indent(body, "    ")


def function_source(program: Program, dimension: int) -> str:
    """The module of a function that runs a program once; its first `dimension` inputs are its argument x."""
    body = straight_line_source if program.size <= STRAIGHT_LINE_LIMIT else block_source
    constants, statements = body(program, dimension)
    return HEADER + constants + DECORATOR + textwrap.indent(statements, "    ")


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _together(targets: Iterable[str], values: Iterable[str]) -> str:
    """One assignment, so that no value is overwritten before it is used."""
    return f"{', '.join(targets)} = {', '.join(values)}"
