"""Vector fields as machine code."""

from __future__ import annotations

import textwrap
from functools import cached_property

from bea.numerics.blocks import block_source
from bea.numerics.cache import load_module
from bea.numerics.numpy_source import generate_numpy_source
from bea.numerics.program import FUNCTIONS, Program, Statement
from bea.systems.vector_field import VectorField

__all__ = ["CompiledField", "compile_field", "generate_numpy_source"]

#: Programs of a larger size become loops: Numba compiles about one operation a millisecond.
STRAIGHT_LINE_LIMIT = 2000

HEADER = """\
import base64
from math import acos, acosh, asin, asinh, atan, atan2, atanh, cos, cosh, erf, erfc, exp, fabs, log
from math import sin, sinh, sqrt, tan, tanh

import numpy as np
from numba import carray, cfunc, types

pointer = types.CPointer(types.float64)
signature = types.void(pointer, pointer, pointer)
"""

DECORATOR = """

@cfunc(signature, cache=True, error_model="numpy")
def function(x, p, out):
"""


class CompiledField:
    """A vector field as C functions void(double *x, double *p, double *out), known by their addresses.

    Here x is a point, p is ``field.parameter_values(...)``, and `out` receives the result. Made by
    `compile_field`. The functions live as long as the process.

    Parameters
    ----------
    field : VectorField

    Attributes
    ----------
    rhs : int
        Address of x ↦ f(x), which writes d numbers.
    """

    def __init__(self, field: VectorField) -> None:
        self.field = field
        self.rhs: int = load_module(field_source(field)).function.address

    @cached_property
    def jacobian(self) -> int:
        """Address of x ↦ f'(x), which writes d² numbers, row by row. Compiled on first use."""
        return load_module(program_source(self.field, derivative=True)).function.address


#: What fields have in common that differ in the values of parameters alone.
Key = tuple

_compiled: dict[Key, CompiledField] = {}


def field_key(field: VectorField) -> Key:
    """The same for all fields that differ in the values of parameters alone."""
    parts = tuple(field_key(part) for part in field.parts)
    symbols = field.parameter_symbols
    return field.variables, field.components, symbols, field.native_source, field.native_data.size, parts


def compile_field(field: VectorField) -> CompiledField:
    """Compile the right-hand side of a field, or find it compiled, in this process or on disk.

    Parameters
    ----------
    field : VectorField

    Returns
    -------
    CompiledField
        One object for all fields that differ in the values of parameters alone.

    Raises
    ------
    ValueError
        If a component holds a function that cannot be compiled, or a number that is not real.

    Notes
    -----
    Up to two thousand operations become straight-line code. Larger fields become loops over blocks of like
    operations, in which sums over the same operands are products of a matrix and a vector. A field that
    brings its own `native_source` is compiled from that.

    Examples
    --------
    >>> import numba, numpy as np
    >>> from bea.numerics.call import call
    >>> from bea.systems import VectorField
    >>> compiled = compile_field(VectorField(["1 - x*y", "x"], variables="x y"))
    >>> x, p, out = np.array([2.0, 3.0]), np.empty(0), np.empty(2)
    >>> @numba.njit
    ... def evaluate(address, x, p, out):
    ...     call(address, x, p, out)
    >>> evaluate(compiled.rhs, x, p, out)
    >>> out
    array([-5.,  2.])
    """
    key = field_key(field)
    if key not in _compiled:
        _compiled[key] = CompiledField(field)
    return _compiled[key]


def field_source(field: VectorField) -> str:
    """The module of a field's right-hand side."""
    if field.native_source is None:
        return program_source(field)
    return native_source(field, field.native_source)


def program_source(field: VectorField, derivative: bool = False) -> str:
    """The module of a field's components, or of its Jacobian, made from their expressions."""
    program = Program(field.components, [*field.variables, *field.parameter_symbols])
    if derivative:
        program.differentiate(field.dimension)
    body = straight_line_source if program.size <= STRAIGHT_LINE_LIMIT else block_source
    constants, statements = body(program, field.dimension)
    return HEADER + constants + DECORATOR + textwrap.indent(statements, "    ")


def straight_line_source(program: Program, dimension: int) -> tuple[str, str]:
    """No constants, and the body of a function that makes one statement after the other."""
    inputs = (f"x[{i}]" if i < dimension else f"p[{i - dimension}]" for i in range(program.inputs))
    lines = [f"r{i} = {value}" for i, value in enumerate(inputs)]
    lines += [f"r{k} = {statement_text(s)}" for k, s in enumerate(program.statements, start=program.inputs)]
    lines += [f"out[{i}] = r{register}" for i, register in enumerate(program.outputs)]
    return "", "\n".join(lines) + "\n"


def statement_text(statement: Statement) -> str:
    """The right-hand side of a statement in Python."""
    registers = [f"r{register}" for register in statement.operands]
    if statement.kind == "product":
        return "*".join(registers)
    if statement.kind == "sum":
        constant, *coefficients = statement.numbers
        terms = [
            r if c == 1 else f"-{r}" if c == -1 else f"{c!r}*{r}"
            for c, r in zip(coefficients, registers, strict=True)
        ]
        return " + ".join([repr(constant), *terms] if constant or not terms else terms)
    return FUNCTIONS[statement.kind].format(*registers)


def native_source(field: VectorField, body: str) -> str:
    """The module of a field that brings the body of its function."""
    parameters, data = len(field.parameter_symbols), len(field.native_data)
    views = [
        f"x = carray(x, ({field.dimension},))",
        f"data = carray(p, ({parameters + data},))[{parameters}:]",
        f"p = carray(p, ({parameters},))",
        f"out = carray(out, ({field.dimension},))",
    ]
    lines = "\n".join(views) + "\n" + textwrap.dedent(body)
    return HEADER + DECORATOR + textwrap.indent(lines, "    ")
