"""Series with symbols: parametric tableaus, their values, and constants that are no algebraic numbers."""

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from bea.schemes import RK4, ExplicitMidpoint, Gauss2, Heun, Ralston, RungeKutta, SecondOrder
from bea.series import FieldSeries, FlowSeries, RootedTree, bseries

alpha, beta = sympy.symbols("alpha beta")
DOT, CHERRY, TALL = RootedTree([1]), RootedTree([1, 2, 2]), RootedTree([1, 2, 3])


class TestSecondOrderFamily:
    series = bseries(SecondOrder(), order=6)
    modified = series.log()

    def test_third_order(self):
        """Σ b_i c_i² = α/2, so the coefficients are α/2 − 1/3 and −1/6."""
        assert sympy.expand(self.modified[CHERRY] - (alpha / 2 - Rational(1, 3))) == 0
        assert self.modified[TALL] == Rational(-1, 6)
        assert self.modified.parameters == (alpha,)

    @pytest.mark.parametrize("member", [ExplicitMidpoint(), Ralston(), Heun()], ids=str)
    def test_members_of_the_family(self, member):
        node = member.A[1, 0]
        assert self.series.with_parameters(alpha=node) == bseries(member, order=6)
        assert self.modified.with_parameters(alpha=str(node)) == bseries(member, order=6).log()

    def test_group(self):
        s = self.series.truncate(4)
        assert s.log().exp() == s
        assert s @ s.inverse() == FlowSeries.identity(4)
        assert s.adjoint().adjoint() == s
        assert s.order_of_accuracy() == 2
        assert {sympy.expand(value) for value in s.error_constants().values()} == {
            Rational(-1, 6),
            sympy.expand(alpha / 2 - Rational(1, 3)),
        }

    def test_with_exact_series(self):
        rk4 = bseries(RK4(), order=4)
        composed = self.series @ rk4
        assert composed.with_parameters(alpha=1) == bseries(Heun(), order=4) @ rk4
        assert composed.order == 4

    def test_coefficients_are_in_lowest_terms(self):
        composed = self.series.truncate(3) @ self.series.truncate(3).inverse()
        assert [composed[tree] for tree in (DOT, CHERRY, TALL)] == [0, 0, 0]


@settings(max_examples=10, deadline=None)
@given(st.fractions(min_value=-3, max_value=3, max_denominator=9))
def test_two_parameters_against_numbers(value):
    def method(a, b):
        return RungeKutta([[0, 0], [a, 0]], [1 - b, b])

    symbolic = bseries(method(alpha, beta), order=5)
    exact = bseries(method(value, 2 * value + 1), order=5)
    values = {"alpha": value, "beta": 2 * value + 1}
    assert symbolic.with_parameters(**values) == exact
    assert symbolic.log().with_parameters(**values) == exact.log()
    assert symbolic.inverse().with_parameters(**values) == exact.inverse()


def test_denominators_with_several_factors():
    scheme = RungeKutta([[0, 0], [1 / (alpha - beta), 0]], [1 - 1 / alpha, 1 / alpha])
    modified = bseries(scheme, order=4).log()
    exact = bseries(scheme.with_parameters(alpha=3, beta="1/2"), order=4).log()
    assert modified.with_parameters(alpha=3, beta="1/2") == exact
    value = modified[RootedTree([1, 2, 2])]
    by_hand = 1 / (alpha * (alpha - beta) ** 2) - 1 / (alpha * (alpha - beta)) + Rational(1, 6)
    assert sympy.simplify(value - by_hand) == 0


def test_irrational_numbers_beside_symbols():
    scheme = RungeKutta([[0, 0], [sympy.sqrt(3) * alpha, 0]], ["1/2", "1/2"])
    series = bseries(scheme, order=4)
    assert sympy.expand(series[CHERRY] - 3 * alpha**2 / 2) == 0
    assert series.with_parameters(alpha="sqrt(3)")[CHERRY] == Rational(9, 2)
    assert series.log().exp() == series
    mixed = series @ bseries(Gauss2(), order=4)
    assert mixed.with_parameters(alpha=1)[DOT] == 2


def test_symbolic_scale_and_power():
    rk4 = bseries(RK4(), order=4)
    scaled = rk4.scale("lambda1")
    assert scaled[TALL] == sympy.Symbol("lambda1") ** 3 / 6
    power = rk4**alpha
    assert power.with_parameters(alpha=2) == rk4 @ rk4
    assert power.with_parameters(alpha="1/2") == rk4 ** "1/2"
    assert (alpha * rk4.log()).exp() == power


def test_powers_that_are_irrational():
    rk4 = bseries(RK4(), order=4)
    root = rk4 ** sympy.sqrt(2)
    assert root ** sympy.sqrt(2) == rk4 @ rk4
    assert sympy.expand(root[RootedTree([1, 2])] - 1) == 0


def test_transcendental_constants():
    series = FlowSeries({DOT: sympy.exp(-1), TALL: sympy.pi}, order=3)
    assert sympy.expand(series.log()[TALL] - sympy.pi - sympy.exp(-3) / 3) == 0
    assert series.parameters == ()
    assert series.as_floats()[DOT] == pytest.approx(0.36787944117144233)


class TestBadInputs:
    series = bseries(SecondOrder(), order=3)

    def test_unknown_parameter(self):
        with pytest.raises(
            ValueError, match=r"'gamma' is no symbol in the coefficients; those are \['alpha'\]"
        ):
            self.series.with_parameters(gamma=1)
        with pytest.raises(ValueError, match="those are none"):
            bseries(RK4()).with_parameters(alpha=1)

    def test_poles(self):
        pole = FieldSeries({DOT: 1 / alpha})
        with pytest.raises(ValueError, match="infinite at"):
            pole.with_parameters(alpha=0)

    def test_symbols_are_no_floats(self):
        with pytest.raises(ValueError, match="coefficients with the symbol alpha are no floats"):
            self.series.as_floats()

    def test_floats_beside_symbols_are_decimals(self):
        series = FieldSeries({DOT: 0.5, CHERRY: alpha})
        assert series[DOT] == Rational(1, 2)
        total = series + FieldSeries({DOT: 0.25}, order=3)
        assert total[DOT] == Rational(3, 4)
