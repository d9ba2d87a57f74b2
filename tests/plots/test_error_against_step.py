"""Errors against the step size: the lines have the measured slopes, however small the errors."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

import bea
from bea.plots.slopes import error_against_step

STEP_SIZES = np.geomspace(1e-3, 1e-2, 6)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def measured():
    loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
    return bea.slope(loss, bea.GradientDescent(), [1.4, 1.1], order=1, step_sizes=STEP_SIZES)


def power_law(slope, power, factor=1.0, **changes):
    """A slope whose errors are exactly factor · h^power."""
    errors = factor * STEP_SIZES**power
    interval = (power - 0.02, power + 0.02)
    return replace(
        slope,
        value=power,
        predicted=power,
        interval=interval,
        step_sizes=STEP_SIZES,
        errors=errors,
        **changes,
    )


def lines(ax, gid):
    return [line for line in ax.get_lines() if line.get_gid() == gid]


def slope_of(line):
    x, y = np.log(line.get_xydata()).T
    return (y[-1] - y[0]) / (x[-1] - x[0])


def test_points_are_the_errors_and_the_line_has_the_measured_slope(measured):
    ax = error_against_step(measured)
    (points,), (fit,) = lines(ax, "errors"), lines(ax, "fit")
    np.testing.assert_array_equal(points.get_xdata(), measured.step_sizes)
    np.testing.assert_array_equal(points.get_ydata(), measured.errors)
    assert slope_of(fit) == pytest.approx(measured.value, rel=1e-12)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_triangles_have_the_predicted_slopes(measured):
    slopes = [power_law(measured, k + 2, order=k) for k in range(3)]
    triangles = lines(error_against_step(slopes), "triangle")
    for slope, triangle in zip(slopes, triangles, strict=True):
        h, error = triangle.get_xydata().T
        assert np.log(error[2] / error[0]) / np.log(h[2] / h[0]) == pytest.approx(slope.predicted)
        above = np.interp(np.log(h[2]), np.log(STEP_SIZES), np.log(slope.errors))
        assert np.log(error[2]) < above


def test_the_legend_names_value_and_interval(measured):
    ax = error_against_step([power_law(measured, 2, order=0), power_law(measured, 3, order=1)])
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["through $h^{0}$: slope 2.00 ± 0.02", "through $h^{1}$: slope 3.00 ± 0.02"]


def test_axes_say_what_the_errors_are(measured):
    local = power_law(measured, 2)
    later = replace(local, kind="global", time=2.5)
    assert error_against_step(local).get_xlabel() == "step size $h$"
    assert error_against_step(local).get_ylabel() == "error after one step"
    assert error_against_step(later).get_ylabel() == "error at time $t = 2.5$"
    assert error_against_step([local, later]).get_ylabel() == "error"


def test_tiny_errors_are_drawn(measured):
    slopes = [power_law(measured, k + 2, factor=10.0 ** (-30 * k), order=k) for k in range(9)]
    ax = error_against_step(slopes)
    ax.figure.canvas.draw()
    for slope, fit in zip(slopes, lines(ax, "fit"), strict=True):
        assert slope_of(fit) == pytest.approx(slope.value, rel=1e-9)
    low, high = ax.get_ylim()
    assert low < 1e-262 < 1e-5 < high


@pytest.mark.parametrize("zeros", [1, 5, 6])
def test_errors_that_read_zero_are_counted(measured, zeros):
    errors = STEP_SIZES**3.0
    errors[:zeros] = 0.0
    ax = error_against_step(replace(power_law(measured, 3), errors=errors))
    ax.figure.canvas.draw()
    (points,) = lines(ax, "errors")
    assert len(points.get_xdata()) == 6 - zeros
    assert f"{zeros} of 6 errors too small to draw" in ax.get_legend().get_texts()[0].get_text()


def test_it_draws_on_the_axes_it_is_given(measured):
    figure, ax = plt.subplots()
    before = dict(mpl.rcParams)
    assert error_against_step(measured, ax=ax) is ax
    assert plt.get_fignums() == [figure.number]
    assert dict(mpl.rcParams) == before


def test_wrong_arguments_are_refused(measured):
    with pytest.raises(ValueError, match="at least one slope"):
        error_against_step([])
    with pytest.raises(TypeError, match=r"results of bea\.slope, not float"):
        error_against_step([measured, 2.0])
