"""Adam, AdamW and RMSProp: the published first order, the rules as libraries run them, the observed field."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from settled_iterates import gap_orders

import bea
from bea.schemes import Adam, AdamW, RMSProp, SmoothSignDescent, WeightDecay

B1, B2, BETA, EPS = sympy.symbols("beta1 beta2 beta eps")
LOSS = bea.Loss("(3/5 - a*b)**2/2 + a/4", variables="a b")
LOSSES = [bea.Loss("x**4/4 + x**2/2 + x/3", variables="x"), LOSS]
START = ["7/5", "9/10"]


def first_order(loss, beta1, beta2):
    """The published right-hand side through h, at h⁰ and at h¹."""
    gradient = [sympy.diff(loss.expression, v) for v in loss.variables]
    norm = sum(sympy.sqrt(g**2 + EPS) for g in gradient)
    ratio1, ratio2 = (1 + beta1) / (1 - beta1), (1 + beta2) / (1 - beta2)
    zeroth, first = [], []
    for g, v in zip(gradient, loss.variables, strict=True):
        zeroth.append(-g / sympy.sqrt(g**2 + EPS))
        weight = (ratio1 - ratio2 + ratio2 * EPS / (g**2 + EPS)) / 2
        first.append(-weight * sympy.diff(norm, v) / sympy.sqrt(g**2 + EPS))
    return sympy.Matrix(zeroth), sympy.Matrix(first)


def vanishes(matrix):
    """Whether all entries are 0, exactly, once the roots are symbols with their relations."""
    return all(sympy.simplify(sympy.together(entry)) == 0 for entry in matrix)


@pytest.mark.parametrize("loss", LOSSES, ids=["one variable", "two variables"])
@pytest.mark.parametrize(
    ("scheme", "beta1", "beta2"),
    [
        (Adam(), B1, B2),
        (Adam(bias_correction=True), B1, B2),
        (RMSProp(), 0, BETA),
        (SmoothSignDescent(), 0, 0),
    ],
    ids=["adam", "corrected", "rmsprop", "sign"],
)
def test_first_order_is_the_published_one(loss, scheme, beta1, beta2):
    equation = bea.modified_equation(loss, scheme, order=1)
    zeroth, first = first_order(loss, sympy.S(beta1), sympy.S(beta2))
    assert vanishes(equation.terms[0] - zeroth)
    assert vanishes(equation.terms[1] - first)


def test_control_betas_exchanged():
    equation = bea.modified_equation(LOSSES[0], Adam(), order=1)
    assert not vanishes(equation.terms[1] - first_order(LOSSES[0], B2, B1)[1])


def gradient(x):
    a, b = x
    return np.array([-(0.6 - a * b) * b + 0.25, -(0.6 - a * b) * a])


def adam_by_hand(x, steps, inside, corrected, decay=0.0, h=0.01, beta1=0.9, beta2=0.99, eps=1e-4):
    """Algorithm 1 of Kingma and Ba, 2 of Loshchilov and Hutter, with the options of the libraries."""
    m, v = np.zeros(2), np.zeros(2)
    for t in range(1, steps + 1):
        g = gradient(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat, v_hat = (m / (1 - beta1**t), v / (1 - beta2**t)) if corrected else (m, v)
        root = np.sqrt(v_hat + eps) if inside else np.sqrt(v_hat) + eps
        x = x - h * decay * x - h * m_hat / root
    return x


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_iterates_are_those_written_by_hand(inside, corrected):
    plain = Adam("9/10", "99/100", "1/10000", inside, corrected)
    with_decay = AdamW("9/10", "99/100", "1/10000", inside, corrected, decay="1/10")
    for scheme, decay in ((plain, 0.0), (with_decay, 0.1)):
        path = bea.arbitrary.iterate(LOSS, scheme, START, "1/100", steps=30)
        for steps in (1, 2, 30):
            expected = adam_by_hand(np.array([1.4, 0.9]), steps, inside, corrected, decay)
            np.testing.assert_allclose(path[steps].astype(float), expected, rtol=1e-12)


def test_first_corrected_step_is_a_sign_step():
    path = bea.arbitrary.iterate(LOSS, Adam("9/10", "99/100", 0, bias_correction=True), START, "1/100", 1)
    step = (path[1] - path[0]).astype(float)
    np.testing.assert_allclose(step, -0.01 * np.sign(gradient(np.array([1.4, 0.9]))), rtol=1e-12)


def test_rmsprop_by_hand():
    x, v = np.array([1.4, 0.9]), np.zeros(2)
    path = bea.arbitrary.iterate(LOSS, RMSProp("9/10", "1/1000", inside=False), START, "1/100", steps=20)
    for row in path[1:]:
        g = gradient(x)
        v = 0.9 * v + 0.1 * g**2
        x = x - 0.01 * g / (np.sqrt(v) + 1e-3)
        np.testing.assert_allclose(row.astype(float), x, rtol=1e-12)


def test_adamw_is_decoupled_decay_of_adam():
    options = {"inside": True, "bias_correction": True}
    own = AdamW("1/2", "3/4", "1/3", decay="1/5", **options)
    built = WeightDecay(Adam("1/2", "3/4", "1/3", **options), "1/5")
    coupled = WeightDecay(Adam("1/2", "3/4", "1/3", **options), "1/5", decoupled=False)
    first, second, third = (bea.modified_equation(LOSS, s, order=1) for s in (own, built, coupled))
    assert first.expressions() == second.expressions()
    assert first.terms[0] != third.terms[0]


@pytest.mark.parametrize(
    ("scheme", "rate"),
    [
        (RMSProp("1/2", "1/3"), Fraction(1, 2)),
        (Adam("1/2", "3/4", "1/3"), Fraction(3, 4)),
        (Adam("1/2", "3/4", "1/3", bias_correction=True), Fraction(3, 4)),
        (AdamW("1/2", "3/4", "1/3", decay="1/5"), Fraction(3, 4)),
        (SmoothSignDescent("1/3"), Fraction(1, 2)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_terms_agree_with_the_observed_field(scheme, rate):
    equation = bea.modified_equation(LOSS, scheme, order=3)
    assert gap_orders(equation, START, rate) == pytest.approx([1, 2, 3, 4], abs=1e-3)


@pytest.mark.parametrize(
    ("scheme", "rate"),
    [
        (RMSProp("1/2", "1/3", inside=False), Fraction(1, 2)),
        (Adam("1/2", "3/4", "1/3", inside=False, bias_correction=True), Fraction(3, 4)),
    ],
    ids=["rmsprop", "adam"],
)
def test_terms_with_eps_outside_the_root(scheme, rate):
    equation = bea.modified_equation(LOSSES[0], scheme, order=3)
    assert gap_orders(equation, ["7/5"], rate) == pytest.approx([1, 2, 3, 4], abs=1e-3)


def test_control_eps_on_the_other_side_of_the_root():
    equation = bea.modified_equation(LOSS, RMSProp("1/2", "1/3"), order=1)
    other = RMSProp("1/2", "1/3", inside=False)
    assert gap_orders(equation, START, scheme=other) == pytest.approx([0, 0], abs=1e-3)


def test_signs_as_eps_vanishes():
    path = bea.arbitrary.iterate(LOSS, SmoothSignDescent("1/10**30"), START, "1/100", steps=3)
    x = np.array([1.4, 0.9])
    for row in path[1:]:
        x = x - 0.01 * np.sign(gradient(x))
        np.testing.assert_allclose(row.astype(float), x, rtol=1e-14)


def test_a_mean_that_keeps_all_is_refused():
    with pytest.raises(ValueError, match="the memory of adam does not contract"):
        bea.modified_equation(LOSS, Adam(1, "1/2", "1/3"), order=1)
    with pytest.raises(ValueError, match="the parameter eps of Adam cannot be read"):
        Adam("1/2", "1/2", "1/(")
