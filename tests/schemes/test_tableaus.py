"""The named tableaus against published values and against the conditions that define their families."""

import numpy as np
import pytest
import scipy.integrate
import sympy
from sympy import Rational, sqrt

from bea import schemes
from bea.schemes import SCHEMES, RungeKutta

z = sympy.Symbol("z")


def polynomial(*coefficients):
    """Σ c_k z^k."""
    return sum(sympy.sympify(c) * z**k for k, c in enumerate(coefficients))


def exponential(degree):
    return sum(z**k / sympy.factorial(k) for k in range(degree + 1))


def pade(k, j):
    """The Padé approximation (k, j) of exp, Hairer and Wanner (1996), Theorem IV.3.11."""
    f = sympy.factorial

    def half(k, j, sign):
        return sum(f(k) * f(j + k - m) / (f(k - m) * f(j + k)) * (sign * z) ** m / f(m) for m in range(k + 1))

    return half(k, j, 1) / half(j, k, -1)


STABILITY = {
    "gradient-descent": 1 + z,
    "explicit-euler": 1 + z,
    "simultaneous-descent": 1 + z,
    "extragradient": 1 + z + z**2,
    "proximal-point": 1 / (1 - z),
    "implicit-euler": 1 / (1 - z),
    "explicit-midpoint": exponential(2),
    "implicit-midpoint": (1 + z / 2) / (1 - z / 2),
    "heun": exponential(2),
    "ralston": exponential(2),
    "second-order": exponential(2),
    "ssprk22": exponential(2),
    "heun3": exponential(3),
    "ralston3": exponential(3),
    "ssprk33": exponential(3),
    "kutta3": exponential(3),
    "bogacki-shampine": exponential(3),
    "rk4": polynomial(1, 1, "1/2", "1/6", "1/24"),
    "three-eighths": exponential(4),
    "dormand-prince5": exponential(5) + z**6 / 600,
    "trapezoidal": pade(1, 1),
    "gauss2": pade(2, 2),
    "gauss3": pade(3, 3),
    "radau-ia2": pade(1, 2),
    "radau-ia3": pade(2, 3),
    "radau-iia2": pade(1, 2),
    "radau-iia3": pade(2, 3),
    "lobatto-iiia3": pade(2, 2),
    "lobatto-iiia4": pade(3, 3),
    "lobatto-iiib2": pade(1, 1),
    "lobatto-iiib3": pade(2, 2),
    "lobatto-iiib4": pade(3, 3),
    "lobatto-iiic2": pade(0, 2),
    "lobatto-iiic3": pade(1, 3),
    "lobatto-iiic4": pade(2, 4),
}


@pytest.mark.parametrize("name", [n for n, scheme in SCHEMES.items() if issubclass(scheme, RungeKutta)])
def test_stability_functions_are_the_known_ones(name):
    found = schemes.get_scheme(name).stability_function()
    assert sympy.cancel(found - STABILITY[name]) == 0


@pytest.mark.parametrize(
    ("method", "published", "order_of_embedded"),
    [
        (schemes.BogackiShampine(), scipy.integrate.RK23, 2),
        (schemes.DormandPrince5(), scipy.integrate.RK45, 4),
    ],
)
def test_embedded_pairs_are_those_of_scipy(method, published, order_of_embedded):
    A, b, c = method.as_floats()
    s = published.n_stages
    assert np.array_equal(A[:s, : published.A.shape[1]], published.A)
    assert np.array_equal(b[:s], published.B)
    assert np.array_equal(A[s, :s], published.B)
    assert np.array_equal(c[:s], published.C)
    assert np.allclose([float(e) for e in method.b_hat - method.b], published.E, rtol=0, atol=1e-16)


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_gauss_nodes_and_weights_are_those_of_numpy(stages):
    _, b, c = schemes.Gauss(stages).as_floats()
    nodes, weights = np.polynomial.legendre.leggauss(stages)
    assert np.allclose(c, (nodes + 1) / 2, rtol=0, atol=1e-15)
    assert np.allclose(b, weights / 2, rtol=0, atol=1e-15)


@pytest.mark.parametrize("stages", [2, 3, 4])
@pytest.mark.parametrize("family", [schemes.LobattoIIIA, schemes.LobattoIIIC])
def test_lobatto_nodes_are_the_extrema_of_legendre_polynomials(family, stages):
    inner = np.polynomial.Legendre.basis(stages - 1).deriv().roots()
    _, _, c = family(stages).as_floats()
    assert np.allclose(c, [0, *(inner + 1) / 2, 1], rtol=0, atol=1e-15)


def test_scipy_radau_has_the_nodes_of_radau_iia():
    from scipy.integrate._ivp import radau

    assert np.allclose(schemes.RadauIIA(3).as_floats()[2], radau.C, rtol=0, atol=1e-15)


# The number of stages s, then how many of the simplifying assumptions B(p), C(q) and D(r) hold, after
# Hairer and Wanner (1996), Table 5.13.
FAMILIES = {
    schemes.Gauss: ((1, 2, 3), lambda s: (2 * s, s, s)),
    schemes.RadauIA: ((2, 3), lambda s: (2 * s - 1, s - 1, s)),
    schemes.RadauIIA: ((1, 2, 3), lambda s: (2 * s - 1, s, s - 1)),
    schemes.LobattoIIIA: ((2, 3, 4), lambda s: (2 * s - 2, s, s - 2)),
    schemes.LobattoIIIB: ((2, 3, 4), lambda s: (2 * s - 2, s - 2, s)),
    schemes.LobattoIIIC: ((2, 3, 4), lambda s: (2 * s - 2, s - 1, s - 1)),
}


def simplifying_assumptions(A, b, c, p, q, r):
    """The left minus the right sides of B(p), C(q) and D(r)."""
    s = len(b)
    yield from (sum(b[i] * c[i] ** (k - 1) for i in range(s)) - Rational(1, k) for k in range(1, p + 1))
    for i in range(s):
        for k in range(1, q + 1):
            yield sum(A[i, j] * c[j] ** (k - 1) for j in range(s)) - c[i] ** k / k
    for j in range(s):
        for k in range(1, r + 1):
            yield sum(b[i] * c[i] ** (k - 1) * A[i, j] for i in range(s)) - b[j] * (1 - c[j] ** k) / k


@pytest.mark.parametrize(
    ("family", "stages"), [(family, s) for family, (members, _) in FAMILIES.items() for s in members]
)
def test_families_satisfy_the_conditions_that_define_them(family, stages):
    method = family(stages)
    p, q, r = FAMILIES[family][1](stages)
    # With two stages, the nodes 0 and 1 of Lobatto's quadrature are not the row sums of Lobatto IIIB.
    c = [0, 1] if (family, stages) == (schemes.LobattoIIIB, 2) else method.c
    defects = simplifying_assumptions(method.A, method.b, sympy.sympify(c), p, q, r)
    assert all(sympy.expand(defect) == 0 for defect in defects)
    assert method.order == p
    beyond = simplifying_assumptions(method.A, method.b, sympy.sympify(c), p + 1, 0, 0)
    assert any(sympy.expand(defect) != 0 for defect in beyond)


@pytest.mark.parametrize("family", FAMILIES)
def test_members_that_are_not_known_are_refused(family):
    members, _ = FAMILIES[family]
    assert [family(s).stages for s in members] == list(members)
    with pytest.raises(ValueError, match=r"is known here with .* stages, not 7"):
        family(7)


def test_family_of_second_order_holds_its_known_members():
    assert schemes.SecondOrder("1/2") == schemes.ExplicitMidpoint()
    assert schemes.SecondOrder("2/3") == schemes.Ralston()
    assert schemes.SecondOrder(1) == schemes.Heun()


def test_coefficients_of_radau_iia_agree_with_their_other_published_form():
    # E. Hairer and G. Wanner (1999), Stiff differential equations solved by Radau methods, Equation (4).
    method = schemes.RadauIIA3()
    assert method.A[0, 0] == Rational(11, 45) - 7 * sqrt(6) / 360
    assert method.A[0, 1] == Rational(37, 225) - 169 * sqrt(6) / 1800
    assert method.A[0, 2] == -Rational(2, 225) + sqrt(6) / 75
