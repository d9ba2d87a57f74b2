"""The theorem of the principal flow, and what its check reports."""

import pytest

import bea


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("principal-flow", quick=True)


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)
    assert len(verdict.claims) >= 20


def test_orders_are_two_three_and_four(verdict):
    orders = {c.name: c for c in verdict.claims if "order of the" in c.name}
    assert orders["control: gradient flow: order of the one-step error"].predicted == 2
    assert orders["principal flow: order of the one-step error"].predicted == 3
    assert orders["control: modified flow through h²: order of the one-step error"].predicted == 4
    for claim in orders.values():
        assert claim.interval[0] <= claim.predicted <= claim.interval[1]
        assert abs(claim.measured - claim.predicted) < 0.05


def test_controls_are_there(verdict):
    assert sum(c.name.startswith("control:") for c in verdict.claims) >= 5


def test_the_same_seed_gives_the_same_claims(verdict):
    again = bea.verify("principal-flow", quick=True, rng=0)
    assert [c.measured for c in again.claims] == [c.measured for c in verdict.claims]
    assert bea.verify("principal-flow", quick=True, rng=1).passed


def test_the_figure_has_its_three_panels(verdict):
    assert len(verdict.figure().axes) == 3


@pytest.mark.slow
def test_the_full_check():
    full = bea.verify("principal-flow")
    assert full.passed, repr(full)
