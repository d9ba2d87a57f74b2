"""Expressions as readable Python source that needs NumPy alone."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator, Sequence
from functools import reduce

import sympy
from sympy.printing.codeprinter import PrintMethodNotImplementedError
from sympy.printing.numpy import SciPyPrinter

from bea.systems.expressions import read_expression
from bea.systems.traversal import READABLE, leaves, replace_symbols, written_size

__all__ = ["generate_numpy_source"]

_ARGUMENT = "point"
_RESERVED = {"np", "scipy", _ARGUMENT}


def generate_numpy_source(
    expressions: Sequence[sympy.Expr] | sympy.MatrixBase | sympy.Expr,
    variables: Sequence[sympy.Symbol],
    parameters: Sequence[sympy.Symbol] = (),
    name: str = "field",
) -> str:
    """The source of a standalone NumPy function of a point and of parameters.

    Parameters
    ----------
    expressions : sequence of sympy.Expr or sympy.Expr
        The components of the result, or the one expression that is the result.
    variables : sequence of sympy.Symbol, length d
        The function unpacks them from its first argument, of shape (d, ...).
    parameters : sequence of sympy.Symbol
        The further arguments, by name. A name that is no free identifier of Python is replaced by a similar
        one.
    name : str
        The name of the function.

    Returns
    -------
    source : str
        A module of one function. It works on many points at once, along the trailing axes.

    Raises
    ------
    ValueError
        If a function in the expressions has no counterpart in NumPy or SciPy, or `name` is no identifier.

    Examples
    --------
    >>> a, b, h = sympy.symbols("a b h")
    >>> print(generate_numpy_source([b*(1 - a*b), a*(1 - a*b)*h], [a, b], [h]))
    import numpy as np
    <BLANKLINE>
    <BLANKLINE>
    def field(point, h):
        a, b = point
        t0 = -a*b + 1
        return np.array(np.broadcast_arrays(b*t0, a*h*t0))
    <BLANKLINE>
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ValueError(f"a function is named by an identifier of Python, not {name!r}")
    single = isinstance(expressions, sympy.Expr)
    given = [expressions] if single else expressions
    exact = [e if isinstance(e, sympy.Expr) else read_expression(e) for e in given]
    bound = _bound_symbols(exact)
    names = _identifiers([*variables, *parameters, *bound], {*_RESERVED, name})
    renamed = replace_symbols(exact, names)
    local = [names[s] for s in bound]  # what holds them means nothing outside of its integral
    order = "canonical" if written_size(renamed) <= READABLE else "none"
    temporaries = _temporaries(set(names.values()))
    parts, results = sympy.cse(renamed, symbols=temporaries, order=order, ignore=local)

    printer = _Printer()
    unpacked = ", ".join(names[v].name for v in variables)
    lines = [f"{unpacked}{',' if len(variables) == 1 else ''} = {_ARGUMENT}"]
    lines += [f"{part} = {printer.doprint(value)}" for part, value in parts]
    values = [printer.doprint(result) for result in results]
    lines += [f"return {values[0] if single else _stacked(values, names[variables[0]].name)}"]

    imports = ["import numpy as np", *(f"import {m}" for m in printer.module_imports if m != "numpy")]
    arguments = ", ".join([_ARGUMENT, *(names[p].name for p in parameters)])
    body = "".join(f"    {line}\n" for line in lines)
    return "\n".join(imports) + f"\n\n\ndef {name}({arguments}):\n{body}"


def _stacked(values: Sequence[str], variable: str) -> str:
    """An array of all values; a lone constant takes the shape of a variable."""
    if len(values) == 1:
        return f"np.array([{values[0]} + 0*{variable}])"
    return f"np.array(np.broadcast_arrays({', '.join(values)}))"


def _identifiers(symbols: Sequence[sympy.Symbol], taken: set[str]) -> dict[sympy.Symbol, sympy.Symbol]:
    """Symbols named by distinct identifiers that are not `taken`, as like the given ones as can be."""
    used = set(taken)
    names = {}
    for symbol in symbols:
        name = re.sub(r"\W+", "_", symbol.name)
        name = name if name.isidentifier() else f"_{name}"
        while name in used or keyword.iskeyword(name):
            name += "_"
        used.add(name)
        names[symbol] = sympy.Symbol(name)
    return names


def _bound_symbols(expressions: Sequence[sympy.Expr]) -> list[sympy.Symbol]:
    """The variables of integration, in an order that depends on the expressions alone."""
    holders = sorted((e for e in leaves(expressions) if e.has(sympy.Integral)), key=sympy.default_sort_key)
    integrals = (i for e in holders for i in sympy.preorder_traversal(e) if isinstance(i, sympy.Integral))
    return list(dict.fromkeys(symbol for integral in integrals for symbol in integral.variables))


def _temporaries(used: set[sympy.Symbol]) -> Iterator[sympy.Symbol]:
    return (s for s in sympy.numbered_symbols("t") if s not in used)


class _Printer(SciPyPrinter):
    """NumPy under its usual short name, with functions that broadcast."""

    def __init__(self) -> None:
        super().__init__({"allow_unknown_functions": False, "strict": True})

    def doprint(self, expression: sympy.Expr) -> str:
        try:
            return super().doprint(expression)
        except PrintMethodNotImplementedError as error:
            raise ValueError(f"{expression} has no counterpart in NumPy") from error

    def _module_format(self, fqn: str, register: bool = True) -> str:
        return re.sub(r"^numpy\.", "np.", super()._module_format(fqn, register))

    def _print_Integral(self, expression: sympy.Integral) -> str:
        """One adaptive quadrature inside the other, each of all points at once."""
        quadrature = self._module_format("scipy.integrate.quad_vec")
        text = self._print(expression.function)
        for variable, *ends in expression.limits:
            low, high = map(self._print, ends)
            text = f"{quadrature}(lambda {variable}: {text}, {low}, {high}, epsrel=1e-12)[0]"
        return text

    def _print_Max(self, expression: sympy.Max) -> str:
        return self._nested("np.maximum", expression)

    def _print_Min(self, expression: sympy.Min) -> str:
        return self._nested("np.minimum", expression)

    def _nested(self, function: str, expression: sympy.Expr) -> str:
        return reduce(lambda a, b: f"{function}({a}, {b})", map(self._print, expression.args))
