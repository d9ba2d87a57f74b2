"""Losses with injected noise."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import sympy

import bea
from bea import noise

TEXT = "(a*(1 + e)*b + f*k - 1)**2 / 2 + e*f*a"


@pytest.fixture
def noisy() -> bea.NoisyLoss:
    return bea.NoisyLoss(TEXT, variables="a b", noise="e f", parameters={"k": 2})


def test_parts(noisy):
    a, b, e, f = sympy.symbols("a b e f")
    assert noisy.variables == (a, b)
    assert noisy.noise == (e, f)
    assert noisy.law == noise.Gaussian()
    assert [s.name for s in noisy.parameter_symbols] == ["k"]
    assert noisy.loss == bea.Loss("(a*b - 1)**2/2", "a b")
    assert noisy.zero_loss_set.residuals == (a * b - 1,)


def test_the_regularizer_takes_the_correlation_into_account(noisy):
    """½ tr(C ∇²_η L̂), with the Hessian in η by SymPy."""
    H = sympy.hessian(noisy.expression, noisy.noise).subs(dict.fromkeys(noisy.noise, 0))
    assert sympy.expand(noisy.regularizer - H.trace() / 2) == 0
    batch = noisy.with_law(noise.Minibatch(1))
    assert sympy.expand(batch.regularizer - (H[0, 0] + H[1, 1] - 2 * H[0, 1]) / 2) == 0
    assert sympy.expand(batch.regularizer - noisy.regularizer) != 0


def test_the_field_descends_for_given_noise(noisy):
    x, values = [0.7, -0.4], {"e": 0.3, "f": -0.2, "k": 1.5}
    f = sympy.lambdify([*noisy.variables, *values], noisy.expression)
    slopes = [
        (f(*(np.add(x, h)), **values) - f(*(np.subtract(x, h)), **values)) / 2e-6 for h in 1e-6 * np.eye(2)
    ]
    np.testing.assert_allclose(noisy.field(x, values), np.negative(slopes), rtol=1e-8)


def test_the_noise_of_the_gradient(noisy):
    jacobian = sympy.Matrix(noisy.gradient).jacobian(noisy.noise).subs(dict.fromkeys(noisy.noise, 0))
    assert (noisy.gradient_noise - jacobian).expand() == sympy.zeros(2)
    assert (noisy.covariance - jacobian * jacobian.T).expand() == sympy.zeros(2)


def test_components_of_the_noise_that_do_not_occur_are_accepted():
    noisy = bea.NoisyLoss("a**2 + e", "a", "e")
    np.testing.assert_array_equal(noisy.field([1.0], e=3), [-2.0])


def test_pickle_and_repr(noisy):
    again = pickle.loads(pickle.dumps(noisy))
    assert again == noisy
    assert hash(again) == hash(noisy)
    assert again.parameters == noisy.parameters
    assert again != noisy.with_law(noise.Uniform())
    assert "NoisyLoss(" in repr(noisy)
    assert "law=Gaussian()" in repr(noisy)
    assert r"\hat L" in noisy._repr_latex_()


def test_parameters_reach_the_zero_loss_set():
    zeros = bea.ZeroLossSet(["a*b - y"], "a b", {"y": 1})
    noisy = bea.NoisyLoss("(a*b - y)**4 + e*a", "a b", "e", None, {"y": 1}, zeros).with_parameters(y=2)
    assert noisy.zero_loss_set.contains([1.0, 2.0])
    assert noisy.loss([1.0, 2.0]) == 0


def test_sums_of_squares_are_recognised_and_others_are_not():
    assert bea.NoisyLoss("a**4 + e*a", "a", "e").zero_loss_set is None
    assert bea.NoisyLoss("-(a - 1)**2 + e", "a", "e").zero_loss_set is None
    halves = bea.NoisyLoss("((a - b)**2 + (a*b - 1)**2)/3 + e", "a b", "e")
    assert len(halves.zero_loss_set.residuals) == 2


def test_refusals():
    with pytest.raises(ValueError, match="both a variable and"):
        bea.NoisyLoss("a*e", "a e", "e")
    with pytest.raises(TypeError, match=r"bea\.noise"):
        bea.NoisyLoss("a*e", "a", "e", law="normal")
    with pytest.raises(ValueError, match="smooth"):
        bea.NoisyLoss("abs(a*e)", "a", "e")
    with pytest.raises(ValueError, match="no parameter"):
        bea.NoisyLoss("a*e", "a", "e", parameters={"e": 1})
    with pytest.raises(TypeError, match="must be a ZeroLossSet"):
        bea.NoisyLoss("a*e", "a", "e", zero_loss_set="a")
    with pytest.raises(ValueError, match="same order"):
        bea.NoisyLoss("a*b*e", "a b", "e", zero_loss_set=bea.ZeroLossSet(["a*b"], "b a"))
    with pytest.raises(ValueError, match="cannot read"):
        bea.NoisyLoss("__import__('os')", "a", "e")
    with pytest.raises(ValueError, match="not random"):
        bea.NoisyLoss("a*e", "a", "e", law=noise.Minibatch(2))
    for singular in ("a/e", "a*sqrt(e)", "a*sin(e)/e"):
        with pytest.raises(ValueError, match="smooth in the noise, and this one is not finite at η = 0"):
            _ = bea.NoisyLoss(f"a**2/2 + {singular}", "a", "e").regularizer
    divided = bea.NoisyLoss("(a/(1 + e) - 1)**2/2", "a", "e", law=noise.Bernoulli())
    with pytest.raises(ValueError, match=r"not finite at e = -1, a value that the law Bernoulli"):
        _ = divided.regularizer
    assert divided.with_law(noise.Gaussian()).regularizer.subs("a", 1) == sympy.Rational(1, 2)


class TestRareNoise:
    """Weights that are dropped seldom: the mean of L̂ over all masks, divided by σ², for σ → 0."""

    LOSS = bea.Loss("(u**2 + v**3 - 1)**2", variables="u v")
    POINT = (0.8, 0.7)

    def mean_change(self, variance):
        u, v = self.POINT
        keep = 1 / (1 + variance)

        def loss(a, b):
            return (a**2 + b**3 - 1) ** 2

        masks = [(i, j) for i in (0, 1) for j in (0, 1)]
        weights = [keep ** (i + j) * (1 - keep) ** (2 - i - j) for i, j in masks]
        mean = sum(p * loss(u * i / keep, v * j / keep) for p, (i, j) in zip(weights, masks, strict=True))
        return (mean - loss(u, v)) / variance

    def value(self, law):
        reg = bea.noise.dropconnect(self.LOSS, law).regularizer
        return float(reg.subs(dict(zip(self.LOSS.variables, self.POINT, strict=True))))

    def test_it_is_the_limit_of_the_mean(self):
        limit = 2 * self.mean_change(1e-5) - self.mean_change(2e-5)
        assert self.value(bea.noise.Bernoulli()) == pytest.approx(limit, rel=1e-7)
        assert self.value(bea.noise.Gaussian()) != pytest.approx(limit, rel=0.1)

    def test_where_the_loss_is_quadratic_in_each_weight_it_is_that_of_small_noise(self):
        loss = bea.Loss("(a*b + c*d - 1)**2", variables="a b c d")
        rare, small = (bea.noise.dropconnect(loss, law) for law in (bea.noise.Bernoulli(), None))
        assert rare.regularizer == small.regularizer
