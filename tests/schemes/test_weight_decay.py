"""Weight decay: coupled and decoupled, where they are one and where they are not."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from settled_iterates import gap_orders

import bea
from bea.schemes import AdamsBashforth, GradientDescent, RandomShuffling, WeightDecay

A, B, BETA, DECAY = sympy.symbols("a b beta decay")
LOSS = bea.Loss("(3/5 - a*b)**2/2 + a/4", variables="a b")
PENALIZED = bea.Loss("(3/5 - a*b)**2/2 + a/4 + decay*(a**2 + b**2)/2", variables="a b")
START = ["7/5", "9/10"]


def equal(first, second):
    return sympy.simplify(first - second).is_zero_matrix


@pytest.mark.parametrize("decoupled", [False, True])
def test_for_gradient_descent_both_are_the_penalty(decoupled):
    decaying = bea.modified_equation(LOSS, WeightDecay(decoupled=decoupled), order=2)
    penalized = bea.modified_equation(PENALIZED, GradientDescent(), order=2)
    assert all(equal(decaying.terms[k], penalized.terms[k]) for k in range(3))


@pytest.mark.parametrize("scheme", [bea.HeavyBall(), bea.Nesterov(), AdamsBashforth(3)], ids=lambda s: s.name)
def test_coupled_decay_is_the_penalty_for_every_scheme(scheme):
    coupled = bea.modified_equation(LOSS, WeightDecay(scheme, decoupled=False), order=2)
    penalized = bea.modified_equation(PENALIZED, scheme, order=2)
    assert all(equal(coupled.terms[k], penalized.terms[k]) for k in range(3))


def test_for_heavy_ball_they_differ():
    """Momentum multiplies coupled decay by 1/(1−β), as it does the gradient; decoupled decay it leaves."""
    coupled = bea.modified_equation(LOSS, WeightDecay(bea.HeavyBall(), decoupled=False), order=0).terms[0]
    decoupled = bea.modified_equation(LOSS, WeightDecay(bea.HeavyBall()), order=0).terms[0]
    x = sympy.Matrix([A, B])
    assert equal(decoupled - coupled, x * DECAY * (1 / (1 - BETA) - 1))
    assert not equal(decoupled, coupled)


def gradient(x):
    a, b = x
    return np.array([-(0.6 - a * b) * b + 0.25, -(0.6 - a * b) * a])


@pytest.mark.parametrize("decoupled", [False, True])
def test_iterates_with_momentum_by_hand(decoupled):
    scheme = WeightDecay(bea.HeavyBall("9/10"), "1/5", decoupled)
    path = bea.arbitrary.iterate(LOSS, scheme, START, "1/100", steps=25)
    x, v = np.array([1.4, 0.9]), np.zeros(2)
    for row in path[1:]:
        v = 0.9 * v - 0.01 * (gradient(x) + (0 if decoupled else 0.2 * x))
        x = x + v - (0.01 * 0.2 * x if decoupled else 0)
        np.testing.assert_allclose(row.astype(float), x, rtol=1e-13)


@pytest.mark.parametrize("decoupled", [False, True])
def test_terms_agree_with_the_observed_field(decoupled):
    equation = bea.modified_equation(LOSS, WeightDecay(bea.HeavyBall("1/2"), "1/3", decoupled), order=3)
    assert gap_orders(equation, START) == pytest.approx([1, 2, 3, 4], abs=1e-3)


def test_control_coupled_is_told_from_decoupled():
    equation = bea.modified_equation(LOSS, WeightDecay(bea.HeavyBall("1/2"), "1/3"), order=1)
    other = WeightDecay(bea.HeavyBall("1/2"), "1/3", decoupled=False)
    assert gap_orders(equation, START, Fraction(1, 2), scheme=other) == pytest.approx([0, 0], abs=1e-3)


def test_values_reach_the_inner_scheme():
    scheme = WeightDecay(bea.HeavyBall()).with_parameters(beta="1/2", decay="1/3")
    assert scheme == WeightDecay(bea.HeavyBall("1/2"), "1/3")
    assert {str(s) for s in WeightDecay(bea.HeavyBall()).parameter_symbols} == {"beta", "decay"}


def test_what_it_cannot_be_built_on_is_refused():
    with pytest.raises(TypeError, match=r"WeightDecay is built on a bea scheme, not on .*parentheses"):
        WeightDecay(GradientDescent)
    with pytest.raises(TypeError, match="WeightDecay is built on a bea scheme, not on 3"):
        WeightDecay(3)


def test_coupled_decay_leaves_no_parts():
    halves = bea.LossSum([LOSS, LOSS])
    bea.modified_equation(halves, WeightDecay(RandomShuffling()), order=0)
    with pytest.raises(ValueError, match="random-shuffling steps along the parts of a system"):
        bea.modified_equation(halves, WeightDecay(RandomShuffling(), decoupled=False), order=0)
