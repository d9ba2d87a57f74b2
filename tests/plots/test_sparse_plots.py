"""Pictures of descent on diagonal networks show the numbers of their results."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

import bea
from bea.plots import coordinate_paths, error_path, phase_diagram, sparse_theorem, stopping_windows

SETTING = {"depth": 2, "alpha": 0.005, "step_size": 0.01, "steps": 3000}


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def data():
    return bea.sparse.problem(100, 200, signal=[1, -1, 2], noise=0.5, rng=2)


@pytest.fixture(scope="module")
def run(data):
    return bea.sparse.descend(data, **SETTING)


def window(data, **changed):
    setting = {**SETTING, **changed}
    return bea.sparse.early_stopping_window(data.X, data.y, data.w_star, **setting)


def drawn(ax, gid):
    return [line for line in ax.get_lines() if line.get_gid() == gid]


def share(a, b, trial):
    return {"share": float(a * 10 + b > 20 + trial), "vector": np.arange(2)}


@pytest.fixture(scope="module")
def result():
    grid = {"a": [1, 2, 3], "b": [0.5, 1.5], "trial": [0, 10]}
    return bea.sweep(share, grid, progress=False)


def test_paths_are_the_coordinates(run, data):
    ax = coordinate_paths(run, data)
    for line, path in zip(drawn(ax, "path"), run.paths.T, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), path)
    assert [line.get_ydata()[0] for line in drawn(ax, "truth")] == [1, -1, 2]
    assert not drawn(coordinate_paths(run), "truth")


def test_many_paths_have_no_legend(data):
    many = bea.sparse.descend(data, **{**SETTING, "steps": 10}, coordinates=range(20))
    assert coordinate_paths(many).get_legend() is None


def test_the_window_is_shaded(run, data):
    found = window(data)
    ax = error_path(run, found)
    (shade,) = [patch for patch in ax.patches if patch.get_gid() == "window"]
    assert shade.get_x() == found.start
    assert shade.get_x() + shade.get_width() == found.stop
    (line,) = drawn(ax, "error")
    np.testing.assert_array_equal(line.get_ydata(), run.l2_error[1:])
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_a_window_without_an_end_reaches_to_that_of_the_run(run, data):
    open_ended = window(data, threshold=1e6)
    assert open_ended.stop is None
    (shade,) = error_path(run, open_ended).patches
    assert shade.get_x() + shade.get_width() == run.t[-1]


def test_an_empty_window_is_not_shaded(run, data):
    empty = window(data, threshold=1e-4)
    assert empty.width < 0
    assert not error_path(run, empty).patches


def test_windows_stand_at_their_alpha(data):
    found = [window(data, alpha=alpha) for alpha in (0.01, 0.001)] + [window(data, steps=2)]
    ax = stopping_windows(found)
    (start,), (stop,) = drawn(ax, "start"), drawn(ax, "stop")
    np.testing.assert_allclose(start.get_xdata(), [0.001, 0.01])
    np.testing.assert_allclose(start.get_ydata(), [0.01 * w.start for w in found[1::-1]])
    np.testing.assert_allclose(stop.get_ydata(), [0.01 * w.stop for w in found[1::-1]])
    assert start.get_label() == "$N = 2$ (1 without an end)"


@pytest.mark.parametrize(("x", "y"), [("a", "b"), ("b", "a")])
def test_cells_are_means_over_the_other_axes(result, x, y):
    ax = phase_diagram(result, x, y, "share")
    cells = np.asarray(ax.collections[0].get_array())
    expected = [
        [np.mean([a * 10 + b > 20 + trial for trial in (0, 10)]) for a in (1, 2, 3)] for b in (0.5, 1.5)
    ]
    np.testing.assert_array_equal(cells, expected if x == "a" else np.transpose(expected))
    labels = [tick.get_text() for tick in ax.get_xticklabels()]
    assert labels == (["1", "2", "3"] if x == "a" else ["0.5", "1.5"])


def test_given_axes_are_used(run, data, result):
    before = dict(mpl.rcParams)
    figure, axes = plt.subplots(1, 4)
    assert coordinate_paths(run, ax=axes[0]) is axes[0]
    assert error_path([run, run], ax=axes[1]) is axes[1]
    assert stopping_windows([window(data)], ax=axes[2]) is axes[2]
    assert phase_diagram(result, "a", "b", "share", ax=axes[3]) is axes[3]
    assert plt.get_fignums() == [figure.number]
    assert dict(mpl.rcParams) == before


def test_wrong_arguments_are_refused(run, result):
    with pytest.raises(TypeError, match=r"run must be a result of bea.sparse.descend, not list"):
        coordinate_paths([run])
    with pytest.raises(
        TypeError, match=r"window must be a result of bea.sparse.early_stopping_window, not int"
    ):
        error_path(run, 3)
    with pytest.raises(ValueError, match="at least one run"):
        error_path([])
    with pytest.raises(ValueError, match="at least one window"):
        stopping_windows([])
    with pytest.raises(TypeError, match="window must be a result"):
        stopping_windows([run])
    with pytest.raises(TypeError, match=r"result must be a result of bea.sweep, not dict"):
        phase_diagram({}, "a", "b", "share")
    with pytest.raises(ValueError, match="no axis 'c'; it has a, b, trial"):
        phase_diagram(result, "a", "c", "share")
    with pytest.raises(ValueError, match="two parameters, not 'a' twice"):
        phase_diagram(result, "a", "a", "share")
    with pytest.raises(ValueError, match="one number for each task"):
        phase_diagram(result, "a", "b", "vector")
    with pytest.raises(KeyError, match="no task returned"):
        phase_diagram(result, "a", "b", "nothing")


def test_a_window_that_is_open_at_the_last_step_has_no_end():
    ends = {"start": np.array([10.0, 20.0, 100.0]), "stop": np.array([50.0, 100.0, 60.0])}
    _, ax = plt.subplots()
    sparse_theorem._windows(ax, 100, {2: ends})
    shown = {line.get_marker(): list(line.get_ydata()) for line in ax.get_lines() if len(line.get_xdata())}
    assert shown["o"] == [10, 20]
    assert shown["^"] == [50, 60]
