"""Exact arithmetic on SymPy expressions that refuses numbers too large to be written down.

SymPy evaluates as it builds: ``9**9**9`` becomes an integer of 369 693 100 digits, ``(9*x)**n`` pulls out
``9**n``, and ``exp(n*log(9))`` is ``9**n`` again. Each function here first bounds the numbers that could come
out, then lets SymPy build. All of them raise ArithmeticError, with a clause that says what is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import chain

import sympy

__all__ = ["MAX_BITS", "add", "apply", "cosh", "exp", "multiply", "power", "rational", "sinh"]

#: Exact numbers have at most this many binary digits; constant powers lie between 2^-MAX_BITS and 2^MAX_BITS.
MAX_BITS = 10_000

#: A decimal has at most this many digits.
MAX_DIGITS = 4_000

#: Numbers under a root or in a function have at most this many binary digits (120 decimal ones), because
#: SymPy searches them for factors and multiples of π.
MAX_INNER_BITS = 400

#: A constant nests at most this many functions and roots, because SymPy's search for the sign of a constant
#: such as log(1 - log(1 - log(pi))) takes a time that explodes with its depth.
MAX_LEVELS = 4


def rational(text: str) -> sympy.Rational:
    """The rational number that a decimal spells.

    Examples
    --------
    >>> rational("0.6"), rational("1e-3")
    (3/5, 1/1000)
    """
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > MAX_DIGITS or len(exponent.lstrip("+-0")) > len(str(MAX_DIGITS)):
        raise ArithmeticError(f"a number has more than {MAX_DIGITS} digits")
    value = Fraction(mantissa) * Fraction(10) ** int(exponent or 0)
    return _short(sympy.Rational(value.numerator, value.denominator))


def add(terms: Sequence[sympy.Expr]) -> sympy.Expr:
    """The sum of the terms. Like terms are where coefficients grow: 1/p*x + 1/q*x.

    Examples
    --------
    >>> from sympy.abc import x
    >>> add([x / 3, x / 7])
    10*x/21
    """
    totals: dict[sympy.Expr, sympy.Rational] = {}
    for term in chain.from_iterable(map(sympy.Add.make_args, terms)):
        number, rest = term.as_coeff_Mul(rational=True)
        totals[rest] = _short(totals.get(rest, sympy.S.Zero) + number)
    return sympy.Add(*terms)


def multiply(factors: Sequence[sympy.Expr]) -> sympy.Expr:
    """The product of the factors. Powers of one base are where exponents grow: x**(1/p) * x**(1/q).

    Examples
    --------
    >>> from sympy.abc import x
    >>> multiply([sympy.sqrt(x), sympy.cbrt(x)])
    x**(5/6)
    """
    number = sympy.S.One
    totals: dict[tuple[sympy.Expr, sympy.Expr], sympy.Rational] = {}
    for factor in chain.from_iterable(map(sympy.Mul.make_args, factors)):
        if factor.is_Rational:
            number = _short(number * factor)
        else:
            base, exponent = factor.as_base_exp()
            multiple, rest = exponent.as_coeff_Mul(rational=True)
            totals[base, rest] = _short(totals.get((base, rest), sympy.S.Zero) + multiple)
    return sympy.Mul(*factors)


def power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """The power base**exponent.

    Examples
    --------
    >>> power(sympy.Integer(2), sympy.Integer(-3))
    1/8
    """
    if base == 0 and exponent.is_negative:
        raise ArithmeticError("division by zero")
    if base == 0 and not exponent.is_nonnegative:
        raise ArithmeticError("zero is raised to a power that may be negative")
    if not exponent.is_Integer:
        _require_few_levels(base)
    _require_moderate_power(base, exponent)
    return _finite(base**exponent)


def exp(argument: sympy.Expr) -> sympy.Expr:
    """The exponential; exp(n*log(a)) is the power a**n, and bounded like it."""
    _require_moderate_power(sympy.E, argument)
    for term in sympy.Add.make_args(argument):
        multiple, rest = term.as_coeff_Mul(rational=True)
        if isinstance(rest, sympy.log):
            _require_moderate_power(rest.args[0], multiple)
    return sympy.exp(argument)


def sinh(argument: sympy.Expr) -> sympy.Expr:
    """The hyperbolic sine, bounded like the exponential."""
    _require_moderate_power(sympy.E, argument)
    return sympy.sinh(argument)


def cosh(argument: sympy.Expr) -> sympy.Expr:
    """The hyperbolic cosine, bounded like the exponential."""
    _require_moderate_power(sympy.E, argument)
    return sympy.cosh(argument)


def apply(function: Callable[[sympy.Expr], sympy.Expr], argument: sympy.Expr) -> sympy.Expr:
    """The value function(argument).

    Examples
    --------
    >>> apply(sympy.cos, sympy.pi)
    -1
    """
    if argument.is_number:
        _require_few_levels(argument)
        longest = max(map(_bits, argument.atoms(sympy.Rational)), default=0)
        if longest > MAX_INNER_BITS or _size(argument) > 2**MAX_INNER_BITS:
            raise ArithmeticError(
                f"a function is taken of a number of more than {MAX_INNER_BITS} binary digits"
            )
    return _finite(function(argument))


def _short(number: sympy.Rational) -> sympy.Rational:
    if _bits(number) > MAX_BITS:
        raise ArithmeticError(f"a number has more than {MAX_BITS} binary digits")
    return number


def _bits(number: sympy.Rational) -> int:
    return max(int(number.p).bit_length(), int(number.q).bit_length())


def _finite(value: sympy.Expr) -> sympy.Expr:
    """`value`, unless it is infinite or undefined, or an overlong number. Only constants can be."""
    if value.is_number and value.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
        raise ArithmeticError("the result is infinite or undefined")
    return _short(value) if value.is_Rational else value


def _require_moderate_power(base: sympy.Expr, exponent: sympy.Expr) -> None:
    """Refuse base**exponent if a number too large could come out of a factor of the base."""
    for factor in sympy.Mul.make_args(base):
        root, inner = factor.as_base_exp()
        if root in (sympy.S.Zero, sympy.S.One, sympy.S.NegativeOne):
            continue
        for term in sympy.Add.make_args(inner * exponent):
            if term.is_Rational and abs(term) > MAX_BITS:
                raise ArithmeticError(f"an exponent is larger than {MAX_BITS}")
            if root.is_number and term.is_number and _power_bits(root, term) > MAX_BITS:
                raise ArithmeticError(f"a power of a number has more than {MAX_BITS} binary digits")
            if root.is_Rational and not term.is_Integer and _bits(root) > MAX_INNER_BITS:
                raise ArithmeticError(
                    f"a root of a number has more than {MAX_INNER_BITS} binary digits under it"
                )


def _power_bits(base: sympy.Expr, exponent: sympy.Expr) -> float:
    """How many binary digits the constant base**exponent has, before or behind the point."""
    if exponent == 0:
        return 0.0
    if base.is_Rational:
        return float(_size(exponent) * math.log2(max(abs(base.p), base.q)))
    size = _size(base)
    if size == 0:
        raise ArithmeticError("a power is taken of a constant that cannot be told from zero")
    return float(_size(exponent) * abs(sympy.log(size, 2)))


def _size(constant: sympy.Expr) -> sympy.Expr:
    """The absolute value of the constant, rounded where it is irrational."""
    size = abs(constant if constant.is_Rational else constant.evalf(30))
    if not size.is_finite:
        raise ArithmeticError("a constant cannot be told from infinity")
    return size


def _require_few_levels(argument: sympy.Expr) -> None:
    if argument.is_number and _levels(argument) >= MAX_LEVELS:
        raise ArithmeticError(f"a constant nests more than {MAX_LEVELS} functions and roots")


def _levels(constant: sympy.Expr) -> int:
    """How many functions and powers other than integer ones lie within each other."""
    own = constant.is_Function or (constant.is_Pow and not constant.exp.is_Integer)
    return own + max(map(_levels, constant.args), default=0)
