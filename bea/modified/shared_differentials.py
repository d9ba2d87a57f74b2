r"""Elementary differentials as expressions that share their parts, for fields too large to multiply out.

Every vector F(τ) = f^{(m)}(F(τ₁), …, F(τ_m)) is the mixed derivative of f along the frozen vectors F(τ_i).
It is found part by part: for a part e(u₁, …, u_n) of f, such as a product or a function, and vectors s, T,

    D(e; s, T) = Σ_i Σ_{A ⊆ T} D(∂e/∂u_i; A) · D(u_i; s, T∖A),   D(x_j; s) = s_j,   D(x_j; s, t, …) = 0.

This is Taylor-mode differentiation of formulas. The result of every part is one object, wherever it occurs,
and no product of sums is multiplied out: the work for one tree grows with the size of f, not with its
dimension.

References
----------
.. [1] A. Griewank and A. Walther (2008), Evaluating Derivatives, 2nd ed., SIAM, Chapter 13.
.. [2] E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer,
       Section III.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import sympy
from sympy.core.function import AppliedUndef

from bea.modified.equation import ModifiedEquation
from bea.modified.modified_loss import ModifiedLoss
from bea.modified.sympy_ring import SympyRing
from bea.modified.workspace import check_names
from bea.series.trees import RootedTree
from bea.systems.expressions import require_smooth
from bea.systems.loss import Loss
from bea.systems.system import as_field
from bea.systems.traversal import READABLE, free_symbols, replace_symbols, written_size
from bea.systems.vector_field import VectorField

__all__ = ["SharedDifferentials", "SharedEquation", "shared_equation"]

#: Frozen vectors, each by its number, in increasing order.
Directions = tuple[int, ...]


class SharedDifferentials:
    """The elementary differentials of one field, as vectors of expressions that share their parts.

    Parameters
    ----------
    variables : sequence of sympy.Symbol, length d
    components : sequence of sympy.Expr, length d
        The field f.

    Examples
    --------
    >>> from sympy.abc import p, q
    >>> differentials = SharedDifferentials([q, p], [p, -sympy.sin(q)])
    >>> differentials(RootedTree([1, 2, 2]))
    [0, p**2*sin(q)]
    """

    def __init__(self, variables: Sequence[sympy.Symbol], components: Sequence[sympy.Expr]) -> None:
        self._places = {x: j for j, x in enumerate(variables)}
        self._components = list(components)
        self._vectors: list[list[sympy.Expr]] = []
        self._numbers: dict[RootedTree, int] = {}
        self._derivatives: dict[tuple[sympy.Expr, Directions], sympy.Expr] = {}
        self._chains: dict[sympy.Expr, list[tuple[sympy.Expr, sympy.Expr]]] = {}

    def __call__(self, tree: RootedTree) -> list[sympy.Expr]:
        """F(τ), for a tree that is not empty and has one colour."""
        return self._vectors[self._number(tree)]

    def _number(self, tree: RootedTree) -> int:
        if tree not in self._numbers:
            directions = tuple(sorted(self._number(child) for child in tree.children))
            self._vectors.append([self._derivative(c, directions) for c in self._components])
            self._numbers[tree] = len(self._vectors) - 1
        return self._numbers[tree]

    def _derivative(self, part: sympy.Expr, directions: Directions) -> sympy.Expr:
        """D(e; s, T)."""
        if not directions:
            return part
        if part in self._places:
            first, *more = directions
            return sympy.S.Zero if more else self._vectors[first][self._places[part]]
        if (part, directions) not in self._derivatives:
            self._derivatives[part, directions] = sympy.Add(*self._terms(part, directions))
        return self._derivatives[part, directions]

    def _terms(self, part: sympy.Expr, directions: Directions) -> Iterator[sympy.Expr]:
        """The summands of the chain rule; equal choices of A are one summand."""
        *others, last = directions
        for outer, inner in self._chain_rule(part):
            for (chosen, rest), times in _choices(others).items():
                speed = self._derivative(inner, (*rest, last))
                if speed != 0:
                    yield sympy.Mul(times, self._derivative(outer, chosen), speed)

    def _chain_rule(self, part: sympy.Expr) -> list[tuple[sympy.Expr, sympy.Expr]]:
        """`_chain_rule`, once for each part."""
        if part not in self._chains:
            self._chains[part] = list(_chain_rule(part, self._places.keys()))
        return self._chains[part]


def _choices(directions: Sequence[int]) -> Counter[tuple[Directions, Directions]]:
    """All ways to part the vectors into A and the rest, and how often each occurs."""
    places = range(len(directions))
    return Counter(
        (
            tuple(directions[i] for i in chosen),
            tuple(directions[i] for i in places if i not in chosen),
        )
        for size in range(len(directions) + 1)
        for chosen in combinations(places, size)
    )


def _chain_rule(
    part: sympy.Expr, variables: Collection[sympy.Symbol]
) -> Iterator[tuple[sympy.Expr, sympy.Expr]]:
    """The pairs (∂e/∂u, u) over the arguments u of e; a product is one of two factors."""
    if part.is_Add:
        yield from ((sympy.S.One, u) for u in part.args)
    elif part.is_Mul:
        first, others = part.as_two_terms()
        yield from ((first, others), (others, first))
    elif isinstance(part, sympy.Pow | sympy.Function) and not isinstance(part, AppliedUndef):
        for i, u in enumerate(part.args):
            if not free_symbols([u]).isdisjoint(variables):
                yield _slope(part, i), u
    else:
        yield from ((part.diff(x), x) for x in variables if x in part.free_symbols)


def _slope(part: sympy.Expr, i: int) -> sympy.Expr:
    """The derivative of a function or power by its argument i, as a function of the same arguments."""
    place = sympy.Dummy()
    arguments = [*part.args[:i], place, *part.args[i + 1 :]]
    (slope,) = replace_symbols([part.func(*arguments).diff(place)], {place: part.args[i]})
    return slope


class SharedEquation(ModifiedEquation):
    """A modified equation whose terms share their parts; normal forms are derived when asked for."""

    def decompose(self, origin: Sequence[object] | None = None) -> ModifiedLoss:
        """The modified loss, of the terms multiplied out (see `ModifiedLoss`)."""
        return self._derive(self.system, self.scheme, self.order).decompose(origin)

    def latex(self, order: int | None = None) -> str:
        r"""LaTeX of the equation, with dots for right-hand sides that are too long to be read."""
        order = self._checked(order)
        if sum(written_size(term) for term in self.terms[: order + 1]) <= READABLE:
            return super().latex(order)
        rows = [rf"\dot{{{sympy.latex(x)}}} &= \cdots + O(h^{{{order + 1}}})" for x in self.system.variables]
        return "\\begin{aligned}" + r" \\ ".join(rows) + "\\end{aligned}"


def shared_equation(
    derive: Callable[..., ModifiedEquation],
    system: VectorField | Loss,
    series: Any,
    weights: Sequence[Mapping[RootedTree, sympy.Expr]],
) -> SharedEquation:
    """The field Σ_n h^{n−1} Σ_τ w(τ) F(τ), where ``weights[n - 1]`` holds w for the trees of order n.

    Raises
    ------
    TypeError, ValueError
        If the system is of another kind or not smooth, or the names of symbols clash.
    """
    sources = [system.expression] if isinstance(system, Loss) else as_field(system).components
    check_names(system.variables, sources, [w for terms in weights for w in terms.values()])
    require_smooth(sources, "the system of a modified equation")
    field = as_field(system)
    differentials = SharedDifferentials(field.variables, field.components)
    elements = [
        [
            sympy.Add(*(w * component for w, component in zip(terms.values(), row, strict=True)))
            for row in zip(*map(differentials, terms), strict=True)
        ]
        or [sympy.S.Zero] * field.dimension
        for terms in weights
    ]
    return SharedEquation(derive, system, series, SympyRing(field.variables, []), elements)
