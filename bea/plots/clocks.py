"""Clocks of noisy descent: the same mean for several step sizes and variances, on two time scales."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from scipy.stats import norm

from bea.modified.noise_limit import Limit
from bea.numerics.constrained_sde import ConstrainedEnsemble
from bea.numerics.ensemble_result import Ensemble
from bea.plots.noise import LIMIT, SCALES, clock_name, clock_times, require_descent, require_limit
from bea.plots.style import axes_or_new, order_colour, styled, tints

__all__ = ["noise_clocks"]

Values = Sequence[float] | np.ndarray


@styled
def noise_clocks(
    found: Limit,
    runs: Ensemble | Sequence[Ensemble],
    statistic: str,
    limit: ConstrainedEnsemble | tuple[Values, Values] | None = None,
    *,
    confidence: float = 0.95,
    label: str | None = None,
    axes: Sequence[Axes] | np.ndarray | None = None,
) -> np.ndarray:
    r"""Draw a mean of several ensembles against steps × ασ² and against steps × α²σ², side by side.

    On the right scale the curves come together as α and σ become small.

    Parameters
    ----------
    found : Limit
        What `bea.limit` returns for the noisy loss.
    runs : Ensemble or sequence of Ensemble
        What `bea.ensemble` returns for it, for several step sizes α and deviations σ, with ``record_every``
        and the statistic among its ``statistics``.
    statistic : str
        The name of the statistic.
    limit : ConstrainedEnsemble or pair of arrays, optional
        The limit: what `bea.constrained_paths` returns with the same statistic, or times and values. It is
        drawn on its scale.
    confidence : float, default 0.95
        The level of the pointwise intervals, for the mean of each ensemble.
    label : str, optional
        What to write at the vertical axis; by default the name of the statistic.
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.

    Returns
    -------
    numpy.ndarray of two matplotlib.axes.Axes
        Those for ασ² and for α²σ².

    Raises
    ------
    ValueError
        If a run lacks the statistic, the limit has no scale, or a number is out of range.
    TypeError
        If an argument is of another kind.

    Examples
    --------
    >>> import bea
    >>> noisy = bea.noise.dropconnect(bea.catalogue.sum_of_products(n=2))
    >>> found, start = bea.limit(noisy), [1.6, 0.4, 0.5, 0.5]
    >>> runs = [
    ...     bea.ensemble(noisy, start, alpha, round(1 / alpha**2), 400, sigma=alpha**0.5,
    ...                  record_every=10, statistics={"product": "a1*b1"}) for alpha in (0.05, 0.1)]
    >>> flow = bea.constrained_flow(found.field, noisy.zero_loss_set, start, (0, 1), t_eval=[0, 0.5, 1])
    >>> left, right = bea.plots.noise_clocks(found, runs, "product", (flow.t, flow.x[:, 0] * flow.x[:, 2]))
    >>> left.get_xlabel()
    '$\\alpha\\sigma^2 \\times$ steps'
    """
    require_limit(found)
    series = [runs] if isinstance(runs, Ensemble) else list(runs)
    if not series:
        raise ValueError("there must be at least one ensemble to draw")
    for run in series:
        require_descent(run)
        _require_statistic(run, statistic)
    if not isinstance(confidence, float) or not 0 < confidence < 1:
        raise ValueError(f"the confidence must lie between 0 and 1, not {confidence!r}")
    curve = None if limit is None else _read_limit(found, limit, statistic, confidence)

    scale = None if found.time_scale is None else SCALES[found.time_scale]
    panels = _two_axes(axes)
    series = sorted(series, key=lambda run: (run.step_size, run.sigma))
    for power, panel in enumerate(panels, start=1):
        for run, colour in zip(series, tints(order_colour(1), len(series)), strict=True):
            times = clock_times(run, power)
            name = rf"$\alpha = {run.step_size:.3g}$, $\sigma = {run.sigma:.3g}$"
            panel.plot(times, run.path.statistics[statistic], color=colour, label=name, gid="clock")
            band = _band(run, statistic, confidence)
            panel.fill_between(times, *band, color=colour, alpha=0.25, linewidth=0, gid="interval")
        own = power == scale
        if own and curve is not None:
            _draw_limit(panel, *curve)
        panel.set(xlabel=clock_name(power), title="the scale of the limit" if own else "the other scale")
        if found.time_scale is None:
            panel.set_title("no scale of a limit")
    panels[0].set_ylabel(statistic if label is None else label)
    panels[1 if scale is None else scale - 1].legend(title=f"mean, intervals of {100 * confidence:g} %")
    return panels


def _two_axes(axes: Sequence[Axes] | np.ndarray | None) -> np.ndarray:
    if axes is None:
        return plt.subplots(1, 2, figsize=(8.8, 3.4), layout="constrained", sharey=True)[1]
    pair = list(np.ravel(np.asarray(axes, dtype=object)))
    if len(pair) != 2:
        raise ValueError(f"clocks are drawn on two axes, not on {len(pair)}")
    return np.array([axes_or_new(ax, (0, 0)) for ax in pair], dtype=object)


def _band(run: Ensemble, statistic: str, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the confidence intervals for the mean of a statistic, by the normal law."""
    mean, variance = run.path.statistics[statistic], run.path.variances[statistic]
    half = norm.ppf((1 + confidence) / 2) * np.sqrt(variance / np.maximum(run.path.count, 1))
    return mean - half, mean + half


Curve = tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray] | None]


def _read_limit(found: Limit, limit: object, statistic: str, confidence: float) -> Curve:
    """Times and values of the limit, and intervals where it was sampled."""
    if found.time_scale is None:
        raise ValueError(f"the limit is {found.kind}: it has no time scale on which it could be drawn")
    if isinstance(limit, ConstrainedEnsemble):
        _require_statistic(limit, statistic)
        return limit.path.t, limit.path.statistics[statistic], _band(limit, statistic, confidence)
    if not isinstance(limit, tuple) or len(limit) != 2:
        raise TypeError(
            "the limit is a result of bea.constrained_paths or a pair of times and values, "
            f"not {type(limit).__name__}"
        )
    times, values = (np.asarray(part, dtype=float) for part in limit)
    if times.ndim != 1 or times.shape != values.shape:
        raise ValueError(
            "times and values of the limit must be two vectors of one length, "
            f"not of shapes {times.shape} and {values.shape}"
        )
    return times, values, None


def _draw_limit(
    ax: Axes, times: np.ndarray, values: np.ndarray, band: tuple[np.ndarray, np.ndarray] | None
) -> None:
    ax.plot(times, values, label="limit", gid="limit", **LIMIT)
    if band is not None:
        ax.fill_between(times, *band, color="0.5", alpha=0.3, linewidth=0, gid="limit-interval")


def _require_statistic(run: Ensemble, statistic: str) -> None:
    names = ", ".join(repr(name) for name in run.path.statistics) or "none"
    if statistic not in run.path.statistics:
        raise ValueError(f"an ensemble has no statistic {statistic!r}: it has {names}")
