"""The fit of orders: coverage of its intervals on random error models, and what it refuses."""

import numpy as np
import pytest
from flint import arb, ctx

from bea.theorems.fit import fit_order


def random_errors(rng, h):
    """C h^p (1 + c₁h + c₂h² + …) with normal c_k, times noise that may be none."""
    p = int(rng.integers(1, 11))
    while True:
        tail = 1 + sum(rng.normal() * h**k for k in range(1, 9))
        if tail.min() > 0.05:
            break
    noise = rng.choice([0, 1e-6, 1e-3]) * rng.normal(size=len(h))
    return p, np.exp(rng.normal() + noise) * h**p * tail


def line_interval(h, errors):
    """The usual straight line in log–log coordinates with its Student interval."""
    from scipy.stats import linregress, t

    fit = linregress(np.log(h), np.log(errors))
    half_width = t.ppf(0.975, len(h) - 2) * fit.stderr
    return fit.slope - half_width, fit.slope + half_width


@pytest.mark.parametrize(
    ("count", "span", "largest"), [(8, 12, 0.1), (8, 12, 0.3), (5, 10, 0.3), (12, 30, 0.3)]
)
def test_intervals_cover_the_order(count, span, largest):
    """95 % intervals cover in at least 99.5 % of 1000 random models; a straight line's do not."""
    rng = np.random.default_rng(2024)
    h = largest * np.geomspace(1 / span, 1, count)
    covered = by_line = neighbours_excluded = 0
    for _ in range(1000):
        p, errors = random_errors(rng, h)
        fit = fit_order(h, errors)
        covered += not fit.excludes(p)
        neighbours_excluded += fit.excludes(p - 1) and fit.excludes(p + 1)
        low, high = line_interval(h, errors)
        by_line += low <= p <= high
    assert covered >= 995
    assert neighbours_excluded >= 950
    assert by_line < 600, "control: a straight line alone is biased"


def test_confidence_widens_the_interval():
    h = np.geomspace(0.01, 0.1, 8)
    errors = h**2 * (1 + 0.01 * np.cos(40 * np.log(h)))
    widths = [np.ptp(fit_order(h, errors, confidence).interval) for confidence in (0.5, 0.95, 0.999)]
    assert widths == sorted(widths)
    assert widths[0] < widths[2]


def test_errors_that_are_all_off_alike():
    """A constant offset of 2⁻¹⁶ of the smallest error biases the exponent, and `accuracy` owns up to it."""
    h = np.geomspace(1e-6, 1e-5, 8)
    errors = h * (1 + 2.0**-16 * h[0] / h)
    assert fit_order(h, errors).excludes(1), "control: the scatter does not show it"
    assert not fit_order(h, errors, accuracy=2.0**-16).excludes(1)


def test_exact_powers():
    h = np.geomspace(1e-3, 1e-1, 6)
    fit = fit_order(h, 3 * h**4)
    assert fit.value == pytest.approx(4, abs=1e-10)
    assert fit.coefficients == pytest.approx((np.log(3), 4, 0, 0), abs=1e-7)


def test_coefficients_describe_the_errors():
    h = np.geomspace(1e-2, 0.2, 9)
    errors = 0.3 * h**2 * np.exp(1.5 * h - 2 * h**2)
    assert fit_order(h, errors).coefficients == pytest.approx((np.log(0.3), 2, 1.5, -2), abs=1e-8)


def test_errors_far_below_the_range_of_floats():
    h = [2.0**-k for k in range(20, 26)]
    with ctx.workprec(100):
        errors = [7 * arb(size) ** 80 * (1 + arb(size)) for size in h]
    assert float(errors[-1]) == 0
    assert fit_order(h, errors).value == pytest.approx(80, abs=1e-6)


H = [0.1, 0.05, 0.03, 0.02, 0.01]


@pytest.mark.parametrize(
    ("step_sizes", "errors", "confidence", "sentence"),
    [
        (H[:4], [1] * 4, 0.95, "at least 5 distinct step sizes that span a decade"),
        ([0.1, 0.09, 0.08, 0.07, 0.06], [1] * 5, 0.95, "at least 5 distinct step sizes that span a decade"),
        ([*H[:4], H[3]], [1] * 5, 0.95, "at least 5 distinct step sizes"),
        ([*H[:4], 0.0], [1] * 5, 0.95, "step sizes must be positive and finite"),
        ([*H[:4], np.inf], [1] * 5, 0.95, "step sizes must be positive and finite"),
        (H, [1] * 4, 0.95, "one error for each step size, not 4 for 5"),
        (H, [1, 1, 1, 1, 0.0], 0.95, "the error at h = 0.01 is exactly zero"),
        (H, [1, 1, arb(0), 1, 1], 0.95, "the error at h = 0.03 is exactly zero"),
        (H, [1, 1, 1, 1, -1], 0.95, "errors must be positive and finite, but at h = 0.01 it is -1"),
        (H, [1, 1, 1, 1, np.nan], 0.95, "errors must be positive and finite, but at h = 0.01 it is nan"),
        (H, [1, arb("nan"), 1, 1, 1], 0.95, "errors must be positive and finite, but at h = 0.05"),
        (H, [1] * 5, 95, "confidence must lie between 0 and 1, not 95"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(step_sizes, errors, confidence, sentence):
    with pytest.raises(ValueError, match=sentence):
        fit_order(step_sizes, errors, confidence)
