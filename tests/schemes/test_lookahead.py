"""Lookahead: the exact rate on a quadratic, the rule by hand, the observed field."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from settled_iterates import gap_orders

import bea
from bea.schemes import Lookahead

LOSS = bea.Loss("(3/5 - a*b)**2/2 + a/4", variables="a b")
START = ["7/5", "9/10"]


def test_rate_on_a_quadratic():
    """Gradient descent inside: one step multiplies x by 1 − α + α(1 − hL)^k."""
    h, alpha, L = sympy.symbols("h alpha L")
    loss = bea.Loss("L*x**2/2", variables="x")
    equation = bea.modified_equation(loss, Lookahead(steps=5), order=3)
    rate = sympy.series(sympy.log(1 - alpha + alpha * (1 - h * L) ** 5) / (5 * h), h, 0, 4).removeO()
    told = sum(h**k * equation.terms[k][0] for k in range(4)) / loss.variables[0]
    assert sympy.expand(rate - told) == 0


def test_all_the_way_is_the_inner_scheme():
    whole = bea.modified_equation(LOSS, Lookahead(bea.HeavyBall(), 3, alpha=1), order=2)
    inner = bea.modified_equation(LOSS, bea.HeavyBall(), order=2)
    assert sympy.simplify(whole.expressions() - inner.expressions()).is_zero_matrix


def test_iterates_by_hand_with_momentum_carried_on():
    path = bea.arbitrary.iterate(LOSS, Lookahead(bea.HeavyBall("9/10"), 4, "1/2"), START, "1/100", steps=8)
    slow, v = np.array([1.4, 0.9]), np.zeros(2)
    for row in path[1:]:
        fast = slow
        for _ in range(4):
            a, b = fast
            v = 0.9 * v - 0.01 * np.array([-(0.6 - a * b) * b + 0.25, -(0.6 - a * b) * a])
            fast = fast + v
        slow = slow + 0.5 * (fast - slow)
        np.testing.assert_allclose(row.astype(float), slow, rtol=1e-13)


def test_terms_agree_with_the_observed_field():
    equation = bea.modified_equation(LOSS, Lookahead(bea.HeavyBall("1/2"), 3, "1/2"), order=3)
    orders = gap_orders(equation, START, Fraction(1, 8), duration=3)
    assert orders == pytest.approx([1, 2, 3, 4], abs=1e-3)


def test_control_another_number_of_steps():
    equation = bea.modified_equation(LOSS, Lookahead(bea.HeavyBall("1/2"), 3, "1/2"), order=2)
    other = Lookahead(bea.HeavyBall("1/2"), 5, "1/2")
    orders = gap_orders(equation, START, Fraction(1, 8), duration=5, scheme=other)
    assert orders == pytest.approx([1, 1, 1], abs=1e-3)


@pytest.mark.parametrize("steps", [0, -1, 2.0, True, "3"])
def test_steps_that_are_no_number_are_refused(steps):
    with pytest.raises(ValueError, match="the steps of Lookahead must be an integer, 1 or more, not"):
        Lookahead(steps=steps)


def test_integers_of_any_kind_are_counts():
    assert Lookahead(bea.GradientDescent(), np.int64(3)) == Lookahead(bea.GradientDescent(), 3)
    assert repr(Lookahead(steps=sympy.Integer(3))) == repr(Lookahead(steps=3))
    assert bea.schemes.BDF(np.int64(3)) == bea.schemes.BDF(3) != bea.schemes.BDF(2)


@pytest.mark.parametrize("word", ["nan", "NaN", "inf", "-Infinity", "oo", "zoo", "I", "1 + 2*I"])
def test_words_for_what_is_no_number_are_no_symbols(word):
    for make in (bea.HeavyBall, lambda beta: bea.HeavyBall().with_parameters(beta=beta)):
        with pytest.raises(
            ValueError, match="beta of HeavyBall must be a real number, or an exact expression"
        ):
            make(word)
    assert bea.HeavyBall("nano").beta == sympy.Symbol("nano")
