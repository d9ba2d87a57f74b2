"""Modified equations: published coefficients, closed forms, and the route over Lie series of fields."""

import elementary_differentials
import pytest
import sympy
from sympy import Rational

import bea
from bea.schemes import (
    RK4,
    ExplicitEuler,
    ExplicitMidpoint,
    Gauss2,
    Gauss3,
    GradientDescent,
    Heun,
    ImplicitEuler,
    ImplicitMidpoint,
    Kutta3,
    LobattoIIIC4,
    RadauIIA2,
    RadauIIA3,
    Trapezoidal,
)
from bea.series import RootedTree, bseries


def coefficients(series, *level_sequences):
    return [series[RootedTree([int(level) for level in text])] for text in level_sequences]


def tall(n):
    return RootedTree(range(1, n + 1))


def bushy(n):
    return RootedTree([1] + [2] * (n - 1))


class TestExplicitEuler:
    modified = bseries(ExplicitEuler(), order=12).log()

    def test_orders_up_to_four(self):
        """Hairer, Lubich and Wanner (2006), Geometric Numerical Integration, Section IX.9.1."""
        assert coefficients(self.modified, "1", "12") == [1, Rational(-1, 2)]
        assert coefficients(self.modified, "123", "122") == [Rational(1, 3), Rational(1, 6)]
        expected = [Rational(-1, 4), Rational(-1, 6), Rational(-1, 12), 0]
        assert coefficients(self.modified, "1234", "1233", "1232", "1222") == expected

    @pytest.mark.parametrize("n", range(1, 13))
    def test_tall_trees_are_those_of_the_logarithm(self, n):
        assert self.modified[tall(n)] == Rational((-1) ** (n + 1), n)

    @pytest.mark.parametrize("n", range(1, 13))
    def test_bushy_trees_are_bernoulli_numbers(self, n):
        bernoulli = Rational(-1, 2) if n == 2 else sympy.bernoulli(n - 1)
        assert self.modified[bushy(n)] == bernoulli

    def test_riccati_equation(self):
        """On ẏ = y² the map y + hy² follows y² − hy³ + (3/2)h²y⁴ − (8/3)h³y⁵ + ⋯ ."""
        y = sympy.Symbol("y")
        terms = elementary_differentials.evaluated(self.modified.truncate(6), [[y**2]], [y])
        expected = [1, -1, Rational(3, 2), Rational(-8, 3), Rational(31, 6), Rational(-157, 15)]
        assert [term[0].coeff(y, n + 1) for n, term in enumerate(terms, start=1)] == expected

    def test_gradient_descent_is_the_same_method(self):
        assert bseries(GradientDescent()) == bseries(ExplicitEuler())


def test_explicit_midpoint_rule():
    modified = bseries(ExplicitMidpoint(), order=4).log()
    assert coefficients(modified, "12", "123", "122") == [0, Rational(-1, 6), Rational(-1, 12)]
    expected = [Rational(1, 8), Rational(1, 8), 0, 0]
    assert coefficients(modified, "1234", "1233", "1232", "1222") == expected


def test_implicit_midpoint_rule_has_odd_orders_only():
    modified = bseries(ImplicitMidpoint(), order=8).log()
    for n in (2, 4, 6, 8):
        assert not any(modified.terms(n).values())
    assert coefficients(modified, "123", "122") == [Rational(1, 12), Rational(-1, 12)]


@pytest.mark.parametrize("scheme", [RK4(), ExplicitEuler(), Kutta3(), Gauss2(), RadauIIA2()])
def test_a_linear_field_gives_the_logarithm_of_the_stability_function(scheme):
    """On ẏ = λy only tall trees count: log R(z) = Σ_n b(τ_n) zⁿ."""
    z = sympy.Symbol("z")
    expected = sympy.series(sympy.log(scheme.stability_function(z)), z, 0, 9).removeO()
    modified = bseries(scheme, order=8).log()
    assert [modified[tall(n)] for n in range(1, 9)] == [expected.coeff(z, n) for n in range(1, 9)]


@pytest.mark.parametrize(
    ("scheme", "order"),
    [
        (ExplicitEuler(), 1),
        (ImplicitEuler(), 1),
        (Heun(), 2),
        (Trapezoidal(), 2),
        (Kutta3(), 3),
        (RadauIIA2(), 3),
        (RK4(), 4),
        (Gauss2(), 4),
        (RadauIIA3(), 5),
        (Gauss3(), 6),
        (LobattoIIIC4(), 6),
    ],
    ids=str,
)
def test_order_of_accuracy(scheme, order):
    series = bseries(scheme, order=order + 1)
    modified = series.log()
    assert series.order_of_accuracy() == order
    assert not any(any(modified.terms(n).values()) for n in range(2, order + 1))
    assert any(modified.terms(order + 1).values())
    # The first term of the modified equation is the local error.
    assert modified.terms(order + 1) == series.error_constants()


def test_every_coefficient_of_the_gauss_method_is_rational():
    assert all(value.is_Rational for value in bseries(Gauss2(), order=7).log().values())


SYSTEMS = [
    ("x y", ["x*y - y**2", "x + x**2/2 - y"]),
    ("x", ["x**3 - 2*x + 1"]),
]


@pytest.mark.parametrize("scheme", [ExplicitEuler(), RK4(), ImplicitMidpoint(), Kutta3()], ids=str)
@pytest.mark.parametrize(("variables", "components"), SYSTEMS)
def test_agreement_with_lie_series(scheme, variables, components):
    """The route over the logarithm of the map itself, which shares no code with B-series."""
    field = bea.VectorField(components, variables)
    equation = bea.modified_equation(field, scheme, order=4)
    modified = bseries(scheme, order=5).log()
    terms = elementary_differentials.evaluated(modified, [list(field.components)], field.variables)
    for ours, theirs in zip(terms, equation.terms, strict=True):
        assert [sympy.expand(a - b) for a, b in zip(ours, theirs, strict=True)] == [0] * len(ours)


def test_a_wrong_coefficient_would_be_noticed():
    field = bea.VectorField(["x**3 - 2*x + 1"], "x")
    equation = bea.modified_equation(field, ExplicitEuler(), order=2)
    modified = dict(bseries(ExplicitEuler(), order=3).log())
    modified[RootedTree([1, 2, 2])] += Rational(1, 1000)
    terms = elementary_differentials.evaluated(
        bea.series.FieldSeries(modified), [list(field.components)], field.variables
    )
    assert sympy.expand(terms[2][0] - equation.terms[2][0]) != 0
