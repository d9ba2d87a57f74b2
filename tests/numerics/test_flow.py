"""Flows against SciPy, closed forms and arbitrary precision; and how an integration ends early."""

import math
import signal
from decimal import Decimal
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.integrate
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import bea
from bea.numerics import flows
from bea.numerics.flows import flow
from bea.schemes import (
    RK4,
    BogackiShampine,
    DormandPrince5,
    ExplicitEuler,
    Heun,
    ImplicitEuler,
    Kutta3,
    RungeKutta,
    SecondOrder,
)
from bea.systems import Loss, VectorField

LOTKA_VOLTERRA = VectorField(["p*(2 - q)", "q*(p - 1)"], variables="p q")
LOGISTIC = VectorField(["r*x*(1 - x/K)"], variables="x", parameters={"r": "3/2", "K": 2})
TWO_PARAMETERS = Loss("(y - a*b*x)**2 / 2", variables="a b", parameters={"x": 1, "y": "3/5"})
GROWTH = VectorField(["x"], variables="x")
EXPLOSION = VectorField(["x**2"], variables="x")

METHODS = ("DOP853", "RK45", "RK23")


def lotka_volterra(t, x):
    return [x[0] * (2 - x[1]), x[1] * (x[0] - 1)]


def chain(d: int) -> tuple[VectorField, np.ndarray]:
    """d pendulums in a row, too long for the loops over short vectors, and the same for SciPy."""
    x = sympy.symbols(f"x:{d}")
    field = VectorField([sympy.sin(x[(i + 1) % d]) - x[i] / 4 for i in range(d)], x)
    return field, lambda t, y: np.sin(np.roll(y, -1)) - y / 4


def logistic(t):
    return 2 / (1 + 7 * np.exp(-1.5 * np.asarray(t)))  # x(0) = 1/4


class TestAgainstSciPy:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("span", [(0, 3), (1.5, -2)], ids=["forward", "backward"])
    def test_same_steps(self, method, span):
        ours = flow(LOTKA_VOLTERRA, [2, 1], span, method=method, rtol=1e-6, atol=1e-8, dense_output=True)
        theirs = scipy.integrate.solve_ivp(
            lotka_volterra, span, [2, 1], method=method, rtol=1e-6, atol=1e-8, dense_output=True
        )
        np.testing.assert_allclose(ours.t, theirs.t, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(ours.y, theirs.y, rtol=1e-8)
        assert ours.y.shape == (2, len(ours.t))
        times = np.linspace(*span, 37)
        np.testing.assert_allclose(ours.sol(times), theirs.sol(times), rtol=1e-8)
        np.testing.assert_allclose(ours.sol(times[5]), theirs.sol(times[5]), rtol=1e-8)

    @pytest.mark.parametrize("method", METHODS)
    def test_same_work(self, method):
        ours = flow(LOTKA_VOLTERRA, [2, 1], (0, 20), method=method, rtol=1e-7, atol=1e-7)
        theirs = scipy.integrate.solve_ivp(lotka_volterra, (0, 20), [2, 1], method, rtol=1e-7, atol=1e-7)
        assert (ours.nfev, len(ours.t)) == (theirs.nfev, len(theirs.t))

    @pytest.mark.parametrize("method", METHODS)
    def test_chosen_times(self, method):
        times = np.array([0, 0.1, 0.2, 1.7, 2.9, 3])
        ours = flow(LOTKA_VOLTERRA, [2, 1], (0, 3), method=method, rtol=1e-6, atol=1e-8, t_eval=times)
        theirs = scipy.integrate.solve_ivp(
            lotka_volterra, (0, 3), [2, 1], method=method, rtol=1e-6, atol=1e-8, t_eval=times
        )
        assert (ours.t == times).all()
        np.testing.assert_allclose(ours.y, theirs.y, rtol=1e-8)

    @pytest.mark.parametrize("d", [3, 7, 8, 13])
    def test_dimensions(self, d):
        field, function = chain(d)
        x0 = np.linspace(-1, 2, d)
        tolerances = {"rtol": 1e-4, "atol": [1e-5] * d}
        ours = flow(field, x0, (0, 5), dense_output=True, **tolerances)
        theirs = scipy.integrate.solve_ivp(function, (0, 5), x0, "DOP853", dense_output=True, **tolerances)
        np.testing.assert_allclose(ours.t, theirs.t, rtol=1e-7)
        np.testing.assert_allclose(ours.sol(2.345), theirs.sol(2.345), rtol=1e-7)

    @pytest.mark.parametrize(("scheme", "name"), [(DormandPrince5(), "RK45"), (BogackiShampine(), "RK23")])
    def test_embedded_schemes_are_the_named_methods(self, scheme, name):
        ours, named = (flow(LOTKA_VOLTERRA, [2, 1], (0, 3), method=m, rtol=1e-6) for m in (scheme, name))
        np.testing.assert_allclose(ours.t, named.t, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(ours.y, named.y, rtol=1e-8)
        assert ours.nfev == named.nfev


class TestAccuracy:
    @pytest.mark.parametrize("rtol", [1e-6, 1e-8, 1e-10, 1e-12])
    def test_logistic_equation(self, rtol):
        result = flow(LOGISTIC, [0.25], (0, 10), rtol=rtol, atol=rtol / 100)
        assert abs(result.y[0] / logistic(result.t) - 1).max() < 10 * rtol

    def test_tolerance_matters(self):
        """The test above could fail: with a coarse tolerance the error is far above a fine one."""
        result = flow(LOGISTIC, [0.25], (0, 10), rtol=1e-3, atol=1e-5, method="RK23")
        assert abs(result.y[0] / logistic(result.t) - 1).max() > 1e-5

    def test_parameters_of_the_call_come_first(self):
        result = flow(LOGISTIC, [0.25], (0, 3), {"r": 0.5, "K": 1})
        assert result.y[0, -1] == pytest.approx(1 / (1 + 3 * np.exp(-1.5)), rel=1e-9)

    def test_against_arbitrary_precision(self):
        with mpmath.workdps(30):
            exact = mpmath.odefun(
                lambda t, x: [
                    (mpmath.mpf(3) / 5 - x[0] * x[1]) * x[1],
                    (mpmath.mpf(3) / 5 - x[0] * x[1]) * x[0],
                ],
                0,
                [mpmath.mpf("2.8"), mpmath.mpf("3.5")],
            )(1)
        result = flow(TWO_PARAMETERS, [2.8, 3.5], (0, 1))
        np.testing.assert_allclose(result.y[:, -1], [float(v) for v in exact], rtol=1e-9)

    def test_limit_on_the_zero_loss_set(self):
        result = flow(TWO_PARAMETERS, [2.8, 3.5], (0, 100))
        a, b = result.y[:, -1]
        np.testing.assert_allclose([a, b], [0.28315, 2.11900], atol=6e-6)
        assert a * b == pytest.approx(0.6, rel=1e-9)
        np.testing.assert_allclose(result.y[1] ** 2 - result.y[0] ** 2, 3.5**2 - 2.8**2, rtol=1e-8)

    def test_stiff_decay(self):
        field = VectorField(["-1000*(u - v)", "-v"], variables="u v")
        result = flow(field, [2, 1], (0, 1))
        expected = [1000 / 999 * np.exp(-1), np.exp(-1)]
        np.testing.assert_allclose(result.y[:, -1], expected, rtol=1e-9)

    def test_there_and_back(self):
        there = flow(LOTKA_VOLTERRA, [2, 1], (0, 4)).y[:, -1]
        back = flow(LOTKA_VOLTERRA, there, (4, 0))
        assert back.t[0] == 4
        assert back.t[-1] == 0
        assert (np.diff(back.t) < 0).all()
        np.testing.assert_allclose(back.y[:, -1], [2, 1], rtol=1e-8)

    @settings(max_examples=20, deadline=None)
    @given(
        entries=st.lists(st.integers(-8, 8).map(lambda n: n / 4), min_size=4, max_size=4),
        start=st.lists(st.integers(-8, 8).map(float), min_size=2, max_size=2),
    )
    def test_linear_systems(self, entries, start):
        field = VectorField(["a*x + b*y", "c*x + d*y"], variables="x y")
        result = flow(field, start, (0, 1), dict(zip("abcd", entries, strict=True)))
        expected = scipy.linalg.expm(np.reshape(entries, (2, 2))) @ start
        np.testing.assert_allclose(result.y[:, -1], expected, rtol=1e-8, atol=1e-8)


class TestWithoutAbsoluteTolerance:
    def test_from_zero(self):
        result = flow(VectorField(["1 + x"], "x"), [0.0], (0, 1), atol=0)
        assert result.y[0, -1] == pytest.approx(math.e - 1, rel=1e-9)
        assert len(result.t) < 100

    def test_one_component_from_zero_and_back_through_it(self):
        result = flow(VectorField(["v", "-u"], "u v"), [0.0, 1.0], (0, 10), atol=0)
        np.testing.assert_allclose(result.y[:, -1], [np.sin(10), np.cos(10)], rtol=1e-8)
        assert len(result.t) < 200

    def test_a_component_that_stays_zero(self):
        result = flow(VectorField(["u*v", "-v"], "u v"), [0.0, 1.0], (0, 1), atol=0)
        np.testing.assert_allclose(result.y[:, -1], [0, np.exp(-1)], rtol=1e-9)

    def test_decay_below_the_least_normal_number(self):
        result = flow(VectorField(["-x"], "x"), [1.0], (0, 900), atol=0)
        assert result.success
        assert abs(result.y[0, -1]) < 1e-300

    def test_steps_are_those_of_scipy(self):
        ours = flow(LOTKA_VOLTERRA, [2, 1], (0, 3), rtol=1e-6, atol=0)
        theirs = scipy.integrate.solve_ivp(lotka_volterra, (0, 3), [2, 1], "DOP853", rtol=1e-6, atol=0)
        np.testing.assert_allclose(ours.t, theirs.t, rtol=1e-8)


class TestFixedSteps:
    def test_is_the_method_step_by_step(self):
        result = flow(LOTKA_VOLTERRA, [2, 1], (0, 1), method=RK4(), step_size=0.125)
        x, h = np.array([2.0, 1.0]), 0.125
        f = LOTKA_VOLTERRA
        for state in result.y.T:
            np.testing.assert_allclose(state, x, rtol=1e-13)
            k1 = f(x)
            k2 = f(x + h / 2 * k1)
            k3 = f(x + h / 2 * k2)
            k4 = f(x + h * k3)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        assert result.nfev == 1 + 4 * 8

    @pytest.mark.parametrize(
        ("span", "step_size", "steps"),
        [((0, 1), 0.1, 10), ((0, 0.9), 0.3, 3), ((0, 1), 0.3, 4), ((2, 1), 0.3, 4), ((0, 1), 5, 1)],
    )
    def test_steps_end_at_the_end(self, span, step_size, steps):
        t = flow(LOTKA_VOLTERRA, [2, 1], span, method=Heun(), step_size=step_size).t
        assert t[-1] == span[1]
        assert len(t) == steps + 1
        direction = np.sign(span[1] - span[0])
        np.testing.assert_allclose(t[:-1], span[0] + direction * step_size * np.arange(steps), rtol=1e-15)

    @pytest.mark.parametrize(
        ("method", "order", "steps"),
        [
            (ExplicitEuler(), 1, 256),
            (Heun(), 2, 32),
            (Kutta3(), 3, 16),
            (RK4(), 4, 16),
            (DormandPrince5(), 5, 16),
            ("DOP853", 8, 4),
        ],
        ids=str,
    )
    def test_order(self, method, order, steps):
        counts = steps * np.array([2, 3, 4, 6]) // 2
        ends = [flow(GROWTH, [1], (0, 2), method=method, step_size=2 / n).y[0, -1] for n in counts]
        slope = -np.polyfit(np.log(counts), np.log(abs(ends / np.exp(2) - 1)), 1)[0]
        assert abs(slope - order) < 0.2

    @pytest.mark.parametrize(
        ("method", "order"), [(RK4(), 4), ("RK23", 4), ("RK45", 5), ("DOP853", 8)], ids=str
    )
    def test_order_of_dense_output(self, method, order):
        """Within one step the error of an interpolant of degree q is O(h^(q + 1))."""
        steps = np.array([4, 3, 2.5, 2, 1.5]) * (0.1 if order == 8 else 0.04)
        errors = []
        for h in steps:
            t = h * np.array([0.2, 0.37, 0.7])
            errors.append(
                abs(
                    flow(GROWTH, [1], (0, h), method=method, step_size=h, t_eval=t).y[0] / np.exp(t) - 1
                ).max()
            )
        slope = np.polyfit(np.log(steps), np.log(errors), 1)[0]
        assert abs(slope - order) < 0.2


class TestEarlyEnds:
    def test_blow_up(self):
        with pytest.warns(RuntimeWarning, match="too small at t = 1"):
            result = flow(EXPLOSION, [1], (0, 2))
        assert (result.success, result.status) == (False, -1)
        assert result.t[-1] == pytest.approx(1, abs=1e-9)
        early = result.t < 0.9
        np.testing.assert_allclose(result.y[0, early], 1 / (1 - result.t[early]), rtol=1e-8)
        assert np.isfinite(result.y).all()

    def test_blow_up_with_fixed_steps(self):
        with pytest.warns(RuntimeWarning, match=r"not finite just after t = 1\."):
            result = flow(EXPLOSION, [1], (0, 9), method=RK4(), step_size=0.1)
        assert (result.success, result.status) == (False, -2)
        assert np.isfinite(result.y).all()

    def test_blow_up_with_chosen_times_keeps_those_before(self):
        with pytest.warns(RuntimeWarning, match="too small"):
            result = flow(EXPLOSION, [1], (0, 2), t_eval=[0.1, 0.5, 0.9, 1.1, 1.5], dense_output=True)
        assert result.t.tolist() == [0.1, 0.5, 0.9]
        np.testing.assert_allclose(result.y[0], 1 / (1 - result.t), rtol=1e-8)
        assert result.sol(0.55)[0] == pytest.approx(1 / 0.45, rel=1e-8)
        with pytest.raises(ValueError, match="where the solution is known"):
            result.sol(1.5)

    def test_edge_of_the_domain(self):
        with pytest.warns(RuntimeWarning, match="not finite just after t = 1.99"):
            result = flow(VectorField(["-sqrt(x)"], variables="x"), [1], (0, 3))
        assert result.status == -2
        assert np.isfinite(result.y).all()

    def test_field_not_finite_at_the_start(self):
        with pytest.warns(RuntimeWarning, match="not finite just after t = 0"):
            result = flow(VectorField(["1/x"], variables="x"), [0], (0, 3), dense_output=True)
        assert result.t.tolist() == [0]
        assert result.y.tolist() == [[0]]
        assert result.sol is None

    def test_too_many_steps(self):
        with pytest.warns(RuntimeWarning, match="in max_steps = 300 steps"):
            result = flow(LOTKA_VOLTERRA, [2, 1], (0, 1e6), max_steps=300)
        assert result.status == -3
        assert 0 < result.t[-1] < 1e6
        assert len(result.t) <= 301

    def test_just_enough_steps(self):
        assert flow(LOTKA_VOLTERRA, [2, 1], (0, 1), method=RK4(), step_size=0.1, max_steps=10).success
        with pytest.warns(RuntimeWarning, match="in max_steps = 9 steps"):
            result = flow(LOTKA_VOLTERRA, [2, 1], (0, 1), method=RK4(), step_size=0.1, max_steps=9)
        assert len(result.t) == 10


class TestChunks:
    def test_an_interrupt_is_heard(self):
        def interrupt(number, frame):
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(KeyboardInterrupt):
                flow(LOTKA_VOLTERRA, [2, 1], (0, 1e12), t_eval=[], max_steps=10**12)
        finally:
            signal.signal(signal.SIGALRM, before)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("sizes", [(1, 1), (3, 7), (2, 100)])
    def test_do_not_change_the_result(self, method, sizes, monkeypatch):
        """A field with fast and slow phases, so that steps are rejected, too."""
        van_der_pol = VectorField(["v", "20*(1 - u**2)*v - u"], variables="u v")
        times = np.linspace(0, 50, 11)
        arguments = {"method": method, "rtol": 1e-5, "atol": 1e-7, "dense_output": True}
        whole = flow(van_der_pol, [2, 0], (0, 50), **arguments)
        chosen = flow(van_der_pol, [2, 0], (0, 50), t_eval=times, **arguments)
        monkeypatch.setattr(flows, "_FIRST_CHUNK", sizes[0])
        monkeypatch.setattr(flows, "_LAST_CHUNK", sizes[1])
        pieces = flow(van_der_pol, [2, 0], (0, 50), **arguments)
        assert np.array_equal(whole.t, pieces.t)
        assert np.array_equal(whole.y, pieces.y)
        assert np.array_equal(whole.sol(times), pieces.sol(times))
        assert whole.nfev == pieces.nfev
        assert whole.nfev > 12 * len(whole.t) or method != "DOP853"
        assert np.array_equal(chosen.y, flow(van_der_pol, [2, 0], (0, 50), t_eval=times, **arguments).y)

    def test_many_steps(self):
        field = VectorField(["v", "-u"], variables="u v")
        result = flow(field, [1, 0], (0, 300), method=ExplicitEuler(), step_size=1e-3)
        assert len(result.t) == 300_001
        np.testing.assert_allclose(np.hypot(*result.y[:, -1]), (1 + 1e-6) ** 150_000, rtol=1e-9)


class TestArguments:
    def test_a_loss_stands_for_its_gradient_flow(self):
        of_loss = flow(TWO_PARAMETERS, [2.8, 3.5], (0, 1))
        of_field = flow(TWO_PARAMETERS.field, [2.8, 3.5], (0, 1))
        assert np.array_equal(of_loss.y, of_field.y)

    def test_a_parameter_that_the_gradient_loses(self):
        loss = Loss("a**2/2 + shift", variables="a")
        assert flow(loss, [1], (0, 1), {"shift": 3}).y[0, -1] == pytest.approx(np.exp(-1), rel=1e-9)

    def test_result_is_that_of_scipy(self):
        ours = flow(LOTKA_VOLTERRA, [2, 1], (0, 1))
        theirs = scipy.integrate.solve_ivp(lotka_volterra, (0, 1), [2, 1])
        assert set(ours) == set(theirs) - {"t_events", "y_events"}
        assert isinstance(ours, scipy.optimize.OptimizeResult)
        assert ours.message == "The flow reached t = 1."

    def test_is_the_public_one(self):
        assert bea.flow is flow

    @pytest.mark.parametrize("times", [None, [], [2]])
    def test_no_time_at_all(self, times):
        result = flow(LOTKA_VOLTERRA, [2, 1], (2, 2), t_eval=times)
        expected = [2] if times is None else times
        assert result.success
        assert result.t.tolist() == expected
        assert result.y.tolist() == [[2] * len(expected), [1] * len(expected)]

    def test_no_chosen_times(self):
        assert flow(LOTKA_VOLTERRA, [2, 1], (0, 1), t_eval=[]).y.shape == (2, 0)

    def test_start_is_not_changed(self):
        x0 = np.array([2.0, 1.0])
        flow(LOTKA_VOLTERRA, x0, (0, 1))
        assert x0.tolist() == [2, 1]

    @pytest.mark.parametrize(
        "start", [Fraction(1, 4), sympy.Rational(1, 4), sympy.sqrt(2) / 8, Decimal("0.25")]
    )
    def test_exact_numbers_are_a_start(self, start):
        exact, rounded = (flow(LOGISTIC, [x], (0, 1)).y for x in (start, float(start)))
        assert np.array_equal(exact, rounded)

    def test_rtol_below_rounding_is_raised(self):
        with pytest.warns(UserWarning, match="below rounding"):
            result = flow(LOGISTIC, [0.25], (0, 1), rtol=1e-20, atol=0)
        assert result.success

    def test_native_source(self):
        source = "out[0] = data[0]*x[1]\nout[1] = -p[0]*x[0]"
        field = VectorField(["v", "-w*u"], "u v", {"w": 1}, native_source=source, native_data=[1])
        np.testing.assert_allclose(flow(field, [1, 0], (0, 2)).y[:, -1], [np.cos(2), -np.sin(2)], rtol=1e-9)

    @pytest.mark.parametrize(
        ("change", "error", "sentence"),
        [
            ({"field": lambda t, x: x}, TypeError, "must be a VectorField, a Loss or a Game, not function"),
            ({"x0": [1]}, ValueError, r"x0 must have shape \(2,\)"),
            ({"x0": [1, np.nan]}, ValueError, "x0 must be finite"),
            ({"x0": ["one", "two"]}, TypeError, "x0 must hold real numbers"),
            ({"t_span": 3}, ValueError, "t_span must be a pair"),
            ({"t_span": (0, np.inf)}, ValueError, "t_span must be a pair"),
            ({"t_span": (0, 1, 2)}, ValueError, "t_span must be a pair"),
            ({"t_span": "ab"}, ValueError, "t_span must be a pair"),
            ({"rtol": 0}, ValueError, "rtol must be a positive number, not 0"),
            ({"rtol": "small"}, ValueError, "rtol must be a positive number, not 'small'"),
            ({"rtol": np.nan}, ValueError, "rtol must be a positive number"),
            ({"atol": -1}, ValueError, "atol must be finite and not negative"),
            ({"atol": [1, 2, 3]}, ValueError, "atol must be a number or 2 numbers"),
            ({"atol": None}, ValueError, "atol must be a number or 2 numbers"),
            ({"t_eval": [0.5, 2]}, ValueError, r"t_eval must lie within t_span = \(0.0, 1.0\)"),
            ({"t_eval": [np.nan]}, ValueError, "t_eval must lie within"),
            ({"t_eval": [0.5, 0.2]}, ValueError, "t_eval must be in the order of integration"),
            ({"t_eval": [0.5, 0.5]}, ValueError, "without repetition"),
            ({"t_span": (1, 0), "t_eval": [0.2, 0.5]}, ValueError, "in the order of integration"),
            ({"t_eval": 0.5}, ValueError, "t_eval must be a sequence"),
            ({"t_eval": ["a"]}, ValueError, "t_eval must be a sequence of numbers"),
            ({"method": "euler"}, ValueError, "one of DOP853, RK45, RK23 or a scheme, not 'euler'"),
            ({"method": 5}, TypeError, "a name or a Runge–Kutta scheme, not int"),
            ({"method": RK4()}, ValueError, "rk4 has no embedded weights"),
            ({"method": ImplicitEuler(), "step_size": 0.1}, ValueError, "implicit-euler is implicit"),
            ({"method": SecondOrder(), "step_size": 0.1}, ValueError, "'alpha' .* has no value"),
            ({"step_size": 0}, ValueError, "step_size must be a positive number"),
            ({"step_size": np.inf}, ValueError, "step_size must be a positive number"),
            ({"method": RK4(), "step_size": 1e-300}, ValueError, "step_size = 1e-300 would take more steps"),
            ({"method": RK4(), "step_size": 5e-324}, ValueError, "would take more steps over t_span than"),
            ({"parameters": [("k", 1)]}, TypeError, "parameters are given as a mapping"),
            ({"x0": [sympy.Symbol("a"), 1]}, TypeError, "x0 must hold real numbers"),
            ({"x0": [sympy.I, 1]}, TypeError, "x0 must hold real numbers"),
            ({"max_steps": 0}, ValueError, "max_steps must be a positive integer"),
            ({"max_steps": 1.5}, ValueError, "max_steps must be a positive integer"),
            ({"parameters": {"r": 1}}, ValueError, "'r' is no parameter"),
            ({"field": VectorField(["x", "k*y"], "x y")}, ValueError, "no value for parameter 'k'"),
        ],
    )
    def test_bad_ones_are_refused_in_a_sentence(self, change, error, sentence):
        arguments = {"field": LOTKA_VOLTERRA, "x0": [2, 1], "t_span": (0, 1)} | change
        with pytest.raises(error, match=sentence):
            flow(**arguments)

    def test_an_own_tableau(self):
        scheme = RungeKutta([[0, 0], ["2/3", 0]], ["1/4", "3/4"], b_hat=[1, 0], order=2)
        result = flow(LOGISTIC, [0.25], (0, 2), method=scheme, rtol=1e-6, atol=1e-8)
        assert result.y[0, -1] == pytest.approx(float(logistic(2)), rel=1e-4)


class TestDenseOutput:
    def test_knows_its_interval(self):
        sol = flow(LOGISTIC, [0.25], (3, 1), dense_output=True).sol
        assert (sol.t_min, sol.t_max) == (1, 3)
        assert sol(3)[0] == 0.25
        with pytest.raises(ValueError, match=r"between 1.0 and 3.0"):
            sol([2, 3.5])
        with pytest.raises(ValueError, match="must lie between"):
            sol(np.nan)
        with pytest.raises(ValueError, match="a sequence of numbers"):
            sol([[2.0]])

    def test_follows_the_closed_form(self):
        sol = flow(LOGISTIC, [0.25], (0, 10), dense_output=True).sol
        times = np.linspace(0, 10, 1001)
        np.testing.assert_allclose(sol(times)[0], logistic(times), rtol=1e-8)
