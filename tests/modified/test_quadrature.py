"""Antiderivatives in closed form, against their derivatives and against numerical quadrature."""

import pytest
import sympy
from mpmath import mp, quad

import bea
from bea.modified.quadrature import antiderivative

x, eps, k = sympy.symbols("x eps k")


@pytest.mark.parametrize(
    "f",
    [
        x / sympy.sqrt(x**2 + eps),
        x / (x**2 + eps),
        k * (x - 1) / sympy.sqrt(k**2 * (x - 1) ** 2 + eps).expand() ** 7,
        (x**3 - 2 * x) / (x**2 + eps) ** 2 + 3 * x / sympy.sqrt(x**2 + eps),
        (x**3 + x) / ((k - 1) * (k + 2) * (3 * x**2 + eps) ** sympy.Rational(5, 2)) + x**5,
    ],
)
def test_the_derivative_is_the_integrand(f):
    assert sympy.simplify(antiderivative(f, x).diff(x) - f) == 0


@pytest.mark.parametrize(
    "f",
    [
        1 / sympy.sqrt(x**2 + eps),
        x**2 / (x**2 + eps),
        x / sympy.sqrt(x**4 + eps),
        x * sympy.exp(x) / (x**2 + eps),
        x / sympy.sqrt(x**2 + eps) + x / (x**2 + 1),
        x**3,
        x / (sympy.sqrt(x**2 + eps) + 1),
    ],
)
def test_what_is_not_of_the_form_is_left(f):
    assert antiderivative(f, x) is None


@pytest.mark.parametrize("scheme", [bea.Adam("1/2", "3/4", "1/3"), bea.schemes.RMSProp("1/2", "1/3")])
def test_the_modified_loss_of_adam_on_a_parabola(scheme):
    """E_k(b) - E_k(a) is minus the work of the field, by Gauss-Legendre quadrature with 30 digits."""
    equation = bea.modified_equation(bea.Loss("(x - 2)**2/2", variables="x"), scheme, order=2)
    assert not any(term.has(sympy.Integral) for term in equation.loss.terms)
    with mp.workdps(30):
        for term, loss in zip(equation.terms, equation.loss.terms, strict=True):
            assert loss.subs(x, 0) == 0
            rate = sympy.lambdify(x, term[0], "mpmath")
            work = -quad(rate, [0, 1, 2, 3, 4])
            ends = [sympy.N(loss.subs(x, p), 30) for p in (0, 4)]
            assert abs(ends[1] - ends[0] - work) < 1e-25
            work = -quad(rate, [0, 1, 2, 3])
            assert abs(sympy.N(loss.subs(x, 3), 30) - work) < 1e-25
            assert abs(sympy.N(loss.subs(x, 3), 30) + work) > 1e-3
