"""Pictures of noisy descent: the right numbers in the right places, on curves, surfaces and clocks."""

from statistics import NormalDist

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.animation import AbstractMovieWriter

import bea
from bea.plots import noise_animation, noise_clocks, noise_cloud
from bea.plots.zero_space import zero_loss_facets, zero_loss_lines

CUBE = [(-1.5, 1.5)] * 3


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


class Case:
    """A noisy loss with its limit, an ensemble from a point of Γ, and the limit flow."""

    def __init__(self, noisy, start, alpha, sigma, steps, every, time):
        self.noisy, self.start = noisy, start
        self.found = bea.limit(noisy)
        self.run = bea.ensemble(
            noisy, start, alpha, steps, 50, sigma, record_every=every, record_replicas=range(20)
        )
        self.flow = bea.constrained_flow(self.found.drift, self.found.zero_loss_set, start, (0.0, time))


@pytest.fixture(scope="module")
def plane():
    noisy = bea.noise.label_noise(bea.catalogue.two_parameter())
    return Case(noisy, [2.0, 0.3], 0.1, 0.3, 800, 20, 0.72)


@pytest.fixture(scope="module")
def space():
    loss = bea.Loss("(a*b + c - 1)**2/2", variables="a b c")
    loss = bea.Loss(loss.expression, "a b c", zero_loss_set=bea.ZeroLossSet(["a*b + c - 1"], "a b c"))
    return Case(bea.noise.dropconnect(loss), [1.5, -0.4, 1.6], 0.05, 0.2, 500, 5, 1.0)


def drawn(ax, gid):
    """The points of the lines with a name, each of shape (n, d)."""
    lines = [line for line in ax.get_lines() if line.get_gid() == gid]
    return [
        np.array(line.get_data_3d() if hasattr(line, "get_data_3d") else line.get_data()).T for line in lines
    ]


def bar_labels(ax):
    (bar,) = [a for a in ax.figure.axes if a is not ax]
    return [float(text.get_text()) for text in bar.get_yticklabels()]


@pytest.mark.parametrize("name", ["plane", "space"])
def test_a_cloud_shows_the_recorded_replicas(name, request):
    case = request.getfixturevalue(name)
    ax = noise_cloud(case.found, case.run, case.flow, moments=4)
    path = case.run.path
    rows = [len(path.steps) // 4 * k for k in (1, 2, 3, 4)]
    for points, row in zip(drawn(ax, "cloud"), rows, strict=True):
        np.testing.assert_array_equal(points, path.replicas[row])
    np.testing.assert_array_equal(drawn(ax, "mean")[0], path.mean)
    np.testing.assert_array_equal(drawn(ax, "limit")[0], case.flow.x)
    np.testing.assert_allclose(drawn(ax, "start")[0], [case.start], rtol=1e-15)


@pytest.mark.parametrize(("name", "unit"), [("plane", 0.1**2 * 0.3**2), ("space", 0.05 * 0.2**2)])
def test_the_bar_counts_in_the_unit_of_the_limit(name, unit, request):
    case = request.getfixturevalue(name)
    labels = bar_labels(noise_cloud(case.found, case.run, moments=2))
    assert labels == pytest.approx([case.run.steps / 2 * unit, case.run.steps * unit], rel=0.02)


def test_without_a_time_scale_the_bar_counts_steps():
    noisy = bea.noise.dropconnect(bea.Loss("(1 - a*b)**2/2", variables="a b"))
    run = bea.ensemble(noisy, [2.0, 0.5], 0.05, 40, 5, 0.1, record_every=10, record_replicas=[0])
    assert bar_labels(noise_cloud(bea.limit(noisy), run, moments=2)) == [20, 40]


def test_axes_bear_the_names_of_the_variables(plane, space):
    ax = noise_cloud(plane.found, plane.run)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("$a$", "$b$")
    ax = noise_cloud(space.found, space.run)
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_zlabel()) == ("$a$", "$b$", "$c$")


def test_the_drawn_zero_loss_set_is_the_zero_loss_set(plane, space):
    (curve,) = drawn(noise_cloud(plane.found, plane.run), "zero-loss-set")
    np.testing.assert_allclose(curve.prod(axis=1), 0.6, rtol=1e-13)
    ax = noise_cloud(space.found, space.run)
    a, b, c = np.concatenate(drawn(ax, "zero-loss-set")).T
    np.testing.assert_allclose(a * b + c, 1, rtol=1e-13)
    assert [c.get_gid() for c in ax.collections] == ["zero-loss-surface"]


def test_space_has_one_scale_on_all_axes(space):
    ax = noise_cloud(space.found, space.run)
    sides = np.ptp([ax.get_xlim(), ax.get_ylim(), ax.get_zlim()], axis=1)
    np.testing.assert_allclose(sides / sides[0], ax._box_aspect / ax._box_aspect[0], rtol=1e-9)
    assert sides.min() > 0.39 * sides.max()


def test_what_the_window_does_not_hold_is_not_drawn_in_space(space):
    ax = noise_cloud(space.found, space.run, moments=1, zlim=(1.0, 1.2))
    assert ax.get_zlim() == (1.0, 1.2)
    (points,) = drawn(ax, "cloud")
    c = space.run.path.replicas[-1][:, 2]
    np.testing.assert_array_equal(np.isnan(points[:, 2]), (c < 1.0) | (c > 1.2))


def test_random_limits_are_drawn_path_by_path():
    circle = bea.ZeroLossSet(["x**2 + y**2 - 1"], variables="x y")
    noisy = bea.noise.sgld(bea.Loss("(x**2 + y**2 - 1)**2/8", "x y", zero_loss_set=circle))
    found = bea.limit(noisy)
    run = bea.ensemble(noisy, [0.0, 1.0], 0.1, 100, 10, 0.2, record_every=50, record_replicas=[3])
    paths = bea.constrained_paths(
        None, found.diffusion, circle, [0.0, 1.0], 0.05, 10, 4, record_every=1, record_replicas=[0, 2]
    )
    lines = drawn(noise_cloud(found, run, paths, moments=1), "limit")
    np.testing.assert_array_equal(lines, paths.path.replicas.swapaxes(0, 1))


def test_replicas_that_diverge_do_not_spoil_the_window():
    noisy = bea.noise.label_noise(bea.Loss("(1 - a*b)**2/2", variables="a b"))
    starts = [[1.0, 1.0]] * 9 + [[40.0, 40.0]]
    with pytest.warns(RuntimeWarning, match="diverge"):
        run = bea.ensemble(noisy, starts, 0.1, 100, 10, 0.1, record_every=10, record_replicas=range(10))
    ax = noise_cloud(bea.limit(noisy), run, xlim=(0.0, 2.0), moments=1)
    assert np.isfinite(ax.get_ylim()).all()
    assert np.isnan(drawn(ax, "cloud")[0]).any(axis=1).tolist() == [False] * 9 + [True]


# -- the zero-loss set in space ---------------------------------------------------------------------------


def test_the_facets_of_a_sphere_have_its_area():
    facets = zero_loss_facets(bea.ZeroLossSet(["x**2 + y**2 + z**2 - 1"], "x y z"), CUBE)
    normals = np.cross(facets[:, 1] - facets[:, 0], facets[:, 2] - facets[:, 0])
    assert np.linalg.norm(normals, axis=1).sum() / 2 == pytest.approx(4 * np.pi, rel=0.02)


def test_a_curve_in_space_is_followed_to_its_end():
    circle = bea.ZeroLossSet(["x**2 + y**2 + z**2 - 1", "x + y + z"], "x y z")
    (curve,) = zero_loss_lines(circle, CUBE)
    np.testing.assert_array_equal(curve[0], curve[-1])
    assert np.linalg.norm(np.diff(curve, axis=0), axis=1).sum() == pytest.approx(2 * np.pi, rel=1e-3)
    assert len(zero_loss_facets(circle, CUBE)) == 0


def test_all_branches_of_a_curve_are_found():
    branches = zero_loss_lines(bea.ZeroLossSet(["x*y - 1/10", "z - x**2"], "x y z"), CUBE)
    assert len(branches) == 2
    for x, y, z in (branch.T for branch in branches):
        np.testing.assert_allclose(x * y, 0.1, rtol=1e-12)
        np.testing.assert_allclose(z, x**2, atol=1e-14)
        assert abs(y).max() > 1.45  # to the border


def test_only_common_zeros_are_drawn():
    zeros = bea.ZeroLossSet(["x*(y - z)", "(x + 3)*(y - z)"], "x y z", codimension=1)
    for points in (np.concatenate(zero_loss_lines(zeros, CUBE)), zero_loss_facets(zeros, CUBE).mean(axis=1)):
        np.testing.assert_allclose(points[:, 1], points[:, 2], atol=1e-12)
        assert np.ptp(points[:, 0]) > 2.5


def test_a_pole_is_no_zero():
    zeros = bea.ZeroLossSet(["1/(x - 1/50) - 1"], "x y z")
    facets = zero_loss_facets(zeros, CUBE)
    assert len(facets)
    np.testing.assert_allclose(facets[:, :, 0], 1.02, atol=0.05)


def test_a_box_away_from_the_zero_loss_set_is_empty():
    sphere = bea.ZeroLossSet(["x**2 + y**2 + z**2 - 1"], "x y z")
    assert zero_loss_lines(sphere, [(5.0, 6.0)] * 3) == []
    assert len(zero_loss_facets(sphere, [(5.0, 6.0)] * 3)) == 0


def test_isolated_points_are_not_drawn():
    point = bea.ZeroLossSet(["x", "y", "z"], "x y z")
    assert zero_loss_lines(point, CUBE) == []
    assert len(zero_loss_facets(point, CUBE)) == 0


# -- clocks -----------------------------------------------------------------------------------------------

SETTINGS = ((0.01, 0.1), (0.02, 0.1), (0.04, 0.1), (0.04, 0.05))


@pytest.fixture(scope="module")
def clock_runs():
    """DropConnect of two products for one unit of the time of its limit, and the limit."""
    noisy, start = bea.noise.dropconnect(bea.catalogue.sum_of_products(n=2)), [1.6, 0.4, 0.5, 0.5]
    runs = [
        bea.ensemble(
            noisy, start, alpha, round(1 / (alpha * sigma**2)), 400, sigma,
            record_every=round(0.05 / (alpha * sigma**2)), statistics={"product": "a1*b1"},
        )
        for alpha, sigma in SETTINGS
    ]  # fmt: skip
    found = bea.limit(noisy)
    flow = bea.constrained_flow(found.field, found.zero_loss_set, start, (0.0, 1.0))
    return found, runs, (flow.t, flow.x[:, 0] * flow.x[:, 2])


def test_clocks_count_in_two_units(clock_runs):
    found, runs, _ = clock_runs
    for panel, power in zip(noise_clocks(found, runs, "product"), (1, 2), strict=True):
        curves = {line.get_label(): line.get_data() for line in panel.get_lines()}
        for run, (alpha, sigma) in zip(runs, SETTINGS, strict=True):
            times, values = curves[rf"$\alpha = {alpha}$, $\sigma = {sigma}$"]
            np.testing.assert_allclose(times, run.path.steps * alpha**power * sigma**2, rtol=1e-14)
            np.testing.assert_array_equal(values, run.path.statistics["product"])


def test_curves_come_together_on_the_right_scale_alone(clock_runs):
    found, runs, _ = clock_runs
    spreads = []
    for panel in noise_clocks(found, runs, "product"):
        curves = [line.get_data() for line in panel.get_lines()]
        end = min(times[-1] for times, _ in curves)
        common = np.linspace(0, end, 30)
        spreads.append(np.ptp([np.interp(common, *curve) for curve in curves], axis=0).max())
    assert spreads[0] < 0.03
    assert spreads[1] > 0.1  # control


def test_intervals_are_those_of_the_normal_law(clock_runs):
    found, runs, _ = clock_runs
    panel = noise_clocks(found, runs[0], "product", confidence=0.9)[0]
    (band,) = [c for c in panel.collections if c.get_gid() == "interval"]
    path = runs[0].path
    half = NormalDist().inv_cdf(0.95) * np.sqrt(path.variances["product"] / 400)
    corners = band.get_paths()[0].vertices[:, 1]
    ends = np.concatenate([path.statistics["product"] + half, path.statistics["product"] - half])
    assert all(np.abs(corners - end).min() < 1e-12 for end in ends)
    assert panel.get_legend().get_title().get_text() == "mean, intervals of 90 %"


def test_the_limit_is_drawn_on_its_scale_alone(clock_runs):
    found, runs, limit = clock_runs
    left, right = noise_clocks(found, runs, "product", limit)
    ((times, values),) = [line.get_data() for line in left.get_lines() if line.get_gid() == "limit"]
    np.testing.assert_array_equal(times, limit[0])
    np.testing.assert_array_equal(values, limit[1])
    assert not [line for line in right.get_lines() if line.get_gid() == "limit"]
    assert (left.get_title(), right.get_title()) == ("the scale of the limit", "the other scale")


def test_a_sampled_limit_has_intervals():
    circle = bea.ZeroLossSet(["x**2 + y**2 - 1"], variables="x y")
    noisy = bea.noise.sgld(bea.Loss("(x**2 + y**2 - 1)**2/8", "x y", zero_loss_set=circle))
    found, height = bea.limit(noisy), {"statistics": {"height": "y"}}
    run = bea.ensemble(noisy, [0.0, 1.0], 0.1, 1000, 50, 0.2, record_every=100, **height)
    paths = bea.constrained_paths(
        None, found.diffusion, circle, [0.0, 1.0], 0.04, 10, 50, record_every=2, **height
    )
    left, right = noise_clocks(found, run, "height", paths)
    ((times, values),) = [line.get_data() for line in right.get_lines() if line.get_gid() == "limit"]
    np.testing.assert_allclose(times, [0, 0.08, 0.16, 0.24, 0.32, 0.4])
    np.testing.assert_array_equal(values, paths.path.statistics["height"])
    assert [c.get_gid() for c in right.collections] == ["interval", "limit-interval"]
    assert [c.get_gid() for c in left.collections] == ["interval"]


# -- the animation ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plane", "space"])
def test_an_animation_goes_through_the_recorded_times(name, request):
    case = request.getfixturevalue(name)
    ax = plt.figure(dpi=60).add_subplot(projection="3d" if name == "space" else None)
    film = noise_animation(case.found, case.run, case.flow, frames=3, ax=ax)
    last = len(case.run.path.steps) - 1
    assert list(film.new_frame_seq()) == [0, last // 2, last]
    page = film.to_jshtml(default_mode="once")
    assert page.count("data:image/png;base64") == 3
    assert len(page) < 400_000
    np.testing.assert_array_equal(drawn(ax, "cloud")[0], case.run.path.replicas[-1])
    np.testing.assert_array_equal(drawn(ax, "mean")[0], case.run.path.mean)
    np.testing.assert_array_equal(drawn(ax, "limit")[0], case.flow.x)


class Recorder(AbstractMovieWriter):
    """A writer that keeps the cloud, the mean and the title of every frame."""

    def setup(self, fig, outfile, dpi=None):
        self.fig, self.frames = fig, []

    def grab_frame(self, **kwargs):
        (ax,) = self.fig.axes
        self.frames.append((drawn(ax, "cloud")[0], drawn(ax, "mean")[0], ax.get_title()))

    def finish(self):
        pass


def test_every_frame_shows_its_time(plane):
    recorder, path = Recorder(), plane.run.path
    noise_animation(plane.found, plane.run, frames=5).save("frames", writer=recorder)
    for row, (cloud, mean, _) in zip((0, 10, 20, 30, 40), recorder.frames, strict=True):
        np.testing.assert_array_equal(cloud, path.replicas[row])
        np.testing.assert_array_equal(mean, path.mean[: row + 1])
    assert recorder.frames[1][2] == r"$\alpha^2\sigma^2 \times$ steps = 0.180"  # 200 steps


def test_there_are_no_more_frames_than_recorded_times(plane):
    recorder = Recorder()
    run = bea.ensemble(plane.noisy, plane.start, 0.1, 40, 5, 0.3, record_every=20, record_replicas=[0])
    noise_animation(plane.found, run, frames=1000).save("frames", writer=recorder)
    assert len(recorder.frames) == 3


# -- arguments --------------------------------------------------------------------------------------------


def test_given_axes_are_used_and_settings_are_put_back(plane, space, clock_runs):
    before = dict(mpl.rcParams)
    figure = plt.figure()
    flat, deep = figure.add_subplot(2, 2, 1), figure.add_subplot(2, 2, 2, projection="3d")
    pair = [figure.add_subplot(2, 2, 3), figure.add_subplot(2, 2, 4)]
    assert noise_cloud(plane.found, plane.run, ax=flat) is flat
    assert noise_cloud(space.found, space.run, ax=deep) is deep
    assert list(noise_clocks(clock_runs[0], clock_runs[1], "product", axes=pair)) == pair
    assert plt.get_fignums() == [figure.number]
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", [noise_cloud, noise_animation])
def test_what_cannot_be_drawn_is_refused_in_a_sentence(draw, plane, space):
    four = bea.noise.dropconnect(bea.catalogue.sum_of_products(n=2))
    run = bea.ensemble(four, [1.0, 0.5, 0.5, 1.0], 0.1, 10, 5, 0.1, record_every=1, record_replicas=[0])
    with pytest.raises(ValueError, match="in two or three variables, but the noisy loss has 4"):
        draw(bea.limit(four), run)
    with pytest.raises(ValueError, match="the ensemble is in 2 variables, but the noisy loss has 3"):
        draw(space.found, plane.run)
    unrecorded = bea.ensemble(plane.noisy, plane.start, 0.1, 10, 5, 0.1, record_every=1)
    with pytest.raises(ValueError, match=r"kept no positions: run bea.ensemble with record_replicas"):
        draw(plane.found, unrecorded)
    at_rest = bea.ensemble(plane.noisy, plane.start, 0.1, 0, 5, 0.1, record_replicas=[0])
    with pytest.raises(ValueError, match="recorded at its start alone"):
        draw(plane.found, at_rest)
    with pytest.raises(ValueError, match="a path is in 3 variables, but the noisy loss has 2"):
        draw(plane.found, plane.run, space.flow)
    with pytest.raises(ValueError, match="zlim is for three variables"):
        draw(plane.found, plane.run, zlim=(0.0, 1.0))
    with pytest.raises(ValueError, match="ylim must be two finite increasing numbers"):
        draw(plane.found, plane.run, ylim=(1.0, 0.0))
    with pytest.raises(ValueError, match='axes with projection="3d"'):
        draw(space.found, space.run, ax=plt.subplots()[1])
    with pytest.raises(ValueError, match="axes in two dimensions"):
        draw(plane.found, plane.run, ax=plt.figure().add_subplot(projection="3d"))
    with pytest.raises(TypeError, match=r"found must be a result of bea.limit, not NoisyLoss"):
        draw(plane.noisy, plane.run)
    with pytest.raises(TypeError, match=r"an ensemble must be a result of bea.ensemble, not ndarray"):
        draw(plane.found, plane.run.final)
    with pytest.raises(TypeError, match=r"paths are results of bea.constrained_flow or .*, not ndarray"):
        draw(plane.found, plane.run, [plane.flow.x])


def test_paths_without_positions_are_refused(plane):
    paths = bea.constrained_paths(
        None, plane.found.sde.diffusion, plane.found.zero_loss_set, plane.start, 0.01, 2, 3
    )
    with pytest.raises(ValueError, match="the random paths kept no positions"):
        noise_cloud(plane.found, plane.run, paths)


@pytest.mark.parametrize("moments", [0, 41, 2.0, True])
def test_a_wrong_number_of_moments_is_refused(plane, moments):
    with pytest.raises(ValueError, match="moments must be an integer between 1 and 40"):
        noise_cloud(plane.found, plane.run, moments=moments)


def test_wrong_numbers_of_animations_are_refused(plane):
    with pytest.raises(ValueError, match="frames must be a positive integer, not 0"):
        noise_animation(plane.found, plane.run, frames=0)
    with pytest.raises(ValueError, match="interval must be a positive number of milliseconds, not -1"):
        noise_animation(plane.found, plane.run, interval=-1)


def test_wrong_arguments_of_clocks_are_refused(clock_runs, plane):
    found, runs, limit = clock_runs
    with pytest.raises(ValueError, match="no statistic 'mean': it has 'product'"):
        noise_clocks(found, runs, "mean")
    with pytest.raises(ValueError, match="no statistic 'product': it has none"):
        noise_clocks(plane.found, plane.run, "product")
    with pytest.raises(ValueError, match="at least one ensemble"):
        noise_clocks(found, [], "product")
    with pytest.raises(ValueError, match="the confidence must lie between 0 and 1, not 95"):
        noise_clocks(found, runs, "product", confidence=95)
    with pytest.raises(ValueError, match="two vectors of one length, not of shapes"):
        noise_clocks(found, runs, "product", (limit[0], limit[1][1:]))
    with pytest.raises(TypeError, match="or a pair of times and values, not list"):
        noise_clocks(found, runs, "product", [0.0, 1.0])
    with pytest.raises(ValueError, match="two axes, not on 1"):
        noise_clocks(found, runs, "product", axes=plt.subplots()[1])
    with pytest.raises(TypeError, match=r"an ensemble must be a result of bea.ensemble, not str"):
        noise_clocks(found, "runs", "product")
    still = bea.limit(bea.noise.dropconnect(bea.Loss("(1 - a*b)**2/2", variables="a b")))
    with pytest.raises(ValueError, match="the limit is uncovered: it has no time scale"):
        noise_clocks(still, runs, "product", limit)
