"""Functions of free trees: closed forms, their gradients, and the modified losses that they make up."""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

import bea
from bea.modified import elementary_differential, evaluate_series, free_tree_function, modified_loss_of_series
from bea.schemes import ExplicitEuler, Gauss2, ImplicitEuler, ImplicitMidpoint, SecondOrder
from bea.series import FieldSeries, FreeTree, RootedTree, bseries, rooted_trees

a, b = sympy.symbols("a b")

FREE_TREES = list(dict.fromkeys(tree.free_tree for n in range(1, 6) for tree in rooted_trees(n)))
QUARTIC = bea.Loss("a**4/4 + 2*a*b**2 - k*a*b + b", variables="a b")


def gradient(expression):
    return sympy.Matrix([expression.diff(a), expression.diff(b)])


def free_tree(*levels):
    return FreeTree(RootedTree(levels))


class TestFreeTreeFunctions:
    E = QUARTIC.expression
    g, H = gradient(QUARTIC.expression), sympy.hessian(QUARTIC.expression, (a, b))

    def test_all_free_trees_are_here(self):
        """1, 1, 1, 2, 3 of orders 1, …, 5, OEIS A000055."""
        assert [sum(tree.order == n for tree in FREE_TREES) for n in range(1, 6)] == [1, 1, 1, 2, 3]

    def test_paths_are_quadratic_forms(self):
        g, H = self.g, self.H
        for n, value in enumerate([g.dot(g), g.dot(H * g), g.dot(H**2 * g), g.dot(H**3 * g)], start=2):
            found = free_tree_function(free_tree(*range(1, n + 1)), QUARTIC)
            assert sympy.expand(found - value) == 0
        assert free_tree_function(free_tree(1), QUARTIC) == sympy.expand(self.E)

    def test_stars_are_derivatives_along_the_gradient(self):
        t, at = sympy.symbols("t"), sympy.Matrix([a, b])
        line = self.E.subs(dict(zip(at, at + t * self.g, strict=True)), simultaneous=True)
        for n in (3, 4, 5):
            found = free_tree_function(free_tree(1, *[2] * (n - 1)), QUARTIC)
            assert sympy.expand(found - line.diff(t, n - 1).subs(t, 0)) == 0

    @pytest.mark.parametrize("tree", FREE_TREES, ids=repr)
    @settings(max_examples=5, deadline=None)
    @given(st.lists(st.integers(-3, 3), min_size=9, max_size=9))
    def test_the_gradient_is_the_sum_over_all_roots(self, tree, numbers):
        monomials = [a, b, a**2, a * b, b**2, a**3, a**2 * b, a * b**2, b**3]
        E = sum(c * m for c, m in zip(numbers, monomials, strict=True))
        ascent = bea.VectorField(list(gradient(E)), [a, b])
        total = sympy.zeros(2, 1)
        for rooting, times in tree.rootings.items():
            total += times * elementary_differential(rooting, ascent)
        slope = gradient(free_tree_function(tree, bea.Loss(E, [a, b])))
        assert sympy.expand(slope - total) == sympy.zeros(2, 1)

    def test_what_is_no_free_tree_of_a_loss_is_refused(self):
        with pytest.raises(TypeError, match="belongs to a FreeTree"):
            free_tree_function(RootedTree([1]), QUARTIC)
        with pytest.raises(TypeError, match="belong to a Loss, not to a VectorField"):
            free_tree_function(free_tree(1), QUARTIC.field)
        with pytest.raises(ValueError, match="one colour"):
            free_tree_function(FreeTree(RootedTree([1, 2], colours=[0, 1])), QUARTIC)


class TestModifiedLoss:
    def test_gradient_descent_is_pulled_to_small_gradients(self):
        """Barrett and Dherin (2021), Theorem 3.1: (h/4)‖∇E‖²; implicit Euler has the opposite sign."""
        square = sympy.expand(QUARTIC.gradient.dot(QUARTIC.gradient))
        for scheme, factor in ((ExplicitEuler(), Rational(1, 4)), (ImplicitEuler(), Rational(-1, 4))):
            found = modified_loss_of_series(bseries(scheme, order=2).log(), QUARTIC, 1)
            assert sympy.expand(found - factor * square) == 0

    def test_the_first_term_is_the_loss(self):
        series = bseries(ExplicitEuler(), order=2).log()
        assert modified_loss_of_series(series, QUARTIC, 0) == sympy.expand(QUARTIC.expression)
        assert modified_loss_of_series(3 * series, QUARTIC, 0) == sympy.expand(3 * QUARTIC.expression)

    @pytest.mark.parametrize(
        "loss", [QUARTIC, bea.Loss("(1 - a*b)**2/2", "a b"), bea.Loss("exp(a*b) + sin(b)", "a b")], ids=str
    )
    def test_one_method_of_second_order_descends_a_loss_through_the_square_of_the_step(self, loss):
        """Among the two-stage methods of order 2 this is α = 1/3 alone: the remainder vanishes."""
        scheme = SecondOrder(Rational(1, 3))
        found = modified_loss_of_series(bseries(scheme, order=3).log(), loss, 2)
        equation = bea.modified_equation(loss, scheme, order=2)
        assert equation.loss.is_exact(2)
        assert sympy.expand(gradient(found) + equation.terms[2]) == sympy.zeros(2, 1)

    def test_it_is_the_modified_loss_up_to_a_constant(self):
        scheme = SecondOrder(Rational(1, 3))
        found = modified_loss_of_series(bseries(scheme, order=3).log(), QUARTIC, 2)
        difference = sympy.expand(found - bea.modified_equation(QUARTIC, scheme, order=2).loss.terms[2])
        assert not difference.free_symbols & {a, b}

    def test_any_coefficients_that_agree_on_free_trees_make_a_gradient(self):
        """Order 4, with a symbol and two free trees: the sum over their rootings, and one rooting less."""
        c = sympy.Symbol("c")
        paths, stars = free_tree(1, 2, 3, 4).rootings, free_tree(1, 2, 2, 2).rootings
        series = FieldSeries({**dict.fromkeys(paths, c), **dict.fromkeys(stars, Rational(2, 7))}, order=4)
        series = FieldSeries.original(order=4) + series
        field = evaluate_series(series, QUARTIC).terms[3]
        slope = gradient(modified_loss_of_series(series, QUARTIC, 3))
        assert sympy.expand(slope + field) == sympy.zeros(2, 1)

        spoilt = series + FieldSeries({next(iter(stars)): 1}, order=4)
        with pytest.raises(ValueError, match="not a gradient for every loss"):
            modified_loss_of_series(spoilt, QUARTIC, 3)
        field = evaluate_series(spoilt, QUARTIC).terms[3]
        assert sympy.expand(field[0].diff(b) - field[1].diff(a)) != 0

    @pytest.mark.parametrize(
        "scheme", [ExplicitEuler(), ImplicitMidpoint(), SecondOrder(), SecondOrder("1/2")], ids=str
    )
    def test_other_methods_do_not_descend_a_loss_at_the_square_of_the_step(self, scheme):
        """A negative control: the sentence names the free tree."""
        with pytest.raises(ValueError, match=r"FreeTree\(RootedTree\(\[1, 2, 3\]\)\)"):
            modified_loss_of_series(bseries(scheme, order=3).log(), QUARTIC, 2)

    def test_terms_that_vanish(self):
        assert modified_loss_of_series(bseries(Gauss2(), order=4).log(), QUARTIC, 3) == 0

    def test_what_cannot_be_asked(self):
        series = bseries(ExplicitEuler(), order=3).log()
        with pytest.raises(ValueError, match="k must be an integer from 0 to 2, not 3"):
            modified_loss_of_series(series, QUARTIC, 3)
        with pytest.raises(TypeError, match="belong to a Loss"):
            modified_loss_of_series(series, QUARTIC.field, 1)
        with pytest.raises(TypeError, match="must be a FieldSeries"):
            modified_loss_of_series(series.exp(), QUARTIC, 1)
        with pytest.raises(ValueError, match="these are floats"):
            modified_loss_of_series(series.as_floats(), QUARTIC, 1)
