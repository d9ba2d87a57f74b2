"""The claims on implicit gradient regularization of networks, group by group.

Changes are those from the gradient flow with the same images and the same start, in percent: differences of
accuracies, and logarithms of ratios of all else. There are many, so their intervals are those of 99.9 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.stats import t as student

from bea.nets.closeness import distances
from bea.nets.experiments import Comparison, sweep_regularization, sweep_step_sizes
from bea.theorems.claims import Claim, Run
from bea.theorems.measured import order_claim
from bea.theorems.samples import mean_claim

__all__ = ["QUANTITIES", "Quantity", "closeness", "controls", "explicit", "mean_change", "predictions"]

#: The confidence of the intervals of changes.
CONFIDENCE = 0.999
#: Steps to time 1, and step sizes for one step, at which descent is compared with its flows.
COUNTS, ONE_STEP = (10, 14, 20, 28, 40, 57, 80, 113), tuple(np.geomspace(0.002, 0.04, 8).tolist())
#: Step sizes, levels of the loss, time, and step of the Runge–Kutta method, for each objective.
CROSS_ENTROPY: dict[str, Any] = {"step_sizes": (0.1, 0.2, 0.4), "flow_step": 0.1}
SQUARED_ERROR: dict[str, Any] = {
    "step_sizes": (0.0125, 0.025, 0.05),
    "flow_step": 0.025,
    "objective": "squared-error",
}
#: The index of the step size on which claims are made: it is below 2/sharpness all the way.
CLAIMED = 1
#: How many times h/4 the factors of the explicit regularization are.
STRENGTHS = (1.0, 4.0)
#: The step of the Runge–Kutta method for them: their flow is stiffer.
STIFF_STEP = 0.125


@dataclass(frozen=True)
class Quantity:
    """Something that is predicted to fall or to rise with the step size."""

    name: str
    label: str
    prediction: int
    falls: bool = True
    grows: bool = True


#: What is measured. `grows` tells whether the claim is that its change grows with the network, or that the
#: change hardly depends on it.
QUANTITIES = (
    Quantity("ratio", "R/E", 1),
    Quantity("trace", "trace of the Hessian", 2),
    Quantity("sharpness", "sharpness", 2, grows=False),
    Quantity("test_accuracy", "test accuracy", 3, falls=False, grows=False),
    Quantity("perturbed_loss", "loss of perturbed networks", 4),
    Quantity("perturbed_accuracy", "test accuracy of perturbed networks", 4, falls=False, grows=False),
)
#: How large a change may be that is claimed to be small: of an accuracy, in percentage points; and of a
#: change with each doubling of the number of parameters, in percent.
SMALL, SMALL_GROWTH = 0.5, 2.0

Outcome = Literal["confirmed", "undecided", "refuted"]


def mean_change(values: Sequence[float] | np.ndarray) -> tuple[float, tuple[float, float]]:
    """The mean of changes over seeds, and Student's interval of it."""
    sample = np.asarray(values, dtype=float)
    if sample.size < 3 or not np.isfinite(sample).all():
        raise ValueError(f"an interval takes three finite values or more, not {sample.tolist()}")
    half = student.ppf((1 + CONFIDENCE) / 2, sample.size - 1) * sample.std(ddof=1) / np.sqrt(sample.size)
    mean = float(sample.mean())
    return mean, (mean - float(half), mean + float(half))


# -- nearness to the modified flow -----------------------------------------------------------------------


def closeness(run: Run) -> Iterator[Claim]:
    """The orders of the distance between descent and its flows, and that of the wrong sign."""
    widths = (8,) if run.quick else (8, 32)
    seed = int(run.rng.integers(2**31))
    common: dict[str, Any] = {"seed": seed, "images": 100}
    at_time = {"counts": COUNTS, "time": 1.0}
    one_step = {"counts": (1,) * len(ONE_STEP), "step_sizes": ONE_STEP}
    grid: list[dict[str, Any]] = []
    for width in widths:
        grid += [
            {**common, **where, "width": width, "order": order}
            for where in (at_time, one_step)
            for order in range(3)
        ]
        grid.append({**common, **at_time, "width": width, "order": 1, "reverse": True})
    result = run.sweep(distances, grid)
    if result.errors:
        raise RuntimeError(f"an experiment failed: {result.errors[0]}")
    run.data["closeness"] = []
    for task, found in zip(grid, result.results, strict=True):
        order, local, reverse = task["order"], "step_sizes" in task, "reverse" in task
        where = "after one step" if local else "at time 1"
        name = f"width {task['width']}: distance from the {_flow_name(order)} {where}"
        if reverse:
            name = f"control: width {task['width']}: distance from the flow with −(h/4)‖∇E‖² {where}"
        claim = order_claim(
            name,
            1 if reverse else order + (2 if local else 1),
            found["step_sizes"].tolist(),
            found["distances"].tolist(),
            "two hidden layers, 100 images, cross-entropy, double precision",
        )
        if task["width"] == widths[0] and not local:
            line = (order, reverse, found["step_sizes"], found["distances"], claim.measured)
            run.data["closeness"].append(line)
        yield claim


def _flow_name(order: int) -> str:
    return ("gradient flow", "modified flow", "modified flow with two terms")[order]


# -- the four predictions --------------------------------------------------------------------------------


def predictions(run: Run) -> Iterator[Claim]:
    """Every quantity for every width and objective, at equal loss and at equal time."""
    seeds = tuple(run.rng.integers(2**31, size=8 if run.quick else 16).tolist())
    run.data["seeds"] = seeds
    time = 30.0 if run.quick else 60.0
    widths = (16, 32) if run.quick else (16, 32, 64, 128)
    levels = (0.5,) if run.quick else (0.5, 0.1)
    record = (time / 4, time / 2)
    ce = sweep_step_sizes(
        widths=widths, seeds=seeds, time=time, record=record, levels=levels, sweep=run.sweep, **CROSS_ENTROPY
    )
    se = sweep_step_sizes(
        widths=(32,) if run.quick else (32, 64),
        seeds=seeds,
        time=time / 2,
        levels=(0.2,) if run.quick else (0.2, 0.1),
        sweep=run.sweep,
        **SQUARED_ERROR,
    )
    run.data["cross-entropy"], run.data["squared-error"] = ce, se
    tally: dict[int, list[Outcome]] = {1: [], 2: [], 3: [], 4: []}
    for quantity in QUANTITIES:
        for comparison, objective in ((ce, "cross-entropy"), (se, "squared error")):
            yield from _against_step_size(quantity, comparison, objective, tally)
        yield from _growth(quantity, ce, tally)
    for number, outcomes in tally.items():
        counts = {word: outcomes.count(word) for word in ("confirmed", "undecided", "refuted")}
        seen = number != 3
        yield Claim(
            name=f"prediction {number}: comparisons that confirm it, leave it undecided and refute it",
            predicted="more confirm than refute" if seen else "none confirms: no such effect is seen",
            measured=", ".join(f"{count} {word}" for word, count in counts.items()),
            passed=counts["confirmed"] > counts["refuted"] if seen else counts["confirmed"] == 0,
            detail=f"of the {len(outcomes)} comparisons above, of {len(seeds)} seeds each",
        )


def _against_step_size(
    quantity: Quantity, comparison: Comparison, objective: str, tally: dict[int, list[Outcome]]
) -> Iterator[Claim]:
    """Descent with the claimed step size against the flow."""
    h = comparison.values[CLAIMED]
    told = f"{objective}, h = {h:g} against the gradient flow"
    strict = quantity.name in ("ratio", "trace") and objective == "cross-entropy"
    small = SMALL if "accuracy" in quantity.name else None
    for i, width in enumerate(comparison.widths):
        for level, loss in enumerate(comparison.levels):
            change = comparison.change(quantity.name, level=level)[i, CLAIMED]
            if np.isfinite(change).all():
                where = f"{objective}, width {width}, where the loss comes to {loss:g}"
                yield _prediction(quantity, where, change, told, tally, small, strict and level == 0)
        change = comparison.change(quantity.name)[i, CLAIMED]
        where = f"{objective}, width {width}, at time {comparison.t[-1]:g}"
        yield _prediction(quantity, where, change, told, tally, small)


def _growth(quantity: Quantity, comparison: Comparison, tally: dict[int, list[Outcome]]) -> Iterator[Claim]:
    """Whether the change is larger for the larger step size, and for more parameters, at equal loss."""
    change, h = comparison.change(quantity.name, level=0), comparison.values
    sizes = np.log2(comparison.sizes)
    told = f"cross-entropy, where the loss comes to {comparison.levels[0]:g}"
    yield _prediction(
        quantity,
        f"width {comparison.widths[-1]}, from h = {h[0]:g} to h = {h[CLAIMED]:g}",
        change[-1, CLAIMED] - change[-1, 0],
        told,
        tally,
        SMALL if "accuracy" in quantity.name else None,
    )
    centred = sizes - sizes.mean()
    yield _prediction(
        quantity,
        "the change with each doubling of the number of parameters",
        np.tensordot(centred, change[:, CLAIMED], 1) / (centred @ centred),
        f"{told}, h = {h[CLAIMED]:g}, {len(sizes)} networks of {min(comparison.sizes)} to "
        f"{max(comparison.sizes)} parameters",
        tally,
        None if quantity.grows else SMALL_GROWTH,
    )


def _prediction(
    quantity: Quantity,
    where: str,
    changes: np.ndarray,
    detail: str,
    tally: dict[int, list[Outcome]],
    small: float | None = None,
    strict: bool = False,
) -> Claim:
    """A change beside its published sign, and what that says of the publication.

    Claimed is that the sign is not the opposite one; where `strict`, that it is the published one; where
    `small` is given, only that the change is no larger.
    """
    mean, (low, high) = mean_change(100 * changes)
    worst, best = (high, low) if quantity.falls else (-low, -high)
    outcome: Outcome = "confirmed" if worst < 0 else "refuted" if best > 0 else "undecided"
    tally[quantity.prediction].append(outcome)
    side, other = ("below", "above") if quantity.falls else ("above", "below")
    if small is not None:
        predicted, passed = f"within ±{small:g}", -small < low and high < small
    elif strict:
        predicted, passed = f"{side} 0", outcome == "confirmed"
    else:
        predicted, passed = f"not {other} 0", outcome != "refuted"
    unit = "percentage points" if "accuracy" in quantity.name else "percent"
    return Claim(
        name=f"({quantity.prediction}) {quantity.label}, change in {unit}: {where}",
        predicted=predicted,
        measured=mean,
        interval=(low, high),
        passed=passed,
        detail=f"published: {side} 0, {outcome}; mean over {changes.size} seeds, interval of "
        f"{100 * CONFIDENCE:g}%; {detail}",
    )


# -- explicit regularization -----------------------------------------------------------------------------


def explicit(run: Run) -> Iterator[Claim]:
    """The flow of E + μ‖∇E‖²: with μ = h/4 as descent, with a larger μ beyond it."""
    descent: Comparison = run.data["cross-entropy"]
    i, h = descent.widths.index(32), descent.values[CLAIMED]
    found = sweep_regularization(
        [strength * h / 4 for strength in STRENGTHS],
        [32],
        descent.seeds,
        flow_step=STIFF_STEP,
        time=descent.t[-1] / 2,
        levels=descent.levels[:1],
        sweep=run.sweep,
    )
    run.data["explicit"] = found
    for quantity in QUANTITIES[:2]:
        implicit = descent.change(quantity.name, level=0)[i, CLAIMED]
        same, stronger = found.change(quantity.name, level=0)[0]
        told = f"width 32, cross-entropy, where the loss comes to {descent.levels[0]:g}"
        yield mean_claim(
            f"{quantity.label}: change by μ = h/4 over that by descent with h",
            1 + (same - implicit) / implicit.mean(),
            f"h = {h:g}, mean over mean, in pairs; {told}",
            near=(1, 0.2),
            samples="seeds",
        )
        yield mean_claim(
            f"{quantity.label}: change by μ = {STRENGTHS[1]:g}·h/4 beyond that by descent with h, in percent",
            100 * (stronger - implicit),
            f"h = {h:g}; {told}",
            below=0,
            samples="seeds",
        )


# -- controls --------------------------------------------------------------------------------------------


def controls(run: Run) -> Iterator[Claim]:
    """Comparisons that must mislead, and one without an effect."""
    ce: Comparison = run.data["cross-entropy"]
    i, small, large = ce.widths.index(32), 0, 1
    for name, label, unit, sign in (
        ("test_accuracy", "the test accuracy", "percentage points", 1),
        ("regularizer", "R", "100 log", -1),
    ):
        values = ce.measures[name][i]
        values = 100 * (values if "accuracy" in name else np.log(values))
        later, earlier = values[1 + large, -1], values[1 + small, 1]
        told = f"h = {ce.values[large]:g} and {ce.values[small]:g}, {round(ce.t[1] / ce.values[small])} steps"
        bounds: dict[str, Any] = {"above": 0.0} if sign > 0 else {"below": 0.0}
        yield mean_claim(
            f"control: at an equal number of steps {label} seems "
            f"{'higher' if sign > 0 else 'lower'} for the larger step size, in {unit}",
            later - earlier,
            f"a difference that longer training makes; width 32, {told}",
            samples="seeds",
            **bounds,
        )
    coarse: Comparison = run.data["explicit"]
    told = f"width 32, where the loss comes to {ce.levels[0]:g}"
    fine = np.log(ce.at_levels["trace"][i, 0, 0])
    other = np.log(coarse.at_levels["trace"][0, 0, 0])
    effect = abs(ce.change("trace", level=0)[i, CLAIMED].mean())
    yield mean_claim(
        "control: another step of the Runge–Kutta method changes the trace, over what descent changes",
        (other - fine) / effect,
        f"steps {STIFF_STEP:g} and {CROSS_ENTROPY['flow_step']:g} of the flow; {told}",
        near=(0, 0.05),
        samples="seeds",
    )
