"""Large programs for many lanes at once: loops over blocks of like statements, whose registers are rows."""

from __future__ import annotations

from collections.abc import Sequence

from bea.numerics.blocks import block_tables
from bea.numerics.program import FUNCTIONS, Program

__all__ = ["lane_block_source"]

_FUNCTION = """

@njit(error_model="numpy")
def accumulate(r, total, factors, sources):
    n = factors.size
    whole = n - n % 4
    for k in range(0, whole, 4):
        f0, f1, f2, f3 = factors[k], factors[k + 1], factors[k + 2], factors[k + 3]
        r0, r1, r2, r3 = r[sources[k]], r[sources[k + 1]], r[sources[k + 2]], r[sources[k + 3]]
        for lane in range(total.size):
            total[lane] += (f0*r0[lane] + f1*r1[lane]) + (f2*r2[lane] + f3*r3[lane])
    for k in range(whole, n):
        factor, row = factors[k], r[sources[k]]
        for lane in range(total.size):
            total[lane] += factor*row[lane]


@njit(error_model="numpy")
def multiply(total, row):
    for lane in range(total.size):
        total[lane] *= row[lane]


@njit(error_model="numpy")
def evaluate(r, width):
    for b in range({blocks}):
        kind, target, rows, operands, i, c = blocks[b]
{branches}
"""

_BRANCHES = {
    "matrix": """\
for row in range(rows):
    total, k = r[target + row], c + rows + row*operands
    total[:] = numbers[c + row]
    accumulate(r, total, numbers[k:k + operands], indices[i:i + operands])
""",
    "sum": """\
for row in range(rows):
    total, k = r[target + row], row*operands
    total[:] = numbers[c + row]
    accumulate(r, total, numbers[c + rows + k:c + rows + k + operands], indices[i + k:i + k + operands])
""",
    "product": """\
for row in range(rows):
    total = r[target + row]
    total[:] = r[indices[i + row*operands]]
    for k in range(row*operands + 1, row*operands + operands):
        multiply(total, r[indices[i + k]])
""",
}

_FUNCTION_BRANCH = """\
for row in range(rows):
    first, second = indices[i + row*operands], indices[i + row*operands + operands - 1]
    for lane in range(width):
        r[target + row, lane] = {call}
"""


def lane_block_source(program: Program) -> str:
    """The constants and a function ``evaluate(r, width)`` that runs a program for all lanes.

    The rows of r are the registers, in the order of the inputs and then of the blocks; ``outputs`` holds the
    rows of the outputs.

    Parameters
    ----------
    program : Program

    Returns
    -------
    str

    Notes
    -----
    Sums over the same operands are not left to BLAS: on products of this size its own threads get in the way
    of those that advance the blocks of replicas.
    """
    constants, kinds, blocks = block_tables(program)
    return constants + _FUNCTION.format(blocks=blocks, branches=_branches(kinds))


def _branches(kinds: Sequence[str]) -> str:
    """One branch for each kind of block that occurs."""
    lines = []
    for code, kind in enumerate(kinds):
        lines.append(f"        {'elif' if code else 'if'} kind == {code}:")
        lines += [f"            {line}" for line in _branch(kind).splitlines()]
    return "\n".join(lines)


def _branch(kind: str) -> str:
    if kind in _BRANCHES:
        return _BRANCHES[kind]
    return _FUNCTION_BRANCH.format(call=FUNCTIONS[kind].format("r[first, lane]", "r[second, lane]"))
