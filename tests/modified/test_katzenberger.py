"""Katzenberger's drift is ½ ∂²Φ[Σ], with second differences of the limit Φ of the gradient flow."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.linalg
import sympy

import bea
from bea.modified import ConstrainedDiffusion

CODIMENSION_ONE = bea.Loss(
    "(a*b + c**2 + sin(d) - 1)**2 * (1 + a**2 + exp(b)/3) / 2",
    "a b c d",
    zero_loss_set=bea.ZeroLossSet(["a*b + c**2 + sin(d) - 1"], "a b c d"),
)
CODIMENSION_TWO = bea.Loss.from_residuals(["a*b + c*d - 1", "a**2 - b*d + c - 0.5"], "a b c d")
LOSSES = {1: CODIMENSION_ONE, 2: CODIMENSION_TWO}

#: Weights of the second difference of order 8, with an error of h⁸/3150 times the tenth derivative.
WEIGHTS = (-205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560)
STEP = 0.02


def second_difference(loss: bea.Loss, x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """∂²Φ[v, v] at x."""
    total = WEIGHTS[0] * bea.flow_limit(loss, x).x
    for k, weight in enumerate(WEIGHTS[1:], start=1):
        for sign in (1, -1):
            total = total + weight * bea.flow_limit(loss, x + sign * k * STEP * v).x
    return total / STEP**2


def regular_point(codimension: int) -> np.ndarray:
    """A point of Γ at which the flow around is tame."""
    start = [0.8, 0.9, 0.5, 0.2] if codimension == 1 else [0.9, 0.8, 0.6, 0.7]
    return bea.project(LOSSES[codimension], start).x


@pytest.mark.parametrize("codimension", [1, 2])
def test_the_drift_is_half_the_second_derivative_of_the_limit_map(codimension):
    loss, x = LOSSES[codimension], regular_point(codimension)
    G = np.random.default_rng(codimension).normal(size=(4, 4)) / 2
    values, vectors = np.linalg.eigh(G @ G.T)
    expected = (
        sum(value * second_difference(loss, x, v) for value, v in zip(values, vectors.T, strict=True)) / 2
    )
    motion = ConstrainedDiffusion(loss, G.tolist())
    drift = motion.drift(x)
    np.testing.assert_allclose(drift, expected, atol=2e-7 * np.abs(expected).max())
    assert np.abs(drift - 2 * expected).max() > 0.1 * np.abs(expected).max()


def test_sums_of_squares_and_other_losses_move_alike():
    """Multiplied out, the loss is no sum of squares, and its third derivative is taken as a whole."""
    zeros = CODIMENSION_TWO.zero_loss_set
    expanded = bea.Loss(CODIMENSION_TWO.expression.expand(), CODIMENSION_TWO.variables, zero_loss_set=zeros)
    G = np.random.default_rng(9).normal(size=(4, 4)).tolist()
    one, other = ConstrainedDiffusion(CODIMENSION_TWO, G), ConstrainedDiffusion(expanded, G)
    for x in zeros.sample(5, rng=0):
        np.testing.assert_allclose(one.drift(x), other.drift(x), rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(one.hessian(x), other.hessian(x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("expression", ["(x + 2*y - 1)**2/2", "x**2/2 + 2*x*y + 2*y**2 - x - 2*y + 1/2"])
def test_on_a_straight_line_the_limit_map_is_linear(expression):
    """Φ is then the orthogonal projection onto the line: there is no drift, and the noise is projected."""
    line = bea.ZeroLossSet(["x + 2*y - 1"], "x y")
    motion = ConstrainedDiffusion(bea.Loss(expression, "x y", zero_loss_set=line), [[1, 0], [0, 3]])
    np.testing.assert_allclose(motion.hessian([1.0, 0.0]), [[1, 2], [2, 4]], rtol=1e-12)
    np.testing.assert_allclose(motion.drift([1.0, 0.0]), [0, 0], atol=1e-15)
    np.testing.assert_allclose(motion.diffusion([1.0, 0.0]), [[0.8, -1.2], [-0.4, 0.6]], rtol=1e-12)


def test_on_a_single_point_nothing_moves():
    motion = ConstrainedDiffusion(bea.Loss.from_residuals(["x - 1", "y + x"], "x y"), [[1, 0], [0, 1]])
    assert not motion.drift([1.0, -1.0]).any()
    np.testing.assert_allclose(motion.diffusion([1.0, -1.0]), np.zeros((2, 2)), atol=1e-15)


def test_far_out_on_a_hyperbola_the_hessian_still_counts_as_positive():
    """Its eigenvalues are far apart there because those of F'ᵀF' are; Σ = H has the drift −P∇tr H / 4."""
    loss = bea.Loss.from_residuals(["a*b - 1", "a*c - 2"], "a b c")
    motion = ConstrainedDiffusion(loss, [["b", "c"], ["a", 0], [0, "a"]])
    a = 2.0**-8
    x = np.array([a, 1 / a, 2 / a])
    rates = motion.across(x)[1]
    assert 0 < rates[0] < 1e-9 * rates[1]
    slope = np.array([4 * x[0], 2 * x[1], 2 * x[2]])  # of tr H = 2a² + b² + c²
    tangent = np.array([x[0], -x[1], -x[2]]) / np.linalg.norm(x)
    np.testing.assert_allclose(motion.drift(x), -tangent * (tangent @ slope) / 4, rtol=1e-6)
    flat = bea.Loss("(a*b - 1)**2 + (a*c - 2)**4", "a b c", zero_loss_set=loss.zero_loss_set)
    with pytest.raises(ValueError, match="not positive definite across the zero-loss set"):
        ConstrainedDiffusion(flat, [[1], [0], [0]]).drift(x)


def test_no_point_at_all():
    motion = ConstrainedDiffusion(CODIMENSION_TWO, np.eye(4).tolist())
    assert motion.drift(np.zeros((4, 0))).shape == (4, 0)


@pytest.mark.parametrize("codimension", [1, 2])
def test_without_the_mixed_part_the_drift_is_wrong(codimension):
    """The covariance less what couples both directions has another drift: the mixed term matters."""
    loss, x = LOSSES[codimension], regular_point(codimension)
    G = np.random.default_rng(codimension).normal(size=(4, 4)) / 2
    motion = ConstrainedDiffusion(loss, G.tolist())
    P = motion.tangent_projection(x)
    N = np.eye(4) - P
    blocks = ConstrainedDiffusion(loss, np.hstack([P @ G, N @ G]).tolist())
    assert np.abs(blocks.drift(x) - motion.drift(x)).max() > 1e-2 * np.abs(motion.drift(x)).max()


def formula_at(loss: bea.Loss, G: np.ndarray, x: np.ndarray) -> np.ndarray:
    """The formula of Li, Wang and Arora at one point, by SymPy's derivatives and SciPy's Lyapunov equation.

    L_H has a kernel along Γ, so that H is made regular there, where Σ⊥ does not reach.
    """
    w = loss.variables
    point = dict(zip(w, x, strict=True))
    H = np.array(sympy.hessian(loss.expression, w).subs(point), dtype=float)
    T = np.array([sympy.hessian(loss.expression.diff(v), w).subs(point) for v in w], dtype=float)
    J = np.array(sympy.Matrix(loss.zero_loss_set.residuals).jacobian(w).subs(point), dtype=float)
    N = np.linalg.pinv(J) @ J
    P, S = np.eye(len(w)) - N, G @ G.T
    pinv = np.linalg.pinv(H, rcond=1e-8)
    solved = scipy.linalg.solve_continuous_lyapunov(H + P, N @ S @ N)

    def bend(matrix):
        return np.einsum("ijk,jk->i", T, matrix)

    return -pinv @ bend(P @ S @ P) / 2 - P @ (2 * bend(pinv @ N @ S @ P) + bend(N @ solved @ N)) / 2


@pytest.mark.parametrize("codimension", [1, 2])
def test_many_points_at_once(codimension):
    loss = LOSSES[codimension]
    G = np.random.default_rng(3).normal(size=(4, 3))
    motion = ConstrainedDiffusion(loss, G.tolist())
    points = loss.zero_loss_set.sample(6, rng=1)
    drift, diffusion = motion.drift(points.T), motion.diffusion(points.T)
    for k, x in enumerate(points):
        np.testing.assert_allclose(drift[:, k], formula_at(loss, G, x), rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(drift[:, k], motion.drift(x), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(diffusion[:, :, k], motion.diffusion(x), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(motion.hessian(points.T)[:, :, k], motion.hessian(x), rtol=1e-12)
    assert np.abs(drift[:, 0] - formula_at(loss, G, points[1])).max() > 1e-2


def test_few_points_at_a_time_make_no_difference(monkeypatch):
    motion = ConstrainedDiffusion(CODIMENSION_TWO, np.eye(4).tolist())
    points = CODIMENSION_TWO.zero_loss_set.sample(7, rng=1).T
    whole = motion.drift(points)
    monkeypatch.setattr("bea.modified.many_points._NUMBERS", 100)
    np.testing.assert_allclose(motion.drift(points), whole, rtol=1e-13)


def test_the_diffusion_has_the_tangential_covariance():
    x = regular_point(2)
    G = np.random.default_rng(5).normal(size=(4, 3))
    C = np.array([[1, 0.5, 0], [0.5, 1, -0.2], [0, -0.2, 1]])
    motion = ConstrainedDiffusion(CODIMENSION_TWO, G.tolist(), C)
    P, B = motion.tangent_projection(x), motion.diffusion(x)
    np.testing.assert_allclose(B @ B.T, P @ G @ C @ G.T @ P, atol=1e-12)
    np.testing.assert_allclose(CODIMENSION_TWO.zero_loss_set.jacobian(x) @ B, 0, atol=1e-12)


def test_correlated_noise_moves_like_its_root():
    x = regular_point(2)
    G, A = (np.random.default_rng(seed).normal(size=(4, 4)) for seed in (6, 7))
    C = A @ A.T
    correlated = ConstrainedDiffusion(CODIMENSION_TWO, G.tolist(), C)
    plain = ConstrainedDiffusion(CODIMENSION_TWO, (G @ np.linalg.cholesky(C)).tolist())
    np.testing.assert_allclose(correlated.drift(x), plain.drift(x), rtol=1e-9)


def test_the_iterates_stay_on_the_zero_loss_set_to_second_order():
    """Itô's formula for the residual F: F'b + ½ tr(Bᵀ F'' B) = 0."""
    x = regular_point(1)
    motion = ConstrainedDiffusion(CODIMENSION_ONE, np.random.default_rng(8).normal(size=(4, 4)).tolist())
    residual = CODIMENSION_ONE.zero_loss_set.residuals[0]
    w = CODIMENSION_ONE.variables
    point = dict(zip(w, x, strict=True))
    hessian = np.array([[float(residual.diff(u, v).subs(point)) for u in w] for v in w])
    B = motion.diffusion(x)
    bend = np.trace(B.T @ hessian @ B) / 2
    assert abs(bend) > 1e-2
    assert (CODIMENSION_ONE.zero_loss_set.jacobian(x) @ motion.drift(x))[0] == pytest.approx(-bend, rel=1e-9)


@pytest.mark.parametrize("codimension", [1, 2])
def test_the_formula_is_half_the_second_derivative_of_the_limit_map(codimension):
    loss, x = LOSSES[codimension], regular_point(codimension)
    G = np.round(np.random.default_rng(codimension + 4).normal(size=(4, 2)), 3)
    motion = ConstrainedDiffusion(loss, G.tolist())
    point = dict(zip(loss.variables, x, strict=True))
    expected = sum(second_difference(loss, x, column) for column in G.T) / 2
    formula = np.array(
        sympy.lambdify([loss.variables], list(motion.drift_expression), cse=True)(list(point.values()))
    )
    np.testing.assert_allclose(formula, expected, atol=2e-7 * np.abs(expected).max())
    assert np.abs(formula - 2 * expected).max() > 0.1 * np.abs(expected).max()


@pytest.mark.parametrize("codimension", [1, 2])
def test_formulas_and_numbers_agree(codimension):
    """With noise that depends on the point and whose components are correlated."""
    loss = LOSSES[codimension]
    motion = ConstrainedDiffusion(
        loss, [["a", 1], ["k", "b*c"], [0, "sin(d)"], [1, 2]], [[1, 0.5], [0.5, 1]], {"k": 3}
    )
    arguments = [loss.variables, sympy.Symbol("k")]
    drift = sympy.lambdify(arguments, list(motion.drift_expression), cse=True)
    diffusion = sympy.lambdify(arguments, motion.diffusion_expression, cse=True)
    for x in loss.zero_loss_set.sample(5, rng=2):
        scale = np.abs(motion.drift(x)).max()
        np.testing.assert_allclose(drift(x, 3), motion.drift(x), rtol=1e-9, atol=1e-11 * scale)
        np.testing.assert_allclose(diffusion(x, 3), motion.diffusion(x), rtol=1e-9, atol=1e-11)
        assert np.abs(np.array(drift(x, 4)) - motion.drift(x)).max() > 1e-4 * scale


@pytest.mark.parametrize("equation", ["(x**2 + y**2 - 1)**2", "(x**2 + y**2 - 1)**2*(1 + x**2 + y**2)"])
def test_isotropic_noise_is_brownian_motion_on_the_circle(equation):
    """Itô: dY = P dW − Y/2 dt, for a loss that depends on the distance alone."""
    loss = bea.Loss(equation, "x y", zero_loss_set=bea.ZeroLossSet(["x**2 + y**2 - 1"], "x y"))
    motion = ConstrainedDiffusion(loss, sympy.eye(2))
    x, y = loss.variables
    assert motion.drift_expression == sympy.ImmutableMatrix([-x / 2, -y / 2])
    t = sympy.Symbol("t")
    on_circle = motion.diffusion_expression.subs({x: sympy.cos(t), y: sympy.sin(t)})
    tangent = sympy.Matrix([-sympy.sin(t), sympy.cos(t)])
    assert sympy.simplify(on_circle - tangent * tangent.T) == sympy.zeros(2)


def test_where_the_circle_is_not_steep_alike_noise_drifts_along_it():
    """For L = (r² − 1)²(2 + x)/2 the flat side draws: the tangential drift is −¼∂_θ log λ at λ = 4(2 + x)."""
    zeros = bea.ZeroLossSet(["x**2 + y**2 - 1"], "x y")
    loss = bea.Loss("(x**2 + y**2 - 1)**2*(2 + x)/2", "x y", zero_loss_set=zeros)
    motion = ConstrainedDiffusion(loss, sympy.eye(2))
    t, (x, y) = sympy.Symbol("t"), loss.variables
    drift = motion.drift_expression.subs({x: sympy.cos(t), y: sympy.sin(t)})
    along = (sympy.Matrix([-sympy.sin(t), sympy.cos(t)]).T * drift)[0]
    expected = -sympy.log(2 + sympy.cos(t)).diff(t) / 4
    assert sympy.simplify(along - expected) == 0
    assert sympy.simplify(along + expected) != 0


def test_there_is_no_formula_beyond_codimension_two():
    loss = bea.Loss.from_residuals(["a*b - 1", "b*c - 1", "c*d - 2"], "a b c d")
    motion = ConstrainedDiffusion(loss, sympy.eye(4))
    assert motion.drift_expression is None
    assert motion.diffusion_expression is None


def test_parameters_and_pickle():
    loss = bea.catalogue.sum_of_products(n=1)
    motion = ConstrainedDiffusion(loss, [["k", 0], [0, "k*a1"]], parameters={"k": 2})
    again = pickle.loads(pickle.dumps(motion))
    np.testing.assert_array_equal(again.drift([2.0, 0.5]), motion.drift([2.0, 0.5]))
    assert "ConstrainedDiffusion" in repr(again)
    np.testing.assert_allclose(motion.covariance([2.0, 0.5]), [[4, 0], [0, 16]])


def test_refusals():
    loss = bea.catalogue.sum_of_products(n=1)
    with pytest.raises(TypeError, match="one of a Loss"):
        ConstrainedDiffusion("a", [[1]])
    with pytest.raises(ValueError, match="known zero-loss set"):
        ConstrainedDiffusion(bea.Loss("a**2", "a"), [[1]])
    with pytest.raises(ValueError, match="2 rows"):
        ConstrainedDiffusion(loss, [[1]])
    with pytest.raises(ValueError, match="symmetric nonnegative"):
        ConstrainedDiffusion(loss, [[1, 0], [0, 1]], [[1, 2], [2, 1]])
    flat = bea.Loss("(a*b - 1)**4", "a b", zero_loss_set=bea.ZeroLossSet(["a*b - 1"], "a b"))
    with pytest.raises(ValueError, match="not positive definite"):
        ConstrainedDiffusion(flat, [[1, 0], [0, 1]]).drift([2.0, 0.5])
    with pytest.raises(ValueError, match="no value for parameter 'k'"):
        ConstrainedDiffusion(loss, [["k"], [1]]).drift([2.0, 0.5])
