"""Loss surfaces: colours stand for values, also near zero, and the difference is that of the two losses."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

import bea
from bea.plots.surface import loss_surface

WINDOW = (-2.0, 2.0)


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def loss():
    return bea.Loss("(1 - a*b)**2 / 2", variables="a b")


def modified(loss, scheme):
    return bea.modified_equation(loss, scheme, order=1).loss.truncate(1).with_parameters(h=0.1)


def filled(ax):
    return next(c for c in ax.collections if getattr(c, "filled", False))


def test_the_levels_are_those_of_the_loss(loss):
    ax = loss_surface(loss, WINDOW, WINDOW)
    contours = filled(ax)
    assert contours.zmax == pytest.approx(25 / 2)  # at (2, −2)
    ratios = contours.levels[1:] / contours.levels[:-1]
    np.testing.assert_allclose(ratios, ratios[0])
    assert ax.figure.axes[1].get_ylabel() == "$E(a, b)$"


def test_the_difference_is_the_regularizer(loss):
    contours = filled(loss_surface(loss, WINDOW, WINDOW, modified=modified(loss, bea.GradientDescent())))
    assert contours.zmax == pytest.approx(0.1 / 4 * 8 * 25)  # (h/4)(a² + b²)(ab − 1)² at (2, −2)
    assert contours.zmin >= 0


def test_implicit_euler_has_the_opposite_sign(loss):
    contours = filled(
        loss_surface(loss, WINDOW, WINDOW, modified=modified(loss, bea.schemes.ImplicitEuler()))
    )
    assert contours.zmin == pytest.approx(-0.1 / 4 * 8 * 25)
    assert contours.levels.max() < 0


def test_both_signs_share_a_scale_with_zero_in_the_middle():
    ax = loss_surface(bea.Loss("x*y", variables="x y"), WINDOW, WINDOW)
    norm = filled(ax).norm
    assert norm(0.0) == pytest.approx(0.5)
    assert norm(-1.0) == pytest.approx(1 - norm(1.0))


def test_the_zero_loss_set_has_the_lowest_colour(loss):
    contours = filled(loss_surface(loss, WINDOW, WINDOW))
    assert contours.norm.vmin > 0
    assert contours.extend == "min"
    assert contours.zmin < contours.levels[0]


def test_the_zero_loss_set_is_drawn(loss):
    ax = loss_surface(loss, WINDOW, WINDOW)
    a, b = np.concatenate([c.get_xydata() for c in ax.get_lines() if c.get_gid() == "zero-loss-set"]).T
    np.testing.assert_allclose(a * b, 1, rtol=1e-12)


@pytest.mark.parametrize("with_modified", [False, True])
def test_in_space_the_height_is_the_loss(loss, with_modified, monkeypatch):
    figure = plt.figure()
    space = figure.add_subplot(projection="3d")
    surfaces = []
    draw = space.plot_surface
    monkeypatch.setattr(space, "plot_surface", lambda *xyz, **kw: surfaces.append(xyz) or draw(*xyz, **kw))
    other = modified(loss, bea.GradientDescent()) if with_modified else None
    assert loss_surface(loss, WINDOW, WINDOW, modified=other, ax=space) is space
    figure.canvas.draw()
    ((x, y, z),) = surfaces
    np.testing.assert_allclose(z, (1 - x * y) ** 2 / 2, atol=1e-12)
    assert space.get_zlabel() == "$E(a, b)$"
    assert plt.get_fignums() == [figure.number]


def test_a_loss_of_zero_everywhere_is_drawn(loss):
    loss_surface(loss, WINDOW, WINDOW, modified=loss).figure.canvas.draw()


def test_it_draws_on_the_axes_it_is_given(loss):
    figure, ax = plt.subplots()
    before = dict(mpl.rcParams)
    assert loss_surface(loss, WINDOW, WINDOW, ax=ax) is ax
    assert plt.get_fignums() == [figure.number]
    assert dict(mpl.rcParams) == before


def test_wrong_arguments_are_refused(loss):
    with pytest.raises(ValueError, match="two variables, but this one has 3"):
        loss_surface(bea.Loss("x*y*z", variables="x y z"), WINDOW, WINDOW)
    with pytest.raises(TypeError, match="takes a Loss, not VectorField"):
        loss_surface(loss.field, WINDOW, WINDOW)
    with pytest.raises(ValueError, match="ylim must be two finite increasing numbers"):
        loss_surface(loss, WINDOW, (0, np.inf))
    with pytest.raises(ValueError, match="same variables a and b"):
        loss_surface(loss, WINDOW, WINDOW, modified=bea.Loss("x*y", variables="x y"))
    without_h = bea.modified_equation(loss, bea.GradientDescent(), order=1).loss.truncate(1)
    with pytest.raises(ValueError, match="no value for parameter 'h'"):
        loss_surface(loss, WINDOW, WINDOW, modified=without_h)
