"""Iterates by compiled code against exact arithmetic, SciPy and closed forms; and how a run ends early."""

import math
import pickle
import warnings
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import bea
from bea.numerics import stepping
from bea.numerics.iterates import InterruptedIteration, Path, iterate
from bea.schemes import (
    RK4,
    SCHEMES,
    DormandPrince5,
    ExplicitEuler,
    Gauss2,
    GradientDescent,
    ImplicitEuler,
    ImplicitMidpoint,
    RungeKutta,
    SecondOrder,
    get_scheme,
)
from bea.systems import Loss, VectorField

TABLEAUS = [name for name, scheme in SCHEMES.items() if issubclass(scheme, RungeKutta)]
METHODS = [SecondOrder("3/4") if name == "second-order" else get_scheme(name) for name in TABLEAUS]
EXPLICIT = [method for method in METHODS if method.is_explicit]
IMPLICIT = [method for method in METHODS if not method.is_explicit]

LOTKA_VOLTERRA = VectorField(["p*(2 - q)", "q*(p - 1)"], variables="p q")
PENDULUM = VectorField(["v", "-sin(u) - exp(-w)*v/5", "w*(1 - w) + u/10"], variables="u v w")
TWO_PARAMETERS = Loss("(y - a*b*x)**2 / 2", variables="a b", parameters={"x": 1, "y": "3/5"})


def named(methods):
    return {"argvalues": methods, "ids": [method.name for method in methods]}


class Fractions:
    """Exact arithmetic for explicit methods."""

    def number(self, constant):
        return Fraction(int(constant.p), int(constant.q))


@pytest.mark.parametrize("method", **named(EXPLICIT))
def test_explicit_iterates_are_the_exact_ones(method):
    def field(x):
        return [x[0] * (2 - x[1]), x[1] * (x[0] - 1)]

    path = iterate(LOTKA_VOLTERRA, method, [1.5, 1], 0.125, 5)
    for x, following in pairwise(path.x):
        exact = method.step(field, [Fraction(x[0]), Fraction(x[1])], Fraction(1, 8), Fractions())
        assert np.allclose(following, np.array(exact, dtype=float), rtol=1e-15, atol=0)


@pytest.mark.parametrize("method", **named(IMPLICIT))
def test_implicit_iterates_are_those_of_scipy(method):
    A, b, _ = method.as_floats()
    h, x = 0.3, np.array([0.4, 1.0, 0.2])
    path = iterate(PENDULUM, method, x, h, 4)
    for found in path.x[1:]:

        def stages(K, x=x):
            K = K.reshape(-1, 3)
            return np.ravel([PENDULUM(x + h * row @ K) - k for row, k in zip(A, K, strict=True)])

        K = scipy.optimize.fsolve(stages, np.tile(PENDULUM(x), len(b)), xtol=1e-12)
        x = x + h * b @ K.reshape(-1, 3)
        assert np.allclose(found, x, rtol=0, atol=1e-12)


@pytest.mark.parametrize("h", [0.5, 40])
@pytest.mark.parametrize("method", **named(METHODS))
def test_linear_iterates_are_powers_of_the_stability_function(method, h):
    """x ↦ (a x + c y, b y) is triangular with eigenvalues a and b; at h = 40 it is stiff."""
    field = VectorField(["a*x + c*y", "b*y"], variables="x y", parameters={"a": "-3/2", "b": "1/4", "c": 1})
    a, b, c = sympy.Rational(-3, 2), sympy.Rational(1, 4), 1
    R = method.stability_function()
    powers = [[sympy.sympify(R.subs("z", h * e)) ** n for n in range(6)] for e in (a, b)]
    path = iterate(field, method, [1.0, -2.0], h, 5)
    y = [-2 * r for r in powers[1]]
    x = [r + c * (s - r) * -2 / (b - a) for r, s in zip(*powers, strict=True)]
    exact = np.array([x, y], dtype=float).T
    scale = np.abs(exact).max(axis=1, keepdims=True)
    assert np.all(np.abs(path.x - exact) <= 1e-11 * scale)


@given(
    st.floats(1e-3, 0.08),
    st.tuples(st.floats(-2, 2), st.floats(-2, 2)),
    st.integers(0, 30),
    st.integers(1, 7),
)
@settings(max_examples=50, deadline=None)
def test_gradient_descent_is_its_formula(h, start, steps, record_every):
    a, b = start
    plain = [(a, b)]
    for _ in range(steps):
        r = 0.6 - a * b
        a, b = a + h * r * b, b + h * r * a
        plain.append((a, b))
    path = iterate(TWO_PARAMETERS, GradientDescent(), start, h, steps, record_every=record_every)
    kept = sorted({*range(0, steps + 1, record_every), steps})
    assert np.allclose(path.x, [plain[k] for k in kept], rtol=1e-12, atol=1e-13)
    assert np.allclose(path.t, h * np.array(kept), rtol=1e-15, atol=0)
    assert path.success
    assert path.steps_made == steps


@pytest.mark.parametrize(("h", "end"), [(1e-3, (0.28361, 2.11562)), (1e-2, (0.28792, 2.08391))])
def test_published_limits_of_the_two_parameter_model(h, end):
    path = iterate(TWO_PARAMETERS, GradientDescent(), [2.8, 3.5], h, round(40 / h), record_every=1000)
    assert np.allclose(path.x[-1], end, rtol=0, atol=5e-6)


def test_difference_of_squares_shrinks_by_its_known_factor():
    """a² − b² is multiplied by 1 − h²r² at each step of gradient descent, where r = ab − y."""
    h = 0.05
    a, b = iterate(TWO_PARAMETERS, GradientDescent(), [1.4, 0.9], h, 50).x.T
    factors = 1 - (h * (a * b - 0.6)) ** 2
    difference = a**2 - b**2
    assert np.allclose(difference[1:], difference[:-1] * factors[:-1], rtol=1e-13, atol=0)
    assert not np.allclose(difference[1:], difference[:-1], rtol=1e-6, atol=0)


@pytest.mark.parametrize("method", [RK4(), Gauss2()])
def test_recording_less_changes_nothing_else(method):
    full = iterate(PENDULUM, method, [0.4, 1.0, 0.2], 0.1, 1000)
    sparse = iterate(PENDULUM, method, [0.4, 1.0, 0.2], 0.1, 1000, record_every=300)
    assert full.x.shape == (1001, 3)
    assert np.array_equal(sparse.x, full.x[[0, 300, 600, 900, 1000]])
    assert np.array_equal(sparse.t, full.t[[0, 300, 600, 900, 1000]])


def test_a_path_says_how_it_was_made():
    path = iterate(TWO_PARAMETERS, SecondOrder("2/3"), [1, 1], sympy.Rational(1, 4), 8, parameters={"y": 2})
    assert isinstance(path, Path)
    assert (path.scheme, path.step_size, path.steps) == ("SecondOrder(alpha='2/3')", 0.25, 8)
    assert path.parameters == {"x": 1.0, "y": 2.0}
    assert path.version == bea.__version__
    assert path.message == "made 8 steps"
    assert path.diverged_at is None
    assert np.array_equal(path.t, np.arange(9) / 4)
    with pytest.raises(AttributeError):
        path.steps = 9


def test_no_steps_give_the_start():
    path = iterate(LOTKA_VOLTERRA, RK4(), [1, 2], 0.1, 0)
    assert path.x.tolist() == [[1.0, 2.0]]
    assert path.t.tolist() == [0.0]
    assert path.success


def test_the_start_is_not_changed():
    x0 = np.array([1.0, 2.0])
    iterate(LOTKA_VOLTERRA, RK4(), x0, 0.1, 5)
    assert x0.tolist() == [1.0, 2.0]


def test_stages_that_serve_error_estimates_do_not_matter():
    pair = DormandPrince5()
    bare = RungeKutta(pair.A[:6, :6], pair.b[:6, 0])
    runs = [iterate(PENDULUM, method, [0.4, 1.0, 0.2], 0.1, 9).x for method in (pair, bare)]
    assert np.array_equal(*runs)


def test_a_parameter_that_the_gradient_loses_may_be_given():
    loss = Loss("k*u**2/2 + shift", variables="u")
    path = iterate(loss, GradientDescent(), [1.0], 0.5, 1, parameters={"k": 1, "shift": 3})
    assert path.x[1, 0] == 0.5
    with pytest.raises(ValueError, match="'other' is no parameter"):
        iterate(loss, GradientDescent(), [1.0], 0.5, 1, parameters={"k": 1, "other": 3})


# How a run ends early.


@pytest.mark.parametrize("record_every", [1, 10, 1000])
def test_divergence_stops_the_run_at_the_first_bad_iterate(record_every):
    """x ↦ −2x: the first power of 2 beyond 10¹⁰⁰ is 2³³³."""
    field = VectorField(["-3*x"], variables="x")
    with pytest.warns(RuntimeWarning, match="iterate 333 is not finite or has a component beyond") as caught:
        path = iterate(field, ExplicitEuler(), [1.0], 1, 10**6, record_every=record_every)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert path.diverged_at == 333
    assert not path.success
    assert path.message == "the iterates diverged: iterate 333 is not finite or has a component beyond 1e+100"
    assert path.x[-1, 0] == 2.0**332
    assert path.t[-1] == 332.0
    kept = sorted({*range(0, 333, record_every), 332})
    assert path.x[:, 0].tolist() == [(-2.0) ** k for k in kept]


@pytest.mark.parametrize("method", [GradientDescent(), RK4()])
def test_overflow_inside_a_step_is_divergence(method):
    with pytest.warns(RuntimeWarning, match="diverged"):
        path = iterate(VectorField(["x**5"], variables="x"), method, [10.0], 1, 100)
    assert np.isfinite(path.x).all()
    assert len(path.x) == path.diverged_at < 10


def test_leaving_the_domain_of_the_field_is_divergence():
    """sqrt(x) has no real value after the first step below 0."""
    with pytest.warns(RuntimeWarning, match="iterate 2 is not finite"):
        path = iterate(VectorField(["-sqrt(x)"], variables="x"), ExplicitEuler(), [0.25], 1, 10)
    assert path.x.ravel().tolist() == [0.25, -0.25]


def test_a_step_without_a_solution_stops_the_run():
    """Implicit Euler on ẋ = x² needs a root of h y² − y + x: none is real where 4hx > 1."""
    field = VectorField(["x**2"], variables="x")
    h, x, exact = 0.1, 1.0, [1.0]
    while 4 * h * x < 1:
        x = (1 - math.sqrt(1 - 4 * h * x)) / (2 * h)
        exact.append(x)
    with pytest.warns(RuntimeWarning, match=f"stages of step {len(exact)} could not be solved") as caught:
        path = iterate(field, ImplicitEuler(), [1.0], h, 100)
    assert len(caught) == 1
    assert not path.success
    assert path.diverged_at is None
    assert path.message.startswith(f"the stages of step {len(exact)} could not be solved: after ")
    assert "Newton iterations the residual is" in path.message
    assert np.allclose(path.x[:, 0], exact, rtol=1e-13, atol=0)


def test_a_field_that_is_not_finite_at_a_stage_stops_the_run():
    with pytest.warns(RuntimeWarning, match="after 0 Newton iterations the field is not finite"):
        path = iterate(VectorField(["-1/x"], variables="x"), ImplicitEuler(), [0.0], 10, 3)
    assert len(path.x) == 1


@pytest.mark.parametrize(
    ("component", "function", "start", "h"),
    [
        ("-x**5", lambda y: y**5, 10.0, 1),
        ("-exp(x)", math.exp, 60.0, 1),
        ("-exp(x)", math.exp, 600.0, 1),
        ("-sqrt(x)", math.sqrt, 0.25, 10),
    ],
)
def test_a_slope_that_leads_far_away_is_no_obstacle(component, function, start, h):
    """y + h f(y) = x has one root, which lies far from x − h f(x) or where f is not even defined there."""
    path = iterate(VectorField([component], variables="x"), ImplicitEuler(), [start], h, 1)
    root = scipy.optimize.brentq(lambda y: y + h * function(y) - start, 0, start, xtol=1e-15, rtol=1e-15)
    assert path.success
    assert path.x[1, 0] == pytest.approx(root, rel=1e-13)


def test_a_singular_newton_matrix_stops_the_run():
    with pytest.warns(RuntimeWarning, match="could not be solved: after 0 Newton iterations"):
        path = iterate(VectorField(["x + 1"], variables="x"), ImplicitEuler(), [1.0], 1, 3)
    assert len(path.x) == 1


def test_newton_matrix_with_a_zero_on_its_diagonal():
    """At h = 1 the matrix I − h f' is [[0, −1], [−1, 1]]: elimination must exchange its rows."""
    path = iterate(VectorField(["x + y", "x"], variables="x y"), ImplicitEuler(), [1.0, 2.0], 1, 1)
    exact = np.linalg.solve([[0.0, -1.0], [-1.0, 1.0]], [1.0, 2.0])
    assert np.allclose(path.x[1], exact, rtol=1e-14, atol=0)


def test_newton_is_damped_where_its_full_corrections_would_diverge():
    """y + 10 atan(y) = 5 has one root, to which Newton's method from far away needs damping."""
    field, h = VectorField(["-10*atan(x)"], variables="x"), 1.0

    def undamped(y):
        for _ in range(50):
            y -= (y + 10 * math.atan(y) - 5) / (1 + 10 / (1 + y * y))
        return y

    root = scipy.optimize.brentq(lambda y: y + 10 * math.atan(y) - 5, -100, 100, xtol=1e-15)
    path = iterate(field, ImplicitEuler(), [5.0], h, 1)
    assert path.x[1, 0] == pytest.approx(root, abs=1e-14)
    assert abs(undamped(5 - 10 * math.atan(5)) - root) > 1


def test_implicit_midpoint_keeps_quadratic_invariants_to_rounding():
    """The stages are solved to rounding, so x² + y² drifts by rounding alone."""
    field = VectorField(["-y*(1 + x**2)", "x*(1 + x**2)"], variables="x y")
    radius = np.sum(iterate(field, ImplicitMidpoint(), [1.0, 0.5], 0.1, 10_000).x ** 2, axis=1)
    assert np.abs(radius - 1.25).max() < 1e-12
    drifting = np.sum(iterate(field, RK4(), [1.0, 0.5], 0.1, 10_000).x ** 2, axis=1)
    assert np.abs(drifting - 1.25).max() > 1e-6


def test_an_interrupt_keeps_what_was_computed(monkeypatch):
    compiled, calls = stepping.looped_steps, []

    def interrupted(*arguments):
        status = compiled(*arguments)
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return status

    complete = iterate(LOTKA_VOLTERRA, RK4(), [1.5, 1], 0.01, 1000)
    monkeypatch.setattr(stepping, "looped_steps", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        iterate(LOTKA_VOLTERRA, RK4(), [1.5, 1], 0.01, 1000)
    assert isinstance(caught.value, InterruptedIteration)
    path = caught.value.path
    assert 0 < path.steps_made < 1000
    assert path.message == f"interrupted after {path.steps_made} of 1000 steps"
    assert str(caught.value).startswith(path.message)
    assert pickle.loads(pickle.dumps(caught.value)).path.message == path.message
    assert not path.success
    assert path.diverged_at is None
    assert np.array_equal(path.x, complete.x[: path.steps_made + 1])


# What is refused.

GOOD = {"system": LOTKA_VOLTERRA, "scheme": RK4(), "x0": [1.0, 1.0], "step_size": 0.1, "steps": 3}


@pytest.mark.parametrize(
    ("wrong", "error", "sentence"),
    [
        ({"system": "p*q"}, TypeError, "system must be a VectorField, a Loss or a Game, not str"),
        ({"scheme": RK4}, TypeError, r"scheme must be an instance, such as RK4\(\), not the class"),
        ({"scheme": "rk4"}, TypeError, "scheme must be a bea scheme, such as GradientDescent"),
        ({"scheme": SecondOrder()}, ValueError, "the parameter 'alpha' of second-order has no value"),
        ({"x0": [1.0]}, ValueError, r"x0 must have shape \(2,\), not \(1,\)"),
        ({"x0": [1.0, float("nan")]}, ValueError, "x0 must be finite"),
        ({"x0": ["a", "b"]}, TypeError, "x0 must hold real numbers"),
        ({"step_size": 0}, ValueError, "step_size must be positive and finite, not 0"),
        ({"step_size": -0.1}, ValueError, "step_size must be positive and finite, not -0.1"),
        ({"step_size": float("inf")}, ValueError, "step_size must be positive and finite, not inf"),
        ({"step_size": float("nan")}, ValueError, "step_size must be positive and finite, not nan"),
        ({"step_size": 10**400}, ValueError, "step_size must be positive and finite, not 1000"),
        ({"step_size": "0.1"}, TypeError, "step_size must be a number, not '0.1'"),
        ({"step_size": True}, TypeError, "step_size must be a number, not True"),
        ({"step_size": sympy.Symbol("h")}, TypeError, "step_size must be a real number, not h"),
        ({"steps": -1}, ValueError, "steps must be at least 0, not -1"),
        ({"steps": 1.5}, TypeError, "steps must be an integer, not 1.5"),
        ({"steps": 10**20, "record_every": 10**20}, ValueError, "steps must be at most 9223372036854775807"),
        ({"record_every": 10**20}, ValueError, "record_every must be at most 9223372036854775807"),
        ({"parameters": [("k", 1)]}, TypeError, "parameters are given as a mapping"),
        ({"steps": True}, TypeError, "steps must be an integer, not True"),
        ({"record_every": 0}, ValueError, "record_every must be at least 1, not 0"),
        ({"record_every": "1"}, TypeError, "record_every must be an integer, not '1'"),
        ({"parameters": {"k": 1}}, ValueError, "'k' is no parameter"),
        ({"system": VectorField(["k*p", "q"], variables="p q")}, ValueError, "no value for parameter 'k'"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(wrong, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        iterate(**{**GOOD, **wrong})
    assert "\n" not in str(caught.value)


def test_integers_of_numpy_are_integers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        path = iterate(LOTKA_VOLTERRA, RK4(), np.array([1, 2]), np.float32(0.5), np.int64(3))
    assert path.x.shape == (4, 2)
