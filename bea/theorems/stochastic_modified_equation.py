"""Stochastic gradient descent follows a diffusion in the weak sense (Li, Tai and E 2017, 2019)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from itertools import combinations_with_replacement
from math import sqrt
from typing import Any

import numpy as np
import sympy
from flint import arb, arb_mat, ctx
from scipy.stats import norm

from bea.modified.stochastic import StochasticModifiedEquation, stochastic_modified_equation
from bea.numerics.balls import read_number
from bea.numerics.stochastic import stochastic_paths
from bea.systems import Loss, LossSum, VectorField
from bea.systems.expressions import STEP_SIZE
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.fit import OrderFit, fit_order

__all__ = ["StochasticModifiedEquations"]

BITS = 300
CONFIDENCE = 0.999
#: The highest power of η that is kept in means after one step.
KEPT = 4
#: The random experiment: minibatches of a loss in one dimension, the start, the time, and the test function.
EXPERIMENT = ("(x - 1)**2 / 2 + x**4 / 4", "(x + 1)**2 / 4 + x**4 / 8")
START, TIME, LEARNING_RATES = 1.0, 0.8, (0.1, 0.05)


class StochasticModifiedEquations(Theorem):
    """Means over stochastic descent are those over dX = −∇(C + (η/4)‖∇C‖²) dt + (ηΣ)^{1/2} dW, to O(η²)."""

    name = "stochastic-modified-equation"
    title = "Stochastic modified equations"
    statement = (
        r"Let $x_{n+1} = x_n - \eta \gamma_n(x_n)$ with independent random gradients $\gamma_n$ of mean "
        r"$\nabla C$ and covariance $\Sigma$. For smooth $\varphi$ of at most polynomial growth, the mean of "
        r"$\varphi(x_n)$ and that of $\varphi(X_{n\eta})$, with $\mathrm{d}X = -\nabla\left(C + "
        r"\frac{\eta}{4} \|\nabla C\|^2\right) \mathrm{d}t + (\eta\Sigma)^{1/2} \mathrm{d}W$, differ by "
        r"$O(\eta^2)$ up to a fixed time and by $O(\eta^3)$ after one step. Without the term "
        r"$\frac{\eta}{4} \|\nabla C\|^2$ they differ by $O(\eta)$ and $O(\eta^2)$."
    )
    references = (
        "Q. Li, C. Tai and W. E (2017), Stochastic modified equations and adaptive stochastic gradient "
        "algorithms, Proceedings of Machine Learning Research 70, 2101–2110",
        "Q. Li, C. Tai and W. E (2019), Stochastic modified equations and dynamics of stochastic gradient "
        "algorithms I: mathematical foundations, Journal of Machine Learning Research 20 (40), 1–47",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """Local orders on a nonlinear loss, global orders from closed moments, variances, an experiment."""
        run.data["global"] = {}
        yield from _local(run)
        yield from _global(run)
        yield from _stationary_variance(run)
        yield from _experiment(run)

    def figure(self, run: Run) -> Any:
        """Weak errors against the learning rate, stationary variances, and the random experiment."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(14, 4.3), layout="constrained")
        axes = figure.subplots(1, 3)
        _draw_errors(axes[0], run.data["global"])
        _draw_variances(axes[1], run.data["variances"])
        _draw_experiment(axes[2], run.data["experiment"])
        return figure


def _rivals(losses: LossSum) -> dict[str, StochasticModifiedEquation]:
    """The two equations, and wrong ones."""
    first, second = (stochastic_modified_equation(losses, order) for order in (1, 2))
    silent = sympy.ImmutableMatrix(sympy.zeros(*second.noise.shape))
    wrong = [2 * a - b for a, b in zip(first.drift.components, second.drift.components, strict=True)]
    return {
        "with (η/4)‖∇C‖²": second,
        "without it": first,
        "control: −(η/4)‖∇C‖²": replace(second, drift=_field(wrong, second)),
        "control: no noise": replace(second, noise=silent),
        "control: half the variance of the noise": replace(second, noise=second.noise / sympy.sqrt(2)),
        "control: Σ instead of ηΣ": replace(second, noise=second.noise / sympy.sqrt(STEP_SIZE)),
    }


#: The weak orders of these equations, in their order.
WEAK_ORDERS = (2, 1, 1, 1, 1, 0)


def _field(components: list[sympy.Expr], like: StochasticModifiedEquation) -> VectorField:
    return VectorField(components, like.drift.variables, absent=[STEP_SIZE.name])


def _mean_step(losses: LossSum, function: sympy.Expr) -> sympy.Expr:
    """The mean of φ after one step of stochastic descent from x, over all minibatches, exact."""
    ends = [
        function.subs(
            {v: v - STEP_SIZE * g for v, g in zip(losses.variables, part.gradient, strict=True)},
            simultaneous=True,
        )
        for part in losses.parts
    ]
    return sympy.expand(sum(ends, sympy.S.Zero) / len(ends))


# -- local orders ----------------------------------------------------------------------------------------


def _local(run: Run) -> Iterator[Claim]:
    """One step on a quartic loss in two dimensions, against the series of the generator."""
    tenths = [[sympy.Rational(int(n), 10) for n in run.rng.integers(5, 16, size=3)] for _ in range(3)]
    x, y = sympy.symbols("x y")
    losses = LossSum([(p * x * y - q) ** 2 / 2 + r * x**2 / 2 for p, q, r in tenths], (x, y))
    start = {
        v: sympy.Rational(int(n), 100) for v, n in zip((x, y), run.rng.integers(60, 140, size=2), strict=True)
    }
    function = x + y**2
    discrete = _mean_step(losses, function)
    rivals = _rivals(losses)
    steps = [sympy.Rational(1, n) for n in (4000, 6000, 9000, 14000, 20000, 28000, 40000)]
    for (label, equation), weak in list(zip(rivals.items(), WEAK_ORDERS, strict=True))[
        : 3 if run.quick else 5
    ]:
        difference = discrete - equation.mean_after_step(function, order=KEPT)
        if not label.startswith("control"):
            yield _agreement(label, difference, weak)
        polynomial = sympy.Poly(difference.subs(start), STEP_SIZE)
        low = sympy.Poly({m: c for m, c in polynomial.terms() if m[0] <= KEPT}, STEP_SIZE)
        errors = [abs(float(low.eval(h))) for h in steps]
        yield _order_claim(
            f"{label}: order of the weak error after one step",
            fit_order([float(h) for h in steps], errors),
            weak + 1,
            f"quartic loss, {len(losses.parts)} minibatches, φ = {function}, both means through η^{KEPT}",
        )


def _agreement(label: str, difference: sympy.Expr, weak: int) -> Claim:
    """Means after one step agree identically through η^weak and not at the next power."""
    collected = sympy.collect(sympy.expand(difference), STEP_SIZE, evaluate=False)
    powers = [int(sympy.degree(power, STEP_SIZE)) for power in collected if power != 1]
    lowest = 0 if sympy.S.One in collected and collected[sympy.S.One] != 0 else min(powers)
    return Claim(
        name=f"{label}: lowest power of η at which means after one step differ",
        predicted=weak + 1,
        measured=lowest,
        passed=lowest == weak + 1,
        detail="exact, for all x: all minibatches against Σ η^k/k! L^k φ, with L the generator",
    )


# -- global orders ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Moments:
    """Means of all monomials up to some degree, by matrices of operators on polynomials."""

    variables: tuple[sympy.Symbol, ...]
    degree: int
    start: Sequence[sympy.Rational]

    @cached_property
    def monomials(self) -> list[sympy.Expr]:
        degrees = range(self.degree + 1)
        return [sympy.Mul(*t) for n in degrees for t in combinations_with_replacement(self.variables, n)]

    def matrix(self, operator: Callable[[sympy.Expr], sympy.Expr]) -> sympy.Matrix:
        """The matrix of an operator that does not raise degrees; column j is the image of monomial j."""
        images = [sympy.Poly(operator(m), *self.variables) for m in self.monomials]
        return sympy.Matrix([[image.coeff_monomial(m) for image in images] for m in self.monomials])

    def after_steps(self, step: sympy.Matrix, n: int) -> arb_mat:
        """The means after n steps with learning rate 1/n, from the matrix of one step."""
        matrix, means = _numbers(step, n), self._at_start
        for _ in range(n):
            means = means * matrix
        return means

    def at_time_one(self, generator: sympy.Matrix, n: int) -> arb_mat:
        """The means of the diffusion at time 1, for the learning rate 1/n."""
        return self._at_start * _numbers(generator, n).exp()

    @property
    def _at_start(self) -> arb_mat:
        at = dict(zip(self.variables, self.start, strict=True))
        return arb_mat([[read_number(m.subs(at)) for m in self.monomials]])


def _global(run: Run) -> Iterator[Claim]:
    """Least squares, where the means of polynomials close: errors at time 1, without random numbers."""
    x, y = sympy.symbols("x y")
    rows = [[sympy.Rational(int(n), 10) for n in run.rng.integers(4, 12, size=3)] for _ in range(4)]
    rows = [[p, q if k % 2 else -q, r] for k, (p, q, r) in enumerate(rows)]
    losses = LossSum([(p * x + q * y - r) ** 2 / 2 for p, q, r in rows], (x, y))
    start = [sympy.Rational(int(n), 100) for n in run.rng.integers(60, 140, size=2)]
    counts = [50, 80, 125, 200, 320, 500] if run.quick else [50, 70, 100, 140, 200, 280, 400, 560]
    steps = [1 / n for n in counts]
    for degree in (2,) if run.quick else (2, 4):
        moments = _Moments((x, y), degree, start)
        step = moments.matrix(partial(_mean_step, losses))
        for (label, equation), weak in zip(_rivals(losses).items(), WEAK_ORDERS, strict=True):
            generator = moments.matrix(equation.generator)
            errors = [_distance(moments, step, generator, n) for n in counts]
            if degree == 2:
                run.data["global"][label] = (steps, errors, weak)
            yield _order_claim(
                f"{label}: weak order, φ of degree up to {degree}",
                fit_order(steps, errors),
                weak,
                f"least squares, {len(rows)} minibatches, norm of the errors of all monomials at time 1, "
                f"exact means, η from {steps[-1]:.2g} to {steps[0]:.2g}",
            )


def _distance(moments: _Moments, step: sympy.Matrix, generator: sympy.Matrix, n: int) -> arb:
    """The Euclidean norm of the differences of all means."""
    with ctx.workprec(BITS):
        difference = moments.after_steps(step, n) - moments.at_time_one(generator, n)
        return sum((d**2 for d in difference.entries()), arb(0)).sqrt()


def _numbers(matrix: sympy.Matrix, n: int) -> arb_mat:
    """A matrix with η = 1/n, in balls."""
    exact = matrix.subs(STEP_SIZE, sympy.Rational(1, n))
    return arb_mat([[read_number(entry) for entry in row] for row in exact.tolist()])


# -- stationary variance ---------------------------------------------------------------------------------


def _stationary_variance(run: Run) -> Iterator[Claim]:
    """Of c x²/2 with additive noise of variance s²: all three are exact."""
    h = STEP_SIZE
    c, s, x, v = sympy.symbols("c s x v")
    loss = Loss(c * x**2 / 2, [x])
    equations = [stochastic_modified_equation(loss, order, noise=[s]) for order in (1, 2)]
    (discrete,) = sympy.solve((1 - h * c) ** 2 * v + h**2 * s**2 - v, v)
    first, second = (sympy.solve(e.generator(x**2).subs(x**2, v), v)[0] for e in equations)
    run.data["variances"] = (discrete, first, second)
    predictions = (
        ("stochastic descent", discrete, h * s**2 / (c * (2 - c * h))),
        ("equation without (η/4)‖∇C‖²", first, h * s**2 / (2 * c)),
        ("equation with (η/4)‖∇C‖²", second, h * s**2 / (c * (2 + c * h))),
    )
    for label, measured, predicted in predictions:
        yield Claim(
            name=f"stationary variance for c x²/2 and noise of variance s²: {label}",
            predicted=_shown(predicted),
            measured=_shown(measured),
            passed=sympy.simplify(measured - predicted) == 0,
            detail="exact",
        )
    differences = [sympy.series(discrete - e, h, 0, 3).removeO() for e in (first, second)]
    yield Claim(
        name="stationary variance: both equations are wrong by O(η²), the corrected one twice as much",
        predicted=", ".join(map(_shown, (h**2 * s**2 / 4, h**2 * s**2 / 2))),
        measured=", ".join(map(_shown, differences)),
        passed=differences == [h**2 * s**2 / 4, h**2 * s**2 / 2],
        detail="leading terms of descent less equation: without and with the correction",
    )


def _shown(expression: sympy.Expr) -> str:
    numerator, denominator = sympy.fraction(sympy.factor(expression))
    if numerator.could_extract_minus_sign():
        numerator, denominator = -numerator, -denominator
    text = sympy.sstr(numerator / sympy.expand(denominator), order="rev-lex")
    return text.replace("h", "η").replace("**2", "²")


# -- a random experiment ---------------------------------------------------------------------------------


def _experiment(run: Run) -> Iterator[Claim]:
    """The part of the gap between stochastic descent and the equation without correction that it closes.

    Means of x over stochastic descent are exact, over all sequences of minibatches. Those of the equations
    are means over random solutions with the same noise. The part is 1 + O(η), so it is measured for two
    learning rates and extrapolated.
    """
    losses = LossSum(EXPERIMENT, "x")
    paths = 20_000 if run.quick else 100_000
    run.data["experiment"] = []
    quantile = float(norm.ppf((1 + CONFIDENCE) / 2))
    cases = (
        ("random solutions: part of the gap that (η/4)‖∇C‖² closes", False),
        ("control: random solutions, part of the gap that −(η/4)‖∇C‖² closes", True),
    )
    for label, wrong in cases:
        seen = [_part_closed(losses, h, paths, wrong, run) for h in LEARNING_RATES]
        value = 2 * seen[1][0] - seen[0][0]
        half = quantile * sqrt(4 * seen[1][1] + seen[0][1])
        predicted = -1.0 if wrong else 1.0
        yield Claim(
            name=label,
            predicted=predicted,
            measured=value,
            interval=(value - half, value + half),
            passed=abs(value - predicted) <= half < 0.5,
            detail=f"mean of x at time {TIME:g}, {paths} solutions at each of two learning rates, "
            f"{CONFIDENCE:.1%} interval; descent over all 2^{round(TIME / LEARNING_RATES[1])} sequences",
        )


def _part_closed(losses: LossSum, h: float, paths: int, wrong: bool, run: Run) -> tuple[float, float]:
    """The part, and the variance of that estimate."""
    steps, seed = round(TIME / h), int(run.rng.integers(2**31))
    first, second = (stochastic_modified_equation(losses, order) for order in (1, 2))
    if wrong:
        second = _rivals(losses)["control: −(η/4)‖∇C‖²"]
    means = _means_of_descent(losses, h, steps)
    without, corrected = (
        stochastic_paths(e, [START], h, steps, paths, rng=seed, substeps=8)[:, 0] for e in (first, second)
    )
    if not wrong:
        run.data["experiment"].append((h, means, without, corrected))
    gap, closed = means[-1] - without[-1], corrected[-1] - without[-1]
    part = closed.mean() / gap.mean()
    return float(part), float(np.mean((closed - part * gap) ** 2) / (paths * gap.mean() ** 2))


def _means_of_descent(losses: LossSum, h: float, steps: int) -> np.ndarray:
    """The means of x after 0, …, steps steps over all sequences of minibatches."""
    gradients = [sympy.lambdify(losses.variables, part.gradient[0], "numpy") for part in losses.parts]
    ends, means = np.array([START]), [START]
    for _ in range(steps):
        ends = np.concatenate([ends - h * gradient(ends) for gradient in gradients])
        means.append(float(ends.mean()))
    return np.array(means)


def _order_claim(name: str, fit: OrderFit, order: int, detail: str) -> Claim:
    low, high = fit.interval
    return Claim(
        name=name,
        predicted=order,
        measured=fit.value,
        interval=fit.interval,
        passed=order - 1 < low <= order <= high < order + 1 and abs(fit.value - order) < 0.05,
        detail=detail,
    )


# -- figure ----------------------------------------------------------------------------------------------


def _draw_errors(ax: Any, errors: dict[str, tuple[list[float], list[arb], int]]) -> None:
    from bea.plots.style import MARKERS, ORDER_COLOURS

    for (label, (h, values, order)), colour, marker in zip(
        errors.items(), ORDER_COLOURS, MARKERS, strict=False
    ):
        style = "--" if label.startswith("control") else "-"
        name = f"{label.removeprefix('control: ')}: {order}"
        ax.loglog(
            h, [float(v) for v in values], style, color=colour, marker=marker, markersize=4.5, label=name
        )
    high = max(float(v) for _, values, _ in errors.values() for v in values)
    ax.set_ylim(top=high * 3e3)
    ax.set(xlabel="learning rate η", ylabel="error of means at time 1", title="least squares: weak errors")
    ax.set_xticks([0.002, 0.005, 0.01, 0.02], ["0.002", "0.005", "0.01", "0.02"])
    ax.xaxis.set_minor_formatter("")
    ax.legend(loc="upper left", title="weak order (dashed: controls)", fontsize=7.5)


def _draw_variances(ax: Any, variances: tuple[sympy.Expr, ...]) -> None:
    from bea.plots.style import flow_line

    h = np.linspace(0, 1, 101)[1:]
    discrete, first, second = (
        np.array([float(v.subs({"c": 1, "s": 1, "h": Fraction(str(e))})) for e in h.round(4)])
        for v in variances
    )
    ax.plot(h[4::8], discrete[4::8] / h[4::8], "o", color="0.1", markersize=4.5, label="stochastic descent")
    ax.plot(h, first / h, **flow_line(0), label="equation without correction")
    ax.plot(h, second / h, **flow_line(1), label="equation with correction")
    ax.set(xlim=(0, 1), ylim=(0, 1.1), xlabel="ηc", ylabel="stationary variance · c / (η s²)")
    ax.set_title("c x²/2 with noise of variance s²")
    ax.legend(loc="lower left")


def _draw_experiment(ax: Any, runs: list[tuple[float, np.ndarray, np.ndarray, np.ndarray]]) -> None:
    from bea.plots.style import order_colour, tints

    quantile = float(norm.ppf((1 + CONFIDENCE) / 2))
    for k, shades in enumerate(
        zip(tints(order_colour(0), 3)[1::-1], tints(order_colour(1), 3)[1::-1], strict=True)
    ):
        h, means, *equations = runs[k]
        times = h * np.arange(len(means))
        for paths, colour, marker, what in zip(equations, shades, "so", ("without", "with"), strict=True):
            half = quantile * paths.std(axis=1) / sqrt(paths.shape[1])
            label = f"η = {h:g}, {what} correction"
            difference = paths.mean(axis=1) - means
            ax.errorbar(
                times, difference, half, fmt=marker, color=colour, markersize=3.5, capsize=2, label=label
            )
    ax.axhline(0, color="0.6", linewidth=0.7, zorder=0)
    ax.set(xlabel="time", ylabel="mean of x, equation less descent")
    ax.set_title(f"random solutions, {CONFIDENCE:.1%} intervals")
    ax.set_ylim(top=1.4 * ax.get_ylim()[1])
    ax.legend(fontsize=7.5, loc="upper center", ncols=2)
