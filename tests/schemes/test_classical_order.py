"""The classical order of every scheme, measured: its local error against a Taylor series in 45 digits.

The field has no symmetry and all its derivatives, so that no condition on the order is met by accident.
"""

from itertools import chain, pairwise

import mpmath
import pytest
import sympy

from bea.schemes import RK4, SCHEMES, BogackiShampine, DormandPrince5, RungeKutta, SecondOrder, get_scheme

DIGITS = 45
START = ("0.3", "0.7")
STEP_SIZES = [mpmath.mpf(2) ** -k for k in (9, 10, 11)]


@pytest.fixture(autouse=True)
def _many_digits():
    with mpmath.workdps(DIGITS):
        yield


class HighPrecision:
    """mpmath numbers; the stage equations are contractions at small step sizes."""

    def number(self, constant):
        return mpmath.mpf(str(sympy.N(constant, DIGITS + 10)))

    def fixed_point(self, function, start):
        K = start
        for _ in range(60):
            K, old = function(K), K
            changes = (abs(a - b) for a, b in zip(chain(*K), chain(*old), strict=True))
            if max(changes) < mpmath.mpf(10) ** (3 - DIGITS):
                return K
        raise AssertionError("the stage equations did not contract")


def field(x):
    return [mpmath.exp(x[1]) * x[0] / 2 - x[0] ** 2, mpmath.cos(x[0]) - x[1] * x[0] ** 3]


@pytest.fixture(scope="module")
def solution():
    with mpmath.workdps(DIGITS):
        x0 = [mpmath.mpf(x) for x in START]
        flow = mpmath.odefun(lambda t, x: field(x), 0, x0, tol=mpmath.mpf(10) ** (5 - DIGITS))
        return {h: flow(h) for h in STEP_SIZES}


def measured_orders(method, solution):
    """The observed exponents of h in the local error, less one, between neighbouring step sizes."""
    x0 = [mpmath.mpf(x) for x in START]
    errors = []
    for h in STEP_SIZES:
        x = method.step(field, x0, h, HighPrecision())
        errors.append(max(abs(a - b) for a, b in zip(x, solution[h], strict=True)))
    return [float(mpmath.log(a / b, 2)) - 1 for a, b in pairwise(errors)]


TABLEAUS = [name for name, scheme in SCHEMES.items() if issubclass(scheme, RungeKutta)]


@pytest.mark.parametrize("name", [name for name in TABLEAUS if name != "second-order"])
def test_every_scheme_has_its_declared_order(name, solution):
    method = get_scheme(name)
    assert measured_orders(method, solution) == pytest.approx([method.order] * 2, abs=0.02)


@pytest.mark.parametrize("alpha", ["1/3", "4/5", "3", "-1/2"])
def test_family_of_second_order_has_order_two(alpha, solution):
    assert measured_orders(SecondOrder(alpha), solution) == pytest.approx([2, 2], abs=0.02)


@pytest.mark.parametrize(("pair", "order"), [(BogackiShampine(), 2), (DormandPrince5(), 4)])
def test_embedded_methods_have_their_order(pair, order, solution):
    embedded = RungeKutta(pair.A, pair.b_hat)
    assert measured_orders(embedded, solution) == pytest.approx([order] * 2, abs=0.02)


def test_a_wrong_coefficient_shows(solution):
    A = RK4().A.as_mutable()
    A[2, 1], A[2, 0] = sympy.Rational(49, 100), sympy.Rational(1, 100)
    assert measured_orders(RungeKutta(A, RK4().b), solution) == pytest.approx([2, 2], abs=0.02)
