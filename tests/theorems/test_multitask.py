"""The theorem of two tasks in turn, and whether its controls could pass for the theorem."""

import numpy as np
import pytest

import bea
from bea.theorems import multitask


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("multitask", quick=True)


@pytest.mark.parametrize("seed", range(4))
def test_every_claim_holds(seed):
    verdict = bea.verify("multitask", quick=True, rng=seed)
    assert verdict.passed, repr(verdict)


def test_controls_exclude_what_the_theorem_claims(verdict):
    controls = [c for c in verdict.claims if c.name.startswith("control:")]
    assert [c.predicted for c in controls] == [2, 2, 2, 1, 1, 2]
    assert all(c.interval[1] < c.predicted + 1 for c in controls)


def test_the_bracket_grows_with_the_steps_on_a_task(verdict):
    factors = [c.measured for c in verdict.claims if c.name.endswith("factor of the bracket")]
    assert factors == ["1", "2", "3"]


def test_iterates_rest_where_newton_says():
    pair = multitask._Pair(["1", "1/2", "3/2", "1"])
    h = 0.02
    rest = multitask._rest_of_iterates(pair, np.array([0.6, 0.8]), h)
    gradients = [
        lambda a, b: np.array([(a * b - 0.5) * b, (a * b - 0.5) * a]),
        lambda a, b: np.array([1.5 * (1.5 * a - b), -(1.5 * a - b) + (b - 1)]),
    ]
    x = np.array([1.0, 0.5])
    for _ in range(4000):
        for gradient in gradients:
            x = x - h * gradient(*x)
    assert np.allclose(x, rest, atol=1e-12)


def test_the_figure_has_its_three_panels(verdict):
    assert len(verdict.figure().axes) == 3


@pytest.mark.slow
def test_the_full_check():
    full = bea.verify("multitask")
    assert full.passed, repr(full)
