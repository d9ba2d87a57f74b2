"""What the network is compared with: the linear regime, ridge regression, the lasso; and the problems."""

import sys

import numpy as np
import pytest

from bea.sparse import (
    Problem,
    correlated,
    descend,
    gaussian,
    lasso,
    linear_path,
    linear_step_size,
    minimum_change,
    oracle_lasso,
    oracle_ridge,
    problem,
    rademacher,
)

WIDE = problem(20, 40, signal=[1.0, -2.0, 0.5], noise=0.3, rng=1)
TALL = problem(40, 8, signal=[1.0, -2.0, 0.5], noise=0.3, rng=2)


class TestLinearRegime:
    @pytest.mark.parametrize("data", [WIDE, TALL], ids=["wide", "tall"])
    @pytest.mark.parametrize("signed", [True, False])
    def test_the_closed_form_is_the_loop(self, data, signed):
        setting = {"depth": 3, "alpha": 2.0, "step_size": 1e-4, "signed": signed}
        gamma = (4 if signed else 2) * 9 * 1e-4 * 2.0**4
        assert linear_step_size(**setting) == pytest.approx(gamma)
        w = np.full(data.p, 0.0 if signed else 8.0)
        rows = [w]
        for _ in range(60):
            w = w - gamma * data.X.T @ (data.X @ w - data.y) / data.n
            rows.append(w)
        assert abs(linear_path(data, range(61), **setting) - rows).max() < 1e-11

    @pytest.mark.parametrize("data", [WIDE, TALL], ids=["wide", "tall"])
    def test_its_limit_changes_least(self, data):
        setting = {"depth": 2, "alpha": 3.0, "signed": False}
        limit = minimum_change(data, **setting)
        expected = 9.0 + np.linalg.pinv(data.X) @ (data.y - data.X @ np.full(data.p, 9.0))
        assert abs(limit - expected).max() < 1e-10
        far = linear_path(data, [10**7], **setting, step_size=1e-3)[0]
        assert abs(far - limit).max() < 1e-9

    @pytest.mark.parametrize("depth", [2, 3])
    def test_networks_come_near_as_the_start_grows(self, depth):
        distances = []
        for scale in (1e2, 1e3, 1e4):
            eta = 0.05 / (4 * depth**2 * scale ** (2 - 2 / depth))
            setting = {"depth": depth, "initial_scale": scale, "step_size": eta}
            run = descend(WIDE, steps=300, **setting)
            distances.append(abs(run.w - linear_path(WIDE, [300], **setting)[0]).max())
        assert distances[0] > 30 * distances[1] > 900 * distances[2]

    def test_a_small_start_is_another_regime(self):
        setting = {"depth": 2, "initial_scale": 1e-4, "step_size": 0.01}
        run = descend(WIDE, steps=2000, **setting)
        assert abs(run.w - linear_path(WIDE, [2000], **setting)[0]).max() > 0.1

    def test_a_step_that_is_too_large(self):
        with pytest.raises(ValueError, match="the linear descent diverges: its step size"):
            linear_path(WIDE, [1], depth=2, alpha=10.0, step_size=1.0)

    @pytest.mark.parametrize("t", [[-1], [0.5], 3])
    def test_bad_iterates(self, t):
        with pytest.raises(ValueError, match="t must be a sequence of integers"):
            linear_path(WIDE, t, depth=2, alpha=1.0, step_size=1e-4)

    def test_a_problem_is_asked_for(self):
        with pytest.raises(TypeError, match="problem must be a Problem"):
            minimum_change(WIDE.X, depth=2, alpha=1.0)


class TestOracles:
    @pytest.mark.parametrize("data", [WIDE, TALL], ids=["wide", "tall"])
    def test_ridge_solves_the_normal_equations(self, data):
        levels = np.geomspace(1e-3, 10, 9)
        best = oracle_ridge(data, levels)
        gram = data.X.T @ data.X / data.n
        estimates = [np.linalg.solve(gram + c * np.eye(data.p), data.X.T @ data.y / data.n) for c in levels]
        errors = [np.linalg.norm(w - data.w_star) for w in estimates]
        assert best.error == pytest.approx(min(errors))
        assert best.penalty == pytest.approx(levels[int(np.argmin(errors))])
        assert abs(best.w - estimates[int(np.argmin(errors))]).max() < 1e-10

    def test_ridge_on_inputs_that_are_all_zero(self):
        best = oracle_ridge(Problem(np.zeros((3, 2)), [1.0, 2.0, 3.0], [1.0, 0.0]))
        assert best.w.tolist() == [0, 0]
        assert best.error == 1

    @pytest.mark.parametrize("penalty", [0.01, 0.1, 1.0])
    @pytest.mark.parametrize("data", [WIDE, TALL], ids=["wide", "tall"])
    def test_the_lasso_meets_the_conditions_for_a_minimum(self, data, penalty):
        w = lasso(data, penalty)
        slope = data.X.T @ (data.y - data.X @ w) / data.n
        assert abs(slope).max() <= penalty * (1 + 1e-6)
        assert abs(slope - penalty * np.sign(w))[w != 0].max() < 1e-6
        assert (w != 0).any()

    def test_the_conditions_notice_another_penalty(self):
        w = lasso(WIDE, 0.1)
        slope = WIDE.X.T @ (WIDE.y - WIDE.X @ w) / WIDE.n
        assert abs(slope).max() > 0.099

    def test_the_lasso_shrinks_orthogonal_columns(self):
        Q = np.linalg.qr(gaussian(9, 4, rng=0))[0] * 3.0
        y = np.linspace(-2, 3, 9)
        z = Q.T @ y / 9
        assert abs(lasso(Problem(Q, y), 0.2) - np.sign(z) * np.maximum(abs(z) - 0.2, 0)).max() < 1e-8

    def test_the_oracle_takes_the_best_of_its_list(self):
        best = oracle_lasso(WIDE, [0.5, 0.05, 0.005])
        errors = {c: np.linalg.norm(lasso(WIDE, c) - WIDE.w_star) for c in (0.5, 0.05, 0.005)}
        assert best.penalty == min(errors, key=errors.get)
        # the oracle stops at a tolerance of 1e-6 in the gradient, which the inputs may magnify
        assert best.error == pytest.approx(min(errors.values()), rel=1e-4)

    def test_bad_arguments(self):
        with pytest.raises(ValueError, match="no w_star to compare with"):
            oracle_ridge(Problem(WIDE.X, WIDE.y))
        with pytest.raises(ValueError, match="penalties must be positive"):
            oracle_lasso(WIDE, [0.0])
        with pytest.raises(ValueError, match="penalty must be positive, not -1"):
            lasso(WIDE, -1)

    def test_without_scikit_learn_one_sentence_says_what_to_install(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "sklearn", None)
        with pytest.raises(ImportError, match=r'not installed: pip install "bea\[sparse\]"'):
            lasso(WIDE, 0.1)
        assert oracle_ridge(WIDE).error > 0


class TestProblems:
    def test_outputs_are_signal_and_noise(self):
        quiet, loud = problem(2000, 5, [1, 2], rng=4), problem(2000, 5, [1, 2], noise=0.5, rng=4)
        assert np.array_equal(quiet.X, loud.X)
        assert np.array_equal(quiet.y, quiet.X @ [1, 2, 0, 0, 0])
        # the standard deviation of 2000 draws, within four of its own standard errors
        assert np.std(loud.y - quiet.y) == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(4000))

    def test_the_seed_decides(self):
        assert np.array_equal(problem(5, 6, rng=1).y, problem(5, 6, rng=1).y)
        assert not np.array_equal(problem(5, 6, rng=1).y, problem(5, 6, rng=2).y)
        assert problem(5, 6, rng=1).seed == 1
        assert problem(5, 6, rng=np.random.default_rng(1)).seed is None

    def test_the_support_may_stand_anywhere(self):
        assert problem(3, 6, [1, 2], support=[5, 2]).w_star.tolist() == [0, 0, 2, 0, 0, 1]

    @pytest.mark.parametrize(
        ("design", "expected"),
        [
            (rademacher(40_000, 3), np.eye(3)),
            (gaussian(40_000, 3), np.eye(3)),
            (correlated(40_000, 3, correlation=-0.5), [[1, -0.5, 0.25], [-0.5, 1, -0.5], [0.25, -0.5, 1]]),
            (correlated(40_000, 3, 0, 0.3, "equicorrelated"), 0.7 * np.eye(3) + 0.3),
        ],
    )
    def test_designs_have_their_covariance(self, design, expected):
        # entries have standard errors of at most √(2/40000) = 0.007
        assert abs(design.T @ design / len(design) - expected).max() < 0.03

    def test_signs_are_signs(self):
        assert set(np.unique(rademacher(20, 20))) == {-1.0, 1.0}

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda: problem(3, 4, design="uniform"), ValueError, "design must be one of rademacher"),
            (lambda: problem(3, 4), ValueError, "signal has 5 entries, more than the p = 4 weights"),
            (lambda: problem(3, 9, noise=-1), ValueError, "noise must not be negative, not -1"),
            (lambda: problem(3, 9, noise="1"), TypeError, "noise must be a number, not '1'"),
            (lambda: problem(3, 9, [1, 2], support=[3, 3]), ValueError, "support must name 2 different"),
            (lambda: problem(3, 9, [1], support=[9]), ValueError, "support must hold indices from 0 to 8"),
            (lambda: problem(3, 9, correlation=0.5), TypeError, "the design 'rademacher' takes no correl"),
            (lambda: problem(0, 9), ValueError, "n must be at least 1, not 0"),
            (lambda: correlated(3, 4, kind="block"), ValueError, "kind must be one of autoregressive"),
            (lambda: correlated(3, 4, correlation=1.0), ValueError, r"must be in \(-1, 1\), not 1.0"),
            (lambda: correlated(3, 4, 0, -0.1, "equicorrelated"), ValueError, r"must be in \[0, 1\)"),
            (lambda: Problem([[1, np.nan]], [1]), ValueError, "X must be finite"),
            (lambda: Problem([[1, np.inf]], [1]), ValueError, r"X must be finite, but X\[0, 1\] is inf"),
            (lambda: Problem([[1, 2]], [np.nan]), ValueError, r"y must be finite, but y\[0\] is nan"),
            (lambda: Problem([[1, 2]], [1, 2]), ValueError, "X has 1 rows but y has 2 entries"),
            (lambda: Problem([1, 2], [1, 2]), ValueError, "X must be a matrix"),
        ],
    )
    def test_bad_arguments(self, call, error, message):
        with pytest.raises(error, match=message):
            call()
