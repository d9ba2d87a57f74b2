"""The zero-loss set as curves: closed forms, and what is no curve."""

import numpy as np
import pytest

import bea
from bea.plots.zero_curve import find_zero_loss_set, zero_loss_curves

WINDOW = (-3.0, 3.0)


def test_the_points_of_a_hyperbola_lie_on_it_to_rounding():
    loss = bea.catalogue.two_parameter(x=1, y=0.6)
    branches = zero_loss_curves(loss, WINDOW, WINDOW)
    assert len(branches) == 2
    for a, b in (branch.T for branch in branches):
        np.testing.assert_allclose(a * b, 0.6, rtol=1e-13)
        assert np.ptp(a) > 2.7  # from 0.2 to 3


def test_a_square_shows_its_zeros_without_being_told():
    loss = bea.Loss("3*(r**2 - x**2 - y**2)**2", variables="x y", parameters={"r": 2})
    (circle,) = zero_loss_curves(loss, WINDOW, WINDOW)
    np.testing.assert_allclose(np.hypot(*circle.T), 2, rtol=1e-13)


@pytest.mark.parametrize("text", ["x**2 + y**2", "x**3", "-(x - y)**2", "(x - y)**2 + 1"])
def test_what_is_no_single_square_has_no_known_zeros(text):
    assert find_zero_loss_set(bea.Loss(text, variables="x y")) is None


def test_residuals_that_depend_on_one_another_give_one_curve():
    loss = bea.Loss.from_residuals(["x*(y - x)", "(x + 3)*(y - x)"], "x y", codimension=1)
    curves = zero_loss_curves(loss, (-1.0, 2.0), (-1.0, 2.0))
    points = np.concatenate(curves)
    np.testing.assert_allclose(points[:, 0], points[:, 1], atol=1e-12)
    assert np.ptp(points[:, 0]) > 2.5


def test_isolated_zeros_are_no_curve():
    loss = bea.Loss.from_residuals(["x - 1", "y"], "x y")
    assert zero_loss_curves(loss, WINDOW, WINDOW) == []


def test_a_window_without_zeros_has_no_curve():
    assert zero_loss_curves(bea.catalogue.two_parameter(), (10.0, 11.0), (10.0, 11.0)) == []
