"""Vector fields as B-series: the modified equations of methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bea.series.denominators import Denominators, exponential_bound, lie_bound, substitution_bound
from bea.series.group import exponential, lie_derivative
from bea.series.rings import Array, Ring
from bea.series.rules import vertices_only
from bea.series.series import Series, as_number, subtraction, sum_bound
from bea.series.structure import holds, holds_through
from bea.series.substitution import substitution
from bea.series.tables import TreeTables, tree_tables

if TYPE_CHECKING:
    from bea.series.flow_series import FlowSeries

__all__ = ["FieldSeries", "require_substitutable"]


class FieldSeries(Series):
    r"""A vector field ``h f̃(y) = Σ_τ h^{|τ|}/σ(τ) b(τ) F(τ)(y)``, an immutable mapping from τ to b(τ) [1]_.

    **Coefficients are stored without the 1/σ(τ).** That of the empty tree is 0. Elementary differentials
    F(τ) are those of the field f of the differential equation ẏ = f(y). The series holds all trees up to
    some order.

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
        If the empty tree has another coefficient than 0, a coefficient is not finite, or the order is too
        low.
    TypeError
        If a key is no `RootedTree`, or a coefficient no number.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Section IX.9.1.

    Examples
    --------
    The explicit Euler method follows h f̃ = h f − (h²/2) f'f + ⋯ .

    >>> from bea.schemes import ExplicitEuler
    >>> from bea.series import RootedTree, bseries
    >>> modified = bseries(ExplicitEuler(), order=4).log()
    >>> modified[RootedTree([1, 2])]
    -1/2
    >>> {str(tree): coefficient for tree, coefficient in modified.terms(3).items()}
    {'[•,•]': 1/6, '[[•]]': 1/3}
    >>> modified.exp() == bseries(ExplicitEuler(), order=4)
    True
    """

    empty = 0

    @classmethod
    def original(cls, order: int = 6, colours: int = 1) -> FieldSeries:
        """The field f itself: 1 at every single vertex, 0 at every larger tree."""
        tables = tree_tables(order, colours)
        return cls.from_coefficients(tables, vertices_only(tables, order, 1))

    # -- flows -----------------------------------------------------------------------------------------

    def exp(self) -> FlowSeries:
        """The flow over one step: the method whose modified equation this is.

        See Also
        --------
        FlowSeries.log : The inverse.
        """
        from bea.series.flow_series import FlowSeries

        return self._with(exponential, exponential_bound, result=FlowSeries)

    # -- a Lie algebra ---------------------------------------------------------------------------------

    def lie_derivative(self, other: Series) -> FieldSeries:
        r"""The derivative of a series c along this field b, Σ c(root part) b(branch) over cuts of one edge.

        Parameters
        ----------
        other : FieldSeries or FlowSeries
            c. For fields the result is the series of c'b, a pre-Lie product of b and c.
        """
        if not isinstance(other, Series):
            raise TypeError(f"the Lie derivative of a series is defined, not of {type(other).__name__}")

        def operation(ring: Ring, tables: TreeTables, b: Array, c: Array) -> Array:
            return lie_derivative(ring, tables, b, c, other.empty)

        return self._with(operation, lie_bound, other)

    def bracket(self, other: FieldSeries) -> FieldSeries:
        r"""The Lie bracket [b, c] = c'b − b'c of two vector fields, ∂_b c − ∂_c b on their coefficients.

        Examples
        --------
        >>> from bea.series import FieldSeries, RootedTree
        >>> f = FieldSeries.original(order=3)
        >>> g = FieldSeries({RootedTree([1, 2]): 1}, order=3)
        >>> {str(tree): b for tree, b in f.bracket(g).items() if b}
        {'[•,•]': 2}
        """
        if not isinstance(other, FieldSeries):
            raise TypeError(
                f"the bracket of two FieldSeries is defined, not of one and {type(other).__name__}"
            )

        def operation(ring: Ring, tables: TreeTables, b: Array, c: Array) -> Array:
            return ring.subtract(lie_derivative(ring, tables, b, c, 0), lie_derivative(ring, tables, c, b, 0))

        return self._with(operation, lie_bound, other)

    def substitute(self, field: FieldSeries) -> FieldSeries:
        """This field with another one in the place of f: all elementary differentials are those of `field`.

        The substitution law [1]_ sums over all ways to cut τ into subtrees, so it is dearer than the other
        operations; see `bea.series.substitution`.

        References
        ----------
        .. [1] P. Chartier, E. Hairer and G. Vilmart (2010), Algebraic structures of B-series, Foundations of
               Computational Mathematics 10, 407–427.
        """
        require_substitutable(self, field)
        return field._with(substitution, substitution_bound, self)

    # -- structure -------------------------------------------------------------------------------------

    def is_gradient(self, order: int | None = None) -> bool:
        """Whether the trees up to `order` make a gradient of the field of every gradient system.

        The trees of order n carry the coefficient of h^{n−1} of the modified field.

        Parameters
        ----------
        order : int, optional
            By default that of the series.

        Raises
        ------
        ValueError
            If the series is truncated before that order, or is a P-series.

        See Also
        --------
        bea.series.structure : The conditions, and where they come from.

        Examples
        --------
        >>> from bea.schemes import ExplicitEuler, Gauss
        >>> from bea.series import bseries
        >>> euler, gauss = (bseries(scheme, order=5).log() for scheme in (ExplicitEuler(), Gauss(2)))
        >>> euler.is_gradient(2), euler.is_gradient(3)
        (True, False)
        >>> gauss.is_symplectic(), gauss.is_energy_preserving(4), gauss.is_energy_preserving(5)
        (True, True, False)
        """
        return self._has("gradient", order)

    def is_symplectic(self, order: int | None = None, separable: bool = False) -> bool:
        """Whether the trees up to `order` make every Hamiltonian field Hamiltonian again.

        Parameters
        ----------
        order : int, optional
            By default that of the series.
        separable : bool, optional
            For a P-series, ask for Hamiltonians T(p) + U(q) alone.

        Raises
        ------
        ValueError
            If the series is truncated before that order, or has more than two colours; if a series of one
            colour is asked about separable Hamiltonians.

        Notes
        -----
        A P-series of two colours is that of a partitioned method for ṗ = −∂H/∂q (colour 0) and q̇ = ∂H/∂p
        (colour 1).

        Examples
        --------
        >>> from bea.schemes import ExplicitEuler, ImplicitEuler
        >>> from bea.series import pseries
        >>> pseries([ImplicitEuler(), ExplicitEuler()], order=5).log().is_symplectic()
        True
        >>> pseries([ExplicitEuler(), ExplicitEuler()], order=5).log().is_symplectic()
        False
        """
        return self._has("symplectic", order, separable)

    def is_energy_preserving(self, order: int | None = None) -> bool:
        """Whether the field of the trees up to `order` keeps the energy of every Hamiltonian system."""
        return self._has("energy-preserving", order)

    def is_conjugate_symplectic(self, order: int | None = None) -> bool:
        """Whether a change of variables makes the field symplectic through the trees up to `order`.

        Parameters
        ----------
        order : int, optional
            By default that of the series.

        Raises
        ------
        ValueError
            If the series is truncated before that order, its coefficients are not rational, its trees are
            coloured, or the coefficient of the single vertex is 0.

        See Also
        --------
        bea.series.conjugate_symplectic : The linear systems that decide, and the change of variables.

        Examples
        --------
        >>> from bea.schemes import RK4, Trapezoidal
        >>> from bea.series import bseries
        >>> trapezoidal, rk4 = (bseries(scheme, order=6).log() for scheme in (Trapezoidal(), RK4()))
        >>> trapezoidal.is_symplectic(), trapezoidal.is_conjugate_symplectic()
        (False, True)
        >>> rk4.structure_order("conjugate-symplectic")
        4
        """
        order = self.order if order is None else order
        self._require_within(order)
        return self.truncate(order).structure_order("conjugate-symplectic") == order

    def structure_order(self, structure: str, separable: bool = False) -> int:
        """The highest order up to which the field has a structure.

        Parameters
        ----------
        structure : {"gradient", "symplectic", "energy-preserving", "conjugate-symplectic"}
        separable : bool, optional
            As for `is_symplectic`.
        """
        if structure == "conjugate-symplectic":
            from bea.series.conjugate_symplectic import symplectic_conjugate

            return symplectic_conjugate(self).order
        return holds_through(self, structure, separable)

    def _has(self, structure: str, order: int | None, separable: bool = False) -> bool:
        order = self.order if order is None else order
        self._require_within(order)
        return all(holds(self, structure, n, separable) for n in range(1, order + 1))

    # -- a vector space --------------------------------------------------------------------------------

    def __add__(self, other: FieldSeries) -> FieldSeries:
        if not isinstance(other, FieldSeries):
            return NotImplemented
        return self._with(lambda ring, tables, b, c: ring.add(b, c), sum_bound, other)

    def __sub__(self, other: FieldSeries) -> FieldSeries:
        if not isinstance(other, FieldSeries):
            return NotImplemented
        return self._with(subtraction, sum_bound, other)

    def __mul__(self, factor: object) -> FieldSeries:
        if isinstance(factor, Series):
            return NotImplemented

        def bound(D: Denominators, d: Denominators) -> list[int]:
            return [value * d[1] for value in D]

        number = as_number(factor, "the factor of a FieldSeries")
        return self._with(lambda ring, tables, b, c: ring.multiply(b, c), bound, numbers=[number])

    __rmul__ = __mul__

    def __truediv__(self, divisor: Any) -> FieldSeries:
        if isinstance(divisor, Series):
            return NotImplemented
        (number,) = as_number(divisor, "the divisor of a FieldSeries").values()
        if number == 0:
            raise ZeroDivisionError("a FieldSeries cannot be divided by 0")
        return self * (1 / number)

    def __neg__(self) -> FieldSeries:
        return self * -1


def require_substitutable(series: Series, field: object) -> None:
    """Refuse what cannot take the place of f in a series, and series with several fields f."""
    if not isinstance(field, FieldSeries):
        raise TypeError(f"a FieldSeries takes the place of f, not a {type(field).__name__}")
    if series.colours > 1:
        raise ValueError(
            f"a field takes the place of f in B-series, not in P-series of {series.colours} colours"
        )
