"""What flows and fields have in common: B-series as immutable mappings from trees to coefficients."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from math import lcm
from typing import Any, ClassVar, Self

import numpy as np
import sympy

from bea.series.coefficients import Coefficients, Operation, apply, read_coefficients, read_number
from bea.series.counting import require_order
from bea.series.denominators import Denominators
from bea.series.exact import Exact
from bea.series.floats import Floats
from bea.series.group import orders_of
from bea.series.rings import DOUBLES, Array, Ring
from bea.series.symbolic import Symbolic
from bea.series.tables import TreeTables, tree_tables
from bea.series.trees import EMPTY, RootedTree

__all__ = ["Series", "as_number"]

#: The places of a single number among coefficients, as if it belonged to the tree of order 1.
SINGLE = np.array([0, 0, 1])

#: How many terms the display of a series shows.
MOST_SHOWN = 20

#: How many terms of it stand in a line of a notebook.
PER_LINE = 5


class Series(Mapping[RootedTree, Any]):
    r"""A B-series ``B(a, y) = a(∅) y + Σ_τ h^{|τ|}/σ(τ) a(τ) F(τ)(y)``, truncated after some order.

    Coefficients a(τ) are stored without the 1/σ(τ). See `FlowSeries`, with a(∅) = 1, and `FieldSeries`, with
    a(∅) = 0.
    """

    #: a(∅).
    empty: ClassVar[int]

    def __init__(self, coefficients: Mapping[RootedTree, Any], order: int | None = None) -> None:
        for tree in coefficients:
            if not isinstance(tree, RootedTree):
                raise TypeError(f"a series maps a RootedTree to its coefficient, and {tree!r} is none")
        given = {
            tree: read_number(value, f"the coefficient of {tree}") for tree, value in coefficients.items()
        }
        if given.get(EMPTY, self.empty) != self.empty:
            kind = type(self).__name__
            raise ValueError(
                f"the coefficient of the empty tree in a {kind} is {self.empty}, not {given[EMPTY]}"
            )
        highest = max((tree.order for tree in given), default=0)
        if order is None:
            order = highest or 1
        require_order(order)
        if highest > order:
            raise ValueError(f"the series ends at order {order}, but a tree of order {highest} was given")
        colours = 1 + max((max(tree.colours, default=0) for tree in given), default=0)
        tables = tree_tables(order, colours)
        numbers: list[Any] = [sympy.Integer(0)] * int(tables.start[order + 1])
        for tree, number in given.items():
            if tree.order:
                numbers[tables.number(tree)] = number
        self._set(tables, read_coefficients(numbers, _start(tables, order)))

    def _set(self, tables: TreeTables, coefficients: Coefficients) -> None:
        self._tables = tables
        self.coefficients = coefficients

    @classmethod
    def from_coefficients(cls, tables: TreeTables, coefficients: Coefficients) -> Self:
        """The series of coefficients that are numbered as in the tables."""
        series = object.__new__(cls)
        series._set(tables, coefficients)
        return series

    # -- a mapping -------------------------------------------------------------------------------------

    @property
    def order(self) -> int:
        """The order after which the series is truncated."""
        return self.coefficients.order

    @property
    def tables(self) -> TreeTables:
        """The tables in which its trees are numbered."""
        return self._tables

    @property
    def colours(self) -> int:
        """In how many colours the vertices of its trees come: 1 for B-series, more for P-series."""
        return self._tables.colours

    def __getitem__(self, tree: RootedTree) -> Any:
        if not isinstance(tree, RootedTree):
            raise TypeError(
                f"a series is asked for a RootedTree, such as RootedTree([1, 2, 2]), not {tree!r}"
            )
        if not tree.order:
            return sympy.Integer(self.empty)
        if tree.order > self.order:
            raise KeyError(
                f"{tree!r} has order {tree.order}, and the series is truncated after order {self.order}"
            )
        if max(tree.colours) >= self.colours:
            raise KeyError(f"{tree!r} has colours beyond the {self.colours} of the series")
        return self.coefficients.at(self._tables.number(tree))

    def __iter__(self) -> Iterator[RootedTree]:
        yield EMPTY
        for n in range(1, self.order + 1):
            yield from self._tables.trees(n)

    def __len__(self) -> int:
        return 1 + len(self.coefficients)

    def items(self) -> ItemsView[RootedTree, Any]:
        """The trees with their coefficients, in the order of the trees."""
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        """The coefficients, in the order of the trees."""
        return _Values(self)

    def terms(self, order: int) -> dict[RootedTree, Any]:
        """The trees of one order with their coefficients.

        Raises
        ------
        ValueError
            If the order is not between 1 and the order of the series.
        """
        self._require_within(order)
        trees = self._tables.slice(order)
        return dict(
            zip(self._tables.trees(order), self.coefficients.values(trees.start, trees.stop), strict=True)
        )

    def _require_within(self, order: int) -> None:
        require_order(order)
        if order > self.order:
            raise ValueError(f"the series is truncated after order {self.order}, so it has no order {order}")

    # -- kinds of coefficients -------------------------------------------------------------------------

    @property
    def parameters(self) -> tuple[sympy.Symbol, ...]:
        """The symbols in the coefficients, sorted by name."""
        symbols = self.coefficients.ring.symbols if isinstance(self.coefficients, Symbolic) else set()
        return tuple(sorted(symbols, key=lambda symbol: symbol.name))

    def as_floats(self) -> Self:
        """The same series with coefficients of double precision.

        Raises
        ------
        ValueError
            If the coefficients have symbols.
        """
        if self.parameters:
            raise ValueError(
                f"coefficients with the symbol {self.parameters[0]} are no floats: "
                "give it a value by with_parameters first"
            )
        values = self.coefficients
        return self.from_coefficients(self._tables, Floats(values.start, values.on(DOUBLES)))

    def with_parameters(self, **values: object) -> Self:
        """The same series with numbers, or other expressions, in the place of symbols.

        Raises
        ------
        ValueError
            If a name is that of no symbol in the coefficients, or a coefficient is infinite at these values.
        """
        symbols = {symbol.name: symbol for symbol in self.parameters}
        for name in values:
            if name not in symbols:
                raise ValueError(
                    f"{name!r} is no symbol in the coefficients; those are {sorted(symbols) or 'none'}"
                )
        replacement = {symbols[name]: read_number(value, name) for name, value in values.items()}
        numbers = [value.xreplace(replacement) for value in self.coefficients.values()]
        if any(number.has(sympy.zoo, sympy.nan) for number in numbers):
            raise ValueError(f"a coefficient is infinite at {values}")
        numbers = [read_number(number, "a coefficient") for number in numbers]
        return self.from_coefficients(self._tables, read_coefficients(numbers, self.coefficients.start))

    # -- operations of both ----------------------------------------------------------------------------

    def truncate(self, order: int) -> Self:
        """The series up to a lower order.

        Raises
        ------
        ValueError
            If the order is not between 1 and the order of the series.
        """
        self._require_within(order)
        return self.from_coefficients(self._tables, self.coefficients.truncated(order))

    def scale(self, factor: object) -> Self:
        """The series for another step size, λh in the place of h: a(τ) becomes ``λ^{|τ|} a(τ)``.

        Parameters
        ----------
        factor : number, str or sympy.Expr
            λ.
        """

        def bound(D: Denominators, d: Denominators) -> list[int]:
            return [D[n] * d[1] ** n for n in range(len(D))]

        return self._with(_scaled, bound, numbers=[as_number(factor, "the factor of the step size")])

    def _with(
        self,
        operation: Callable[[Ring, TreeTables, Any], Array] | Operation,
        bound: Callable[..., Denominators],
        *others: Series,
        numbers: Any = (),
        result: type[Series] | None = None,
    ) -> Any:
        """The result of an operation with other series, all truncated after the lowest of their orders."""
        everything = [self, *others]
        for other in others:
            if other.colours != self.colours:
                raise ValueError(
                    f"series on trees of {self.colours} and {other.colours} colours cannot be combined"
                )
        order = min(series.order for series in everything)
        coefficients = apply(
            lambda ring, *arrays: operation(ring, self._tables, *arrays),
            bound,
            [series.coefficients.truncated(order) for series in everything],
            numbers,
        )
        return (result or type(self)).from_coefficients(self._tables, coefficients)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Series):
            return NotImplemented
        if (self.empty, self.order, self.colours) != (other.empty, other.order, other.colours):
            return False
        return bool(self._difference(other).vanishes().all())

    def _difference(self, other: Series) -> Coefficients:
        """The coefficients of self − other, which need not be a flow or a field."""
        return self._with(subtraction, sum_bound, other).coefficients

    @property
    def latex(self) -> str:
        r"""The beginning of the series in LaTeX, with F(τ) for elementary differentials."""
        return " ".join(self._latex_terms())

    def _repr_latex_(self) -> str:
        terms = self._latex_terms()
        lines = [" ".join(terms[i : i + PER_LINE]) for i in range(0, len(terms), PER_LINE)]
        if len(lines) == 1:
            return rf"$\displaystyle {lines[0]}$"
        rows = r" \\ ".join(f"& {line}" for line in lines)
        return rf"$\displaystyle \begin{{aligned}} {rows} \end{{aligned}}$"

    def _latex_terms(self) -> list[str]:
        """The first terms that do not vanish, and what stands for the others."""
        terms = ["y"] if self.empty else []
        present = np.flatnonzero(np.logical_not(self.coefficients.vanishes()))
        shown = [int(i) for i in present[: MOST_SHOWN + 1 - len(terms)]]
        for i in shown:
            tree = self._tables.tree(i)
            terms.append(_latex_term(tree, sympy.sympify(self.coefficients.at(i)) / tree.symmetry))
        if len(shown) < len(present):
            terms.append(r"+ \cdots")
        else:
            terms.append(rf"+ \mathcal{{O}}(h^{{{self.order + 1}}})")
        return [terms[0].removeprefix("+ "), *terms[1:]]

    def __repr__(self) -> str:
        kinds = {Exact: "exact", Floats: "float", Symbolic: "symbolic"}
        kind = kinds[type(self.coefficients)]
        colours = f" in {self.colours} colours" if self.colours > 1 else ""
        return (
            f"<{type(self).__name__} to order {self.order}: {kind} coefficients of "
            f"{len(self.coefficients)} trees{colours}>"
        )


class _Items(ItemsView[RootedTree, Any]):
    """All items of a series, without looking for the number of each tree."""

    _mapping: Series

    def __iter__(self) -> Iterator[tuple[RootedTree, Any]]:
        yield EMPTY, self._mapping[EMPTY]
        for n in range(1, self._mapping.order + 1):
            yield from self._mapping.terms(n).items()


class _Values(ValuesView[Any]):
    """All values of a series, without looking for the number of each tree."""

    _mapping: Series

    def __iter__(self) -> Iterator[Any]:
        yield self._mapping[EMPTY]
        yield from self._mapping.coefficients.values()


def _latex_term(tree: RootedTree, factor: sympy.Expr) -> str:
    """A sign, a factor, a power of h and an elementary differential."""
    sign = "-" if factor.could_extract_minus_sign() and not factor.is_Add else "+"
    number = sympy.latex(-factor if sign == "-" else factor)
    number = "" if number == "1" else rf"\left({number}\right)" if factor.is_Add else number
    step = "h" if tree.order == 1 else f"h^{{{tree.order}}}"
    return rf"{sign} {number} {step} F({tree.latex})".replace("  ", " ")


def _start(tables: TreeTables, order: int) -> np.ndarray:
    """The numbers of the first trees of orders 0, …, order + 1."""
    return tables.start[: order + 2]


def as_number(value: object, what: str) -> Coefficients:
    """A number as the argument of an operation."""
    return read_coefficients([read_number(value, what)], SINGLE)


def sum_bound(a: Denominators, b: Denominators) -> list[int]:
    """Denominators of a sum or a difference."""
    return [lcm(p, q) for p, q in zip(a, b, strict=True)]


def subtraction(ring: Ring, tables: TreeTables, a: Array, b: Array) -> Array:
    """a − b."""
    return ring.subtract(a, b)


def _scaled(ring: Ring, tables: TreeTables, a: Array, factor: Array) -> Array:
    scaled, power = a.copy(), factor
    for _, trees in orders_of(tables, len(a)):
        scaled[trees] = ring.multiply(a[trees], power)
        power = ring.multiply(power, factor)
    return scaled
