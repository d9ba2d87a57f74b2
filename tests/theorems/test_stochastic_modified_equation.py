"""The theorem of stochastic modified equations, and what its check reports."""

from itertools import product

import numpy as np
import pytest
import sympy

import bea
from bea.theorems.stochastic_modified_equation import EXPERIMENT, START, _means_of_descent


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("stochastic-modified-equation", quick=True)


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)
    assert len(verdict.claims) >= 16


def test_weak_orders(verdict):
    orders = [c for c in verdict.claims if "weak order, φ of degree up to 2" in c.name]
    assert [c.predicted for c in orders] == [2, 1, 1, 1, 1, 0]
    for claim in orders:
        assert claim.interval[0] <= claim.predicted <= claim.interval[1]
        assert abs(claim.measured - claim.predicted) < 0.05


def test_controls_are_there(verdict):
    assert sum(c.name.startswith("control:") for c in verdict.claims) >= 6


def test_the_correction_does_not_mend_the_stationary_variance(verdict):
    claim = next(c for c in verdict.claims if "twice as much" in c.name)
    assert claim.measured == "η²*s²/4, η²*s²/2"


def test_means_are_over_all_sequences_of_minibatches():
    x = sympy.Symbol("x")
    slopes = [sympy.lambdify(x, sympy.sympify(text).diff(x)) for text in EXPERIMENT]
    ends = []
    for sequence in product(slopes, repeat=5):
        point = START
        for slope in sequence:
            point -= 0.1 * slope(point)
        ends.append(point)
    means = _means_of_descent(bea.LossSum(EXPERIMENT, "x"), 0.1, 5)
    assert means[-1] == pytest.approx(np.mean(ends), rel=1e-13)


def test_another_seed_holds_too():
    assert bea.verify("stochastic-modified-equation", quick=True, rng=1).passed


def test_the_figure_has_its_three_panels(verdict):
    assert len(verdict.figure().axes) == 3


@pytest.mark.slow
def test_the_full_check():
    full = bea.verify("stochastic-modified-equation")
    assert full.passed, repr(full)
