"""Flows and iterates in arbitrary precision against closed forms, mpmath, SciPy and exact rationals."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import scipy.integrate
import sympy
from flint import arb, ctx

import bea
from bea.numerics import arbitrary
from bea.schemes import (
    RK4,
    ExplicitEuler,
    Gauss2,
    GradientDescent,
    ImplicitEuler,
    ImplicitMidpoint,
    RadauIIA3,
)

a, b, x, y, c = sympy.symbols("a b x y c")
DIGITS = 70
BITS = 200


def precise(value):
    """A ball's midpoint as an mpmath number."""
    mantissa, exponent = value.mid().man_exp()
    return mpmath.ldexp(mpmath.mpf(int(mantissa)), int(exponent))


def relative_error(value, expected):
    return abs(precise(value) - expected) / abs(expected)


@pytest.fixture(autouse=True)
def _digits():
    with mpmath.workdps(DIGITS):
        yield


# Flows


@pytest.mark.parametrize("bits", [53, 200, 600])
@pytest.mark.parametrize("t", [1, -2, "1/7", 30])
def test_logistic_flow(bits, t):
    with mpmath.workdps(320):
        end = arbitrary.flow(bea.VectorField([x * (1 - x)], [x]), ["1/4"], t, bits=bits)
        exact = 1 / (1 + 3 * mpmath.exp(-mpmath.mpf(int(sympy.Rational(t).p)) / int(sympy.Rational(t).q)))
        assert relative_error(end[0], exact) < mpmath.mpf(2) ** (6 - bits)


def test_linear_flow_is_the_matrix_exponential():
    matrix = [[-1, 2, 0], [-3, -1, 1], [0, 1, -2]]
    variables = sympy.symbols("u v w")
    field = bea.VectorField(list(sympy.Matrix(matrix) * sympy.Matrix(variables)), variables)
    end = arbitrary.flow(field, [1, -2, "1/3"], "3/2")
    exact = mpmath.expm(mpmath.matrix(matrix) * mpmath.mpf("1.5")) * mpmath.matrix([1, -2, mpmath.mpf(1) / 3])
    assert max(abs(precise(e) - s) for e, s in zip(end, exact, strict=True)) < mpmath.mpf(2) ** (8 - BITS)


def test_gradient_flow_conserves_the_difference_of_squares():
    loss = bea.Loss((sympy.Rational(3, 5) - a * b) ** 2 / 2, [a, b])
    p, q = map(precise, arbitrary.flow(loss, [2.8, 3.5], 1))
    assert abs(p**2 - q**2 - (mpmath.mpf("2.8") ** 2 - mpmath.mpf("3.5") ** 2)) < mpmath.mpf(2) ** (10 - BITS)
    assert abs(p * q - mpmath.mpf("0.6")) > 1e-4, "the flow has not merely stayed on the zero-loss set"


def test_flow_before_a_singularity():
    end = arbitrary.flow(bea.VectorField([x**2], [x]), [1], "999/1000")
    assert relative_error(end[0], mpmath.mpf(1000)) < mpmath.mpf(2) ** (24 - BITS)


def test_flow_past_a_singularity_is_refused():
    with pytest.raises(
        ValueError, match=r"cannot be continued to t = 2, since it becomes singular near t = 1$"
    ):
        arbitrary.flow(bea.VectorField([x**2], [x]), [1], 2)


def test_too_many_steps_are_refused():
    with pytest.raises(ValueError, match=r"the flow came only to t = 0\.\d+ in 3 steps"):
        arbitrary.flow(bea.VectorField([-(x**3)], [x]), [1], 100, max_steps=3)


def test_a_singularity_left_behind_does_not_stop_the_flow():
    """√x from 1e-30 is analytic only within 2e-15 of the start, and ever farther after it."""
    end = arbitrary.flow(bea.VectorField([sympy.sqrt(x)], [x]), ["1e-30"], 1, bits=100)
    assert relative_error(end[0], (mpmath.mpf("1e-15") + mpmath.mpf(1) / 2) ** 2) < mpmath.mpf(2) ** -60


def test_zero_coefficients_do_not_end_a_series_too_early():
    """ẋ = 1, ẏ = x¹⁰ from the origin: all coefficients from the second to the tenth vanish."""
    end = arbitrary.flow(bea.VectorField([1, x**10], [x, y]), [0, 0], "6/5")
    assert relative_error(end[1], mpmath.mpf("1.2") ** 11 / 11) < mpmath.mpf(2) ** (4 - BITS)


def test_equilibrium_stays():
    assert list(arbitrary.flow(bea.VectorField([x * (1 - x)], [x]), [1], 10)) == [1]


def test_an_irrational_equilibrium_stays_where_rounding_puts_it():
    end = arbitrary.flow(bea.VectorField([2 - x**2], [x]), [sympy.sqrt(2)], 1000)
    assert relative_error(end[0], mpmath.sqrt(2)) < mpmath.mpf(2) ** (2 - BITS)


def test_no_time_no_motion():
    assert list(arbitrary.flow(bea.VectorField([x], [x]), [3], 0)) == [3]


def test_elementary_field_against_scipy():
    components = [sympy.tanh(a * b) - b, sympy.exp(-a) * sympy.sqrt(1 + b**2)]
    field = bea.VectorField(components, [a, b])
    reference = scipy.integrate.solve_ivp(
        lambda t, p: [np.tanh(p[0] * p[1]) - p[1], np.exp(-p[0]) * np.sqrt(1 + p[1] ** 2)],
        (0, 0.7), [0.4, 0.8], method="DOP853", rtol=1e-13, atol=1e-13,
    )  # fmt: skip
    end = [float(v) for v in arbitrary.flow(field, [0.4, 0.8], 0.7, bits=100)]
    np.testing.assert_allclose(end, reference.y[:, -1], rtol=1e-11)


def test_pendulum_against_mpmath():
    with mpmath.workdps(22):
        solution = mpmath.odefun(lambda t, p: [p[1], -mpmath.sin(p[0])], 0, [1, 0], tol=mpmath.mpf(10) ** -18)
        expected = solution(mpmath.mpf(1) / 2)
    end = arbitrary.flow(bea.VectorField([y, -sympy.sin(x)], [x, y]), [1, 0], "1/2", bits=100)
    assert max(abs(precise(e) - s) for e, s in zip(end, expected, strict=True)) < 1e-17


def test_guard_bits_grow_with_cancellation():
    """10³⁰ (x − 1)⁸, multiplied out, loses a hundred bits near x = 1."""
    field = bea.VectorField([sympy.expand(10**30 * (x - 1) ** 8)], [x])
    end = arbitrary.flow(field, ["10001/10000"], "1/1000", bits=100)
    exact = 1 + (3 * mpmath.mpf(10) ** 27) ** (-mpmath.mpf(1) / 7)
    assert relative_error(end[0], exact) < mpmath.mpf(2) ** -95


def test_hopeless_cancellation_is_refused():
    field = bea.VectorField([sympy.expand(10**600 * (x - 1) ** 8) - x], [x])
    with pytest.raises(
        ValueError, match="cancellation uses up 1024 guard bits, so 53 bits cannot be reached"
    ):
        arbitrary.flow(field, [1 + Fraction(1, 10**80)], "1/1000", bits=53)


@pytest.mark.parametrize(
    ("component", "start"), [(sympy.sqrt(x), 0), (sympy.log(x), -1), (1 / x, 0), (sympy.asin(x), 2)]
)
def test_field_that_is_not_smooth_at_the_start(component, start):
    with pytest.raises(ValueError, match="the field is not smooth at x = "):
        arbitrary.flow(bea.VectorField([component], [x]), [start], 1)


def test_unsupported_function_is_named():
    with pytest.raises(ValueError, match="the function Abs cannot be evaluated in arbitrary precision"):
        arbitrary.flow(bea.VectorField([sympy.Abs(x)], [x]), [1], 1)


# Numbers and parameters


@pytest.mark.parametrize("start", [0.6, "3/5", "0.6", Fraction(3, 5), sympy.Rational(3, 5), np.float64(0.6)])
def test_every_spelling_of_a_number_is_exact(start):
    path = arbitrary.iterate(bea.VectorField([-x], [x]), ExplicitEuler(), [start], 0.1, steps=1)
    assert relative_error(path[1, 0], mpmath.mpf(54) / 100) < mpmath.mpf(2) ** -BITS


def test_a_ball_is_its_midpoint():
    start = arbitrary.flow(bea.VectorField([x], [x]), [1], 1)
    back = arbitrary.flow(bea.VectorField([x], [x]), start, -1)
    assert relative_error(back[0], 1) < mpmath.mpf(2) ** (4 - BITS)


@pytest.mark.parametrize("name", ["c", c])
@pytest.mark.parametrize("value", [0.25, "1/4", Fraction(1, 4), sympy.Rational(1, 4), arb(0.25)])
def test_parameters(name, value):
    end = arbitrary.flow(bea.VectorField([c * x], [x], {"c": 7}), [1], 2, {name: value})
    assert relative_error(end[0], mpmath.exp(mpmath.mpf(1) / 2)) < mpmath.mpf(2) ** (4 - BITS)


def test_irrational_numbers():
    end = arbitrary.flow(bea.VectorField([sympy.sqrt(2) * x + c], [x]), [sympy.pi], 1, {"c": sympy.exp(1)})
    root = mpmath.sqrt(2)
    exact = mpmath.exp(root) * (mpmath.pi + mpmath.e / root) - mpmath.e / root
    assert relative_error(end[0], exact) < mpmath.mpf(2) ** (6 - BITS)


def test_a_gradient_may_lose_a_parameter_of_its_loss():
    loss = bea.Loss(x**2 / 2 + c, [x])
    end = arbitrary.flow(loss, [1], 1, {"c": 3})
    assert relative_error(end[0], mpmath.exp(-1)) < mpmath.mpf(2) ** (4 - BITS)


def test_precision_is_put_back():
    before = ctx.prec
    arbitrary.flow(bea.VectorField([x], [x]), [1], 1, bits=500)
    with pytest.raises(ValueError, match="singular"):
        arbitrary.flow(bea.VectorField([x**2], [x]), [1], 2, bits=80)
    assert ctx.prec == before


# Taylor coefficients

FUNCTIONS = [
    *("exp", "log", "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "sech", "csch"),
    *("asin", "acos", "atan", "asinh", "atanh", "erf"),
]


def coefficients_along_time(expression, start, order):
    """The Taylor coefficients of an expression in x, from those of the solution of ẋ = 1, ẏ = expression."""
    series = arbitrary.taylor(bea.VectorField([1, expression], [x, y]), [start, 0], order + 1)
    return [k * precise(series[k, 1]) for k in range(1, order + 2)]


def assert_same_series(computed, function, start, order):
    expected = mpmath.taylor(function, mpmath.mpf(start.p) / start.q, order)
    for value, reference in zip(computed, expected, strict=True):
        assert abs(value - reference) < 1e-40 * (1 + abs(reference))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_series_of_functions(name):
    start = sympy.Rational(3, 10)
    computed = coefficients_along_time(getattr(sympy, name)(x), start, 12)
    assert_same_series(computed, getattr(mpmath, name), start, 12)


@pytest.mark.parametrize(
    ("expression", "function"),
    [
        (x ** sympy.Rational(5, 3), lambda t: t ** (mpmath.mpf(5) / 3)),
        (x**-3, lambda t: t**-3),
        ((1 + x**2) ** sympy.Rational(-3, 2), lambda t: (1 + t**2) ** mpmath.mpf(-1.5)),
        (x**sympy.pi, lambda t: t**mpmath.pi),
        (x**x, lambda t: t**t),
        (sympy.Integer(2) ** (x + x**2), lambda t: 2 ** (t + t**2)),
        (sympy.acosh(2 + x), lambda t: mpmath.acosh(2 + t)),
        (sympy.log(1 + sympy.exp(3 * x)), lambda t: mpmath.log(1 + mpmath.exp(3 * t))),
        (x * (1 + x) * (2 + x) ** 2, lambda t: t * (1 + t) * (2 + t) ** 2),
    ],
)
def test_series_of_compositions(expression, function):
    start = sympy.Rational(3, 10)
    assert_same_series(coefficients_along_time(expression, start, 12), function, start, 12)


def test_series_with_a_symbolic_exponent():
    series = arbitrary.taylor(bea.VectorField([1, x**c], [x, y]), [2, 0], 6, {"c": "7/3"})
    expected = mpmath.taylor(lambda t: t ** (mpmath.mpf(7) / 3), 2, 5)
    assert max(abs(k * precise(series[k, 1]) - e) for k, e in enumerate(expected, 1)) < 1e-45


# Iterates


def exact_descent(start, h, steps):
    """Gradient descent on ½(3/5 − ab)² in rational arithmetic."""
    states = [tuple(start)]
    for _ in range(steps):
        p, q = states[-1]
        r = Fraction(3, 5) - p * q
        states.append((p + h * r * q, q + h * r * p))
    return states


def test_gradient_descent_against_exact_rationals():
    loss = bea.Loss((sympy.Rational(3, 5) - a * b) ** 2 / 2, [a, b])
    path = arbitrary.iterate(loss, GradientDescent(), [2.8, 3.5], 0.01, steps=6)
    states = exact_descent([Fraction(14, 5), Fraction(7, 2)], Fraction(1, 100), 6)
    assert path.shape == (7, 2)
    for row, state in zip(path, states, strict=True):
        for value, exact in zip(row, state, strict=True):
            assert (
                relative_error(value, mpmath.mpf(exact.numerator) / exact.denominator)
                < mpmath.mpf(2) ** -BITS
            )


def test_many_steps_keep_their_bits():
    """10⁴ steps: radii carried along would grow to e^{2·10⁴·h}."""
    path = arbitrary.iterate(bea.VectorField([-x], [x]), ExplicitEuler(), [1], "1/2", steps=10_000, bits=100)
    assert relative_error(path[-1, 0], mpmath.mpf(2) ** -10_000) < mpmath.mpf(2) ** -98


def test_runge_kutta_on_the_linear_equation():
    path = arbitrary.iterate(bea.VectorField([x], [x]), RK4(), [1], "1/10", steps=3)
    factor = sum(mpmath.mpf("0.1") ** k / mpmath.factorial(k) for k in range(5))
    assert relative_error(path[3, 0], factor**3) < mpmath.mpf(2) ** (2 - BITS)


@pytest.mark.parametrize("scheme", [ImplicitEuler(), ImplicitMidpoint(), Gauss2(), RadauIIA3()])
def test_implicit_schemes_have_their_stability_functions(scheme):
    path = arbitrary.iterate(bea.VectorField([-50 * x], [x]), scheme, [1], "1/5", steps=1)
    exact = sympy.Rational(scheme.stability_function().subs("z", -10))
    assert relative_error(path[1, 0], mpmath.mpf(int(exact.p)) / int(exact.q)) < mpmath.mpf(2) ** (2 - BITS)


def test_implicit_midpoint_solves_its_equation_on_a_nonlinear_field():
    field = bea.VectorField([y, -sympy.sin(x)], [x, y])
    (p, q), (p_new, q_new) = arbitrary.iterate(field, ImplicitMidpoint(), [1, "1/2"], "2/5", steps=1)
    p, q, p_new, q_new = map(precise, (p, q, p_new, q_new))
    h = mpmath.mpf(2) / 5
    assert abs(p_new - p - h * (q + q_new) / 2) < mpmath.mpf(2) ** (2 - BITS)
    assert abs(q_new - q + h * mpmath.sin((p + p_new) / 2)) < mpmath.mpf(2) ** (2 - BITS)


def test_stages_without_a_solution_are_refused():
    """x₁ = 1 + x₁² has no real solution."""
    with pytest.raises(ValueError, match="the stages of the implicit scheme are not found"):
        arbitrary.iterate(bea.VectorField([x**2], [x]), ImplicitEuler(), [1], 1, steps=1)


@pytest.mark.parametrize(
    ("component", "start", "equation"),
    [
        (-(x**5), 10, lambda u: u + u**5 - 10),
        (-sympy.exp(x), 60, lambda u: u + mpmath.exp(u) - 60),
        (-sympy.exp(x), 600, lambda u: u + mpmath.exp(u) - 600),
    ],
)
def test_stages_far_from_the_slope_are_found(component, start, equation):
    end = arbitrary.iterate(bea.VectorField([component], [x]), ImplicitEuler(), [start], 1, steps=1)[1, 0]
    root = mpmath.findroot(equation, mpmath.mpf(float(end)))
    assert relative_error(end, root) < mpmath.mpf(2) ** (10 - BITS)


def test_divergence_is_refused_with_its_step():
    with pytest.raises(ValueError, match=r"the iterates diverge: \|x\| exceeds 2\*\*1024 after 11 steps"):
        arbitrary.iterate(bea.VectorField([x**2], [x]), ExplicitEuler(), [1], 1, steps=100)


def test_an_iterate_outside_the_domain_is_refused():
    with pytest.raises(ValueError, match="x is not finite after 2 steps"):
        arbitrary.iterate(bea.VectorField([sympy.log(x)], [x]), ExplicitEuler(), ["1/2"], 1, steps=9)


def test_scheme_with_a_free_parameter_is_refused():
    with pytest.raises(ValueError, match="'alpha' of second-order has no value"):
        arbitrary.iterate(bea.VectorField([x], [x]), bea.schemes.SecondOrder(), [1], 1, steps=1)


# Bad input

FIELD = bea.VectorField([c * x, y], [x, y])


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: arbitrary.flow("x", [1], 1), TypeError, "must be a VectorField, a Loss or a Game, not str"),
        (lambda: arbitrary.flow(FIELD, [1], 1, {"c": 1}), ValueError, "x0 must be a sequence of 2 numbers"),
        (lambda: arbitrary.flow(FIELD, "12", 1, {"c": 1}), ValueError, "x0 must be a sequence of 2 numbers"),
        (lambda: arbitrary.flow(FIELD, [1, 2], 1), ValueError, "no value for parameter 'c'"),
        (lambda: arbitrary.flow(FIELD, [1, 2], 1, {"d": 1}), ValueError, "'d' is no parameter"),
        (lambda: arbitrary.flow(FIELD, [1, float("nan")], 1, {"c": 1}), ValueError, "must be finite"),
        (lambda: arbitrary.flow(FIELD, [1, arb("nan")], 1, {"c": 1}), ValueError, "must be finite"),
        (lambda: arbitrary.flow(FIELD, [1, sympy.I], 1, {"c": 1}), ValueError, "not a finite real number"),
        (lambda: arbitrary.flow(FIELD, [1, y], 1, {"c": 1}), ValueError, "y has no value"),
        (lambda: arbitrary.flow(FIELD, [1, 2], 1, {"c": 1}, bits=1.5), ValueError, "bits must be an integer"),
        (lambda: arbitrary.flow(FIELD, [1, 2], 1, {"c": 1}, bits=0), ValueError, "bits must be an integer"),
        (lambda: arbitrary.taylor(FIELD, [1, 2], -1, {"c": 1}), ValueError, "order must be an integer"),
        (lambda: arbitrary.iterate(FIELD, RK4(), [1, 2], 1, 1.0), ValueError, "steps must be an integer"),
        (lambda: arbitrary.iterate(FIELD, "rk4", [1, 2], 1, 1), TypeError, "scheme must be a bea scheme"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
