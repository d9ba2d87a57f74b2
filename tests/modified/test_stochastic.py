"""Stochastic modified equations: drift, diffusion and the series of the generator."""

from itertools import product

import numpy as np
import pytest
import sympy

import bea

x, y, h, c, s = sympy.symbols("x y h c s")


def test_drift_and_covariance_of_minibatches():
    losses = [x**2 * y, (x - y) ** 2, x * y**3]
    equation = bea.stochastic_modified_equation(bea.LossSum(losses, (x, y)))
    C = sum(losses) / 3
    regularised = C + h / 4 * (C.diff(x) ** 2 + C.diff(y) ** 2)
    expected = sympy.Matrix([-regularised.diff(x), -regularised.diff(y)])
    assert (equation.drift.expressions - expected).expand().is_zero_matrix
    gradients = [sympy.Matrix([e.diff(x), e.diff(y)]) for e in losses]
    mean = sum(gradients, sympy.zeros(2, 1)) / 3
    second = sum((g * g.T for g in gradients), sympy.zeros(2)) / 3
    covariance = (second - mean * mean.T).expand()
    assert (equation.covariance - covariance).expand().is_zero_matrix
    assert (equation.diffusion * equation.diffusion.T - h * covariance).expand().is_zero_matrix


def test_the_first_order_has_the_gradient_flow_as_drift():
    losses = bea.LossSum([x**2 * y, (x - y) ** 2], (x, y))
    first, second = (bea.stochastic_modified_equation(losses, order) for order in (1, 2))
    mean = sum(part.expression for part in losses.parts) / 2
    assert (first.drift.expressions + sympy.Matrix([mean.diff(x), mean.diff(y)])).expand().is_zero_matrix
    assert first.drift != second.drift
    assert first.covariance == second.covariance


def test_means_after_a_step_are_those_of_the_exact_solution():
    """The Ornstein–Uhlenbeck process has a known mean and variance."""
    equation = bea.stochastic_modified_equation(bea.Loss(c * x**2 / 2, "x"), noise=[s])
    rate = c + h * c**2 / 2
    mean = x * sympy.exp(-rate * h)
    square = mean**2 + h * s**2 * (1 - sympy.exp(-2 * rate * h)) / (2 * rate)
    for function, exact in ((x, mean), (x**2, square)):
        series = sympy.series(exact, h, 0, 6).removeO()
        assert sympy.simplify(equation.mean_after_step(function, 5) - series) == 0
    assert sympy.simplify(equation.mean_after_step(x, 5) - sympy.series(square, h, 0, 6).removeO()) != 0


def test_a_step_over_all_minibatches_agrees_through_the_second_power():
    losses, function = [x**3 / 3, (x - 1) ** 2, x**4], x**2 + x
    discrete = sum(function.subs(x, x - h * e.diff(x)) for e in losses) / 3
    for order in (1, 2):
        equation = bea.stochastic_modified_equation(bea.LossSum(losses, [x]), order)
        difference = sympy.Poly(sympy.expand(discrete - equation.mean_after_step(function, 4)), h)
        assert min(power for (power,) in difference.monoms()) == order + 1


def test_functions_that_are_no_polynomials():
    equation = bea.stochastic_modified_equation(bea.Loss("x**2/2", variables="x"), order=1, noise=["1"])
    assert equation.generator("sin(x)") == sympy.expand(-x * sympy.cos(x) - h * sympy.sin(x) / 2)
    expected = sympy.series(sympy.exp(-h * h / 2), h, 0, 3).removeO()
    assert equation.mean_after_step("cos(x)", 2).subs(x, 0) == expected


def test_noise_with_columns():
    loss = bea.Loss("x**2 + y**2", variables="x y")
    equation = bea.stochastic_modified_equation(loss, noise=[["x", 1, 0], [0, 2, "s"]])
    assert equation.covariance == sympy.Matrix([[x**2 + 1, 2], [2, s**2 + 4]])
    assert equation.diffusion.shape == (2, 3)


def test_parameters_keep_their_values():
    losses = bea.LossSum(["c*x**2", "x"], variables="x", parameters={"c": 2})
    assert bea.stochastic_modified_equation(losses).drift([1.0], h=0.1) == pytest.approx(
        [-2.5 - 0.05 * 2 * 2.5]
    )


def test_random_solutions_have_the_moments_of_the_exact_one():
    """Least squares with two minibatches: the moments solve linear equations."""
    rate, learning_rate, steps = 1.0, 0.1, 5
    losses = bea.LossSum(["(x - 1)**2/2", "(x + 2)**2/2"], variables="x")
    paths = bea.stochastic_paths(
        bea.stochastic_modified_equation(losses), [1.0], learning_rate, steps, 40_000, rng=1
    )
    b, t = rate + learning_rate / 2, steps * learning_rate
    mean = -0.5 + 1.5 * np.exp(-b * t)
    variance = learning_rate * 2.25 * (1 - np.exp(-2 * b * t)) / (2 * b)
    end = paths[-1, 0]
    assert abs(end.mean() - mean) < 4 * np.sqrt(variance / 40_000)
    assert end.var() == pytest.approx(variance, rel=4 * np.sqrt(2 / 40_000) + 0.02)
    assert abs(end.mean() - (-0.5 + 1.5 * np.exp(-rate * t))) > 6 * np.sqrt(variance / 40_000)


def test_random_solutions_in_two_dimensions_have_the_right_covariance():
    equation = bea.stochastic_modified_equation(bea.Loss("0", variables="x y"), noise=[[1, 0], [1, 2]])
    paths = bea.stochastic_paths(equation, [0.0, 0.0], 0.5, 2, 50_000, rng=0)
    assert paths.shape == (3, 2, 50_000)
    assert np.cov(paths[-1]) == pytest.approx(0.5 * np.array([[1, 1], [1, 5]]), abs=0.06)


def test_the_seed_decides():
    equation = bea.stochastic_modified_equation(bea.Loss("x**2", variables="x"), noise=[1])
    a, b, other = (bea.stochastic_paths(equation, [0.0], 0.1, 3, 4, rng=seed) for seed in (3, 3, 4))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, other)


def test_equations_are_shown():
    equation = bea.stochastic_modified_equation(bea.Loss("x**2", variables="x"), noise=[1])
    assert "mathrm{d}W" in equation._repr_latex_()
    assert "diffusion=[[sqrt(h)]]" in repr(equation)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("x",), TypeError, "not of str"),
        ((bea.Loss("x", "x"),), ValueError, "pass noise="),
        ((bea.Loss("x", "x"), 3), ValueError, "1 or 2"),
        ((bea.Loss("x", "x"), 2, 1), TypeError, "noise must be"),
        ((bea.Loss("x", "x"), 2, [1, 2]), ValueError, "1 rows"),
        ((bea.LossSum(["x", "x**2"], "x"), 2, [1]), ValueError, "of its parts"),
    ],
)
def test_bad_input_is_refused(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        bea.stochastic_modified_equation(*arguments)


def test_bad_paths_are_refused():
    equation = bea.stochastic_modified_equation(bea.Loss("x**4", variables="x"), noise=["q"])
    known = {"x0": [1.0], "h": 0.1, "steps": 2, "paths": 2}
    for change, sentence in product([{}], ["no value for parameter 'q'"]):
        with pytest.raises(ValueError, match=sentence):
            bea.stochastic_paths(equation, **known | change)
    for change in ({"steps": 0}, {"paths": True}, {"h": -1}, {"x0": [1, 2]}):
        with pytest.raises(ValueError, match=next(iter(change))):
            bea.stochastic_paths(equation, **known | change, parameters={"q": 1})
    with pytest.raises(ValueError, match="too large"), np.errstate(all="ignore"):
        bea.stochastic_paths(equation, [50.0], 1.0, 9, 2, {"q": 1}, rng=0)
    with pytest.raises(TypeError, match="stochastic modified equation"):
        bea.stochastic_paths(bea.Loss("x", "x"), **known)
    with pytest.raises(ValueError, match="order"):
        equation.mean_after_step("x", -1)


@pytest.mark.parametrize(
    ("loss", "noise"),
    [
        (bea.Loss("h*x**2/2", "x"), [1]),
        (bea.Loss("h**2", "h"), [1]),
        (bea.Loss("x**2", "x"), ["s/h"]),
        (bea.LossSum(["x**2 + h*x", "x**2 - h*x"], "x"), None),
    ],
)
def test_a_symbol_h_is_not_mixed_with_the_learning_rate(loss, noise):
    with pytest.raises(ValueError, match="the symbol h is the step size of the modified equation: rename"):
        bea.stochastic_modified_equation(loss, noise=noise)


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        ("sqrt(h)*x", "must not contain h"),
        ("x/h", "must not contain h"),
        (sympy.Symbol("h", positive=True), "must not contain h"),
        ("abs(x)", r"must be smooth, and Abs\(x\) is not"),
    ],
)
def test_functions_without_a_mean_in_powers_of_h_are_refused(function, sentence):
    equation = bea.stochastic_modified_equation(bea.Loss("x**2/2", "x"), noise=["s"])
    with pytest.raises(ValueError, match=sentence):
        equation.mean_after_step(function, 1)


def test_the_mean_of_an_exponential_is_that_of_a_normal_variable():
    """At the first order X(h) is normal with the mean x e^{−h} and the variance hs²(1 − e^{−2h})/2."""
    equation = bea.stochastic_modified_equation(bea.Loss("x**2/2", "x"), order=1, noise=["s"])
    h, s, x = sympy.symbols("h s x")
    exact = sympy.exp(x * sympy.exp(-h) + h * s**2 * (1 - sympy.exp(-2 * h)) / 4)
    series = sympy.series(exact, h, 0, 3).removeO()
    assert sympy.simplify(equation.mean_after_step("exp(x)", 2) - series) == 0


@pytest.mark.parametrize(("rng", "error"), [("a", TypeError), (-1, ValueError), (1.5, TypeError)])
def test_randomness_of_another_kind_is_refused(rng, error):
    equation = bea.stochastic_modified_equation(bea.Loss("x**2/2", "x"), noise=[1])
    with pytest.raises(error, match=r"rng must be a seed .* not"):
        bea.stochastic_paths(equation, [0.0], 0.1, 1, 1, rng=rng)
