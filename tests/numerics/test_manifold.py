"""Projections and limits of flows against closed forms, conserved quantities and SciPy."""

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.optimize
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import bea
from bea.numerics.manifold import flow_limit, project
from bea.systems import catalogue

rng = np.random.default_rng(0)
TWO_PARAMETER = catalogue.two_parameter(x=1, y=0.6)
ELLIPSE = catalogue.implicit_curve("x**2 + y**2/4 - 1")


def without_zero_loss_set(loss):
    return bea.Loss(loss.expression, loss.variables, loss.parameters)


def hyperbola(a0, b0, y=0.6):
    """The limit on ab = y by the conserved quantity c = a² − b², for a start with b > 0 that ends there."""
    c = a0**2 - b0**2
    b = np.sqrt((-c + np.hypot(c, 2 * y)) / 2)
    return np.array([y / b, b])


def test_the_two_parameter_model():
    """From (2.8, 3.5), Barrett and Dherin's start, the flow ends where a² + b² = 4.57035."""
    limit = flow_limit(TWO_PARAMETER, [2.8, 3.5])
    np.testing.assert_array_equal(limit.x.round(5), [0.28315, 2.11900])
    assert round(np.sum(limit.x**2), 5) == 4.57035
    assert limit.success
    assert limit.on_zero_loss_set is True
    assert limit.loss < 1e-28
    assert limit.gradient_norm < 1e-14
    assert 1 < limit.t < 100


@settings(deadline=None, max_examples=40)
@given(st.floats(0.05, 4), st.floats(0.05, 4))
def test_the_limit_by_the_conserved_quantity(a, b):
    np.testing.assert_allclose(flow_limit(TWO_PARAMETER, [a, b]).x, hyperbola(a, b), rtol=0, atol=1e-10)


def test_the_zero_loss_set_need_not_be_known():
    limit = flow_limit(without_zero_loss_set(TWO_PARAMETER), [2.8, 3.5])
    np.testing.assert_allclose(limit.x, hyperbola(2.8, 3.5), rtol=0, atol=1e-10)
    assert limit.on_zero_loss_set is True


def test_the_limit_is_the_same_along_the_flow():
    """Φ is constant along solutions, and the identity on the zero-loss set."""
    start = np.array([2.8, 3.5])
    later = bea.flow(TWO_PARAMETER, start, (0, 0.1)).y[:, -1]
    limit = flow_limit(TWO_PARAMETER, start).x
    np.testing.assert_allclose(flow_limit(TWO_PARAMETER, later).x, limit, rtol=0, atol=1e-10)
    np.testing.assert_allclose(flow_limit(TWO_PARAMETER, limit).x, limit, rtol=0, atol=1e-14)
    assert flow_limit(TWO_PARAMETER, limit).t == 0


def test_the_correction_is_of_second_order():
    """From the distance δ, one linear step leaves an error of δ²: this is what the hand-over relies on."""
    on, normal = np.array([0.3, 2.0]), np.array([2.0, 0.3])
    errors = []
    for delta in (1e-2, 1e-3, 1e-4):
        x = on + delta * normal
        H = np.array(TWO_PARAMETER.hessian.subs({"a": x[0], "b": x[1], "x": 1, "y": 0.6}), dtype=float)
        g = -TWO_PARAMETER.field(x)
        errors.append(np.linalg.norm(x - np.linalg.pinv(H, rtol=1e-1) @ g - hyperbola(*x)))
    slopes = np.diff(np.log10(errors))
    np.testing.assert_allclose(slopes, -2, atol=0.1)


def test_parameters_move_the_limit():
    limit = flow_limit(TWO_PARAMETER, [2.8, 3.5], parameters={"y": 1.5})
    np.testing.assert_allclose(limit.x, hyperbola(2.8, 3.5, 1.5), rtol=0, atol=1e-10)
    assert limit.on_zero_loss_set


def test_linear_regression_ends_at_the_nearest_zero():
    X, w = rng.standard_normal((4, 9)), rng.standard_normal(9)
    loss = catalogue.linear_regression(X, X @ w)
    start = rng.standard_normal(9)
    nearest = start + np.linalg.pinv(X) @ (X @ w - X @ start)
    np.testing.assert_allclose(flow_limit(loss, start).x, nearest, rtol=0, atol=1e-10)
    np.testing.assert_allclose(project(loss, start).x, nearest, rtol=0, atol=1e-10)


def test_sums_of_products_keep_their_imbalances():
    x0 = np.array([1.5, 0.4, 0.3, 0.5, 0.9, 0.2])
    limit = flow_limit(catalogue.sum_of_products(n=3, y=1), x0).x
    a, b = np.split(limit, 2)
    assert a @ b == pytest.approx(1, abs=1e-12)
    np.testing.assert_allclose(a**2 - b**2, x0[:3] ** 2 - x0[3:] ** 2, rtol=0, atol=1e-10)


def test_a_diagonal_network_of_forty_weights():
    """At depth 2 the products u_j v_j are conserved."""
    X = rng.choice([-1.0, 1.0], size=(8, 20))
    limit = flow_limit(catalogue.diagonal_network(X, X[:, 0] + X[:, 1], depth=2), np.full(40, 0.3))
    u, v = np.split(limit.x, 2)
    assert limit.on_zero_loss_set
    np.testing.assert_allclose(X @ (u**2 - v**2), X[:, 0] + X[:, 1], atol=1e-12)
    np.testing.assert_allclose(u * v, 0.09, rtol=1e-10)


def test_tanh_network_against_scipy():
    """A slow flow: it takes a time of 25 000 to settle, which an implicit method covers in few steps."""
    loss = catalogue.tanh_network()
    x0 = np.array([0.5, -0.3, 1.0, 0.4, 0.1, -0.2])
    field = sympy.lambdify([list(loss.variables)], list(-loss.gradient))
    reference = scipy.integrate.solve_ivp(
        lambda t, x: field(x), (0, 1e5), x0, method="LSODA", rtol=1e-11, atol=1e-13
    )
    limit = flow_limit(loss, x0)
    np.testing.assert_allclose(limit.x, reference.y[:, -1], rtol=0, atol=1e-8)
    assert 1e4 < limit.t < 1e5


def modified_field():
    """−∇E − (h/2) H∇E, the first two terms of gradient descent's modified field, by hand."""
    g = TWO_PARAMETER.gradient
    h = sympy.Symbol("h")
    return bea.VectorField(
        -g - h / 2 * TWO_PARAMETER.hessian * g, TWO_PARAMETER.variables, {"x": 1, "y": 0.6}
    )


def test_the_limit_of_a_modified_flow_is_that_of_descent():
    """With h = 1e-3 descent ends at (0.28361, 2.11562), of which the second order in h makes 4e-5."""
    x, h = np.array([2.8, 3.5]), 1e-3
    for _ in range(20_000):
        x = x - h * (x[0] * x[1] - 0.6) * x[::-1]
    limit = flow_limit(modified_field(), [2.8, 3.5], {"h": h}, zero_loss_set=TWO_PARAMETER.zero_loss_set)
    np.testing.assert_array_equal(x.round(5), [0.28361, 2.11562])
    np.testing.assert_allclose(limit.x, x, atol=5e-5)
    assert np.linalg.norm(hyperbola(2.8, 3.5) - x) > 50 * np.linalg.norm(limit.x - x)
    assert limit.on_zero_loss_set is True
    assert limit.loss is None


def test_a_field_without_a_gradient_projects_along_its_range():
    """The limit of ẋ = Ax is the spectral projection onto the kernel, which is not orthogonal."""
    A = np.array([[-1.0, 2.0, 0.5], [0.0, -3.0, 1.0], [0.0, 0.0, 0.0]])
    field = bea.VectorField(sympy.Matrix(A) * sympy.Matrix(sympy.symbols("x y z")), "x y z")
    x0 = np.array([1.0, -2.0, 3.0])
    limit = flow_limit(field, x0)
    np.testing.assert_allclose(limit.x, scipy.linalg.expm(60 * A) @ x0, rtol=0, atol=1e-11)
    assert limit.on_zero_loss_set is None


def test_an_unstable_equilibrium_is_no_limit():
    """1e-9 from the saddle at the origin the gradient is 6e-10, yet the flow goes on to the hyperbola."""
    limit = flow_limit(TWO_PARAMETER, [1e-9, 2e-9])
    np.testing.assert_allclose(limit.x, np.sqrt(0.6), atol=1e-8)


def test_an_equilibrium_is_its_own_limit():
    limit = flow_limit(TWO_PARAMETER, [0.0, 0.0])
    np.testing.assert_array_equal(limit.x, [0, 0])
    assert limit.success
    assert limit.on_zero_loss_set is False
    assert limit.loss == pytest.approx(0.18)


def test_a_least_value_above_zero_is_no_zero():
    limit = flow_limit(bea.Loss("(x - 1)**2 + y**2 + 1/4", "x y"), [3.0, 4.0])
    np.testing.assert_allclose(limit.x, [1, 0], atol=1e-13)
    assert limit.success
    assert limit.on_zero_loss_set is False


@pytest.mark.parametrize(
    ("system", "start", "sentence"),
    [
        (bea.Loss("exp(-x)", "x"), [0.0], "has not settled at t ="),
        (bea.VectorField(["y", "-x"], "x y"), [1.0, 0.0], "No limit was found"),
        (bea.VectorField(["x**2"], "x"), [1.0], "No limit was found"),
    ],
    ids=["drifts away", "turns forever", "blows up"],
)
def test_flows_without_limit_say_so(system, start, sentence):
    with pytest.warns(RuntimeWarning, match=sentence):
        limit = flow_limit(system, start, max_steps=2000)
    assert not limit.success
    assert sentence in limit.message
    assert np.isfinite(limit.x).all()


def test_a_degenerate_minimum_is_not_claimed_to_be_reached():
    """On ẋ = −x³ the solution is x/√(1 + 2x²t): its approach to 0 is no exponential."""
    quartic = bea.Loss("x**4/4", "x")
    with pytest.warns(RuntimeWarning, match="has not settled .* more slowly than exponentially"):
        limit = flow_limit(quartic, [1.0])
    assert not limit.success
    assert limit.x[0] == pytest.approx(1 / np.sqrt(1 + 2 * limit.t), rel=1e-3)


def test_a_weak_minimum_is_reached():
    """The control: the flow to a slow, yet not degenerate, minimum settles."""
    limit = flow_limit(bea.Loss("x**4/4 + x**2/1000", "x"), [1.0])
    assert limit.success
    assert limit.on_zero_loss_set
    assert abs(limit.x[0]) < 1e-15


@settings(deadline=None, max_examples=40)
@given(st.floats(-4, 4), st.floats(-4, 4))
def test_the_nearest_point_of_an_ellipse(x, y):
    """Against the least distance over a fine grid of the ellipse, refined by SciPy."""
    point = np.array([x, y])
    if min(abs(x), abs(y)) < 1e-2:
        return
    angles = np.linspace(0, 2 * np.pi, 400)
    far = [np.hypot(np.cos(t) - x, 2 * np.sin(t) - y) for t in angles]
    near = angles[np.argmin(far)]
    best = scipy.optimize.minimize_scalar(
        lambda t: (np.cos(t) - x) ** 2 + (2 * np.sin(t) - y) ** 2,
        bounds=(near - 0.02, near + 0.02),
        method="bounded",
        options={"xatol": 1e-10},
    )
    found = project(ELLIPSE, point)
    assert found.distance == pytest.approx(np.sqrt(best.fun), abs=1e-9)
    np.testing.assert_allclose(np.linalg.norm(found.x - point), found.distance)


@pytest.mark.parametrize("name", catalogue.CATALOGUE)
def test_displacements_are_normal(name):
    loss = catalogue.CATALOGUE[name]()
    zeros = loss.zero_loss_set
    for z in zeros.sample(3, rng=5):
        x = z + 0.3 * rng.standard_normal(loss.dimension)
        found = project(loss, x)
        assert zeros.contains(found.x)
        np.testing.assert_allclose(zeros.tangent_projection(found.x) @ (x - found.x), 0, atol=1e-9)
        assert found.distance <= np.linalg.norm(x - z) + 1e-12
        np.testing.assert_allclose(project(loss, found.x).x, found.x, atol=1e-12)


@pytest.mark.parametrize("name", ["two_parameter", "matrix_factorization", "implicit_surface"])
def test_projection_without_a_known_set(name):
    loss = catalogue.CATALOGUE[name]()
    x = loss.zero_loss_set.sample(1, rng=3)[0] + 0.1
    blind = project(without_zero_loss_set(loss), x)
    np.testing.assert_allclose(blind.x, project(loss, x).x, atol=1e-9)


def test_projection_follows_parameters():
    circle = catalogue.implicit_curve("x**2 + y**2 - r**2", parameters={"r": 1})
    found = project(circle, [3.0, 4.0], parameters={"r": 2})
    np.testing.assert_allclose(found.x, [1.2, 1.6], atol=1e-12)
    assert found.distance == pytest.approx(3, abs=1e-12)


def test_projection_leaves_a_greatest_distance():
    """(0, 2) is critical for the distance from (0, 0.5), and yet no nearest point of the ellipse."""
    found = project(ELLIPSE, [0.0, 0.5])
    assert found.distance < 1.2
    assert abs(found.x[0]) > 0.5
    assert ELLIPSE.zero_loss_set.contains(found.x)


def test_projection_onto_a_point():
    point = bea.Loss.from_residuals(["x - 1", "y + x"], "x y")
    np.testing.assert_allclose(project(point, [5.0, 5.0]).x, [1, -1], atol=1e-14)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: project("x", [1.0]), TypeError, "project takes a Loss, not str"),
        (lambda: project(ELLIPSE, [1.0]), ValueError, r"shape \(2,\)"),
        (lambda: project(ELLIPSE, [1.0, 2.0], tolerance=0), ValueError, "tolerance must be positive"),
        (lambda: project(ELLIPSE, [1.0, 2.0], parameters={"k": 1}), ValueError, "'k' is no parameter"),
        (lambda: project(ELLIPSE, [0.0, 0.0]), RuntimeError, "do not reach the zero-loss set"),
        (lambda: project(ELLIPSE, [3.0, 2.0], max_iterations=1), RuntimeError, "in 1 steps"),
        (lambda: project(ELLIPSE, [1.0, 2.0], max_iterations=0), ValueError, "must be at least 1, not 0"),
        (lambda: project(ELLIPSE, [1.0, 2.0], max_iterations="a"), TypeError, "must be an integer, not 'a'"),
        (lambda: project(ELLIPSE, [1.0, 2.0], tolerance="a"), TypeError, "tolerance must be a number"),
        (lambda: project(ELLIPSE, [1.0, 2.0], [("k", 1)]), TypeError, "parameters are given as a mapping"),
        (lambda: project(bea.Loss("x**2 + y**2 + 1", "x y"), [1.0, 1.0]), RuntimeError, "leads to no zero"),
        (lambda: project(catalogue.implicit_curve("x*y"), [0.0, 0.0]), ValueError, "no tangent space"),
        (lambda: flow_limit("x", [1.0]), TypeError, "a Loss or a VectorField, not str"),
        (lambda: flow_limit(ELLIPSE, [1.0, np.nan]), ValueError, "must be finite"),
        (lambda: flow_limit(bea.VectorField(["log(x)"], "x"), [-1.0]), ValueError, "not finite at x0"),
        (lambda: flow_limit(ELLIPSE, [1.0, 1.0], max_time=0), ValueError, "max_time must be positive"),
        (lambda: flow_limit(ELLIPSE, [1.0, 1.0], max_time="a"), TypeError, "max_time must be a number"),
        (lambda: flow_limit(ELLIPSE, [1.0, 1.0], [("k", 1)]), TypeError, "parameters are given as a mapping"),
        (lambda: flow_limit(ELLIPSE, [1.0, 1.0], zero_loss_set="x - 1"), TypeError, "a ZeroLossSet, not str"),
        (lambda: flow_limit(bea.Loss("k*x**2", "x"), [1.0]), ValueError, "no value for parameter 'k'"),
        (lambda: flow_limit(ELLIPSE, [1.0, 1.0], {"k": 1}), ValueError, "'k' is no parameter"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_flow_that_runs_away_ends_on_no_zero_loss_set():
    limit = bea.flow_limit(bea.Loss("-a**2", "a"), [1.0])
    assert not limit.success
    assert limit.on_zero_loss_set is False
