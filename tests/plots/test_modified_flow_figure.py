"""The figure of the modified flow: published end points, and honesty about large steps."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from scipy.integrate import solve_ivp

import bea
from bea.plots.modified_flow import modified_flow_figure

START = [2.8, 3.5]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def loss():
    return bea.catalogue.two_parameter(x=1, y=0.6)


def drawn(ax, gid):
    return [line.get_xydata() for line in ax.get_lines() if line.get_gid() == gid]


def entries(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def end_of_modified_flow(h):
    """By SciPy, from the formula −g − (h/2) H g written out by hand."""

    def field(t, x):
        a, b = x
        r = a * b - 0.6
        g = r * np.array([b, a])
        H = np.array([[b * b, 2 * a * b - 0.6], [2 * a * b - 0.6, a * a]])
        return -g - h / 2 * H @ g

    return solve_ivp(field, (0, 30), START, method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]


def test_the_runs_end_where_theory_says(loss):
    step_sizes = [1e-3, 1e-2]
    overview, enlargement = modified_flow_figure(loss, START, step_sizes)
    for ax in (overview, enlargement):
        (gradient_flow,) = drawn(ax, "gradient-flow")
        np.testing.assert_allclose(gradient_flow[-1], [0.28315, 2.11900], atol=6e-6)
        small, large = drawn(ax, "iterates")
        np.testing.assert_allclose(small[-1], [0.28361, 2.11562], atol=6e-6)
        np.testing.assert_allclose(large[-1], [0.28792, 2.08391], atol=6e-6)
        for h, flow in zip(step_sizes, drawn(ax, "modified-flow"), strict=True):
            np.testing.assert_allclose(flow[-1], end_of_modified_flow(h), atol=1e-6)


def test_the_iterates_are_those_of_gradient_descent(loss):
    overview, _ = modified_flow_figure(loss, START, [0.01])
    x = np.array(START)
    (iterates,) = drawn(overview, "iterates")
    for drawn_x in iterates[:20]:
        np.testing.assert_allclose(drawn_x, x, rtol=1e-12)
        x = x - 0.01 * (x[0] * x[1] - 0.6) * x[::-1]


def test_the_enlargement_shows_every_end(loss):
    _, enlargement = modified_flow_figure(loss, START, [0.005, 0.01, 0.02])
    ends = [
        run[-1] for gid in ("gradient-flow", "modified-flow", "iterates") for run in drawn(enlargement, gid)
    ]
    for values, (low, high) in zip(
        np.transpose(ends), (enlargement.get_xlim(), enlargement.get_ylim()), strict=True
    ):
        assert low < values.min() < values.max() < high
        assert high - low < 10 * np.ptp(values)


def test_the_legend_tells_where_the_expansion_ends(loss):
    _, enlargement = modified_flow_figure(loss, START, [0.01, 0.12, 0.3])
    assert entries(enlargement)[-3:] == [
        "$h = 0.01$",
        r"$h = 0.12$: jumps across $\Gamma$",
        "$h = 0.3$: diverges",
    ]


def test_a_modified_flow_that_leads_away_is_told(loss):
    # −g + (h/2) H g goes uphill where h times the largest eigenvalue of H, here 29, is more than 2.
    overview, enlargement = modified_flow_figure(loss, START, [0.01, 0.1], scheme=bea.schemes.ImplicitEuler())
    assert entries(enlargement)[-2:] == ["$h = 0.01$", "$h = 0.1$: modified flow no closer"]
    assert overview.get_xlim()[1] < 4


def test_runs_take_equal_time(loss):
    overview, _ = modified_flow_figure(loss, START, [0.01, 0.02], time=0.4)
    assert [len(run) - 1 for run in drawn(overview, "iterates")] == [40, 20]


def test_another_scheme_has_its_own_flow(loss):
    overview, _ = modified_flow_figure(loss, START, [0.01], scheme=bea.schemes.ImplicitEuler())
    (flow,) = drawn(overview, "modified-flow")
    np.testing.assert_allclose(flow[-1], end_of_modified_flow(-0.01), atol=1e-6)
    assert np.linalg.norm(flow[-1] - end_of_modified_flow(0.01)) > 0.05  # control: descent's own flow


def test_without_terms_the_flow_is_the_gradient_flow(loss):
    overview, _ = modified_flow_figure(loss, START, [0.01], order=0, time=0.5)
    np.testing.assert_array_equal(drawn(overview, "modified-flow")[0], drawn(overview, "gradient-flow")[0])


def test_given_axes_are_used(loss):
    before = dict(mpl.rcParams)
    figure, pair = plt.subplots(1, 2)
    assert list(modified_flow_figure(loss, START, [0.02], ax=pair)) == list(pair)
    assert plt.get_fignums() == [figure.number]

    single, ax = plt.subplots()
    overview, inset = modified_flow_figure(loss, START, [0.02], ax=ax)
    assert overview is ax
    assert inset in ax.child_axes
    assert plt.get_fignums() == [figure.number, single.number]
    assert dict(mpl.rcParams) == before


def test_wrong_arguments_are_refused(loss):
    with pytest.raises(ValueError, match="two variables, but this one has 3"):
        modified_flow_figure(bea.Loss("x*y*z", variables="x y z"), [1, 1, 1])
    with pytest.raises(TypeError, match="takes a Loss, not VectorField"):
        modified_flow_figure(loss.field, START)
    with pytest.raises(ValueError, match="step_sizes must be positive"):
        modified_flow_figure(loss, START, [0.01, -1])
    with pytest.raises(ValueError, match="time must be a positive number"):
        modified_flow_figure(loss, START, time=0)
    with pytest.raises(ValueError, match="shape"):
        modified_flow_figure(loss, [1, 2, 3])
    with pytest.raises(ValueError, match="nothing moves"):
        modified_flow_figure(loss, [1.0, 0.6])
    with pytest.raises(ValueError, match="no limit"):
        modified_flow_figure(bea.Loss("-x**2 - y**2", variables="x y"), [1, 1])
    with pytest.raises(TypeError, match="ax must be Matplotlib axes, or a pair of them"):
        modified_flow_figure(loss, START, ax=[1, 2])


def test_tick_labels_are_whole_numbers():
    """No offset that the reader must add, however close together the ends are."""
    _, enlargement = modified_flow_figure(bea.catalogue.two_parameter(), [2.8, 3.5], step_sizes=[0.01])
    enlargement.set(xlim=(0.285, 0.28501), ylim=(2.1, 2.10001))
    enlargement.figure.canvas.draw()
    assert enlargement.xaxis.get_offset_text().get_text() == ""
    assert enlargement.yaxis.get_offset_text().get_text() == ""
