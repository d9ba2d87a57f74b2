"""The higher-order remainder: by how much the mean of an ensemble misses the limit, as α and σ² shrink.

The published theorems state no order. The first is what an expansion of the mean in powers of α and σ² has.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bea.modified.noise_limit import limit
from bea.noise import anti_pgd, label_noise
from bea.systems.catalogue import two_parameter
from bea.theorems.claims import Claim, Run
from bea.theorems.fit import fit_order
from bea.theorems.noise_cases import UNBALANCED, Case
from bea.theorems.noise_experiments import CONFIDENCE, descend, limit_path, values_of

__all__ = ["remainder_claims"]


def remainder_claims(run: Run) -> Iterator[Claim]:
    """Of the first order, for noise with a drift and for label noise, both on one product."""
    loss, conserved = two_parameter(), "a**2 - b**2"
    quick = 1 if run.quick else 4
    yield _remainder(run, Case("anti-correlated noise, one product", anti_pgd(loss), UNBALANCED, conserved,
                               0.25, 0.25, replicas=6144 * quick), 1)  # fmt: skip
    yield _remainder(run, Case("label noise, one product", label_noise(loss), UNBALANCED, conserved,
                               0.5, replicas=512 * quick), 2)  # fmt: skip


def _remainder(run: Run, case: Case, power: int) -> Claim:
    """The order in ε = α, σ² ∝ ε, of the mean minus the limit after time/(α^power σ²) steps."""
    sizes = np.geomspace(0.015, 0.15, 12)
    found, errors = limit(case.noisy), []
    for alpha in sizes.tolist():
        variance = case.variance * alpha
        steps = round(case.time / (alpha**power * variance))
        path = descend(run, case.noisy, case.start, alpha, variance**0.5, steps, case.replicas,
                       {"value": case.statistic}).path  # fmt: skip
        times = np.array([0.0, steps * alpha**power * variance])
        exact = values_of(case.statistic, case.noisy, limit_path(found, case.start, times))[-1]
        errors.append(abs(float(path.statistics["value"][-1] - exact)))
    fit = fit_order(sizes.tolist(), errors, confidence=CONFIDENCE)
    low, high = fit.interval
    return Claim(
        name=f"{case.label}: order in ε of the mean minus the limit, α = ε, σ² ∝ ε",
        predicted=1,
        measured=fit.value,
        interval=(low, high),
        passed=0 < low <= 1 <= high < 2,
        detail=f"{len(sizes)} values of ε from {sizes[0]:g} to {sizes[-1]:g}, mean of {case.statistic}, "
        f"{case.replicas} replicas, interval of {CONFIDENCE:.1%}",
    )
