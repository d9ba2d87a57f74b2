"""Zero-loss sets against closed forms: circles, spheres, cones, lines, and sets that are empty."""

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

import bea

CIRCLE = bea.ZeroLossSet(["x**2 + y**2 - 1"], "x y", description="the unit circle")
SPHERE = bea.ZeroLossSet(["x**2 + y**2 + z**2 - 1"], "x y z")
CONE = bea.ZeroLossSet(["x*y"], "x y")

coordinate = st.floats(-3, 3).filter(lambda c: abs(c) > 1e-3)
angle = st.floats(0, 2 * np.pi)


def test_the_dimension_is_that_of_the_variables_less_the_codimension():
    assert (CIRCLE.dimension, CIRCLE.codimension) == (1, 1)
    assert bea.ZeroLossSet(["x", "y"], "x y z").dimension == 1
    assert bea.ZeroLossSet(["x", "2*x", "x + y"], "x y z", codimension=2).dimension == 1


def test_residual_and_jacobian_by_hand():
    zeros = bea.ZeroLossSet(["x*y - 2", "x + z"], "x y z")
    np.testing.assert_array_equal(zeros.residual([1, 3, 5]), [1, 6])
    np.testing.assert_array_equal(zeros.jacobian([1, 3, 5]), [[3, 1, 0], [1, 0, 1]])


@given(angle)
def test_contains_the_circle_and_nothing_beside_it(t):
    on = np.array([np.cos(t), np.sin(t)])
    assert CIRCLE.contains(on)
    assert CIRCLE.contains(on * (1 + 1e-11))
    assert not CIRCLE.contains(on * (1 + 1e-7))
    assert CIRCLE.contains(on * (1 + 1e-7), tolerance=1e-6)
    assert not CIRCLE.contains(on / 2)


def test_a_small_loss_is_no_zero():
    """At 1e-7 from the circle the loss ½F² is 2e-14, below any tolerance one would put on its value."""
    point = np.array([1 + 1e-7, 0.0])
    assert CIRCLE.residual(point)[0] ** 2 / 2 < 1e-13
    assert not CIRCLE.contains(point)


@given(angle, st.floats(-9, 9), st.sampled_from([0.0, 1e-12, 1e-6, 0.1]))
def test_contains_does_not_depend_on_the_scale_of_the_residual(t, exponent, offset):
    scaled = bea.ZeroLossSet(["k*(x**2 + y**2 - 1)"], "x y", parameters={"k": 10.0**exponent})
    point = (1 + offset) * np.array([np.cos(t), np.sin(t)])
    assert scaled.contains(point) == (offset < 1e-9)


def test_contains_a_singular_point():
    assert CONE.contains([0.0, 0.0])
    assert CONE.contains([0.0, 5.0])
    assert not CONE.contains([1e-3, 1e-3])


def test_contains_no_point_of_an_empty_set():
    parabola = bea.ZeroLossSet(["x**2 + 1"], "x y")
    assert not parabola.contains([0.0, 0.0])  # F' vanishes here, so no step away from it is long
    inconsistent = bea.ZeroLossSet(["x", "x + 1"], "x y", codimension=1)
    assert not inconsistent.contains([-0.5, 0.0])  # here F' has the transpose kernel that holds F


def test_contains_no_point_where_the_residual_is_not_finite():
    with np.errstate(all="ignore"):
        assert not bea.ZeroLossSet(["log(x) + y"], "x y").contains([-1.0, 0.0])


@given(coordinate, coordinate)
def test_retract_onto_the_circle_is_radial(x, y):
    point = np.array([x, y])
    np.testing.assert_allclose(CIRCLE.retract(point), point / np.linalg.norm(point), atol=1e-12)


def test_retract_agrees_with_the_nearest_point_to_first_order():
    ellipse = bea.ZeroLossSet(["x**2 + y**2/4 - 1"], "x y")
    on, normal = np.array([0.6, 1.6]), np.array([1.2, 0.8])
    errors = [np.linalg.norm(ellipse.retract(on + h * normal) - on) for h in (1e-2, 1e-3)]
    assert errors[0] < 2e-4
    assert errors[1] < errors[0] / 80  # second order in the distance


def test_retract_says_when_it_does_not_arrive():
    with pytest.raises(RuntimeError, match="do not reach the zero-loss set"):
        bea.ZeroLossSet(["x**2 + 1"], "x y").retract([0.3, 0.2])


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_sample_lies_on_the_set_to_rounding(scale):
    points = SPHERE.sample(40, rng=1, scale=scale)
    assert points.shape == (40, 3)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=4e-16)
    assert np.linalg.matrix_rank(points) == 3


def test_one_seed_gives_the_same_points():
    np.testing.assert_array_equal(CIRCLE.sample(5, rng=3), CIRCLE.sample(5, rng=np.random.default_rng(3)))
    assert not np.array_equal(CIRCLE.sample(5, rng=3), CIRCLE.sample(5, rng=4))
    assert CIRCLE.sample(0).shape == (0, 2)


def test_sample_of_an_intersection_with_dependent_residuals():
    zeros = bea.ZeroLossSet(["x**2 + y**2 + z**2 - 4", "z - 1", "x**2 + y**2 - 3*z"], "x y z", codimension=2)
    points = zeros.sample(10, rng=0)
    np.testing.assert_allclose(points[:, 2], 1, atol=1e-14)
    np.testing.assert_allclose(np.hypot(points[:, 0], points[:, 1]), np.sqrt(3), atol=1e-14)


def test_starts_that_lead_nowhere_are_replaced():
    """Half of the plane lies beyond the reach of log."""
    points = bea.ZeroLossSet(["log(x) + y**2"], "x y").sample(20, rng=0)
    np.testing.assert_allclose(points[:, 0], np.exp(-(points[:, 1] ** 2)), atol=1e-14)


@pytest.mark.parametrize(
    ("residuals", "codimension"),
    [(["x**2 + y**2 + 1"], 1), (["x", "x - 1"], 1), (["x**2 + y**2 - 1", "x**2 + y**2 - 1"], 2)],
    ids=["empty", "inconsistent", "codimension too large"],
)
def test_sample_says_when_it_finds_nothing(residuals, codimension):
    zeros = bea.ZeroLossSet(residuals, "x y", codimension=codimension)
    with pytest.raises(RuntimeError, match="it may be empty, or its codimension may not be"):
        zeros.sample(3, rng=0)


@pytest.mark.parametrize("residual", ["x**2 + y**2", "x**2", "(x - y)**3", "x**2 - 4*x*y + 4*y**2"])
def test_sample_keeps_no_singular_point(residual):
    """Everywhere on these sets F' vanishes, so that no rounded zero is a regular point."""
    with pytest.raises(RuntimeError, match="led to 0 regular points"):
        bea.ZeroLossSet([residual], "x y").sample(2, rng=0)


def test_regular_points_may_be_ill_conditioned():
    """F' has the singular values 1 and 1e-6 everywhere."""
    zeros = bea.ZeroLossSet(["x", "(y - z)/10**6"], "x y z")
    points = zeros.sample(3, rng=0)
    np.testing.assert_allclose(points[:, 1], points[:, 2], atol=1e-9)


def test_a_network_that_can_only_be_zero_has_no_regular_point():
    zeros = bea.catalogue.diagonal_network(X=[[1, 1]], y=[0], signed=False).zero_loss_set
    with pytest.raises(RuntimeError, match="led to 0 regular points"):
        zeros.sample(1, rng=0)


@pytest.mark.parametrize("k", [1e-9, 1e9])
def test_regular_points_do_not_depend_on_the_scale_of_the_residual(k):
    scaled = bea.ZeroLossSet(["k*(x**2 + y**2 - 1)"], "x y", parameters={"k": k})
    np.testing.assert_allclose(np.linalg.norm(scaled.sample(5, rng=0), axis=1), 1, atol=1e-12)
    small = bea.ZeroLossSet(["x**2 + y**2 - k"], "x y", parameters={"k": "1e-6"})
    np.testing.assert_allclose(np.linalg.norm(small.sample(5, rng=0), axis=1), 1e-3, rtol=1e-9)


@given(angle, st.floats(-1, 1))
def test_tangent_projection_of_the_sphere(t, z):
    x = np.array([np.sqrt(1 - z**2) * np.cos(t), np.sqrt(1 - z**2) * np.sin(t), z])
    np.testing.assert_allclose(SPHERE.tangent_projection(x), np.eye(3) - np.outer(x, x), atol=1e-14)


def test_tangent_projection_is_an_orthogonal_projection_onto_the_kernel():
    zeros = bea.ZeroLossSet(["a*b - c", "exp(a) + d", "a*b - c"], "a b c d", codimension=2)
    for x in zeros.sample(5, rng=2):
        P = zeros.tangent_projection(x)
        np.testing.assert_allclose(P @ P, P, atol=1e-14)
        np.testing.assert_array_equal(P, P.T)
        np.testing.assert_allclose(zeros.jacobian(x) @ P, 0, atol=1e-13)
        assert round(np.trace(P)) == zeros.dimension == 2


def test_tangent_projection_refuses_singular_points():
    with pytest.raises(ValueError, match="no tangent space of dimension 1"):
        CONE.tangent_projection([0.0, 0.0])
    CONE.tangent_projection([0.0, 1.0])
    crossing = bea.ZeroLossSet(["x*z", "y*z"], "x y z", codimension=1)  # a plane and a line across it
    np.testing.assert_allclose(crossing.tangent_projection([1.0, 2.0, 0.0]), np.diag([1, 1, 0]), atol=1e-15)
    with pytest.raises(ValueError, match="the rank of F' is not 1"):
        crossing.tangent_projection([0.0, 0.0, 3.0])


def test_parameters_are_given_replaced_and_missed():
    circle = bea.ZeroLossSet(["x**2 + y**2 - r**2"], "x y")
    with pytest.raises(ValueError, match="no value for parameter 'r'"):
        circle.contains([1.0, 0.0])
    assert circle.with_parameters(r=2).contains([2.0, 0.0])
    assert circle.with_parameters(r=2).with_parameters(r=3).contains([3.0, 0.0])
    assert [s.name for s in circle.parameter_symbols] == ["r"]
    with pytest.raises(ValueError, match="'s' is no parameter"):
        circle.with_parameters(s=1)


def test_with_parameters_keeps_codimension_and_description():
    zeros = bea.ZeroLossSet(["x - r", "2*x - 2*r"], "x y", codimension=1, description="a line")
    other = zeros.with_parameters(r=1)
    assert (other.codimension, other.description) == (1, "a line")


def test_symbols_with_assumptions_are_accepted():
    x, y, r = sympy.symbols("x y r", real=True)
    for variables in ("x y", [x, y]):
        zeros = bea.ZeroLossSet([x**2 + y**2 - r**2, "x - y"], variables, {r: 1})
        assert zeros.variables == (x, y)
        assert zeros.contains([np.sqrt(0.5), np.sqrt(0.5)])


def test_decimals_are_exact():
    assert bea.ZeroLossSet(["x - 0.1"], "x y").residuals[0] == sympy.Symbol("x") - sympy.Rational(1, 10)


def test_how_it_is_shown():
    assert repr(CIRCLE) == "ZeroLossSet([x**2 + y**2 - 1], variables='x y', codimension=1)"
    assert CIRCLE._repr_latex_() == r"$\displaystyle \Gamma = \left\{(x, y) : x^{2} + y^{2} - 1 = 0\right\}$"


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: bea.ZeroLossSet("x - y", "x y"), TypeError, "a sequence of residuals, not one text"),
        (lambda: bea.ZeroLossSet([], "x y"), ValueError, "at least one residual"),
        (lambda: bea.ZeroLossSet(["x", "y", "x + y"], "x y"), ValueError, "by default it is 3"),
        (lambda: bea.ZeroLossSet(["x"], "x y", codimension=0), ValueError, "it was given as 0"),
        (lambda: bea.ZeroLossSet(["x"], "x y", codimension=1.0), TypeError, "an integer, not float"),
        (lambda: bea.ZeroLossSet(["x"], "x y", {"k": 1}), ValueError, "'k' is no parameter"),
        (lambda: CIRCLE.contains([1.0]), ValueError, r"x must have shape \(2,\)"),
        (lambda: CIRCLE.contains([1.0, 0.0], tolerance=-1), ValueError, "a nonnegative number"),
        (lambda: CIRCLE.contains([1.0, 0.0], tolerance="a"), TypeError, "a tolerance must be a number"),
        (lambda: CIRCLE.sample(1, scale="a"), TypeError, "scale must be a number, not 'a'"),
        (lambda: CIRCLE.contains([1.0, np.nan]), ValueError, "must be finite"),
        (lambda: CIRCLE.contains(["a", "b"]), TypeError, "must hold real numbers"),
        (lambda: CIRCLE.sample(-1), ValueError, "a nonnegative integer"),
        (lambda: CIRCLE.sample(2.5), ValueError, "a nonnegative integer"),
        (lambda: CIRCLE.sample(2, scale=0), ValueError, "a positive number"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
