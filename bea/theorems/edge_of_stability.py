"""Gradient descent at the edge of stability (Cohen et al. 2021 and 2025)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binom
from scipy.stats import t as student

from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.samples import mean_claim, share_claim

if TYPE_CHECKING:
    from bea.theorems.edge_runs import EdgeRun

__all__ = ["EdgeOfStability"]

#: 2/h, the edges at which descent is run.
EDGE = 20.0
EDGES = (14.0, 20.0, 28.0, 40.0)
MORE_EDGES = (14.0, 17.0, 20.0, 24.0, 28.0, 34.0, 40.0)
TIME = 160.0


class EdgeOfStability(Theorem):
    """The sharpness of a network that is trained by descent rises to 2/h and stays there."""

    name = "edge-of-stability"
    extra = "nets"
    title = "Descent at the edge of stability"
    statement = (
        r"Along the gradient flow of a network the sharpness $S$, the largest eigenvalue of $\nabla^2 E$, "
        r"rises far beyond $\frac{2}{h}$. Gradient descent of step size $h$ comes there too, but no further: "
        r"it oscillates along the leading eigenvector and stays near $S = \frac{2}{h}$, while the loss "
        r"rises in many steps but falls in the long run. The mean of the iterates follows the central flow "
        r"$\dot w = -\nabla E - \frac{\sigma^2}{2} \nabla S$, which holds $S$ at $\frac{2}{h}$, with "
        r"$\sigma^2 = \frac{2 \langle \nabla S, -\nabla E \rangle}{\|\nabla S\|^2}$ the variance of the "
        r"oscillation, as long as one eigenvalue alone is there."
    )
    references = (
        "J. Cohen, S. Kaur, Y. Li, J. Z. Kolter and A. Talwalkar (2021), Gradient descent on neural networks "
        "typically occurs at the edge of stability, International Conference on Learning Representations",
        "J. Cohen, A. Damian, A. Talwalkar, J. Z. Kolter and J. D. Lee (2025), Understanding optimization in "
        "deep learning with central flows, International Conference on Learning Representations",
        "M. Rosca, Y. Wu, C. Qin and B. Dherin (2023), On a continuous time model of gradient descent "
        "dynamics and instability in deep learning, Transactions on Machine Learning Research",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """A network of 61 parameters: over random starts, over step sizes, single steps, and controls."""
        from bea.theorems import edge_runs

        wanted = 5 if run.quick else 12
        drawn = 0
        starts: list[EdgeRun] = []
        seeds: list[int] = []
        while len(starts) < wanted and drawn < 3 * wanted:
            seed = int(run.rng.integers(2**31))
            start = edge_runs.edge_run(seed, 2 / EDGE, TIME)
            drawn += 1
            if start.sharpens:
                starts.append(start)
                seeds.append(seed)
        yield Claim(
            name="starts that sharpen to 2.2 times the edge; what follows is measured on these",
            predicted=f"{wanted} found",
            measured=f"{len(starts)} of {drawn} drawn",
            passed=len(starts) == wanted,
            detail="S passes 4.4/h along the gradient flow, and σ² > 0 for the last half of the time; "
            + _told(starts),
        )
        yield from _over_starts(starts)
        yield from _central(starts)
        yield from _loss(starts)
        edges = EDGES if run.quick else MORE_EDGES
        sizes = [starts[0] if e == EDGE else edge_runs.edge_run(seeds[0], 2 / e, TIME) for e in edges]
        run.data["runs"] = sizes
        yield from _over_step_sizes(sizes)
        halves = [edge_runs.plateau(seed, 1 / EDGE, 2 * TIME) for seed in seeds]
        yield from _half_step(seeds, halves, edge_runs)
        yield from _single_steps(run, starts, edge_runs)
        worst = [edge_runs.halved_variance(seed, 2 / EDGE, TIME) for seed in seeds]
        yield mean_claim(
            "control: with ½σ² in place of σ² the sharpness is not held: the largest, times h/2",
            worst,
            _told(starts),
            above=1.2,
            samples="starts",
        )

    def figure(self, run: Run) -> Any:
        """Sharpness, distance from the mean, and the variance of the oscillation."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(14, 4.5), layout="constrained")
        axes = figure.subplots(1, 3)
        _draw_sharpness(axes[0], run.data["runs"])
        _draw_distances(axes[1], run.data["runs"])
        _draw_steps(axes[2], run.data["steps"])
        return figure


def _told(runs: list[EdgeRun]) -> str:
    return (
        f"network of two hidden layers of 6 tanh units on a Chebyshev polynomial, 2/h = {2 / runs[0].h:g}, "
        f"to the time {TIME:g}"
    )


# -- over random starts ----------------------------------------------------------------------------------


def _over_starts(runs: list[EdgeRun]) -> Iterator[Claim]:
    told = _told(runs)
    yield mean_claim(
        "progressive sharpening: the largest sharpness along the gradient flow, times h/2",
        [run.flow_sharpness.max() * run.h / 2 for run in runs],
        told,
        above=1.2,
        samples="starts",
    )
    yield mean_claim(
        "descent: the mean sharpness on the plateau, times h/2",
        [run.late(run.sharpness).mean() * run.h / 2 for run in runs],
        f"{told}, the last three quarters of the time at the edge",
        near=(1.0, 0.05),
        samples="starts",
    )
    yield mean_claim(
        "control: the mean sharpness along the gradient flow over the same time is not at the edge",
        [run.late(run.flow_sharpness).mean() * run.h / 2 for run in runs],
        told,
        above=1.2,
        samples="starts",
    )


def _central(runs: list[EdgeRun]) -> Iterator[Claim]:
    """The central flow against the mean of the iterates."""
    told = f"{_told(runs)}, mean of the iterates in a Gaussian window of 20 steps"
    held = max(abs(run.central_sharpness[run.variance > 0] * run.h / 2 - 1).max() for run in runs)
    yield Claim(
        name="central flow: the sharpness stays at 2/h; the largest relative distance from it",
        predicted=0.0,
        measured=float(held),
        passed=held < 1e-8,
        detail=f"{len(runs)} starts; {_told(runs)}",
    )
    yield mean_claim(
        "logarithm of the distance of the gradient flow from the mean over that of the central flow",
        [np.log(_late_mean(run, run.gradient_flow) / _late_mean(run, run.central)) for run in runs],
        told,
        above=np.log(3),
        samples="starts",
    )
    ratios = [run.late(run.deviation**2).mean() / run.variance[run.settled :].mean() for run in runs]
    yield _median_claim(
        "variance of the oscillation along the leading eigenvector, over the σ² of the central flow",
        1.0,
        ratios,
        (0.8, 1.2),
        told,
    )
    yield _median_claim(
        "control: without the factor 2 in σ² that ratio would be 2", "not 2", ratios, (0.0, 1.5), told
    )


def _median_claim(
    name: str, predicted: float | str, values: Sequence[float], bounds: tuple[float, float], detail: str
) -> Claim:
    """That a median over starts lies between bounds: on some starts the oscillation pauses and returns.

    The interval is that of order statistics, of 99 % or the whole range of fewer than nine values.
    """
    ordered, middle = np.sort(values), float(np.median(values))
    k = max(int(binom.ppf(0.005, len(ordered), 0.5)) - 1, 0)
    return Claim(
        name=name,
        predicted=predicted,
        measured=middle,
        interval=(float(ordered[k]), float(ordered[-1 - k])),
        passed=bounds[0] < middle < bounds[1],
        detail=f"between {bounds[0]:g} and {bounds[1]:g}; {detail}; median of {len(ordered)} starts",
    )


def _late_mean(run: EdgeRun, path: np.ndarray) -> float:
    return float(run.distance(path)[run.settled :].mean())


def _loss(runs: list[EdgeRun]) -> Iterator[Claim]:
    told = _told(runs)
    yield _median_claim(
        "share of the steps on the plateau in which the loss rises",
        "above 0.1",
        [float(np.mean(np.diff(run.loss[run.settled :]) > 0)) for run in runs],
        (0.1, 1.0),
        told,
    )
    before = [np.mean(np.diff(run.loss[: run.onset // 2]) > 0) for run in runs]
    yield Claim(
        name="control: below the edge it never rises; the largest share of such steps",
        predicted=0.0,
        measured=float(max(before)),
        passed=max(before) == 0,
        detail=f"the first half of the time until the edge; {told}",
    )
    steepest = max(float(np.diff(np.log(run.central_loss)).max()) for run in runs)
    yield Claim(
        name="along the central flow the loss falls all the time: its largest relative change in a step",
        predicted="below 0",
        measured=steepest,
        passed=steepest < 0,
        detail=f"|⟨∇S, ∇E⟩| is at most ‖∇S‖ ‖∇E‖; {told}",
    )
    slowest = max(float(np.log(run.mean_loss[-1] / run.mean_loss[run.settled])) for run in runs)
    yield Claim(
        name="on the plateau the loss at the mean of the iterates falls: log of the last over the first",
        predicted="below 0",
        measured=slowest,
        passed=slowest < 0,
        detail=f"the largest of {len(runs)} starts; {told}",
    )


# -- over step sizes -------------------------------------------------------------------------------------


def _over_step_sizes(runs: list[EdgeRun]) -> Iterator[Claim]:
    """The plateau against h."""
    x = np.log([run.h for run in runs])
    y = np.log([run.late(run.sharpness).mean() for run in runs])
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    residual = y - y.mean() - slope * centred
    spread = np.sqrt(residual @ residual / (len(x) - 2) / (centred @ centred))
    half = float(student.ppf(0.995, len(x) - 2) * spread)
    yield Claim(
        name="the sharpness on the plateau is h to the power",
        predicted=-1,
        measured=slope,
        interval=(slope - half, slope + half),
        passed=abs(slope + 1) + half < 0.1,
        detail=f"within 0.1, one start, {len(runs)} step sizes from 2/h = {2 / runs[0].h:g} to "
        f"{2 / runs[-1].h:g}, interval of 99 %",
    )


def _half_step(seeds: list[int], halves: list[float], edge_runs: Any) -> Iterator[Claim]:
    whole = [edge_runs.plateau(seed, 2 / EDGE, 2 * TIME) for seed in seeds]
    yield mean_claim(
        "half the step size: the plateau over that of the whole step size",
        [2 * half / one for half, one in zip(halves, whole, strict=True)],
        f"2/h = {EDGE:g} and {2 * EDGE:g}, mean sharpness over the times from {TIME:g} to {2 * TIME:g}",
        near=(2.0, 0.25),
        samples="starts",
    )


# -- single steps ----------------------------------------------------------------------------------------


def _single_steps(run: Run, runs: list[EdgeRun], edge_runs: Any) -> Iterator[Claim]:
    """One step from points at the edge: what the principal flow knows and truncated flows do not."""
    steps = [edge_runs.one_steps(one, 40 if run.quick else 100) for one in runs[: 3 if run.quick else 6]]
    run.data["steps"] = steps
    product = np.concatenate([one.product for one in steps])
    factor = np.concatenate([one.factor for one in steps])
    told = f"{len(product)} iterates at the edge, of {len(steps)} runs, hλ from {product.min():.2f} to " + (
        f"{product.max():.2f}"
    )
    yield share_claim(
        "∇E along the leading eigenvector changes its sign, as log(1 − hλ) has the imaginary part π",
        factor < 0,
        told,
    )
    clear = np.abs(product - 2) > 0.05
    grows = np.log(np.abs(1 - product[clear])) > 0
    yield share_claim(
        "and grows where the real part of log(1 − hλ) is positive, hλ > 2, shrinks elsewhere",
        (np.abs(factor[clear]) > 1) == grows,
        f"{told}; {clear.sum()} of them with |hλ − 2| > 0.05",
    )
    median = {
        name: np.median(np.concatenate([one.errors[name] for one in steps])) for name in steps[0].errors
    }
    yield Claim(
        name="principal flow: median error after one step, over that of the modified flow through h²",
        predicted="below 0.5",
        measured=float(median["principal flow"] / median["second order"]),
        passed=median["principal flow"] < 0.5 * median["second order"],
        detail=f"{told}; errors over the length of the step: {median['principal flow']:.3g} and "
        f"{median['second order']:.3g}",
    )
    yield Claim(
        name="control: gradient flow: the same",
        predicted="above 0.5",
        measured=float(median["gradient flow"] / median["second order"]),
        passed=median["gradient flow"] > 0.5 * median["second order"],
        detail=told,
    )


# -- figure ----------------------------------------------------------------------------------------------


def _draw_sharpness(ax: Any, runs: list[EdgeRun]) -> None:
    from bea.plots.style import order_colour, tints

    ax.plot(
        runs[-1].t[runs[-1].sampled],
        runs[-1].flow_sharpness,
        color=order_colour(0),
        linestyle=(0, (5, 2)),
        label="gradient flow",
    )
    for run, colour in zip(runs, tints(order_colour(1), len(runs))[::-1], strict=True):
        t = run.t[run.sampled]
        ax.plot(t, run.sharpness, color=colour, linewidth=1.0, label=f"descent, 2/h = {2 / run.h:g}")
        ax.plot(run.t, run.central_sharpness, color="0.1", linewidth=1.3)
    ax.plot([], [], color="0.1", linewidth=1.3, label="central flows")
    ax.set(
        xlim=(0, TIME),
        ylim=(0, 3 * runs[-1].central_sharpness.max() / 2),
        xlabel="time nh",
        ylabel="sharpness",
        title="progressive sharpening, to 2/h",
    )
    ax.legend(loc="upper left", ncols=2)


def _draw_distances(ax: Any, runs: list[EdgeRun]) -> None:
    from bea.plots.style import order_colour, tints

    reds, blues = (tints(order_colour(k), len(runs))[::-1] for k in (1, 0))
    for run, red, blue in zip(runs, reds, blues, strict=True):
        ax.semilogy(run.t, run.distance(run.gradient_flow), color=blue, linestyle=(0, (5, 2)), linewidth=1.2)
        ax.semilogy(run.t, run.distance(run.central), color=red, linewidth=1.2, label=f"2/h = {2 / run.h:g}")
    ax.plot([], [], color=order_colour(0), linestyle=(0, (5, 2)), label="gradient flow")
    ax.set(
        xlim=(0, TIME),
        ylim=(1e-3, None),
        xlabel="time nh",
        ylabel="distance from the mean of the iterates",
        title="central flow (solid) and gradient flow",
    )
    ax.legend(loc="lower right", ncols=2)


def _draw_steps(ax: Any, steps: Any) -> None:
    from bea.plots.style import MARKERS, order_colour

    product = np.concatenate([one.product for one in steps])
    for k, (name, marker) in enumerate(zip(steps[0].errors, MARKERS, strict=False)):
        errors = np.concatenate([one.errors[name] for one in steps])
        ax.semilogy(
            product, errors, marker, color=order_colour((0, 2, 5)[k]), markersize=4.5, label=name,
            markeredgecolor="black", markeredgewidth=0.3,
        )  # fmt: skip
    ax.axvline(2, color="0.6", linewidth=0.9, linestyle=":")
    ax.set(
        xlabel="h · sharpness",
        ylabel="error over the length of the step",
        title="one step, from iterates at the edge",
    )
    ax.set_ylim(1e-4, 1.5)
    ax.legend(loc="lower left")
