"""The extragradient, optimistic and proximal point methods: rates on linear fields, rules by hand."""

from itertools import pairwise

import numpy as np
import pytest
import sympy
from settled_iterates import gap_orders

import bea
from bea.schemes import Extragradient, OptimisticGradient, ProximalPoint

H, L = sympy.symbols("h lam")
LOSS = bea.Loss("(3/5 - a*b)**2/2 + a/4", variables="a b")
BILINEAR = bea.VectorField(["-y", "x"], variables="x y")
START = ["7/5", "9/10"]
#: The growth per step on ẏ = λy: for the optimistic method the root near 1 of ζ² = ζ + hλ(2ζ − 1).
GROWTH = {
    Extragradient: 1 + H * L + (H * L) ** 2,
    ProximalPoint: 1 / (1 - H * L),
    OptimisticGradient: (1 + 2 * H * L + sympy.sqrt(1 + 4 * (H * L) ** 2)) / 2,
}
SCHEMES = pytest.mark.parametrize("scheme", [kind() for kind in GROWTH], ids=lambda s: s.name)


@SCHEMES
def test_rate_on_a_linear_field(scheme):
    field = bea.VectorField(["lam*y"], variables="y")
    equation = bea.modified_equation(field, scheme, order=4)
    rate = sympy.series(sympy.log(GROWTH[type(scheme)]) / H, H, 0, 5).removeO()
    told = sum(H**k * equation.terms[k][0] for k in range(5)) / field.variables[0]
    assert sympy.expand(rate - told) == 0


@SCHEMES
def test_terms_agree_with_the_observed_field(scheme):
    equation = bea.modified_equation(LOSS, scheme, order=3)
    assert gap_orders(equation, START) == pytest.approx([1, 2, 3, 4], abs=1e-3)


def test_all_three_damp_a_rotation_to_first_order():
    """On the bilinear game the first correction is hJ²/2 = −h/2 times x; gradient descent has +h/2."""
    x = sympy.Matrix(BILINEAR.variables)
    for kind in GROWTH:
        assert bea.modified_equation(BILINEAR, kind(), order=1).terms[1] == -x / 2
    assert bea.modified_equation(BILINEAR, bea.GradientDescent(), order=1).terms[1] == x / 2


def test_control_extragradient_is_not_optimistic_gradient():
    equation = bea.modified_equation(LOSS, Extragradient(), order=2)
    orders = gap_orders(equation, START, scheme=OptimisticGradient())
    assert orders == pytest.approx([1, 2, 2], abs=1e-3)


def force(x):
    a, b = x
    return -np.array([-(0.6 - a * b) * b + 0.25, -(0.6 - a * b) * a])


def test_extragradient_by_hand():
    x = np.array([1.4, 0.9])
    for row in bea.arbitrary.iterate(LOSS, Extragradient(), START, "1/10", steps=10)[1:]:
        x = x + 0.1 * force(x + 0.1 * force(x))
        np.testing.assert_allclose(row.astype(float), x, rtol=1e-13)


def test_optimistic_gradient_is_popovs_method():
    x = np.array([1.4, 0.9])
    z = x - 0.1 * force(x)
    for row in bea.arbitrary.iterate(LOSS, OptimisticGradient(), START, "1/10", steps=10)[1:]:
        z = z + 0.1 * force(x)
        x = z + 0.1 * force(x)
        np.testing.assert_allclose(row.astype(float), x, rtol=1e-13)


def test_proximal_point_minimizes():
    path = bea.arbitrary.iterate(LOSS, ProximalPoint(), START, "1/10", steps=5).astype(float)
    for before, after in pairwise(path):
        np.testing.assert_allclose(after, before + 0.1 * force(after), rtol=1e-13)
    assert bea.modified_equation(LOSS, ProximalPoint(), order=2).terms[1] == (
        -bea.modified_equation(LOSS, bea.GradientDescent(), order=2).terms[1]
    )
