"""Local stability against matrices written out: SymPy, NumPy and SciPy, with the memory included."""

import math

import numpy as np
import pytest
import sympy
from scipy.linalg import expm

import bea
from bea import catalogue
from bea.schemes import (
    RK4,
    Adam,
    AlternatingDescent,
    ExplicitEuler,
    HeavyBall,
    Heun,
    ImplicitMidpoint,
    LieTrotter,
    OptimisticGradient,
    SimultaneousDescent,
)

H = 0.1
GAME = catalogue.quadratic_game(curvature=0.3, agreement=0.2, conflict=1.4)
A = np.array([[-0.3, -1.6], [1.2, -0.3]])
ONE = np.eye(2)
FIRST, SECOND = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])


def radius(M):
    return np.abs(np.linalg.eigvals(M)).max()


def blocks(rows):
    return np.block(rows)


MAPS = {
    "simultaneous": (SimultaneousDescent(), ONE + H * A),
    "alternating": (AlternatingDescent(), (ONE + H * SECOND @ A) @ (ONE + H * FIRST @ A)),
    "several": (AlternatingDescent(updates=(1, 2)), (ONE + H * SECOND @ A) @ (ONE + H * SECOND @ A)
                @ (ONE + H * FIRST @ A)),
    "heun": (Heun(), ONE + H * A + H**2 / 2 * A @ A),
    "midpoint": (ImplicitMidpoint(), np.linalg.solve(ONE - H / 2 * A, ONE + H / 2 * A)),
    "splitting": (LieTrotter(), expm(H * SECOND @ A) @ expm(H * FIRST @ A)),
    "heavy ball": (HeavyBall("1/4"), blocks([[ONE + H * A, H / 4 * ONE], [A, ONE / 4]])),
    "optimistic": (OptimisticGradient(), blocks([[ONE + 2 * H * A, -H * ONE], [A, 0 * ONE]])),
}  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
def test_the_spectrum_of_the_step_is_that_of_its_matrix(name):
    scheme, matrix = MAPS[name]
    found = bea.local_stability(GAME, scheme, [0, 0], H, order=4)
    assert found.spectral_radius == pytest.approx(radius(matrix), rel=1e-12)
    np.testing.assert_allclose(np.poly(found.eigenvalues), np.poly(matrix), atol=1e-12)
    assert found.rate == pytest.approx(math.log(radius(matrix)) / H, rel=1e-10)
    assert found.is_stable == (radius(matrix) < 1)
    ideal = {"several": (FIRST + 2 * SECOND) @ A, "heavy ball": A / (1 - 1 / 4)}.get(name, A)
    np.testing.assert_allclose(np.poly(found.ideal_eigenvalues), np.poly(ideal), atol=1e-12)


@pytest.mark.parametrize("name", MAPS)
def test_the_modified_field_predicts_it_to_its_order(name):
    scheme, _ = MAPS[name]
    errors = []
    for h in ("1/50", "1/100"):
        found = bea.local_stability(GAME, scheme, [0, 0], h, order=2)
        errors.append(abs(found.rate - found.modified_rate))
        assert found.growth == pytest.approx(math.exp(float(sympy.Rational(h)) * found.modified_rate))
    # The determinant of a splitting of this game is exact, so that its rate is, too.
    assert errors == [0, 0] if name == "splitting" else 7 < errors[0] / errors[1] < 17


def test_control_a_lower_order_predicts_the_wrong_verdict():
    """RK4 on a rotation contracts by h⁶/144: invisible to the field through h⁴, seen at h⁵."""
    game = catalogue.bilinear_game()
    low, high = (bea.local_stability(game, RK4(), [0, 0], H, order=k) for k in (4, 5))
    assert low.spectral_radius == high.spectral_radius
    assert low.is_stable
    assert not low.agrees
    assert high.agrees
    assert 2 * H * high.rate == pytest.approx(math.log1p(-(H**6) / 72 + H**8 / 576), rel=1e-9)


def test_alternating_play_neither_attracts_nor_repels():
    found = bea.local_stability(catalogue.bilinear_game(), AlternatingDescent(), [0, 0], H)
    assert not found.is_stable
    assert found.agrees
    assert "neither attracts nor repels, spectral radius 1 (rate 0)" in found.verdict
    assert "higher terms decide" in found.verdict


def test_adam_with_its_memory():
    """One variable: x, first and second moment, linearized at the minimum by hand."""
    loss, b1, b2, eps = bea.Loss("3*x**2/2", "x"), 0.5, 0.6, 0.2
    found = bea.local_stability(loss, Adam("1/2", "3/5", "1/5"), [0], H, order=1)
    scale = H / math.sqrt(eps)
    matrix = np.array([[1 - scale * (1 - b1) * 3, -scale * b1, 0], [(1 - b1) * 3, b1, 0], [0, 0, b2]])
    np.testing.assert_allclose(np.sort_complex(found.eigenvalues), np.sort_complex(np.linalg.eigvals(matrix)),
                               atol=1e-12)  # fmt: skip


def test_counters_at_rest_with_bias_correction():
    found = bea.local_stability(
        bea.Loss("x**2/2", "x"), Adam("1/2", "3/5", "1/5", bias_correction=True), [0], H, order=1
    )
    plain = bea.local_stability(bea.Loss("x**2/2", "x"), Adam("1/2", "3/5", "1/5"), [0], H, order=1)
    assert found.spectral_radius == pytest.approx(plain.spectral_radius, rel=1e-12)


def test_newton_improves_a_point_given_by_floats():
    loss = bea.Loss("(x**2 - 2)**2 / 8", "x")
    found = bea.local_stability(loss, ExplicitEuler(), [math.sqrt(2)], H)
    exact = bea.local_stability(loss, ExplicitEuler(), ["sqrt(2)"], H)
    assert found.rate == pytest.approx(exact.rate, rel=1e-15)
    assert found.spectral_radius == pytest.approx(1 - H * 2, rel=1e-14)


def test_the_gaussian_gan_with_and_without_a_penalty():
    points = [1, 1, 0, 0]
    for penalty, stable in ((0, False), (1, True)):
        game = catalogue.gaussian_gan(penalty=penalty)
        values = {"mu": 1, "sigma": 1, "rho": penalty}
        J = np.array(game.field.jacobian.subs({**dict(zip("msvw", points, strict=True)), **values}).tolist())
        found = bea.local_stability(game, SimultaneousDescent(), points, "1/20", order=3)
        assert found.spectral_radius == pytest.approx(radius(np.eye(4) + J.astype(float) / 20), rel=1e-12)
        assert found.is_stable is stable
        assert found.agrees


def test_an_equilibrium_where_the_field_vanishes_by_cancellation():
    """J of consensus on the GAN: −v − γJᵀv, with J at v = 0 the only thing left, S = −J − γJᵀJ."""
    game = catalogue.gaussian_gan()
    values = {"m": 1, "s": 1, "v": 0, "w": 0, "mu": 1, "sigma": 1}
    J = -np.array(game.field.jacobian.subs(values).tolist()).astype(float)
    found = bea.local_stability(game.consensus(0.1), SimultaneousDescent(), [1, 1, 0, 0], "1/20")
    matrix = np.eye(4) - (J + 0.1 * J.T @ J) / 20
    assert found.spectral_radius == pytest.approx(radius(matrix), rel=1e-12)


def test_parameters_of_system_and_scheme():
    found = bea.local_stability(
        bea.Loss("k*x**2/2", "x"), HeavyBall(), [0], H, order=1, parameters={"k": 3, "beta": 0.25}
    )
    matrix = np.array([[1 - 3 * H, H / 4], [-3, 0.25]])
    assert found.spectral_radius == pytest.approx(radius(matrix), rel=1e-12)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: bea.local_stability(GAME, Heun(), [1, 0], H), ValueError, r"\[1.0, 0.0\] is no equilibrium"),
        (lambda: bea.local_stability(GAME, Heun(), [0, 0, 0], H), ValueError, "sequence of 2 numbers"),
        (lambda: bea.local_stability(GAME, Heun(), [0, 0], -H), ValueError, "must be positive"),
        (lambda: bea.local_stability(GAME, "heun", [0, 0], H), TypeError, "must be a bea scheme"),
        (
            lambda: bea.local_stability(
                bea.LossSum(["(x - 1)**2", "(x + 1)**2"], "x"), bea.CyclicDescent(), [0], H
            ),
            ValueError,
            "equilibrium of the field, but cyclic-descent does not rest there",
        ),
        (
            lambda: bea.local_stability(bea.Loss("k*x**2", "x"), Heun(), [0], H),
            ValueError,
            "no value for parameter 'k'",
        ),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_step_that_is_not_smooth_has_no_linearization():
    loss = bea.Loss("x**2 + y**2", "x y")
    rough, smooth = (bea.Adam("1/2", "1/2", "1/10", inside=inside) for inside in (False, True))
    with pytest.raises(ValueError, match=r"step of adam is not finite or not smooth at \[0\.0, 0\.0\]"):
        bea.local_stability(loss, rough, [0, 0], H)
    matrix = np.array([[1 - H / 10**-0.5, H / 2 / 0.1**0.5], [-1, 0.5]])
    assert bea.local_stability(loss, smooth, [0, 0], H).spectral_radius == pytest.approx(radius(matrix))
