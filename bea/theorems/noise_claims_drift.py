"""Noise that drives along the zero-loss set by the gradient of its regulariser, and the fast phase before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np
import sympy

from bea.modified.noise_limit import limit
from bea.noise import dropconnect
from bea.numerics import flow_limit
from bea.numerics.constrained import constrained_flow
from bea.systems import VectorField
from bea.systems.catalogue import sum_of_products
from bea.systems.derivatives import partial_derivatives
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.zero_loss_set import ZeroLossSet
from bea.theorems.claims import Claim, Run
from bea.theorems.noise_cases import BALANCING, THREE, Case, drift_cases
from bea.theorems.noise_experiments import (
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

__all__ = ["drift_claims", "fast_phase"]

#: Where the limit of DropConnect takes the three products in one unit of time.
KNOWN = (0.41291, 0.37360, 0.21349)
PRODUCTS = {p: p for p in THREE}
#: The case whose clock the figure shows.
SHOWN = "Dropout, tanh network"


def fast_phase(run: Run) -> Iterator[Claim]:
    """From a start off Γ: how many steps it takes to come near, and where."""
    noisy = dropconnect(sum_of_products(n=3))
    start = np.array([1.2, 0.6, 0.5, 0.9, 0.8, 0.4]) * run.rng.uniform(0.98, 1.02, 6)
    travel = Travel(noisy, start, " + ".join(THREE), level=1.05, time=2.0, scale=(1, 0))
    yield exponent_claim(run, "fast phase, to the zero-loss set", travel, "alpha", (0.004, 0.04), 0.05, 400)
    means = [descend(run, noisy, start, e, sqrt(e) / 2, round(4 / e), 1000, PRODUCTS) for e in small(run)]
    end = flow_limit(noisy.loss, start).x
    for j, name in enumerate(THREE):
        yield limit_claim(
            f"fast phase: {name} where it comes to the zero-loss set, against the gradient flow",
            float(end[j] * end[j + 3]), extrapolated(run, means, name), 0.01, "α = ε, σ² = ε/4, 4/α steps",
        )  # fmt: skip


def drift_claims(run: Run) -> Iterator[Claim]:
    """All noisy losses with a drift, and the sum of products once more, in all its products."""
    for case in drift_cases():
        yield from _drift(run, case)
    yield from _three_products(run)


def _drift(run: Run, case: Case) -> Iterator[Claim]:
    """The kind of the limit, the exponents of its time scale, and the mean against it and against others."""
    found = limit(case.noisy)
    yield kind_claim(case.label, case.noisy, found, "non-degenerate")
    times = np.linspace(0, 2 * case.time, 81)
    values = values_of(case.statistic, case.noisy, limit_path(found, case.start, times))
    first, half, once, twice = values[[0, 20, 40, 80]]
    travel = Travel(case.noisy, case.start, case.statistic, half, 0.75 * case.time, (1, 1))
    replicas, unit = case.replicas * (1 if run.quick else 4), sqrt(case.variance)
    yield exponent_claim(run, case.label, travel, "alpha", (0.02, 0.2), 0.2 * unit, replicas)
    yield exponent_claim(run, case.label, travel, "sigma", (0.1 * unit, 0.32 * unit), 0.05, replicas)

    ratio, statistics = case.time / case.variance, {"value": case.statistic}
    means = [
        descend(run, case.noisy, case.start, e, unit * sqrt(e), round(ratio / e**2), 2 * replicas, statistics)
        for e in small(run)
    ]
    if case.label == SHOWN:
        keep_clock(run, case.label, means, "value", 1, (times[:41], values[:41]), case.variance)
    measured = extrapolated(run, means, "value")
    how = f"α = ε, σ² = {case.variance:g} ε, {case.time:g}/(ασ²) steps, {2 * replicas} replicas"
    yield limit_claim(
        f"{case.label}: mean of {case.statistic} at the time {case.time:g}",
        once, measured, 0.06 * abs(once - first), how,
    )  # fmt: skip
    free = unprojected(case.noisy.regularizer, case.noisy, case.start, case.time)
    rivals = {
        "the regulariser doubled": twice,
        "the regulariser without the projection": values_of(case.statistic, case.noisy, free)[0],
        "no motion on this scale": first,
    }
    if case.noisy.regularizer != case.noisy.bend:
        wrong = _constrained(case.noisy.bend, found.zero_loss_set, case.start, times[:41])[-1]
        rivals["½Δ_η L̂ for noise that is rare, not small"] = values_of(case.statistic, case.noisy, wrong)[0]
    for label, value in rivals.items():
        yield excluded_claim(f"control: {case.label} with {label}", value, measured, how)


def _constrained(
    potential: sympy.Expr, zeros: ZeroLossSet, start: Sequence[float], times: np.ndarray
) -> np.ndarray:
    """The constrained gradient flow of a potential."""
    field = VectorField([-g for g in partial_derivatives(potential, zeros.variables)], zeros.variables)
    return constrained_flow(field, zeros, start, (float(times[0]), float(times[-1])), t_eval=times).x


def _three_products(run: Run) -> Iterator[Claim]:
    """DropConnect on the sum of products for α = σ² → 0: the products become equal."""
    noisy = dropconnect(sum_of_products(n=3))
    times = np.linspace(0, 1, 41)
    path = limit_path(limit(noisy), BALANCING, times)
    products = path[:, :3] * path[:, 3:]
    once = products[-1]
    yield Claim(
        name="DropConnect: the limit flow takes the products in one unit of time to",
        predicted=_point(KNOWN),
        measured=_point(once),
        passed=bool(np.abs(once - KNOWN).max() < 6e-6),
        detail=f"from {_point(np.multiply(BALANCING[:3], BALANCING[3:]))}, to five decimals",
    )
    replicas = 2000 if run.quick else 8000
    means = [
        descend(run, noisy, BALANCING, e, sqrt(e), round(1 / e**2), replicas, PRODUCTS) for e in small(run)
    ]
    keep_clock(run, "dropconnect", means, THREE[0], 1, (times, products[:, 0]))
    for j, name in enumerate(THREE):
        yield limit_claim(
            f"DropConnect: mean of {name} after one unit of time",
            once[j], extrapolated(run, means, name), 0.01, "α = σ² = ε, 1/(ασ²) steps",
        )  # fmt: skip
    yield from _too_long(run, noisy, once[0])


def _too_long(run: Run, noisy: NoisyLoss, once: float) -> Iterator[Claim]:
    """On the scale 1/(α²σ²) DropConnect has long come to the minimum of its regulariser."""
    means = [
        descend(run, noisy, BALANCING, e, sqrt(0.1), round(10 / e**2), 500, PRODUCTS) for e in small(run)
    ]
    measured = extrapolated(run, means, THREE[0])
    yield excluded_claim(
        "control: DropConnect on the wrong scale, 1/(α²σ²)", once, measured, "α = ε, σ² = 0.1"
    )


def _point(values: Sequence[float] | np.ndarray) -> str:
    return f"({', '.join(f'{v:.5f}' for v in values)})"
