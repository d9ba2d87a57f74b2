"""Constructors of noisy losses: their regularizers against sums over draws and formulas of the literature."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import bea
from bea import noise

POINT = {"a": 0.7, "b": -1.2, "c": 0.4}


def mean_by_signs(noisy: bea.NoisyLoss, x: np.ndarray, sigma: float) -> float:
    """The mean of L̂ over all signs of σ: a quadrature of degree 3 for components that are independent."""
    n = len(noisy.noise)
    signs = np.array(np.meshgrid(*[[-sigma, sigma]] * n)).reshape(n, -1)
    f = sympy.lambdify([noisy.variables, noisy.noise], noisy.expression.subs(noisy.parameters))
    return float(np.mean([f(x, column) for column in signs.T]))


CONSTRUCTED = {
    "dropconnect": lambda loss: noise.dropconnect(loss),
    "anti_pgd": lambda loss: noise.anti_pgd(loss),
    "sgld": lambda loss: noise.sgld(loss, temperature=2),
    "label_noise": lambda loss: noise.label_noise(loss),
    "input_noise": lambda loss: noise.input_noise("tanh(a*x)*b + c*x", "x", [[1], [-2]], [1, 0.5], "a b c"),
    "dropout": lambda loss: noise.dropout(["a*n1*b + c*n2", "b*n1*n2"], [1, 2], "a b c", "n1 n2"),
}


@pytest.mark.parametrize("name", CONSTRUCTED)
def test_the_mean_of_the_noisy_loss_is_the_loss_plus_the_regularizer(name):
    loss = bea.Loss.from_residuals(["a*b - c**2 - 0.3", "a + b*c"], "a b c")
    noisy = CONSTRUCTED[name](loss)
    x = np.array(list(POINT.values()))
    regularizer = float(noisy.regularizer.subs(POINT))
    quotients = [(mean_by_signs(noisy, x, s) - noisy.loss(x)) / s**2 for s in (0.02, 0.01)]
    extrapolated = (4 * quotients[1] - quotients[0]) / 3
    assert extrapolated == pytest.approx(regularizer, abs=1e-6 * (1 + abs(regularizer)))
    assert noisy.zero_loss_set is not None


def test_noise_is_gone_at_zero():
    loss = bea.Loss.from_residuals(["a*b - c**2 - 0.3", "a + b*c"], "a b c")
    for name in ("dropconnect", "anti_pgd", "sgld", "label_noise"):
        assert CONSTRUCTED[name](loss).loss == loss


def test_dropconnect_weighs_the_diagonal_of_the_hessian():
    loss = bea.catalogue.sum_of_products(n=2)
    terms = [w**2 * sympy.diff(loss.expression, w, 2) / 2 for w in loss.variables]
    assert sympy.expand(noise.dropconnect(loss).regularizer - sum(terms)) == 0


def test_anti_pgd_has_half_the_trace_of_the_hessian():
    loss = bea.catalogue.two_parameter()
    trace = sum(sympy.diff(loss.expression, w, 2) for w in loss.variables)
    assert sympy.expand(noise.anti_pgd(loss).regularizer - trace / 2) == 0
    assert sympy.expand(noise.anti_pgd(loss).regularizer - trace) != 0


def test_langevin_noise_has_no_regularizer_and_the_strength_of_its_temperature():
    noisy = noise.sgld(bea.Loss("a**2*b**2/2", "a b"), temperature="T")
    assert noisy.regularizer == 0
    assert sympy.simplify(noisy.covariance - 2 * sympy.Symbol("T") * sympy.eye(2)) == sympy.zeros(2)
    assert [s.name for s in noisy.parameter_symbols] == ["T"]


@pytest.mark.parametrize("half", [True, False])
def test_label_noise_has_a_covariance_in_proportion_to_the_hessian(half):
    """Σ = cH on the zeros, with c twice the factor of the sum of squares."""
    noisy = noise.label_noise(["a*b", "b + c**2", "a*c"], [1, 2, 1], "a b c d", half=half)
    c = sympy.Rational(1, 3) if half else sympy.Rational(2, 3)
    point = {"a": 1, "b": 1, "c": 1, "d": 5}
    difference = (noisy.covariance - c * noisy.loss.hessian).subs(point)
    assert difference == sympy.zeros(4)
    assert (noisy.covariance - c * noisy.loss.hessian).subs({**point, "a": 2}) != sympy.zeros(4)
    assert noisy.regularizer.free_symbols == set()


def test_label_noise_of_outputs_is_that_of_their_loss():
    direct = noise.label_noise(["a*b"], ["y"], "a b", parameters={"y": 1})
    of_loss = noise.label_noise(bea.Loss("(a*b - y)**2/2", "a b", {"y": 1}))
    assert direct == of_loss


def test_minibatch_of_all_sizes_averages_to_the_mean_loss():
    parts = ["(a*b - 1)**2", "(b - 2)**2", "(a - c)**2"]
    noisy = noise.minibatch(parts, batch_size=2, variables="a b c")
    assert sympy.expand(noisy.loss.expression - sum(map(sympy.sympify, parts)) / 3) == 0
    weights = noisy.law.draw(0, (5, 3))
    f = sympy.lambdify([noisy.variables, noisy.noise], noisy.expression)
    values = [sympy.sympify(part).subs(POINT) for part in parts]
    for eta in weights:
        batch = [float(v) for v, e in zip(values, eta, strict=True) if e > 0]
        assert f(list(POINT.values()), eta) == pytest.approx(np.mean(batch))
    assert noisy.regularizer == 0
    assert len(noisy.zero_loss_set.residuals) == 3


def test_node_dropout_weighs_what_the_nodes_pass_on():
    """Reg = (1/2n) Σ_i Σ_j (a_j s_ij)², for the half normalization."""
    X = np.array([[1.0, -0.5], [0.25, 2.0]])
    outputs, variables, nodes = noise.two_layer_network(X, width=3)
    noisy = noise.dropout(outputs, [1, -1], variables, nodes)
    w = np.random.default_rng(0).normal(size=len(variables))
    a, W = w[:3], w[3:].reshape(3, 2)
    expected = np.sum((a * np.tanh(X @ W.T)) ** 2) / 4
    regularizer = sympy.lambdify([noisy.variables], noisy.regularizer)(w)
    assert regularizer == pytest.approx(expected, rel=1e-12)
    assert noise.dropout(outputs, [1, -1], variables, nodes, half=False).regularizer == 2 * noisy.regularizer
    assert isinstance(noisy.law, noise.Bernoulli)


@pytest.mark.parametrize("activation", ["u**2 + u", "u*(1 + u)", "u + u**2"])
def test_an_activation_in_one_name(activation):
    (output,), variables, nodes = noise.two_layer_network([[3]], 1, activation)
    a, w = variables
    assert (output - a * nodes[0] * (3 * w + 9 * w**2)).expand() == 0


def test_input_noise_penalizes_the_slope_in_the_inputs():
    noisy = noise.input_noise("a*x**2 + b*z", "x z", [[1, 2]], ["4*a"], "a b")
    on_zeros = noisy.regularizer.subs({"b": sympy.Rational(3, 2) * sympy.Symbol("a")})
    slope = (2 * sympy.Symbol("a")) ** 2 + (sympy.Rational(3, 2) * sympy.Symbol("a")) ** 2
    assert sympy.expand(on_zeros - slope / 2) == 0


def test_names_of_the_noise_avoid_those_taken():
    loss = bea.Loss("(eta1*b - 1)**2/2", "eta1 b")
    assert [e.name for e in noise.dropconnect(loss).noise] == ["eta_1", "eta_2"]


def test_refusals():
    with pytest.raises(TypeError, match="takes a Loss"):
        noise.dropconnect("x**2")
    with pytest.raises(ValueError, match="sum of squares"):
        noise.label_noise(bea.Loss("x**4 + y", "x y"))
    with pytest.raises(TypeError, match="of its own"):
        noise.label_noise(bea.Loss("x**2", "x"), [1])
    with pytest.raises(ValueError, match="one target for each output"):
        noise.label_noise(["a"], [1, 2], "a")
    with pytest.raises(TypeError, match="needs variables"):
        noise.label_noise(["a"], [1])
    with pytest.raises(TypeError, match="half"):
        noise.label_noise(["a"], [1], "a", half=1)
    with pytest.raises(ValueError, match="temperature"):
        noise.sgld(bea.Loss("x**2", "x"), temperature=-1)
    with pytest.raises(ValueError, match="does not occur"):
        noise.dropout(["a*n1"], [1], "a", "n1 n2")
    with pytest.raises(ValueError, match="'a' is both a node and a variable"):
        noise.dropout(["a*b"], [1], "a b", "a")
    with pytest.raises(ValueError, match="columns"):
        noise.input_noise("a*x", "x", [[1, 2]], [1], "a")
    with pytest.raises(ValueError, match="not random"):
        noise.minibatch(["a**2", "b**2"], batch_size=2, variables="a b")
    with pytest.raises(ValueError, match="width"):
        noise.two_layer_network([[1]], 0)
    with pytest.raises(ValueError, match="matrix"):
        noise.two_layer_network([1], 2)
    with pytest.raises(ValueError, match="function of one name"):
        noise.two_layer_network([[1]], 2, "tanh(u*v)")


class TestDependentResiduals:
    """Data that say the same thing twice do not raise the codimension of the zero-loss set."""

    def test_a_datum_seen_twice_at_two_scales(self):
        noisy = bea.noise.label_noise(["a*b + c", "2*a*b + 2*c"], [1, 2], "a b c")
        assert len(noisy.zero_loss_set.residuals) == 1
        found = bea.limit(noisy)
        assert found.label_factor == sympy.Rational(1, 2)
        # H = (5/2) g gᵀ on ab + c = 1 with g = (b, a, 1), so that tr H = (5/2)(a² + b² + 1).
        a, b = 0.7, -0.4
        normal = np.array([b, a, 1]) / np.sqrt(a**2 + b**2 + 1)
        slope = 5 * np.array([a, b, 0])
        expected = -(slope - normal * (normal @ slope)) / 8
        np.testing.assert_allclose(found.field([a, b, 1 - a * b]), expected, atol=1e-14)

    def test_contradicting_data_are_not_dropped(self):
        noisy = bea.noise.label_noise(["a*b + c", "2*a*b + 2*c"], [1, 3], "a b c")
        assert len(noisy.zero_loss_set.residuals) == 2

    def test_a_dependence_that_is_not_linear_is_told(self):
        zeros = bea.ZeroLossSet(["a*b - 1"], "a b")
        noisy = bea.noise.label_noise(["a*b", "a**2*b**2"], [1, 1], "a b", zero_loss_set=zeros)
        assert bea.limit(noisy).label_factor == sympy.Rational(1, 2)

    def test_a_loss_has_zeros_of_its_own(self):
        zeros = bea.ZeroLossSet(["a*b - 1"], "a b")
        with pytest.raises(TypeError, match="zeros of its own"):
            bea.noise.label_noise(bea.Loss("(a*b - 1)**2", variables="a b"), zero_loss_set=zeros)
