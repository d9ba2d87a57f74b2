"""Injected noise moves gradient descent along the zero-loss set, on one of two time scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, pi, sqrt
from typing import Any

import numpy as np
import sympy
from scipy.stats import kstest, norm

from bea.modified.noise_limit import Limit, limit
from bea.noise import Bernoulli, dropconnect, label_noise, minibatch, sgld
from bea.numerics import flow, flow_limit
from bea.numerics.constrained import constrained_flow
from bea.numerics.constrained_sde import constrained_paths
from bea.numerics.ensemble_result import Ensemble
from bea.numerics.ensembles import ensemble
from bea.systems import Loss, VectorField
from bea.systems.catalogue import sum_of_products, two_parameter
from bea.systems.derivatives import partial_derivatives
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.zero_loss_set import ZeroLossSet
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.fit import fit_order

__all__ = ["NoiseAlongTheZeroLossSet"]

#: The confidence of all intervals, and the level of all tests.
CONFIDENCE = 0.999
#: Three products that sum to 1, and where the limit of DropConnect takes them in one unit of time.
PRODUCTS = {f"a{j}*b{j}": f"a{j}*b{j}" for j in (1, 2, 3)}
BALANCING, KNOWN = (1.5, 0.4, 0.3, 0.5, 0.5, 1 / 6), (0.41291, 0.37360, 0.21349)
#: A start on ab = 0.6, far from balanced, and a time of the limit of label noise.
UNBALANCED, LABEL_TIME = (2.0, 0.3), 0.5
#: Values of ε in limits for ε → 0, where step size and variance are proportional to ε.
SMALL = (0.12, 0.08, 0.06, 0.04, 0.03, 0.02)


class NoiseAlongTheZeroLossSet(Theorem):
    """Noisy descent follows a constrained gradient flow or a diffusion, or rests, as its loss tells."""

    name = "noise"
    title = "Noise injection along the zero-loss set"
    statement = (
        r"Let $w_{k+1} = w_k - \alpha \nabla_w \hat L(w_k, \eta_k)$ with independent noise of mean 0 and "
        r"variance $\sigma^2$. In $O(1/\alpha)$ steps $w$ comes to the zero-loss set $\Gamma$, where the "
        r"gradient flow leads. If $\mathrm{Reg} = \frac{1}{2} \Delta_\eta \hat L(w, 0)$ is not constant "
        r"along $\Gamma$, then in $t/(\alpha\sigma^2)$ steps $w$ follows $\dot W = -P \nabla "
        r"\mathrm{Reg}(W)$, $P$ the projection onto the tangent space. If the gradient is affine in the "
        r"noise, nothing moves on that scale, and on that of $t/(\alpha^2\sigma^2)$ steps $w$ follows a "
        r"diffusion on $\Gamma$; for label noise it is the flow $\dot W = -\frac{c}{4} P \nabla "
        r"\mathrm{tr} H$. Minibatches move nothing on either scale."
    )
    references = (
        "A. Shalova, A. Schlichting and M. Peletier (2024), Singular-limit analysis of gradient descent with "
        "noise injection",
        "Z. Li, T. Wang and S. Arora (2022), What happens after SGD reaches zero loss? A mathematical "
        "framework, International Conference on Learning Representations",
        "G. Blanc, N. Gupta, G. Valiant and P. Valiant (2020), Implicit regularization for deep neural "
        "networks driven by an Ornstein–Uhlenbeck like process, Conference on Learning Theory",
        "A. Damian, T. Ma and J. D. Lee (2021), Label noise SGD provably prefers flat global minimizers, "
        "Advances in Neural Information Processing Systems",
        "G. S. Katzenberger (1991), Solutions of a stochastic differential equation forced onto a manifold "
        "by a large drift, Annals of Probability 19",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """The fast phase, the four kinds of noise on their time scales, and wrong limits that must fail."""
        yield from _fast_phase(run)
        yield from _dropconnect(run)
        yield from _one_product(run)
        yield from _label_noise(run)
        yield from _minibatches(run)
        yield from _langevin(run)

    def figure(self, run: Run) -> Any:
        """The zero-loss curve with ensemble and limit, clocks on both scales, and the random limit."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(12, 8.5), layout="constrained")
        axes = figure.subplots(2, 2)
        _draw_curve(axes[0, 0], run.data["curve"])
        _draw_clock(axes[0, 1], run.data["dropconnect"], r"DropConnect: mean of $a_1 b_1$", 1)
        _draw_clock(axes[1, 0], run.data["label noise"], r"label noise: mean of $\mathrm{tr}\,H$", 2)
        _draw_circle(axes[1, 1], run.data["circle"])
        return figure


# -- the noisy losses, one after the other ----------------------------------------------------------------


def _fast_phase(run: Run) -> Iterator[Claim]:
    """From a start off Γ: how many steps it takes to come near, and where."""
    noisy = dropconnect(sum_of_products(n=3))
    start = np.array([1.2, 0.6, 0.5, 0.9, 0.8, 0.4]) * run.rng.uniform(0.98, 1.02, 6)
    travel = Travel(noisy, start, "a1*b1 + a2*b2 + a3*b3", level=1.05, time=2.0, scale=(1, 0))
    yield _exponent(run, "fast phase: steps to the zero-loss set", travel, "alpha", (0.004, 0.04), 0.05, 400)
    means = [_run(run, noisy, start, e, sqrt(e) / 2, round(4 / e), 1000, PRODUCTS) for e in _small(run)]
    end = flow_limit(noisy.loss, start).x
    for j, name in enumerate(PRODUCTS):
        yield _limit_claim(
            f"fast phase: {name} where it comes to the zero-loss set, against the gradient flow",
            float(end[j] * end[j + 3]), _extrapolated(run, means, name), 0.01, "α = ε, σ² = ε/4, 4/α steps",
        )  # fmt: skip


def _dropconnect(run: Run) -> Iterator[Claim]:
    """Factors on all six weights of three products: the products become equal."""
    loss = sum_of_products(n=3)
    noisy = dropconnect(loss)
    yield _kind("DropConnect, three products", noisy, "non-degenerate")
    yield _kind(
        "DropConnect that drops weights, three products", dropconnect(loss, Bernoulli()), "non-degenerate"
    )
    for label, law in (("normal", None), ("dropping", Bernoulli())):
        travel = Travel(dropconnect(loss, law), BALANCING, "a1*b1", level=0.55, time=1.5, scale=(1, 1))
        replicas = 3000 if run.quick else 16_000
        name = f"DropConnect, {label}: steps to travel a fixed distance"
        yield _exponent(run, name, travel, "alpha", (0.02, 0.2), 0.2, replicas)
        yield _exponent(run, name, travel, "sigma", (0.1, 0.32), 0.05, replicas)

    yield from _dropconnect_limit(run, noisy)


def _dropconnect_limit(run: Run, noisy: NoisyLoss) -> Iterator[Claim]:
    """The ensemble for α = σ² → 0 after one unit of time, against the limit and against wrong ones."""
    found = limit(noisy)
    times = np.linspace(0, 2, 81)
    path = _limit_path(found, BALANCING, times)
    products = path[:, :3] * path[:, 3:]
    once, twice = products[40], products[80]
    yield Claim(
        name="DropConnect: the limit flow takes the products in one unit of time to",
        predicted=_point(KNOWN),
        measured=_point(once),
        passed=bool(np.abs(once - KNOWN).max() < 6e-6),
        detail=f"from {_point(np.multiply(BALANCING[:3], BALANCING[3:]))}, to five decimals",
    )
    replicas = 2000 if run.quick else 8000
    means = [
        _run(run, noisy, BALANCING, e, sqrt(e), round(1 / e**2), replicas, PRODUCTS) for e in _small(run)
    ]
    _keep_clock(run, "dropconnect", means, "a1*b1", 1, (times[:41], products[:41, 0]))
    free = _unprojected(found.regularizer, noisy, BALANCING, 1.0)
    for j, name in enumerate(PRODUCTS):
        measured = _extrapolated(run, means, name)
        how = "α = σ² = ε, 1/(ασ²) steps"
        yield _limit_claim(
            f"DropConnect: mean of {name} after one unit of time", once[j], measured, 0.01, how
        )
        if j == 0:
            rivals = {
                "the regulariser doubled": twice[j],
                "the regulariser without the projection": free[j] * free[j + 3],
                "no motion on this scale": BALANCING[j] * BALANCING[j + 3],
            }
            for label, value in rivals.items():
                yield _excluded(f"control: DropConnect with {label}", value, measured, how)
    yield from _too_long(run, noisy, once[0])


def _too_long(run: Run, noisy: NoisyLoss, once: float) -> Iterator[Claim]:
    """On the scale 1/(α²σ²) DropConnect has long come to the minimum of its regulariser."""
    means = [_run(run, noisy, BALANCING, e, sqrt(0.1), round(10 / e**2), 500, PRODUCTS) for e in _small(run)]
    value, interval = _extrapolated(run, means, "a1*b1")
    yield _excluded(
        "control: DropConnect on the wrong scale, 1/(α²σ²)", once, (value, interval), "α = ε, σ² = 0.1"
    )


def _one_product(run: Run) -> Iterator[Claim]:
    """With one product the regulariser is constant along Γ, and no theorem applies."""
    noisy = dropconnect(sum_of_products(n=1))
    yield _kind("DropConnect, one product", noisy, "uncovered")
    replicas = 500 if run.quick else 2000
    means = [
        _run(run, noisy, (2.0, 0.5), e, sqrt(e), round(1 / e**2), replicas, {"gap": "(a1**2 - b1**2)*4/15"})
        for e in _small(run)
    ]
    yield _limit_claim(
        "DropConnect, one product: share of a² − b² that is left on the scale 1/(ασ²)",
        1.0, _extrapolated(run, means, "gap"), 0.04, "α = σ² = ε, 1/(ασ²) steps",
    )  # fmt: skip


def _label_noise(run: Run) -> Iterator[Claim]:
    """Perturbed labels make the gradient affine in the noise: the slow scale, and a limit that is a flow."""
    noisy = label_noise(two_parameter())
    yield _kind("label noise, two parameters", noisy, "degenerate")
    yield _kind("label noise, three products", label_noise(sum_of_products(n=3)), "degenerate")
    travel = Travel(noisy, UNBALANCED, "a**2 + b**2", level=2.5, time=1.0, scale=(2, 1))
    name = "label noise: steps to travel a fixed distance"
    yield _exponent(run, name, travel, "alpha", (0.015, 0.15), 0.2, 256)
    yield _exponent(run, name, travel, "sigma", (0.1, 0.32), 0.05, 256)

    yield from _label_noise_limit(run, noisy)


def _label_noise_limit(run: Run, noisy: NoisyLoss) -> Iterator[Claim]:
    """S = tr H obeys S² = 4y² + (S₀² − 4y²) e^(−2t) in the limit."""
    y, first = float(noisy.parameters["y"]), UNBALANCED[0] ** 2 + UNBALANCED[1] ** 2

    def trace(t: float) -> float:
        return sqrt(4 * y**2 + (first**2 - 4 * y**2) * exp(-2 * t))

    times = np.linspace(0, LABEL_TIME, 41)
    curve = (_limit_path(limit(noisy), UNBALANCED, times) ** 2).sum(axis=1)
    gap = float(np.abs(curve - [trace(t) for t in times]).max())
    yield Claim(
        name="label noise: Katzenberger's limit, against −¼P∇tr H in closed form",
        predicted="difference 0",
        measured=gap,
        passed=gap < 1e-7,
        detail=f"largest difference of tr H up to the time {LABEL_TIME:g}",
    )
    statistic, replicas = {"trace": "a**2 + b**2"}, 512 if run.quick else 1024
    means = [
        _run(run, noisy, UNBALANCED, e, sqrt(e), round(LABEL_TIME / e**3), replicas, statistic)
        for e in _small(run)
    ]
    _keep_clock(run, "label noise", means, "trace", 2, (times, curve))
    _keep_curve(run, noisy)
    falls = bool((np.diff(means[-1].path.statistics["trace"][::5]) < 0).all())
    yield Claim(
        name="label noise: the mean trace of the Hessian falls all the way",
        predicted="decreasing",
        measured="decreasing" if falls else "not decreasing",
        passed=falls,
        detail=f"α = σ² = {means[-1].step_size:g}, {replicas} replicas",
    )
    measured, how = _extrapolated(run, means, "trace"), f"α = σ² = ε, {LABEL_TIME:g}/(α²σ²) steps"
    yield _limit_claim("label noise: mean trace of the Hessian", trace(LABEL_TIME), measured, 0.03, how)
    rivals = {
        "twice the constant, −½P∇tr H": trace(2 * LABEL_TIME),
        "the trace without the projection, −¼∇tr H": first * exp(-LABEL_TIME),
    }
    for label, value in rivals.items():
        yield _excluded(f"control: label noise with {label}", value, measured, how)
    short = [
        _run(run, noisy, UNBALANCED, e, sqrt(e), round(LABEL_TIME / e**2), 256, statistic)
        for e in _small(run)
    ]
    still = _extrapolated(run, short, "trace")
    how = f"α = σ² = ε, {LABEL_TIME:g}/(ασ²) steps"
    yield _limit_claim("label noise: nothing moves on the scale 1/(ασ²)", first, still, 0.05, how)
    yield _excluded("control: label noise on the wrong scale, 1/(ασ²)", trace(LABEL_TIME), still, how)


def _minibatches(run: Run) -> Iterator[Claim]:
    """Where all losses of the data vanish together, minibatches come to rest."""
    noisy = minibatch(["(a*b - 1)**2", "(b*c - 1)**2"], variables="a b c")
    yield _kind("minibatches", noisy, "trivial")
    alpha, start = 0.05, 0.5 + run.rng.random((64, 3))
    arrived = ensemble(noisy, start, alpha, 2000, 64, rng=run.rng).final
    for label, steps in (("1/(ασ²)", round(10 / alpha)), ("1/(α²σ²)", round(10 / alpha**2))):
        later = ensemble(noisy, arrived, alpha, steps, 64, rng=run.rng).final
        moved = float(np.abs(later - arrived).max())
        yield Claim(
            name=f"minibatches: largest motion on the scale {label}",
            predicted=0.0,
            measured=moved,
            passed=moved < 1e-10,
            detail=f"64 replicas that made 2000 steps before, α = {alpha:g}, σ² = 1, {steps} steps",
        )


def _langevin(run: Run) -> Iterator[Claim]:
    """The same noise everywhere: a random limit on the circle, with a drift where the walls change."""
    x, y = sympy.symbols("x y")
    circle = ZeroLossSet([x**2 + y**2 - 1], (x, y))
    replicas, alpha, sigma = 4000 if run.quick else 10_000, 0.05, 0.2
    data = run.data["circle"] = {}
    for walls, steepness in (("equal", sympy.S.One), ("unequal", sympy.exp(sympy.Rational(3, 2) * x))):
        noisy = sgld(Loss(steepness * (x**2 + y**2 - 1) ** 2 / 8, (x, y), zero_loss_set=circle))
        yield _kind(f"Langevin noise on the circle with {walls} walls", noisy, "degenerate")
        steps = round(0.5 / (alpha * sigma) ** 2)
        angles = _angles(ensemble(noisy, (0.0, 1.0), alpha, steps, replicas, sigma=sigma, rng=run.rng).final)
        if walls == "equal":
            data["angles"] = angles
            how = f"Kolmogorov–Smirnov, {replicas} replicas, α = {alpha:g}, σ = {sigma:g}"
            yield _test("Langevin noise, equal walls: the angle is normal, of variance t",
                        kstest(angles, norm(scale=sqrt(0.5)).cdf).pvalue, True, how)  # fmt: skip
            yield _test("control: Langevin noise, equal walls: the angle is normal, of variance t/2",
                        kstest(angles, norm(scale=0.5).cdf).pvalue, False, how)  # fmt: skip
            continue
        drift = VectorField([-steepness.diff(v) / steepness / 4 for v in (x, y)], (x, y))
        yield _drift_claim(noisy, drift, run)
        for label, b in (("Langevin noise", drift), ("control: Langevin noise without the drift", None)):
            paths = constrained_paths(b, sympy.eye(2), circle, (0.0, 1.0), 0.01, 50, replicas, rng=run.rng)
            how = f"two-sample Kolmogorov–Smirnov, {replicas} replicas of descent and of the limit"
            yield _test(f"{label}, unequal walls g: the angle follows dY = dB − ¼P∇log g dt",
                        kstest(angles, _angles(paths.final)).pvalue, b is not None, how)  # fmt: skip


def _drift_claim(noisy: NoisyLoss, drift: VectorField, run: Run) -> Claim:
    """The tangential drift of the limit on the circle, against the formula for it."""
    found = limit(noisy)
    angles = run.rng.uniform(-pi, pi, 20)
    points = [np.array([np.cos(a), np.sin(a)]) for a in angles]
    gap = max(float(np.abs(found.tangent_projection(p) @ (found.drift(p) - drift(p))).max()) for p in points)
    return Claim(
        name="Langevin noise, unequal walls g: the tangential drift of the limit is −¼P∇log g",
        predicted="difference 0",
        measured=gap,
        passed=gap < 1e-10,
        detail=f"largest difference at {len(points)} random points of the circle",
    )


# -- experiments ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Travel:
    """A distance that is to be travelled: until the mean of a statistic has fallen to a level.

    It takes `time` units of 1/(α^i σ^(2j)) steps at most, (i, j) the scale.
    """

    noisy: NoisyLoss
    start: Sequence[float] | np.ndarray
    statistic: str
    level: float
    time: float
    scale: tuple[int, int]

    def steps(self, run: Run, alpha: float, sigma: float, replicas: int) -> float:
        """How many steps it takes, between two recorded ones by linear interpolation."""
        i, j = self.scale
        most = round(self.time / (alpha**i * sigma ** (2 * j)))
        path = _run(run, self.noisy, self.start, alpha, sigma, most, replicas, {"s": self.statistic}).path
        mean = path.statistics["s"]
        if mean[-1] >= self.level:
            raise ValueError(f"the mean of {self.statistic} does not fall to {self.level:g} in {most} steps")
        k = int(np.flatnonzero(mean < self.level)[0])
        share = (mean[k - 1] - self.level) / (mean[k - 1] - mean[k])
        return float(path.steps[k - 1] + share * (path.steps[k] - path.steps[k - 1]))


def _run(
    run: Run,
    noisy: NoisyLoss,
    start: Sequence[float] | np.ndarray,
    alpha: float,
    sigma: float,
    steps: int,
    replicas: int,
    statistics: Mapping[str, str],
) -> Ensemble:
    every = max(1, steps // 200)
    return ensemble(
        noisy, start, alpha, steps, replicas, sigma, run.rng, statistics=statistics, record_every=every
    )


def _small(run: Run) -> tuple[float, ...]:
    return SMALL if run.quick else (*SMALL, 0.015)


def _exponent(
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
        name=f"{name}, exponent of {letter}",
        predicted=predicted,
        measured=factor * fit.value,
        interval=(low, high),
        passed=predicted - 1 < low <= predicted <= high < predicted + 1,
        detail=f"{len(values)} values of {letter} from {ends[0]:g} to {ends[1]:g}, {fixed} = {other:g}, "
        f"{replicas} replicas, interval of {CONFIDENCE:.1%}",
    )


Interval = tuple[float, tuple[float, float]]


def _extrapolated(run: Run, means: Sequence[Ensemble], name: str) -> Interval:
    """The limit for ε → 0 of a mean that is a power series in ε, with its interval.

    It is read off a parabola through all values but the first, weighted by their standard errors. To the
    statistical half-width the interval adds how far the limit moves with a cubic through all.
    """
    sizes = np.array(_small(run)) / SMALL[0]
    values = np.array([e.path.statistics[name][-1] for e in means])
    errors = np.sqrt([e.path.variances[name][-1] / len(e.survivors) for e in means])
    value, deviation = _constant_term(sizes[1:], values[1:], errors[1:], 2)
    half = float(norm.ppf((1 + CONFIDENCE) / 2)) * deviation
    half += abs(value - _constant_term(sizes, values, errors, 3)[0])
    return value, (value - half, value + half)


def _constant_term(x: np.ndarray, y: np.ndarray, errors: np.ndarray, degree: int) -> tuple[float, float]:
    """The constant of a weighted polynomial fit, and its standard deviation."""
    inverse = np.linalg.pinv(np.vander(x, degree + 1, increasing=True) / errors[:, None])[0]
    return float(inverse @ (y / errors)), float(np.linalg.norm(inverse))


def _limit_path(found: Limit, start: Sequence[float] | np.ndarray, times: np.ndarray) -> np.ndarray:
    """The limit where it is a flow, from its drift on Γ alone."""
    span = float(times[0]), float(times[-1])
    return constrained_flow(found.drift, found.zero_loss_set, start, span, t_eval=times).x


def _unprojected(
    regularizer: sympy.Expr, noisy: NoisyLoss, start: Sequence[float], time: float
) -> np.ndarray:
    """Where the gradient flow of the regulariser leads that is not held to Γ."""
    slope = partial_derivatives(regularizer, noisy.variables)
    names = [s.name for s in noisy.parameter_symbols]
    field = VectorField([-g for g in slope], noisy.variables, noisy.parameters, absent=names)
    return flow(field, start, (0.0, time)).y[:, -1]


def _angles(points: np.ndarray) -> np.ndarray:
    """Angles from the top of the circle, between −π and π."""
    return np.arctan2(-points[:, 0], points[:, 1])


# -- claims -----------------------------------------------------------------------------------------------


def _kind(label: str, noisy: NoisyLoss, predicted: str) -> Claim:
    found = limit(noisy)
    return Claim(
        name=f"{label}: kind of the limit",
        predicted=predicted,
        measured=found.kind,
        passed=found.kind == predicted,
        detail=f"by {found.how}; time scale {found.time_scale or 'none'}",
    )


def _limit_claim(name: str, predicted: float, measured: Interval, band: float, how: str) -> Claim:
    """That a predicted limit lies in an interval of which no half is wider than the band."""
    value, (low, high) = measured
    return Claim(
        name=name,
        predicted=float(predicted),
        measured=value,
        interval=(low, high),
        passed=low <= predicted <= high and high - low < 2 * band,
        detail=f"{how}; extrapolated to ε = 0, interval of {CONFIDENCE:.1%} narrower than ±{band:g}",
    )


def _excluded(name: str, wrong: float, measured: Interval, how: str) -> Claim:
    value, (low, high) = measured
    return Claim(
        name=f"{name} is excluded",
        predicted=f"not {wrong:.5f}",
        measured=value,
        interval=(low, high),
        passed=not low <= wrong <= high,
        detail=f"{how}; extrapolated to ε = 0, interval of {CONFIDENCE:.1%}",
    )


def _test(name: str, p: float, accepted: bool, how: str) -> Claim:
    level = 1 - CONFIDENCE
    return Claim(
        name=name,
        predicted=f"p {'above' if accepted else 'below'} {level:.3f}",
        measured=float(p),
        passed=bool(p > level) is accepted,
        detail=how,
    )


def _point(values: Sequence[float] | np.ndarray) -> str:
    return f"({', '.join(f'{v:.5f}' for v in values)})"


# -- figure -----------------------------------------------------------------------------------------------


def _keep_clock(
    run: Run, key: str, means: Sequence[Ensemble], name: str, power: int, curve: tuple[np.ndarray, np.ndarray]
) -> None:
    """Means against the rescaled number of steps, and the limit."""
    paths = {
        e.step_size: (e.path.steps * e.step_size ** (power + 1), e.path.statistics[name]) for e in means[1::2]
    }
    run.data[key] = {"paths": paths, "limit": curve}


def _keep_curve(run: Run, noisy: NoisyLoss) -> None:
    """A small ensemble off and along the curve ab = y, and the limit flow."""
    alpha, sigma = 0.05, 0.3
    steps, start = round(2 / (alpha * sigma) ** 2), (2.2, 1.0)
    path = ensemble(noisy, start, alpha, steps, 20, sigma, run.rng, record_every=4, record_replicas=range(20))
    slow = _limit_path(limit(noisy), flow_limit(noisy.loss, start).x, np.linspace(0, 2, 60))
    run.data["curve"] = {"path": path.path.replicas, "limit": slow, "y": float(noisy.parameters["y"])}


def _draw_curve(ax: Any, data: Mapping[str, Any]) -> None:
    a = np.linspace(0.25, 2.4, 200)
    ax.plot(a, data["y"] / a, color="black", lw=1, label="zero-loss set $ab = y$")
    ax.plot(*data["path"][:, 0].T, color="C0", lw=0.3, alpha=0.5, label="a run with label noise")
    ax.plot(*data["path"][-1].T, ".", color="C1", label="where 20 runs end")
    ax.plot(*data["limit"].T, color="C3", lw=2, label="the limit, from the end of the gradient flow")
    ax.set(xlabel="a", ylabel="b", title="fast to the zero-loss set, slowly along it", ylim=(0, 1.6))
    ax.legend()


def _draw_clock(ax: Any, data: Mapping[str, Any], title: str, power: int) -> None:
    for alpha, (times, values) in data["paths"].items():
        ax.plot(times, values, label=rf"$\alpha = \sigma^2 = {alpha:g}$")
    ax.plot(*data["limit"], color="black", ls="--", label="limit")
    exponent = "" if power == 1 else f"^{power}"
    ax.set(xlabel=rf"$\alpha{exponent} \sigma^2 \times$ steps", title=title)
    ax.legend()


def _draw_circle(ax: Any, data: Mapping[str, Any]) -> None:
    angles = np.linspace(-pi, pi, 200)
    ax.hist(data["angles"], bins=40, density=True, color="C0", alpha=0.6, label="Langevin noise")
    ax.plot(angles, norm(scale=sqrt(0.5)).pdf(angles), color="black", ls="--", label="limit")
    ax.set(xlabel="angle", title="a random limit: the angle on the circle at t = 0.5")
    ax.legend()
