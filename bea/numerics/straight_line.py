"""From SymPy expressions to straight lines of operations for arbitrary precision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, reduce
from math import ceil, log10

import sympy
from flint import arb, ctx, fmpq

from bea.numerics.taylor import Combination, Function, Operation, Power, Product, TaylorMachine

__all__ = ["FUNCTIONS", "StraightLine", "number", "straight_line"]

#: The functions of SymPy that can be evaluated; the methods of `arb` bear the same names.
FUNCTIONS = (
    sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.cot, sympy.sec, sympy.csc,
    sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch,
    sympy.asin, sympy.acos, sympy.atan, sympy.asinh, sympy.acosh, sympy.atanh, sympy.erf,
)  # fmt: skip

#: A product of powers of series, as sorted pairs (number of the series, exponent > 0).
Monomial = tuple[tuple[int, int], ...]
#: A polynomial in series; its coefficients are free of the variables.
Polynomial = dict[Monomial, sympy.Expr]


def number(constant: sympy.Expr) -> arb:
    """An exact real constant as a ball at the present precision.

    Raises
    ------
    ValueError
        If the constant is not a finite real number.
    """
    if isinstance(constant, sympy.Rational):
        return arb(fmpq(int(constant.p), int(constant.q)))
    if constant.free_symbols:
        raise ValueError(f"{constant} has no value: give one for {sorted(map(str, constant.free_symbols))}")
    value = constant.evalf(ceil(ctx.prec * log10(2)) + 3)
    if not value.is_Float:
        raise ValueError(f"{constant} is not a finite real number")
    sign, mantissa, exponent, _ = value._mpf_
    middle = arb((int(-mantissa if sign else mantissa), int(exponent)))
    return arb(middle, abs(middle) * arb(2) ** -ctx.prec)


class StraightLine:
    """Expressions in some variables and parameters as a straight line of operations, none of them twice.

    A sum of monomials is evaluated by nested Horner schemes over shared tables of powers, so that a monomial
    costs about one multiplication by a constant. The constants are expressions in the parameters; they form a
    straight line of their own, which runs once for each set of parameter values.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
    variables, parameters : sequence of sympy.Symbol

    Raises
    ------
    ValueError
        If an expression holds a function that has no arbitrary-precision counterpart.
    """

    def __init__(
        self,
        expressions: Sequence[sympy.Expr],
        variables: Sequence[sympy.Symbol],
        parameters: Sequence[sympy.Symbol],
    ) -> None:
        self.dimension = len(variables)
        self._variables = frozenset(variables)
        self._operations: dict[Operation, int] = {}
        self._constants: dict[sympy.Expr, int] = {}
        self._known: dict[sympy.Expr, int] = {v: i for i, v in enumerate(variables)}
        self._factors: dict[sympy.Expr, tuple[int, int]] = {v: (i, 1) for i, v in enumerate(variables)}
        self._derivatives: dict[Function, sympy.Expr] = {}

        self.outputs = [self._series(e) for e in expressions]
        self.needed = len(self._operations)
        self.operations = self._with_derivatives()
        self._parameters = StraightLine(list(self._constants), parameters, ()) if parameters else None

    def constants(self, parameters: Sequence[arb] = ()) -> list[arb]:
        """The constants of the operations for these values of the parameters, at the present precision."""
        if self._parameters is None:
            return [number(c) for c in self._constants]
        return self._parameters.machine(self._parameters.constants()).value(parameters)

    def machine(self, constants: Sequence[arb]) -> TaylorMachine:
        """The straight line with these constants, ready to run."""
        return TaylorMachine(self.operations, self.outputs, self.needed, self.dimension, constants)

    def _emit(self, operation: Operation) -> int:
        return self._operations.setdefault(operation, self.dimension + len(self._operations))

    def _constant(self, expression: sympy.Expr) -> int:
        return self._constants.setdefault(expression, len(self._constants))

    def _with_derivatives(self) -> list[Operation]:
        """All operations, with the derivatives of functions, which may bring in further functions."""
        done: dict[Operation, Operation] = {}
        while waiting := [f for f in self._derivatives if f not in done]:
            for function in waiting:
                done[function] = replace(function, derivative=self._series(self._derivatives[function]))
        return [done.get(operation, operation) for operation in self._operations]

    def _series(self, expression: sympy.Expr) -> int:
        """The number of the series of an expression."""
        if expression not in self._known:
            self._known[expression] = self._sum(self._monomials(expression))
        return self._known[expression]

    def _monomials(self, expression: sympy.Expr) -> Polynomial:
        """The expression as a polynomial in series, its coefficients free of the variables."""
        coefficients: dict[Monomial, list[sympy.Expr]] = {}
        for coefficient, factors in self._terms(expression):
            powers: Counter[int] = Counter()
            for factor in factors:
                series, exponent = self._factor(factor)
                powers[series] += exponent
            coefficients.setdefault(tuple(sorted(powers.items())), []).append(coefficient)
        sums = {monomial: sympy.Add(*parts) for monomial, parts in coefficients.items()}
        return {monomial: c for monomial, c in sums.items() if c != 0}

    def _terms(
        self, expression: sympy.Expr, scale: sympy.Expr = sympy.S.One
    ) -> Iterator[tuple[sympy.Expr, list[sympy.Expr]]]:
        """The terms as (coefficient, factors); a sum with only constants beside it is multiplied out."""
        for term in sympy.Add.make_args(expression):
            scalars, factors = [scale], list[sympy.Expr]()
            for factor in sympy.Mul.make_args(term):
                (factors if self._is_variable(factor) else scalars).append(factor)
            coefficient = sympy.Mul(*scalars)
            if len(factors) == 1 and isinstance(factors[0], sympy.Add):
                yield from self._terms(factors[0], coefficient)
            else:
                yield coefficient, factors

    def _is_variable(self, factor: sympy.Expr) -> bool:
        return factor in self._factors or not self._variables.isdisjoint(factor.free_symbols)

    def _factor(self, factor: sympy.Expr) -> tuple[int, int]:
        """A factor as a power of a series: (its number, a positive exponent)."""
        if factor not in self._factors:
            self._factors[factor] = self._generator(factor)
        return self._factors[factor]

    def _generator(self, factor: sympy.Expr) -> tuple[int, int]:
        if isinstance(factor, sympy.Add | sympy.Mul):
            return self._series(factor), 1
        if isinstance(factor, sympy.Pow):
            return self._power(*factor.args)
        if isinstance(factor, FUNCTIONS) and len(factor.args) == 1:
            return self._function(factor.func.__name__, factor.args[0], factor.fdiff()), 1
        what = f"the symbol {factor}" if factor.is_Symbol else f"the function {factor.func.__name__}"
        names = ", ".join(f.__name__ for f in FUNCTIONS)
        raise ValueError(f"{what} cannot be evaluated in arbitrary precision; powers and {names} can")

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> tuple[int, int]:
        """(s, n), where base^exponent is the n-th power of series s: x⁻² is (1/x)², and x^{3/2} is (√x)³."""
        if not self._variables.isdisjoint(exponent.free_symbols):
            return self._function("exp", exponent * sympy.log(base), base**exponent), 1
        if not exponent.is_Rational:
            return self._emit(Power(self._series(base), self._constant(exponent))), 1
        repeated, root = abs(int(exponent.p)), sympy.Rational(1 if exponent > 0 else -1, exponent.q)
        if root == 1:
            return self._series(base), repeated
        return self._emit(Power(self._series(base), self._constant(root))), repeated

    def _function(self, name: str, argument: sympy.Expr, derivative: sympy.Expr) -> int:
        operation = Function(name, self._series(argument), -1)
        self._derivatives.setdefault(operation, derivative)
        return self._emit(operation)

    def _sum(self, polynomial: Polynomial) -> int:
        """The series of a polynomial in series: Horner schemes in what most products share, and a rest."""
        while True:
            shared = Counter(s for monomial in polynomial if len(monomial) > 1 for s, _ in monomial)
            main = min(shared, key=lambda s: (-shared[s], s), default=None)
            if main is None or shared[main] == 1:
                return self._combination(polynomial)
            _add(polynomial, self._horner(main, _take_out(main, polynomial)))

    def _horner(self, main: int, quotients: Mapping[int, Polynomial]) -> int:
        """The series of Σ_n quotients[n] · mainⁿ."""
        exponents = sorted(quotients, reverse=True)
        total = self._sum(quotients[exponents[0]])
        for exponent, lower in zip(exponents, [*exponents[1:], 0], strict=True):
            total = self._product(total, self._repeated(main, exponent - lower))
            if lower:
                total = self._sum(_add(quotients[lower], total))
        return total

    def _combination(self, polynomial: Polynomial) -> int:
        """The series of a linear combination of monomials, each multiplied out by itself."""
        constant = polynomial.get((), None)
        weights: dict[int, sympy.Expr] = {}
        for monomial, c in polynomial.items():
            if monomial:
                series = reduce(self._product, (self._repeated(*power) for power in monomial))
                weights[series] = weights.get(series, sympy.S.Zero) + c
        if constant is None and list(weights.values()) == [1]:
            return next(iter(weights))
        return self._emit(
            Combination(
                tuple(self._constant(c) for c in weights.values()),
                tuple(weights),
                None if constant is None else self._constant(constant),
            )
        )

    def _repeated(self, base: int, exponent: int) -> int:
        if exponent == 1:
            return base
        half = exponent // 2
        return self._product(self._repeated(base, half), self._repeated(base, exponent - half))

    def _product(self, left: int, right: int) -> int:
        return self._emit(Product(min(left, right), max(left, right)))


def _add(polynomial: Polynomial, series: int) -> Polynomial:
    """The polynomial with the series of that number added to it."""
    monomial = ((series, 1),)
    polynomial[monomial] = polynomial.get(monomial, sympy.S.Zero) + 1
    return polynomial


def _take_out(main: int, polynomial: Polynomial) -> dict[int, Polynomial]:
    """Take what a Horner scheme in `main` covers out of the polynomial, as {exponent: quotient}."""
    quotients: dict[int, Polynomial] = {}
    pure: dict[int, Monomial] = {}
    for monomial in list(polynomial):
        exponent = dict(monomial).get(main, 0)
        if exponent and len(monomial) > 1:
            rest = tuple(power for power in monomial if power[0] != main)
            quotients.setdefault(exponent, {})[rest] = polynomial.pop(monomial)
        elif exponent:
            pure[exponent] = monomial
    for exponent, monomial in pure.items():
        if exponent in quotients:
            quotients[exponent][()] = polynomial.pop(monomial)
    return quotients


@lru_cache(maxsize=64)
def straight_line(
    expressions: tuple[sympy.Expr, ...],
    variables: tuple[sympy.Symbol, ...],
    parameters: tuple[sympy.Symbol, ...],
) -> StraightLine:
    """The straight line of these expressions, remembered."""
    return StraightLine(expressions, variables, parameters)
