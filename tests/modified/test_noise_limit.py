"""Limits of injected noise: their kinds, and their formulas against published values and hand calculation."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import bea
from bea import noise
from bea.modified.divisibility import vanish_on_hypersurface
from bea.modified.vanishing import Finding, ZeroTest
from bea.modified.zero_chart import is_zero, zero_chart

THREE = bea.catalogue.sum_of_products(n=3)
START = np.array([1.5, 0.4, 0.3, 0.5, 0.5, 1 / 6])


def at_time_one(f) -> np.ndarray:
    """The products a_j b_j at t = 1 on the flow of f from the start."""
    w = solve_ivp(lambda t, w: f(w), (0, 1), START, method="DOP853", rtol=1e-11, atol=1e-13).y[:, -1]
    return w[:3] * w[3:]


def by_hand(w: np.ndarray) -> np.ndarray:
    """−P∇Σ(a_j b_j)² on Σ a_j b_j = 1."""
    a, b = np.split(w, 2)
    slope, normal = np.concatenate([2 * a * b**2, 2 * b * a**2]), np.concatenate([b, a])
    return -(slope - normal * (normal @ slope) / (normal @ normal))


def test_dropconnect_on_three_products_follows_the_published_flow():
    limit = bea.limit(noise.dropconnect(THREE))
    assert (limit.kind, limit.symbolic) == ("non-degenerate", True)
    assert limit.time_scale == "1/(alpha*sigma**2)"
    for f in (limit.field, limit.drift, by_hand):
        np.testing.assert_allclose(at_time_one(f), [0.41291, 0.37360, 0.21349], atol=5e-6)
    np.testing.assert_array_equal(limit.diffusion(START), np.zeros((6, 6)))


def test_the_flow_without_the_projection_is_another_one():
    slope = noise.dropconnect(THREE).regularizer
    free = bea.VectorField([-slope.diff(v) for v in THREE.variables], THREE.variables)
    assert np.abs(at_time_one(free) - [0.41291, 0.37360, 0.21349]).max() > 0.1


def test_dropconnect_on_one_product_is_not_covered():
    """Reg = a²b², which is 1 on ab = 1, where its gradient 2(b, a) is normal."""
    limit = bea.limit(noise.dropconnect(bea.catalogue.sum_of_products(n=1)))
    assert (limit.kind, limit.symbolic, limit.time_scale) == ("uncovered", True, None)
    assert limit.field is None
    assert limit.sde is None
    assert "do not cover" in limit.statement
    with pytest.raises(ValueError, match="no drift"):
        limit.drift([2.0, 0.5])
    with pytest.raises(ValueError, match="no diffusion"):
        limit.diffusion([2.0, 0.5])
    a, b = 2.0, 0.5
    normal = np.array([b, a])
    np.testing.assert_allclose(limit.offset([a, b]), -2 * normal / (normal @ normal), rtol=1e-12)


def test_the_offset_is_where_the_mean_loss_is_least():
    """The mean of L̂ is L + σ²Reg + O(σ⁴); across ab = 1 its minimum is shifted by σ² offset."""
    noisy = noise.dropconnect(bea.catalogue.sum_of_products(n=1))
    x = np.array([2.0, 0.5])
    s = 1e-3
    a, b, y = sympy.symbols("a1 b1 y")
    mean = ((1 + s**2) ** 2 * a**2 * b**2 - 2 * a * b * y + y**2) / 2
    normal = np.array([0.5, 2.0]) / np.sqrt(4.25)
    t = sympy.Symbol("t")
    along = mean.subs({a: x[0] + t * normal[0], b: x[1] + t * normal[1], y: 1})
    shift = float(sympy.nsolve(along.diff(t), 0))
    assert bea.limit(noisy).offset(x) @ normal == pytest.approx(shift / s**2, rel=1e-4)


@pytest.mark.parametrize("half", [True, False])
def test_label_noise_descends_the_trace_of_the_hessian(half):
    """dW/dt = −(1/4n) P∇tr H for L = (1/2n)Σ, and −(1/2n) P∇tr H for L = (1/n)Σ, by the general rule."""
    outputs = ["a*b*c + d", "a*d**2"]
    noisy = noise.label_noise(outputs, [1, 2], "a b c d", half=half)
    limit = bea.limit(noisy)
    assert (limit.kind, limit.symbolic) == ("degenerate", True)
    assert limit.time_scale == "1/(alpha**2*sigma**2)"
    trace = sum(sympy.diff(noisy.loss.expression, w, 2) for w in noisy.variables)
    slope = sympy.lambdify([noisy.variables], [trace.diff(w) for w in noisy.variables])
    jacobian = sympy.lambdify(
        [noisy.variables], sympy.Matrix([sympy.sympify(f) for f in outputs]).jacobian(noisy.variables)
    )
    for x in noisy.zero_loss_set.sample(4, rng=1):
        J = jacobian(x)
        P = np.eye(4) - np.linalg.pinv(J) @ J
        expected = -(1 / 8 if half else 1 / 4) * P @ slope(x)
        np.testing.assert_allclose(limit.sde.drift(x), expected, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(limit.field(x), expected, rtol=1e-8, atol=1e-10)
        assert np.abs(limit.diffusion(x)).max() < 1e-12 * np.abs(limit.sde.covariance(x)).max()
        assert np.abs(limit.drift(x) - 2 * expected).max() > 1e-3 * np.abs(expected).max()


def test_minibatches_are_trivial():
    noisy = noise.minibatch(["(a*b*c - 1)**2", "(b*c*d - 1)**2", "(a*d - 2)**2"], variables="a b c d")
    limit = bea.limit(noisy)
    assert (limit.kind, limit.time_scale) == ("trivial", None)
    x = noisy.zero_loss_set.sample(1, rng=0)[0]
    np.testing.assert_array_equal(limit.drift(x), np.zeros(4))
    np.testing.assert_array_equal(limit.diffusion(x), np.zeros((4, 3)))
    eta = {e.name: v for e, v in zip(noisy.noise, [0.5, -1, 0.5], strict=True)}
    assert np.abs(noisy.field(x, eta)).max() < 1e-12


def test_minibatches_without_a_common_zero_are_not_trivial():
    """Where the data contradict one another the noise does not vanish with the mean gradient."""
    losses = ["(a*b - 1)**2", "(a*b - 3)**2"]
    zeros = bea.ZeroLossSet(["a*b - 2"], "a b")
    assert bea.limit(noise.minibatch(losses, variables="a b", zero_loss_set=zeros)).kind == "degenerate"


def test_the_kind_does_not_depend_on_how_the_noise_was_made():
    """Weights (1 + η)² on the data are no minibatch, and label noise can be spelled out, expanded."""
    weights = bea.NoisyLoss("(1 + e)**2*(a*b - 1)**2/2", "a b", "e")
    assert bea.limit(weights).kind == "trivial"
    labels = sympy.expand(noise.label_noise(["a*b"], [1], "a b").expression)
    zeros = bea.ZeroLossSet(["a*b - 1"], "a b")
    plain = bea.limit(bea.NoisyLoss(labels, "a b", "eta1", zero_loss_set=zeros))
    assert (plain.kind, plain.label_factor) == ("degenerate", 1)
    wide = bea.limit(bea.NoisyLoss("(a*b - 1)**2/2 + e**2 + e**3*a**2", "a b", "e"))
    assert wide.kind == "uncovered"


def test_anti_pgd_descends_half_the_trace_of_the_hessian():
    """On a b = 1 half the trace is (a² + b²)/2 and −P∇ of it is −(a, b) + 2ab (b, a)/(a² + b²)."""
    limit = bea.limit(noise.anti_pgd(bea.catalogue.sum_of_products(n=1)))
    assert limit.kind == "non-degenerate"
    a, b = 2.0, 0.5
    expected = -np.array([a, b]) + 2 * np.array([b, a]) / (a * a + b * b)
    np.testing.assert_allclose(limit.field([a, b]), expected, rtol=1e-12)


def test_anti_pgd_is_not_covered_where_the_trace_is_constant():
    assert bea.limit(noise.anti_pgd(bea.catalogue.implicit_curve("x**2 + y**2 - 1"))).kind == "uncovered"


def test_langevin_noise_makes_brownian_motion_on_the_circle():
    """On E = ½ (r² − 1)² the angle diffuses: dY = P dW + b dt with the curvature −½ x in b, and no more."""
    limit = bea.limit(noise.sgld(bea.catalogue.implicit_curve("x**2 + y**2 - 1"), temperature=2))
    assert limit.kind == "degenerate"
    assert limit.label_factor is None
    x = np.array([0.6, 0.8])
    tangent = np.array([-0.8, 0.6])
    np.testing.assert_allclose(limit.diffusion(x), 2 * np.outer(tangent, tangent), atol=1e-12)
    np.testing.assert_allclose(limit.drift(x), -2 * x, atol=1e-12)


def test_langevin_noise_of_a_parameter_temperature():
    noisy = noise.sgld(bea.catalogue.sum_of_products(n=1), temperature="T").with_parameters(T=3)
    twice = noise.sgld(bea.catalogue.sum_of_products(n=1), temperature=6)
    x = [2.0, 0.5]
    np.testing.assert_allclose(2 * bea.limit(noisy).drift(x), bea.limit(twice).drift(x), rtol=1e-12)


def test_node_dropout_on_a_network():
    outputs, variables, nodes = noise.two_layer_network([[1, -2], [0.5, 1]], width=3)
    limit = bea.limit(noise.dropout(outputs, [1, -1], variables, nodes))
    assert limit.kind == "non-degenerate"
    x = limit.zero_loss_set.sample(1, rng=2)[0]
    np.testing.assert_allclose(limit.field(x), limit.drift(x), atol=1e-10 * np.abs(limit.drift(x)).max())
    np.testing.assert_allclose(limit.zero_loss_set.jacobian(x) @ limit.drift(x), 0, atol=1e-10)


def test_large_sets_are_left_to_numbers():
    """Twenty products, so that there are 40 variables."""
    limit = bea.limit(noise.dropconnect(bea.catalogue.sum_of_products(n=20)))
    assert (limit.kind, limit.symbolic) == ("non-degenerate", False)
    x = limit.zero_loss_set.sample(1, rng=3)[0]
    scale = np.abs(by_hand(x)).max()
    np.testing.assert_allclose(limit.drift(x), by_hand(x), atol=1e-12 * scale)
    np.testing.assert_allclose(limit.field(x), by_hand(x), atol=1e-12 * scale)


@pytest.mark.parametrize(
    ("equation", "symbolic"), [("x**2 + y**2 - 1", True), ("1 - exp(1 - x**2 - y**2)", False)]
)
def test_what_algebra_leaves_open_numbers_decide(equation, symbolic):
    """The circle is no graph of a rational function; division decides where its equation is polynomial."""
    zeros = bea.ZeroLossSet([equation], "x y")
    loss = bea.Loss(f"({equation})**2/2", "x y", zero_loss_set=zeros)
    for noisy, kind in ((noise.anti_pgd(loss), "uncovered"), (noise.dropconnect(loss), "non-degenerate")):
        limit = bea.limit(noisy, points=7, tolerance=1e-7)
        assert (limit.kind, limit.symbolic) == (kind, symbolic)
        assert symbolic or "7 points of the zero-loss set, with the relative tolerance 1e-07" in limit.how


def test_division_leaves_open_what_factors_without_zeros_hide():
    """x (x² + y² + 1) = 0 is the line x = 0 alone."""
    x, y = sympy.symbols("x y")
    assert vanish_on_hypersurface([x * y], x * (x**2 + y**2 + 1), [x, y]) is None
    assert vanish_on_hypersurface([x * y / (1 + y**2)], x, [x, y]) is True
    assert vanish_on_hypersurface([sympy.sin(x)], x, [x, y]) is None


@pytest.mark.parametrize(("n", "constant"), [(1, True), (3, False)])
def test_chart_division_and_numbers_decide_alike(n, constant, monkeypatch):
    """With its chart withheld the test divides, and without that it decides by numbers."""
    noisy = noise.dropconnect(bea.catalogue.sum_of_products(n=n))
    test = ZeroTest(noisy.zero_loss_set, {sympy.Symbol("y"): sympy.S.One}, 10, 1e-8, 0)
    assert test.constant(noisy.regularizer) == Finding(constant, True)
    test.chart = None
    divided = test.constant(noisy.regularizer)
    monkeypatch.setattr(test, "_on_hypersurface", lambda expressions: None)
    assert divided == Finding(constant, True)
    assert test.constant(noisy.regularizer) == Finding(constant, False)


def test_a_chart_is_not_taken_for_all_of_a_reducible_set():
    """a(b − 1) = 0 is two lines; on b = 1 the function a·b is not constant, on a = 0 it is."""
    assert zero_chart(bea.ZeroLossSet(["a*(b - 1)"], "a b")) is None
    assert zero_chart(bea.ZeroLossSet(["sin(w)*a + w*b"], "a b w")).is_dense is False


def test_zero_is_told_from_small():
    x = sympy.Symbol("x")
    assert is_zero(sympy.sin(x) ** 2 + sympy.cos(x) ** 2 - 1) is True
    assert is_zero(sympy.tanh(x) - (1 - 2 / (sympy.exp(2 * x) + 1)) + sympy.Rational(1, 10**30)) is False


def test_limits_of_fields_keep_parameters():
    limit = bea.limit(noise.dropconnect(bea.catalogue.sum_of_products(n=2, y=2)))
    assert limit.kind == "non-degenerate"
    assert [s.name for s in noise.dropconnect(THREE).parameter_symbols] == ["y"]
    limit.field([1.0, 1.0, 1.0, 1.0], {"y": 2})


def test_pickle_and_repr():
    limit = bea.limit(noise.label_noise(bea.catalogue.two_parameter()))
    again = pickle.loads(pickle.dumps(limit))
    assert again.field == limit.field
    np.testing.assert_array_equal(again.drift([0.5, 1.2]), limit.drift([0.5, 1.2]))
    assert "degenerate" in repr(limit)


def test_refusals():
    with pytest.raises(TypeError, match="takes a NoisyLoss"):
        bea.limit(THREE)
    with pytest.raises(ValueError, match="zero_loss_set="):
        bea.limit(bea.NoisyLoss("a**4 + e*a", "a", "e"))
    flat = bea.ZeroLossSet(["a*b - 1"], "a b")
    with pytest.raises(ValueError, match="not positive definite across the zero-loss set"):
        bea.limit(bea.NoisyLoss("(a*b - 1)**4 + e*a + f*b", "a b", "e f", zero_loss_set=flat))
    circle = bea.ZeroLossSet(["a**2 + b**2 - 1"], "a b")
    with pytest.raises(ValueError, match="gradient of the loss does not vanish on the set that was given"):
        bea.limit(bea.NoisyLoss("(a*b - 1 + e)**2/2", "a b", "e", zero_loss_set=circle))
    for make in (noise.label_noise, noise.dropconnect, noise.sgld):
        with pytest.raises(ValueError, match="no value for parameter 'k'"):
            bea.limit(make(bea.Loss("(a*b - k)**2/2", "a b")))
    with pytest.raises(ValueError, match="points"):
        bea.limit(noise.dropconnect(THREE), points=0)
    with pytest.raises(ValueError, match="tolerance"):
        bea.limit(noise.dropconnect(THREE), tolerance=2)
    with pytest.raises(ValueError, match="tolerance"):
        bea.limit(noise.dropconnect(THREE), tolerance="small")
    with pytest.raises(ValueError, match="shape"):
        bea.limit(noise.dropconnect(THREE)).drift([1.0])
    with pytest.raises(ValueError, match="singular"):
        bea.limit(noise.dropconnect(bea.catalogue.sum_of_products(n=2, y=0))).drift(np.zeros(4))
