"""The theorem of the drift in games, and whether its controls could pass for the theorem."""

import math

import numpy as np
import pytest

import bea
from bea.theorems import games


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("games", quick=True)


@pytest.mark.parametrize("seed", range(3))
def test_every_claim_holds(seed):
    verdict = bea.verify("games", quick=True, rng=seed)
    assert verdict.passed, repr(verdict)


def test_controls_exclude_what_the_theorem_claims(verdict):
    orders = [c for c in verdict.claims if c.name.startswith("control") and "order in h" in c.name]
    assert [c.predicted for c in orders] == [2, 2, 2, 2]
    assert all(c.interval[1] < 3 for c in orders)


def test_orders_are_two_three_four_for_both_plays(verdict):
    for play in ("simultaneous", "alternating"):
        found = [c.predicted for c in verdict.claims if c.name.startswith(f"{play}, through")]
        assert found == [2, 3, 4]


@pytest.mark.parametrize(("label", "degree"), [("simultaneous descent, h²", 1), ("Heun, h⁴/4", 2)])
def test_growth_is_that_of_the_stability_function(label, degree):
    h = 0.1
    R = sum((1j * h) ** k / math.factorial(k) for k in range(degree + 1))
    assert games.GROWTH[label][1](h) == pytest.approx(abs(R) ** 2 - 1, rel=1e-9)


def test_the_threshold_of_the_dirac_gan_by_a_plain_loop():
    """Below it a NumPy loop comes closer, above it moves away."""
    for factor, closer in ((0.9, True), (1.1, False)):
        h = 0.1 * factor
        theta, psi = 1e-3, 1e-3
        for _ in range(4000):
            theta, psi = theta - h * psi, psi + h * (theta - 0.1 * psi)
        assert (np.hypot(theta, psi) < 1e-3 * math.sqrt(2)) is np.bool_(closer)


def test_the_figure_has_its_three_panels(verdict):
    assert len(verdict.figure().axes) == 3


@pytest.mark.slow
def test_the_full_check():
    full = bea.verify("games")
    assert full.passed, repr(full)
