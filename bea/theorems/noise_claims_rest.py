"""Noise that moves nothing: minibatches on either scale, and a regulariser that is constant along Γ."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import numpy as np

from bea.modified.noise_limit import limit
from bea.noise import dropconnect, input_noise
from bea.numerics.ensembles import ensemble
from bea.systems.catalogue import sum_of_products
from bea.systems.noisy_loss import NoisyLoss
from bea.theorems.claims import Claim, Run
from bea.theorems.noise_cases import DATA_LOSSES, minibatches
from bea.theorems.noise_experiments import descend, extrapolated, kind_claim, limit_claim, small

__all__ = ["minibatch_claims", "uncovered_claims"]

#: Points of the zero-loss sets of `DATA_LOSSES`, or near them.
NEAR = {
    "a path of two products": (1.0, 1.0, 1.0),
    "diagonal network": (1.0, 0.8, 0.5, 0.4, 0.4, 0.3),
    "tanh network": (1.6, -0.8, 0.7, 0.7, -0.1, -0.1),
}


def minibatch_claims(run: Run) -> Iterator[Claim]:
    """Where all losses of the data vanish together, minibatches come to rest."""
    for label in DATA_LOSSES:
        for how, batch, replacement in (("without", 1, False), ("with", 2, True)):
            noisy = minibatches(label, batch, replacement)
            yield from _at_rest(run, f"minibatches {how} replacement, {label}", noisy, NEAR[label])


def _at_rest(run: Run, label: str, noisy: NoisyLoss, near: tuple[float, ...]) -> Iterator[Claim]:
    """The kind, and how far replicas move that had the time to come to Γ."""
    yield kind_claim(label, noisy, limit(noisy), "trivial")
    alpha, variance = 0.05, noisy.law.sigma(None, len(noisy.noise)) ** 2
    start = np.array(near) * run.rng.uniform(0.8, 1.2, (64, len(near)))
    arrived = ensemble(noisy, start, alpha, 2000, 64, rng=run.rng).final
    for scale, unit in (("1/(ασ²)", 1 / (alpha * variance)), ("1/(α²σ²)", 1 / (alpha**2 * variance))):
        steps = round(10 * unit)
        later = ensemble(noisy, arrived, alpha, steps, 64, rng=run.rng).final
        moved = float(np.abs(later - arrived).max())
        yield Claim(
            name=f"{label}: largest motion on the scale {scale}",
            predicted=0.0,
            measured=moved,
            passed=moved < 1e-10,
            detail=f"64 replicas that made 2000 steps before, α = {alpha:g}, σ² = {variance:g}, "
            f"{steps} steps",
        )


def uncovered_claims(run: Run) -> Iterator[Claim]:
    """With one product the regulariser is constant along Γ, and no published theorem applies.

    Nothing moves on the scale 1/(ασ²), and the mean is pushed off Γ: with H and Reg by −σ²H⁺∇Reg.
    """
    for label, noisy in (
        ("DropConnect, one product", dropconnect(sum_of_products(n=1))),
        ("input noise, one product", input_noise("a1*b1*x", "x", [[1]], [1], "a1 b1")),
    ):
        found = limit(noisy)
        yield kind_claim(label, noisy, found, "uncovered")
        start, replicas = np.array([2.0, 0.5]), 2000 if run.quick else 8000
        means = [
            descend(run, noisy, start, e / 4, sqrt(e), round(4 / e**2), replicas,
                    {"gap": "(a1**2 - b1**2)*4/15", "push": "a1*b1 - 1"})
            for e in small(run)
        ]  # fmt: skip
        how = "α = ε/4, σ² = ε, 1/(ασ²) steps"
        yield limit_claim(
            f"{label}: share of a² − b² that is left on the scale 1/(ασ²)",
            1.0, extrapolated(run, means, "gap"), 0.04, how,
        )  # fmt: skip
        pushed = float(found.offset(start) @ start[::-1])
        yield limit_claim(
            f"{label}: mean of (ab − 1)/σ², off the zero-loss set by −σ²H⁺∇Reg",
            pushed, extrapolated(run, means, "push", power=1), 0.25 * abs(pushed), how,
        )  # fmt: skip
