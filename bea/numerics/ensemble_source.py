"""Source of the compiled loops of ensembles: one block of replicas, step after step, lane beside lane."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sympy

from bea.numerics.codegen import HEADER, STRAIGHT_LINE_LIMIT, statement_text
from bea.numerics.dense_sums import with_dense_sums
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
{store_now}
            record(block, p, width, records, recorded)
            recorded += 1
{store}
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
        {place} = sigma*({law})
"""

_TOGETHER = """\
for lane in range(width):
    draw(rng, eta, sigma)
    for component in range({components}):
        {place} = sigma*eta[component]
"""

_DRAWN = """\
for component in range({components}):
    for lane in range(width):
        {place} = drawn[step - made - 1, lane, component]
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

#: The step of all lanes by a program of rows, of which the last ones are the next state.
_EVALUATED = """\
evaluate(r, turn)
old, new, turn = turn*{far}, (1 - turn)*{far}, 1 - turn
find_fine(r[new:new + {d}], block[{limit}:{limit} + width], fine)
for lane in range(width):
    if fine[lane] == 0.0:
        stopped += 1
        block[{limit} + lane] = -1.0
        for i in range({d}):
            r[new + i, lane] = r[old + i, lane]
"""

#: Which lanes are fine, as 1 or 0: a loop that works on several lanes at once as a function of its own alone.
_FINE = """

@njit(error_model="numpy")
def find_fine(state, largest, fine):
    fine[:] = 1.0
    whole = len(state) - len(state) % 4
    for i in range(0, whole, 4):
        a, b, c, d = state[i], state[i + 1], state[i + 2], state[i + 3]
        for k in range(fine.size):
            x = largest[k]
            fine[k] *= (abs(a[k]) <= x) & (abs(b[k]) <= x) & (abs(c[k]) <= x) & (abs(d[k]) <= x)
    for i in range(whole, len(state)):
        row = state[i]
        for lane in range(fine.size):
            fine[lane] *= abs(row[lane]) <= largest[lane]
"""

#: The state in rows, brought back to the block.
_STORED = """\
for i in range({d}):
    for lane in range(width):
        block[i*{size} + lane] = r[turn*{far} + i, lane]
"""

#: The step of all lanes by a function of one lane after the other.
_CALLED = """\
for lane in range(width):
    for i in range({d}):
        x[i] = block[i*{size} + lane]
    for i in range({m}):
        if slots[i] >= 0:
            q[slots[i]] = block[({d} + i)*{size} + lane]
    right_hand_side(x, q, data, out)
    fine = True
    for i in range({d}):
        x[i] += h*out[i]
        fine &= abs(x[i]) <= block[{limit} + lane]
    if fine:
        for i in range({d}):
            block[i*{size} + lane] = x[i]
    else:
        block[{limit} + lane] = -1.0
        stopped += 1
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
    are evaluated row by row, each for all lanes, by BLAS where many sums have the same operands. Fields that
    bring their own source are called lane by lane.
    """
    layout = Layout(field.dimension, len(noise), len(statistics))
    place = f"block[{layout.variables * BLOCK} + component*{BLOCK} + lane]"
    if field.native_source is not None:
        functions, prologue, step, store = _called(field, field.native_source, noise, parameters, layout)
    else:
        symbols = [*field.variables, *noise, *parameters]
        program = Program(field.components, symbols)
        if program.size <= STRAIGHT_LINE_LIMIT:
            functions, prologue, step, store = _inlined(program, layout)
        else:
            functions, prologue, step, store = _evaluated(program, symbols, layout)
            place = f"r[{layout.variables} + component, lane]"
    draw, noise_step = _noise(law, layout, place)
    prologue = [*prologue, f"eta = np.empty({layout.noise})"]
    loop = _LOOP.format(
        prologue=_indented(_lines(prologue), 1).lstrip(),
        limit=layout.limit * BLOCK,
        noise=_indented(noise_step, 2),
        step=_indented(step, 2),
        store_now=_indented(store, 3),
        store=_indented(store, 1),
    )
    recorded = Program(statistics, [*field.variables, *parameters])
    record = _RECORD.format(lane=_indented(_record(recorded, layout), 2))
    return _HEADER + functions + draw + record + loop


def is_compiled(law: Law, components: int) -> bool:
    """Whether a law is drawn in the loop."""
    return bool(law.source if law.independent else law.body(components))


def _noise(law: Law, layout: Layout, place: str) -> tuple[str, str]:
    """A function that draws, where there is one, and the noise of one step, to be put in a place."""
    where = {"components": layout.noise, "place": place}
    if not is_compiled(law, layout.noise):
        return "", _DRAWN.format(**where)
    if law.independent:
        return "", _INDEPENDENT.format(law=law.source, **where)
    body = textwrap.dedent(law.body(layout.noise) or "")
    return _DRAW.format(body=_indented(body, 1)), _TOGETHER.format(**where)


def _loaded(rows: int) -> list[str]:
    return [f"r{i} = block[{i * BLOCK} + lane]" for i in range(rows)]


def _inlined(program: Program, layout: Layout) -> tuple[str, list[str], str, str]:
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
    return "", [f"r{rows + i} = p[{i}]" for i in range(program.inputs - rows)], step, ""


def _evaluated(
    program: Program, symbols: Sequence[sympy.Symbol], layout: Layout
) -> tuple[str, list[str], str, str]:
    """The function that makes the step of a large program for all lanes, its rows, the step, and the end."""
    d, h = layout.variables, len(symbols)
    whole = with_dense_sums(program, [*symbols, sympy.Dummy("h")])
    whole.outputs = [
        whole.linear({i: 1.0, whole.product([h, slope]): 1.0}) for i, slope in enumerate(whole.outputs)
    ]
    source, rows = lane_block_source(whole, set(range(layout.limit, h + 1)), d)
    where = {"d": d, "size": BLOCK, "limit": layout.limit * BLOCK, "far": rows - d}
    prologue = [
        f"r, fine, turn = np.empty(({rows}, width)), np.empty(width), 0",
        f"r[:{d}] = block[:{d * BLOCK}].reshape(({d}, {BLOCK}))[:, :width]",
        *(f"r[{layout.limit + i}] = p[{i}]" for i in range(h - layout.limit)),
        f"r[{h}] = h",
    ]
    return source + _FINE, prologue, _EVALUATED.format(**where), _STORED.format(**where)


def _called(
    field: VectorField,
    source: str,
    noise: Sequence[sympy.Symbol],
    parameters: Sequence[sympy.Symbol],
    layout: Layout,
) -> tuple[str, list[str], str, str]:
    """The function of one lane that a field brings, its arguments, and the step."""
    symbols = list(field.parameter_symbols)
    prologue = [
        f"x, out, q = np.empty({layout.variables}), np.empty({layout.variables}), np.empty({len(symbols)})",
        f"slots = np.array({[symbols.index(s) if s in symbols else -1 for s in noise]}, dtype=np.int64)",
        *(f"q[{symbols.index(s)}] = p[{i}]" for i, s in enumerate(parameters) if s in symbols),
    ]
    function = _FUNCTION.format(body=_indented(textwrap.dedent(source), 1))
    where = {"d": layout.variables, "m": layout.noise, "size": BLOCK, "limit": layout.limit * BLOCK}
    return function, prologue, _CALLED.format(**where), ""


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
