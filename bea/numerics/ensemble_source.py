"""Source of the compiled loops of ensembles: one block of replicas, step after step, lane beside lane."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy

from bea.numerics.codegen import HEADER, STRAIGHT_LINE_LIMIT, statement_text
from bea.numerics.lane_blocks import lane_block_source
from bea.numerics.program import Program
from bea.numerics.replicas import BLOCK
from bea.systems.laws import Law
from bea.systems.vector_field import VectorField

__all__ = ["Layout", "ensemble_source", "is_compiled"]


@dataclass(frozen=True)
class Layout:
    """Where the numbers of a block lie: rows of `BLOCK` lanes, one lane a replica.

    First the variables, then the noise of the step, then the largest size that an iterate may have, which is
    negative once the replica has diverged. A record holds the variables, the statistics and that last row.
    """

    variables: int
    noise: int
    statistics: int

    @property
    def limit(self) -> int:
        """The row of the largest size."""
        return self.variables + self.noise

    @property
    def rows(self) -> int:
        """How many rows a block has."""
        return self.limit + 1

    @property
    def recorded(self) -> int:
        """How many rows a record has."""
        return self.variables + self.statistics + 1


_IMPORT = "from numba import carray, cfunc, types"

_HEADER = HEADER.partition("pointer =")[0].replace(_IMPORT, "from numba import njit")

_LOOP = """

@njit(cache=True, nogil=True, error_model="numpy")
def advance(rng, block, diverged_at, p, data, drawn, h, sigma, width, made, last, every, end, records):
    {prologue}
    recorded = stopped = 0
    for lane in range(width):
        stopped += block[{limit} + lane] < 0.0
    for step in range(made + 1, last + 1):
        if stopped == width:
            break
{noise}
        before = stopped
        stopped = 0
{step}
        if stopped != before:
            for lane in range(width):
                if block[{limit} + lane] < 0.0 and diverged_at[lane] < 0:
                    diverged_at[lane] = step
        if step % every == 0 or step == end:
            record(block, p, width, records, recorded)
            recorded += 1
    return recorded
"""

_RECORD = """

@njit(cache=True, nogil=True, error_model="numpy")
def record(block, p, width, records, recorded):
    for lane in range(width):
{lane}
"""

#: One step of noise for all lanes: by an expression for one number, by statements for all components of one
#: lane, or as drawn beforehand.
_INDEPENDENT = """\
for component in range({components}):
    for lane in range(width):
        block[{first} + component*{size} + lane] = sigma*({law})
"""

_TOGETHER = """\
for lane in range(width):
    draw(rng, eta, sigma)
    for component in range({components}):
        block[{first} + component*{size} + lane] = sigma*eta[component]
"""

_DRAWN = """\
for component in range({components}):
    for lane in range(width):
        block[{first} + component*{size} + lane] = drawn[step - made - 1, lane, component]
"""

_DRAW = """

@njit(error_model="numpy")
def draw(rng, eta, sigma):
{body}
"""

#: The step of all lanes as straight-line code for each.
_INLINED = """\
for lane in range(width):
{load}
{statements}
    limit = block[{limit} + lane]
    fine = {fine}
{keep}
    block[{limit} + lane] = limit if fine else -1.0
    stopped += not fine
"""

#: The step of all lanes with the slopes in rows of `r`, numbered by `outputs`.
_ROWS = """\
{slopes}
for lane in range(width):
    fine[lane] = True
for i in range({d}):
    for lane in range(width):
        fine[lane] &= abs(block[i*{size} + lane] + h*r[outputs[i], lane]) <= block[{limit} + lane]
for i in range({d}):
    for lane in range(width):
        if fine[lane]:
            block[i*{size} + lane] += h*r[outputs[i], lane]
for lane in range(width):
    stopped += not fine[lane]
    if not fine[lane]:
        block[{limit} + lane] = -1.0
"""

#: The slopes by a program of blocks of statements.
_EVALUATED = """\
for i in range({limit_row}):
    for lane in range(width):
        r[i, lane] = block[i*{size} + lane]
evaluate(r, width)
"""

#: The slopes by a function of one lane after the other.
_CALLED = """\
for lane in range(width):
    for i in range({d}):
        x[i] = block[i*{size} + lane]
    for i in range({m}):
        if slots[i] >= 0:
            q[slots[i]] = block[({d} + i)*{size} + lane]
    right_hand_side(x, q, data, out)
    for i in range({d}):
        r[i, lane] = out[i]
"""

_FUNCTION = """

@njit(error_model="numpy")
def right_hand_side(x, p, data, out):
{body}
"""


def ensemble_source(
    field: VectorField,
    noise: Sequence[sympy.Symbol],
    parameters: Sequence[sympy.Symbol],
    law: Law,
    statistics: Sequence[sympy.Expr],
) -> str:
    """The module of ``advance``, which makes steps x ← x + h f(x, η) of one block and records some of them.

    Parameters
    ----------
    field : VectorField
        Its parameters include the noise.
    noise, parameters : sequence of sympy.Symbol
        The components of η, and what is neither noise nor variable.
    law : Law
        The law of η, which is drawn in the loop where the law can be compiled, else beforehand.
    statistics : sequence of sympy.Expr
        Functions of the variables and of the parameters, to be recorded.

    Returns
    -------
    str

    Notes
    -----
    The right-hand side stands in the loop over the lanes, without branches, so that it works on several lanes
    at once. It would not if its rows were arrays of their own. Fields of more than two thousand operations
    are evaluated row by row, each for all lanes. Fields that bring their own source are called lane by lane.
    """
    layout = Layout(field.dimension, len(noise), len(statistics))
    if field.native_source is not None:
        functions, prologue, step = _called(field, field.native_source, noise, parameters, layout)
    else:
        program = Program(field.components, [*field.variables, *noise, *parameters])
        make = _inlined if program.size <= STRAIGHT_LINE_LIMIT else _evaluated
        functions, prologue, step = make(program, layout)
    draw, noise_step = _noise(law, layout)
    prologue = [*prologue, f"eta = np.empty({layout.noise})"]
    loop = _LOOP.format(
        prologue=_indented(_lines(prologue), 1).lstrip(),
        limit=layout.limit * BLOCK,
        noise=_indented(noise_step, 2),
        step=_indented(step, 2),
    )
    recorded = Program(statistics, [*field.variables, *parameters])
    record = _RECORD.format(lane=_indented(_record(recorded, layout), 2))
    return _HEADER + functions + draw + record + loop


def is_compiled(law: Law, components: int) -> bool:
    """Whether a law is drawn in the loop."""
    return bool(law.source if law.independent else law.body(components))


def _noise(law: Law, layout: Layout) -> tuple[str, str]:
    """A function that draws, where there is one, and the noise of one step."""
    where = {"components": layout.noise, "first": layout.variables * BLOCK, "size": BLOCK}
    if not is_compiled(law, layout.noise):
        return "", _DRAWN.format(**where)
    if law.independent:
        return "", _INDEPENDENT.format(law=law.source, **where)
    body = textwrap.dedent(law.body(layout.noise) or "")
    return _DRAW.format(body=_indented(body, 1)), _TOGETHER.format(**where)


def _loaded(rows: int) -> list[str]:
    return [f"r{i} = block[{i * BLOCK} + lane]" for i in range(rows)]


def _inlined(program: Program, layout: Layout) -> tuple[str, list[str], str]:
    """No functions, the parameters, and the step as straight-line code."""
    d, rows = layout.variables, layout.limit
    lines = [f"r{k} = {statement_text(s)}" for k, s in enumerate(program.statements, start=program.inputs)]
    lines += [f"x{i} = r{i} + h*r{register}" for i, register in enumerate(program.outputs)]
    step = _INLINED.format(
        load=_indented(_lines(_loaded(rows)), 1),
        statements=_indented(_lines(lines), 1),
        limit=layout.limit * BLOCK,
        fine=" & ".join(f"(abs(x{i}) <= limit)" for i in range(d)),
        keep=_indented(_lines(f"block[{i * BLOCK} + lane] = x{i} if fine else r{i}" for i in range(d)), 1),
    )
    return "", [f"r{rows + i} = p[{i}]" for i in range(program.inputs - rows)], step


def _evaluated(program: Program, layout: Layout) -> tuple[str, list[str], str]:
    """The function that evaluates a large program for all lanes, its registers, and the step."""
    prologue = [
        f"r = np.empty(({program.inputs + len(program.statements)}, width))",
        "fine = np.empty(width, dtype=np.bool_)",
        *(f"r[{layout.limit + i}] = p[{i}]" for i in range(program.inputs - layout.limit)),
    ]
    return lane_block_source(program), prologue, _rows(_EVALUATED, layout)


def _called(
    field: VectorField,
    source: str,
    noise: Sequence[sympy.Symbol],
    parameters: Sequence[sympy.Symbol],
    layout: Layout,
) -> tuple[str, list[str], str]:
    """The function of one lane that a field brings, its arguments, and the step."""
    symbols = list(field.parameter_symbols)
    prologue = [
        f"x, out, q = np.empty({layout.variables}), np.empty({layout.variables}), np.empty({len(symbols)})",
        f"r, outputs = np.empty(({layout.variables}, width)), np.arange({layout.variables})",
        "fine = np.empty(width, dtype=np.bool_)",
        f"slots = np.array({[symbols.index(s) if s in symbols else -1 for s in noise]}, dtype=np.int64)",
        *(f"q[{symbols.index(s)}] = p[{i}]" for i, s in enumerate(parameters) if s in symbols),
    ]
    function = _FUNCTION.format(body=_indented(textwrap.dedent(source), 1))
    return function, prologue, _rows(_CALLED, layout)


def _rows(slopes: str, layout: Layout) -> str:
    """The step with the slopes in rows."""
    where = {"d": layout.variables, "m": layout.noise, "size": BLOCK}
    return _ROWS.format(
        slopes=slopes.format(limit_row=layout.limit, **where), limit=layout.limit * BLOCK, **where
    )


def _record(program: Program, layout: Layout) -> str:
    """One lane of a record: the variables, the statistics, and the largest size."""
    d, start = layout.variables, program.inputs
    lines = [f"for i in range({d}):", f"    records[recorded, i, lane] = block[i*{BLOCK} + lane]"]
    if program.outputs:
        lines += _loaded(d)
        lines += [f"r{d + i} = p[{i}]" for i in range(start - d)]
        lines += [f"r{k} = {statement_text(s)}" for k, s in enumerate(program.statements, start=start)]
        lines += [f"records[recorded, {d + j}, lane] = r{r}" for j, r in enumerate(program.outputs)]
    lines.append(f"records[recorded, {layout.recorded - 1}, lane] = block[{layout.limit * BLOCK} + lane]")
    return _lines(lines)


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(lines)


def _indented(text: str, depth: int) -> str:
    return textwrap.indent(text.strip("\n"), "    " * depth)
