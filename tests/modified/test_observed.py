"""The derivative-free estimate of the modified field against closed forms, SciPy and exact arithmetic."""

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import comb

import mpmath
import numpy as np
import pytest
import scipy.linalg
import sympy
from flint import arb, ctx
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import bea
from bea.theorems.fit import fit_order


@pytest.mark.parametrize("order", [1, 2, 5, 9])
def test_truncated_logarithm_in_exact_arithmetic(order):
    """Euler on ẏ = λy multiplies by 1 + z, z = hλ; the estimate is the truncation of log(1 + z)/h."""
    h, rate = Fraction(1, 7), Fraction(-3, 5)
    z = h * rate
    estimate = bea.observed_field(lambda y: y + h * rate * y, [Fraction(2)], h, order)
    exact = 2 * sum(Fraction((-1) ** (j + 1), j) * z**j for j in range(1, order + 1)) / h
    assert type(estimate[0]) is Fraction
    assert estimate[0] == exact


def test_difference_formula_written_out():
    """Σ_j (−1)^{j+1}/j Σ_i (−1)^{j−i} C(j, i) x_i, for a sequence that comes from nowhere."""
    x = [Fraction(n) for n in (3, -1, 4, 1, -5, 9)]
    successor = dict(pairwise(x))
    estimate = bea.observed_field(lambda v: np.array([successor[v[0]]], dtype=object), x[:1], 1, 5)
    exact = sum(
        Fraction((-1) ** (j + 1), j) * sum((-1) ** (j - i) * comb(j, i) * x[i] for i in range(j + 1))
        for j in range(1, 6)
    )
    assert estimate[0] == exact


@pytest.mark.parametrize("order", [1, 2, 3, 4, 6])
def test_order_of_the_error(order):
    """Euler on ẏ = λy follows log(1 + hλ) y/h exactly."""
    step_sizes = [Fraction(1, 10 * 2**k) for k in range(6)]
    errors = []
    with ctx.workprec(300):
        for h in step_sizes:
            estimate = bea.observed_field(lambda y, h=h: y * (1 + h), [Fraction(1)], h, order)
            z = arb(1) + arb(h.numerator) / h.denominator
            errors.append(
                abs(
                    z.log() * h.denominator / h.numerator
                    - arb(estimate[0].numerator) / estimate[0].denominator
                )
            )
    fit = fit_order(step_sizes, errors)
    assert abs(fit.value - order) < 0.02
    assert fit.excludes(order - 1)
    assert fit.excludes(order + 1)


@settings(max_examples=30)
@given(arrays(float, (3, 3), elements=st.floats(-1, 1)), arrays(float, 3, elements=st.floats(-2, 2)))
def test_linear_maps_have_their_matrix_logarithm(matrix, x):
    h = 0.05
    estimate = bea.observed_field(lambda v: v + h * matrix @ v, x, h, order=12)
    exact = scipy.linalg.logm(np.eye(3) + h * matrix) @ x / h
    np.testing.assert_allclose(estimate, exact, atol=1e-8)


def test_symbolic_iterates_give_the_symbolic_series():
    """ẏ = y² under Euler: y² − h y³ + (3/2) h² y⁴ − (8/3) h³ y⁵ + O(h⁴)."""
    y, h = sympy.symbols("y h")
    estimate = bea.observed_field(lambda v: v + h * v**2, np.array([y], dtype=object), h, order=4)
    series = sympy.series(sympy.expand(estimate[0]), h, 0, 4).removeO()
    expected = y**2 - h * y**3 + sympy.Rational(3, 2) * h**2 * y**4 - sympy.Rational(8, 3) * h**3 * y**5
    assert sympy.expand(series - expected) == 0


def test_against_the_derived_modified_equation():
    a, b = sympy.symbols("a b")
    loss = bea.Loss((sympy.Rational(3, 5) - a * b) ** 2 / 2, [a, b])
    equation = bea.modified_equation(loss, bea.GradientDescent(), order=3)
    h = 2e-3
    gradient = loss.field
    estimate = bea.observed_field(lambda v: v + h * gradient(v), [1.2, 0.7], h, order=6)
    truncated = [equation.field(k)([1.2, 0.7], **({"h": h} if k else {})) for k in range(4)]
    errors = [np.abs(estimate - field).max() for field in truncated]
    assert errors[3] < 1e-9
    assert errors[0] > 100 * errors[1] > 1e4 * errors[2], "each term brings the field nearer"


@pytest.mark.parametrize("shape", [(), (1,), (2, 3), (2, 1, 2)])
def test_shape_is_kept(shape):
    x0 = np.arange(1.0, 1 + np.prod(shape, dtype=int)).reshape(shape)
    estimate = bea.observed_field(lambda v: 0.9 * v, x0, 0.1, order=30)
    assert np.shape(estimate) == shape
    np.testing.assert_allclose(estimate, x0 * np.log(0.9) / 0.1, rtol=1e-6)


def test_a_step_that_works_in_place_does_no_harm():
    def step(v):
        v *= 0.5
        return v

    x0 = np.array([1.0])
    estimate = bea.observed_field(step, x0, 0.5, order=3)
    assert x0 == [1.0]
    assert estimate == pytest.approx([-2 * (0.5 + 0.125 + 0.125 / 3)])


def test_integers_are_numbers():
    assert bea.observed_field(lambda v: v + 1, [3, 4], 1, order=4).tolist() == [1.0, 1.0]


def test_integer_objects_stay_exact():
    estimate = bea.observed_field(lambda v: 3 * v, np.array([1], dtype=object), 1, order=3)
    assert estimate[0] == Fraction(2) - 2 + Fraction(8, 3)


@pytest.mark.parametrize("h", [Fraction(1, 100), Decimal("0.01"), sympy.Rational(1, 100), 0.01])
@pytest.mark.parametrize("inside", [0.01, Fraction(1, 100)])
def test_floats_stay_floats_whatever_the_step_size(h, inside):
    """A fraction times an array of floats is an array of objects in NumPy."""
    field, error = bea.observed_field(lambda v: v - inside * v, [1.0, 2.0], h, order=6, return_error=True)
    assert field.dtype == error.dtype == float
    np.testing.assert_allclose(field, [100 * np.log(0.99), 200 * np.log(0.99)], rtol=1e-10)


def test_complex_numbers():
    estimate = bea.observed_field(lambda v: v * np.exp(0.01j), [1.0 + 0j], 0.01, order=6)
    np.testing.assert_allclose(estimate, [1j], atol=1e-11)


@pytest.mark.parametrize("h", [0.1, Fraction(1, 10), Decimal("0.1")])
def test_a_float_step_size_is_exact_among_objects(h):
    one = Decimal(1) if isinstance(h, Decimal) else Fraction(1)
    estimate = bea.observed_field(lambda v: v + one, np.array([one], dtype=object), h, order=1)
    assert estimate[0] == 10


@pytest.mark.parametrize("h", [0.1, None])
def test_high_precision_numbers_lose_nothing(h):
    with mpmath.workdps(60), ctx.workprec(200):
        tenth = mpmath.mpf(1) / 10
        exact = mpmath.log(mpmath.mpf(11) / 10) * 10
        step_size = h or tenth
        by_mpmath = bea.observed_field(
            lambda v: v * (1 + tenth), np.array([mpmath.mpf(1)]), step_size, order=50
        )
        assert abs(by_mpmath[0] - exact) < mpmath.mpf(10) ** -40
        by_balls = bea.observed_field(lambda v: v * 11 / 10, np.array([arb(1)]), 0.1, order=50)
        assert abs(by_balls[0] - (arb(11) / 10).log() * 10) < 1e-40


def test_error_estimate():
    field, error = bea.observed_field(lambda v: 1.1 * v, [1.0], 0.1, order=4, return_error=True)
    assert error == pytest.approx(abs(field - 10 * np.log(1.1)), rel=0.2)


def test_error_estimate_takes_one_more_step():
    calls = []

    def step(v):
        calls.append(v)
        return v

    bea.observed_field(step, [1.0], 1.0, order=3)
    assert len(calls) == 3
    bea.observed_field(step, [1.0], 1.0, order=3, return_error=True)
    assert len(calls) == 7


def test_control_the_difference_quotient_alone_is_not_the_field():
    """Leaving out the second difference costs an error of order h."""
    assert abs(bea.observed_field(lambda v: 1.01 * v, [1.0], 0.01, order=1)[0] - 100 * np.log(1.01)) > 4e-3


def keep(v):
    return v


@pytest.mark.parametrize(
    ("step", "x0", "h", "order", "sentence"),
    [
        (keep, [1.0], 0.1, 0, "order must be an integer, 1 or more, not 0"),
        (keep, [1.0], 0.1, True, "order must be an integer, 1 or more, not True"),
        (keep, [1.0], 0, 2, "h must be finite and not zero, not 0"),
        (keep, [1.0], float("inf"), 2, "h must be finite and not zero, not inf"),
        (keep, [np.nan], 0.1, 2, "x0 is not finite"),
        (
            lambda v: v[:1],
            [1.0, 2.0],
            0.1,
            2,
            r"step must keep the shape \(2,\) of x0, but it returned \(1,\)",
        ),
        (lambda v: v * 1e200, [1.0], 0.1, 3, "iterate 2 of step is not finite"),
        (lambda v: v * sympy.oo, np.array([sympy.Integer(1)]), 1, 2, "iterate 1 of step is not finite"),
        (lambda v: v / 0, np.array([arb(1)]), 1, 2, "iterate 1 of step is not finite"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(step, x0, h, order, sentence):
    with pytest.raises(ValueError, match=sentence), np.errstate(over="ignore"):
        bea.observed_field(step, x0, h, order)


def test_what_is_no_number_is_refused():
    with pytest.raises(TypeError, match="x0 must hold numbers, not <U1"):
        bea.observed_field(keep, ["a"], 0.1, 2)
    with pytest.raises(TypeError, match=r"h must be a number, not '0\.1'"):
        bea.observed_field(keep, [1.0], "0.1", 2)


def test_balls_keep_their_precision():
    """ẏ = y² under Euler's method through h^11, to 60 digits, while flint works at 53 bits by default."""
    field = bea.VectorField(["y**2"], variables="y")
    step = bea.StepMap(field, bea.schemes.ExplicitEuler(), step_size="1/1000", bits=400)
    order = 11
    seen = bea.observed_field(step, np.array([arb(1)], dtype=object), h=Fraction(1, 1000), order=order)
    derived = bea.modified_equation(field, bea.schemes.ExplicitEuler(), order - 1).field()
    exact = derived.components[0].subs({"y": 1, "h": sympy.Rational(1, 1000)})
    with ctx.workprec(400):
        error = abs(seen[0] - arb(int(exact.p)) / int(exact.q))
    assert float(error) < 1e-24


def raise_inside(x, memory=None):
    raise TypeError("my own mistake")


@pytest.mark.parametrize(
    ("step", "memory", "sentence"),
    [
        (5, None, r"step must be a function, called as step\(x\), not 5"),
        (keep, [1.0], r"step is called as step\(x, memory\), since a memory is given, but it takes other"),
        (lambda x, memory: x, None, r"step is called as step\(x\), .* or needs memory="),
        (lambda x, memory: x, [1.0], "the next x and the next memory, .* but it returned ndarray"),
        (lambda x, memory: np.array([x, memory]), [1.0, 1.0], "the next x and the next memory"),
        (raise_inside, [1.0], "my own mistake"),
        (raise_inside, None, "my own mistake"),
    ],
)
def test_steps_of_another_form_are_refused(step, memory, sentence):
    with pytest.raises(TypeError, match=sentence):
        bea.observed_field(step, [1.0, 2.0], 0.1, 2, memory=memory)


def test_pairs_as_tuples_or_lists_and_functions_written_in_c():
    """v ↦ v/2, x ↦ x + hv on its slow manifold v = 0: x rests."""
    for pair in (tuple, list):
        rest = bea.observed_field(
            lambda x, v, p=pair: p([x + 0.1 * v, v / 2]), [3.0], 0.1, 2, memory=np.zeros(1)
        )
        assert rest == [0.0]
    assert bea.observed_field(np.sqrt, [1.0], 0.1, 2) == [0.0]


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"bits": "a"}, TypeError, "bits must be an integer, 53 or more, not 'a'"),
        ({"bits": 10}, ValueError, "bits must be an integer, 53 or more, not 10"),
        ({"rng": "a"}, TypeError, "rng must be a seed .* not 'a'"),
        ({"rng": -1}, ValueError, "rng must be a seed .* not -1"),
    ],
)
def test_step_maps_refuse_bad_input(options, error, sentence):
    with pytest.raises(error, match=sentence):
        bea.StepMap(bea.Loss("x**2", "x"), bea.GradientDescent(), 0.1, **options)
    assert bea.StepMap(bea.Loss("x**2", "x"), bea.GradientDescent(), 0.1, bits=np.int64(53))([1.0]) == [0.8]
