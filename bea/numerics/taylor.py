r"""Taylor series of expressions along a solution, one coefficient at a time, in ball arithmetic.

An expression is a straight line of four kinds of operation. Each knows one recurrence for the k-th Taylor
coefficient of its result, given the coefficients 0 … k of its operands; with k = 0 it is plain evaluation.

    c = a b                  c_k = Σ_{i≤k} a_i b_{k−i}
    c = γ + Σ_j γ_j a^{(j)}  c_k = Σ_j γ_j a^{(j)}_k                              for k > 0
    c = a^α                  k a_0 c_k = Σ_{i<k} (α (k − i) − i) a_{k−i} c_i      for k > 0
    c = φ(a)                 k c_k = Σ_{1≤i≤k} i a_i g_{k−i} with g = φ'(a)       for k > 0

The last holds for every function φ whose derivative is itself a straight line, so that no function needs a
recurrence of its own: tan' = 1 + tan² is a polynomial in tan, log' a power, and sin and cos name each other.

References
----------
.. [1] À. Jorba and M. Zou (2005), "A software package for the numerical integration of ODEs by means of
       high-order Taylor methods", Experimental Mathematics 14, 99–117.
.. [2] A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, Chapter 13.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from operator import mul

from flint import arb

__all__ = ["Combination", "Function", "Operation", "Power", "Product", "TaylorMachine"]

#: The coefficients of one power series, and the function that finds the k-th of them.
Series = list[arb]
Extend = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Product:
    """The product of the series `left` and `right`."""

    left: int
    right: int

    def bind(self, series: Sequence[Series], constants: Sequence[arb], result: Series) -> Extend:
        """The function that appends the k-th coefficient to `result`."""
        a, b = series[self.left], series[self.right]

        def extend(k: int) -> None:
            result.append(sum(map(mul, a, b[k::-1])))

        return extend


@dataclass(frozen=True, slots=True)
class Combination:
    """A linear combination of series, plus a constant; weights and constant are numbers of constants."""

    weights: tuple[int, ...]
    terms: tuple[int, ...]
    constant: int | None = None

    def bind(self, series: Sequence[Series], constants: Sequence[arb], result: Series) -> Extend:
        """The function that appends the k-th coefficient to `result`."""
        weights = [constants[w] for w in self.weights]
        terms = [series[t] for t in self.terms]
        zero = arb(0)
        first = zero if self.constant is None else constants[self.constant]

        def extend(k: int) -> None:
            result.append(sum(map(mul, weights, [a[k] for a in terms]), zero if k else first))

        return extend


@dataclass(frozen=True, slots=True)
class Power:
    """The power of the series `base` whose exponent is the constant of number `exponent`."""

    base: int
    exponent: int

    def bind(self, series: Sequence[Series], constants: Sequence[arb], result: Series) -> Extend:
        """The function that appends the k-th coefficient to `result`."""
        a, alpha = series[self.base], constants[self.exponent]

        def extend(k: int) -> None:
            if k == 0:
                result.append(a[0] ** alpha)
            else:
                plain = list(map(mul, a[k:0:-1], result))
                weighted = map(mul, range(k), plain)
                result.append((alpha * k * sum(plain) - (alpha + 1) * sum(weighted)) / (k * a[0]))

        return extend


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the series `argument`, named as the method of `arb`, whose derivative is a series too."""

    name: str
    argument: int
    derivative: int

    def bind(self, series: Sequence[Series], constants: Sequence[arb], result: Series) -> Extend:
        """The function that appends the k-th coefficient to `result`."""
        a, g = series[self.argument], series[self.derivative]
        value = getattr(arb, self.name)

        def extend(k: int) -> None:
            if k == 0:
                result.append(value(a[0]))
            else:
                result.append(sum(map(mul, map(mul, range(1, k + 1), a[1:]), g[k - 1 :: -1])) / k)

        return extend


Operation = Product | Combination | Power | Function


class TaylorMachine:
    """A straight line of operations, ready to run at the precision that was set when it was made.

    Parameters
    ----------
    operations : sequence of Operation
        Operation j makes series d + j; series 0 … d − 1 are the variables.
    outputs : sequence of int, length m
        The numbers of the series that are wanted.
    needed : int
        How many operations suffice for the values; the rest are derivatives of functions.
    dimension : int
        The number d of variables.
    constants : sequence of arb
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        outputs: Sequence[int],
        needed: int,
        dimension: int,
        constants: Sequence[arb],
    ) -> None:
        self._series: list[Series] = [[] for _ in range(dimension + len(operations))]
        self._variables = self._series[:dimension]
        self._outputs = [self._series[i] for i in outputs]
        results = self._series[dimension:]
        self._extensions = [
            operation.bind(self._series, constants, result)
            for operation, result in zip(operations, results, strict=True)
        ]
        self._needed = self._extensions[:needed]

    def _start(self, x: Sequence[arb]) -> None:
        for a in self._series:
            a.clear()
        for a, value in zip(self._variables, x, strict=True):
            a.append(value)

    def value(self, x: Sequence[arb]) -> list[arb]:
        """The m expressions at the point `x` of d numbers."""
        self._start(x)
        for extend in self._needed:
            extend(0)
        return [a[0] for a in self._outputs]

    def solution(self, x: Sequence[arb], enclose: bool = False) -> Iterator[list[arb]]:
        """The Taylor coefficients x_0, x_1, … of the solution of ẋ = f(x) from `x`, each of d balls.

        They obey (k + 1) x_{k+1} = f(x)_k. If they are to `enclose` the true coefficients, balls are carried
        on; else midpoints, and a radius is the rounding error of its own coefficient alone. Where f is a
        difference of large numbers, only the latter stay small. Only one solution is under way at a time.
        """
        self._start(x)
        yield list(x)
        k = 0
        while True:
            for extend in self._extensions:
                extend(k)
            k += 1
            coefficient = [f[k - 1] / k for f in self._outputs]
            for a, value in zip(self._variables, coefficient, strict=True):
                a.append(value if enclose else value.mid())
            yield coefficient
