"""The theorem of random shuffling, and whether its controls could pass for the theorem."""

from itertools import permutations

import numpy as np
import pytest
from flint import arb

import bea
from bea.theorems import shuffling


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("shuffling", quick=True)


@pytest.mark.parametrize("seed", range(4))
def test_every_claim_holds(seed):
    verdict = bea.verify("shuffling", quick=True, rng=seed)
    assert verdict.passed, repr(verdict)


def test_controls_exclude_what_the_theorem_claims(verdict):
    controls = [c for c in verdict.claims if c.name.startswith("control:")]
    assert len(controls) == 5
    for claim in controls[:-1]:
        assert claim.predicted == 2
        assert claim.interval[1] < 3
    assert controls[-1].interval[1] < 1


def test_the_experiment_tells_shuffling_from_replacement(verdict):
    seen = next(c for c in verdict.claims if c.name.startswith("random epochs"))
    low, high = seen.interval
    assert low < 1 < high
    assert low > 0.5


def test_the_same_seed_gives_the_same_claims(verdict):
    again = bea.verify("shuffling", quick=True, rng=0)
    assert [c.measured for c in again.claims] == [c.measured for c in verdict.claims]


def test_means_of_arrangements_are_means_over_all_orders():
    kinds = [((1, 2), 3), ((-1, 3), -4)]
    h = 1 / 64
    ends = []
    for order in permutations([0, 0, 1, 1]):
        x = np.ones(2)
        for k in order:
            row, y = np.array(kinds[k][0]), kinds[k][1]
            x = x - h * (row @ x - y) * row
        ends.append(x)
    mean = shuffling._mean_ends(kinds, 2, arb(1) / 64)[2]
    assert np.allclose([float(v) for v in mean], np.mean(ends, axis=0), rtol=1e-12)


def test_the_figure_has_its_three_panels(verdict):
    assert len(verdict.figure().axes) == 3


@pytest.mark.slow
def test_the_full_check():
    full = bea.verify("shuffling")
    assert full.passed, repr(full)
