r"""The B-series of every scheme that is made of values of the field: also of those with momentum.

A scheme is a map (x, m) ↦ (X_h(x, m), M_h(x, m)). Where its memory contracts, it follows x on the slow
manifold m = S_h(x) with S_h(X_h(x, S_h(x))) = M_h(x, S_h(x)); see `bea.modified.slow_manifold`. If the scheme
does nothing but add multiples of x, of its memory and of values of the field, h S_h is the B-series of a
field, and x ↦ X_h(x, S_h(x)) that of a flow. The scheme's own rule is run on such series, once for each
order.

References
----------
.. [1] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer, Sections
       XIV.2 and XV.1: general linear and multistep methods as one-step methods.
.. [2] U. Kirchgraber (1986), Multi-step methods are essentially one-step methods, Numerische Mathematik 48,
       85–90.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy

from bea.schemes.scheme import Scheme
from bea.series.counting import require_order
from bea.series.field_series import FieldSeries
from bea.series.flow_series import FlowSeries
from bea.systems.expressions import read_expression

__all__ = ["slow_series"]

#: A memory whose eigenvalues reach this modulus is taken not to contract.
LARGEST_EIGENVALUE = 1 - 1e-9


def slow_series(scheme: Scheme, order: int = 6) -> FlowSeries:
    r"""The B-series of a step on the slow manifold, where the memory has forgotten its start.

    Parameters
    ----------
    scheme : Scheme
        Gradient descent, Runge–Kutta methods, heavy ball, Nesterov, optimistic gradient, linear multistep
        methods: whatever adds multiples of x, of its memory and of values of the field. Its constants may be
        symbols.
    order : int, optional
        The order after which the series is truncated.

    Returns
    -------
    FlowSeries
        Where a step takes more than one step size of time, h is the step size and not that time.

    Raises
    ------
    TypeError
        If the scheme does something else, such as dividing by components, as Adam does.
    ValueError
        If the order is no positive integer, the memory does not contract, or the scheme is for a system that
        is made of parts.

    References
    ----------
    .. [1] A. Ghosh, H. Lyu, X. Zhang and R. Wang (2023), Implicit regularization in heavy-ball momentum
           accelerated stochastic gradient descent, International Conference on Learning Representations, for
           the terms of orders 1 and 2 of the heavy ball.

    Examples
    --------
    The heavy ball follows f/(1−β) − h(1+β)/(2(1−β)³) f'f + ⋯ :

    >>> import bea
    >>> from bea.series.momentum import slow_series
    >>> modified = slow_series(bea.HeavyBall(beta="1/2"), order=3).log()
    >>> {str(tree): b for tree, b in modified.items()}
    {'∅': 0, '•': 2, '[•]': -6, '[•,•]': 100/3, '[[•]]': 104/3}
    """
    if not isinstance(scheme, Scheme):
        given = f"the class {scheme.__name__}" if isinstance(scheme, type) else repr(scheme)
        raise TypeError(f"the scheme must be an instance, such as bea.HeavyBall('9/10'), not {given}")
    require_order(order)
    scheme.require(0)
    if scheme.scalars:
        raise TypeError(f"{scheme.name} remembers numbers, not only values of the field: it has no B-series")
    memory = [FieldSeries.original(order) * 0 for _ in range(scheme.vectors)]
    response = _response(scheme, order) if memory else sympy.Matrix()
    for n in range(1, order + 1) if memory else ():
        flow, after = _update(scheme, memory, order)
        rest = [(m - flow @ s).terms(n) for m, s in zip(after, memory, strict=True)]
        for i, s in enumerate(memory):
            new = {
                tree: sympy.cancel(sum(response[i, j] * part[tree] for j, part in enumerate(rest)))
                for tree in rest[i]
            }
            memory[i] = s + FieldSeries(new, order)
    return _update(scheme, memory, order)[0]


def _update(
    scheme: Scheme, memory: Sequence[FieldSeries], order: int
) -> tuple[FlowSeries, list[FieldSeries]]:
    """The scheme's step from x and the memory, given and returned as the fields h m."""
    arithmetic = _Arithmetic(order)
    (x,), after = scheme.update(
        _evaluate, [_Element.point(order)], [[_Element(0, m, -1)] for m in memory],
        _Element.step_size(order), arithmetic,
    )  # fmt: skip
    if _degree(x) not in (0, None) or x.empty != 1:
        raise ValueError(f"one step of {scheme.name} with step size 0 must leave x where it is")
    ends = [m for (m,) in after]
    if any(_degree(m) not in (-1, None) or m.empty != 0 for m in ends):
        raise TypeError(f"what {scheme.name} remembers is not of the kind of the field")
    return x.as_flow(), [m.field for m in ends]


def _response(scheme: Scheme, order: int) -> sympy.Matrix:
    """(I − B)⁻¹, B the matrix by which the memory contracts, seen from memories that are single values."""
    n = scheme.vectors
    zero, vertex = FieldSeries.original(1) * 0, FieldSeries.original(1)
    (tree,) = vertex.terms(1)
    still = [m[tree] for m in _update(scheme, [zero] * n, 1)[1]]
    columns = []
    for j in range(n):
        after = _update(scheme, [vertex if i == j else zero for i in range(n)], 1)[1]
        columns.append([sympy.cancel(m[tree] - s) for m, s in zip(after, still, strict=True)])
    B = sympy.Matrix(columns).T
    if not B.free_symbols:
        largest = max(np.linalg.eigvals(np.array(B.evalf(30).tolist(), dtype=float)), key=abs)
        if abs(largest) > LARGEST_EIGENVALUE:
            raise ValueError(
                f"the memory of {scheme.name} does not contract: a step multiplies it by a matrix with the "
                f"eigenvalue {largest:.6g}"
            )
    elif sympy.expand((sympy.eye(n) - B).det()) == 0:
        raise ValueError(f"the memory of {scheme.name} does not contract: B has the eigenvalue 1")
    return (sympy.eye(n) - B).inv().applyfunc(sympy.cancel)


# -- the arithmetic of the rule ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Element:
    """h^degree (c x + Σ_τ h^{|τ|}/σ(τ) a(τ) F(τ)(x)), or, with no series, the number c h^degree.

    Attributes
    ----------
    empty : sympy.Expr
        c.
    field : FieldSeries or None
        The sum over the trees.
    degree : int
    """

    empty: sympy.Expr
    field: Any
    degree: int = 0

    @classmethod
    def point(cls, order: int) -> _Element:
        """x itself."""
        return cls(sympy.S.One, FieldSeries.original(order) * 0)

    @classmethod
    def step_size(cls, order: int) -> _Element:
        """The number h."""
        return cls(sympy.S.One, None, 1)

    def as_flow(self) -> FlowSeries:
        """The series as that of a map; its coefficient c is 1."""
        return FlowSeries.from_coefficients(self.field.tables, self.field.coefficients)

    def __add__(self, other: object) -> _Element:
        other = _element(other)
        if (self.field is None) != (other.field is None):
            vector, number = (other, self) if self.field is None else (self, other)
            if number.empty != 0:
                raise TypeError(NOT_LINEAR)
            return vector
        degree = _common_degree(self, other)
        field = None if self.field is None else self.field + other.field
        return _Element(sympy.cancel(self.empty + other.empty), field, degree)

    def __mul__(self, other: object) -> _Element:
        number, vector = _element(other), self
        if number.field is not None:
            number, vector = vector, number
        if number.field is not None:
            raise TypeError(NOT_LINEAR)
        field = None if vector.field is None else vector.field * number.empty
        return _Element(sympy.cancel(number.empty * vector.empty), field, number.degree + vector.degree)

    def __neg__(self) -> _Element:
        return self * -1

    def __sub__(self, other: object) -> _Element:
        return self + -_element(other)

    def __rsub__(self, other: object) -> _Element:
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__


#: Why a scheme has no B-series.
NOT_LINEAR = (
    "a scheme has a B-series if it adds multiples of x, of its memory and of values of the field alone"
)


def _element(value: object) -> _Element:
    return value if isinstance(value, _Element) else _Element(read_expression(value), None)


def _degree(u: _Element) -> int | None:
    """The power of h before an element; None for 0, which fits every power."""
    vanishes = u.empty == 0 and (u.field is None or bool(u.field.coefficients.vanishes().all()))
    return None if vanishes else u.degree


def _common_degree(u: _Element, v: _Element) -> int:
    degrees = {degree for degree in (_degree(u), _degree(v)) if degree is not None}
    if len(degrees) > 1:
        raise TypeError(NOT_LINEAR)
    return degrees.pop() if degrees else u.degree


class _Field:
    """The field f on series: f after a map, which is a value without h."""

    parts: tuple[Any, ...] = ()

    def __call__(self, point: Sequence[Any]) -> list[_Element]:
        (x,) = point
        if x.field is None or _degree(x) != 0 or x.empty != 1:
            raise TypeError(NOT_LINEAR)
        return [_Element(sympy.S.Zero, x.as_flow() @ FieldSeries.original(x.field.order), -1)]

    def flow(self, point: Sequence[Any], t: Any) -> list[_Element]:
        """The exact flow over the time t, a multiple of h."""
        (x,), time = point, _element(t)
        if x.field is None or _degree(x) != 0 or x.empty != 1 or time.degree != 1:
            raise TypeError(NOT_LINEAR)
        end = x.as_flow() @ FlowSeries.exact(x.field.order).scale(time.empty)
        return [_Element(sympy.S.One, FieldSeries.from_coefficients(end.tables, end.coefficients))]


_evaluate = _Field()


class _Arithmetic:
    """What a scheme needs besides + and ×; stages are found by as many iterations as there are orders."""

    def __init__(self, order: int) -> None:
        self.order = order

    def number(self, constant: sympy.Expr) -> _Element:
        return _Element(read_expression(constant), None)

    def power(self, base: Any, exponent: sympy.Rational) -> _Element:
        base = _element(base)
        if base.field is not None or not (base.degree * exponent).is_Integer:
            raise TypeError(NOT_LINEAR)
        return _Element(base.empty**exponent, None, int(base.degree * exponent))

    def fixed_point(self, function: Callable[[Any], Any], start: Any) -> Any:
        for _ in range(self.order + 1):
            start = function(start)
        return start
