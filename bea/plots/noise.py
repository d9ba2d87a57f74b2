"""Clouds of replicas of noisy descent, which move along the zero-loss set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy
from matplotlib import colormaps
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap

from bea.modified.noise_limit import Limit
from bea.numerics.constrained import ConstrainedFlow
from bea.numerics.constrained_sde import ConstrainedEnsemble
from bea.numerics.ensemble_result import Ensemble
from bea.plots.phase import draw_background
from bea.plots.plane import Limits, read_limits
from bea.plots.style import GAMMA, START, axes_or_new, order_colour, styled
from bea.plots.zero_curve import draw_zero_loss_set
from bea.plots.zero_space import zero_loss_facets, zero_loss_lines
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = [
    "CLOUD",
    "LIMIT",
    "MEAN",
    "SCALES",
    "Path",
    "clock_name",
    "clock_times",
    "cloud_stage",
    "elapsed",
    "moment_colours",
    "noise_cloud",
    "recorded_replicas",
    "require_descent",
    "require_limit",
    "within",
]

#: A solution of the limit, as `bea.constrained_flow` and `bea.constrained_paths` return it.
Path = ConstrainedFlow | ConstrainedEnsemble

#: The powers of α in the time scales of limits.
SCALES = {"1/(alpha*sigma**2)": 1, "1/(alpha**2*sigma**2)": 2}

#: What is discrete is vermilion, as are modified flows; the limit is black.
MEAN: dict[str, Any] = {"color": order_colour(1), "linewidth": 2.0, "zorder": 4.5}
LIMIT: dict[str, Any] = {"color": "black", "linewidth": 1.3, "linestyle": (0, (4, 2)), "zorder": 4.8}
RANDOM_LIMIT: dict[str, Any] = {"color": "black", "linewidth": 0.7, "alpha": 0.8, "zorder": 3.2}
CLOUD: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 2.8, "markeredgewidth": 0.0}

#: A surface, seen through, and its cuts with planes.
SURFACE: dict[str, Any] = {"linewidth": 0.0, "antialiased": False, "zorder": 1.2}
MESH: dict[str, Any] = {"color": "0.7", "linewidth": 0.5, "zorder": 1.5}

#: The shortest side of a box in space that is not given, as a share of the longest.
SLIMMEST = 0.4

#: Where the light comes from that falls on a surface.
LIGHT = np.array([-0.4, -0.5, 0.77])


@styled
def noise_cloud(
    found: Limit,
    run: Ensemble,
    paths: Path | Sequence[Path] = (),
    *,
    moments: int = 4,
    xlim: Sequence[float] | None = None,
    ylim: Sequence[float] | None = None,
    zlim: Sequence[float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    r"""Draw the zero-loss set with the replicas of an ensemble at several times, their mean, and the limit.

    Parameters
    ----------
    found : Limit
        What `bea.limit` returns for a noisy loss of two or three variables. Its time scale is the clock.
    run : Ensemble
        What `bea.ensemble` returns for the noisy loss, with ``record_every`` and ``record_replicas``.
    paths : ConstrainedFlow, ConstrainedEnsemble or sequence of these, optional
        The limit: what `bea.constrained_flow` returns, or `bea.constrained_paths` with ``record_replicas``.
    moments : int, default 4
        At how many recorded times the cloud is drawn, spaced evenly, the last one among them.
    xlim, ylim, zlim : (float, float), optional
        The window; by default it holds everything. The last is for three variables.
    ax : matplotlib.axes.Axes or mpl_toolkits.mplot3d.Axes3D, optional
        Where to draw, in three dimensions for three variables; by default in a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If there are neither two nor three variables, no replicas were recorded, or something does not fit.
    TypeError
        If an argument is of another kind.

    Notes
    -----
    A zero-loss surface is drawn by its cuts with planes across the axes. The mean is over all replicas of the
    ensemble, also those that were not recorded.

    Examples
    --------
    >>> import bea
    >>> noisy = bea.noise.label_noise(bea.catalogue.two_parameter())
    >>> found, start = bea.limit(noisy), [2.0, 0.3]
    >>> run = bea.ensemble(
    ...     noisy, start, 0.1, 2000, 100, sigma=0.3, record_every=20, record_replicas=range(50))
    >>> flow = bea.constrained_flow(found.field, noisy.zero_loss_set, start, (0.0, 1.8))
    >>> ax = bea.plots.noise_cloud(found, run, flow)
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('$a$', '$b$')
    """
    replicas = recorded_replicas(found, run)
    if isinstance(moments, bool) or not isinstance(moments, int) or not 1 <= moments < len(replicas):
        raise ValueError(
            f"moments must be an integer between 1 and {len(replicas) - 1}, the number of recorded times "
            f"after the start, not {moments!r}"
        )
    ax = cloud_stage(found, run, paths, (xlim, ylim, zlim), ax)
    rows = np.linspace(0, len(replicas) - 1, moments + 1).round().astype(int)[1:]
    colours = moment_colours(moments)
    for row, colour in zip(rows, colours, strict=True):
        ax.plot(*within(ax, replicas[row]).T, color=colour, zorder=3.0, gid="cloud", **CLOUD)
    mean = within(ax, run.path.mean)
    ax.plot(*mean.T, label="mean", gid="mean", **MEAN)
    ax.plot(*mean[:1].T, gid="start", **START)
    times, name = elapsed(found, run)
    _add_times(ax, colours, times[rows], name)
    ax.legend(**({"loc": "upper left", "frameon": False} if hasattr(ax, "zaxis") else {}))
    return ax


# -- what clouds and their animation share ----------------------------------------------------------------


def recorded_replicas(found: Limit, run: Ensemble) -> np.ndarray:
    """The recorded states of replicas, of shape (K, r, d), or a sentence that says why there are none."""
    require_limit(found)
    require_descent(run)
    d = found.noisy.dimension
    if d not in (2, 3):
        raise ValueError(f"a cloud is drawn in two or three variables, but the noisy loss has {d}")
    if run.final.shape[1] != d:
        raise ValueError(f"the ensemble is in {run.final.shape[1]} variables, but the noisy loss has {d}")
    replicas = run.path.replicas
    if replicas.shape[1] == 0:
        raise ValueError("the ensemble kept no positions: run bea.ensemble with record_replicas=range(200)")
    if len(replicas) < 2:
        raise ValueError("the ensemble was recorded at its start alone: run bea.ensemble with more steps")
    return replicas


def cloud_stage(
    found: Limit,
    run: Ensemble,
    paths: Path | Sequence[Path],
    limits: Sequence[Sequence[float] | None],
    ax: Axes | None,
) -> Any:
    """Axes with the zero-loss set and the limit, wide enough for the recorded replicas."""
    noisy, d = found.noisy, found.noisy.dimension
    lines = _limit_lines(paths, d)
    if d == 2 and limits[2] is not None:
        raise ValueError("zlim is for three variables, but the noisy loss has 2")
    box = _box([run.path.replicas.reshape(-1, d), run.path.mean, *lines], limits[:d])
    stage: Any = _space(ax) if d == 3 else _plane(ax)
    if d == 3:
        _draw_set_in_space(stage, found.zero_loss_set, box)
    else:
        draw_background(stage, noisy.loss, *box, streamlines=False)
        draw_zero_loss_set(stage, noisy.loss, *box)
    stage.set(xlim=box[0], ylim=box[1])
    style, name = (RANDOM_LIMIT, "paths of the limit") if len(lines) > 1 else (LIMIT, "limit")
    for i, line in enumerate(lines):
        stage.plot(*within(stage, line).T, label=name if i == 0 else None, gid="limit", **style)
    for axis, variable in zip("xyz", noisy.variables, strict=False):
        stage.set(**{f"{axis}label": f"${sympy.latex(variable)}$"})
    return stage


def _draw_set_in_space(ax: Any, zeros: ZeroLossSet, box: Sequence[Limits]) -> None:
    """Γ as a surface that lets what is behind it be seen, or as a curve."""
    facets = zero_loss_facets(zeros, box)
    if len(facets):
        normals = np.cross(facets[:, 1] - facets[:, 0], facets[:, 2] - facets[:, 0])
        lengths = np.maximum(np.linalg.norm(normals, axis=1), np.finfo(float).tiny)
        tone = 0.78 + 0.2 * np.abs(normals @ LIGHT) / lengths
        corners = np.arange(3 * len(facets)).reshape(-1, 3)
        surface = ax.plot_trisurf(
            *facets.reshape(-1, 3).T, triangles=corners, shade=False, gid="zero-loss-surface", **SURFACE
        )
        surface.set_facecolor(np.stack([0.94 * tone, 0.97 * tone, tone, np.full_like(tone, 0.5)], axis=1))
    style = GAMMA if zeros.dimension == 1 else MESH
    for i, line in enumerate(zero_loss_lines(zeros, box)):
        ax.plot(*line.T, label=r"zero-loss set $\Gamma$" if i == 0 else None, gid="zero-loss-set", **style)
    ax.set_zlim(box[2])
    sides = np.ptp(box, axis=1)
    ax.set_box_aspect(sides, zoom=1.1)
    for axis, side in zip("xyz", sides, strict=True):
        ax.locator_params(axis=axis, nbins=max(2, round(5 * side / sides.max())))


def within(ax: Any, points: np.ndarray) -> np.ndarray:
    """The points of shape (n, d) that the window holds, the others not a number: space does not clip."""
    limits = [getattr(ax, f"get_{axis}lim")() for axis in "xyz"[: points.shape[1]]]
    low, high = np.array(limits).T
    return np.where(((points < low) | (points > high)).any(axis=1, keepdims=True), np.nan, points)


def elapsed(found: Limit, run: Ensemble) -> tuple[np.ndarray, str]:
    """The recorded times in the unit of the limit, or steps where it has none, and what they are called."""
    if found.time_scale is None:
        return run.path.steps, "steps"
    power = SCALES[found.time_scale]
    return clock_times(run, power), clock_name(power)


def clock_times(run: Ensemble, power: int) -> np.ndarray:
    """The recorded steps × α^power σ²."""
    sigma = 0.0 if run.sigma is None else run.sigma
    return run.path.steps * run.step_size**power * sigma**2


def clock_name(power: int) -> str:
    """The name of the time α^power σ² × steps, in LaTeX."""
    return rf"$\alpha{'' if power == 1 else '^2'}\sigma^2 \times$ steps"


def moment_colours(count: int) -> list[tuple[float, ...]]:
    """Colours for times, from light to dark; the last is always the same."""
    return [tuple(colour) for colour in colormaps["viridis_r"](np.linspace(0.9, 0.12, count)[::-1])]


def _add_times(ax: Axes, colours: Sequence[Any], times: np.ndarray, name: str) -> None:
    """A bar that says which colour is which time."""
    edges = np.arange(len(colours) + 1)
    mappable = ScalarMappable(BoundaryNorm(edges, len(colours)), ListedColormap(colours))
    place: dict[str, Any] = (
        {"shrink": 0.5, "pad": 0.1, "aspect": 16} if hasattr(ax, "zaxis") else {"pad": 0.03}
    )
    bar = ax.figure.colorbar(mappable, ax=ax, label=f"time: {name}", **place)
    bar.set_ticks(list(edges[:-1] + 0.5), labels=[f"{t:.2g}" if t < 10 else f"{t:.0f}" for t in times])
    bar.ax.tick_params(length=0)


def _limit_lines(paths: Path | Sequence[Path], d: int) -> list[np.ndarray]:
    """Solutions of the limit, each of shape (n, d)."""
    lines: list[np.ndarray] = []
    for path in [paths] if isinstance(paths, Path) else list(paths):
        if not isinstance(path, Path):
            raise TypeError(
                "paths are results of bea.constrained_flow or bea.constrained_paths, "
                f"not {type(path).__name__}"
            )
        if isinstance(path, ConstrainedFlow):
            lines.append(path.x)
        elif path.path.replicas.shape[1] == 0:
            raise ValueError(
                "the random paths kept no positions: run bea.constrained_paths with record_replicas=range(5)"
            )
        else:
            lines += list(path.path.replicas.swapaxes(0, 1))
    for line in lines:
        if line.shape[1] != d:
            raise ValueError(f"a path is in {line.shape[1]} variables, but the noisy loss has {d}")
    return lines


def _box(clouds: Sequence[np.ndarray], limits: Sequence[Sequence[float] | None]) -> list[Limits]:
    """The limits asked for, and where none are, the smallest that hold all finite points, with a margin.

    In space, where all axes have one scale, no side is much shorter than the others.
    """
    points = np.concatenate(clouds)
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    sides = 1.16 * (high - low)
    least = SLIMMEST * sides.max() if len(limits) == 3 else 0.0
    sides = np.maximum(sides, least)
    sides = np.where(sides > 0, sides, 0.2 * np.abs(low) + 0.1)
    middle = (low + high) / 2
    names = ("xlim", "ylim", "zlim")
    return [
        (float(m - s / 2), float(m + s / 2)) if given is None else read_limits(given, name)
        for given, name, m, s in zip(limits, names, middle, sides, strict=False)
    ]


def _plane(ax: Axes | None) -> Axes:
    """The given axes, or new ones, in two dimensions."""
    if hasattr(ax, "zaxis"):
        raise ValueError("ax must be axes in two dimensions, since the noisy loss has two variables")
    return axes_or_new(ax, (5.4, 3.9))


def _space(ax: Axes | None) -> Any:
    """The given axes, or new ones, in three dimensions, on which later artists hide earlier ones."""
    if ax is None:
        figure = plt.figure(figsize=(5.8, 4.6), layout="constrained")
        ax = figure.add_subplot(projection="3d")
    space: Any = axes_or_new(ax, (0, 0))
    if not hasattr(space, "zaxis"):
        raise ValueError('ax must be axes with projection="3d", since the noisy loss has three variables')
    space.computed_zorder = False
    space.grid(visible=False)
    for axis in (space.xaxis, space.yaxis, space.zaxis):
        axis.set_pane_color("none")
    return space


def require_limit(found: object) -> None:
    """Refuse what is no limit."""
    if not isinstance(found, Limit):
        raise TypeError(f"found must be a result of bea.limit, not {type(found).__name__}")


def require_descent(run: object) -> None:
    """Refuse what is no ensemble of noisy descent."""
    if not isinstance(run, Ensemble) or isinstance(run, ConstrainedEnsemble):
        raise TypeError(f"an ensemble must be a result of bea.ensemble, not {type(run).__name__}")
