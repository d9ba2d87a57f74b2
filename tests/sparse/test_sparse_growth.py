"""The growth law against a solver of differential equations and against measured iterates."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from bea.sparse import Problem, descend, exit_time, growth, growth_rate, growth_time, minimax_rate

DEPTHS = [1, 2, 3, 4, 7]


@pytest.mark.parametrize("depth", DEPTHS)
def test_it_solves_the_differential_equation(depth):
    setting = {"residual": 0.7, "depth": depth, "step_size": 0.003}
    start, end = 1e-4, 0.5

    def reached(t, w):
        return w[0] - end

    reached.terminal = True
    solution = solve_ivp(
        lambda t, w: 2 * depth**2 * 0.003 * 0.7 * abs(w) ** (2 - 2 / depth),
        (0, 1e7),
        [start],
        events=reached,
        method="DOP853",
        rtol=1e-11,
        atol=1e-16,
    )
    duration = solution.t_events[0][0]
    assert growth_time(start, end, **setting) == pytest.approx(duration, rel=1e-8)
    assert growth(duration, start, **setting) == pytest.approx(end, rel=1e-6)
    assert growth_rate(end, **setting) == pytest.approx(2 * depth**2 * 0.0021 * end ** (2 - 2 / depth))


@pytest.mark.parametrize("depth", [2, 3, 4, 5])
def test_measured_iterates_obey_it(depth):
    # One weight under the residual w − 100, which stands still as long as w is small.
    eta = {1: 1e-7, 2: 1e-5, 3: 1e-4, 4: 2e-5, 5: 1e-5}[depth]
    law = {"residual": 100.0, "depth": depth, "step_size": eta}
    start, end = 1e-6, 0.1
    predicted = float(growth_time(start, end, **law))
    run = descend(
        Problem([[1.0]], [100.0]),
        depth=depth,
        initial_scale=start,
        step_size=eta,
        steps=round(1.03 * predicted),
        signed=False,
        record=range(round(1.03 * predicted) + 1),
        coordinates=[0],
    )
    measured = int(np.argmax(run.paths[:, 0] >= end))
    assert measured == pytest.approx(predicted, rel=0.02)
    # negative control: the law of the next depth says something else
    assert growth_time(start, end, **{**law, "depth": depth + 1}) != pytest.approx(measured, rel=0.02)


def test_times_in_closed_form():
    law = {"residual": 0.1, "step_size": 0.01}
    assert growth_time(1e-4, 1e-1, depth=2, **law) == pytest.approx(np.log(1e3) / (8 * 0.01 * 0.1))
    for N in (3, 4, 5):
        q = (N - 2) / N
        expected = ((1e-4) ** -q - (1e-1) ** -q) / (2 * N * (N - 2) * 0.01 * 0.1)
        assert growth_time(1e-4, 1e-1, depth=N, **law) == pytest.approx(expected)


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_the_exit_time_is_a_growth_time(depth):
    law = {"residual": 0.1, "step_size": 0.01, "depth": depth}
    time = exit_time(alpha=0.005, **law)
    assert time == pytest.approx(growth_time(0.005**depth, 0.005 ** (depth / 4), **law))
    assert time == pytest.approx(exit_time(initial_scale=0.005**depth, **law))
    assert exit_time(alpha=0.001, **law) > time


def test_the_exit_is_later_in_deeper_networks():
    times = [exit_time(alpha=0.005, depth=N, residual=0.1, step_size=0.01) for N in (2, 3, 4)]
    assert times == sorted(times)


def test_it_runs_away_in_finite_time_for_depths_above_two():
    law = {"residual": 1.0, "depth": 4, "step_size": 0.01}
    end = float(growth_time(1e-4, 1e12, **law))
    assert np.isfinite(growth(0.9 * end, 1e-4, **law))
    assert growth(1.1 * end, 1e-4, **law) == np.inf


def test_the_minimax_rate():
    assert minimax_rate(5, 3000, 500, 0.5) == pytest.approx(5 * 0.25 * np.log(3000) / 500)
    assert minimax_rate(5, 3000, 500, 0.0) == 0


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda law: growth_rate(-1, **law), ValueError, "w must be positive and finite, not -1"),
        (lambda law: growth_time(0, 1, **law), ValueError, "start must be positive"),
        (lambda law: growth(1, 0.0, **law), ValueError, "start must be positive"),
        (lambda law: growth([1, np.nan], 0.1, **law), ValueError, "t must be finite"),
        (lambda law: growth_rate(1, **{**law, "depth": 0}), ValueError, "depth must be at least 1"),
        (lambda law: growth_rate(1, **{**law, "residual": 0}), ValueError, "residual must be positive"),
        (lambda law: exit_time(alpha=1.5, **law), ValueError, "alpha must be below 1, not 1.5"),
        (lambda law: exit_time(alpha=1e-110, **law), ValueError, "alpha = 1e-110 is so small"),
        (lambda law: exit_time(**law), ValueError, "exactly one of alpha"),
        (lambda law: minimax_rate(5, 3, 10, 1.0), ValueError, "k must be at most p = 3, not 5"),
    ],
)
def test_bad_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call({"residual": 1.0, "depth": 3, "step_size": 0.01})
