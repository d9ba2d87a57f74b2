"""The check of modified equations as B-series: it holds, and notices wrong coefficients."""

import json

import pytest
from sympy import Rational

import bea
from bea.series import FieldSeries, FlowSeries, RootedTree
from bea.theorems import bseries as module


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("bseries", quick=True)


def failures(verdict):
    return [claim.name for claim in verdict.claims if not claim.passed]


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)
    assert len(verdict.claims) >= 30
    assert sum(claim.name.startswith("control") for claim in verdict.claims) >= 6


def test_the_published_coefficients_are_among_the_claims(verdict):
    measured = {claim.name: claim.measured for claim in verdict.claims}
    assert measured["explicit-euler: coefficients of order 4"] == "−1/4, −1/6, −1/12, 0"
    assert measured["explicit-midpoint: coefficients of order 4"] == "1/8, 1/8, 0, 0"
    assert measured["explicit-euler: the modified equation of ẏ = y²"] == "1, −1, 3/2, −8/3, 31/6, −157/15"


def test_another_seed_holds_as_well(verdict):
    other = bea.verify("bseries", quick=True, rng=5)
    assert other.passed, repr(other)
    assert [claim.name for claim in other.claims] == [claim.name for claim in verdict.claims]


def test_the_verdict_can_be_written_down(verdict):
    assert json.loads(json.dumps(verdict.to_dict()))["passed"] is True


def test_the_figure_shows_the_coefficients_of_euler(verdict):
    (ax,) = verdict.figure().axes
    shown = [text.get_text() for text in ax.texts]
    assert {"−1/2", "1/3", "1/6", "−1/4", "−1/12"} <= set(shown)


def tampered(build, tree):
    """`build`, a thousandth off at one tree."""

    def wrong(scheme, order=6):
        series = build(scheme, order)
        return (
            FlowSeries({**series, tree: series[tree] + Rational(1, 1000)}) if order >= tree.order else series
        )

    return wrong


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        ([1, 2, 3, 2], "explicit-euler: coefficients of order 4"),
        ([1, 2, 2, 2, 2], "explicit-euler: at bushy trees the Bernoulli numbers"),
        ([1, 2, 3, 4, 5], "explicit-euler: at tall trees the coefficients of log(1 + x)"),
        ([1, 2, 3], "α = 1/3: a gradient for every loss through power of h"),
        ([1, 2, 2], "rk4: lowest order with a correction"),
        ([1, 2, 2], "rk4: terms in which the sum over trees equals the Lie series"),
        ([1, 2, 3, 3], "Gauss of order 4: symplectic through order"),
    ],
)
def test_a_wrong_coefficient_fails(monkeypatch, levels, expected):
    monkeypatch.setattr(module, "bseries", tampered(module.bseries, RootedTree(levels)))
    verdict = bea.verify("bseries", quick=True)
    assert not verdict.passed
    assert expected in failures(verdict)


def test_a_wrong_logarithm_fails(monkeypatch):
    """Twice the coefficients of order 2: neither the group nor any method is left as it was."""
    right = FlowSeries.log

    def wrong(series):
        modified = right(series)
        tree = RootedTree([1, 2])
        return FieldSeries({**modified, tree: 2 * modified[tree]}) if series.colours == 1 else modified

    monkeypatch.setattr(FlowSeries, "log", wrong)
    verdict = bea.verify("bseries", quick=True)
    assert {"log exp b = b", "exp log s = s"} <= set(failures(verdict))
    assert "explicit-euler: the modified equation of ẏ = y²" in failures(verdict)
