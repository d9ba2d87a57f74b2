"""The cloud of noisy descent in motion."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.axes import Axes

from bea.modified.noise_limit import Limit
from bea.numerics.ensemble_result import Ensemble
from bea.plots.noise import CLOUD, MEAN, Path, cloud_stage, elapsed, moment_colours, recorded_replicas, within
from bea.plots.style import START, styled

__all__ = ["noise_animation"]

#: Size in inches of new figures, and dots per inch: few, since every frame is stored.
SIZE, DPI = (5.2, 4.0), 80


@styled
def noise_animation(
    found: Limit,
    run: Ensemble,
    paths: Path | Sequence[Path] = (),
    *,
    frames: int = 40,
    interval: float = 100.0,
    xlim: Sequence[float] | None = None,
    ylim: Sequence[float] | None = None,
    zlim: Sequence[float] | None = None,
    ax: Axes | None = None,
) -> FuncAnimation:
    r"""Animate the replicas of an ensemble as they move along the zero-loss set, with their mean.

    Parameters
    ----------
    found, run, paths, xlim, ylim, zlim
        As in `noise_cloud`.
    frames : int, default 40
        The number of frames, spaced evenly over the recorded times; fewer where there are fewer of these.
    interval : float, default 100
        Milliseconds between frames.
    ax : matplotlib.axes.Axes or mpl_toolkits.mplot3d.Axes3D, optional
        Where to draw; by default in a new figure of few dots.

    Returns
    -------
    matplotlib.animation.FuncAnimation
        In a notebook, ``IPython.display.HTML(animation.to_jshtml())`` shows it with buttons to play and stop;
        ``matplotlib.pyplot.close()`` before that keeps the notebook from showing the figure as well.

    Raises
    ------
    ValueError, TypeError
        As `noise_cloud`, and if the number of frames or the interval is not positive.

    Examples
    --------
    >>> import bea
    >>> noisy = bea.noise.label_noise(bea.catalogue.two_parameter())
    >>> found, start = bea.limit(noisy), [2.0, 0.3]
    >>> run = bea.ensemble(
    ...     noisy, start, 0.1, 2000, 100, sigma=0.3, record_every=20, record_replicas=range(50))
    >>> film = bea.plots.noise_animation(found, run, frames=3)
    >>> page = film.to_jshtml()
    >>> page.count("data:image/png;base64"), len(page) < 200_000
    (3, True)
    """
    replicas = recorded_replicas(found, run)
    if isinstance(frames, bool) or not isinstance(frames, int) or frames < 1:
        raise ValueError(f"frames must be a positive integer, not {frames!r}")
    if isinstance(interval, bool) or not isinstance(interval, Real) or not 0 < interval < np.inf:
        raise ValueError(f"interval must be a positive number of milliseconds, not {interval!r}")
    stage = cloud_stage(found, run, paths, (xlim, ylim, zlim), ax)
    if ax is None:
        stage.figure.set(dpi=DPI, size_inches=SIZE)
    rows = np.unique(np.linspace(0, len(replicas) - 1, frames).round().astype(int))
    times, name = elapsed(found, run)
    (colour,) = moment_colours(1)
    (cloud,) = stage.plot(*replicas[0].T, color=colour, zorder=3.0, gid="cloud", **CLOUD)
    mean = within(stage, run.path.mean)
    (trail,) = stage.plot(*mean[:1].T, label="mean", gid="mean", **MEAN)
    stage.plot(*mean[:1].T, gid="start", **START)
    stage.legend(**({"loc": "upper left", "frameon": False} if hasattr(stage, "zaxis") else {}))
    title = stage.set_title(" ")
    digits = 0 if name == "steps" else max(0, 2 - int(np.floor(np.log10(times[-1]))))

    def draw(row: int) -> tuple[Any, ...]:
        _move(cloud, within(stage, replicas[row]))
        _move(trail, mean[: row + 1])
        title.set_text(f"{name} = {times[row]:.{digits}f}")
        return cloud, trail, title

    return FuncAnimation(stage.figure, draw, frames=rows.tolist(), interval=float(interval))


def _move(line: Any, points: np.ndarray) -> None:
    """Give a line other points, of shape (n, 2) or (n, 3)."""
    if points.shape[1] == 3:
        line.set_data_3d(*points.T)
    else:
        line.set_data(*points.T)
