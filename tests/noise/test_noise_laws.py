"""Laws of the noise: moments, draws and compiled draws agree; covariances of minibatches by enumeration."""

from __future__ import annotations

import pickle
from itertools import combinations, product

import numpy as np
import pytest
import scipy.stats
import sympy

from bea import noise
from bea.numerics.cache import load_module

SIGMA = 0.7
LAWS = [
    noise.Gaussian(),
    noise.Rademacher(),
    noise.Uniform(),
    noise.Bernoulli(),
    noise.Bernoulli(keep=1 / (1 + SIGMA**2)),
]

KERNEL = """
import numba

@numba.njit
def draws(rng, sigma, out):
    for i in range(out.size):
        out[i] = {}
"""

VECTOR_KERNEL = """
import numba

@numba.njit
def draws(rng, out):
    for k in range(len(out)):
        eta = out[k]
{}
"""


def numeric_moment(law: noise.Law, k: int) -> float:
    return float(law.moment(k).subs(sympy.Symbol("sigma"), SIGMA))


def assert_has_moments(law: noise.Law, values: np.ndarray) -> None:
    """The first four empirical moments lie within five standard errors of the exact ones."""
    for k in (1, 2, 3, 4):
        powers = values**k
        error = powers.std() / np.sqrt(values.size) + 1e-12
        assert abs(powers.mean() - numeric_moment(law, k)) < 5 * error


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_draws_have_the_exact_moments(law):
    values = law.draw(1, (100_000, 2), sigma=SIGMA) / SIGMA
    assert_has_moments(law, values.ravel())


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_compiled_draws_have_the_exact_moments(law):
    out = np.empty(200_000)
    load_module(KERNEL.format(law.source)).draws(np.random.default_rng(2), SIGMA, out)
    assert_has_moments(law, out)


def test_the_moments_of_one_law_do_not_fit_another():
    values = noise.Gaussian().draw(1, 100_000, sigma=SIGMA) / SIGMA
    with pytest.raises(AssertionError):
        assert_has_moments(noise.Uniform(), values)


def test_moments_of_normal_and_uniform_laws_are_those_of_scipy():
    for law, reference in (
        (noise.Gaussian(), scipy.stats.norm()),
        (noise.Uniform(), scipy.stats.uniform(-np.sqrt(3), 2 * np.sqrt(3))),
    ):
        for k in range(1, 9):
            assert float(law.moment(k)) == pytest.approx(reference.moment(k), abs=1e-9)


@pytest.mark.parametrize("q", ["1/10", "1/2", "4/5"])
def test_moments_of_dropout_are_those_of_its_two_values(q):
    """η is 1/q − 1 with the probability q and −1 otherwise, with the variance (1 − q)/q."""
    q = sympy.Rational(q)
    law = noise.Bernoulli(keep=q)
    variance = q * (1 / q - 1) ** 2 + (1 - q)
    assert sympy.simplify(variance - (1 - q) / q) == 0
    assert law.scale(1) == pytest.approx(float(sympy.sqrt(variance)))
    for k in range(6):
        raw = q * (1 / q - 1) ** k + (1 - q) * (-1) ** k
        assert sympy.simplify(law.moment(k) - raw / sympy.sqrt(variance) ** k) == 0


def test_dropout_draws_its_two_values_alone():
    values = noise.Bernoulli(keep=0.25).draw(0, 1000)
    assert set(values.round(12)) == {-1.0, 3.0}
    free = noise.Bernoulli().draw(0, 1000, sigma=np.sqrt(3))
    assert set(free.round(12)) == {-1.0, 3.0}


def enumerated(n: int, B: int, replacement: bool) -> np.ndarray:
    """The weights η of all minibatches, equally likely."""
    batches = product(range(n), repeat=B) if replacement else combinations(range(n), B)
    counts = [np.bincount(batch, minlength=n) for batch in batches]
    return n / B * np.array(counts) - 1


@pytest.mark.parametrize(
    ("n", "B", "replacement"), [(5, 2, False), (4, 3, False), (4, 3, True), (3, 4, True)]
)
def test_minibatches_have_the_covariance_of_all_minibatches(n, B, replacement):
    law = noise.Minibatch(B, replacement)
    covariance = np.cov(enumerated(n, B, replacement).T, bias=True)
    exact = law.scale(n) ** 2 * np.array(law.correlation(n), dtype=float)
    np.testing.assert_allclose(exact, covariance, atol=1e-12)


@pytest.mark.parametrize(("n", "B", "replacement"), [(5, 2, False), (4, 3, True)])
def test_minibatches_are_drawn_evenly_compiled_and_not(n, B, replacement):
    law = noise.Minibatch(B, replacement)
    possible = {tuple(row) for row in enumerated(n, B, replacement).round(9)}
    source = "".join(f"        {line}\n" for line in law.body(n).splitlines())
    compiled = np.empty((40_000, n))
    load_module(VECTOR_KERNEL.format(source)).draws(np.random.default_rng(3), compiled)
    for values in (law.draw(3, (40_000, n)), law.scale(n) * compiled):
        assert {tuple(row) for row in values.round(9)} <= possible
        exact = np.cov(enumerated(n, B, replacement).T, bias=True)
        assert np.abs(np.cov(values.T) - exact).max() < 5 * exact.max() * np.sqrt(3 / 40_000)
        assert np.abs(values.mean(axis=0)).max() < 5 * law.scale(n) / np.sqrt(40_000)


def test_one_seed_gives_the_same_draws():
    law = noise.Gaussian()
    np.testing.assert_array_equal(law.draw(5, (3, 2), 0.1), law.draw(np.random.default_rng(5), (3, 2), 0.1))
    assert not law.draw(0, 3, sigma=0).any()


def test_laws_of_ones_own():
    law = noise.Sampled(
        lambda rng, shape: rng.laplace(size=shape) / np.sqrt(2), {3: 0, 4: 6}, "rng.laplace()/2**0.5"
    )
    assert_has_moments(law, law.draw(4, 200_000, sigma=1.0))
    with pytest.raises(ValueError, match="order 5"):
        law.moment(5)
    with pytest.raises(ValueError, match="order 2 of a standardized law is 1"):
        noise.Sampled(np.random.Generator.normal, {2: 3})
    with pytest.raises(TypeError, match="sampler"):
        noise.Sampled(3)
    with pytest.raises(ValueError, match="finite numbers of shape"):
        noise.Sampled(lambda rng, shape: np.zeros(7)).draw(0, 3, sigma=1)


@pytest.mark.parametrize("law", [*LAWS, noise.Minibatch(2), noise.Minibatch(2, replacement=True)], ids=repr)
def test_laws_pickle_and_compare(law):
    assert pickle.loads(pickle.dumps(law)) == law
    assert noise.Bernoulli(keep=0.123) != law


def test_refusals():
    with pytest.raises(ValueError, match="between 0 and 1"):
        noise.Bernoulli(keep=1.5)
    with pytest.raises(ValueError, match=r"standard deviation is 0\.5"):
        noise.Bernoulli(keep=0.8).draw(0, 3, sigma=0.1)
    with pytest.raises(ValueError, match="pass sigma"):
        noise.Gaussian().draw(0, 3)
    with pytest.raises(ValueError, match="0 or more"):
        noise.Gaussian().draw(0, 3, sigma=-1)
    with pytest.raises(TypeError, match="must be a number"):
        noise.Gaussian().draw(0, 3, sigma="1")
    with pytest.raises(ValueError, match="not random"):
        noise.Minibatch(3).draw(0, 3)
    with pytest.raises(ValueError, match="positive integer"):
        noise.Minibatch(0)
    with pytest.raises(ValueError, match="moment"):
        noise.Gaussian().moment(-1)
