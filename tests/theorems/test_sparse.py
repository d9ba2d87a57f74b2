"""The theorem of sparse regularization: its claims, against descent, laws and images computed here."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bea
from bea.theorems import sparse_experiments as experiments
from bea.theorems.samples import mean_claim, mean_interval, share_claim


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("sparse", quick=True)


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)
    assert len(verdict.claims) >= 45


def test_there_are_controls(verdict):
    controls = [c.name for c in verdict.claims if c.name.startswith("control")]
    for part in (
        "without early stopping",
        "the law of N",
        "2N²ηα^(2N−2)",
        "power 2 − 1/N",
        "least norm",
        "α = 1",
    ):
        assert any(part in name for name in controls), part


def test_claims_tell_their_setting(verdict):
    assert all(c.detail for c in verdict.claims)


def test_the_figure_has_six_panels(verdict):
    assert len(verdict.figure().axes) == 6


@pytest.mark.slow
def test_another_seed_holds():
    other = bea.verify("sparse", quick=True, rng=1)
    assert other.passed, repr(other)


def test_the_stopped_error_is_seen_in_a_loop_written_here():
    """The same problem, step by step."""
    found = experiments.stopped(5, n=60, p=80, k=3, noise=0.5)
    data = experiments.signs(5, 60, 80, 3)
    eta, alpha = 0.2 / 9, 0.03
    steps = round(2 * (1 / alpha - 0.5 ** (-1 / 3)) / (6 * eta))
    u = v = np.full(80, alpha)
    for _ in range(steps):
        r = data.X.T @ (data.X @ (u**3 - v**3) - data.y) / 60
        u, v = u - 6 * eta * r * u**2, v + 6 * eta * r * v**2
    error = u**3 - v**3 - data.w_star
    assert found["squared_error"] == pytest.approx(error @ error, rel=1e-8)
    assert found["off_support"] == pytest.approx(abs(error[3:]).max() / alpha**0.75, rel=1e-8)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_the_learning_law_solves_its_differential_equation(depth):
    def reached(t, w):
        return w[0] - 1.5

    reached.terminal = True
    flow = solve_ivp(
        lambda t, w: 2 * depth**2 * 1e-3 * (3 - w) * w ** (2 - 2 / depth),
        (0, 1e5),
        [1e-4],
        events=reached,
        rtol=1e-10,
        atol=1e-14,
    )
    assert experiments.learning_law(3, depth) == pytest.approx(flow.t[-1], rel=1e-6)
    assert experiments.learning_law(2, depth) > 1.2 * flow.t[-1]


def test_the_image_is_one():
    image = experiments.head_image(32)
    assert image.shape == (32, 32)
    assert image.max() == 1
    assert 0.1 < (image > 0).mean() < 0.15
    assert image[image > 0].min() >= 0.7


def test_an_experiment_that_fails_is_told(verdict):
    with pytest.warns(RuntimeWarning), pytest.raises(RuntimeError, match="an experiment failed"):
        experiments.repeat(verdict.run, experiments.window_ends, 2, depth=2, alpha=2.0, steps=10)


class TestSamples:
    def test_the_interval_covers_as_often_as_it_says(self):
        draws = np.random.default_rng(0).normal(1, 2, (2000, 6))
        covered = [low < 1 < high for _, (low, high) in map(mean_interval, draws)]
        assert 0.98 < np.mean(covered) < 0.998

    def test_the_interval_of_a_share_is_the_exact_one(self):
        # all of n: (1 - c)/2 = low^n
        claim = share_claim("all", [True] * 10, "")
        assert claim.interval == (pytest.approx(0.005**0.1), 1)
        assert claim.passed
        assert not share_claim("seven of ten", [True] * 7 + [False] * 3, "").passed

    def test_a_mean_must_be_where_it_is_claimed(self):
        values = [0.9, 1.0, 1.1, 1.0]
        assert mean_claim("near", values, "", near=(1, 0.3)).passed
        assert not mean_claim("not near", values, "", near=(2, 0.3)).passed
        assert not mean_claim("too wide", [0, 1, 2, 1], "", near=(1, 0.3)).passed
        assert mean_claim("above", values, "", above=0.7).passed
        assert not mean_claim("above", values, "", above=0.95).passed
        assert mean_claim("below", values, "", below=1.3).passed
        assert not mean_claim("below", values, "", below=1.05).passed

    @pytest.mark.parametrize("values", [[1, 2], [1, 2, np.nan]])
    def test_bad_samples_are_refused(self, values):
        with pytest.raises(ValueError, match="three finite values or more"):
            mean_interval(values)
