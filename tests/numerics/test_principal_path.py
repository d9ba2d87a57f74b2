"""Solutions of the principal flow, against iterates of descent."""

import numpy as np
import pytest

import bea

LOSS = bea.Loss("x**2 + x*y + 2*y**2", variables="x y")
HESSIAN = np.array([[2.0, 1.0], [1.0, 4.0]])


@pytest.mark.parametrize("h", [0.1, 0.3, 0.5, 0.7])
def test_it_passes_through_all_iterates_on_a_quadratic(h):
    times = h * np.arange(7)
    solution = bea.principal_path(LOSS, [1.0, 2.0], h, (0, 6 * h), t_eval=times)
    expected = np.array([np.linalg.matrix_power(np.eye(2) - h * HESSIAN, n) @ [1.0, 2.0] for n in range(7)]).T
    assert solution.success
    assert np.allclose(solution.y, expected, atol=1e-8)
    largest = np.linalg.eigvalsh(HESSIAN)[-1]
    half = bea.principal_path(LOSS, [1.0, 2.0], h, (0, h / 2)).y[:, -1]
    assert (np.abs(half.imag).max() > 0) == (h * largest > 1)


def test_the_gradient_flow_does_not():
    end = bea.flow(LOSS, [1.0, 2.0], (0, 0.3)).y[:, -1]
    assert np.abs(end - (np.eye(2) - 0.3 * HESSIAN) @ [1.0, 2.0]).max() > 0.1


def test_it_runs_backward():
    there = bea.principal_path(LOSS, [1.0, 2.0], 0.1, (0, 0.5)).y[:, -1]
    back = bea.principal_path(LOSS, there, 0.1, (0.5, 0), t_eval=[0.5, 0.2, 0.0])
    assert back.t.tolist() == [0.5, 0.2, 0.0]
    assert np.allclose(back.y[:, -1], [1.0, 2.0], atol=1e-8)


def test_one_step_on_another_loss_is_missed_by_the_third_power():
    loss = bea.Loss("x**4/4", variables="x")
    errors = []
    for h in (0.02, 0.01):
        end = bea.principal_path(loss, [1.0], h, (0, h), rtol=1e-13, atol=1e-15).y[0, -1]
        errors.append(abs(end - (1 - h)))
    assert errors[0] / errors[1] == pytest.approx(8, rel=0.1)
    assert errors[1] == pytest.approx(6 * 0.01**3 / 12, rel=0.1)


def test_divergence_is_reported():
    with pytest.warns(RuntimeWarning, match="diverges"):
        result = bea.principal_path(bea.Loss("x**2/2", variables="x"), [1.0], 3.0, (0, 3000))
    assert not result.success
    assert np.isfinite(result.y).all()


def test_a_jump_of_the_logarithm_is_reported():
    """From this point an eigenvalue of I − hH would move along the negative axis."""
    loss = bea.Loss("(0.6 - a*b)**2/2", "a b")
    with pytest.warns(RuntimeWarning, match="jump"):
        result = bea.principal_path(loss, [2.8, 3.5], 0.06, (0, 0.6))
    assert not result.success
    assert np.isfinite(result.y).all()


def test_too_many_steps_are_reported():
    with pytest.warns(RuntimeWarning, match="max_steps = 2"):
        result = bea.principal_path(LOSS, [1.0, 2.0], 0.3, (0, 10), max_steps=2)
    assert not result.success
    assert result.y.shape == (2, 3)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"h": 0.0}, "h must be"),
        ({"t_span": (0, np.inf)}, "t_span"),
        ({"t_eval": [2.0]}, "t_eval"),
        ({"max_steps": 0}, "max_steps"),
        ({"rtol": -1.0}, "rtol"),
        ({"x0": [1.0]}, "x0"),
    ],
)
def test_bad_input_is_refused(arguments, sentence):
    known = {"x0": [1.0, 2.0], "h": 0.1, "t_span": (0, 1)} | arguments
    with pytest.raises(ValueError, match=sentence):
        bea.principal_path(LOSS, **known)
