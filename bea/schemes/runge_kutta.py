"""Runge–Kutta methods as exact Butcher tableaus, and the step that they all share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np
import sympy

from bea.schemes.reading import (
    Column,
    Table,
    read_column,
    read_square_matrix,
    require_consistent,
    require_row_sums,
)
from bea.schemes.scheme import Arithmetic, Field, Scheme
from bea.systems.expressions import STEP_SIZE, Value, read_expression

__all__ = ["RungeKutta"]


class RungeKutta(Scheme):
    r"""A Runge–Kutta method, given by its exact Butcher tableau [1]_.

    One step of size h along f takes x to x + h Σ_j b_j K_j, where K_i = f(x + h Σ_j a_ij K_j).

    Parameters
    ----------
    A : nested sequence or matrix, shape (s, s)
        The coefficients a_ij. An entry is an integer, a `fractions.Fraction`, a SymPy expression, text such
        as ``"1/3"`` or ``"sqrt(3)/6"``, or a float, which is read as the decimal that it spells. Free symbols
        stay symbolic: they are the parameters of a family of methods.
    b : sequence, length s
        The weights b_j.
    c : sequence, length s, optional
        The nodes c_i. They must be the row sums of A, which is also what they are if not given.
    b_hat : sequence, length s, optional
        The weights of an embedded method, for error estimates.
    name : str, optional
        A name for reports.
    order : int, optional
        The classical order, as declared by its author; it is not checked here.

    Attributes
    ----------
    A : sympy.ImmutableMatrix, shape (s, s)
    b, c : sympy.ImmutableMatrix, shape (s, 1)
    b_hat : sympy.ImmutableMatrix of shape (s, 1), or None
    stages : int
        The number s of stages.
    is_explicit : bool
        Whether A is strictly lower triangular.
    parameter_symbols : tuple of sympy.Symbol
        The free symbols of the tableau, sorted by name.
    essential_stages : tuple of int
        The stages, counted from 0, on which the step depends. The others serve error estimates alone; methods
        that have them are called DJ-reducible [2]_.

    Raises
    ------
    ValueError
        If the shapes do not fit, the weights do not sum to 1, or the nodes are not the row sums of A.
    TypeError
        If an entry is neither a number nor text nor a SymPy expression.

    Notes
    -----
    Two methods are equal when their tableaus are, whatever their names.

    References
    ----------
    .. [1] E. Hairer, S. P. Nørsett and G. Wanner (1993), Solving Ordinary Differential Equations I,
           2nd ed., Springer, Section II.7, Definition 7.1.
    .. [2] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.12, Definition 12.15.

    Examples
    --------
    >>> from bea.schemes import RungeKutta
    >>> heun = RungeKutta([[0, 0], [1, 0]], ["1/2", "1/2"])
    >>> heun.stages, heun.is_explicit
    (2, True)
    >>> heun.stability_function()
    z**2/2 + z + 1
    """

    #: The classical order, or None where it is not known.
    order: int | None = None

    def __init__(
        self,
        A: Table,
        b: Column,
        c: Column | None = None,
        *,
        b_hat: Column | None = None,
        name: str | None = None,
        order: int | None = None,
    ) -> None:
        self.A = read_square_matrix(A)
        self.stages: int = self.A.rows
        self.b = read_column(b, "b", self.stages)
        self.b_hat = None if b_hat is None else read_column(b_hat, "b_hat", self.stages)
        self.c = self.A * sympy.ones(self.stages, 1)
        require_consistent(self.b, "b", b)
        if self.b_hat is not None:
            require_consistent(self.b_hat, "b_hat", b_hat)
        if c is not None:
            require_row_sums(read_column(c, "c", self.stages), self.c)
        self.name = name or self.name or "runge-kutta"
        self.order = order
        if STEP_SIZE in self.A.free_symbols | self.b.free_symbols:
            raise ValueError(f"a tableau cannot contain the symbol {STEP_SIZE}, which is the step size")

        self.is_explicit: bool = self.A.is_lower and not any(self.A[i, i] for i in range(self.stages))
        self.essential_stages = _essential_stages(self.A, self.b)
        position = {j: m for m, j in enumerate(self.essential_stages)}
        self._rows = [_nonzero(self.A.row(i), position) for i in self.essential_stages]
        self._weights = _nonzero(self.b, position)

    @cached_property
    def parameter_symbols(self) -> tuple[sympy.Symbol, ...]:
        """The free symbols of the tableau, sorted by name."""
        free = self.A.free_symbols | self.b.free_symbols
        free |= self.b_hat.free_symbols if self.b_hat is not None else set()
        return tuple(sorted(free, key=lambda s: s.name))

    @property
    def constants(self) -> tuple[sympy.Expr, ...]:
        """The entries of A and b that are not zero, each once."""
        return tuple(dict.fromkeys(entry for entry in (*self.A, *self.b) if entry != 0))

    @property
    def is_symbolic(self) -> bool:
        """Whether the tableau has parameters without a value."""
        return bool(self.parameter_symbols)

    def with_parameters(self, **values: Value | str) -> RungeKutta:
        """The same method with values, or other exact expressions, for parameters of its tableau.

        Raises
        ------
        ValueError
            If a name is no parameter of the tableau, or an entry is infinite at these values.

        Examples
        --------
        >>> from bea.schemes import SecondOrder
        >>> SecondOrder().with_parameters(alpha="2/3").b
        Matrix([
        [1/4],
        [3/4]])
        """
        symbols = {s.name: s for s in self.parameter_symbols}
        for name in values:
            if name not in symbols:
                raise ValueError(
                    f"{name!r} is no parameter of {self.name}; its parameters are {sorted(symbols) or 'none'}"
                )
        replacement = {symbols[name]: read_expression(value) for name, value in values.items()}
        tables = [t if t is None else t.xreplace(replacement) for t in (self.A, self.b, self.c, self.b_hat)]
        if any(t is not None and t.has(sympy.zoo, sympy.oo, sympy.nan) for t in tables):
            given = ", ".join(f"{symbol} = {value}" for symbol, value in replacement.items())
            raise ValueError(f"the tableau of {self.name} is not finite at {given}")
        A, b, c, b_hat = tables
        method = object.__new__(type(self))
        RungeKutta.__init__(method, A, b, c, b_hat=b_hat, name=self.name, order=self.order)
        return method

    def step(self, field: Field, x: Sequence[Any], h: Any, arithmetic: Arithmetic) -> list[Any]:
        """One step Φ_h(x) along `field`, on numbers of any kind.

        Parameters
        ----------
        field : callable
            Takes a list of d numbers to a list of d numbers.
        x : sequence of d numbers
        h : number
            The step size.
        arithmetic : Arithmetic
            Brings the constants of the tableau into the kind of number at hand; an implicit method asks it to
            solve the stage equations, all at once, from the start K_i = f(x).

        Returns
        -------
        list of d numbers
        """

        def displaced(weights: list[tuple[int, sympy.Expr]], K: list[list[Any]]) -> list[Any]:
            """x + h Σ_j a_j K_j over the nonzero a_j."""
            terms = [(arithmetic.number(a), K[j]) for j, a in weights]
            return (
                [x_m + h * _sum(a * k[m] for a, k in terms) for m, x_m in enumerate(x)] if terms else list(x)
            )

        K: list[list[Any]] = []
        if self.is_explicit:
            for row in self._rows:
                K.append(field(displaced(row, K)))
        else:
            start = field(list(x))
            K = arithmetic.fixed_point(
                lambda K: [field(displaced(row, K)) for row in self._rows], [list(start) for _ in self._rows]
            )
        return displaced(self._weights, K)

    def stability_function(self, z: object = "z") -> sympy.Expr:
        r"""The exact rational function R with Φ_h(x) = R(hλ) x for ẋ = λx.

        Parameters
        ----------
        z : str, number or sympy.Expr, optional
            Where to evaluate it; by default the symbol z.

        Notes
        -----
        R(z) = det(I − zA + z𝟙bᵀ) / det(I − zA), Hairer and Wanner (1996), Proposition IV.3.2.

        Examples
        --------
        >>> from bea.schemes import Gauss2
        >>> Gauss2().stability_function()
        (z**2 + 6*z + 12)/(z**2 - 6*z + 12)
        """
        unknown = sympy.Dummy("z")
        numerator = _determinant_of_pencil(self.A - sympy.ones(self.stages, 1) * self.b.T, unknown)
        denominator = _determinant_of_pencil(self.A, unknown)
        numerator, denominator = sympy.fraction(sympy.cancel(numerator / denominator))
        sign = -1 if denominator.subs(unknown, 0).is_negative else 1
        ratio = sympy.expand(sign * numerator) / sympy.expand(sign * denominator)
        return ratio.xreplace({unknown: read_expression(z)})

    def as_floats(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The tables A, b and c rounded to double precision, of shapes (s, s), (s,) and (s,).

        Raises
        ------
        ValueError
            If a parameter of the tableau has no value.
        """
        if self.is_symbolic:
            name = self.parameter_symbols[0].name
            raise ValueError(
                f"the parameter {name!r} of {self.name} has no value: "
                f"give it one by with_parameters({name}=...)"
            )
        A, b, c = self._floats
        return A.copy(), b.copy(), c.copy()

    @cached_property
    def _floats(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        def rounded(table: sympy.ImmutableMatrix) -> np.ndarray:
            return np.array([float(entry.evalf(40)) for entry in table]).reshape(table.shape)

        return rounded(self.A), rounded(self.b).ravel(), rounded(self.c).ravel()

    @property
    def latex(self) -> str:
        """The Butcher tableau in LaTeX."""
        rows = []
        for i in range(self.stages):
            entries = [
                "" if self.is_explicit and j >= i else sympy.latex(self.A[i, j]) for j in range(self.stages)
            ]
            rows.append(" & ".join([sympy.latex(self.c[i]), *entries]))
        weights = [w for w in (self.b, self.b_hat) if w is not None]
        feet = [" & ".join(["", *map(sympy.latex, w)]) for w in weights]
        body = r" \\ ".join(rows) + r" \\ \hline " + r" \\ ".join(feet)
        return rf"\begin{{array}}{{c|{'c' * self.stages}}} {body} \end{{array}}"

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex}$"

    def __repr__(self) -> str:
        rows = [[_source(entry) for entry in self.A.row(i)] for i in range(self.stages)]
        arguments = [str(rows), str([_source(entry) for entry in self.b])]
        if self.b_hat is not None:
            arguments.append(f"b_hat={[_source(entry) for entry in self.b_hat]}")
        return f"{type(self).__name__}({', '.join(arguments)})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RungeKutta) and (self.A, self.b, self.b_hat) == (
            other.A,
            other.b,
            other.b_hat,
        )

    def __hash__(self) -> int:
        return hash((self.A, self.b, self.b_hat))


def _essential_stages(A: sympy.ImmutableMatrix, b: sympy.ImmutableMatrix) -> tuple[int, ...]:
    """The stages that b reaches, directly or through A."""
    reached: set[int] = set()
    new = {j for j, weight in enumerate(b) if weight != 0}
    while new:
        reached |= new
        new = {j for i in new for j in range(A.cols) if A[i, j] != 0} - reached
    return tuple(sorted(reached))


def _nonzero(entries: sympy.ImmutableMatrix, position: dict[int, int]) -> list[tuple[int, sympy.Expr]]:
    return [(position[j], entry) for j, entry in enumerate(entries) if entry != 0]


def _source(entry: sympy.Expr) -> int | str:
    """What a user writes for an entry."""
    return int(entry) if entry.is_Integer else str(entry)


def _sum(terms: Any) -> Any:
    """The sum of at least one number of any kind, without the integer 0 that `sum` begins with."""
    return reduce(add, terms)


def _determinant_of_pencil(M: sympy.ImmutableMatrix, z: sympy.Symbol) -> sympy.Expr:
    """det(I − zM): the coefficients of the characteristic polynomial det(λI − M) in reverse."""
    coefficients = M.charpoly().all_coeffs()
    return sum(sympy.expand(coefficient) * z**k for k, coefficient in enumerate(coefficients))
