"""Nesterov's method: the published first order, the roots on a quadratic, and the iterates themselves."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from settled_iterates import gap_orders

import bea

BETA, H, L = sympy.symbols("beta h L")
LOSS = bea.Loss("(3/5 - a*b)**2/2 + a/4", variables="a b")


def regularized(weight):
    """−∇ of weight/(4(1−β)³)‖∇E‖², for the loss above."""
    gradient = [sympy.diff(LOSS.expression, v) for v in LOSS.variables]
    potential = weight * sum(g**2 for g in gradient) / (4 * (1 - BETA) ** 3)
    return sympy.Matrix([-sympy.diff(potential, v) for v in LOSS.variables])


def test_first_order_is_heavy_ball_with_another_weight():
    nesterov = bea.modified_equation(LOSS, bea.Nesterov(), order=1)
    heavy_ball = bea.modified_equation(LOSS, bea.HeavyBall(), order=1)
    assert sympy.simplify(nesterov.terms[0] - heavy_ball.terms[0]).is_zero_matrix
    assert sympy.simplify(nesterov.terms[1] - regularized(1 - BETA + 2 * BETA**2)).is_zero_matrix
    assert sympy.simplify(heavy_ball.terms[1] - regularized(1 + BETA)).is_zero_matrix
    assert not sympy.simplify(nesterov.terms[1] - regularized(1 + BETA)).is_zero_matrix


def test_quadratic_follows_the_principal_root():
    """On E = Lx²/2 the iterates grow by the root ζ near 1 of ζ² − (1+β)(1−hL)ζ + β(1−hL) = 0."""
    loss = bea.Loss("L*x**2/2", variables="x")
    equation = bea.modified_equation(loss, bea.Nesterov("1/3"), order=4)
    beta, order = sympy.Rational(1, 3), 4
    b, c = (1 + beta) * (1 - H * L), beta * (1 - H * L)
    zeta = (b + sympy.sqrt(b**2 - 4 * c)) / 2
    rate = sympy.series(sympy.log(zeta), H, 0, order + 2).removeO() / H
    told = sum(H**k * equation.terms[k][0] for k in range(order + 1)) / loss.variables[0]
    assert sympy.expand(sympy.expand(rate) - sympy.expand(told)) == 0


def test_iterates_are_those_of_the_customary_rule():
    x, v, beta, h = np.array([1.2, 0.7]), np.zeros(2), 0.9, 0.01
    path = bea.arbitrary.iterate(LOSS, bea.Nesterov("9/10"), ["6/5", "7/10"], "1/100", steps=40)
    for row in path[1:]:
        a, b = x + beta * v
        gradient = np.array([-(0.6 - a * b) * b + 0.25, -(0.6 - a * b) * a])
        v = beta * v - h * gradient
        x = x + v
        np.testing.assert_allclose(x, row.astype(float), rtol=1e-13)


def test_terms_agree_with_the_observed_field():
    equation = bea.modified_equation(LOSS, bea.Nesterov("1/2"), order=3)
    assert gap_orders(equation, ["7/5", "9/10"]) == pytest.approx([1, 2, 3, 4], abs=1e-3)


def test_control_heavy_ball_is_told_from_nesterov():
    equation = bea.modified_equation(LOSS, bea.HeavyBall("1/2"), order=2)
    orders = gap_orders(equation, ["7/5", "9/10"], Fraction(1, 2), scheme=bea.Nesterov("1/2"))
    assert orders == pytest.approx([1, 1, 1], abs=1e-3)
