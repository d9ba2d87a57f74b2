"""Label noise: the slow scale, a limit that is a flow, and minima that become flatter along it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import exp, sqrt

import numpy as np
import sympy
from scipy.stats import norm

from bea.modified.noise_limit import limit
from bea.noise import label_noise, minibatch
from bea.numerics import flow_limit
from bea.numerics.ensemble_result import Ensemble, EnsemblePath
from bea.numerics.ensembles import ensemble
from bea.systems.catalogue import sum_of_products, tanh_network
from bea.systems.noisy_loss import NoisyLoss
from bea.theorems.claims import Claim, Run
from bea.theorems.noise_cases import POINTS, UNBALANCED, Case, label_cases, minibatches, trace
from bea.theorems.noise_experiments import (
    CONFIDENCE,
    Interval,
    Travel,
    descend,
    excluded_claim,
    exponent_claim,
    extrapolated,
    keep_clock,
    kind_claim,
    limit_claim,
    limit_path,
    small,
    unprojected,
    values_of,
)

__all__ = ["label_claims"]

#: Two data that one product fits together, for minibatches.
PRODUCT_DATA = ["(a*b - 3/5)**2/2", "(2*a*b - 6/5)**2/2"]


def label_claims(run: Run) -> Iterator[Claim]:
    """The kinds, and one product and the diagonal network in detail."""
    for label, loss in (
        ("three products", sum_of_products(n=3)),
        ("tanh network", tanh_network(POINTS, (-0.5, 0.5), 2)),
    ):
        noisy = label_noise(loss)
        yield kind_claim(f"label noise, {label}", noisy, limit(noisy), "degenerate")
    product, network = label_cases()
    yield _closed_form(product)
    _keep_curve(run, product.noisy)
    for case, control in (
        (product, minibatch(PRODUCT_DATA, variables="a b")),
        (network, minibatches("diagonal network", 1, False)),
    ):
        yield from _slow_drift(run, case)
        yield from _flatness(run, case, control)


def _closed_form(case: Case) -> Claim:
    """On ab = y, S = tr H obeys S² = 4y² + (S₀² − 4y²) e^(−2t) in the limit."""
    y, first = float(case.noisy.parameters["y"]), UNBALANCED[0] ** 2 + UNBALANCED[1] ** 2
    times = np.linspace(0, case.time, 41)
    curve = (limit_path(limit(case.noisy), case.start, times) ** 2).sum(axis=1)
    exact = [sqrt(4 * y**2 + (first**2 - 4 * y**2) * exp(-2 * t)) for t in times]
    gap = float(np.abs(curve - exact).max())
    return Claim(
        name="label noise, one product: Katzenberger's limit, against −¼P∇tr H in closed form",
        predicted="difference 0",
        measured=gap,
        passed=gap < 1e-7,
        detail=f"largest difference of tr H up to the time {case.time:g}",
    )


def _slow_drift(run: Run, case: Case) -> Iterator[Claim]:
    """The exponents of the slow scale, and the mean of tr H against −(c/4)P∇tr H and against others."""
    found = limit(case.noisy)
    yield kind_claim(case.label, case.noisy, found, "degenerate")
    times = np.linspace(0, 2 * case.time, 81)
    values = values_of(case.statistic, case.noisy, limit_path(found, case.start, times))
    first, half, once, twice = values[[0, 20, 40, 80]]
    travel = Travel(case.noisy, case.start, case.statistic, half, 0.75 * case.time, (2, 1))
    replicas = case.replicas * (1 if run.quick else 4)
    yield exponent_claim(run, case.label, travel, "alpha", (0.015, 0.15), 0.2, replicas)
    yield exponent_claim(run, case.label, travel, "sigma", (0.1, 0.32), 0.15, 2 * replicas)

    means = _means(run, case, 3, replicas)
    keep_clock(run, case.label, means, "value", 2, (times[:41], values[:41]))
    measured, how = extrapolated(run, means, "value"), f"α = σ² = ε, {case.time:g}/(α²σ²) steps"
    name = f"{case.label}: mean trace of the Hessian at the time {case.time:g}"
    yield limit_claim(name, once, measured, 0.06 * abs(once - first), how)
    factor = sympy.S.One if found.label_factor is None else found.label_factor
    free = unprojected(factor * trace(case.noisy.loss) / 4, case.noisy, case.start, case.time)
    rivals = {
        "twice the constant, −½P∇tr H": twice,
        "the trace without the projection, −¼∇tr H": values_of(case.statistic, case.noisy, free)[0],
        "no motion on this scale": first,
    }
    for label, value in rivals.items():
        yield excluded_claim(f"control: {case.label} with {label}", value, measured, how)
    still = extrapolated(run, _means(run, case, 2, replicas), "value")
    how = f"α = σ² = ε, {case.time:g}/(ασ²) steps"
    name = f"{case.label}: nothing moves on the scale 1/(ασ²)"
    yield limit_claim(name, first, still, 0.06 * abs(once - first), how)
    yield excluded_claim(f"control: {case.label} on the wrong scale, 1/(ασ²)", once, still, how)


def _means(run: Run, case: Case, power: int, replicas: int) -> list[Ensemble]:
    """Ensembles with α = σ² = ε after t/ε^power steps."""
    return [
        descend(run, case.noisy, case.start, e, sqrt(e), round(case.time / e**power), replicas,
                {"value": case.statistic})
        for e in small(run)
    ]  # fmt: skip


# -- flatness ---------------------------------------------------------------------------------------------


def _flatness(run: Run, case: Case, control: NoisyLoss) -> Iterator[Claim]:
    """The trace of the Hessian along the way from a start off Γ: it falls, and under minibatches it rests."""
    alpha, sigma, replicas = 0.05, 0.25, 256 if run.quick else 1024
    start, parts = 1.05 * np.array(case.start), 5
    steps, statistics = round(case.time / (alpha * sigma) ** 2), {"trace": case.statistic}
    path = descend(run, case.noisy, start, alpha, sigma, steps, replicas, statistics).path
    marks = np.linspace(_arrival(path.steps, alpha), len(path.steps) - 1, parts + 1).round().astype(int)
    falls = [_fall(path, i, j) for i, j in pairwise(marks)]
    worst = min(falls, key=lambda fall: fall[1][0])
    yield Claim(
        name=f"{case.label}: the least fall of the mean trace of the Hessian in a fifth of the way",
        predicted="above 0",
        measured=worst[0],
        interval=worst[1],
        passed=worst[1][0] > 0,
        detail=f"α = {alpha:g}, σ = {sigma:g}, {replicas} replicas, {steps} steps after the fast phase, "
        f"intervals of {CONFIDENCE:.1%} for all {parts} falls together",
    )
    rest = ensemble(control, start, alpha, steps, replicas, rng=run.rng, statistics=statistics,
                    record_every=max(1, steps // 200)).path  # fmt: skip
    run.data.setdefault("flatness", {})[case.label] = {
        "label noise": (path.steps * alpha, path.statistics["trace"]),
        "minibatches": (rest.steps * alpha, rest.statistics["trace"]),
    }
    fall = _fall(rest, marks[0], marks[-1])[0]
    level = control.law.sigma(None, len(control.noise))
    yield Claim(
        name=f"control: minibatch noise in the place of {case.label}: fall of the mean trace of the Hessian",
        predicted=0.0,
        measured=fall,
        passed=abs(fall) < 1e-9,
        detail=f"σ = {level:g}, which is more than that of the labels; α, steps and start as there",
    )


def _arrival(steps: np.ndarray, alpha: float) -> int:
    """The first record after 30/α steps, when the fast phase is over."""
    return int(np.searchsorted(steps, 30 / alpha))


def _fall(path: EnsemblePath, i: int, j: int) -> Interval:
    """By how much the mean trace falls from one record to another, with an interval whatever ties the two."""
    mean, spread = path.statistics["trace"], np.sqrt(path.variances["trace"])
    level = 1 - (1 - CONFIDENCE) / 5
    half = float(norm.ppf((1 + level) / 2) * (spread[i] + spread[j])) / sqrt(path.count[j])
    fall = float(mean[i] - mean[j])
    return fall, (fall - half, fall + half)


def _keep_curve(run: Run, noisy: NoisyLoss) -> None:
    """A small ensemble off and along the curve ab = y, and the limit flow."""
    alpha, sigma = 0.05, 0.3
    steps, start = round(2 / (alpha * sigma) ** 2), (2.2, 1.0)
    path = ensemble(noisy, start, alpha, steps, 20, sigma, run.rng, record_every=4, record_replicas=range(20))
    slow = limit_path(limit(noisy), flow_limit(noisy.loss, start).x, np.linspace(0, 2, 60))
    run.data["curve"] = {"path": path.path.replicas, "limit": slow, "y": float(noisy.parameters["y"])}
