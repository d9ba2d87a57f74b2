"""Structure of modified fields: against explicit systems by the Lie-series route, and known methods."""

import pytest
import sympy

import bea
from bea.schemes import (
    RK4,
    ExplicitEuler,
    Gauss,
    Heun,
    ImplicitMidpoint,
    RungeKutta,
    SecondOrder,
    Trapezoidal,
)
from bea.series import FieldSeries, FlowSeries, RootedTree, bseries
from bea.series.design import design
from bea.series.structure import conditions, free_tree_coefficients

p, q = sympy.symbols("p q")
#: A function of two variables without symmetries.
GENERIC = (
    p**3 / 3 + p**2 * q / 2 + p * q**2 + 2 * q**3 / 7 + p**2 * q**2 / 5 + p**4 / 9 + p**2 - q**2 / 2 + p * q
)
METHODS = [
    ExplicitEuler(),
    ImplicitMidpoint(),
    Heun(),
    RK4(),
    Gauss(2),
    Trapezoidal(),
    SecondOrder().with_parameters(alpha="1/3"),
    SecondOrder().with_parameters(alpha="2/3"),
]


def modified(scheme, order):
    return bseries(scheme, order=order).log()


@pytest.mark.parametrize("scheme", METHODS, ids=lambda s: f"{s.name} {list(s.b)}")
class TestAgainstAnExplicitSystem:
    """What holds for all systems holds for this one, and what fails for some fails for this generic one."""

    def test_gradient(self, scheme):
        equation = bea.modified_equation(bea.Loss(GENERIC, [p, q]), scheme, 4)
        exact = [equation.loss.is_exact(k) for k in range(5)]
        series = modified(scheme, 5)
        for n in range(1, 6):
            assert series.is_gradient(n) is all(exact[:n])

    def test_symplectic_and_energy(self, scheme):
        field = bea.VectorField([-GENERIC.diff(q), GENERIC.diff(p)], [p, q])
        terms = bea.modified_equation(field, scheme, 4).terms
        divergence = [sympy.expand(t[0].diff(p) + t[1].diff(q)) == 0 for t in terms]
        power = [sympy.expand(t[0] * GENERIC.diff(p) + t[1] * GENERIC.diff(q)) == 0 for t in terms]
        series = modified(scheme, 5)
        for n in range(1, 6):
            assert series.is_symplectic(n) is all(divergence[:n])
            assert series.is_energy_preserving(n) is all(power[:n])


class TestKnownMethods:
    def test_gauss_methods_are_symplectic_to_every_order(self):
        assert modified(Gauss(2), 8).is_symplectic()
        assert modified(Gauss(3), 8).is_symplectic()

    def test_the_average_vector_field_method_keeps_energy_and_is_not_symplectic(self):
        """Quispel and McLaren (2008)."""
        series = FlowSeries.average_vector_field(order=8).log()
        assert series.is_energy_preserving()
        assert series.structure_order("symplectic") == 2

    def test_no_runge_kutta_method_keeps_energy_beyond_its_order_here(self):
        assert modified(RK4(), 6).structure_order("energy-preserving") == 4
        assert modified(Gauss(2), 6).structure_order("energy-preserving") == 4

    def test_the_exact_flow_is_everything(self):
        series = FlowSeries.exact(order=7).log()
        assert series.is_gradient()
        assert series.is_symplectic()
        assert series.is_energy_preserving()


class TestFreeTrees:
    def test_euler_to_second_order(self):
        (found,) = free_tree_coefficients(modified(ExplicitEuler(), 3), 2).items()
        assert found[0].order == 2
        assert found[1] == -sympy.Rational(1, 2)

    def test_unequal_rootings_are_refused(self):
        with pytest.raises(ValueError, match="different coefficients"):
            free_tree_coefficients(modified(ExplicitEuler(), 3), 3)

    def test_a_sum_over_all_rootings_is_a_gradient(self):
        tree = RootedTree([1, 2, 3, 2, 2])
        rootings = FieldSeries(dict.fromkeys(tree.free_tree.rootings, 1), order=6)
        assert rootings.is_gradient()
        assert not FieldSeries({tree: 1}, order=6).is_gradient()


class TestDesign:
    def test_every_two_stage_method_that_follows_a_gradient_through_h2(self):
        (method,) = design(SecondOrder(), "gradient", order=3)
        assert method.A[1, 0] == sympy.Rational(1, 3)
        loss = bea.Loss(GENERIC, [p, q])
        assert bea.modified_equation(loss, method, 2).loss.is_exact(2)
        for other in (Heun(), ExplicitEuler()):
            assert not bea.modified_equation(loss, other, 2).loss.is_exact(2)

    def test_energy_and_symplecticity_through_order_three(self):
        (energy,) = design(SecondOrder(), "energy-preserving", order=3)
        assert energy.A[1, 0] == sympy.Rational(2, 3)
        (symplectic,) = design(SecondOrder(), "symplectic", order=3)
        assert symplectic.A[1, 0] == 1

    def test_diagonally_implicit_methods_of_order_two_and_three(self):
        """A = [[γ, 0], [1 − 2γ, γ]], b = (½, ½) has order 3 only for γ = (3 ± √3)/6 (Nørsett 1974)."""
        gamma = sympy.Symbol("gamma")
        half = sympy.Rational(1, 2)
        family = RungeKutta([[gamma, 0], [1 - 2 * gamma, gamma]], [half, half])
        found = design(family, "gradient", order=2, accuracy=3)
        assert {m.A[0, 0] for m in found} == {half + sympy.sqrt(3) / 6, half - sympy.sqrt(3) / 6}

    def test_what_cannot_be_had_is_an_empty_list(self):
        assert design(SecondOrder(), "symplectic", order=5) == []

    def test_bad_input(self):
        with pytest.raises(ValueError, match="no symbols"):
            design(RK4(), "gradient", order=3)
        with pytest.raises(ValueError, match="a structure is one of"):
            design(SecondOrder(), "magnetic", order=3)


def test_conditions_of_a_family_are_expressions_in_its_symbols():
    alpha = sympy.Symbol("alpha")
    assert conditions(modified(SecondOrder(), 3), "gradient", 3) == [alpha / 2 - sympy.Rational(1, 6)]


def test_structure_beyond_the_series_is_refused():
    with pytest.raises(ValueError, match="truncated after order 3"):
        modified(Heun(), 3).is_gradient(4)
