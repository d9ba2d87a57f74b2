"""The catalogue of losses: every one on its zero-loss set, and each against its closed form."""

import ctypes
import importlib
import pickle
import shutil
from pathlib import Path

import central_differences
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bea.numerics.codegen import compile_field
from bea.systems import catalogue
from bea.systems.catalogue import CATALOGUE

rng = np.random.default_rng(0)

#: The losses with other arguments than their defaults, each with the dimension of its zero-loss set by hand.
VARIANTS = {
    "two_parameter": (lambda: catalogue.two_parameter(x=2, y=-1), 1),
    "sum_of_products": (lambda: catalogue.sum_of_products(n=1, y=2), 1),
    "diagonal, depth 3": (lambda: catalogue.diagonal_network([[1, 2, 3]], [2], depth=3), 5),
    "diagonal, depth 1": (lambda: catalogue.diagonal_network([[1, 2]], [2], depth=1), 3),
    "diagonal, unsigned": (lambda: catalogue.diagonal_network([[1, -1, 2]], [1], signed=False), 2),
    "diagonal, rank-deficient": (lambda: catalogue.diagonal_network([[1, 2], [2, 4]], [1, 2]), 3),
    "regression, rank-deficient": (lambda: catalogue.linear_regression([[1, 2, 0], [2, 4, 0]], [1, 2]), 2),
    "regression, more data": (lambda: catalogue.linear_regression([[1, 1], [2, 2], [0, 0]], [1, 2, 0]), 1),
    "factorization, full": (lambda: catalogue.matrix_factorization([[2, 1], [1, 2]], rank=2), 4),
    "factorization, thin": (lambda: catalogue.matrix_factorization([[1, 0, 2]], rank=1), 1),
    "tanh, one unit": (lambda: catalogue.tanh_network([0, 1], [0.1, 0.4], width=1), 1),
    "ellipse": (lambda: catalogue.implicit_curve("x**2 + x*y + y**2 - k", parameters={"k": 2}), 1),
    "torus": (lambda: catalogue.implicit_surface("(x**2 + y**2 + z**2 + 3)**2 - 16*(x**2 + y**2)"), 2),
}

EVERY_LOSS = [pytest.param(function, id=name) for name, function in CATALOGUE.items()] + [
    pytest.param(function, id=name) for name, (function, _) in VARIANTS.items()
]


def check_loss(make):
    """What every member of the catalogue owes: zeros, a set of the stated dimension, exact gradients."""
    loss = make()
    zeros = loss.zero_loss_set
    points = zeros.sample(3, rng=1)
    for x in points:
        assert zeros.contains(x)
        assert loss(x) < 1e-24
        np.testing.assert_allclose(loss.field(x), 0, atol=1e-10)
        normal = np.eye(loss.dimension) - zeros.tangent_projection(x)
        off = x + 1e-3 * normal @ rng.standard_normal(loss.dimension)
        assert not zeros.contains(off)
        assert loss(off) > 1e-12
    arguments = (loss.expression, loss.variables, loss.parameters)
    hessian = central_differences.hessian(*arguments, points[0])
    assert (
        loss.dimension - np.linalg.matrix_rank(hessian, tol=1e-9 * np.linalg.norm(hessian)) == zeros.dimension
    )
    P = zeros.tangent_projection(points[0])
    np.testing.assert_allclose(hessian @ P, 0, atol=1e-11 * np.linalg.norm(hessian))
    start = points[0] + 0.1 * rng.standard_normal(loss.dimension)
    measured = central_differences.gradient(*arguments, start)
    np.testing.assert_allclose(-loss.field(start), measured, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("make", EVERY_LOSS)
def test_every_loss_on_its_zero_loss_set(make):
    check_loss(make)


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_loss_can_be_sent_to_another_process(name):
    loss = CATALOGUE[name]()
    x = loss.zero_loss_set.sample(1, rng=0)[0] + 0.1
    expected = loss(x), loss.field(x)
    sent = pickle.loads(pickle.dumps(loss))
    assert sent == loss
    assert sent.field == loss.field
    np.testing.assert_array_equal(sent(x), expected[0])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(loss.field))(x), expected[1])
    np.testing.assert_array_equal(sent.zero_loss_set.residual(x), loss.zero_loss_set.residual(x))


@pytest.mark.parametrize(("make", "dimension"), VARIANTS.values(), ids=VARIANTS)
def test_dimensions_by_hand(make, dimension):
    assert make().zero_loss_set.dimension == dimension


def test_the_check_fails_for_a_wrong_codimension():
    """A negative control: with one dimension too many or too few, the check must not pass."""

    def wrong():
        loss = catalogue.linear_regression()
        loss.zero_loss_set.codimension = 1
        return loss

    with pytest.raises((AssertionError, RuntimeError)):
        check_loss(wrong)


def test_a_loss_is_added_by_one_file_and_one_line(tmp_path, monkeypatch):
    package = tmp_path / "own_catalogue"
    shutil.copytree(Path(catalogue.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "parabola.py").write_text(
        "from bea import Loss\n\n\ndef parabola():\n    return Loss.from_residuals(['y - x**2'], 'x y')\n"
    )
    index = package / "__init__.py"
    line = "from own_catalogue.parabola import parabola as parabola\n"
    index.write_text(index.read_text().replace("from bea.systems.loss", line + "from bea.systems.loss"))
    monkeypatch.syspath_prepend(tmp_path)
    own = importlib.import_module("own_catalogue").CATALOGUE
    assert set(own) - set(CATALOGUE) == {"parabola"}
    check_loss(own["parabola"])


def test_the_catalogue_holds_losses_and_nothing_else():
    assert list(CATALOGUE) == [
        "diagonal_network",
        "implicit_curve",
        "implicit_surface",
        "linear_regression",
        "matrix_factorization",
        "sum_of_products",
        "tanh_network",
        "two_parameter",
    ]
    assert all(getattr(catalogue, name) is function for name, function in CATALOGUE.items())


@given(st.floats(0.3, 3), st.sampled_from([-1, 1]), st.sampled_from([0, 1e-12, 1e-7, 0.1]))
def test_the_hyperbola(a, sign, offset):
    zeros = catalogue.two_parameter().zero_loss_set
    a *= sign
    assert zeros.contains([a, 0.6 / a])
    assert zeros.contains([a * (1 + offset), 0.6 / a]) == (offset < 1e-9)


def test_the_two_parameter_model_of_barrett_and_dherin():
    loss = catalogue.two_parameter()
    a, b, x, y = sympy.symbols("a b x y")
    assert loss.expression == (y - a * b * x) ** 2 / 2
    trace = sympy.trace(loss.hessian).subs(b, y / (a * x))
    assert sympy.simplify(trace - x**2 * (a**2 + (y / (a * x)) ** 2)) == 0


@given(st.lists(st.floats(-2, 2), min_size=5, max_size=5))
def test_the_quadric_of_a_sum_of_products(numbers):
    zeros = catalogue.sum_of_products(n=3, y=2).zero_loss_set
    a1, a2, a3, b1, b2 = numbers
    if abs(a3) > 0.1:
        b3 = (2 - a1 * b1 - a2 * b2) / a3
        assert zeros.contains([a1, a2, a3, b1, b2, b3])
        assert not zeros.contains([a1, a2, a3, b1, b2, b3 + 1e-3])


def test_the_affine_subspace_of_linear_regression():
    X, w = rng.standard_normal((3, 7)), rng.standard_normal(7)
    zeros = catalogue.linear_regression(X, X @ w).zero_loss_set
    kernel = np.linalg.svd(X)[2][3:]
    assert zeros.dimension == 4
    assert zeros.contains(w + kernel.T @ [1.0, -2.0, 3.0, 0.5])
    np.testing.assert_allclose(zeros.tangent_projection(w), kernel.T @ kernel, atol=1e-13)
    start = rng.standard_normal(7)
    np.testing.assert_allclose(
        zeros.retract(start), start + np.linalg.pinv(X) @ (X @ w - X @ start), atol=1e-13
    )


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
@pytest.mark.parametrize("signed", [True, False])
def test_the_gradient_of_a_diagonal_network(depth, signed):
    """−∂L/∂u = −2N r ⊙ u^(N−1), −∂L/∂v = 2N r ⊙ v^(N−1), r = Xᵀ(Xw − y)/n (Li et al. 2021)."""
    X = rng.standard_normal((3, 5))
    y = X @ np.abs(rng.standard_normal(5))
    loss = catalogue.diagonal_network(X, y, depth, signed)
    x = rng.standard_normal(loss.dimension)
    u, v = x[:5], x[5:]
    w = u**depth - v**depth if signed else u**depth
    r = X.T @ (X @ w - y) / 3
    flow = -2 * depth * r * u ** (depth - 1)
    expected = np.concatenate([flow, 2 * depth * r * v ** (depth - 1)]) if signed else flow
    np.testing.assert_allclose(loss.field(x), expected, rtol=1e-12)
    assert loss(x) == pytest.approx(np.mean((X @ w - y) ** 2), rel=1e-13)


@pytest.mark.parametrize(("depth", "signed"), [(1, True), (2, True), (3, False)])
def test_the_native_gradient_of_a_diagonal_network(depth, signed):
    """The machine code of the matrix form against the symbolic gradient."""
    X = rng.standard_normal((3, 5))
    field = catalogue.diagonal_network(X, X @ np.ones(5), depth, signed).field
    x, p, out = rng.standard_normal(field.dimension), field.parameter_values(), np.empty(field.dimension)
    pointer = ctypes.POINTER(ctypes.c_double)
    function = ctypes.CFUNCTYPE(None, pointer, pointer, pointer)(compile_field(field).rhs)
    function(*(array.ctypes.data_as(pointer) for array in (x, p, out)))
    np.testing.assert_allclose(out, field(x), rtol=1e-12)


def test_a_large_diagonal_network_is_cheap():
    """A hundred variables: the expression is never multiplied out."""
    X = rng.choice([-1, 1], size=(20, 50))
    loss = catalogue.diagonal_network(X, X @ np.eye(50)[0], depth=2)
    assert len(loss.expression.args) == 20
    assert loss.dimension == 100
    assert sympy.count_ops(loss.field.components[0]) < 20 * (2 * 100 + 10) * 2
    assert loss.zero_loss_set.dimension == 80
    x = loss.zero_loss_set.sample(1, rng=0)[0]
    np.testing.assert_allclose(X @ (x[:50] ** 2 - x[50:] ** 2), X[:, 0], atol=1e-12)


@settings(deadline=None, max_examples=12)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(0, 3), st.integers(0, 99))
def test_the_dimension_of_factorizations(m, n, r, rho, seed):
    """Where rank M < r too, the rank of the Hessian at samples is the stated codimension."""
    rho = min(rho, m, n, r)
    generator = np.random.default_rng(seed)
    M = generator.integers(-3, 4, (m, rho)) @ generator.integers(-3, 4, (rho, n))
    loss = catalogue.matrix_factorization(M, rank=r)
    U, V = (
        np.reshape(part, (-1, r)) for part in np.split(loss.zero_loss_set.sample(1, rng=seed)[0], [m * r])
    )
    np.testing.assert_allclose(U @ V.T, M, atol=1e-12)
    # the differential (dU, dV) ↦ dU Vᵀ + U dVᵀ as a matrix, by Kronecker products
    differential = np.hstack([np.kron(np.eye(m), V), np.kron(U, np.eye(n))])
    assert np.linalg.matrix_rank(differential, tol=1e-7) == loss.zero_loss_set.codimension


def test_pieces_of_different_dimension():
    """u vᵀ = 0 in R² and R³: either u = 0, of codimension 2, or v = 0, of codimension 3."""
    zeros = catalogue.matrix_factorization(np.zeros((2, 3)), rank=1).zero_loss_set
    assert zeros.codimension == 2
    np.testing.assert_allclose(zeros.sample(10, rng=0)[:, :2], 0, atol=1e-15)
    on_the_smaller = np.array([1.0, 2.0, 0.0, 0.0, 0.0])
    assert zeros.contains(on_the_smaller)
    assert not zeros.contains(on_the_smaller + np.eye(5)[2] / 1000)
    with pytest.raises(ValueError, match="no tangent space of dimension 3"):
        zeros.tangent_projection(on_the_smaller)


def test_indices_of_large_factors_are_set_apart():
    names = [v.name for v in catalogue.matrix_factorization(np.ones((11, 1)), rank=1).variables]
    assert names[:2] == ["u1_1", "u2_1"]
    assert len(set(names)) == 12


def test_tanh_network_by_numpy():
    loss = catalogue.tanh_network([-1, 0.5, 2, 3], [0, 1, 0.5, 0], width=4)
    a, w, b = (weights := rng.standard_normal(12)).reshape(3, 4)
    outputs = [np.sum(a * np.tanh(w * x + b)) for x in (-1, 0.5, 2, 3)]
    assert loss(weights) == pytest.approx(np.sum((np.array(outputs) - [0, 1, 0.5, 0]) ** 2) / 8, rel=1e-13)


def test_tanh_network_that_cannot_fit_says_so():
    """Two units make at most a few turns, not seven."""
    loss = catalogue.tanh_network(range(5), [5, -5, 5, -5, 5], width=2)
    with pytest.raises(RuntimeError, match="it may be empty"):
        loss.zero_loss_set.sample(1, rng=0)


def test_implicit_curve_and_surface_by_hand():
    ellipse = catalogue.implicit_curve().zero_loss_set
    assert ellipse.contains([0.6, 1.6])
    assert not ellipse.contains([0.6, 1.5])
    ellipsoid = catalogue.implicit_surface().zero_loss_set
    assert ellipsoid.contains([2 / 3, 4 / 3, 1.0])
    assert not ellipsoid.contains([2 / 3, 4 / 3, 1.1])
    u, v = sympy.symbols("u v", real=True)
    assert catalogue.implicit_curve(u - v**2, [u, v]).zero_loss_set.contains([4.0, -2.0])


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: catalogue.two_parameter(x=0), ValueError, "x must not be 0"),
        (lambda: catalogue.two_parameter(y="high"), ValueError, "'y' must be a real number"),
        (lambda: catalogue.sum_of_products(n=0), ValueError, "n must be at least 1, not 0"),
        (lambda: catalogue.sum_of_products(n=2.0), TypeError, "n must be an integer, not float"),
        (lambda: catalogue.linear_regression([[1, 2], [2, 4]], [1, 3]), ValueError, "the loss has no zero"),
        (lambda: catalogue.linear_regression([[1, 0], [0, 1]], [1, 3]), ValueError, "only one w solves"),
        (lambda: catalogue.linear_regression([[1, 2]], [1, 3]), ValueError, "1 rows but y has 2 entries"),
        (lambda: catalogue.linear_regression([1, 2], [1]), ValueError, "X must be a matrix"),
        (lambda: catalogue.linear_regression([[0, 0]], [0]), ValueError, "X must have a nonzero entry"),
        (lambda: catalogue.linear_regression([[1, np.nan]], [0]), ValueError, "X must be finite"),
        (lambda: catalogue.linear_regression([["1", "2"]], [0]), TypeError, "X must hold real numbers"),
        (lambda: catalogue.diagonal_network([[1, 2], [2, 4]], [1, 3]), ValueError, "the loss has no zero"),
        (lambda: catalogue.diagonal_network([[1, 2]], [-1], signed=False), ValueError, "no w ≥ 0 solves"),
        (lambda: catalogue.diagonal_network(depth=0), ValueError, "depth must be at least 1"),
        (lambda: catalogue.matrix_factorization([[1, 0], [0, 1]], rank=1), ValueError, "M has rank 2"),
        (lambda: catalogue.matrix_factorization([[]], rank=1), ValueError, "M must be a matrix"),
        (lambda: catalogue.matrix_factorization(rank=True), TypeError, "rank must be an integer"),
        (lambda: catalogue.tanh_network([0, 0], [1, 1]), ValueError, "must all be different"),
        (lambda: catalogue.tanh_network([0, 1], [1]), ValueError, "x has 2 entries but y has 1"),
        (lambda: catalogue.tanh_network(range(6), range(6), width=2), ValueError, "a width above 2"),
        (lambda: catalogue.implicit_curve("x + y", "x y z"), ValueError, "F takes 2 variables here, not 3"),
        (
            lambda: catalogue.implicit_surface("k", parameters={"k": 1}),
            ValueError,
            "must depend on a variable",
        ),
    ],
)
def test_bad_input_gets_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()
