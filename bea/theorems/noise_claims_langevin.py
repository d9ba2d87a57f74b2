"""Langevin noise: a limit along the zero-loss set that stays random, told by two-sample tests."""

from __future__ import annotations

from collections.abc import Iterator
from math import pi, sqrt

import numpy as np
import sympy
from scipy.stats import kstest, norm

from bea.modified.noise_limit import limit
from bea.noise import sgld
from bea.numerics.constrained_sde import constrained_paths
from bea.numerics.ensembles import ensemble
from bea.systems import Loss, VectorField
from bea.systems.derivatives import jacobian, partial_derivatives
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.zero_loss_set import ZeroLossSet
from bea.theorems.claims import Claim, Run
from bea.theorems.noise_cases import Case, langevin_cases, trace
from bea.theorems.noise_experiments import Travel, exponent_claim, kind_claim, law_claim, values_of

__all__ = ["langevin_claims"]

#: How far the mean square of the distance has to grow for the exponents, and in what time it does.
LEVEL, SHORT = -0.2, 0.1


def langevin_claims(run: Run) -> Iterator[Claim]:
    """On the circle with equal and unequal walls, on the three products and on the diagonal network."""
    yield from _circle(run)
    for case in langevin_cases():
        yield from _exponents(run, case)
        yield from _law(run, case)


def _circle(run: Run) -> Iterator[Claim]:
    """The same noise everywhere: a random limit on the circle, with a drift where the walls change."""
    x, y = sympy.symbols("x y")
    circle = ZeroLossSet([x**2 + y**2 - 1], (x, y))
    replicas, alpha, sigma = 4000 if run.quick else 10_000, 0.05, 0.2
    data = run.data["circle"] = {}
    for walls, steepness in (("equal", sympy.S.One), ("unequal", sympy.exp(sympy.Rational(3, 2) * x))):
        noisy = sgld(Loss(steepness * (x**2 + y**2 - 1) ** 2 / 8, (x, y), zero_loss_set=circle))
        yield kind_claim(
            f"Langevin noise on the circle with {walls} walls", noisy, limit(noisy), "degenerate"
        )
        steps = round(0.5 / (alpha * sigma) ** 2)
        angles = _angles(ensemble(noisy, (0.0, 1.0), alpha, steps, replicas, sigma=sigma, rng=run.rng).final)
        if walls == "equal":
            data["angles"] = angles
            how = f"Kolmogorov–Smirnov, {replicas} replicas, α = {alpha:g}, σ = {sigma:g}"
            yield law_claim("Langevin noise, equal walls: the angle is normal, of variance t",
                            kstest(angles, norm(scale=sqrt(0.5)).cdf).pvalue, True, how)  # fmt: skip
            yield law_claim("control: Langevin noise, equal walls: the angle is normal, of variance t/2",
                            kstest(angles, norm(scale=0.5).cdf).pvalue, False, how)  # fmt: skip
            continue
        drift = VectorField([-steepness.diff(v) / steepness / 4 for v in (x, y)], (x, y))
        corners = run.rng.uniform(-pi, pi, 20)
        points = np.stack([np.cos(corners), np.sin(corners)], axis=1)
        yield _drift_claim("Langevin noise, unequal walls g", "−¼P∇log g", noisy, drift, points)
        for label, b in (("Langevin noise", drift), ("control: Langevin noise without the drift", None)):
            paths = constrained_paths(b, sympy.eye(2), circle, (0.0, 1.0), 0.01, 50, replicas, rng=run.rng)
            how = f"two-sample Kolmogorov–Smirnov, {replicas} replicas of descent and of the limit"
            yield law_claim(f"{label}, unequal walls g: the angle follows dY = dB − ¼P∇log g dt",
                            kstest(angles, _angles(paths.final)).pvalue, b is not None, how)  # fmt: skip


def _exponents(run: Run, case: Case) -> Iterator[Claim]:
    """The steps in which the mean square of the distance from the start grows to a level."""
    yield kind_claim(case.label, case.noisy, limit(case.noisy), "degenerate")
    travel = Travel(case.noisy, case.start, case.statistic, LEVEL, SHORT, (2, 1))
    replicas = 1024 if run.quick else 4096
    yield exponent_claim(run, case.label, travel, "alpha", (0.015, 0.15), 0.4, replicas)
    yield exponent_claim(run, case.label, travel, "sigma", (0.13, 0.42), 0.1, 4 * replicas)


def _law(run: Run, case: Case) -> Iterator[Claim]:
    """The trace of the Hessian of descent and of dY = P dB − ¼P∇log det(JJᵀ)dt, J the slopes of residuals."""
    zeros = limit(case.noisy).zero_loss_set
    drift = _determinant_drift(zeros)
    points = np.array([zeros.retract(np.array(case.start) * run.rng.uniform(0.9, 1.1, len(case.start)))
                       for _ in range(20)])  # fmt: skip
    yield _drift_claim(case.label, "−¼P∇log det JJᵀ", case.noisy, drift, points)
    replicas, alpha, sigma = 4000 if run.quick else 10_000, 0.025, 0.35
    flatness = trace(case.noisy.loss)
    steps = round(case.time / (alpha * sigma) ** 2)
    final = ensemble(case.noisy, case.start, alpha, steps, replicas, sigma=sigma, rng=run.rng).final
    traces = values_of(flatness, case.noisy, final)
    how = f"two-sample Kolmogorov–Smirnov, {replicas} replicas of descent and of the limit"
    law = "the law of tr H under dY = P dB − ¼P∇log det JJᵀ dt"
    for label, b in ((case.label, drift), (f"control: {case.label} without the drift", None)):
        paths = constrained_paths(
            b, sympy.eye(len(case.start)), zeros, case.start, case.time / 50, 50, replicas,
            rng=run.rng, record_every=25, record_replicas=range(replicas),
        ).path.replicas  # fmt: skip
        half, whole = (kstest(traces, values_of(flatness, case.noisy, x)).pvalue for x in paths[1:])
        yield law_claim(f"{label}: {law}", whole, b is not None, how)
        if b is not None:
            yield law_claim(f"control: {label} after half the time: {law}", half, False, how)


def _determinant_drift(zeros: ZeroLossSet) -> VectorField:
    """−¼∇log det(JJᵀ), with J the derivative of the residuals."""
    J = sympy.Matrix(jacobian(zeros.residuals, zeros.variables))
    slopes = partial_derivatives(sympy.log((J * J.T).det()) / 4, zeros.variables)
    return VectorField([-s for s in slopes], zeros.variables)


def _drift_claim(label: str, formula: str, noisy: NoisyLoss, drift: VectorField, points: np.ndarray) -> Claim:
    """The tangential drift of the limit at points of Γ, against a formula for it."""
    found = limit(noisy)
    gap = max(float(np.abs(found.tangent_projection(p) @ (found.drift(p) - drift(p))).max()) for p in points)
    return Claim(
        name=f"{label}: the tangential drift of the limit is {formula}",
        predicted="difference 0",
        measured=gap,
        passed=gap < 1e-10,
        detail=f"largest difference at {len(points)} random points of the zero-loss set",
    )


def _angles(points: np.ndarray) -> np.ndarray:
    """Angles from the top of the circle, between −π and π."""
    return np.arctan2(-points[:, 0], points[:, 1])
