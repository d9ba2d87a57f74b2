"""Logistic losses far from their kink, where exponentials leave the range of floats."""

import warnings

import mpmath
import numpy as np
import pytest
import sympy

import bea
from bea.systems.logistic import logistic_form

LOSS = bea.Loss("log(1 + exp(-a*b))", variables="a b")


def loss(a, b):
    return mpmath.log(1 + mpmath.exp(-a * b))


def precise_terms(a, b):
    """−σ(−ab)·(−b, −a) and the first-order term −½H∇E, with 60 digits."""
    with mpmath.workdps(60):
        g = mpmath.matrix([mpmath.diff(loss, (a, b), n) for n in ((1, 0), (0, 1))])
        H = mpmath.matrix(2, 2)
        for i, j, n in ((0, 0, (2, 0)), (0, 1, (1, 1)), (1, 0, (1, 1)), (1, 1, (0, 2))):
            H[i, j] = mpmath.diff(loss, (a, b), n)
        return [[float(v) for v in -g], [float(v) for v in -H * g / 2]]


@pytest.mark.parametrize("point", [(1.0, 0.3), (40.0, -30.0), (-25.0, 33.0), (40.0, 30.0)])
def test_terms_are_finite_and_right(point):
    equation = bea.modified_equation(LOSS, bea.GradientDescent(), order=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [
            bea.VectorField(list(term), LOSS.variables)(point)
            for term in (equation.terms[0], equation.terms[1])
        ]
    np.testing.assert_allclose(found, precise_terms(*point), rtol=1e-9, atol=1e-200)


def test_compiled_descent_passes_through_the_far_side():
    path = bea.iterate(LOSS, bea.GradientDescent(), [40.0, -30.0], step_size=1e-2, steps=200)
    assert path.success
    np.testing.assert_allclose(path.x[1], [40 - 0.3, -30 + 0.4], rtol=1e-12)


def test_forms():
    u, v = sympy.symbols("u v")
    e, f = sympy.exp(u), sympy.exp(-u)
    cases = {
        e / (1 + e): 1 / (1 + f),
        e**2 / (1 + e) ** 3: 1 / (1 + f) ** 2 / (1 + e),
        e**3 / (1 + e) ** 2: e / (1 + f) ** 2,
        v * f / (1 + f) + v: v / (1 + e) + v,
        1 / (1 + e): 1 / (1 + e),
        sympy.exp(v) / (1 + e): sympy.exp(v) / (1 + e),
        e / (2 + e): e / (2 + e),
    }
    for given, expected in cases.items():
        assert logistic_form(given) == expected
        assert sympy.simplify(given - expected) == 0
