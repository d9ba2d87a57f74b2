"""Modified fields from trees: hand formulas, and the route over Lie series, which shares none of it."""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

import bea
from bea.modified import elementary_differential, evaluate_series
from bea.schemes import (
    RK4,
    ExplicitEuler,
    Gauss2,
    Heun,
    ImplicitEuler,
    ImplicitMidpoint,
    Kutta3,
    RadauIIA2,
    SecondOrder,
    Trapezoidal,
)
from bea.series import EMPTY, FieldSeries, RootedTree, bseries, rooted_trees

x, y, alpha = sympy.symbols("x y alpha")

POLYNOMIAL = bea.VectorField(["x**2*y - 3*y + 1", "c*x*y - y**3/2"], variables="x y")
SMOOTH = bea.VectorField(["sin(y) + x*exp(x)", "1/(1 + x**2) - y"], variables="x y")
ABSTRACT = bea.Loss(sympy.Function("E")(x, y), variables=[x, y])

coefficients = st.lists(st.integers(-3, 3), min_size=6, max_size=6)


def quadratic(numbers):
    monomials = [1, x, y, x**2, x * y, y**2]
    return sum(c * m for c, m in zip(numbers, monomials, strict=True))


def differences(first, second):
    """All components of the difference of two equations, each brought to the form 0 if it vanishes."""
    assert first.order == second.order
    pairs = zip(first.terms, second.terms, strict=True)
    return [sympy.expand(sympy.together(sympy.expand(c))) for p, q in pairs for c in p - q]


class TestElementaryDifferentials:
    def test_hand_formulas_up_to_order_four(self):
        """Hairer, Lubich and Wanner (2006), Table III.1.1, with derivatives taken by SymPy."""
        at = sympy.Matrix([x, y])
        f = sympy.Matrix(POLYNOMIAL.components)

        def along(g, v):
            """g'v."""
            return g.jacobian(at) * v

        def hessian(g, u, v):
            """g''(u, v)."""
            return sympy.Matrix([(u.T * sympy.hessian(c, at) * v)[0] for c in g])

        def third(g, u):
            """g'''(u, u, u)."""

            def components(c):
                return sum(
                    c.diff(p, q, r) * u[i] * u[j] * u[k]
                    for i, p in enumerate(at)
                    for j, q in enumerate(at)
                    for k, r in enumerate(at)
                )

            return sympy.Matrix([components(c) for c in g])

        J = f.jacobian(at)
        expected = {
            (1,): f,
            (1, 2): along(f, f),
            (1, 2, 3): J * J * f,
            (1, 2, 2): hessian(f, f, f),
            (1, 2, 3, 4): J**3 * f,
            (1, 2, 3, 3): J * hessian(f, f, f),
            (1, 2, 3, 2): hessian(f, f, J * f),
            (1, 2, 2, 2): third(f, f),
        }
        for levels, value in expected.items():
            found = elementary_differential(RootedTree(levels), POLYNOMIAL)
            assert sympy.expand(found - value) == sympy.zeros(2, 1)

    def test_a_loss_stands_for_its_gradient_flow(self):
        loss = bea.Loss("x**3*y", variables="x y")
        tree = RootedTree([1, 2, 3])
        assert elementary_differential(tree, loss) == elementary_differential(tree, loss.field)

    def test_the_empty_tree_is_the_identity(self):
        assert list(elementary_differential(EMPTY, POLYNOMIAL)) == [x, y]

    def test_what_is_no_tree_of_one_colour_is_refused(self):
        with pytest.raises(TypeError, match="belongs to a RootedTree"):
            elementary_differential([1, 2], POLYNOMIAL)
        with pytest.raises(ValueError, match="one colour"):
            elementary_differential(RootedTree([1, 2], colours=[0, 1]), POLYNOMIAL)


class TestAgainstLieSeries:
    @pytest.mark.parametrize(
        ("scheme", "order"),
        [
            (ExplicitEuler(), 5),
            (Heun(), 4),
            (Kutta3(), 4),
            (RK4(), 5),
            (ImplicitEuler(), 4),
            (ImplicitMidpoint(), 4),
            (Trapezoidal(), 4),
            (RadauIIA2(), 3),
            (Gauss2(), 4),
            (SecondOrder(), 3),
        ],
        ids=str,
    )
    def test_a_polynomial_field(self, scheme, order):
        found = evaluate_series(bseries(scheme, order=order + 1).log(), POLYNOMIAL)
        assert not any(differences(found, bea.modified_equation(POLYNOMIAL, scheme, order)))

    @settings(max_examples=10, deadline=None)
    @given(coefficients, coefficients)
    def test_random_quadratic_fields(self, first, second):
        field = bea.VectorField([quadratic(first), quadratic(second)], variables="x y")
        for scheme in (ExplicitEuler(), ImplicitMidpoint(), SecondOrder()):
            found = evaluate_series(bseries(scheme, order=5).log(), field)
            assert not any(differences(found, bea.modified_equation(field, scheme, order=4)))

    @pytest.mark.parametrize("scheme", [ExplicitEuler(), ImplicitEuler(), SecondOrder()], ids=str)
    def test_a_smooth_field(self, scheme):
        found = evaluate_series(bseries(scheme, order=4).log(), SMOOTH)
        assert not any(differences(found, bea.modified_equation(SMOOTH, scheme, order=3)))

    def test_an_abstract_loss(self):
        found = evaluate_series(bseries(ExplicitEuler(), order=3).log(), ABSTRACT)
        assert not any(differences(found, bea.modified_equation(ABSTRACT, ExplicitEuler(), order=2)))

    def test_a_modifying_integrator(self):
        series = bseries(Heun(), order=5).modifying_integrator()
        found = evaluate_series(series, POLYNOMIAL)
        assert not any(differences(found, bea.modifying_integrator(POLYNOMIAL, Heun(), order=4)))

    @pytest.mark.parametrize("tree", list(rooted_trees(4)), ids=str)
    def test_one_wrong_coefficient_is_noticed(self, tree):
        """A negative control, for every tree."""
        right = bseries(ExplicitEuler(), order=4).log()
        wrong = right + FieldSeries({tree: Rational(1, 100)}, order=4)
        expected = bea.modified_equation(POLYNOMIAL, ExplicitEuler(), order=3)
        changed = differences(evaluate_series(wrong, POLYNOMIAL), expected)
        assert any(changed[6:])
        assert not any(changed[:6])


class TestTheEquation:
    loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
    found = evaluate_series(bseries(ExplicitEuler(), order=3).log(), loss)
    expected = bea.modified_equation(loss, ExplicitEuler(), order=2)

    def test_it_has_a_modified_loss_with_its_constant(self):
        for k in range(3):
            assert sympy.expand(self.found.loss.terms[k] - self.expected.loss.terms[k]) == 0
            assert self.found.loss.is_exact(k) == self.expected.loss.is_exact(k)
            assert self.found.loss.remainder[k] == self.expected.loss.remainder[k]

    def test_it_reads_like_any_other(self):
        assert self.found.latex() == self.expected.latex()
        assert self.found.field(1) == self.expected.field(1)
        assert "FieldSeries to order 3" in repr(self.found)


class TestRefusals:
    euler = bseries(ExplicitEuler(), order=3)

    def test_a_flow(self):
        with pytest.raises(TypeError, match=r"not a FlowSeries: take its log\(\)"):
            evaluate_series(self.euler, POLYNOMIAL)

    def test_a_scheme(self):
        with pytest.raises(TypeError, match=r"must be a FieldSeries, not a ExplicitEuler$"):
            evaluate_series(ExplicitEuler(), POLYNOMIAL)

    def test_no_system(self):
        with pytest.raises(TypeError, match="VectorField, a Loss or a Game"):
            evaluate_series(self.euler.log(), "y**2")

    def test_floats(self):
        with pytest.raises(ValueError, match="these are floats"):
            evaluate_series(self.euler.as_floats().log(), POLYNOMIAL)

    def test_two_colours(self):
        with pytest.raises(ValueError, match="one colour, not of 2"):
            evaluate_series(FieldSeries.original(order=2, colours=2), POLYNOMIAL)

    def test_another_beginning_than_f(self):
        with pytest.raises(ValueError, match="coefficient of the single vertex is 2"):
            evaluate_series(2 * self.euler.log(), POLYNOMIAL)

    def test_a_parameter_that_is_a_variable(self):
        field = bea.VectorField(["alpha**2"], variables="alpha")
        with pytest.raises(ValueError, match="'alpha' is also a"):
            evaluate_series(bseries(SecondOrder(), order=3).log(), field)
