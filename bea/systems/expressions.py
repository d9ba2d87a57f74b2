"""From what a user writes (text, numbers, SymPy objects) to exact SymPy expressions."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, TypeAlias

import sympy

from bea.systems.parsing import parse, parse_names
from bea.systems.traversal import free_symbols, leaves

__all__ = [
    "STEP_SIZE",
    "Value",
    "named_symbols",
    "present",
    "read_expression",
    "read_expressions",
    "read_parameters",
    "require_smooth",
]

#: The symbol of the step size in every modified equation.
STEP_SIZE = sympy.Symbol("h")

Value: TypeAlias = float | int | sympy.Expr

#: Functions of a real variable without derivatives of all orders.
NON_SMOOTH = (
    sympy.Abs, sympy.sign, sympy.Piecewise, sympy.Max, sympy.Min, sympy.Mod, sympy.Heaviside,
    sympy.DiracDelta, sympy.floor, sympy.ceiling, sympy.re, sympy.im, sympy.arg, sympy.conjugate,
)  # fmt: skip


def read_expression(source: object, symbols: Mapping[str, sympy.Symbol] | None = None) -> sympy.Expr:
    """Turn text, a number or a SymPy expression into an exact SymPy expression.

    Decimal numbers, in text or as floats, are read as the rational number that they spell: ``0.6`` is 3/5.

    Raises
    ------
    TypeError
        If `source` is none of the three.
    ValueError
        If the text does not parse, or the expression is not finite.
    """
    if isinstance(source, str):
        return parse(source, symbols=symbols)
    if isinstance(source, Real) and not isinstance(source, bool):
        return exact_number(source)
    if isinstance(source, sympy.Expr):
        if source.has(sympy.nan, sympy.oo, sympy.zoo):
            raise ValueError(f"an expression must be finite, but {source} is not")
        return exact_floats(source)
    raise TypeError(f"an expression is text, a number or a SymPy expression, not {type(source).__name__}")


def read_expressions(
    sources: Sequence[object], symbols: Mapping[str, sympy.Symbol] | None = None
) -> tuple[sympy.Expr, ...]:
    """`read_expression` for each of the sources, at the cost of one walk when all are exact already."""
    if all(isinstance(source, sympy.Expr) for source in sources):
        expressions = tuple(source for source in sources if isinstance(source, sympy.Expr))
        if all(leaf.is_Symbol or leaf.is_Rational or leaf.is_NumberSymbol for leaf in leaves(expressions)):
            return expressions
    return tuple(read_expression(source, symbols) for source in sources)


def exact_number(value: Real | sympy.Expr) -> sympy.Expr:
    """The rational number that the shortest decimal form of `value` spells."""
    if isinstance(value, sympy.Expr):
        return exact_floats(value)
    if not math.isfinite(value):
        raise ValueError(f"a number must be finite, not {value}")
    return sympy.Rational(str(value))


def exact_floats(expression: sympy.Expr) -> sympy.Expr:
    """The expression with every float replaced by the rational number that its decimals spell."""
    floats = expression.atoms(sympy.Float)
    return expression.xreplace({f: _spelled(f) for f in floats}) if floats else expression


def _spelled(number: sympy.Float) -> sympy.Rational:
    """A double by its shortest decimal form, a more precise number by all its digits."""
    return sympy.Rational(repr(float(number)) if number._prec <= 53 else str(number))


def require_smooth(expressions: Iterable[sympy.Expr], what: str) -> None:
    """Refuse expressions with functions that do not have derivatives of all orders.

    Raises
    ------
    ValueError
    """
    for expression in expressions:
        rough = expression.atoms(*NON_SMOOTH)
        if rough:
            raise ValueError(f"{what} must be smooth, and {min(map(str, rough))} is not")


def named_symbols(
    names: str | Sequence[str | sympy.Symbol], sources: Sequence[object], what: str
) -> tuple[sympy.Symbol, ...]:
    """Symbols for `names`, taken from the SymPy expressions in `sources` where one bears the name."""
    symbols = parse_names(names, what)
    if not isinstance(names, str):
        return symbols
    known = {s.name: s for s in free_symbols(source for source in sources if isinstance(source, sympy.Expr))}
    return tuple(known.get(s.name, s) for s in symbols)


def present(parameters: Mapping[Any, Any] | None, absent: Collection[str]) -> dict[Any, Any]:
    """The given parameter values less those of `absent` parameters, which have no effect.

    Raises
    ------
    TypeError
        If they are given otherwise than as a mapping.
    """
    if parameters is not None and not isinstance(parameters, Mapping):
        raise TypeError(f"parameters are given as a mapping from names to numbers, not as {parameters!r}")
    return {name: value for name, value in (parameters or {}).items() if str(name) not in absent}


def read_parameters(
    parameters: Mapping[object, object] | None,
    free: set[sympy.Symbol],
    variables: Sequence[sympy.Symbol],
) -> tuple[tuple[sympy.Symbol, ...], dict[str, sympy.Expr]]:
    """The parameters among the `free` symbols, sorted by name, and the exact values given for them."""
    if parameters is not None and not isinstance(parameters, Mapping):
        raise TypeError(f"parameters are given as a mapping from names to numbers, not as {parameters!r}")
    symbols = tuple(sorted(free - set(variables), key=lambda s: s.name))
    names = {s.name for s in symbols}
    twins = names & {v.name for v in variables} or {n for n in names if sum(s.name == n for s in symbols) > 1}
    if twins:
        raise ValueError(
            f"there are different symbols named {min(twins)!r}, which differ in their assumptions: use one"
        )
    values: dict[str, sympy.Expr] = {}
    for key, value in (parameters or {}).items():
        name = key.name if isinstance(key, sympy.Symbol) else key
        if not isinstance(name, str):
            raise TypeError(f"a parameter is named by text or a SymPy symbol, not {type(key).__name__}")
        if name not in names:
            raise ValueError(
                f"{name!r} is no parameter of this system; its parameters are {sorted(names) or 'none'}"
            )
        number = read_expression(value)
        if number.free_symbols or not number.is_real:
            raise ValueError(f"the value of parameter {name!r} must be a real number, not {value}")
        values[name] = number
    return symbols, values
