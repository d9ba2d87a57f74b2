"""The theorem of Adam: its claims, and the sign of the bias in iterates written here in mpmath."""

import mpmath
import pytest

import bea


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("adam", quick=True)


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)
    assert len(verdict.claims) >= 35


def test_controls_are_refuted(verdict):
    controls = [c for c in verdict.claims if c.name.startswith("control")]
    assert len(controls) == 8
    assert all(c.interval[1] < c.predicted + 1 for c in controls if c.interval)


def test_the_figure_has_three_panels(verdict):
    assert len(verdict.figure().axes) == 3


@pytest.mark.parametrize(("eps", "sign"), [("1/1000", -1), ("1.3", -1), ("1.4", 1), ("1000", 1)])
def test_the_sign_is_seen_in_iterates_written_here(eps, sign):
    """E = x²/2, β₁ = ½, β₂ = ¾: second differences of settled iterates near x = 1."""
    with mpmath.workdps(80):
        h, e = mpmath.mpf(10) ** -12, mpmath.mpf(bea.Loss(f"({eps})*x", "x").gradient[0].evalf(80))
        x, m, v, path = mpmath.mpf(1), mpmath.mpf(0), mpmath.mpf(0), []
        for _ in range(600):
            m, v = m / 2 - x / 2, 3 * v / 4 + x**2 / 4
            path.append(x := x + h * m / mpmath.sqrt(v + e))
        x, first, second = path[-4:-1]
        field = ((first - x) - (second - 2 * first + x) / 2) / h
        bias = -(field + x / mpmath.sqrt(x**2 + e)) / h
        assert mpmath.sign(bias) == sign


@pytest.mark.slow
def test_the_full_check_holds():
    full = bea.verify("adam")
    assert full.passed, repr(full)
