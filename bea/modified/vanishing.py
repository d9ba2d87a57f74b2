"""Whether expressions vanish on a zero-loss set: by algebra where that decides, otherwise by numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import sympy

from bea.modified.divisibility import vanish_on_hypersurface
from bea.modified.zero_chart import Chart, is_zero, zero_chart
from bea.systems.derivatives import jacobian, partial_derivatives
from bea.systems.evaluation import compile_numpy, parameter_numbers
from bea.systems.traversal import free_symbols, replace_symbols, written_size
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["Finding", "ZeroTest"]

#: How far the surroundings are with whose values those on the zero-loss set are compared.
SURROUNDINGS = 0.1

#: With more variables, or residuals of a larger size, algebra does no more than to take derivatives.
MANY, LARGEST = 16, 600


@dataclass(frozen=True)
class Finding:
    """Whether something holds, and whether algebra shows it."""

    holds: bool
    symbolic: bool


class ZeroTest:
    """Tests on a zero-loss set.

    Parameters
    ----------
    zeros : ZeroLossSet
    values : mapping from sympy.Symbol to sympy.Expr
        The values of parameters.
    points, tolerance : int, float
        Where algebra does not decide, how many points are sampled, and below which share of their size nearby
        values count as zero.
    rng : int, numpy.random.Generator or None
        For the sample.
    """

    def __init__(
        self,
        zeros: ZeroLossSet,
        values: Mapping[sympy.Symbol, sympy.Expr],
        points: int,
        tolerance: float,
        rng: int | np.random.Generator | None,
    ) -> None:
        self.zeros = zeros
        self.values = dict(values)
        self.count = points
        self.tolerance = tolerance
        self.rng = np.random.default_rng(rng)

    @property
    def is_small(self) -> bool:
        """Whether the zero-loss set is small enough for more algebra than taking derivatives."""
        few = len(self.zeros.variables) <= MANY
        return few and written_size(self.zeros.residuals) <= LARGEST

    @cached_property
    def chart(self) -> Chart | None:
        """The zero-loss set as a graph, where it is one."""
        return zero_chart(self.zeros) if self.is_small else None

    @cached_property
    def points(self) -> np.ndarray:
        """The sample, of shape (points, d)."""
        return self.zeros.sample(self.count, self.rng)

    def vanish(self, expressions: Sequence[sympy.Expr], others: Sequence[sympy.Symbol] = ()) -> Finding:
        """Whether all expressions vanish on the zero-loss set, whatever the values of the `others`."""
        exact = replace_symbols(expressions, self.values)
        if self._all_zero(self._without_residuals(exact)):
            return Finding(True, True)
        known = self._on_chart(exact)
        if known is None:
            known = self._on_hypersurface(exact)
        if known is not None:
            return Finding(known, True)
        return Finding(self._vanish_at_points(exact, others), False)

    def constant(self, expression: sympy.Expr) -> Finding:
        """Whether an expression is constant along the zero-loss set: P∇ of it vanishes."""
        exact = replace_symbols([expression], self.values)
        (reduced,) = self._without_residuals(exact)
        gradient = partial_derivatives(exact[0], self.zeros.variables)
        bare = partial_derivatives(reduced, self.zeros.variables)
        if self._all_zero(bare) or self._all_zero(self._without_residuals(gradient)):
            return Finding(True, True)
        if self.chart is not None:
            on_graph = self.chart.on_graph(reduced)
            known = self._all_zero(on_graph.diff(v) for v in self.chart.free)
            if self._decides(known):
                return Finding(bool(known), True)
        known = self._on_hypersurface(self._minors(bare) if self.is_small else [])
        if known is not None:
            return Finding(known, True)
        return Finding(self._tangential_part_vanishes(gradient), False)

    def _without_residuals(self, expressions: Sequence[sympy.Expr]) -> list[sympy.Expr]:
        """The expressions with zero wherever a residual stands in them as it is."""
        residuals = replace_symbols(self.zeros.residuals, self.values)
        nothing = {e: sympy.S.Zero for r in residuals for e in (r, -r)}
        return [expression.xreplace(nothing) for expression in expressions]

    def _on_chart(self, expressions: Sequence[sympy.Expr]) -> bool | None:
        """Whether all vanish, as far as the chart decides on it."""
        if self.chart is None:
            return None
        known = self._all_zero(self.chart.on_graph(e) for e in expressions)
        return known if self._decides(known) else None

    def _on_hypersurface(self, expressions: Sequence[sympy.Expr]) -> bool | None:
        """Whether all vanish, as far as division by a single residual decides on it."""
        if len(self.zeros.residuals) > 1 or not self.is_small:
            return None
        (residual,) = replace_symbols(self.zeros.residuals, self.values)
        return vanish_on_hypersurface(expressions, residual, self.zeros.variables)

    def _minors(self, gradient: Sequence[sympy.Expr]) -> list[sympy.Expr]:
        """What vanishes where the gradient is a multiple of that of the first residual."""
        (residual, *_) = replace_symbols(self.zeros.residuals, self.values)
        normal = partial_derivatives(residual, self.zeros.variables)
        pairs = combinations(zip(normal, gradient, strict=True), 2)
        return [n * h - m * g for (n, g), (m, h) in pairs]

    def _decides(self, known: bool | None) -> bool:
        """Whether what holds on the graph holds on the zero-loss set: what fails there always does."""
        return known is False or (known is True and self.chart is not None and self.chart.is_dense)

    def affine(self, expression: sympy.Expr, noise: Sequence[sympy.Symbol]) -> Finding:
        """Whether the gradient of the expression is affine in the noise, everywhere."""
        (exact,) = replace_symbols([expression], self.values)
        gradient = partial_derivatives(exact, self.zeros.variables)
        f = self._numbers(gradient, noise)
        measured = all(self._is_affine(f, len(noise)) for _ in range(self.count))
        if not (measured or self.is_small):
            return Finding(False, False)
        slopes = jacobian(gradient, noise)
        known = self._all_zero(e for row in slopes for bends in jacobian(row, noise) for e in bends)
        return Finding(measured, False) if known is None else Finding(known, True)

    def _is_affine(self, f: Callable[[np.ndarray, np.ndarray], np.ndarray], n: int) -> bool:
        """Whether f(w, η) is affine in η along a random line, up to rounding."""
        nothing = np.zeros(0)
        w, direction = self.rng.standard_normal(len(self.zeros.variables)), self.rng.standard_normal(n)
        left, middle, right = (f(np.append(w, t * direction), nothing) for t in (-1, 0, 1))
        bend = np.linalg.norm(left - 2 * middle + right)
        return bool(bend <= self.tolerance * (np.linalg.norm(left) + np.linalg.norm(right)))

    def _vanish_at_points(self, expressions: Sequence[sympy.Expr], others: Sequence[sympy.Symbol]) -> bool:
        """Whether they are as good as zero at the points of the sample, compared with their surroundings."""
        f = self._numbers(expressions, others)
        nothing = np.zeros(0)
        for x in self.points:
            noise = self.rng.standard_normal(len(others))
            here = f(np.append(x, noise), nothing)
            around = f(np.append(self._near(x), noise), nothing)
            if np.linalg.norm(here) > self.tolerance * np.linalg.norm(around):
                return False
        return True

    def _tangential_part_vanishes(self, gradient: Sequence[sympy.Expr]) -> bool:
        """Whether T'∇ is as good as zero at the points of the sample, compared with ∇ near them."""
        f = self._numbers(gradient)
        nothing = np.zeros(0)
        for x in self.points:
            along = self.zeros.tangent_basis(x).T @ f(x, nothing)
            size = max(np.linalg.norm(f(x, nothing)), np.linalg.norm(f(self._near(x), nothing)))
            if np.linalg.norm(along) > self.tolerance * size:
                return False
        return True

    def _numbers(
        self, expressions: Sequence[sympy.Expr], others: Sequence[sympy.Symbol] = ()
    ) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        """The expressions as a function of numbers, or a sentence that names a parameter without a value."""
        arguments = [*self.zeros.variables, *others]
        parameter_numbers(sorted(free_symbols(expressions) - set(arguments), key=str), {})
        return compile_numpy(list(expressions), arguments, ())

    def _all_zero(self, expressions: Iterable[sympy.Expr]) -> bool | None:
        """Whether all are zero: False as soon as one is not, None where that stays open."""
        undecided = False
        for expression in expressions:
            if expression == 0:
                continue
            if not self.is_small:
                return None
            answer = is_zero(expression)
            if answer is False:
                return False
            undecided |= answer is None
        return None if undecided else True

    def _near(self, x: np.ndarray) -> np.ndarray:
        return x + SURROUNDINGS * (1 + np.abs(x)) * self.rng.standard_normal(x.size)
