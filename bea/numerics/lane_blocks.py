"""Steps of large programs for many lanes at once: loops over rows of like expressions."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence, Set

import numpy as np

from bea.numerics.fused_rows import Rows, fused_rows
from bea.numerics.program import Program

__all__ = ["lane_block_source"]

_CONSTANTS = """
indices = np.frombuffer(base64.b64decode("{indices}"), np.int32).reshape((2, -1))
numbers = np.frombuffer(base64.b64decode("{numbers}"), np.float64)
"""

_EVALUATE = """

@njit(error_model="numpy")
def evaluate(r, turn):
    places = indices[turn]
{calls}
"""

#: Rows of one expression.
_EXPRESSION = """

@njit(error_model="numpy")
def rows_{number}(r, places, rows, i, c):
    for row in range(rows):
        k, m = i + {width}*row, c + {count}*row
        total = r[places[k]]
{load}
        for lane in range(total.size):
            total[lane] = {expression}
"""

#: Rows of a product of a matrix with rows that lie beside one another, or are brought there.
_MATRIX = """

@njit(error_model="numpy")
def multiply_matrix(r, places, rows, operands, beside, i, c):
    matrix = numbers[c + rows:c + rows + rows*operands].reshape((rows, operands))
    first = places[i]
    target = r[first:first + rows]
    if beside:
        np.dot(matrix, r[places[i + 1]:places[i + 1] + operands], target)
    else:
        gathered = np.empty((operands, r.shape[1]))
        for k in range(operands):
            gathered[k] = r[places[i + 1 + k]]
        np.dot(matrix, gathered, target)
    for row in range(rows):
        constant, total = numbers[c + row], target[row]
        if constant != 0.0:
            for lane in range(total.size):
                total[lane] += constant
"""

#: Rows of sums and of products of many operands.
_SUM = """

@njit(error_model="numpy")
def add_up(r, places, rows, operands, i, c):
    whole = operands - operands % 4
    for row in range(rows):
        k, m = i + (1 + operands)*row, c + (1 + operands)*row
        total = r[places[k]]
        total[:] = numbers[m]
        for j in range(1, whole + 1, 4):
            f0, f1, f2, f3 = numbers[m + j], numbers[m + j + 1], numbers[m + j + 2], numbers[m + j + 3]
            r0, r1 = r[places[k + j]], r[places[k + j + 1]]
            r2, r3 = r[places[k + j + 2]], r[places[k + j + 3]]
            for lane in range(total.size):
                total[lane] += (f0*r0[lane] + f1*r1[lane]) + (f2*r2[lane] + f3*r3[lane])
        for j in range(whole + 1, operands + 1):
            factor, part = numbers[m + j], r[places[k + j]]
            for lane in range(total.size):
                total[lane] += factor*part[lane]
"""

_PRODUCT = """

@njit(error_model="numpy")
def multiply_up(r, places, rows, operands, i):
    for row in range(rows):
        k = i + (1 + operands)*row
        total = r[places[k]]
        total[:] = r[places[k + 1]]
        for j in range(2, operands + 1):
            part = r[places[k + j]]
            for lane in range(total.size):
                total[lane] *= part[lane]
"""

_WIDE = {"matrix": _MATRIX, "sum": _SUM, "product": _PRODUCT}


def lane_block_source(program: Program, uniform: Set[int], states: int) -> tuple[str, int]:
    """The constants and a function ``evaluate(r, turn)`` that makes a step of a program for all lanes.

    The rows of r are the registers: the inputs, of which the first are the state, then what is computed on
    the way, then the outputs, which are the next state. At every other turn, where `turn` is 1 and not 0, the
    first and the last of the rows change places, so that no state is copied.

    Parameters
    ----------
    program : Program
        With as many outputs as states, each a statement that nothing else uses.
    uniform : set of int
        The inputs that are the same in all lanes, of which only the first is read.
    states : int

    Returns
    -------
    source : str
    rows : int
        How many rows r has.
    """
    listed = fused_rows(program, uniform)
    places, total = _places(program, listed)
    functions: dict[str, str] = {}
    calls: list[str] = []
    indices: list[int] = []
    numbers: list[float] = []
    for rows in listed:
        calls.append(_call(rows, places, functions, len(indices), len(numbers)))
        indices += _indices(rows, places)
        numbers += _numbers(rows)
    swapped = np.arange(total)
    swapped[:states], swapped[total - states :] = swapped[total - states :], np.arange(states)
    both = np.array([indices, swapped[indices]])
    source = _CONSTANTS.format(indices=_encoded(both, np.int32), numbers=_encoded(numbers, np.float64))
    body = "\n".join(f"    {call}" for call in calls)
    return source + "".join(functions.values()) + _EVALUATE.format(calls=body), total


def _places(program: Program, listed: Sequence[Rows]) -> tuple[dict[int, int], int]:
    """The row of each register: inputs, what is computed, outputs; and how many rows there are.

    What is computed on the way takes the lowest rows that nothing which is still needed has, so that the rows
    fit into the memory that is near.
    """
    last = {leaf: k for k, rows in enumerate(listed) for leaves in rows.leaves for leaf in leaves}
    outputs = set(program.outputs)
    places = {register: register for register in range(program.inputs)}
    taken: list[tuple[int, int, int]] = []  # first row, row after the last, when they are free again
    for k, rows in enumerate(listed):
        inner = [register for register in rows.registers if register not in outputs]
        live = sorted((first, stop) for first, stop, until in taken if until >= k)
        start = program.inputs
        for first, stop in live:
            if first - start >= len(inner):
                break
            start = max(start, stop)
        places.update({register: start + row for row, register in enumerate(inner)})
        taken.append((start, start + len(inner), max((last[register] for register in inner), default=k)))
    end = max((stop for _, stop, _ in taken), default=program.inputs)
    places.update({register: end + row for row, register in enumerate(program.outputs)})
    return places, end + len(program.outputs)


def _call(rows: Rows, places: dict[int, int], functions: dict[str, str], i: int, c: int) -> str:
    """The call of the function for some rows, which is added to `functions` where it is new."""
    count, operands = len(rows.registers), len(rows.leaves[0])
    if rows.kind == "matrix":
        functions[rows.kind] = _MATRIX
        beside = np.all(np.diff([places[leaf] for leaf in rows.leaves[0]]) == 1)
        return f"multiply_matrix(r, places, {count}, {operands}, {bool(beside)}, {i}, {c})"
    if rows.kind in _WIDE:
        functions[rows.kind] = _WIDE[rows.kind]
        constants = f", {c}" if rows.kind == "sum" else ""
        name = "add_up" if rows.kind == "sum" else "multiply_up"
        return f"{name}(r, places, {count}, {operands}, {i}{constants})"
    if rows.kind not in functions:
        functions[rows.kind] = _expression_source(len(functions), rows)
    return f"{_name(functions[rows.kind])}(r, places, {count}, {i}, {c})"


def _name(source: str) -> str:
    return source.partition("def ")[2].partition("(")[0]


def _expression_source(number: int, rows: Rows) -> str:
    """The function that computes rows of one expression."""
    leaves, constants = len(rows.leaves[0]), len(rows.numbers[0])
    load = [f"        n{j} = numbers[m + {j}]" for j in range(constants)]
    load += [
        f"        {name} = r[places[k + {int(name[1:]) + 1}]{', 0' if name[0] == 'q' else ''}]"
        for name in sorted(set(re.findall(r"\b[aq]\d+\b", rows.kind)))
    ]
    expression = re.sub(r"\b(a\d+)\b", r"\1[lane]", rows.kind)
    return _EXPRESSION.format(
        number=number, width=1 + leaves, count=constants, load="\n".join(load), expression=expression
    )


def _indices(rows: Rows, places: dict[int, int]) -> list[int]:
    """The place of each register and of its leaves."""
    if rows.kind == "matrix":
        return [places[rows.registers[0]], *(places[leaf] for leaf in rows.leaves[0])]
    listed = zip(rows.registers, rows.leaves, strict=True)
    return [places[r] for register, leaves in listed for r in (register, *leaves)]


def _numbers(rows: Rows) -> list[float]:
    """The numbers of each register; of a matrix first the constants, then the coefficients."""
    if rows.kind == "matrix":
        return [n[0] for n in rows.numbers] + [c for n in rows.numbers for c in n[1:]]
    return [] if rows.kind == "product" else [c for n in rows.numbers for c in n]


def _encoded(values: Sequence | np.ndarray, dtype: type) -> str:
    return base64.b64encode(np.array(values, dtype=dtype).tobytes()).decode()
