"""The theorem of implicit gradient regularization, and what its check reports."""

import json

import pytest

import bea
from bea.theorems import THEOREMS, get_theorem
from bea.theorems.claims import Claim, Theorem


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("igr", quick=True)


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)
    assert len(verdict.claims) >= 20


def test_the_published_limits_are_among_the_claims(verdict):
    measured = [c.measured for c in verdict.claims]
    assert "(0.28315, 2.11900)" in measured
    assert "(0.28361, 2.11562)" in measured


def test_orders_are_measured_with_intervals(verdict):
    orders = [c for c in verdict.claims if c.name.startswith(("one-step error", "error at time"))]
    assert [c.predicted for c in orders[:6]] == [2, 3, 4, 1, 2, 3]
    for claim in orders:
        low, high = claim.interval
        assert low <= claim.predicted <= high
        assert abs(claim.measured - claim.predicted) < 0.05


def test_controls_are_refuted_for_the_right_order(verdict):
    controls = [c for c in verdict.claims if c.name.startswith("control")]
    assert [c.predicted for c in controls] == [2, 2, 2, 3, 1]
    assert all(c.interval[1] < c.predicted + 1 for c in controls)


def test_the_same_seed_gives_the_same_claims(verdict):
    again = bea.verify("igr", quick=True, rng=0)
    assert [c.measured for c in again.claims] == [c.measured for c in verdict.claims]
    assert bea.verify("igr", quick=True, rng=1).claims[0].measured != verdict.claims[0].measured


def test_a_verdict_can_be_written_down(verdict):
    record = json.loads(json.dumps(verdict.to_dict()))
    assert record["passed"] is True
    assert record["seed"] == 0
    assert {"python", "numpy", "sympy", "numba", "bea"} <= set(record["versions"])


def test_the_figure_has_its_four_panels(verdict):
    figure = verdict.figure()
    assert len(figure.axes) >= 4


@pytest.mark.slow
def test_the_full_check_reaches_the_eighth_term():
    full = bea.verify("igr")
    assert full.passed, repr(full)
    assert any("h^8" in c.name for c in full.claims)


class Broken(Theorem):
    name, title, statement, references = "broken", "A theorem that does not hold", "1 = 2", ("nobody",)

    def check(self, run):
        yield Claim("one is one", 1, 1, passed=True)
        yield Claim("one is two", 2, 1, passed=False)


class Interrupted(Broken):
    def check(self, run):
        yield Claim("one is one", 1, 1, passed=True)
        raise KeyboardInterrupt


class TestRunningAnyTheorem:
    def run(self, monkeypatch, theorem, **arguments):
        monkeypatch.setitem(THEOREMS, "stub", f"{__name__}:{theorem}")
        return bea.verify("stub", **arguments)

    def test_a_false_claim_fails_the_verdict(self, monkeypatch):
        verdict = self.run(monkeypatch, "Broken")
        assert not verdict.passed
        assert "FAILS  one is two" in repr(verdict)

    def test_an_interruption_keeps_what_was_measured(self, monkeypatch):
        verdict = self.run(monkeypatch, "Interrupted")
        assert verdict.interrupted
        assert not verdict.passed
        assert [c.name for c in verdict.claims] == ["one is one"]

    def test_progress_sees_every_claim(self, monkeypatch):
        seen = []
        self.run(monkeypatch, "Broken", progress=seen.append)
        assert [c.name for c in seen] == ["one is one", "one is two"]


@pytest.mark.parametrize(("name", "error"), [("irg", ValueError), ("no such", ValueError), (3, TypeError)])
def test_unknown_theorems_are_refused(name, error):
    with pytest.raises(error, match=r"did you mean 'igr'|there are|by its name"):
        get_theorem(name)
