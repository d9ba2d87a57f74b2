"""Compiled descent on diagonal networks against plain loops, exact numbers and the general iterates."""

import re

import mpmath
import numpy as np
import pytest
from plain_diagonal_descent import plain_descent

import bea
from bea.sparse import Problem, descend, descend_batch, problem

DATA = problem(30, 50, signal=[1.0, -2.0, 0.5], noise=0.3, rng=1)
TALL = problem(37, 9, signal=[1.0, -2.0, 0.5], noise=0.3, rng=2)
SETTINGS = [(2, 0.05, 0.02), (3, 0.2, 0.01), (5, 0.5, 0.005)]


def close(a, b, scale=1.0):
    return abs(np.asarray(a) - np.asarray(b)).max() <= 1e-11 * scale


@pytest.mark.parametrize("data", [DATA, TALL], ids=["wide", "tall"])
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(("depth", "alpha", "eta"), SETTINGS)
def test_it_follows_the_plain_loop(data, signed, depth, alpha, eta):
    chosen = [4, 0, 7]
    u, v, w = plain_descent(data.X, data.y, depth, alpha, eta, 200, signed)
    run = descend(
        data, depth=depth, alpha=alpha, step_size=eta, steps=200, signed=signed, record=20, coordinates=chosen
    )
    seen = w[run.t]
    assert run.success
    assert run.t[0] == 0
    assert run.t[-1] == 200
    assert close(run.w, w[-1])
    assert close(run.u, u[-1])
    assert (run.v is None) if not signed else close(run.v, v[-1])
    assert close(run.loss, ((seen @ data.X.T - data.y) ** 2).mean(axis=1), run.loss.max())
    assert close(run.l2_error, np.linalg.norm(seen - data.w_star, axis=1))
    on = data.w_star != 0
    assert close(run.support_error, abs(seen - data.w_star)[:, on].max(axis=1))
    assert close(run.off_support, abs(seen[:, ~on]).max(axis=1))
    assert close(run.off_support_signed, seen[:, ~on].max(axis=1))
    assert close(run.paths, seen[:, chosen])


@pytest.mark.parametrize("wrong", [{"depth": 2}, {"alpha": 0.21}, {"step_size": 0.005}])
def test_the_plain_loop_notices_another_setting(wrong):
    setting = {"depth": 3, "alpha": 0.2, "step_size": 0.01}
    _, _, w = plain_descent(DATA.X, DATA.y, *setting.values(), 200)
    assert not close(descend(DATA, **{**setting, **wrong}, steps=200).w, w[-1], 1e6)


def test_it_follows_exact_numbers():
    X, y = [[1, 2, -1], [3, 0.5, 2]], [1, 2]
    with mpmath.workdps(60):
        exact = [[mpmath.mpf(x) for x in row] for row in X], [mpmath.mpf(b) for b in y]
        _, _, w = plain_descent(*exact, 3, 0.25, mpmath.mpf(0.01), 400, number=mpmath.mpf)
        expected = w[-1].astype(float)
    run = descend(Problem(X, y), depth=3, alpha=0.25, step_size=0.01, steps=400)
    assert abs(run.w - expected).max() < 1e-13


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("depth", [2, 3])
def test_it_is_gradient_descent_on_the_loss(signed, depth):
    data = problem(3, 5, signal=[1.0, 2.0], rng=5)
    loss = bea.sparse.loss(data, depth, signed)
    run = descend(data, depth=depth, alpha=0.3, step_size=0.01, steps=1, signed=signed)
    path = bea.iterate(loss, bea.GradientDescent(), [0.3] * loss.dimension, 0.01, 1)
    state = np.concatenate([run.u, run.v]) if signed else run.u
    assert abs(path.x[-1] - state).max() < 1e-15
    assert abs(path.x[-1] - 0.3).max() > 1e-3
    assert loss(path.x[-1]) == pytest.approx(run.loss[-1], rel=1e-13)


def test_the_modified_loss_of_the_network():
    loss = bea.sparse.loss(Problem([[2]], [1]), depth=2, signed=False)
    u = loss.variables[0]
    assert (loss.expression - (2 * u**2 - 1) ** 2).expand() == 0
    term = bea.modified_equation(loss, bea.GradientDescent(), order=1).loss.terms[1]
    assert (term - (8 * u * (2 * u**2 - 1)) ** 2 / 4).expand() == 0


def test_the_initial_scale_is_a_power_of_alpha():
    one = descend(DATA, depth=3, alpha=0.1, step_size=0.01, steps=50)
    other = descend(DATA, depth=3, initial_scale=1e-3, step_size=0.01, steps=50)
    assert one.initial_scale == pytest.approx(1e-3)
    assert other.alpha == pytest.approx(0.1)
    assert close(one.w, other.w)
    assert not close(one.w, descend(DATA, depth=3, alpha=1e-3, step_size=0.01, steps=50).w)


class TestRecords:
    def test_chosen_iterates(self):
        run = descend(DATA, depth=2, alpha=0.1, step_size=0.01, steps=9, record=[7, 3, 3])
        assert run.t.tolist() == [3, 7]

    def test_linear_spacing(self):
        run = descend(DATA, depth=2, alpha=0.1, step_size=0.01, steps=9, record=4, spacing="linear")
        assert run.t.tolist() == [0, 3, 6, 9]

    def test_logarithmic_spacing(self):
        run = descend(DATA, depth=2, alpha=0.1, step_size=0.01, steps=1000, record=4)
        assert run.t.tolist() == [0, 1, 10, 100, 1000]

    def test_no_step(self):
        run = descend(DATA, depth=2, alpha=0.1, step_size=0.01, steps=0)
        assert run.t.tolist() == [0]
        assert run.loss[0] == pytest.approx((DATA.y**2).mean())

    def test_they_do_not_change_the_run(self):
        setting = {"depth": 3, "alpha": 0.1, "step_size": 0.01, "steps": 60}
        few, many = descend(DATA, record=[60], **setting), descend(DATA, record=range(61), **setting)
        assert np.array_equal(few.w, many.w)
        assert len(many.t) == 61

    def test_the_support_is_followed_by_default(self):
        run = descend(DATA, depth=2, alpha=0.1, step_size=0.01, steps=5)
        assert run.coordinates.tolist() == [0, 1, 2]
        assert run.paths.shape == (len(run.t), 3)

    def test_without_a_truth_there_is_a_loss_but_no_error(self):
        run = descend(Problem(DATA.X, DATA.y), depth=2, alpha=0.1, step_size=0.01, steps=5)
        assert np.isfinite(run.loss).all()
        with pytest.raises(ValueError, match="no w_star to compare with"):
            len(run.l2_error)

    def test_memory_does_not_grow_with_the_steps(self):
        run = descend(DATA, depth=2, alpha=0.1, step_size=0.001, steps=20_000, record=10)
        assert run.table.shape[0] <= 11


class TestBatch:
    ALPHAS = np.geomspace(0.01, 0.5, 7)
    ETAS = np.linspace(0.01, 0.02, 7)
    TARGETS = DATA.y + np.random.default_rng(3).standard_normal((7, DATA.n))

    def batch(self, members=slice(None), workers=None, **changed):
        setting = {
            "depth": 3,
            "alpha": self.ALPHAS[members],
            "step_size": self.ETAS[members],
            "targets": self.TARGETS[members],
            "steps": 100,
        }
        return descend_batch(DATA, workers=workers, **{**setting, **changed})

    def test_its_members_are_single_runs_up_to_rounding(self):
        runs = self.batch()
        for member in range(7):
            data = Problem(DATA.X, self.TARGETS[member], DATA.w_star)
            alpha, eta = self.ALPHAS[member], self.ETAS[member]
            one, run = descend(data, depth=3, alpha=alpha, step_size=eta, steps=100), runs[member]
            assert close(one.w, run.w)
            assert close(one.table, run.table, one.table.max())
            assert (run.alpha, run.step_size, run.diverged_at) == (alpha, eta, None)
        assert not close(runs.w[0], runs.w[1], 1e6)
        assert len(runs) == 7

    @pytest.mark.parametrize("workers", [2, 3, 8])
    def test_the_number_of_threads_changes_no_bit(self, workers):
        assert np.array_equal(self.batch(workers=workers).table, self.batch(workers=1).table)

    def test_its_company_changes_no_bit_of_a_member(self):
        whole = self.batch()
        assert np.array_equal(self.batch(slice(2, 4)).table, whole.table[2:4])
        assert np.array_equal(self.batch(slice(None, None, -1)).table, whole.table[::-1])

    def test_its_company_changes_no_bit_where_there_are_more_rows_than_columns(self):
        def run(alphas):
            return descend_batch(TALL, depth=3, alpha=alphas, step_size=0.01, steps=300)

        alphas = np.array([0.1, 0.2, 0.3, 0.15, 0.17])
        whole = run(alphas)
        for member in range(5):
            assert np.array_equal(run(alphas[[member]]).table[0], whole.table[member])

    def test_more_rows_than_columns(self):
        runs = descend_batch(TALL, depth=2, alpha=[0.1, 0.2], step_size=0.02, steps=50, record=[50])
        for alpha, run in zip((0.1, 0.2), runs, strict=True):
            w = plain_descent(TALL.X, TALL.y, 2, alpha, 0.02, 50)[2][-1]
            assert close(run.w, w)
            assert close(run.loss, ((TALL.X @ w - TALL.y) ** 2).mean())

    def test_a_member_that_diverges_leaves_the_others_alone(self):
        etas = self.ETAS.copy()
        etas[2] = 5.0
        with pytest.warns(RuntimeWarning, match=r"members \[2\] diverged"):
            runs = self.batch(step_size=etas)
        calm = self.batch()
        others = [0, 1, 3, 4, 5, 6]
        assert np.array_equal(runs.table[others], calm.table[others])
        end = runs.diverged_at[2]
        assert np.isnan(runs.table[2][runs.t >= end]).all()
        assert np.isfinite(runs[2].table).all()
        assert np.isfinite(runs.w).all()

    def test_members_must_agree_in_number(self):
        with pytest.raises(ValueError, match="members must agree in number; given are alpha 7, step_size 2"):
            self.batch(step_size=[0.1, 0.2])


class TestDivergence:
    def test_it_is_told_and_ends_before_it(self):
        with pytest.warns(RuntimeWarning, match="the iterates diverged: at iterate"):
            run = descend(DATA, depth=3, alpha=0.5, step_size=1.0, steps=1000, record=range(1001))
        with np.errstate(all="ignore"):
            _, _, w = plain_descent(DATA.X, DATA.y, 3, 0.5, 1.0, 30)
            squares = ((w @ DATA.X.T - DATA.y) ** 2).sum(axis=1)
        assert run.diverged_at == np.flatnonzero(~(squares <= 1e200))[0]
        assert run.t[-1] == run.diverged_at - 1
        assert not run.success
        assert np.isfinite(run.table).all()
        assert np.allclose(run.w, w[run.diverged_at - 1], rtol=1e-6)

    @pytest.mark.parametrize("data", [DATA, TALL], ids=["wide", "tall"])
    def test_the_step_size_that_is_named_works(self, data, recwarn):
        setting = {"depth": 3, "alpha": 0.1, "steps": 3000}
        run = descend(data, step_size=1.0, **setting)
        assert str(recwarn.pop().message) == run.message
        eta = float(re.search(r"with step_size = (\S+) 3000 steps do not diverge", run.message)[1])
        assert descend(data, step_size=eta, **setting).success
        assert not recwarn.list
        assert not descend(data, step_size=2 * eta, **setting).success  # the first of the halves that works

    def test_no_step_size_helps_a_start_that_is_too_large(self):
        with pytest.warns(RuntimeWarning, match="at iterate 0 .* no step size helps, since"):
            descend(Problem([[1.0]], [1e150]), depth=2, alpha=0.1, step_size=0.1, steps=5)

    def test_a_small_step_does_not_diverge(self, recwarn):
        assert descend(DATA, depth=3, alpha=0.5, step_size=0.01, steps=1000).success
        assert not recwarn.list


GOOD = {"depth": 2, "alpha": 0.1, "step_size": 0.01, "steps": 3}


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"alpha": None}, ValueError, "exactly one of alpha"),
        ({"initial_scale": 0.01}, ValueError, "exactly one of alpha"),
        ({"alpha": -1}, ValueError, "alpha must be positive, not -1"),
        ({"alpha": "0.1"}, TypeError, "alpha must be a number, not '0.1'"),
        ({"alpha": [0.1, 0.2]}, TypeError, "descend_batch takes several"),
        ({"alpha": 1e30}, ValueError, "must be below 1e50"),
        ({"signed": "no"}, TypeError, "signed must be True or False, not 'no'"),
        ({"depth": 0}, ValueError, "depth must be at least 1, not 0"),
        ({"depth": 1}, ValueError, "depth must be at least 2, not 1, for which w = u − v"),
        ({"depth": 2.5}, TypeError, "depth must be an integer, not float"),
        ({"step_size": 0}, ValueError, "step_size must be positive, not 0"),
        ({"step_size": float("nan")}, ValueError, "step_size must be finite, not nan"),
        ({"steps": -1}, ValueError, "steps must not be negative, not -1"),
        ({"steps": False}, TypeError, "steps must be an integer, not bool"),
        ({"steps": 1e3}, TypeError, "steps must be an integer, not float"),
        ({"record": [4]}, ValueError, "record must hold indices from 0 to 3"),
        ({"record": 0}, ValueError, "record must be at least 1"),
        ({"spacing": "cubic"}, ValueError, "spacing must be one of logarithmic, linear, not 'cubic'"),
        ({"coordinates": [50]}, ValueError, "coordinates must hold indices from 0 to 49"),
        ({"coordinates": [0.5]}, TypeError, "coordinates must be a sequence of integers"),
    ],
)
def test_bad_arguments(changed, error, message):
    with pytest.raises(error, match=message):
        descend(DATA, **{**GOOD, **changed})


def test_a_problem_is_asked_for():
    with pytest.raises(TypeError, match="problem must be a Problem, such as Problem"):
        descend((DATA.X, DATA.y), **GOOD)
    with pytest.raises(TypeError, match="problem must be a Problem, such as Problem"):
        bea.sparse.loss(DATA.X)
    with pytest.raises(TypeError, match="signed must be True or False, not 1"):
        bea.sparse.loss(DATA, signed=1)


def test_targets_need_an_entry_for_each_row():
    with pytest.raises(ValueError, match="targets must have 30 columns, one for each row of X, not 2"):
        descend_batch(DATA, targets=[[1, 2]], **GOOD)
