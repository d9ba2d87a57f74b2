"""Expressions as a program: numbered statements, each a sum, a product or a function of earlier ones."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import isfinite
from typing import Any, NamedTuple

import sympy

__all__ = ["FUNCTIONS", "Program", "Statement"]

#: The functions of SymPy that can be compiled, as Python in the names of `math` and NumPy.
FUNCTIONS = {
    "exp": "exp({0})",
    "log": "log({0})",
    "sin": "sin({0})",
    "cos": "cos({0})",
    "tan": "tan({0})",
    "cot": "1.0/tan({0})",
    "sec": "1.0/cos({0})",
    "csc": "1.0/sin({0})",
    "sinh": "sinh({0})",
    "cosh": "cosh({0})",
    "tanh": "tanh({0})",
    "coth": "1.0/tanh({0})",
    "sech": "1.0/cosh({0})",
    "csch": "1.0/sinh({0})",
    "asin": "asin({0})",
    "acos": "acos({0})",
    "atan": "atan({0})",
    "asinh": "asinh({0})",
    "acosh": "acosh({0})",
    "atanh": "atanh({0})",
    "erf": "erf({0})",
    "erfc": "erfc({0})",
    "Abs": "fabs({0})",
    "sign": "np.sign({0})",
    "Heaviside": "(0.5 + 0.5*np.sign({0}))",
    "Max": "np.maximum({0}, {1})",
    "Min": "np.minimum({0}, {1})",
    "atan2": "atan2({0}, {1})",
    "sqrt": "sqrt({0})",
    "reciprocal": "1.0/{0}",
    "power": "{0}**{1}",
}

#: How many digits are computed to tell a number from 0.
DIGITS = 1000

#: Beyond these a double is not finite, or has less than its full precision.
LEAST, LARGEST = sys.float_info.min, sys.float_info.max

#: A sum of registers with coefficients; None stands for the constant 1.
Linear = dict[int | None, float]

#: The kinds of statement that are powers in SymPy.
_POWERS = {"sqrt": sympy.sqrt, "reciprocal": lambda x: 1 / x, "power": sympy.Pow}


class Statement(NamedTuple):
    """One operation on registers.

    A ``"sum"`` is numbers[0] + Σ numbers[1 + i] · operand i, a ``"product"`` multiplies its operands, and any
    other kind is a key of `FUNCTIONS`.
    """

    kind: str
    operands: tuple[int, ...]
    numbers: tuple[float, ...] = ()


class Program:
    """SymPy expressions of some inputs as statements, none of which occurs twice.

    Register i holds input i, and register len(inputs) + k the result of statement k.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        The results that are wanted.
    inputs : sequence of sympy.Symbol
        Every free symbol of the expressions.

    Attributes
    ----------
    statements : list of Statement
    outputs : list of int
        The register of each expression.

    Raises
    ------
    ValueError
        If an expression holds a function that cannot be compiled, or a number that is not real.

    Notes
    -----
    Integer powers become repeated multiplication, x⁵ = (x·x)·((x·x)·x), and a factor that all terms of a sum
    share is taken out of it: Σ_i c_i u r_i = u Σ_i c_i r_i.

    Examples
    --------
    >>> a, b = sympy.symbols("a b")
    >>> program = Program([a*(1 - a*b), b*(1 - a*b)], [a, b])
    >>> for statement in program.statements:
    ...     print(statement.kind, statement.operands, statement.numbers)
    product (0, 1) ()
    sum (2,) (1.0, -1.0)
    product (0, 3) ()
    product (1, 3) ()
    >>> program.outputs
    [4, 5]
    """

    def __init__(self, expressions: Sequence[sympy.Expr], inputs: Sequence[sympy.Symbol]) -> None:
        self.inputs = len(inputs)
        self.statements: list[Statement] = []
        self._numbers: dict[Statement, int] = {}
        self._registers: dict[sympy.Basic, int] = {symbol: i for i, symbol in enumerate(inputs)}
        self.outputs = [self._register(expression) for expression in expressions]

    @property
    def size(self) -> int:
        """How many inputs, operations and outputs a compiler has to treat."""
        operations = (len(s.operands) + sum(abs(c) != 1 for c in s.numbers) for s in self.statements)
        return self.inputs + sum(operations) + len(self.outputs)

    def differentiate(self, variables: int) -> None:
        """Make the outputs their own derivatives by the first `variables` inputs: the Jacobian, row by row.

        Forward differentiation, statement by statement. Where a derivative is a sum of registers with numbers
        as coefficients, the numbers are combined here and not in the program.
        """
        tangents: dict[int, dict[int, Linear]] = {i: {i: {None: 1.0}} for i in range(variables)}
        for register, statement in enumerate(self.statements.copy(), start=self.inputs):
            tangent: dict[int, Linear] = {}
            for position, operand in enumerate(statement.operands):
                if operand in tangents:
                    partial = self._partial(statement, position)
                    for variable, inner in tangents[operand].items():
                        total = tangent.setdefault(variable, {})
                        for r, coefficient in self._times(partial, inner).items():
                            total[r] = total.get(r, 0.0) + coefficient
            if tangent:
                tangents[register] = tangent
        self.outputs = [
            self._linear(tangents.get(output, {}).get(v, {}))
            for output in self.outputs
            for v in range(variables)
        ]

    def linear(self, linear: Linear) -> int:
        """The register of a sum of registers with coefficients, and of a constant at None."""
        return self._linear(linear)

    def product(self, registers: Sequence[int]) -> int:
        """The register of a product of registers."""
        return self._multiply(list(registers))

    def chain(self, left: int, right: int) -> int:
        """The register of a product; u·(vw) becomes (uv)·w where u and v are inputs.

        What an input multiplies is ready before the rest is, so that a chain of steps waits for one
        multiplication less.
        """
        early, late = sorted((left, right))
        if early < self.inputs <= late:
            statement = self.statements[late - self.inputs]
            if statement.kind == "product" and len(statement.operands) == 2:
                first, second = statement.operands
                if first < self.inputs <= second:
                    return self._multiply([self._multiply([early, first]), second])
        return self._multiply([early, late])

    def function(self, kind: str, operands: Sequence[int]) -> int:
        """The register of a function of registers, its kind a key of `FUNCTIONS`."""
        return self._state(kind, operands)

    def expression(self, expression: sympy.Expr) -> int:
        """The register of an expression of the inputs."""
        return self._register(expression)

    def call(self, number: int, operands: Sequence[int], component: int) -> int:
        """The register of one component of a function of registers that is called by its number."""
        return self._state(f"call{number}", operands, (component,))

    def constant(self, register: int) -> float | None:
        """The number that a register always holds, or None."""
        if register >= self.inputs:
            statement = self.statements[register - self.inputs]
            if statement.kind == "sum" and not statement.operands:
                return statement.numbers[0]
        return None

    def inline(self, program: Program, arguments: Sequence[int]) -> list[int]:
        """The registers of the outputs of another program, run here on registers as its inputs."""
        registers = list(arguments)
        for kind, operands, numbers in program.statements:
            moved = [registers[r] for r in operands]
            registers.append(self._state(kind, sorted(moved) if kind == "product" else moved, numbers))
        return [registers[r] for r in program.outputs]

    def _partial(self, statement: Statement, position: int) -> Linear:
        """The derivative of a statement by one of its operands: a number, or one register."""
        if statement.kind == "sum":
            return {None: statement.numbers[1 + position]}
        if statement.kind == "product":
            others = [*statement.operands[:position], *statement.operands[position + 1 :]]
            return {self._multiply(others): 1.0}
        if statement.kind in ("sign", "Heaviside"):
            return {None: 0.0}
        arguments = [sympy.Dummy(real=True) for _ in statement.operands]
        self._registers.update(zip(arguments, statement.operands, strict=True))
        value = (_POWERS.get(statement.kind) or getattr(sympy, statement.kind))(*arguments)
        return {self._register(value.diff(arguments[position])): 1.0}

    def _times(self, factor: Linear, linear: Linear) -> Linear:
        """The product of a linear sum with a number or a register."""
        if None in factor:
            return {r: factor[None] * coefficient for r, coefficient in linear.items()}
        (register,) = (r for r in factor if r is not None)
        if len(linear) > 1:
            linear = {self._linear(linear): 1.0}
        return {register if r is None else self._multiply([register, r]): c for r, c in linear.items()}

    def _register(self, expression: sympy.Expr) -> int:
        known = self._registers.get(expression)
        if known is None:
            known = self._registers[expression] = self._translate(expression)
        return known

    def _state(self, kind: str, operands: Sequence[int], numbers: Sequence[float] = ()) -> int:
        """The register of a statement, which is new only where its like has not been stated before."""
        statement = Statement(kind, tuple(operands), tuple(numbers))
        if statement not in self._numbers:
            self._numbers[statement] = self.inputs + len(self.statements)
            self.statements.append(statement)
        return self._numbers[statement]

    def _translate(self, expression: sympy.Expr) -> int:
        if expression.is_number:
            return self._state("sum", (), (real_number(expression),))
        if isinstance(expression, sympy.Add):
            return self._sum([term(t) for t in expression.args])
        if isinstance(expression, sympy.Mul | sympy.Pow):
            coefficient, powers = term(expression)
            return self._linear({self._product(powers): coefficient})
        return self._function(expression)

    def _sum(self, terms: list[tuple[float, Counter[sympy.Expr]]]) -> int:
        shared = reduce(lambda a, b: a & b, (powers for _, powers in terms))
        linear: Linear = {}
        for coefficient, powers in terms:
            rest = powers - shared if shared else powers
            register = self._product(rest) if rest else None
            linear[register] = linear.get(register, 0.0) + coefficient
        total = self._linear(linear)
        return self._multiply([*self._factors(shared), total]) if shared else total

    def _linear(self, linear: Linear) -> int:
        """The register of a sum of registers with coefficients, and of a constant at None."""
        if not all(map(isfinite, linear.values())):
            raise ValueError("a coefficient is too large to be compiled")
        constant = linear.get(None, 0.0)
        operands = sorted(r for r in linear if r is not None)
        if not constant and [linear[r] for r in operands] == [1.0]:
            return operands[0]
        return self._state("sum", operands, (constant, *(linear[r] for r in operands)))

    def _product(self, powers: Counter[sympy.Expr]) -> int:
        return self._multiply(self._factors(powers))

    def _factors(self, powers: Counter[sympy.Expr]) -> list[int]:
        return [self._power(base, exponent) for base, exponent in powers.items()]

    def _multiply(self, registers: list[int]) -> int:
        return registers[0] if len(registers) == 1 else self._state("product", sorted(registers))

    def _power(self, base: sympy.Expr, exponent: int) -> int:
        if isinstance(base, sympy.Pow):
            root, fraction = base.args
            if fraction is sympy.S.NegativeOne:
                register = self._state("reciprocal", (self._register(root),))
            elif fraction is sympy.S.Half:
                register = self._state("sqrt", (self._register(root),))
            else:
                register = self._state("power", (self._register(root), self._register(fraction)))
        else:
            register = self._register(base)
        return self._repeated(register, exponent)

    def _repeated(self, register: int, exponent: int) -> int:
        if exponent == 1:
            return register
        half = self._repeated(register, exponent // 2)
        return self._state("product", sorted((half, self._repeated(register, exponent - exponent // 2))))

    def _function(self, expression: sympy.Expr) -> int:
        name = expression.func.__name__
        if name not in FUNCTIONS:
            what = f"the symbol {name!r}" if expression.is_Symbol else f"the function {name}"
            raise ValueError(f"{what} in {expression} cannot be compiled; {', '.join(FUNCTIONS)} can")
        operands = [self._register(a) for a in expression.args]
        if name == "Heaviside":
            operands = operands[:1]
        if name in ("Max", "Min"):
            return reduce(lambda a, b: self._state(name, (a, b)), operands)
        return self._state(name, operands)


def term(expression: sympy.Expr) -> tuple[float, Counter[sympy.Expr]]:
    """The number c and the powers n_i with expression = c · Π b_i^{n_i}, all n_i > 0.

    A base b_i may itself be a power: 1/x, √x or x^y.
    """
    number, factors = expression.as_coeff_mul()
    constants = [factor for factor in factors if factor.is_number]
    powers: Counter[sympy.Expr] = Counter()
    for factor in factors:
        if factor.is_number:
            continue
        base, exponent = factor.args if isinstance(factor, sympy.Pow) else (factor, sympy.S.One)
        if exponent.is_Integer:
            power = int(exponent)
            powers[base if power > 0 else sympy.Pow(base, -1, evaluate=False)] += abs(power)
        elif exponent.is_Rational and exponent.q == 2:
            root = sympy.Pow(base, sympy.S.Half, evaluate=False)
            powers[root if exponent > 0 else sympy.Pow(root, -1, evaluate=False)] += abs(exponent.p)
        else:
            powers[factor] += 1
    return real_number(sympy.Mul(number, *constants)), powers


def real_number(expression: sympy.Expr) -> float:
    """The float nearest to an exact real number; one that `DIGITS` digits do not tell from 0 is 0."""
    value: Any
    if expression.is_Rational:
        value = quotient(int(expression.p), int(expression.q))
    else:
        value, remainder = (certain(part) for part in expression.evalf(25, maxn=DIGITS).as_real_imag())
        if remainder != 0 or not value.is_finite:
            raise ValueError(f"the number {expression} is not real and finite, so it cannot be compiled")
    if value != 0 and not LEAST <= abs(value) <= LARGEST:
        size = "small" if abs(value) < 1 else "large"
        raise ValueError(f"the number {expression} is too {size} to be compiled to double precision")
    return float(value)


def quotient(p: int, q: int) -> float | Fraction:
    """p/q as a float, or as it is where that is not a normal number."""
    try:
        value = p / q
    except OverflowError:
        return Fraction(p, q)
    return value if abs(value) >= LEAST else Fraction(p, q)


def certain(value: sympy.Expr) -> sympy.Expr:
    """A value of `evalf`, or 0 where no digit of it is certain, which SymPy marks by a precision of 1."""
    return sympy.S.Zero if value.is_Float and value._prec == 1 else value
