"""Measured orders of agreement: predicted ones, wrong ones, and those that cannot be measured."""

from types import SimpleNamespace

import mpmath
import numpy as np
import pytest
import sympy

import bea
from bea.schemes import RK4, ExplicitEuler, Gauss2, Gauss3, GradientDescent, Heun, ImplicitMidpoint
from bea.systems.catalogue import tanh_network

a, b, x, y, c, h = sympy.symbols("a b x y c h")
LOSS = bea.Loss((sympy.Rational(3, 5) - a * b) ** 2 / 2, [a, b])
LOTKA_VOLTERRA = bea.VectorField([x * (2 - y), y * (x - 1)], [x, y])
START = [2.8, 3.5]


def equation_of(*components):
    """A stand-in for a modified equation, whose field is the given one at every order."""
    field = bea.VectorField(list(components), [a, b])
    return SimpleNamespace(field=lambda order: field)


@pytest.mark.parametrize("order", range(9))
def test_local_orders_of_gradient_descent_in_arbitrary_precision(order):
    measured = bea.slope(LOSS, GradientDescent(), START, order=order, bits=400)
    assert measured.predicted == order + 2
    assert abs(measured.value - measured.predicted) < 0.001
    assert measured.agrees


@pytest.mark.parametrize("kind", ["local", "global"])
@pytest.mark.parametrize("order", range(3))
def test_orders_of_gradient_descent_in_double_precision(kind, order):
    measured = bea.slope(LOSS, GradientDescent(), START, order=order, kind=kind)
    assert measured.predicted == order + (2 if kind == "local" else 1)
    assert abs(measured.value - measured.predicted) < 0.01
    assert measured.agrees


def test_global_order_in_arbitrary_precision():
    measured = bea.slope(LOSS, GradientDescent(), [1.5, 0.5], order=1, kind="global", bits=100)
    assert measured.agrees
    assert measured.predicted == 2


@pytest.mark.parametrize(
    ("scheme", "order", "predicted"),
    [
        (RK4(), 0, 5),
        (RK4(), 4, 6),
        (Heun(), 1, 3),
        (ImplicitMidpoint(), 0, 3),
        (ImplicitMidpoint(), 3, 5),
        (Gauss2(), 2, 5),
    ],
)
def test_vanishing_terms_are_foreseen(scheme, order, predicted):
    """A scheme of order p agrees with the system itself through h^p; a symmetric one lacks the odd powers."""
    measured = bea.slope(LOTKA_VOLTERRA, scheme, [1.5, 0.7], order=order, bits=300)
    assert measured.predicted == predicted
    assert measured.agrees


def test_a_field_that_is_no_polynomial():
    field = bea.VectorField([sympy.tanh(x * y) - y, sympy.exp(-x) * sympy.sqrt(1 + y**2)], [x, y])
    assert bea.slope(field, ExplicitEuler(), ["2/5", 0.8], order=2, bits=200).agrees


def test_errors_are_those_of_the_closed_form():
    """Euler on ẏ = λy: |1 + hλ − e^{hλ}| y after one step."""
    step_sizes = [0.001 * 2**k for k in range(5)]
    for bits in (53, 120):
        measured = bea.slope(bea.VectorField([c * x], [x]), ExplicitEuler(), [2], 0, [*step_sizes, 0.0005],
                             bits=bits, parameters={"c": -3})  # fmt: skip
        exact = [2 * abs(float(mpmath.expm1(-3 * t) + 3 * t)) for t in measured.step_sizes]
        np.testing.assert_allclose(measured.errors, exact, rtol=1e-8)
        assert measured.parameters == {"c": -3}


def test_global_step_sizes_divide_the_time():
    wanted = [0.1, 0.07, 0.05, 0.03, 0.02, 0.007]
    measured = bea.slope(LOTKA_VOLTERRA, ExplicitEuler(), [1.5, 0.7], 0, wanted, kind="global", time="3/2")
    np.testing.assert_allclose(measured.step_sizes, [1.5 / round(1.5 / t) for t in wanted])
    assert measured.time == 1.5
    assert measured.agrees


def test_the_slope_can_be_measured_again():
    first = bea.slope(LOSS, GradientDescent(), START, order=1, confidence=0.9)
    again = bea.slope(
        first.system, first.scheme, first.x0, first.order, first.step_sizes, first.bits,
        kind=first.kind, parameters=first.parameters, confidence=first.confidence,
    )  # fmt: skip
    assert again == first
    np.testing.assert_array_equal(again.errors, first.errors)


# Starts where something vanishes


@pytest.mark.parametrize("order", range(3))
def test_a_start_at_the_origin(order):
    """x₀ = 0 sets no scale for tolerances; the way h f(x₀) does."""
    measured = bea.slope(bea.VectorField([1 + x], [x]), ExplicitEuler(), [0.0], order)
    assert measured.predicted == order + 2
    assert measured.agrees


@pytest.mark.parametrize("kind", ["local", "global"])
def test_a_start_whose_square_underflows(kind):
    assert bea.slope(bea.VectorField([-x], [x]), ExplicitEuler(), [1e-160], kind=kind).agrees


@pytest.mark.parametrize("bits", [53, 200])
def test_a_leading_term_that_vanishes_at_the_start(bits):
    """ẋ = 1 + x² has f₁(0) = 0: one step of Euler errs by tan h − h = h³/3, at a fixed time by O(h)."""
    tangent = bea.VectorField([1 + x**2], [x])
    after_one_step = bea.slope(tangent, ExplicitEuler(), [0.0], bits=bits)
    assert after_one_step.predicted == 3
    assert after_one_step.agrees
    assert bea.slope(tangent, ExplicitEuler(), [0.0], kind="global").predicted == 1


# Default step sizes, and what is derived for a prediction


def test_chaos_takes_smaller_steps():
    lorenz = bea.VectorField(["10*(y - x)", "x*(28 - z) - y", "x*y - 8*z/3"], "x y z")
    assert bea.slope(lorenz, ExplicitEuler(), [1, 1, 20], kind="global").agrees


def test_stiffness_takes_smaller_steps():
    stiff = bea.VectorField([-2000 * (x - y), -y], [x, y])
    assert bea.slope(stiff, ExplicitEuler(), [1, 1.5], kind="global").agrees


def test_no_high_terms_are_derived_for_a_scheme_of_high_order():
    network = tanh_network()
    measured = bea.slope(network, Gauss3(), [0.3, 0.4, -0.5, 0.2, 0.7, 0.9], order=2, bits=200)
    assert measured.predicted == 7
    assert measured.agrees


def test_random_starts_raise_no_false_alarm():
    """Near starts where c₁ is small the exponent with and without h² agree by chance."""
    rng = np.random.default_rng(1)
    equation = bea.modified_equation(LOSS, GradientDescent(), 0)
    for _ in range(150):
        measured = bea.slope(LOSS, GradientDescent(), 0.7 + 0.5 * rng.random(2), equation=equation)
        assert measured.agrees, measured.message


# Controls

r = sympy.Rational(3, 5) - a * b
F = (r * b, r * a)
F1 = bea.modified_equation(LOSS, GradientDescent(), 1).terms[1]


@pytest.mark.parametrize("factor", [-1, sympy.Rational(1, 2), 2, sympy.Rational(99, 100)])
@pytest.mark.parametrize("bits", [53, 200])
def test_control_a_wrong_correction_has_the_order_of_none(factor, bits):
    wrong = equation_of(*(f + h * factor * f1 for f, f1 in zip(F, F1, strict=True)))
    measured = bea.slope(LOSS, GradientDescent(), START, order=1, bits=bits, equation=wrong)
    assert measured.predicted == 3
    assert not measured.agrees
    assert abs(measured.value - 2) < 0.05
    assert "not as predicted" in measured.message


def test_control_the_right_correction_given_by_hand_agrees():
    right = equation_of(*(f + h * f1 for f, f1 in zip(F, F1, strict=True)))
    measured = bea.slope(LOSS, GradientDescent(), START, order=1, equation=right)
    assert measured.agrees
    assert measured.message.endswith("3 was predicted: as predicted")


def test_too_uncertain_to_tell():
    """Step sizes near the limit of validity give a wide interval, not a false verdict."""
    measured = bea.slope(
        bea.VectorField([x**2], [x]), ExplicitEuler(), [1], 3, np.geomspace(0.08, 0.9, 8), bits=100
    )
    assert not measured.agrees
    assert measured.interval[1] - measured.interval[0] > 0.2
    assert "too uncertain to tell: pass smaller step_sizes" in measured.message


# What cannot be measured


def test_rounding_is_recognized_and_the_remedy_works():
    step_sizes = np.geomspace(1e-5, 2e-4, 6)
    with pytest.raises(
        ValueError, match=r"the error is at the level of rounding in 53 bits: pass bits=\d+"
    ) as refusal:
        bea.slope(LOSS, GradientDescent(), START, 2, step_sizes)
    bits = int(str(refusal.value).split("bits=")[1].split()[0])
    assert bea.slope(LOSS, GradientDescent(), START, 2, step_sizes, bits=bits).agrees


@pytest.mark.parametrize("bits", [53, 150])
def test_an_exact_expansion_has_no_order(bits):
    """Euler follows a constant field exactly."""
    with pytest.raises(ValueError, match="agree to rounding error at every step size"):
        bea.slope(bea.VectorField([1, -2], [x, y]), ExplicitEuler(), [1, 1], bits=bits)


def test_an_equilibrium_has_no_order():
    with pytest.raises(ValueError, match=r"nothing moves from x0 = \[0, 0\]"):
        bea.slope(LOSS, GradientDescent(), [0, 0])


@pytest.mark.parametrize("bits", [53, 100])
def test_a_solution_that_ends_is_refused(bits):
    with pytest.raises(ValueError, match=r"singular|diverge"):
        bea.slope(bea.VectorField([x**2], [x]), ExplicitEuler(), [1], kind="global", time=2, bits=bits)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"order": -1}, "order must be an integer, 0 or more, not -1"),
        ({"order": 1.0}, "order must be an integer, 0 or more, not 1.0"),
        ({"bits": 24}, "bits must be an integer, 53 or more, not 24"),
        ({"kind": "both"}, "kind must be 'local' or 'global', not 'both'"),
        ({"kind": "global", "time": 0}, "time must be positive, not 0"),
        ({"step_sizes": [0.1, 0.2]}, "at least 5 distinct step sizes that span a decade"),
        (
            {"step_sizes": [0.1, 0.09, 0.08, 0.07, 0.06, 0.05]},
            "at least 5 distinct step sizes that span a decade",
        ),
        ({"confidence": 1.5}, "confidence must lie between 0 and 1"),
        ({"parameters": {"z": 1}}, "'z' is no parameter"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        bea.slope(LOSS, GradientDescent(), START, **arguments)


def test_integers_of_numpy_are_integers():
    measured = bea.slope(LOSS, GradientDescent(), START, order=np.int64(2), bits=np.int64(100))
    assert measured == bea.slope(LOSS, GradientDescent(), START, order=2, bits=100)


def test_parameters_must_be_a_mapping():
    with pytest.raises(
        TypeError, match=r"parameters must be a mapping from names to numbers, not \[\('k', 1\)\]"
    ):
        bea.slope(LOSS, GradientDescent(), START, parameters=[("k", 1)])
