"""One-step methods as B-series: a group under composition, with its logarithm."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple, overload

import numpy as np
import sympy

from bea.series.coefficients import read_coefficients
from bea.series.denominators import (
    Denominators,
    composition_bound,
    inverse_bound,
    logarithm_bound,
    power_bound,
    substitution_bound,
    substitution_inverse_bound,
)
from bea.series.exact import Exact
from bea.series.field_series import FieldSeries, require_substitutable
from bea.series.floats import Floats
from bea.series.group import composition, logarithm, power
from bea.series.rings import Array, Ring
from bea.series.rules import average_vector_field, exact_flow, from_rule, vertices_only
from bea.series.series import Series, as_number
from bea.series.substitution import (
    solved_for_field,
    stage_substitution,
    stages_solved_for_field,
    substitution,
)
from bea.series.tables import TreeTables, tree_tables
from bea.series.trees import RootedTree

__all__ = ["FlowSeries", "Stages"]

#: Float coefficients of a method are taken to be those of the exact flow if they differ by no more.
ROUNDING = 1e-12


class Stages(NamedTuple):
    """The tableau of a Runge–Kutta method, by which its series knows a short way to substitute fields."""

    A: list[list[sympy.Expr]]
    b: list[sympy.Expr]


class FlowSeries(Series):
    r"""A map ``y ↦ y + Σ_τ h^{|τ|}/σ(τ) a(τ) F(τ)(y)``, as an immutable mapping from τ to a(τ) [1]_.

    **Coefficients are stored without the 1/σ(τ).** That of the empty tree, which stands for y itself, is 1.
    Elementary differentials F(τ) are those of the field f of ẏ = f(y). The exact flow over one step has
    a(τ) = 1/γ(τ). The series holds all trees up to some order.

    - ``s @ t`` is the map s followed by t; ``s @ field`` is the field after the map s.
    - ``s ** λ`` is the power exp(λ log s); ``s ** -1`` the inverse, as `inverse`.
    - ``s.log()`` is the modified equation, the field whose flow over one step is s.

    Parameters
    ----------
    coefficients : mapping of RootedTree to number, str or sympy.Expr
        Exact numbers stay exact, and symbols symbols; one float turns all into floats. Trees that are not
        given have the coefficient 0.
    order : int, optional
        The order after which the series is truncated; by default the highest order of a tree given.

    Attributes
    ----------
    order : int
        The order after which the series is truncated.
    colours : int
        The number of colours of the vertices: 1 for B-series, more for P-series.
    parameters : tuple of sympy.Symbol
        The symbols in the coefficients.

    Raises
    ------
    ValueError
        If the empty tree has another coefficient than 1, a coefficient is not finite, or the order is too
        low.
    TypeError
        If a key is no `RootedTree`, or a coefficient no number.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Sections III.1 and IX.9.

    Examples
    --------
    The implicit midpoint rule is half a step of implicit Euler followed by half a step of explicit Euler.

    >>> from bea.schemes import ExplicitEuler, ImplicitEuler, ImplicitMidpoint
    >>> from bea.series import bseries
    >>> halves = bseries(ImplicitEuler()).scale("1/2") @ bseries(ExplicitEuler()).scale("1/2")
    >>> halves == bseries(ImplicitMidpoint())
    True
    """

    empty = 1
    _stages: Stages | None = None

    # -- ways to make one ------------------------------------------------------------------------------

    @classmethod
    def identity(cls, order: int = 6, colours: int = 1) -> FlowSeries:
        """The map that leaves y as it is: 0 at every tree but the empty one."""
        tables = tree_tables(order, colours)
        return cls.from_coefficients(tables, vertices_only(tables, order, 0))

    @classmethod
    def exact(cls, order: int = 6, colours: int = 1) -> FlowSeries:
        """The exact flow over one step, a(τ) = 1/γ(τ).

        Examples
        --------
        >>> from bea.series import FlowSeries, RootedTree
        >>> FlowSeries.exact()[RootedTree([1, 2, 3, 2])]
        1/8
        """
        tables = tree_tables(order, colours)
        return cls.from_coefficients(tables, exact_flow(tables, order))

    @classmethod
    def average_vector_field(cls, order: int = 6) -> FlowSeries:
        r"""The energy-preserving average vector field method, Φ = y + h ∫₀¹ f((1 − ξ) y + ξ Φ) dξ [1]_, [2]_.

        Its coefficients are a([τ₁, …, τ_m]) = a(τ₁) ⋯ a(τ_m) / (m + 1).

        References
        ----------
        .. [1] G. R. W. Quispel and D. I. McLaren (2008), A new class of energy-preserving numerical
               integration methods, Journal of Physics A 41, 045206.
        .. [2] E. Celledoni, R. I. McLachlan, D. I. McLaren, B. Owren, G. R. W. Quispel and W. M. Wright
               (2009), Energy-preserving Runge–Kutta methods, ESAIM: Mathematical Modelling and Numerical
               Analysis 43, 645–649.

        Examples
        --------
        >>> from bea.series import FlowSeries, RootedTree
        >>> FlowSeries.average_vector_field()[RootedTree([1, 2, 2])]
        1/3
        """
        tables = tree_tables(order)
        return cls.from_coefficients(tables, average_vector_field(tables, order))

    @classmethod
    def from_rule(
        cls, rule: Callable[[RootedTree, list[Any]], Any], order: int = 6, colours: int = 1
    ) -> FlowSeries:
        """Any method whose coefficients follow from those of smaller trees.

        Parameters
        ----------
        rule : callable
            Called once for each tree τ = [τ₁, …, τ_m] of orders 1, 2, …, with τ and the list of the a(τ_i),
            largest τ_i first, it returns a(τ): a number, text or a SymPy expression.
        order : int, optional
            The order after which the series is truncated.
        colours : int, optional
            In how many colours the vertices of the trees come.

        Examples
        --------
        >>> from math import prod
        >>> from bea.series import FlowSeries
        >>> from fractions import Fraction
        >>> exact = FlowSeries.from_rule(lambda tree, a: prod(a, start=Fraction(1, tree.order)), order=4)
        >>> exact == FlowSeries.exact(order=4)
        True
        """
        tables = tree_tables(order, colours)
        return cls.from_coefficients(tables, from_rule(tables, order, rule))

    # -- a group ---------------------------------------------------------------------------------------

    @overload
    def __matmul__(self, other: FlowSeries) -> FlowSeries: ...

    @overload
    def __matmul__(self, other: FieldSeries) -> FieldSeries: ...

    def __matmul__(self, other: Series) -> Series:
        if not isinstance(other, Series):
            return NotImplemented

        def operation(ring: Ring, tables: TreeTables, a: Array, c: Array) -> Array:
            return composition(ring, tables, a, c, other.empty)

        return self._with(operation, composition_bound, other, result=type(other))

    def inverse(self) -> FlowSeries:
        """The inverse map: ``s @ s.inverse()`` is the identity."""

        def operation(ring: Ring, tables: TreeTables, a: Array) -> Array:
            return power(ring, tables, a, ring.constants([-1]))

        return self._with(operation, inverse_bound)

    def adjoint(self) -> FlowSeries:
        """The adjoint method, the inverse map of the step with −h: ``(−1)^{|τ|} a⁻¹(τ)``.

        Examples
        --------
        >>> from bea.schemes import ExplicitEuler, ImplicitEuler
        >>> from bea.series import bseries
        >>> bseries(ExplicitEuler()).adjoint() == bseries(ImplicitEuler())
        True
        """
        return self.inverse().scale(-1)

    def __pow__(self, exponent: object) -> FlowSeries:
        number = as_number(exponent, "the exponent of a FlowSeries")
        (value,) = number.values()

        def bound(a: Denominators, d: Denominators) -> list[int]:
            return power_bound(a, Fraction(int(value.p), int(value.q)) if value.is_Rational else None, d[1])

        def operation(ring: Ring, tables: TreeTables, a: Array, factor: Array) -> Array:
            return power(ring, tables, a, factor)

        return self._with(operation, bound, numbers=[number])

    def log(self) -> FieldSeries:
        """The modified equation: the field whose flow over one step is this map.

        See Also
        --------
        FieldSeries.exp : The inverse.

        Notes
        -----
        It costs ``O(|τ|²)`` operations for each tree. The number of primes modulo which exact coefficients
        are found follows from the numbers themselves; see `bea.series.digits`.

        Examples
        --------
        >>> from bea.schemes import RK4
        >>> from bea.series import RootedTree, bseries
        >>> bseries(RK4(), order=5).log()[RootedTree([1, 2, 3, 4, 5])]
        -1/120
        """
        return self._with(logarithm, logarithm_bound, result=FieldSeries)

    # -- other fields ----------------------------------------------------------------------------------

    def substitute(self, field: FieldSeries) -> FlowSeries:
        """This method for another field in the place of f: all elementary differentials are those of `field`.

        For the series of a Runge–Kutta method this costs a few compositions. Otherwise it sums over all ways
        to cut a tree into subtrees; see `bea.series.substitution`.

        Parameters
        ----------
        field : FieldSeries

        Examples
        --------
        The exact flow of a field is its exponential.

        >>> from bea.schemes import RK4
        >>> from bea.series import FlowSeries, bseries
        >>> modified = bseries(RK4()).log()
        >>> FlowSeries.exact().substitute(modified) == bseries(RK4())
        True
        """
        require_substitutable(self, field)
        if self._stages is None:
            return field._with(substitution, substitution_bound, self, result=FlowSeries)
        return self._by_stages(stage_substitution, substitution_bound, field, FlowSeries)

    def modifying_integrator(self) -> FieldSeries:
        """The field for which this method gives the exact flow of f [1]_.

        Raises
        ------
        ValueError
            If the coefficient of the single vertex is not 1: the method is not consistent.

        References
        ----------
        .. [1] P. Chartier, E. Hairer and G. Vilmart (2007), Numerical integrators based on modified
               differential equations, Mathematics of Computation 76, 1941–1953.

        Examples
        --------
        >>> from bea.schemes import ImplicitMidpoint
        >>> from bea.series import FlowSeries, RootedTree, bseries
        >>> midpoint = bseries(ImplicitMidpoint())
        >>> field = midpoint.modifying_integrator()
        >>> field[RootedTree([1, 2, 2])], field[RootedTree([1, 2, 3])]
        (1/12, -1/12)
        """
        require_substitutable(self, FieldSeries.original(1, self.colours))
        single = self.truncate(1).coefficients.values()
        if any(value != 1 for value in single):
            raise ValueError(
                f"the method is not consistent: its coefficient of the single vertex is {single[0]}, not 1"
            )
        target = FlowSeries.exact(self.order, self.colours)
        if self._stages is None:
            return self._with(solved_for_field, substitution_inverse_bound, target, result=FieldSeries)

        def bound(D: Denominators, a: Denominators) -> list[int]:
            return substitution_inverse_bound(a, D)

        return self._by_stages(stages_solved_for_field, bound, target, FieldSeries)

    def _by_stages(self, operation: Any, bound: Any, operand: Series, result: type[Series]) -> Any:
        """An operation that takes, besides a series, the tableau of this method."""
        A, b = self._stages or Stages([], [])
        s = len(b)
        entries = [entry for row in A for entry in row] + b
        tableau = read_coefficients(entries, np.array([0, 0, len(entries)]))
        own = self.truncate(min(self.order, operand.order)).coefficients

        def with_stages(ring: Ring, tables: TreeTables, array: Array, flat: Array) -> Array:
            return operation(ring, tables, array, flat[: s * s].reshape(s, s), flat[s * s :])

        def own_bound(D: Denominators, _: Denominators) -> list[int]:
            assert isinstance(own, Exact)
            return bound(D, own.least_denominators)

        return operand.truncate(own.order)._with(with_stages, own_bound, numbers=[tableau], result=result)

    def truncate(self, order: int) -> FlowSeries:
        """The series up to a lower order.

        Raises
        ------
        ValueError
            If the order is not between 1 and the order of the series.
        """
        truncated = super().truncate(order)
        truncated._stages = self._stages
        return truncated

    # -- accuracy --------------------------------------------------------------------------------------

    def order_of_accuracy(self) -> int:
        """The highest order p such that a(τ) = 1/γ(τ) for all trees up to order p.

        Returns
        -------
        int
            p; the order of the series if there is no difference up to it, so that the method may be of
            higher order still.

        Notes
        -----
        Floats are taken to agree if they differ by no more than 10⁻¹².

        Examples
        --------
        >>> from bea.schemes import RK4
        >>> from bea.series import bseries
        >>> bseries(RK4(), order=6).order_of_accuracy()
        4
        """
        error = self._error()
        wrong = abs(error.array) > ROUNDING if isinstance(error, Floats) else ~error.vanishes()
        (first, *_) = [*np.flatnonzero(wrong), len(error)]
        return int(np.searchsorted(error.start, first, side="right")) - 2

    def error_constants(self) -> dict[RootedTree, Any]:
        """The error constants a(τ) − 1/γ(τ) of the trees of order p + 1, p being the order of accuracy.

        The local error is h^{p+1} Σ_τ (a(τ) − 1/γ(τ)) F(τ)(y) / σ(τ) + O(h^{p+2}).

        Raises
        ------
        ValueError
            If the series is the exact flow up to its order.

        Examples
        --------
        >>> from bea.schemes import ExplicitMidpoint
        >>> from bea.series import bseries
        >>> {str(tree): e for tree, e in bseries(ExplicitMidpoint()).error_constants().items()}
        {'[•,•]': -1/12, '[[•]]': -1/6}
        """
        p = self.order_of_accuracy()
        if p == self.order:
            raise ValueError(
                f"there is no error up to order {p}, where the series ends: ask for a higher order"
            )
        return FieldSeries.from_coefficients(self._tables, self._error()).terms(p + 1)

    def _error(self) -> Any:
        return self._difference(FlowSeries.exact(self.order, self.colours))
