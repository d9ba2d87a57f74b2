"""Ensembles of noisy descent, and the numbers with intervals that they give: exponents, and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from scipy.stats import norm

from bea.modified.noise_limit import Limit
from bea.numerics import flow
from bea.numerics.constrained import constrained_flow
from bea.numerics.ensemble_result import Ensemble
from bea.numerics.ensembles import ensemble
from bea.systems import VectorField
from bea.systems.derivatives import partial_derivatives
from bea.systems.evaluation import compile_numpy, parameter_numbers
from bea.systems.expressions import read_expression
from bea.systems.noisy_loss import NoisyLoss
from bea.theorems.claims import Claim, Run
from bea.theorems.fit import fit_order

__all__ = [
    "CONFIDENCE",
    "Interval",
    "Travel",
    "descend",
    "excluded_claim",
    "exponent_claim",
    "extrapolated",
    "keep_clock",
    "kind_claim",
    "law_claim",
    "limit_claim",
    "limit_path",
    "small",
    "unprojected",
    "values_of",
]

#: The confidence of all intervals, and the level of all tests.
CONFIDENCE = 0.999
#: Values of ε in limits for ε → 0, where step size and variance are proportional to ε.
SMALL = (0.12, 0.08, 0.06, 0.04, 0.03, 0.02)

#: A measured number, and the ends of its confidence interval.
Interval = tuple[float, tuple[float, float]]
Statistics = Mapping[str, str | sympy.Expr]


def descend(
    run: Run,
    noisy: NoisyLoss,
    start: Sequence[float] | np.ndarray,
    alpha: float,
    sigma: float,
    steps: int,
    replicas: int,
    statistics: Statistics,
) -> Ensemble:
    """An ensemble whose statistics are recorded about 200 times along the way."""
    every = max(1, steps // 200)
    return ensemble(
        noisy, start, alpha, steps, replicas, sigma, run.rng, statistics=statistics, record_every=every
    )


def small(run: Run) -> tuple[float, ...]:
    """The values of ε from which limits for ε → 0 are extrapolated."""
    return SMALL if run.quick else (*SMALL, 0.015)


# -- exponents --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Travel:
    """A distance that is to be travelled: until the mean of a statistic has fallen to a level.

    It takes `time` units of 1/(α^i σ^(2j)) steps at most, (i, j) the scale.
    """

    noisy: NoisyLoss
    start: Sequence[float] | np.ndarray
    statistic: str | sympy.Expr
    level: float
    time: float
    scale: tuple[int, int]

    def steps(self, run: Run, alpha: float, sigma: float, replicas: int) -> float:
        """How many steps it takes, between two recorded ones by linear interpolation."""
        i, j = self.scale
        most = round(self.time / (alpha**i * sigma ** (2 * j)))
        statistics: Statistics = {"value": self.statistic}
        path = descend(run, self.noisy, self.start, alpha, sigma, most, replicas, statistics).path
        mean = path.statistics["value"]
        if mean[-1] >= self.level:
            raise ValueError(f"the mean of {self.statistic} does not fall to {self.level:g} in {most} steps")
        k = int(np.flatnonzero(mean < self.level)[0])
        share = (mean[k - 1] - self.level) / (mean[k - 1] - mean[k])
        return float(path.steps[k - 1] + share * (path.steps[k] - path.steps[k - 1]))


def exponent_claim(
    run: Run, name: str, travel: Travel, which: str, ends: tuple[float, float], other: float, replicas: int
) -> Claim:
    """The power of α or of σ with which the number of steps falls; σ is fitted by its square."""
    values = np.geomspace(*ends, 16)
    pairs = [(v, other) if which == "alpha" else (other, v) for v in values.tolist()]
    steps = [travel.steps(run, alpha, sigma, replicas) for alpha, sigma in pairs]
    factor = 1 if which == "alpha" else 2
    fit = fit_order((values**factor).tolist(), steps, confidence=CONFIDENCE)
    low, high = (factor * end for end in fit.interval)
    predicted = -factor * travel.scale[factor - 1]
    letter, fixed = ("α", "σ") if which == "alpha" else ("σ", "α")
    return Claim(
        name=f"{name}: steps to travel a fixed distance, exponent of {letter}",
        predicted=predicted,
        measured=factor * fit.value,
        interval=(low, high),
        passed=predicted - 1 < low <= predicted <= high < predicted + 1,
        detail=f"{len(values)} values of {letter} from {ends[0]:.3g} to {ends[1]:.3g}, {fixed} = "
        f"{other:.3g}, {replicas} replicas, interval of {CONFIDENCE:.1%}",
    )


# -- limits for ε → 0 -------------------------------------------------------------------------------------


def extrapolated(run: Run, means: Sequence[Ensemble], name: str, power: int = 0) -> Interval:
    """The limit for ε → 0 of a mean over ε^power that is a power series in ε, with its interval.

    It is read off a parabola through all values but the first, weighted by their standard errors. To the
    statistical half-width the interval adds how far the limit moves with a cubic through all.
    """
    sizes = np.array(small(run)) / SMALL[0]
    units = np.array(small(run)) ** power
    values = np.array([e.path.statistics[name][-1] for e in means]) / units
    errors = np.sqrt([e.path.variances[name][-1] / len(e.survivors) for e in means]) / units
    value, deviation = constant_term(sizes[1:], values[1:], errors[1:], 2)
    half = float(norm.ppf((1 + CONFIDENCE) / 2)) * deviation
    half += abs(value - constant_term(sizes, values, errors, 3)[0])
    return value, (value - half, value + half)


def constant_term(x: np.ndarray, y: np.ndarray, errors: np.ndarray, degree: int) -> tuple[float, float]:
    """The constant of a weighted polynomial fit, and its standard deviation."""
    inverse = np.linalg.pinv(np.vander(x, degree + 1, increasing=True) / errors[:, None])[0]
    return float(inverse @ (y / errors)), float(np.linalg.norm(inverse))


def limit_path(found: Limit, start: Sequence[float] | np.ndarray, times: np.ndarray) -> np.ndarray:
    """The limit where it is a flow, from its drift on Γ alone."""
    span = float(times[0]), float(times[-1])
    return constrained_flow(found.drift, found.zero_loss_set, start, span, t_eval=times).x


def unprojected(
    potential: sympy.Expr, noisy: NoisyLoss, start: Sequence[float] | np.ndarray, time: float
) -> np.ndarray:
    """Where the gradient flow of a regulariser leads that is not held to Γ."""
    slope = partial_derivatives(potential, noisy.variables)
    names = [s.name for s in noisy.parameter_symbols]
    field = VectorField([-g for g in slope], noisy.variables, noisy.parameters, absent=names)
    return flow(field, start, (0.0, time)).y[:, -1]


def values_of(statistic: str | sympy.Expr, noisy: NoisyLoss, points: np.ndarray) -> np.ndarray:
    """A statistic at many points, one a row."""
    symbols = (*noisy.variables, *noisy.parameter_symbols)
    expression = read_expression(statistic, {s.name: s for s in symbols})
    f = compile_numpy([expression], noisy.variables, noisy.parameter_symbols)
    p = parameter_numbers(noisy.parameter_symbols, noisy.parameters)
    return np.array([f(x, p)[0] for x in np.atleast_2d(points)])


# -- claims -----------------------------------------------------------------------------------------------


def kind_claim(label: str, noisy: NoisyLoss, found: Limit, predicted: str) -> Claim:
    """That the classifier finds the kind of the limit."""
    return Claim(
        name=f"{label}: kind of the limit",
        predicted=predicted,
        measured=found.kind,
        passed=found.kind == predicted,
        detail=f"by {found.how}; time scale {found.time_scale or 'none'}",
    )


def limit_claim(name: str, predicted: float, measured: Interval, band: float, how: str) -> Claim:
    """That a predicted limit lies in an interval of which no half is wider than the band."""
    value, (low, high) = measured
    return Claim(
        name=name,
        predicted=float(predicted),
        measured=value,
        interval=(low, high),
        passed=low <= predicted <= high and high - low < 2 * band,
        detail=f"{how}; extrapolated to ε = 0, interval of {CONFIDENCE:.1%} narrower than ±{band:.2g}",
    )


def excluded_claim(name: str, wrong: float, measured: Interval, how: str) -> Claim:
    """That a wrong limit lies outside the interval."""
    value, (low, high) = measured
    return Claim(
        name=f"{name} is excluded",
        predicted=f"not {wrong:.5f}",
        measured=value,
        interval=(low, high),
        passed=not low <= wrong <= high,
        detail=f"{how}; extrapolated to ε = 0, interval of {CONFIDENCE:.1%}",
    )


def law_claim(name: str, p: float, accepted: bool, how: str) -> Claim:
    """That a test of a law accepts it, or rejects it."""
    level = 1 - CONFIDENCE
    return Claim(
        name=name,
        predicted=f"p {'above' if accepted else 'below'} {level:.3f}",
        measured=float(p),
        passed=bool(p > level) is accepted,
        detail=how,
    )


# -- for the figure ---------------------------------------------------------------------------------------


def keep_clock(
    run: Run,
    key: str,
    means: Sequence[Ensemble],
    name: str,
    power: int,
    curve: tuple[np.ndarray, np.ndarray],
    variance: float = 1.0,
) -> None:
    """Means against the rescaled number of steps, and the limit."""
    paths = {
        e.step_size: (e.path.steps * e.step_size ** (power + 1) * variance, e.path.statistics[name])
        for e in means[1::2]
    }
    run.data[key] = {"paths": paths, "limit": curve}
