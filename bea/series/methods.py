"""Runge–Kutta, partitioned, additive and Rosenbrock methods as B-series."""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm
from typing import Any

import numpy as np
import sympy

from bea.schemes import RungeKutta
from bea.schemes.reading import Column, Table, read_column, read_square_matrix
from bea.schemes.scheme import Scheme
from bea.series.coefficients import Coefficients
from bea.series.counting import require_order
from bea.series.exact import lift
from bea.series.flow_series import FlowSeries, Stages
from bea.series.momentum import slow_series
from bea.series.number_fields import number_field
from bea.series.rings import Array, Ring
from bea.series.symbolic import Localization, Symbolic
from bea.series.tables import TreeTables, tree_tables
from bea.systems.expressions import read_expression

__all__ = ["bseries", "continuous_stage", "pseries", "rosenbrock"]

#: The variables of continuous stages.
TAU, SIGMA = sympy.symbols("tau sigma")


def bseries(scheme: Scheme, order: int = 6) -> FlowSeries:
    r"""The B-series of a step: of a Runge–Kutta method its elementary weights a(τ) = Σ_i b_i Φ_i(τ) [1]_.

    Of a scheme that remembers values of the field it is the series of the step on the slow manifold, which
    the scheme follows once it has forgotten how it began.

    Parameters
    ----------
    scheme : Scheme
        A Runge–Kutta method, as which gradient descent counts, or any scheme that adds multiples of x, of
        its memory and of values of the field: heavy ball, Nesterov, multistep methods. Its constants may be
        symbols.
    order : int, optional
        The order after which the series is truncated.

    Returns
    -------
    FlowSeries
        With exact coefficients, stored without the 1/σ(τ).

    Raises
    ------
    TypeError
        If the scheme does something else, such as dividing by components, as Adam does.
    ValueError
        If the order is no positive integer, there are too many trees, or the memory does not contract.

    See Also
    --------
    bea.series.momentum.slow_series : the series on the slow manifold, in detail.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Section III.1.2.

    Examples
    --------
    >>> from bea.schemes import RK4
    >>> from bea.series import RootedTree, bseries
    >>> s = bseries(RK4(), order=5)
    >>> s[RootedTree([1, 2, 3, 4])], s[RootedTree([1, 2, 2, 2, 2])]
    (1/24, 5/24)

    Heavy ball follows f/(1−β) − h(1+β)/(2(1−β)³) f'f + ⋯ :

    >>> from bea.schemes import HeavyBall
    >>> modified = bseries(HeavyBall(), order=2).log()
    >>> modified[RootedTree([1, 2])].factor()
    (beta + 1)/(2*(beta - 1)**3)
    """
    if isinstance(scheme, Scheme) and not isinstance(scheme, RungeKutta):
        return slow_series(scheme, order)
    method = _runge_kutta(scheme)
    require_order(order)
    return _remembering(method.A.tolist(), list(method.b), order)


def pseries(schemes: Sequence[Scheme], order: int = 6) -> FlowSeries:
    r"""The P-series of a partitioned or additive Runge–Kutta method, on coloured trees [1]_, [2]_.

    For ẏ = f(y, z), ż = g(y, z), … one method treats each group of variables; for ẏ = f(y) + g(y) + ⋯ one
    treats each term. In both cases vertices of colour ν stand for the ν-th part of the field, and the weight
    of a vertex uses the coefficients of the method of its own colour. In a P-series only trees with a root
    of colour ν act on the ν-th group of variables; in the series of an additive method all act on y.

    Parameters
    ----------
    schemes : sequence of RungeKutta
        The methods for colours 0, 1, …, all with the same number of stages.
    order : int, optional
        The order after which the series is truncated.

    Returns
    -------
    FlowSeries
        With exact coefficients, stored without the 1/σ(τ).

    Raises
    ------
    TypeError
        If one of the schemes is no Runge–Kutta method.
    ValueError
        If there is no scheme, their numbers of stages differ, or the order does not fit.

    References
    ----------
    .. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
           Section III.2.
    .. [2] A. L. Araújo, A. Murua and J. M. Sanz-Serna (1997), Symplectic methods based on decompositions,
           SIAM Journal on Numerical Analysis 34, 1926–1947.

    Examples
    --------
    The symplectic Euler method is implicit in y and explicit in z.

    >>> from bea.schemes import ExplicitEuler, ImplicitEuler
    >>> from bea.series import RootedTree, pseries
    >>> s = pseries([ImplicitEuler(), ExplicitEuler()], order=4)
    >>> s[RootedTree([1, 2], colours=[1, 0])], s[RootedTree([1, 2], colours=[0, 1])]
    (1, 0)
    """
    methods = [_runge_kutta(scheme) for scheme in schemes]
    if not methods:
        raise ValueError("a P-series needs at least one Runge–Kutta method")
    if len({method.stages for method in methods}) > 1:
        stages = [method.stages for method in methods]
        raise ValueError(f"the methods of a P-series must have one number of stages, not {stages}")
    require_order(order)
    A, b = [method.A.tolist() for method in methods], [list(method.b) for method in methods]
    return _stage_series(A, A, b, order)


def rosenbrock(alpha: Table, gamma: Table, b: Column, order: int = 6) -> FlowSeries:
    r"""The B-series of a Rosenbrock method [1]_.

    One step is x + Σ_i b_i k_i with k_i = h f(x + Σ_j α_ij k_j) + h f'(x) Σ_j γ_ij k_j.

    Parameters
    ----------
    alpha, gamma : nested sequence or matrix, shape (s, s)
    b : sequence, length s
        Entries as in the tableau of a `RungeKutta` method.
    order : int, optional
        The order after which the series is truncated.

    Returns
    -------
    FlowSeries
        With exact coefficients, stored without the 1/σ(τ).

    Raises
    ------
    ValueError
        If the shapes do not fit, or the order is no positive integer.
    TypeError
        If an entry is neither a number nor text nor a SymPy expression.

    References
    ----------
    .. [1] E. Hairer and G. Wanner (1996), Solving Ordinary Differential Equations II, 2nd ed., Springer,
           Section IV.7.

    Examples
    --------
    The linearly implicit Euler method, (I − h f'(x)) k = h f(x), x + k.

    >>> from bea.series import RootedTree, rosenbrock
    >>> s = rosenbrock([[0]], [[1]], [1])
    >>> s[RootedTree([1, 2, 3])], s[RootedTree([1, 2, 2])]
    (1, 0)
    """
    outer = read_square_matrix(alpha)
    inner = read_square_matrix(gamma)
    if outer.shape != inner.shape:
        raise ValueError(
            f"alpha and gamma must have one shape, but those are {outer.shape} and {inner.shape}"
        )
    weights = read_column(b, "b", outer.rows)
    require_order(order)
    return _stage_series([outer.tolist()], [(outer + inner).tolist()], [list(weights)], order)


def continuous_stage(A: object, b: object = 1, order: int = 6) -> FlowSeries:
    r"""The B-series of a continuous-stage Runge–Kutta method with polynomial coefficients [1]_.

    One step is y + h ∫₀¹ b(τ) f(Y_τ) dτ with stages Y_τ = y + h ∫₀¹ A(τ, σ) f(Y_σ) dσ.

    Parameters
    ----------
    A : number, str or sympy.Expr
        A polynomial in the symbols ``tau`` and ``sigma``; other symbols are parameters.
    b : number, str or sympy.Expr, optional
        A polynomial in ``tau``.
    order : int, optional
        The order after which the series is truncated.

    Returns
    -------
    FlowSeries
        With exact coefficients, stored without the 1/σ(τ).

    Raises
    ------
    ValueError
        If a coefficient is no polynomial, or the order is no positive integer.
    TypeError
        If a coefficient is neither a number nor text nor a SymPy expression.

    Notes
    -----
    At each tree only polynomials of bounded degree are integrated. A quadrature formula with as many nodes
    is exact for them, so up to the order wanted the method has the weights of a Runge–Kutta method.

    References
    ----------
    .. [1] E. Hairer (2010), Energy-preserving variant of collocation methods, Journal of Numerical Analysis,
           Industrial and Applied Mathematics 5, 73–84.

    Examples
    --------
    The average vector field method has A(τ, σ) = τ.

    >>> from bea.series import FlowSeries, continuous_stage
    >>> continuous_stage("tau", order=5) == FlowSeries.average_vector_field(order=5)
    True
    """
    require_order(order)
    inner, outer = (_polynomial(source, name) for source, name in ((A, "A"), (b, "b")))
    if outer.degree(SIGMA) > 0:
        raise ValueError(f"b must be a polynomial in tau alone, but it is {outer.as_expr()}")
    slope = max(inner.degree(TAU), 0)
    degree = max(inner.degree(SIGMA) + slope * max(order - 2, 0), outer.degree(TAU) + slope * (order - 1), 0)
    nodes, weights = _quadrature(degree)
    table = [[inner.eval({TAU: t, SIGMA: s}) * w for s, w in zip(nodes, weights, strict=True)] for t in nodes]
    column = [outer.eval({TAU: t, SIGMA: 0}) * w for t, w in zip(nodes, weights, strict=True)]
    return _remembering(table, column, order)


def _polynomial(source: object, name: str) -> sympy.Poly:
    expression = read_expression(source)
    if not expression.is_polynomial(TAU, SIGMA):
        raise ValueError(f"{name} must be a polynomial in tau and sigma, but it is {expression}")
    return sympy.Poly(expression, TAU, SIGMA)


def _quadrature(degree: int) -> tuple[list[sympy.Rational], list[sympy.Rational]]:
    """Nodes and weights on [0, 1] that integrate polynomials up to that degree exactly."""
    nodes = [sympy.Rational(i, max(degree, 1)) for i in range(degree + 1)]
    powers = sympy.Matrix([[node**k for node in nodes] for k in range(degree + 1)])
    moments = sympy.Matrix([sympy.Rational(1, k + 1) for k in range(degree + 1)])
    return nodes, list(powers.LUsolve(moments))


def _runge_kutta(scheme: object) -> RungeKutta:
    if isinstance(scheme, type) and issubclass(scheme, Scheme):
        raise TypeError(f"the scheme must be an instance: write {scheme.__name__}() with its parentheses")
    if not isinstance(scheme, RungeKutta):
        name = getattr(scheme, "name", "") or type(scheme).__name__
        raise TypeError(
            f"a B-series is known for Runge–Kutta methods (bea.schemes.RungeKutta), not for {name}"
        )
    return scheme


def _remembering(A: list[Any], b: list[Any], order: int) -> FlowSeries:
    """The weights of a Runge–Kutta method in a series that remembers its stages."""
    tables = [A]
    series = _stage_series(tables, tables, [b], order)
    series._stages = Stages(A, b)
    return series


def _stage_series(A: list[Any], B: list[Any], b: list[Any], order: int) -> FlowSeries:
    """The weights of a method with stages; A, B and b by colour, as in `series_kernels.stage_weights`."""
    colours = len(A)
    tables = tree_tables(order, colours)
    start = tables.start[: order + 2]
    inside = [entry for table in [*A, *B] for row in table for entry in row]
    outside = [entry for column in b for entry in column]

    def operation(ring: Ring) -> Array:
        inner = ring.constants(A)
        outer = inner if B is A else ring.constants(B)
        return ring.stage_weights(_parts(tables, start), int(start[order]), inner, outer, ring.constants(b))

    coefficients: Coefficients
    field = number_field([*inside, *outside])
    if field is None:
        localization = Localization([*inside, *outside])
        coefficients = Symbolic(start, localization, operation(localization))
    else:
        p, q = (
            lcm(*(c.denominator for e in set(es) for c in field.coordinates(e))) for es in (inside, outside)
        )
        coefficients = lift(
            operation, field, start, [1] + [q * p ** (n - 1) for n in range(1, order + 1)], [p, q]
        )
    return FlowSeries.from_coefficients(tables, coefficients)


def _parts(tables: TreeTables, start: np.ndarray) -> tuple[Array, Array, Array]:
    """The rest, the largest child and the colour of the root of each tree."""
    trees = int(start[-1])
    return tables.rest[:trees], tables.child[:trees], tables.root_colours[:trees]
