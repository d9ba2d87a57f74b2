r"""Elementary functions of x as sparse polynomials with rational coefficients.

A rational field, or one with exp, tanh, sqrt, …, becomes polynomial once every function in it is adjoined as
a generator of its own, together with the functions that its derivative brings. Derivatives of generators are
then polynomials again:

    s = u^{−1/D}   ∂s = −s^{D+1} ∂u / D       (so 1/u is s, and √u is u·s)
    t = tanh u     ∂t = (1 − t²) ∂u           (and so for every function that closes under derivation)

The arithmetic is python-flint's; what is added here is the derivation and a normal form: powers of s are
brought over a common denominator and divided out, which is canonical for rational functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import sympy
from flint import Ordering, fmpq, fmpq_mpoly_ctx

__all__ = ["FlintRing", "NotElementaryError", "RingFullError", "ZeroPowerError"]

#: Sums are expanded up to this power.
HIGHEST_POWER = 1000


class NotElementaryError(ValueError):
    """The expression is no polynomial in finitely many functions that close under derivation."""


class RingFullError(NotElementaryError):
    """There is no room for another function."""


class ZeroPowerError(ValueError):
    """A negative or fractional power of zero, which has no derivatives."""


@dataclass(frozen=True, slots=True)
class Generator:
    """A function adjoined to the ring: its SymPy form and its partial derivatives."""

    expression: sympy.Expr
    gradient: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Root(Generator):
    """s = base^{−1/degree}."""

    position: int = 0
    base: Any = None
    degree: int = 1


class FlintRing:
    """Polynomials in variables, parameters, constants and adjoined functions, over the rationals.

    Parameters
    ----------
    variables : sequence of d symbols
    expressions : iterable of SymPy expressions
        All that will have to be written in the ring; they determine which functions are adjoined.
    room : int, default 0
        For how many more functions to leave room, which `power` may bring.

    Raises
    ------
    NotElementaryError
        If an expression holds a function whose derivatives do not close, or an undefined one.
    ValueError
        If an expression divides by zero, or holds too high a power of a sum.
    """

    def __init__(
        self, variables: Sequence[sympy.Symbol], expressions: Iterable[sympy.Expr], room: int = 0
    ) -> None:
        expressions = list(expressions)
        symbols = sorted(
            set().union(*(e.free_symbols for e in expressions)) - set(variables), key=lambda s: s.name
        )
        self.symbols = (*variables, *symbols)
        self.dimension = len(variables)
        count = len(self.symbols) + _generators_needed(expressions) + room
        self._context = fmpq_mpoly_ctx.get([f"x{i}" for i in range(count)], Ordering.degrevlex)
        generators = self._context.gens()
        self.one = self._context.constant(1)
        self.zero = self._context.constant(0)
        self.variables = list(generators[: self.dimension])
        self._known: dict[sympy.Expr, Any] = dict(zip(self.symbols, generators, strict=False))
        self._free = list(range(count - 1, len(self.symbols) - 1, -1))
        self._generators: dict[int, Generator] = {}
        self._roots: dict[sympy.Expr, Any] = {}
        self._logistic: dict[int, int] = {}
        for expression in expressions:
            self.element(expression)

    # -- in and out ------------------------------------------------------------------------------------

    def rational(self, numerator: int, denominator: int = 1) -> fmpq:
        """A rational number that multiplies elements."""
        return fmpq(numerator, denominator)

    def element(self, expression: sympy.Expr) -> Any:
        """A SymPy expression as an element of the ring."""
        if expression not in self._known:
            self._known[expression] = self._convert(expression)
        return self._known[expression]

    def _convert(self, e: sympy.Expr) -> Any:
        if e.is_Rational:
            return self._context.constant(fmpq(e.p, e.q))
        if e.is_Add:
            return sum((self.element(a) for a in e.args), self.zero)
        if e.is_Mul:
            product = self.one
            for a in e.args:
                product = product * self.element(a)
            return product
        if isinstance(e, sympy.exp):
            return self._adjoin(e, self.element(e.exp), lambda g: g)
        if e.is_Pow:
            return self._power(e)
        if e.is_NumberSymbol:
            return self._adjoin(e, self.zero, lambda g: self.zero)
        if isinstance(e, sympy.Function) and len(e.args) == 1:
            return self._function(e)
        raise NotElementaryError(f"{e} is not elementary")

    def _power(self, e: sympy.Expr) -> Any:
        base, exponent = e.as_base_exp()
        if exponent.is_Integer and exponent >= 0:
            if exponent > HIGHEST_POWER and base.is_Add:
                raise ValueError(
                    f"the power {exponent} of a sum is too high to expand; {HIGHEST_POWER} is not"
                )
            return self.element(base) ** int(exponent)
        if exponent.is_Integer and not base.is_Number:
            return self._inverse(self.element(base)) ** -int(exponent)
        if exponent.is_Rational:
            degree = int(exponent.q)
            whole = int(sympy.ceiling(exponent))
            root = self._root(self.element(base), degree)
            fraction = root ** int((whole - exponent) * degree)
            return (
                fraction * self.element(base) ** whole if whole >= 0 else fraction * root ** (-whole * degree)
            )
        argument = self.element(exponent * sympy.log(base, evaluate=False))
        return self._adjoin(e, argument, lambda g: g)

    def _inverse(self, u: Any) -> Any:
        """1/u, with one generator for each irreducible factor of u once its own denominators are cleared."""
        u = self.normal(u)
        if u == 0:
            raise ValueError("the field divides by an expression that is identically zero")
        inverse = self.one
        for position, root in list(self._generators.items()):
            if isinstance(root, Root) and (power := u.degrees()[position]) and root.degree == 1:
                u = self.normal(u * root.base ** int(power))
                inverse = inverse * root.base ** int(power)
        content, factors = u.factor()
        for factor, multiplicity in factors:
            inverse = inverse * self._root(factor, 1) ** multiplicity
        return inverse * (1 / content)

    def _root(self, base: Any, degree: int) -> Any:
        """s = base^{−1/degree}."""
        expression = self.expression(base) ** sympy.Rational(-1, degree)
        if expression not in self._roots:
            position, s = self._new_generator(expression)
            slope = s ** (degree + 1) * fmpq(-1, degree)
            gradient = [slope * self.partial(base, i) for i in range(self.dimension)]
            self._generators[position] = Root(expression, gradient, position, base, degree)
            self._roots[expression] = s
            if degree == 1:
                self._note_logistic(position, base - 1)
        return self._roots[expression]

    def _note_logistic(self, position: int, rest: Any) -> None:
        """Note where 1/(1 + e^u) is among the generators, if the rest of its denominator is e^u."""
        generators = self._context.gens()
        for i, generator in self._generators.items():
            if isinstance(generator.expression, sympy.exp) and generators[i] == rest:
                self._logistic[position] = i

    def _function(self, e: sympy.Expr) -> Any:
        argument = self.element(e.args[0])
        z = sympy.Dummy("z")
        slope = e.func(z).diff(z)
        if slope.has(sympy.Derivative, sympy.Subs, sympy.Integral):
            raise NotElementaryError(f"the derivative of {e} is not known")
        return self._adjoin(e, argument, lambda g: self.element(slope.xreplace({z: e.args[0]})))

    def _adjoin(self, e: sympy.Expr, argument: Any, slope: Any) -> Any:
        position, g = self._new_generator(e)
        generator = Generator(e)
        self._generators[position] = generator
        self._known[e] = g
        derivative = slope(g)
        generator.gradient.extend(derivative * self.partial(argument, i) for i in range(self.dimension))
        return g

    def _new_generator(self, e: sympy.Expr) -> tuple[int, Any]:
        if not self._free:
            raise RingFullError(f"the derivatives of {e} bring ever new functions")
        position = self._free.pop()
        return position, self._context.gens()[position]

    def power(self, u: Any, exponent: sympy.Rational) -> tuple[Any, Any]:
        """u^exponent and 1/u.

        Raises
        ------
        ZeroPowerError
            If u is zero and a negative or fractional power of it is asked for.
        """
        u = self.normal(u)
        if u == 0:
            raise ZeroPowerError(f"the power {exponent} of zero has no derivatives")
        if u.is_constant():
            number = self.expression(u)
            return self.element(number**exponent), self.element(1 / number)
        root = self._root(u, int(exponent.q)) if exponent.q > 1 else self._inverse(u)
        whole = int(sympy.ceiling(exponent))
        steps = int((whole - exponent) * exponent.q)
        value = root**steps * u**whole if whole >= 0 else root ** (steps - whole * int(exponent.q))
        return value, root ** int(exponent.q)

    def expression(self, element: Any) -> sympy.Expr:
        """An element as a SymPy expression: polynomials in the symbols times adjoined functions."""
        k = len(self.symbols)
        terms = sorted(element.to_dict().items(), key=lambda term: term[0][k:])
        total = []
        for functions, group in groupby(terms, key=lambda term: term[0][k:]):
            polynomial = self._context.from_dict(
                {(*powers[:k], *(0 for _ in functions)): c for powers, c in group}
            )
            powers, factors = self._logistic_factors(dict(enumerate(map(int, functions), start=k)))
            for i, n in powers.items():
                if n:
                    polynomial, factor = self._factor(polynomial, self._generators[i], n)
                    factors.append(factor)
            monomials = (self._monomial(powers[:k], c) for powers, c in polynomial.to_dict().items())
            total.append(sympy.Mul(sympy.Add(*monomials), *factors))
        return sympy.Add(*total)

    def _logistic_factors(self, powers: dict[int, int]) -> tuple[dict[int, int], list[sympy.Expr]]:
        """The powers of functions less those of e^u/(1 + e^u), and these as factors 1/(1 + e^{−u}).

        The quotient of two numbers that may be too large for a float is so written as one that is not.
        """
        factors = []
        for position, exponential in self._logistic.items():
            n = min(powers[position], powers[exponential])
            if n:
                powers[position] -= n
                powers[exponential] -= n
                argument = self._generators[exponential].expression.args[0]
                factors.append((1 + sympy.exp(-argument)) ** -n)
        return powers, factors

    def _factor(self, polynomial: Any, generator: Generator, n: int) -> tuple[Any, sympy.Expr]:
        """A polynomial and the n-th power of a generator; roots take up powers of their base.

        So u² u^{−1/2} is written u^{3/2}, which is finite where u vanishes.
        """
        if not isinstance(generator, Root) or n >= generator.degree:
            return polynomial, generator.expression**n
        whole = 0
        while not generator.base.is_constant():
            quotient, rest = divmod(polynomial, generator.base)
            if rest != 0:
                break
            polynomial, whole = quotient, whole + 1
        return polynomial, self.expression(generator.base) ** (whole - sympy.Rational(n, generator.degree))

    def _monomial(self, powers: Sequence[int], c: fmpq) -> sympy.Expr:
        factors = (s ** int(n) for s, n in zip(self.symbols, powers, strict=True) if n)
        return sympy.Mul(sympy.Rational(int(c.p), int(c.q)), *factors)

    # -- derivation ------------------------------------------------------------------------------------

    def partial(self, element: Any, i: int) -> Any:
        """∂/∂x_i, through all adjoined functions."""
        total = element.derivative(i)
        for position, generator in self._generators.items():
            inner = element.derivative(position)
            if inner != 0:
                if not generator.gradient:
                    raise NotElementaryError(
                        f"the derivative of {generator.expression} is no polynomial in it"
                    )
                total = total + inner * generator.gradient[i]
        return total

    def derivation(self, components: Sequence[Any]) -> list[tuple[int, Any]]:
        """The field `components` as a derivation: what it makes of every generator that it moves."""
        moved = [(i, c) for i, c in enumerate(components) if c != 0]
        for position, generator in self._generators.items():
            speed = sum((generator.gradient[i] * c for i, c in moved if i < self.dimension), self.zero)
            if speed != 0:
                moved.append((position, speed))
        return moved

    def lie(self, derivation: list[tuple[int, Any]], element: Any) -> Any:
        """The Lie derivative of a function along a field."""
        total = self.zero
        for position, speed in derivation:
            slope = element.derivative(position)
            if slope != 0:
                total = total + slope * speed
        return total

    def is_polynomial(self, components: Sequence[Any]) -> bool:
        """Whether no adjoined function that occurs in the components depends on the variables."""
        return not any(
            component.degrees()[position]
            for component in components
            if component != 0
            for position, generator in self._generators.items()
            if any(slope != 0 for slope in generator.gradient)
        )

    def ray_integral(self, components: Sequence[Any], centre: Sequence[Any]) -> Any:
        """∫₀¹ f(c + t(x − c)) · (x − c) dt, the work of a polynomial field along the ray from c to x."""
        d = self.dimension
        gens = self._context.gens()
        moved = [
            f.compose(*(x + c for x, c in zip(gens, centre, strict=False)), *gens[d:]) for f in components
        ]
        work = sum((f * x for f, x in zip(moved, gens, strict=False)), self.zero)
        weighted = {powers: c / int(sum(powers[:d])) for powers, c in work.to_dict().items()}
        integral = self._context.from_dict(weighted)
        return integral.compose(*(x - c for x, c in zip(gens, centre, strict=False)), *gens[d:])

    # -- normal form -----------------------------------------------------------------------------------

    def normal(self, element: Any) -> Any:
        """The element with the relations base · s^degree = 1 used to the full."""
        for generator in self._generators.values():
            if isinstance(generator, Root):
                element = self._reduce(element, generator)
        return element

    def _reduce(self, element: Any, root: Root) -> Any:
        highest = element.degrees()[root.position]
        if highest == 0 or element == 0:
            return element
        s = self._context.gens()[root.position]
        slices = []
        while element != 0:
            element, without_s = divmod(element, s)
            slices.append(without_s)
        result = self.zero
        for remainder in range(root.degree):
            numerator, n = self.zero, remainder
            for m in range(remainder, len(slices), root.degree):
                numerator, n = numerator * root.base + slices[m], m
            while numerator != 0 and n >= root.degree:
                quotient, rest = divmod(numerator, root.base)
                if rest != 0:
                    break
                numerator, n = quotient, n - root.degree
            result = result + numerator * s**n
        return result

    @property
    def is_canonical(self) -> bool:
        """Whether an element vanishes as a function only if its normal form is 0.

        So it is where every adjoined function is the inverse 1/u of an irreducible polynomial u or a
        single constant such as √3; functions like exp u and exp 2u may be related in ways not seen here.
        """
        roots = [g for g in self._generators.values() if isinstance(g, Root)]
        constants = [g for g in roots if g.base.is_constant()]
        inverses = [g for g in roots if g.degree == 1 and not any(g.base.degrees()[len(self.symbols) :])]
        return len(constants) <= 1 and len(constants) + len(inverses) == len(self._generators)


def _generators_needed(expressions: Iterable[sympy.Expr]) -> int:
    """Room for every function in the expressions and for those that its derivative brings, with slack."""
    count = 0
    for expression in expressions:
        for node in sympy.preorder_traversal(expression):
            plain = node.is_Pow and node.exp.is_Integer and node.exp >= 0
            if isinstance(node, sympy.Function) or node.is_NumberSymbol or (node.is_Pow and not plain):
                count += 6
    return count
