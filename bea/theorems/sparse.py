"""Depth and early stopping find sparse solutions (Li, Nguyen, Hegde and Wong 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from bea.sparse import Problem, descend, growth_time
from bea.theorems import sparse_experiments as experiments
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.fit import fit_order
from bea.theorems.measured import limit_claim, order_claim
from bea.theorems.samples import mean_claim, share_claim
from bea.theorems.sparse_experiments import repeat

__all__ = ["ImplicitSparseRegularization"]

#: Depths, and the numbers of steps in which the published window of α = 0.005, η = 0.01 is looked for.
WINDOW_STEPS = {2: 3_000, 3: 50_000, 4: 3_200_000}
#: α of the windows whose widths give an exponent, and in how many steps they end.
WIDTH_SETTINGS = {3: ((5e-4, 1e-3, 2e-3), 1_000_000), 4: ((0.014, 0.02, 0.028), 1_000_000)}
#: Depths, step sizes and steps of the published comparison of initial scales, all with αᴺ = 2e-3.
SCALE_SETTINGS = {2: (0.1 / 4, 1000), 3: (0.2 / 9, 2000), 10: (0.2 / 100, 5000)}


class ImplicitSparseRegularization(Theorem):
    """Descent on w = uᴺ − vᴺ from a small start recovers sparse weights if it is stopped in a window."""

    name = "sparse"
    extra = "sparse"
    title = "Implicit sparse regularization: depth and early stopping"
    statement = (
        r"Gradient descent on $\frac{1}{n} \|Xw - y\|^2$ over $w = u^{\odot N} - v^{\odot N}$ from "
        r"$u = v = \alpha$ recovers a $k$-sparse $w^*$ with an error $\|w - w^*\|^2$ of the minimax order "
        r"$k \sigma^2 \log p / n$ in a window of iterations, through which all weights off the support stay "
        r"below $\alpha^{N/4}$. A smaller $\alpha$ or a larger depth $N$ widens the window, and a larger $N$ "
        r"allows a larger $\alpha$. Large weights are learnt first: under a residual $B$ a weight grows by "
        r"$\dot w = 2 N^2 \eta B w^{2 - 2/N}$ per iteration. From a large $\alpha$ descent is that on the "
        r"linear model with step size $4 N^2 \eta \alpha^{2N-2}$, which finds nothing sparse."
    )
    references = (
        "J. Li, T. V. Nguyen, C. Hegde and R. K. W. Wong (2021), Implicit sparse regularization: the impact "
        "of depth and early stopping, Advances in Neural Information Processing Systems 34",
        "G. Raskutti, M. J. Wainwright and B. Yu (2011), Minimax rates of estimation for high-dimensional "
        "linear regression over ℓq-balls, IEEE Transactions on Information Theory 57, 6976–6994",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """Windows, rates, scales, growth, the order of learning, the kernel regime, an image, controls."""
        yield from _windows(run)
        yield from _widths(run)
        yield from _rate(run)
        yield from _overfitting(run)
        yield from _depth_and_scale(run)
        yield from _largest_scales(run)
        yield from _correlated(run)
        yield from _growth_law()
        yield from _incremental(run)
        yield from _kernel(run)
        yield from _image(run)

    def figure(self, run: Run) -> Any:
        """Window, rate, scales, order of learning, kernel regime and the image."""
        from bea.plots.sparse_theorem import sparse_theorem_figure

        return sparse_theorem_figure(run.data)


# -- the window ------------------------------------------------------------------------------------------


def _windows(run: Run) -> Iterator[Claim]:
    """The published window, on the same problems and for as many steps at every depth: the deeper, the wider.

    With the published noise, σ = 0.5, least squares on the support alone often misses w* by more than the 0.1
    at which the window starts; so widths are compared with half of it. A shallow window that were cut off
    earlier than a deep one would seem the narrower for it.
    """
    told = "n, p, k = 100, 200, 5, σ = {}, α = 0.005, η = 0.01, within {} steps"
    seeds = run.rng.integers(2**31)
    ends, problems = {}, 16
    depths = (2, 3) if run.quick else (2, 3, 4)
    steps = WINDOW_STEPS[depths[-1]]
    for depth in depths:
        same = replace(run, rng=np.random.default_rng(seeds))
        ends[depth] = repeat(
            same, experiments.window_ends, problems, noise=0.25, depth=depth, alpha=0.005, steps=steps
        )
    run.data["windows"] = (steps, ends)
    for depth in depths[1:]:
        here, before = (ends[N]["stop"] - ends[N]["start"] for N in (depth, depth - 1))
        both = (here > 0) & (before > 0)
        yield mean_claim(
            f"width of the window, N = {depth} against N = {depth - 1}: logarithm of the ratio",
            np.log(here[both] / before[both]),
            f"{told.format(0.25, steps)}, the last of which ends a window that is still open; of {problems} "
            "problems those with both windows open",
            above=0,
        )
    found = repeat(run, experiments.window_ends, 40, depth=3, alpha=0.005, steps=WINDOW_STEPS[3])
    yield share_claim(
        "N = 3: off the support all is below α^(N/4) when the support is found",
        found["stop"] > found["start"],
        told.format(0.5, WINDOW_STEPS[3]),
    )


def _widths(run: Run) -> Iterator[Claim]:
    """Width against α: by the growth law, as α^−(N−2)."""
    for depth in (3,) if run.quick else (3, 4):
        alphas, steps = WIDTH_SETTINGS[depth]
        problems = 4 if run.quick else 8
        ends = repeat(run, experiments.widths, problems, depth=depth, alphas=alphas, steps=steps)
        with np.errstate(invalid="ignore"):
            wide = (ends["stop"] > 2 * ends["start"]).all(axis=1)
        width = (ends["stop"] - ends["start"])[wide]
        slopes = [np.polyfit(np.log(alphas), np.log(row), 1)[0] for row in width]
        run.data.setdefault("widths", {})[depth] = (alphas, width)
        yield mean_claim(
            f"N = {depth}: the width of the window grows like α to the power",
            slopes,
            f"α from {alphas[0]:g} to {alphas[-1]:g}, n, p, k = 100, 200, 5, σ = 0.25, of {problems} "
            "problems those whose windows take up more than half of the time to their end",
            near=(2 - depth, 0.1),
        )


# -- the rate --------------------------------------------------------------------------------------------


def _rate(run: Run) -> Iterator[Claim]:
    """‖w − w*‖² at a time fixed beforehand, against n, k and σ."""
    groups, size = 12, 10
    problems = groups * size
    base: dict[str, Any] = {"n": 280, "p": 600, "k": 4, "noise": 0.5}
    grids: dict[str, tuple[float, ...]] = {"n": (140, 280, 560), "k": (2, 4, 8), "noise": (0.125, 0.5)}
    powers = {"n": -1, "k": 1, "noise": 2}
    told = f"N = 3, α = 0.03, p = {base['p']}, stopped at twice the growth time to ½"
    off_support, ratios = [], []
    run.data["rate"] = {}
    for name, values in grids.items():
        outcomes = [repeat(run, experiments.stopped, problems, **{**base, name: v}) for v in values]
        errors = np.array([outcome["squared_error"] for outcome in outcomes])
        off_support += [outcome["off_support"] for outcome in outcomes]
        ratios += [(outcome["squared_error"] / outcome["rate"]).mean() for outcome in outcomes]
        x = np.log(values) - np.mean(np.log(values))
        means = errors.reshape(len(values), groups, size).mean(axis=2)
        run.data["rate"][name] = (values, errors, np.array([outcome["rate"][0] for outcome in outcomes]))
        yield mean_claim(
            f"the squared error grows with {'σ' if name == 'noise' else name} to the power",
            (x @ np.log(means)) / (x @ x),
            f"{name} from {values[0]:g} to {values[-1]:g}, errors averaged over {size} problems; {told}",
            near=(powers[name], 0.5),
            samples="groups of problems",
        )
    yield Claim(
        name="the mean squared error is below the minimax rate kσ² log p/n",
        predicted="ratio below 1",
        measured=float(max(ratios)),
        passed=max(ratios) < 1,
        detail=f"largest ratio over {len(ratios)} settings of {problems} problems; {told}",
    )
    yield share_claim(
        "then the weights off the support are below α^(N/4)", np.concatenate(off_support) < 1, told
    )


def _overfitting(run: Run) -> Iterator[Claim]:
    """Without early stopping the noise is learnt."""
    steps = {2: 20_000, 3: 60_000}
    for depth, count in steps.items():
        errors = repeat(run, experiments.overfitting, 8, depth=depth, alpha=0.005, steps=count)
        yield mean_claim(
            f"control: without early stopping, N = {depth}: logarithm of the growth of the squared error",
            np.log(errors["end"] / errors["least"]),
            f"n, p, k = 100, 200, 5, σ = 0.5, α = 0.005, after {count} steps of η = 0.1/N²",
            above=np.log(3),
        )


# -- larger scales ---------------------------------------------------------------------------------------


def _depth_and_scale(run: Run) -> Iterator[Claim]:
    """The published settings of convergence, αᴺ = 1e-6, and of initialisation, αᴺ = 2e-3."""
    shape = (150, 600, 5) if run.quick else (500, 3000, 5)
    convergence = {2: (0.05, 300), 3: (0.2 / 9, 5000), 5: (0.2 / 25, 30_000)}
    told = f"n, p, k = {shape[0]}, {shape[1]}, {shape[2]}, σ = 0.5"
    run.data["convergence"] = {}
    for depth, (eta, steps) in list(convergence.items())[: 2 if run.quick else 3]:
        found = repeat(
            run, experiments.least_errors, 4, shape=shape, depth=depth, scale=1e-6, eta=eta, steps=steps
        )
        run.data["convergence"][depth] = (found["t"][0], found["error"])
        yield mean_claim(
            f"N = {depth}, α^N = 1e-6: the least squared error, in units of kσ² log p/n",
            found["least"],
            f"{told}, {steps} steps of η = {eta:.3g}",
            below=1,
        )
    least = {}
    seeds = run.rng.integers(2**31)
    run.data["scales"] = {}
    for depth, (eta, steps) in SCALE_SETTINGS.items():
        same = replace(run, rng=np.random.default_rng(seeds))
        found = repeat(
            same, experiments.least_errors, 6, shape=shape, depth=depth, scale=2e-3, eta=eta, steps=steps
        )
        least[depth] = found["least"]
        run.data["scales"][depth] = (found["t"][0], found["error"])
    yield mean_claim(
        "N = 10, α^N = 2e-3: the least squared error, in units of kσ² log p/n",
        least[10],
        f"{told}, {SCALE_SETTINGS[10][1]} steps",
        below=1,
    )
    for shallow, deep in ((2, 3), (3, 10)):
        yield mean_claim(
            f"α^N = 2e-3: logarithm of the least squared error of N = {shallow} over that of N = {deep}",
            np.log(least[shallow] / least[deep]),
            f"{told}, the same problems",
            above=0,
        )


def _largest_scales(run: Run) -> Iterator[Claim]:
    """The largest α from which the minimax rate is reached grows with the depth."""
    lowest = {2: 1e-3, 3: 0.03, 4: 0.08}
    seeds = run.rng.integers(2**31)
    largest = {}
    for depth, low in lowest.items():
        same = replace(run, rng=np.random.default_rng(seeds))
        alphas = tuple(np.geomspace(low, 1, 24).tolist())
        largest[depth] = repeat(same, experiments.largest_scale, 8, depth=depth, alphas=alphas)["alpha"]
    run.data["largest"] = largest
    for depth in (3, 4):
        yield mean_claim(
            f"largest α that reaches kσ² log p/n: logarithm of N = {depth} over N = {depth - 1}",
            np.log(largest[depth] / largest[depth - 1]),
            "n, p, k = 100, 200, 5, σ = 0.5, the same problems, 24 values of α up to 1",
            above=0,
        )
    yield Claim(
        name="control: from α = 1 no depth reaches it",
        predicted="below 1",
        measured=float(max(values.max() for values in largest.values())),
        passed=max(values.max() for values in largest.values()) < 1,
        detail="largest α that does, over all depths and problems",
    )


def _correlated(run: Run) -> Iterator[Claim]:
    """Columns of correlation ρ^|i − j|."""
    for correlation in (0.5,) if run.quick else (0.3, 0.6, 0.8):
        found = repeat(run, experiments.correlated_errors, 12, correlation=correlation)
        told = (
            f"N = 3, α = 0.01, n, p, k = 150, 200, 5, σ = 0.5, columns of correlation {correlation:g}^|i−j|"
        )
        yield mean_claim(
            f"correlation {correlation:g}: the least squared error, in units of kσ² log p/n",
            found["rate"],
            told,
            below=1,
        )
        yield mean_claim(
            f"correlation {correlation:g}: logarithm of the least error over that of the best lasso",
            np.log(found["lasso"]),
            f"{told}; the penalty of the lasso is chosen by an oracle",
            below=0,
        )


# -- growth ----------------------------------------------------------------------------------------------


def _growth_law() -> Iterator[Claim]:
    """One weight under a constant residual: the power of w in its growth, and how far it comes in a time."""
    residual, start, end = 1e6, 1e-9, 1e-7
    one = Problem(np.ones((1, 1)), np.array([residual]))
    told = f"one weight, residual {residual:g}, from w = 1e-9 to 1e-7"
    for depth in (2, 3, 4, 5):
        time = float(growth_time(start, end, residual=residual, depth=depth, step_size=1.0))
        w = _grown(one, depth, start, time, 20_000)
        chosen = np.searchsorted(w, np.geomspace(2 * start, 0.9 * end, 12))
        fit = fit_order(w[chosen].tolist(), (w[chosen + 1] - w[chosen]).tolist())
        power, wrong = 2 - 2 / depth, 2 - 1 / depth
        yield Claim(
            name=f"N = {depth}: the growth of a weight is its size to the power",
            predicted=power,
            measured=fit.value,
            interval=fit.interval,
            passed=max(abs(end - power) for end in fit.interval) < 5e-3,
            detail=f"within 0.005; {told}",
        )
        yield Claim(
            name=f"control: N = {depth}: the power 2 − 1/N is excluded",
            predicted=f"not {wrong:.4g}",
            measured=fit.value,
            interval=fit.interval,
            passed=fit.excludes(wrong),
            detail=told,
        )
        yield limit_claim(
            f"N = {depth}: in the time of the law from 1e-9 to 1e-7 the weight comes to 1e-7 times",
            1,
            [_grown(one, depth, start, time, steps)[-1] / end for steps in (4000, 8000, 16_000, 32_000)],
            "one weight; h is the step size",
        )


def _grown(one: Problem, depth: int, start: float, time: float, steps: int) -> np.ndarray:
    """w = uᴺ at all iterates, the step size times whose number is `time`."""
    run = descend(
        one,
        depth=depth,
        initial_scale=start,
        step_size=time / steps,
        steps=steps,
        signed=False,
        record=range(steps + 1),
        coordinates=[0],
    )
    return run.paths[:, 0]


def _incremental(run: Run) -> Iterator[Claim]:
    """w* = 1, 2, 3, 4: the larger first, at the times of the law."""
    shape = (200, 600) if run.quick else (500, 3000)
    settings = {2: 2500, 3: 6000} if run.quick else {2: 2500, 3: 6000, 5: 15_000}
    run.data["learning"] = {}
    for depth, steps in settings.items():
        problems = 16 if run.quick else 8
        found = repeat(run, experiments.learning_times, problems, shape=shape, depth=depth, steps=steps)
        times = found["times"]
        run.data["learning"][depth] = (found["t"][0], found["paths"][0], times)
        told = f"w* = 1, 2, 3, 4, n, p = {shape[0]}, {shape[1]}, σ = 0.5, α^N = 1e-4, η = 1e-3, {steps} steps"
        yield share_claim(
            f"N = {depth}: the larger a weight is, the earlier it is half learnt",
            np.all(np.diff(times, axis=1) < 0, axis=1).tolist(),
            told,
        )
        yield mean_claim(
            f"N = {depth}: these times over those of the growth law",
            (times / [experiments.learning_law(w, depth) for w in (1, 2, 3, 4)]).mean(axis=1),
            f"{told}; the law with the residual w* − w",
            near=(1, 0.15),
        )
        other = 3 if depth == 2 else depth - 1
        wrong = times / [experiments.learning_law(w, other) for w in (1, 2, 3, 4)]
        yield mean_claim(
            f"control: N = {depth}: the law of N = {other} is off: size of the logarithm of that ratio",
            abs(np.log(wrong.mean(axis=1))),
            told,
            above=0.15,
        )


# -- the kernel regime -----------------------------------------------------------------------------------


def _kernel(run: Run) -> Iterator[Claim]:
    """The published setting αᴺ = 1e3, and larger scales."""
    scales = tuple(float(1e3 * 2**k) for k in range(5))
    run.data["kernel"] = {}
    for depth, steps in {2: 5000, 3: 300, 4: 100}.items():
        found = repeat(run, experiments.kernel_regime, 4, depth=depth, steps=steps, scales=scales)
        gaps = found["gaps"]
        run.data["kernel"][depth] = (found["t"][0], found["paths"][0], found["linear"][0])
        told = (
            f"n, p = 500, 100, w* normal, σ = 25, {steps} steps, the largest distance relative to the last w"
        )
        yield mean_claim(
            f"N = {depth}, α^N = 1e3: logarithm (base 10) of the distance to linear descent",
            np.log10(gaps[:, 0]),
            f"{told}, η = 1e-7",
            below=-3,
        )
        yield order_claim(
            f"N = {depth}: order of that distance in 1/α^N",
            2,
            [1 / scale for scale in scales],
            gaps.mean(axis=0).tolist(),
            f"here h is 1/α^N; {told}, the linear step size kept",
        )
        yield mean_claim(
            f"control: N = {depth}: that distance with the step size 2N²ηα^(2N−2)",
            found["half"],
            told,
            above=0.05,
        )
    told = "N = 2, noiseless, n, p, k = 50, 100, 3; distance to the least-squares solution of least norm"
    far, near = (repeat(run, experiments.kernel_limit, 12, scale=s)["distance"] for s in (1e-6, 1e3))
    yield mean_claim(
        "from α^N = 1e3 the limit is that of linear descent: relative distance", near, told, below=1e-4
    )
    yield mean_claim("control: from α^N = 1e-6 it is another: relative distance", far, told, above=0.5)


# -- a real image ----------------------------------------------------------------------------------------


def _image(run: Run) -> Iterator[Claim]:
    """Half as many measurements as pixels, noiseless, w = uᴺ."""
    size, steps = (16, 20_000) if run.quick else (32, 30_000)
    told = (
        f"bright parts of a magnetic resonance image of a head, {size} × {size} pixels, X = ±1 with +1 in a "
        f"quarter of its entries, w = u^N, α^N = 1e-3, η = 5e-3/N², {steps} steps"
    )
    run.data["image"] = {"truth": experiments.head_image(size)}
    for depth in (2, 3):
        found = repeat(run, experiments.image_recovery, 6, size=size, depth=depth, steps=steps)
        run.data["image"][depth] = found["image"][0].reshape(size, size)
        run.data["image"]["least norm"] = found["least_image"][0].reshape(size, size)
        yield mean_claim(
            f"N = {depth}: error of an image from half as many measurements, over that of least norm",
            found["error"] / found["least_norm"],
            told,
            below=0.7,
        )
    yield mean_claim("control: relative error of the least norm", found["least_norm"], told, above=0.5)
