"""The theorem of momentum: its claims, against iterates and eigenvalues computed here in plain NumPy."""

import numpy as np
import pytest
import sympy

import bea
from bea.theorems.measured import exact_claim, extrapolated, limit_claim, order_claim


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("momentum", quick=True)


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)
    assert len(verdict.claims) >= 40


def test_controls_are_refuted(verdict):
    controls = [c for c in verdict.claims if c.name.startswith("control")]
    assert [c.predicted for c in controls] == [2, 2, 2, 1, 1, 1, 1]
    assert all(c.interval[1] < c.predicted + 1 for c in controls)


def test_the_figure_has_four_panels(verdict):
    assert len(verdict.figure().axes) == 4


@pytest.mark.parametrize(("nesterov", "multiple"), [(False, 3.0), (True, 2.0)])
def test_the_multiple_is_seen_in_iterates_written_here(verdict, nesterov, multiple):
    """β = ½: the change of a² − b² on the way to ab = 0.6, against that of gradient descent."""

    def change(beta, h):
        x = np.array([1.5, 2.0])
        v = -h * (x[0] * x[1] - 0.6) * x[::-1] / (1 - beta)
        for _ in range(round(20 / h)):
            at = x + beta * v if nesterov else x
            v = beta * v - h * (at[0] * at[1] - 0.6) * at[::-1]
            x = x + v
        return x[0] ** 2 - x[1] ** 2 + 1.75

    ratios = [change(0.5, h / 2) / change(0.0, h) for h in (0.004, 0.002)]
    assert 2 * ratios[1] - ratios[0] == pytest.approx(multiple, rel=0.01)
    claims = [c for c in verdict.claims if "as a multiple of" in c.name]
    assert claims[nesterov].measured == pytest.approx(multiple, rel=1e-3)


@pytest.mark.slow
def test_the_full_check_holds():
    full = bea.verify("momentum")
    assert full.passed, repr(full)


class TestFormsOfClaims:
    def test_a_limit_is_extrapolated(self):
        value, (low, high) = extrapolated([np.exp(h) for h in (0.1, 0.05, 0.025, 0.0125, 0.00625)])
        assert value == pytest.approx(1, abs=1e-7)
        assert low < 1 < high

    def test_control_a_wrong_limit_fails(self):
        values = [np.exp(h) for h in (0.1, 0.05, 0.025, 0.0125)]
        assert limit_claim("right", 1, values, "").passed
        assert not limit_claim("wrong", 1.01, values, "").passed

    def test_two_values_are_too_few(self):
        with pytest.raises(ValueError, match="three values or more, not from 2"):
            extrapolated([1.0, 2.0])

    def test_control_a_wrong_order_fails(self):
        h = np.geomspace(0.001, 0.02, 8)
        assert order_claim("right", 2, h, h**2 * (1 + h)).passed
        assert not order_claim("wrong", 3, h, h**2 * (1 + h)).passed

    def test_exact_claims_know_square_roots(self):
        g, e = sympy.symbols("g e")
        root = sympy.sqrt(g**2 + e)
        assert exact_claim("zero", root**3 - (g**2 + e) * root, "").passed
        assert exact_claim("zero", 1 / (root + 1) - (root - 1) / (g**2 + e - 1), "").passed
        assert not exact_claim("not zero", root - g, "").passed
        assert exact_claim("not zero", [0, root - g], "", vanishes=False).passed
