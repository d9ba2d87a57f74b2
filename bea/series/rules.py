"""Coefficients by a rule: the simplest series, the exact flow, the average vector field, any other rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial, lcm
from typing import Any

import numpy as np
import sympy

from bea.series.coefficients import Coefficients, read_coefficients, read_number
from bea.series.exact import lift
from bea.series.group import orders_of
from bea.series.number_fields import RATIONALS
from bea.series.rings import Array, Ring
from bea.series.tables import TreeTables
from bea.series.trees import RootedTree

__all__ = ["average_vector_field", "exact_flow", "from_rule", "vertices_only"]


def vertices_only(tables: TreeTables, order: int, value: int) -> Coefficients:
    """An integer at single vertices, and 0 at all larger trees."""
    start = tables.start[: order + 2]

    def operation(ring: Ring) -> Array:
        a = ring.zeros(int(start[-1]))
        a[: tables.colours] = ring.constants([value])
        return a

    return lift(operation, RATIONALS, start, [1] * (order + 1))


def exact_flow(tables: TreeTables, order: int) -> Coefficients:
    """1/γ(τ), by 1/γ(r ∘ c) = (|r| / |r ∘ c|) / (γ(r) γ(c))."""

    def factors(n: int, rest: Array) -> tuple[Array, list[sympy.Rational]]:
        return tables.order_of[rest], [sympy.Rational(k, n) for k in range(n)]

    bound = [factorial(n) for n in range(order + 1)]
    return _multiplicative(tables, order, factors, bound)


def average_vector_field(tables: TreeTables, order: int) -> Coefficients:
    """a([τ₁, …, τ_m]) = a(τ₁) ⋯ a(τ_m) / (m + 1)."""
    children = np.zeros(int(tables.start[order + 1]), dtype=np.int64)
    for n in range(2, order + 1):
        trees = tables.slice(n)
        children[trees] = children[tables.rest[trees]] + 1

    def factors(n: int, rest: Array) -> tuple[Array, list[sympy.Rational]]:
        return children[rest], [sympy.Rational(m + 1, m + 2) for m in range(n)]

    # The denominators m + 1 of all vertices, whose numbers of children m add up to n − 1.
    bound = [1, 1]
    for n in range(2, order + 1):
        bound.append(lcm(*((m + 1) * bound[n - m] for m in range(1, n))))
    return _multiplicative(tables, order, factors, bound)


def _multiplicative(
    tables: TreeTables,
    order: int,
    factors: Callable[[int, Array], tuple[Array, list[sympy.Rational]]],
    bound: Sequence[int],
) -> Coefficients:
    """a(r ∘ c) = a(r) a(c) × a factor; `factors` tells for an order n and all r which one of a list it is."""
    start = tables.start[: order + 2]

    def operation(ring: Ring) -> Array:
        a = ring.zeros(int(start[-1]))
        a[: tables.colours] = ring.constants([1])
        for n, trees in orders_of(tables, len(a)):
            if n > 1:
                rest, child = tables.rest[trees], tables.child[trees]
                which, values = factors(n, rest)
                a[trees] = ring.multiply(ring.multiply(a[rest], a[child]), ring.constants(values)[which])
        return a

    return lift(operation, RATIONALS, start, bound)


def from_rule(tables: TreeTables, order: int, rule: Callable[[RootedTree, list[Any]], Any]) -> Coefficients:
    """Coefficients by the user's rule, called once for each tree."""
    numbers: list[Any] = []
    for n in range(1, order + 1):
        for i, tree in zip(tables.numbers(n), tables.trees(n), strict=True):
            children = []
            while (c := int(tables.child[i])) >= 0:
                children.append(numbers[c])
                i = int(tables.rest[i])
            numbers.append(read_number(rule(tree, children), f"the coefficient of {tree}"))
    return read_coefficients(numbers, tables.start[: order + 2])
