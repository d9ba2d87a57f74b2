"""The early-stopping window, its ends found again on the whole path of a plain loop."""

import numpy as np
import pytest
from plain_diagonal_descent import plain_descent

from bea.sparse import early_stopping_window, problem

# Orthogonal inputs: every weight goes its own way, towards its own target.
X = 2 * np.eye(4)
FOUND, LATE, LATE_NEGATIVE = [1.0, 2.0, 0.0, 0.0], 0.3, -0.3
SETTING = {"depth": 2, "alpha": 0.01, "step_size": 0.01}


def ends(path, w_star, alpha, depth, rule):
    """Both ends of the window by their definitions, on a table of all iterates."""
    on = np.asarray(w_star) != 0
    near = (abs(path - w_star)[:, on] < 0.1).all(axis=1)
    rest = path[:, ~on] if rule == "signed" else abs(path[:, ~on])
    large = (rest > alpha ** (depth / 4)).any(axis=1)
    return tuple(int(np.argmax(flags)) if flags.any() else None for flags in (near, large))


@pytest.mark.parametrize("rule", ["absolute", "signed"])
@pytest.mark.parametrize(("depth", "alpha"), [(2, 0.01), (3, 0.05), (4, 0.1)])
@pytest.mark.parametrize("seed", [1, 2])
def test_both_ends_are_those_of_the_definition(depth, alpha, rule, seed):
    data = problem(30, 40, signal=[1.0, -1.0], support=[4, 9], noise=0.4, rng=seed)
    _, _, w = plain_descent(data.X, data.y, depth, alpha, 0.02, 4000)
    window = early_stopping_window(
        data.X, data.y, data.w_star, depth=depth, alpha=alpha, step_size=0.02, steps=4000, rule=rule
    )
    assert (window.start, window.stop) == ends(w, data.w_star, alpha, depth, rule)
    assert window.start is not None
    assert window.threshold == pytest.approx(alpha ** (depth / 4))


def test_the_negative_weight_counts_for_the_absolute_rule_only():
    y = X @ [1.0, 2.0, LATE_NEGATIVE, 0.0]
    absolute = early_stopping_window(X, y, FOUND, **SETTING, steps=5000)
    signed = early_stopping_window(X, y, FOUND, **SETTING, steps=5000, rule="signed")
    assert absolute.stop > absolute.start
    assert absolute.width == absolute.stop - absolute.start
    assert (signed.start, signed.stop, signed.width) == (absolute.start, None, None)
    assert signed.steps_made == 5000
    assert absolute.steps_made == absolute.stop


def test_the_rest_may_grow_first():
    y = X @ [1.0, 2.0, 9.0, 0.0]
    window = early_stopping_window(X, y, FOUND, **SETTING, steps=5000)
    assert window.stop < window.start
    assert window.width < 0


def test_a_support_that_is_not_found_starts_no_window():
    y = X @ [1.0, 0.0, LATE, 0.0]
    window = early_stopping_window(X, y, FOUND, **SETTING, steps=3000)
    assert window.start is None
    assert window.stop is not None


def test_levels_of_ones_own():
    y = X @ [1.0, 2.0, LATE, 0.0]
    usual = early_stopping_window(X, y, FOUND, **SETTING, steps=5000)
    strict = early_stopping_window(X, y, FOUND, **SETTING, steps=5000, tolerance=0.01, threshold=0.2)
    assert strict.start > usual.start
    assert strict.stop > usual.stop


def test_no_sign():
    y = X @ [1.0, 2.0, LATE, 0.0]
    _, _, w = plain_descent(X, y, 2, 0.01, 0.01, 3000, signed=False)
    window = early_stopping_window(X, y, FOUND, **SETTING, steps=3000, signed=False)
    assert (window.start, window.stop) == ends(w, FOUND, 0.01, 2, "absolute")


def test_divergence_is_told():
    with pytest.warns(
        RuntimeWarning,
        match="at iterate .*; with step_size = .* 900 steps do not",
    ):
        window = early_stopping_window(X, X @ FOUND, FOUND, depth=3, alpha=0.5, step_size=50.0, steps=900)
    assert window.diverged_at <= 900


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"rule": "relative"}, ValueError, "rule must be one of absolute, signed, not 'relative'"),
        ({"w_star": [1, 1, 1, 1]}, ValueError, "entries that are zero and entries that are not"),
        ({"w_star": [0, 0, 0, 0]}, ValueError, "entries that are zero and entries that are not"),
        ({"w_star": [1, 0]}, ValueError, "X has 4 columns but w_star has 2 entries"),
        ({"y": [1, 2]}, ValueError, "X has 4 rows but y has 2 entries"),
        ({"alpha": 2}, ValueError, "bounds nothing for alpha = 2"),
        ({"alpha": [0.1, 0.2]}, TypeError, "must be one number"),
        ({"tolerance": 0}, ValueError, "tolerance must be positive"),
        ({"threshold": -1}, ValueError, "threshold must be positive"),
    ],
)
def test_bad_arguments(changed, error, message):
    good = {"X": X, "y": [1, 2, 3, 4], "w_star": FOUND, **SETTING, "steps": 3}
    with pytest.raises(error, match=message):
        early_stopping_window(**{**good, **changed})
