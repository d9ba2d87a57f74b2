"""The principal flow at a point and its expansion, against arbitrary precision and matrix functions."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
import sympy

import bea


def quadratic(eigenvalues, angle=0.7):
    """½ xᵀHx in two dimensions, with the eigenvectors turned by an angle."""
    c, s = np.cos(angle), np.sin(angle)
    Q = np.array([[c, -s], [s, c]])
    H = Q @ np.diag(eigenvalues) @ Q.T
    H = (H + H.T) / 2
    x, y = sympy.symbols("x y")
    expression = (
        sympy.Float(H[0, 0]) * x**2 / 2 + sympy.Float(H[0, 1]) * x * y + sympy.Float(H[1, 1]) * y**2 / 2
    )
    return bea.Loss(expression, "x y"), H


@pytest.mark.parametrize("eigenvalues", [(0.5, 1.5), (-1.0, 0.0), (2.5, 7.0), (3.0, 11.0)])
def test_on_quadratics_it_is_the_logarithm_of_a_step(eigenvalues):
    h, x = 0.3, np.array([1.0, -2.0])
    loss, H = quadratic(eigenvalues)
    with mpmath.workdps(40):
        step = mpmath.eye(2) - h * mpmath.matrix(H.tolist())
        values, vectors = mpmath.eig(step)
        logarithm = vectors * mpmath.diag([mpmath.log(mpmath.re(v)) for v in values]) * vectors**-1
        expected = np.array([complex(c) for c in logarithm * mpmath.matrix(x.tolist()) / h])
    assert np.allclose(bea.principal_flow(loss, x, h), expected, rtol=1e-12, atol=1e-13)


def test_a_wrong_branch_would_be_noticed():
    loss, _ = quadratic((3.0, 11.0))
    value = bea.principal_flow(loss, [1.0, -2.0], 0.3)
    assert np.abs(value.imag).max() > 1
    assert not np.allclose(value, value.conj())


def test_a_flat_direction_counts_with_its_limit():
    loss = bea.Loss("x + y**2/2", variables="x y")
    assert np.array_equal(bea.principal_flow(loss, [3.0, 0.0], 0.5), [-1, 0])
    near = bea.principal_flow(bea.Loss("x + 1e-14*x**2", variables="x"), [0.0], 0.5)
    assert near == pytest.approx([-1], rel=1e-12)


def test_complex_points_agree_with_a_quadrature():
    """log(1 − z)/z is −∫₀¹ ds/(1 − sz), also for matrices."""
    loss, h = bea.Loss("x**4/4 + x*y**2 + y**3/3", variables="x y"), 0.2
    x, y = point = np.array([0.5 + 0.3j, -0.4 + 0.2j])
    g = np.array([x**3 + y**2, 2 * x * y + y**2])
    H = np.array([[3 * x**2, 2 * y], [2 * y, 2 * x + 2 * y]])
    nodes, weights = np.polynomial.legendre.leggauss(40)
    s = (nodes + 1) / 2
    expected = -sum(
        w / 2 * np.linalg.solve(np.eye(2) - t * h * H, g) for t, w in zip(s, weights, strict=True)
    )
    assert np.allclose(bea.principal_flow(loss, point, h), expected, rtol=1e-12)
    assert not np.allclose(bea.principal_flow(loss, point.conj(), h), expected, rtol=1e-3)


def test_the_expansion_converges_to_it():
    loss, h, x = bea.Loss("(a*b - 1)**2/2 + a**2", variables="a b"), 0.01, [0.9, 1.2]
    value = bea.principal_flow(loss, x, h)
    errors = [np.abs(bea.principal_expansion(loss, k)(x, h=h) - value).max() for k in range(6)]
    assert all(later < earlier / 10 for earlier, later in pairwise(errors))


def test_parameters_have_values():
    loss = bea.Loss("c*x**2/2", variables="x", parameters={"c": 1})
    assert bea.principal_flow(loss, [1.0], 0.5) == pytest.approx([np.log(0.5) / 0.5])
    assert bea.principal_flow(loss, [1.0], 0.5, {"c": 2.5}) == pytest.approx([np.log(-0.25 + 0j) / 0.5])


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (("x**2/2", [1.0], 1.0), ValueError, "singular"),
        (("x**2/2", [1.0], -1.0), ValueError, "h must be a positive number"),
        (("x**2/2", [1.0, 2.0], 0.1), ValueError, r"shape \(1,\)"),
        (("x**2/2", [np.nan], 0.1), ValueError, "finite"),
        (("x**2/2", ["1"], 0.1), TypeError, "numbers"),
        (("c*x**2/2", [1.0], 0.1), ValueError, "no value for parameter 'c'"),
        (("abs(x)", [1.0], 0.1), ValueError, "smooth"),
    ],
)
def test_bad_input_is_refused(arguments, error, sentence):
    text, x, h = arguments
    with pytest.raises(error, match=sentence):
        bea.principal_flow(bea.Loss(text, variables="x"), x, h)


def test_only_losses_have_one():
    field = bea.VectorField(["-x"], variables="x")
    with pytest.raises(TypeError, match="VectorField"):
        bea.principal_flow(field, [1.0], 0.1)
    with pytest.raises(ValueError, match="order"):
        bea.principal_expansion(bea.Loss("x**2", variables="x"), -1)


@pytest.mark.parametrize(("text", "variable"), [("h*x**2/2", "x"), ("h**4", "h")])
@pytest.mark.parametrize(
    "derive",
    [
        lambda loss: bea.principal_expansion(loss, 1),
        lambda loss: bea.principal_flow(loss, [1.0], 0.1, {"h": 2}),
        lambda loss: bea.principal_path(loss, [1.0], 0.1, (0, 1), {"h": 2}),
    ],
)
def test_a_symbol_h_is_not_mixed_with_the_step_size(derive, text, variable):
    with pytest.raises(ValueError, match="the symbol h is the step size of the modified equation: rename"):
        derive(bea.Loss(text, variables=variable))


def test_control_the_renamed_symbol_is_a_rate():
    """On cx²/2 the expansion is −cx − hc²x/2 − …, from log(1 − hc)/h."""
    c, h, x = sympy.symbols("c h x")
    series = sympy.series(sympy.log(1 - h * c) / h, h, 0, 3).removeO()
    told = bea.principal_expansion(bea.Loss("c*x**2/2", variables="x"), 2).components[0]
    assert sympy.expand(told - series * x) == 0


def test_a_step_beyond_all_numbers_is_refused():
    loss = bea.Loss("1e200*x**2/2", variables="x")
    with pytest.raises(ValueError, match=r"h times the Hessian is not finite .* h = 1e\+200 is too large"):
        bea.principal_flow(loss, [1.0], 1e200)
    expected = (200 * mpmath.log(10) + mpmath.log(mpmath.mpf(10) ** 50) + 1j * mpmath.pi) / mpmath.mpf(
        10
    ) ** 50
    assert complex(bea.principal_flow(loss, [1.0], 1e50)[0]) == pytest.approx(complex(expected))
