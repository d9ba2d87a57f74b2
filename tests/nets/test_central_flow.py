"""The central flow against SciPy on losses whose sharpness is known in closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from bea.nets.central import central_flow

STEP = 0.8
EDGE = 2 / STEP
START = (0.0, -0.6, -0.5)
TIME = 6.0
#: Where the path enters and leaves the edge within a step of 0.01, it is off by the square of this step.
NEAR = 1e-4


def valley(w):
    """x² s/2 + V with s = 2 + z − y² and V = (z − 0.9)²/2 − 0.3y: at x = 0 the sharpness is s."""
    x, y, z = w
    return x**2 * (2 + z - y**2) / 2 + (z - 0.9) ** 2 / 2 - 0.3 * y


def slope_of_valley(y, z):
    return np.array([-0.3, z - 0.9])


def by_hand(time):
    """(y, z) at a time, and when the edge is reached and left, with the constraint solved by hand."""

    def free(_, w):
        return -slope_of_valley(*w)

    def multiplier(w):
        normal = np.array([-2 * w[0], 1.0])
        return -2 * normal @ slope_of_valley(*w) / (normal @ normal)

    def held(_, w):
        return -slope_of_valley(*w) - multiplier(w) / 2 * np.array([-2 * w[0], 1.0])

    def reaches(_, w):
        return 2 + w[1] - w[0] ** 2 - EDGE

    def leaves(_, w):
        return multiplier(w)

    reaches.terminal = leaves.terminal = True
    accuracy = {"rtol": 1e-11, "atol": 1e-12}
    first = solve_ivp(free, (0, time), START[1:], events=reaches, **accuracy)
    second = solve_ivp(held, (first.t[-1], time), first.y[:, -1], events=leaves, **accuracy)
    third = solve_ivp(free, (second.t[-1], time), second.y[:, -1], **accuracy)
    return third.y[:, -1], first.t[-1], second.t[-1]


def follow(loss=valley, start=START, **options):
    with jax.enable_x64(True):
        path = central_flow(loss, jnp.array(start), STEP, TIME, record=lambda w: w, **options)
        return path, np.asarray(path.params)


def test_enters_and_leaves_the_edge_as_by_hand():
    end, enters, leaves = by_hand(TIME)
    assert 0 < enters < leaves < TIME
    path, params = follow(steps=600)
    assert path.success
    assert params == pytest.approx([0, *end], abs=NEAR)
    ((first, last),) = path.edge
    assert first == pytest.approx(enters, abs=0.02)
    assert last == pytest.approx(leaves, abs=0.02)
    on_edge = path.variance > 0
    assert path.sharpness[on_edge] == pytest.approx(EDGE, rel=1e-8)
    assert path.sharpness.max() < EDGE * (1 + 1e-8)


def test_the_gradient_flow_ends_elsewhere():
    end, *_ = by_hand(TIME)
    free = solve_ivp(lambda _, w: -slope_of_valley(*w), (0, TIME / 2), START[1:], rtol=1e-9).y[:, -1]
    half, *_ = by_hand(TIME / 2)
    assert np.linalg.norm(free - half) > 0.05
    assert np.isfinite(end).all()


def test_the_error_is_of_the_square_of_the_step():
    end, *_ = by_hand(TIME)
    for steps in (30, 120, 480):
        assert abs(follow(steps=steps)[1][1:] - end).max() < (TIME / steps) ** 2


def test_many_parameters_by_hessian_products():
    """The same loss, turned in 40 dimensions: beyond 32 no Hessian is formed."""
    rotation = np.linalg.qr(np.random.default_rng(0).standard_normal((40, 40)))[0]

    def turned(params):
        w = rotation @ jnp.concatenate([params["a"].ravel(), params["b"]])
        return valley(w[:3]) + 0.1 * jnp.sum(w[3:] ** 2)

    start = rotation.T @ np.concatenate([START, np.zeros(37)])
    end, *_ = by_hand(TIME)
    with jax.enable_x64(True):
        params = {"a": jnp.array(start[:24]).reshape(4, 6), "b": jnp.array(start[24:])}
        path = central_flow(turned, params, STEP, TIME, steps=600)
        found = rotation @ np.concatenate([np.ravel(path.params["a"]), path.params["b"]])
    assert found[:3] == pytest.approx([0, *end], abs=NEAR)
    assert abs(found[3:]).max() < 1e-8
    assert path.params["a"].shape == (4, 6)


def test_the_variance_is_that_of_descent():
    """E = x² (1 + y/10)/2 + (y − 20)²/200000 with h = 1: means over 20000 steps of descent."""
    h, steps = 1.0, 20_000
    w = np.array([0.03, 10.0])
    xs, ys = np.empty(steps), np.empty(steps)
    for n in range(steps):
        xs[n], ys[n] = x, y = w
        w = w - h * np.array([x * (1 + y / 10), x**2 / 20 + (y - 20) / 100_000])

    def loss(w):
        return w[0] ** 2 * (1 + w[1] / 10) / 2 + (w[1] - 20) ** 2 / 200_000

    with jax.enable_x64(True):
        path = central_flow(loss, jnp.array([0.0, 9.999]), h, 40.0)
    assert float(path.params[1]) == pytest.approx(10)
    assert path.variance[-1] == pytest.approx(0.002)
    assert np.mean(xs**2) == pytest.approx(path.variance[-1], rel=0.03)
    assert np.mean(ys) == pytest.approx(10, rel=1e-3)


def test_a_second_eigenvalue_ends_it():
    def twice(w):
        return (
            (w[0] ** 2 * (1 + w[2]) + w[1] ** 2 * (0.5 + 1.2 * w[2] - 0.2 * w[3])) / 2
            + (w[2] - 4) ** 2 / 8
            + w[3] / 20
        )

    with jax.enable_x64(True), pytest.warns(RuntimeWarning, match="second eigenvalue"):
        path = central_flow(twice, jnp.array([0.0, 0.0, 0.5, -0.5]), STEP, 20.0, record=lambda w: w)
    assert not path.success
    assert 0 < path.t[-1] < 20
    assert len(path.t) == len(path.loss) == len(path.record)
    assert path.second[-1] > 0.995 * EDGE
    assert path.record[-1] == pytest.approx(path.params)


def test_bad_input_is_refused_in_one_sentence():
    start = jnp.array(START)
    with pytest.raises(ValueError, match="at most 2/h"):
        central_flow(valley, start, 5.0, 1.0)
    with pytest.raises(ValueError, match="h must be a positive number"):
        central_flow(valley, start, -1.0, 1.0)
    with pytest.raises(ValueError, match="steps must be an integer"):
        central_flow(valley, start, STEP, 1.0, steps=0)
    with pytest.raises(TypeError, match="function"):
        central_flow(3, start, STEP, 1.0)
