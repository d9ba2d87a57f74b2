"""The theorem on networks: its claims, against flows, gradients and intervals computed here."""

import subprocess
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.special import softmax
from scipy.stats import ttest_1samp

from bea.nets.closeness import distances
from bea.nets.data import digits
from bea.nets.measures import classifier
from bea.theorems import igr_networks_claims as claims
from bea.theorems.claims import Run, Verdict
from bea.theorems.igr_networks import RegularizationOfNetworks


@pytest.fixture(scope="module")
def verdict():
    theorem, run = RegularizationOfNetworks(), Run(True, np.random.default_rng(0))
    return Verdict(theorem, list(theorem.check(run)), run, 0, 0.0)


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)
    assert len(verdict.claims) >= 60


def test_all_four_predictions_are_measured(verdict):
    for number in (1, 2, 3, 4):
        told = [c for c in verdict.claims if c.name.startswith(f"({number})")]
        assert len(told) >= 8
        assert all(c.interval[0] < c.measured < c.interval[1] for c in told)
        assert all(outcome_of(c) in ("confirmed", "undecided", "refuted") for c in told)


def outcome_of(claim):
    return claim.detail.partition(";")[0].rpartition(", ")[2]


def test_the_first_two_predictions_are_confirmed_at_equal_loss(verdict):
    strict = [c for c in verdict.claims if c.predicted == "below 0" and c.name[:3] in ("(1)", "(2)")]
    assert len(strict) == 4
    assert all(c.interval[1] < 0 for c in strict)


def test_tallies_count_what_was_told(verdict):
    for number in (1, 2, 3, 4):
        told = [outcome_of(c) for c in verdict.claims if c.name.startswith(f"({number})")]
        tally = next(c for c in verdict.claims if c.name.startswith(f"prediction {number}"))
        counts = [told.count(word) for word in ("confirmed", "undecided", "refuted")]
        assert tally.measured == "{} confirmed, {} undecided, {} refuted".format(*counts)


def test_there_are_controls(verdict):
    names = [c.name for c in verdict.claims if c.name.startswith("control")]
    for part in ("−(h/4)", "equal number of steps", "another step of the Runge–Kutta"):
        assert any(part in name for name in names), part


def test_effects_shrink_with_the_step_size(verdict):
    """From the arrays themselves: half the step size, about half the change of the trace."""
    found = verdict.run.data["cross-entropy"].change("trace", level=0)[-1]
    ratio = found[1].mean() / found[0].mean()
    assert 1.7 < ratio < 2.4


def test_the_figure_has_six_panels(verdict):
    assert len(verdict.figure().axes) == 6


@pytest.mark.slow
def test_another_seed_holds():
    theorem, run = RegularizationOfNetworks(), Run(True, np.random.default_rng(1))
    other = Verdict(theorem, list(theorem.check(run)), run, 1, 0.0)
    assert other.passed, repr(other)


class TestOutcomes:
    QUANTITY = claims.QUANTITIES[0]

    def outcome(self, values, **options):
        tally = {1: []}
        claim = claims._prediction(self.QUANTITY, "here", np.array(values), "", tally, **options)
        return claim, tally[1][0]

    def test_all_three(self):
        assert self.outcome([-1.0, -1.1, -0.9, -1.0])[1] == "confirmed"
        assert self.outcome([-1.0, 1.1, -0.9, 1.0])[1] == "undecided"
        assert self.outcome([1.0, 1.1, 0.9, 1.0])[1] == "refuted"

    def test_only_what_is_refuted_fails(self):
        assert self.outcome([-1.0, 1.1, -0.9, 1.0])[0].passed
        assert not self.outcome([1.0, 1.1, 0.9, 1.0])[0].passed

    def test_a_strict_claim_must_be_confirmed(self):
        assert self.outcome([-1.0, -1.1, -0.9, -1.0], strict=True)[0].passed
        assert not self.outcome([-1.0, 1.1, -0.9, 1.0], strict=True)[0].passed

    def test_a_small_change_may_have_any_sign_but_not_any_size(self):
        claim, outcome = self.outcome([1e-3, 1.1e-3, 0.9e-3, 1e-3], small=0.5)
        assert claim.passed
        assert outcome == outcome_of(claim) == "refuted"
        assert not self.outcome([-1.0, -1.1, -0.9, -1.0], small=0.5)[0].passed

    def test_the_interval_is_that_of_student(self):
        values = np.random.default_rng(0).normal(1, 2, 9)
        mean, interval = claims.mean_change(values)
        expected = ttest_1samp(values, 0).confidence_interval(0.999)
        assert mean == pytest.approx(values.mean())
        assert interval == pytest.approx((expected.low, expected.high))

    @pytest.mark.parametrize("values", [[1.0, 2.0], [1.0, np.nan, 2.0]])
    def test_bad_samples_are_refused(self, values):
        with pytest.raises(ValueError, match="three finite values"):
            claims.mean_change(values)


@pytest.fixture(scope="module")
def network():
    split = digits(30, rng=5)
    shapes = [(64, 2), (2,), (2, 2), (2,), (2, 10), (10,)]
    sizes = [int(np.prod(shape)) for shape in shapes]
    rng = np.random.default_rng([5, 1])
    start = np.concatenate(
        [
            part
            for inputs, outputs in ((64, 2), (2, 2), (2, 10))
            for part in (
                rng.standard_normal((inputs, outputs)).ravel() / np.sqrt(inputs),
                np.zeros(outputs),
            )
        ]
    )

    def gradient(flat):
        parts = np.split(flat, np.cumsum(sizes)[:-1])
        W1, b1, W2, b2, W3, b3 = (part.reshape(shape) for part, shape in zip(parts, shapes, strict=True))
        first = np.tanh(split.x @ W1 + b1)
        second = np.tanh(first @ W2 + b2)
        delta3 = (softmax(second @ W3 + b3, axis=1) - np.eye(10)[split.y]) / 30
        delta2 = delta3 @ W3.T * (1 - second**2)
        delta1 = delta2 @ W2.T * (1 - first**2)
        slopes = [split.x.T @ delta1, delta1.sum(0), first.T @ delta2]
        slopes += [delta2.sum(0), second.T @ delta3, delta3.sum(0)]
        return np.concatenate([part.ravel() for part in slopes])

    return start, gradient


class TestDistances:
    """Against a network in NumPy: gradients by the chain rule, flows by SciPy."""

    def descent(self, network, h, steps):
        x, gradient = network
        for _ in range(steps):
            x = x - h * gradient(x)
        return x

    @pytest.mark.parametrize("reverse", [False, True])
    @pytest.mark.parametrize("order", [0, 1])
    def test_they_are_those_of_numpy_and_scipy(self, network, order, reverse):
        start, gradient = network
        h, steps = 0.1, 5

        def field(_, x):
            g = gradient(x)
            if order == 0:
                return -g
            product = (gradient(x + 1e-5 * g) - gradient(x - 1e-5 * g)) / 2e-5
            return -g - (-h if reverse else h) / 2 * product

        flow = solve_ivp(field, (0, h * steps), start, rtol=1e-11, atol=1e-13).y[:, -1]
        expected = np.linalg.norm(self.descent(network, h, steps) - flow)
        found = distances(
            [steps], order, time=h * steps, width=2, seed=5, images=30, reverse=reverse, flow_steps=64
        )
        assert found["distances"][0] == pytest.approx(expected, rel=1e-5)
        assert found["step_sizes"][0] == h

    def test_time_and_step_sizes_exclude_each_other(self):
        with pytest.raises(ValueError, match="give the time"):
            distances([5], 0)
        with pytest.raises(ValueError, match="give the time"):
            distances([5], 0, 1.0, step_sizes=[0.1])


def test_without_the_extra_it_is_named():
    script = "import sys; sys.modules['jax'] = None\nimport bea\nbea.verify('igr-networks', quick=True)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert 'needs JAX, which is not installed: pip install "bea[nets]"' in told.stderr


def test_a_network_is_compiled_once():
    assert classifier((64, 4, 10)) is classifier((64, 4, 10))
    with pytest.raises(ValueError, match="objective must be one of cross-entropy, squared-error"):
        classifier((64, 4, 10), "hinge")
