"""Large programs as loops over blocks of like statements, whose operands are data."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np

from bea.numerics.program import FUNCTIONS, Program

__all__ = ["block_source"]

#: From this many sums over the same operands on, they are a product of a matrix and a vector.
_DENSE = 4

_CONSTANTS = """
blocks = np.frombuffer(base64.b64decode("{blocks}"), np.int32).reshape((-1, 6))
indices = np.frombuffer(base64.b64decode("{indices}"), np.int32)
numbers = np.frombuffer(base64.b64decode("{numbers}"), np.float64)
outputs = np.frombuffer(base64.b64decode("{outputs}"), np.int32)
"""

_BODY = """\
r = np.empty({registers})
for k in range({dimension}):
    r[k] = x[k]
for k in range({dimension}, {inputs}):
    r[k] = p[k - {dimension}]
for b in range({blocks}):
    kind, target, rows, width, i, c = blocks[b]
{branches}
for k in range({outputs}):
    out[k] = r[outputs[k]]
"""

_BRANCHES = {
    "matrix": """\
operands = np.empty(width)
for k in range(width):
    operands[k] = r[indices[i + k]]
matrix = numbers[c + rows:c + rows + rows*width].reshape((rows, width))
np.dot(matrix, operands, out=r[target:target + rows])
for row in range(rows):
    r[target + row] += numbers[c + row]
""",
    "sum": """\
for row in range(rows):
    value = numbers[c + row]
    for k in range(row*width, row*width + width):
        value += numbers[c + rows + k]*r[indices[i + k]]
    r[target + row] = value
""",
    "product": """\
for row in range(rows):
    value = r[indices[i + row*width]]
    for k in range(row*width + 1, row*width + width):
        value *= r[indices[i + k]]
    r[target + row] = value
""",
}

_FUNCTION_BRANCH = """\
for row in range(rows):
    r[target + row] = {call}
"""


def block_source(program: Program, dimension: int) -> tuple[str, str]:
    """The constants and the body of a function that runs a program as a few dense loops.

    Statements of one depth do not depend on each other. Those of one depth, kind and number of operands form
    a block; sums over the same operands form a block that is a product of a matrix and a vector, by BLAS.

    Parameters
    ----------
    program : Program
    dimension : int
        How many of its inputs are variables; the rest are parameters.

    Returns
    -------
    constants, body : str
    """
    constants, kinds, blocks = _block_tables(program)
    body = _BODY.format(
        registers=program.inputs + len(program.statements),
        dimension=dimension,
        inputs=program.inputs,
        blocks=blocks,
        branches=_branches(kinds),
        outputs=len(program.outputs),
    )
    return constants, body


def _block_tables(program: Program) -> tuple[str, list[str], int]:
    """The tables of blocks, operands, numbers and outputs as constants, the kinds of block, and how many."""
    blocks = _blocks(program)
    order = [k for _, members in blocks for k in members]
    renumbered = np.concatenate([np.arange(program.inputs), np.empty(len(order), dtype=np.int64)])
    renumbered[program.inputs + np.array(order, dtype=np.int64)] = program.inputs + np.arange(len(order))

    kinds = sorted({kind for kind, _ in blocks})
    table: list[tuple[int, ...]] = []
    indices: list[int] = []
    numbers: list[float] = []
    target = program.inputs
    for kind, members in blocks:
        statements = [program.statements[k] for k in members]
        width = len(statements[0].operands)
        table.append((kinds.index(kind), target, len(members), width, len(indices), len(numbers)))
        target += len(members)
        for statement in statements[:1] if kind == "matrix" else statements:
            indices.extend(renumbered[list(statement.operands)])
        numbers.extend(s.numbers[0] for s in statements if s.numbers)
        numbers.extend(c for s in statements for c in s.numbers[1:])

    constants = _CONSTANTS.format(
        blocks=_encoded(table, np.int32),
        indices=_encoded(indices, np.int32),
        numbers=_encoded(numbers, np.float64),
        outputs=_encoded(renumbered[program.outputs], np.int32),
    )
    return constants, kinds, len(blocks)


def _blocks(program: Program) -> list[tuple[str, list[int]]]:
    """The kind and the statements of each block, so that no block needs a later one."""
    depths = [0] * program.inputs
    shapes: dict[tuple, list[int]] = {}
    for k, (kind, operands, _) in enumerate(program.statements):
        depths.append(1 + max((depths[r] for r in operands), default=0))
        shapes.setdefault((depths[-1], kind, operands if kind == "sum" else len(operands)), []).append(k)

    blocks: dict[tuple[int, str, int], list[int]] = {}
    matrices: list[tuple[int, str, list[int]]] = []
    for (depth, kind, operands), members in shapes.items():
        if kind == "sum" and len(operands) > 1 and len(members) >= _DENSE:
            matrices.append((depth, "matrix", members))
        else:
            width = len(operands) if kind == "sum" else operands
            blocks.setdefault((depth, kind, width), []).extend(members)
    ordered = [(depth, kind, members) for (depth, kind, _), members in blocks.items()] + matrices
    return [(kind, members) for _, kind, members in sorted(ordered, key=lambda block: block[0])]


def _branches(kinds: Sequence[str]) -> str:
    """One branch for each kind of block that occurs."""
    lines = []
    for code, kind in enumerate(kinds):
        lines.append(f"    {'elif' if code else 'if'} kind == {code}:")
        lines += [f"        {line}" for line in _branch(kind).splitlines()]
    return "\n".join(lines)


def _branch(kind: str) -> str:
    if kind in _BRANCHES:
        return _BRANCHES[kind]
    operands = [f"r[indices[i + row*width + {k}]]" for k in range(2)]
    return _FUNCTION_BRANCH.format(call=FUNCTIONS[kind].format(*operands))


def _encoded(values: Sequence | np.ndarray, dtype: type) -> str:
    return base64.b64encode(np.array(values, dtype=dtype).tobytes()).decode()
