"""The phase portrait: what is drawn, where, and what is refused."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

import bea

START = [2.8, 3.5]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def loss():
    return bea.catalogue.two_parameter(x=1, y=0.6)


@pytest.fixture(scope="module")
def descent(loss):
    return bea.iterate(loss, bea.GradientDescent(), START, step_size=0.02, steps=50)


@pytest.fixture(scope="module")
def gradient_flow(loss):
    return bea.flow(loss.field, START, (0, 1), t_eval=np.linspace(0, 1, 20))


def lines(ax, gid):
    return [line for line in ax.get_lines() if line.get_gid() == gid]


def test_iterates_are_dots_and_flows_are_lines(loss, descent, gradient_flow):
    ax = bea.plots.phase_portrait(
        loss, [gradient_flow, descent], labels=["flow", "descent"], streamlines=False
    )
    drawn = {line.get_label(): line for line in ax.get_lines()}
    np.testing.assert_array_equal(drawn["descent"].get_xydata(), descent.x)
    np.testing.assert_array_equal(drawn["flow"].get_xydata(), gradient_flow.y.T)
    assert drawn["descent"].get_linestyle() == "None"
    assert drawn["flow"].get_marker() == "None"


def test_the_window_holds_every_path(loss, descent, gradient_flow):
    ax = bea.plots.phase_portrait(loss, [gradient_flow, descent], streamlines=False)
    points = np.concatenate([descent.x, gradient_flow.y.T])
    for (low, high), values in zip((ax.get_xlim(), ax.get_ylim()), points.T, strict=True):
        assert low < values.min() < values.max() < high


def test_a_path_that_diverges_does_not_stretch_the_window(loss):
    path = bea.iterate(loss, bea.GradientDescent(), START, step_size=1.0, steps=3)
    with pytest.warns(RuntimeWarning):
        far = bea.iterate(loss, bea.GradientDescent(), START, step_size=1.0, steps=100)
    assert np.abs(far.x).max() > 1e20
    assert np.ptp(bea.plots.phase_portrait(loss, [far], streamlines=False).get_xlim()) < 1e4 * (
        1 + np.abs(path.x[0]).max()
    )


def test_the_curve_of_zero_loss_has_no_residual(loss):
    ax = bea.plots.phase_portrait(loss, streamlines=False)
    curves = lines(ax, "zero-loss-set")
    assert curves
    for curve in curves:
        a, b = curve.get_xydata().T
        assert np.abs(a * b - 0.6).max() < 1e-12


def test_the_curve_of_zero_loss_can_be_left_out(loss):
    assert not lines(bea.plots.phase_portrait(loss, zero_loss_set=False, streamlines=False), "zero-loss-set")


def test_streamlines_follow_the_field():
    field = bea.VectorField(["-y", "x"], variables="x y")
    ax = bea.plots.phase_portrait(field)
    (stream,) = [c for c in ax.collections if isinstance(c, mpl.collections.LineCollection)]
    steps = [(np.diff(line, axis=0), (line[1:] + line[:-1]) / 2) for line in stream.get_segments()]
    along, middle = (np.concatenate(parts) for parts in zip(*steps, strict=True))
    inward = np.abs((middle * along).sum(axis=1))
    lengths = np.linalg.norm(middle, axis=1) * np.linalg.norm(along, axis=1)
    assert np.median(inward[lengths > 0] / lengths[lengths > 0]) < 0.01  # circles about the origin
    bare = bea.plots.phase_portrait(field, streamlines=False)
    assert not bare.collections


def test_it_draws_on_the_axes_it_is_given(loss):
    figure, ax = plt.subplots()
    before = dict(mpl.rcParams)
    assert bea.plots.phase_portrait(loss, ax=ax) is ax
    assert plt.get_fignums() == [figure.number]
    assert dict(mpl.rcParams) == before


def test_the_axes_are_named_after_the_variables():
    ax = bea.plots.phase_portrait(bea.Loss("theta_1**2 + b**2", variables="theta_1 b"))
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"$\theta_{1}$", "$b$")


def test_limits_asked_for_are_kept(loss, descent):
    ax = bea.plots.phase_portrait(loss, [descent], xlim=(0, 4), ylim=(1, 2), streamlines=False)
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 4), (1, 2))


def test_values_that_are_not_finite_leave_a_gap():
    ax = bea.plots.phase_portrait(bea.Loss("log(x)**2 + y**2", variables="x y"))
    ax.figure.canvas.draw()


def test_a_constant_component_is_drawn():
    ax = bea.plots.phase_portrait(bea.VectorField([1, "x"], variables="x y"))
    assert ax.collections


@pytest.mark.parametrize("names", ["x", "x y z"])
def test_systems_outside_the_plane_are_refused(names):
    loss = bea.Loss("x**2", variables=names)
    with pytest.raises(ValueError, match=f"two variables, but this one has {len(names.split())}"):
        bea.plots.phase_portrait(loss)
    with pytest.raises(ValueError, match="two variables"):
        bea.plots.phase_portrait(loss.field)


def test_wrong_arguments_are_refused(loss, descent):
    with pytest.raises(TypeError, match="takes a Loss or a VectorField or a Game, not str"):
        bea.plots.phase_portrait("x**2")
    with pytest.raises(TypeError, match=r"results of bea\.iterate or bea\.flow, not list"):
        bea.plots.phase_portrait(loss, [[1, 2]])
    with pytest.raises(ValueError, match="one label for each of the 1 paths, not 2"):
        bea.plots.phase_portrait(loss, [descent], labels=["a", "b"])
    with pytest.raises(ValueError, match="xlim must be two finite increasing numbers"):
        bea.plots.phase_portrait(loss, xlim=(1, 0))
    with pytest.raises(TypeError, match="ax must be Matplotlib axes, not int"):
        bea.plots.phase_portrait(loss, ax=3)
    with pytest.raises(ValueError, match="no value for parameter 'c'"):
        bea.plots.phase_portrait(bea.Loss("c*x**2 + y**2", variables="x y"))
    line = bea.Loss("x**2", variables="x")
    path = bea.iterate(line, bea.GradientDescent(), [1.0], step_size=0.1, steps=3)
    with pytest.raises(ValueError, match="paths of two variables"):
        bea.plots.phase_portrait(loss, [path])


def test_a_game_is_drawn_by_its_simultaneous_play():
    game = bea.Game(["x*y", "-x*y"], players=["x", "y"])
    limits = {"xlim": (-1, 1), "ylim": (-2, 2)}
    drawn = bea.plots.phase_portrait(game, **limits)
    field = bea.plots.phase_portrait(game.field, **limits)
    assert drawn.get_xlabel() == field.get_xlabel() == "$x$"
    segments = [
        np.concatenate([s for c in ax.collections if hasattr(c, "get_segments") for s in c.get_segments()])
        for ax in (drawn, field)
    ]
    assert len(segments[0]) > 10
    np.testing.assert_allclose(*segments)
