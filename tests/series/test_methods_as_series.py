"""Methods as series: rules, partitioned and additive methods, Rosenbrock methods, continuous stages."""

from fractions import Fraction
from math import prod

import elementary_differentials
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from bea.schemes import (
    RK4,
    ExplicitEuler,
    GradientDescent,
    Heun,
    ImplicitEuler,
    LobattoIIIB2,
    RungeKutta,
    SecondOrder,
    Trapezoidal,
)
from bea.series import (
    FieldSeries,
    FlowSeries,
    RootedTree,
    bseries,
    continuous_stage,
    effective_order,
    pseries,
    rooted_trees,
    rosenbrock,
)

few = settings(max_examples=10, deadline=None)
fractions = st.fractions(min_value=-2, max_value=2, max_denominator=6)
h, y, z = sympy.symbols("h y z")


class TestRules:
    def test_exact_flow(self):
        exact = FlowSeries.exact(order=8)
        assert all(value == Rational(1, tree.density) for tree, value in exact.items())

    def test_average_vector_field(self):
        """The energy of a quadratic field is kept, and so is that of ½p² + q⁴ to the order of the series."""
        series = FlowSeries.average_vector_field(order=5)
        by_rule = FlowSeries.from_rule(lambda tree, a: prod(a, start=Fraction(1, len(a) + 1)), order=5)
        assert series == by_rule
        energy, field = z**2 / 2 + y**4, [z, -4 * y**3]
        terms = elementary_differentials.evaluated(series.log(), [field], [y, z])
        for term in terms:
            rate = sum(sympy.diff(energy, x) * f for x, f in zip((y, z), term, strict=True))
            assert sympy.expand(rate) == 0

    def test_another_method_does_not_keep_energy(self):
        terms = elementary_differentials.evaluated(bseries(RK4(), order=5).log(), [[z, -4 * y**3]], [y, z])
        assert sympy.expand(4 * y**3 * terms[4][0] + z * terms[4][1]) != 0

    @pytest.mark.parametrize("A", ["tau", "1/2", "tau*sigma + tau**2/3"])
    def test_continuous_stages(self, A):
        """Σ over τ of ∫ b(τ) Π_i ∫ A(τ, σ) Φ(τ_i)(σ) dσ dτ, from the definition."""
        tau, sigma = sympy.symbols("tau sigma")
        kernel, weight = sympy.sympify(A, locals={"tau": tau, "sigma": sigma}), 2 * tau

        def stage(tree):
            inner = (kernel * stage(child).subs(tau, sigma) for child in tree.children)
            return prod((sympy.integrate(f, (sigma, 0, 1)) for f in inner), start=sympy.Integer(1))

        series = continuous_stage(A, "2*tau", order=4)
        for n in range(1, 5):
            for tree in rooted_trees(n):
                assert series[tree] == sympy.integrate(weight * stage(tree), (tau, 0, 1))

    def test_continuous_stages_with_a_parameter(self):
        series = continuous_stage("theta*tau + (1 - theta)/2", order=4)
        assert series.with_parameters(theta=1) == FlowSeries.average_vector_field(order=4)
        assert series.with_parameters(theta=0) == continuous_stage("1/2", order=4)

    def test_continuous_stages_remember_them(self):
        series = continuous_stage("tau", order=5)
        field = series.modifying_integrator()
        assert field == FlowSeries.average_vector_field(order=5).modifying_integrator()

    def test_continuous_stages_that_vanish(self):
        """Without any inner stage only the single vertex counts: the explicit Euler method."""
        for order in (1, 3):
            assert continuous_stage(0, order=order) == bseries(ExplicitEuler(), order=order)

    def test_continuous_stages_must_be_polynomials(self):
        with pytest.raises(ValueError, match="A must be a polynomial in tau and sigma"):
            continuous_stage("1/(1 + tau)")
        with pytest.raises(ValueError, match="b must be a polynomial in tau alone"):
            continuous_stage("tau", "sigma")

    def test_a_rule_must_return_numbers(self):
        with pytest.raises(TypeError, match="the coefficient of • must be a number"):
            FlowSeries.from_rule(lambda tree, a: None, order=2)

    def test_a_rule_may_use_symbols_and_floats(self):
        theta = sympy.Symbol("theta")
        series = FlowSeries.from_rule(lambda tree, a: prod(a, start=theta ** len(a)), order=3)
        assert series[RootedTree([1, 2, 2])] == theta**2
        assert FlowSeries.from_rule(lambda tree, a: 0.5, order=2)[RootedTree([1])] == 0.5


class TestRungeKutta:
    def test_other_schemes_are_refused(self):
        with pytest.raises(TypeError, match=r"write GradientDescent\(\) with its parentheses"):
            bseries(GradientDescent)
        with pytest.raises(TypeError, match="a B-series is known for Runge–Kutta methods"):
            bseries("rk4")
        with pytest.raises(TypeError, match="a B-series is known for Runge–Kutta methods"):
            bseries(None)

    @pytest.mark.parametrize("order", [0, -3, 2.5, "4"])
    def test_the_order_is_a_positive_integer(self, order):
        with pytest.raises(ValueError, match="the order must be a positive integer"):
            bseries(RK4(), order=order)

    def test_one_order_only(self):
        assert dict(bseries(RK4(), order=1)) == dict(FlowSeries.identity(1)) | {RootedTree([1]): 1}


class TestPSeries:
    def test_one_method_for_all_colours_forgets_them(self):
        series, plain = pseries([RK4(), RK4(), RK4()], order=4), bseries(RK4(), order=4)
        assert len(series) == 1 + 3 + 9 + 45 + 246
        assert all(value == plain[RootedTree(tree.level_sequence)] for tree, value in series.items())

    def test_one_colour(self):
        assert pseries([RK4()], order=5) == bseries(RK4(), order=5)

    @pytest.mark.parametrize("swapped", [False, True])
    def test_symplectic_euler_on_a_system(self, swapped):
        """y₁ = y + h f(y, z₁), z₁ = z + h g(y): the stages of y are explicit, those of z implicit."""
        f, g = y * z + z**2, 1 - y**2
        methods = [ExplicitEuler(), ImplicitEuler()]
        series = pseries(methods[::-1] if swapped else methods, order=4)
        step = [h * f.subs(z, z + h * g), h * g]
        terms = elementary_differentials.evaluated(series, [[f, 0], [0, g]], [y, z])
        sums = [sum(term[i] * h**n for n, term in enumerate(terms, start=1)) for i in range(2)]
        agree = [sympy.expand(total - value) == 0 for total, value in zip(sums, step, strict=True)]
        assert all(agree) != swapped

    def test_the_modified_equation_of_the_symplectic_euler_method_is_hamiltonian(self):
        """In the plane a field is Hamiltonian if its divergence vanishes."""
        parts = [[z, 0], [0, -3 * y**2]]
        methods = [ExplicitEuler(), ImplicitEuler()]
        terms = elementary_differentials.evaluated(pseries(methods, order=4).log(), parts, [y, z])
        assert all(sympy.expand(sympy.diff(u, y) + sympy.diff(v, z)) == 0 for u, v in terms)
        assert terms[1] != [0, 0]
        explicit = pseries([ExplicitEuler(), ExplicitEuler()], order=2).log()
        u, v = elementary_differentials.evaluated(explicit, parts, [y, z])[1]
        assert sympy.expand(sympy.diff(u, y) + sympy.diff(v, z)) != 0

    def test_stoermer_verlet(self):
        """The pair Lobatto IIIA–IIIB of two stages is symmetric and of order 2."""
        series = pseries([Trapezoidal(), LobattoIIIB2()], order=5)
        assert series.adjoint() == series
        assert series.order_of_accuracy() == 2
        assert not any(any(series.log().terms(n).values()) for n in (2, 4))

    def test_composition_of_partitioned_methods(self):
        """Two half steps of the symplectic Euler methods, in turn, are the Störmer–Verlet method."""
        first = pseries([ExplicitEuler(), ImplicitEuler()], order=5).scale("1/2")
        second = pseries([ImplicitEuler(), ExplicitEuler()], order=5).scale("1/2")
        verlet = pseries([Trapezoidal(), LobattoIIIB2()], order=5)
        assert verlet in (first @ second, second @ first)
        assert first @ first != verlet

    @few
    @given(fractions, fractions)
    def test_group(self, a, b):
        s = pseries([RungeKutta([[a]], [1]), RungeKutta([[b]], [1])], order=4)
        assert s.log().exp() == s
        assert s @ s.inverse() == FlowSeries.identity(4, colours=2)
        assert FlowSeries.exact(4, colours=2).log() == FieldSeries.original(4, colours=2)

    def test_additive_methods(self):
        """ẏ = f(y) + g(y): the stage Y = y + h g(Y) with linear g solved by hand, then y₁ = Y + h f(Y)."""
        f, g = y**2, -y
        stage = y / (1 + h)
        exact_step = sympy.series(stage + h * f.subs(y, stage), h, 0, 5).removeO()
        series = pseries([ExplicitEuler(), ImplicitEuler()], order=4)
        terms = elementary_differentials.evaluated(series, [[f], [g]], [y])
        total = y + sum(term[0] * h**n for n, term in enumerate(terms, start=1))
        assert sympy.expand(total - exact_step) == 0

    def test_methods_must_match(self):
        with pytest.raises(ValueError, match=r"one number of stages, not \[1, 2\]"):
            pseries([ExplicitEuler(), Heun()])
        with pytest.raises(ValueError, match="at least one"):
            pseries([])
        with pytest.raises(TypeError, match="Runge–Kutta"):
            pseries([ExplicitEuler(), "heun"])


class TestRosenbrock:
    def test_without_gamma_it_is_a_runge_kutta_method(self):
        A, b = [[0, 0], ["1/2", 0]], ["1/4", "3/4"]
        assert rosenbrock(A, [[0, 0], [0, 0]], b, order=5) == bseries(RungeKutta(A, b), order=5)

    @few
    @given(fractions, fractions, fractions)
    def test_one_step_on_the_riccati_equation(self, gamma, mixed, alpha):
        """k_i = h f(y + Σ α_ij k_j) + h f'(y) Σ γ_ij k_j on ẏ = y², expanded in h."""
        f, slope = y**2, 2 * y
        k1 = h * f / (1 - h * slope * gamma)
        k2 = (h * f.subs(y, y + alpha * k1) + h * slope * mixed * k1) / (1 - h * slope * gamma)
        step = sympy.series(sympy.together(Rational(1, 3) * k1 + Rational(2, 3) * k2), h, 0, 5).removeO()
        series = rosenbrock([[0, 0], [alpha, 0]], [[gamma, 0], [mixed, gamma]], ["1/3", "2/3"], order=4)
        terms = elementary_differentials.evaluated(series, [[f]], [y])
        total = sum(term[0] * h**n for n, term in enumerate(terms, start=1))
        assert sympy.expand(total - step) == 0

    def test_a_family_of_order_two_for_any_gamma(self):
        """ROS2 of Verwer, Spee, Blom and Hundsdorfer (1999), SIAM J. Sci. Comput. 20, 1456–1480."""
        gamma = sympy.Symbol("gamma")
        series = rosenbrock([[0, 0], [1, 0]], [[gamma, 0], [-2 * gamma, gamma]], ["1/2", "1/2"], order=3)
        assert series.order_of_accuracy() == 2
        tall = series.error_constants()[RootedTree([1, 2, 3])]
        assert sympy.expand(tall - (gamma - gamma**2 - Rational(1, 6))) == 0

    def test_shapes_must_fit(self):
        with pytest.raises(ValueError, match="alpha and gamma must have one shape"):
            rosenbrock([[0]], [[0, 0], [0, 0]], [1])
        with pytest.raises(ValueError, match="b must have one entry for each"):
            rosenbrock([[0]], [[1]], [1, 2])


class TestEffectiveOrder:
    @few
    @given(st.lists(fractions, min_size=3, max_size=3))
    def test_conjugates_of_rk4(self, values):
        a, b, c = values
        change = bseries(RungeKutta([[a, b], [c, a]], ["1/3", "2/3"]), order=5)
        spoilt = change @ bseries(RK4(), order=5) @ change.inverse()
        found = effective_order(spoilt)
        assert found.order == 4
        conjugate = found.processor @ spoilt @ found.processor.inverse()
        assert conjugate.order_of_accuracy() == 4

    def test_explicit_euler_and_heun(self):
        """An explicit method with fewer stages than p has no effective order p; Butcher (1969)."""
        assert effective_order(bseries(ExplicitEuler(), order=4)).order == 1
        assert effective_order(bseries(Heun(), order=4)).order == 2

    def test_takahashi_imada_like_weights(self):
        """A field that differs from f by a bracket [f, x] at order 3 has effective order 3."""
        f = FieldSeries.original(order=4)
        x = FieldSeries({RootedTree([1, 2]): "2/7"}, order=4)
        method = (f + f.bracket(x)).exp()
        assert method.order_of_accuracy() == 2
        assert effective_order(method).order >= 3

    def test_the_exact_flow(self):
        assert effective_order(FlowSeries.exact(4)).order == 4

    def test_bad_inputs(self):
        with pytest.raises(TypeError, match="the effective order of a FlowSeries"):
            effective_order(RK4())
        with pytest.raises(ValueError, match="rational coefficients only"):
            effective_order(bseries(SecondOrder()))
        with pytest.raises(ValueError, match="one colour only"):
            effective_order(pseries([RK4(), RK4()], order=3))
        with pytest.raises(ValueError, match="not consistent"):
            effective_order(FlowSeries({RootedTree([1]): 2}, order=3))
