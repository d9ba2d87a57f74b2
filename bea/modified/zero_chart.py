"""A zero-loss set as a graph: some variables as functions of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy

from bea.systems.traversal import free_symbols, written_size
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["Chart", "is_zero", "zero_chart"]

#: Larger expressions than this are not worked on: they are left to numbers.
LARGEST = 4000

#: Of how many variables it is tried, at each residual, to solve for them, if the residuals are few.
BRANCHES, FEW = 3, 4

#: Digits to which an expression is evaluated that no algebra shows to be zero, and what counts as zero then.
DIGITS, NOTHING = 60, sympy.Float("1e-40")


@dataclass(frozen=True)
class Chart:
    """Variables of a zero-loss set as functions of the `free` ones.

    Attributes
    ----------
    solved : mapping from sympy.Symbol to sympy.Expr
    free : tuple of sympy.Symbol
    is_dense : bool
        Whether it is certain that the graph is dense in the regular part of the zero-loss set.
    """

    solved: Mapping[sympy.Symbol, sympy.Expr]
    free: tuple[sympy.Symbol, ...]
    is_dense: bool

    def on_graph(self, expression: sympy.Expr) -> sympy.Expr:
        """The expression as a function of the free variables."""
        return expression.xreplace(dict(self.solved))


def zero_chart(zeros: ZeroLossSet) -> Chart | None:
    """A chart of the zero-loss set, where residuals can be solved one after the other for a variable each.

    Examples
    --------
    >>> import bea
    >>> zero_chart(bea.ZeroLossSet(["a*b - 1", "c + a"], variables="a b c")).solved
    {a: -c, b: -1/c}
    >>> zero_chart(bea.ZeroLossSet(["x**2 + y**2 - 1"], variables="x y")) is None
    True

    Notes
    -----
    A polynomial p v + q, with coprime p and q without v, is irreducible, so that the graph v = −q/p is dense
    in its regular zeros. If further residuals follow this is certain only where p is a number.
    """
    values = {s: zeros.parameters[s.name] for s in zeros.parameter_symbols if s.name in zeros.parameters}
    equations = [_numerator(residual.xreplace(values)) for residual in zeros.residuals]
    branches = BRANCHES if len(equations) <= FEW else 1
    found = next(_graphs(equations, {}, zeros.variables, branches), None)
    if found is None or len(found[0]) != zeros.codimension:
        return None
    solved, is_dense = found
    return Chart(solved, tuple(v for v in zeros.variables if v not in solved), is_dense)


def _graphs(
    equations: list[sympy.Expr],
    solved: dict[sympy.Symbol, sympy.Expr],
    variables: Sequence[sympy.Symbol],
    branches: int,
    is_dense: bool = True,
) -> Iterator[tuple[dict[sympy.Symbol, sympy.Expr], bool]]:
    """Ways to solve the equations one after the other, each for a variable in which it is linear.

    With each goes whether its graph is known to be dense in the regular zeros.
    """
    waiting = [equation for equation in equations if equation != 0]
    if not waiting:
        yield solved, is_dense
        return
    if written_size(waiting) > LARGEST:
        return
    pivots = [pivot for i, equation in enumerate(waiting) for pivot in _pivots(equation, variables, i)]
    for _, i, v, p, q in sorted(pivots, key=lambda pivot: pivot[0])[:branches]:
        value = sympy.cancel(-q / p)
        rest = [_numerator(e.xreplace({v: value})) for k, e in enumerate(waiting) if k != i]
        known = {w: sympy.cancel(e.xreplace({v: value})) for w, e in solved.items()} | {v: value}
        last = not any(rest) and waiting[i].is_polynomial(*variables)
        yield from _graphs(rest, known, variables, branches, is_dense and (last or not p.free_symbols))


def _numerator(expression: sympy.Expr) -> sympy.Expr:
    return sympy.expand(sympy.fraction(sympy.cancel(sympy.together(expression)))[0])


def _pivots(equation: sympy.Expr, variables: Sequence[sympy.Symbol], i: int) -> list[tuple]:
    """The ways to write the equation as p v + q = 0 with coprime p and q, each with its cost."""
    found = []
    for v in variables:
        p, rest = equation.diff(v), equation.xreplace({v: sympy.S.Zero})
        if p == 0 or v in p.free_symbols:
            continue
        if not _coprime(p, rest, variables):
            continue
        found.append(((len(p.free_symbols), written_size([p, rest])), i, v, p, rest))
    return found


def _coprime(p: sympy.Expr, q: sympy.Expr, variables: Sequence[sympy.Symbol]) -> bool:
    """Whether p and q have no common factor that depends on the variables."""
    if not p.free_symbols or (p.is_Symbol and q.xreplace({p: sympy.S.Zero}) != 0):
        return True
    return not sympy.gcd(p, q).free_symbols & set(variables)


def is_zero(expression: sympy.Expr) -> bool | None:
    """Whether an expression is zero for all values of its symbols; None where that cannot be decided.

    A value other than zero, exact or to 60 digits, decides against it, and algebra for it.

    Examples
    --------
    >>> from sympy.abc import x, y
    >>> is_zero((x + y)**2 - x**2 - y**2 - 2*x*y), is_zero(x*y - x)
    (True, False)
    """
    if expression == 0:
        return True
    symbols = sorted(free_symbols([expression]), key=lambda s: s.name)
    for k in range(3):
        place = {s: sympy.Rational(7 + 3 * i + 5 * k * i, 11 + 2 * k) for i, s in enumerate(symbols)}
        value = expression.xreplace(place)
        number = value if value.is_Rational else value.evalf(DIGITS)
        if number.is_number and number.is_finite and abs(number) > NOTHING:
            return False
    if written_size([expression]) > LARGEST:
        return None
    reduced = sympy.cancel(sympy.together(expression))
    return True if reduced == 0 or sympy.simplify(reduced) == 0 else None
