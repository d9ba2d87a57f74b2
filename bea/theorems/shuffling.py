"""Random shuffling regularizes by the gradients of the minibatches (Smith, Dherin, Barrett and De 2021)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
import sympy
from flint import arb
from scipy.special import stdtrit

from bea.modified import ModifiedEquation, modified_equation
from bea.numerics import arbitrary
from bea.numerics.balls import with_guard_bits
from bea.schemes import CyclicDescent, RandomShuffling, Scheme, WithReplacement
from bea.systems import Loss, LossSum, VectorField
from bea.systems.expressions import STEP_SIZE
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.fit import fit_order

__all__ = ["RegularizationByShuffling"]

#: How the losses of the minibatches are written; their constants are drawn.
BATCH = "({0}*a*b - {1})**2 / 2 + ({2}*a - {3}*b)**2 / 2"
BITS = 240
#: The random experiment: minibatches, the larger of two learning rates, and the confidence level.
MINIBATCHES, LEARNING_RATE, CONFIDENCE = 16, 0.004, 0.999


class RegularizationByShuffling(Theorem):
    """The mean epoch of shuffled descent follows the gradient flow of C + (ε/4m) Σ_k ‖∇E_k‖²."""

    name = "shuffling"
    title = "Regularization by random shuffling"
    statement = (
        r"With $m$ minibatches of losses $E_k$ and the mean loss $C = \frac{1}{m} \sum_k E_k$, the mean "
        r"over all orders of one epoch of stochastic gradient descent with learning rate $\varepsilon$ "
        r"follows, for the time $m\varepsilon$, the gradient flow of $C + \frac{\varepsilon}{4m} \sum_k "
        r"\|\nabla E_k\|^2$ with an error of $O(m^3 \varepsilon^3)$. A fixed order adds commutators; with "
        r"minibatches drawn with replacement the mean follows $C + \frac{\varepsilon}{4} \|\nabla C\|^2$ "
        r"instead."
    )
    references = (
        "S. L. Smith, B. Dherin, D. G. T. Barrett and S. De (2021), On the origin of implicit regularization "
        "in stochastic gradient descent, International Conference on Learning Representations, Section 2",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """The modified losses, orders in the learning rate and in m, a random experiment, and controls."""
        problem = _Problem(_draw_losses(run.rng, 3 if run.quick else 4), _start(run.rng))
        run.data["errors"] = {}
        yield from problem.derived()
        yield from _orders(problem, run)
        yield from _orders_in_the_number_of_minibatches(run)
        yield from _monte_carlo(run)

    def figure(self, run: Run) -> Any:
        """Errors of an epoch against the learning rate and the number of minibatches, and the experiment."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(13, 4.2), layout="constrained")
        axes = figure.subplots(1, 3)
        _draw_errors(axes[0], run.data["errors"])
        _draw_growth(axes[1], run.data["growth"])
        _draw_experiment(axes[2], run.data["experiment"], run.data["share"])
        return figure


# -- modified losses -------------------------------------------------------------------------------------


def _draw_losses(rng: np.random.Generator, m: int) -> LossSum:
    """Minibatches whose constants are tenths between 1/2 and 3/2."""
    constants = [[f"{n}/10" for n in rng.integers(5, 16, size=4)] for _ in range(m)]
    return LossSum([BATCH.format(*row) for row in constants], variables="a b")


def _start(rng: np.random.Generator) -> list[sympy.Rational]:
    return [sympy.Rational(int(n), 100) for n in rng.integers(60, 140, size=2)]


class _Problem:
    """Losses of minibatches, a start, and the fields that compete."""

    def __init__(self, losses: LossSum, start: Sequence[sympy.Rational]) -> None:
        self.losses, self.start = losses, start
        self.m = len(losses.parts)
        self.mean = losses.expression / self.m
        self.squares = sum(_squared_gradient(part) for part in losses.parts)

    @cached_property
    def shuffled(self) -> ModifiedEquation:
        return modified_equation(self.losses, RandomShuffling(), order=1)

    @cached_property
    def fixed(self) -> ModifiedEquation:
        return modified_equation(self.losses, CyclicDescent(), order=1)

    @cached_property
    def replaced(self) -> ModifiedEquation:
        return modified_equation(self.losses, WithReplacement(), order=1)

    def derived(self) -> Iterator[Claim]:
        """What `modified_equation` derives, against the published formulas."""
        shuffled, replaced = self.shuffled.loss.terms[1], self.replaced.loss.terms[1]
        mean_square = _squared_gradient(Loss(self.mean, self.losses.variables)) / 4
        detail = f"m = {self.m}, exact, with the constant"
        yield _identity("shuffling: E₁ = (1/4m) Σ‖∇E_k‖²", shuffled, self.squares / (4 * self.m), detail)
        yield _identity("with replacement: E₁ = ¼‖∇C‖²", replaced, mean_square, detail)
        yield Claim(
            name="shuffling: the term at ε is a gradient, in a fixed order it is none",
            predicted="(True, False)",
            measured=f"({self.shuffled.loss.is_exact(1)}, {self.fixed.loss.is_exact(1)})",
            passed=self.shuffled.loss.is_exact(1) and not self.fixed.loss.is_exact(1),
            detail="antisymmetric part of the Jacobian",
        )
        commutators = self.fixed.terms[1] - self.shuffled.terms[1] - self._commutators()
        yield Claim(
            name="a fixed order adds (1/2m) Σ_{j<k} (H_k g_j − H_j g_k)",
            predicted="0",
            measured=str(commutators.expand().T.tolist()),
            passed=commutators.expand().is_zero_matrix,
            detail="difference of both sides, exact",
        )

    def _commutators(self) -> sympy.Matrix:
        v = self.losses.variables
        g = [sympy.Matrix([part.expression.diff(x) for x in v]) for part in self.losses.parts]
        H = [gradient.jacobian(v) for gradient in g]
        pairs = [(j, k) for k in range(self.m) for j in range(k)]
        total = sum((H[k] * g[j] - H[j] * g[k] for j, k in pairs), sympy.zeros(2, 1))
        return total / (2 * self.m)

    def flow_of(self, regulariser: sympy.Expr) -> VectorField:
        """The gradient flow of C + h·regulariser."""
        return Loss(self.mean + STEP_SIZE * regulariser, self.losses.variables).field


def _squared_gradient(loss: Loss) -> sympy.Expr:
    return sympy.expand(sum(loss.expression.diff(v) ** 2 for v in loss.variables))


def _identity(name: str, measured: sympy.Expr, predicted: sympy.Expr, detail: str) -> Claim:
    difference = sympy.expand(measured - predicted)
    return Claim(name, "0", str(difference), difference == 0, detail=f"difference of both sides, {detail}")


# -- orders in the learning rate -------------------------------------------------------------------------


def _orders(problem: _Problem, run: Run) -> Iterator[Claim]:
    """Errors after one epoch, of means over all orders and of one fixed order."""
    squares = problem.squares / (4 * problem.m)
    mean_square = problem.replaced.loss.terms[1]
    shuffled, fixed, replaced = RandomShuffling(), CyclicDescent(), WithReplacement()
    cases: list[tuple[str, Scheme, VectorField, int]] = [
        ("mean epoch, modified loss", shuffled, problem.flow_of(squares), 3),
        ("mean epoch, C alone", shuffled, problem.flow_of(sympy.S.Zero), 2),
        ("fixed order, with its commutators", fixed, problem.fixed.field(1), 3),
        ("with replacement, C + (ε/4)‖∇C‖²", replaced, problem.flow_of(mean_square), 3),
        ("control: fixed order, without commutators", fixed, problem.flow_of(squares), 2),
        ("control: mean epoch, regulariser of replacement", shuffled, problem.flow_of(mean_square), 2),
        ("control: with replacement, regulariser of shuffling", replaced, problem.flow_of(squares), 2),
        ("control: mean epoch, −(ε/4m) Σ‖∇E_k‖²", shuffled, problem.flow_of(-squares), 2),
    ]
    steps = [2e-4 / 10 ** (k / 5) for k in range(6 if run.quick else 9)]
    for label, scheme, field, order in cases:
        errors = [_epoch_error(problem, scheme, field, h) for h in steps]
        run.data["errors"][label] = (steps, errors, order)
        fit = fit_order(steps, errors)
        yield Claim(
            name=f"{label}: order in ε",
            predicted=order,
            measured=fit.value,
            interval=fit.interval,
            passed=not fit.excludes(order) and fit.excludes(order + 1) and abs(fit.value - order) < 0.05,
            detail=f"error after one {'update' if scheme is replaced else 'epoch'}, m = {problem.m}, "
            f"{len(steps)} learning rates from {steps[-1]:.2g} to {steps[0]:.2g}, {BITS} bits",
        )


def _epoch_error(problem: _Problem, scheme: Scheme, field: VectorField, h: float) -> arb:
    end = arbitrary.iterate(problem.losses, scheme, problem.start, h, steps=1, bits=BITS)[1]
    known = {"h": h} if "h" in {s.name for s in field.parameter_symbols} else None
    time = scheme.duration(problem.m) * sympy.Rational(str(h))
    return _distance(end, arbitrary.flow(field, problem.start, time, known, bits=BITS))


def _distance(x: Iterable[arb], y: Iterable[arb]) -> arb:
    return sum(((a - b) ** 2 for a, b in zip(x, y, strict=True)), arb(0)).sqrt()


# -- orders in the number of minibatches -----------------------------------------------------------------


def _orders_in_the_number_of_minibatches(run: Run) -> Iterator[Claim]:
    """Of m minibatches half are of one kind and half of another, so that few orders differ.

    The losses are ½(a·x − y)², an update is linear, and the mean over all orders of k₁ and k₂ minibatches
    comes from those of k₁ − 1 and k₂, and of k₁ and k₂ − 1. The two vectors a make an angle of 45°.
    """
    (p, q), right = run.rng.integers(1, 5, size=2).tolist(), run.rng.integers(5, 9, size=2).tolist()
    kinds = [((p, q), right[0]), ((p - q, p + q), -right[1])]
    sizes = [2 * round(20 * 2 ** (k / 2)) for k in range(8 if run.quick else 10)]
    h = arb((1, -80))
    ends = with_guard_bits(500, lambda: _mean_ends(kinds, sizes[-1] // 2, h))
    errors, without = (
        [_distance(ends[m // 2], _least_squares_arb(kinds, m, h, regularised)) for m in sizes]
        for regularised in (True, False)
    )
    run.data["growth"] = (sizes, errors, without, h)
    for label, values, order, bound in (
        ("mean epoch, modified loss", errors, 2, "the published bound is m³"),
        ("mean epoch, C alone", without, 1, "at ε² the error is (m/4) ‖∇ mean ‖∇E_k‖²‖"),
    ):
        fit = fit_order([1 / m for m in sizes], values)
        low, high = (-end for end in reversed(fit.interval))
        yield Claim(
            name=f"{label}: order in m",
            predicted=order,
            measured=-fit.value,
            interval=(low, high),
            passed=order - 1 < low <= order <= high < order + 1 and abs(fit.value + order) < 0.05,
            detail=f"minibatches of two kinds, m from {sizes[0]} to {sizes[-1]}, ε = 2^-80; {bound}",
        )


#: A vector a and a number y of a loss ½(a·x − y)².
Row = tuple[tuple[int, int], int]


def _mean_ends(kinds: Sequence[Row], most: int, h: arb) -> list[list[arb]]:
    """The mean ends from (1, 1) of all orders of k minibatches of both kinds, for k = 0, …, most."""
    ends: list[list[arb]] = []
    row: list[list[arb]] = []
    for i in range(most + 1):
        above, row = row, []
        for j in range(most + 1):
            last = [(i, _update(kinds[0], above[j], h))] if i else []
            last += [(j, _update(kinds[1], row[j - 1], h))] if j else []
            mean = [sum((n * end[c] for n, end in last), arb(0)) / (i + j) for c in (0, 1)] if last else None
            row.append(mean or [arb(1), arb(1)])
        ends.append(row[i])
    return ends


def _update(kind: Row, x: Sequence[arb], h: arb) -> list[arb]:
    (p, q), y = kind
    residual = h * (p * x[0] + q * x[1] - y)
    return [x[0] - p * residual, x[1] - q * residual]


def _least_squares_arb(kinds: Sequence[Row], m: int, h: arb, regularised: bool) -> np.ndarray:
    """The gradient flow of C, or of C + (h/4m) Σ‖∇E_k‖², from (1, 1) for the time mh."""
    a, b = sympy.symbols("a b")
    losses = [Loss((p * a + q * b - y) ** 2 / 2, "a b") for (p, q), y in kinds]
    mean = sum(loss.expression for loss in losses) / 2
    squares = sum(_squared_gradient(loss) for loss in losses) / 8
    loss = Loss(mean + STEP_SIZE * squares if regularised else mean, "a b")
    return arbitrary.flow(loss, [1, 1], m * h, {"h": h} if regularised else None, bits=500)


# -- a random experiment ---------------------------------------------------------------------------------


def _monte_carlo(run: Run) -> Iterator[Claim]:
    """How much of the predicted shift of the mean epoch is seen in random epochs.

    The shift of the mean end against the flow of C is projected on the one that is predicted. The part that
    is seen is 1 + O(ε), so it is measured at ε and ε/2 and extrapolated.
    """
    m, epochs = MINIBATCHES, 20_000 if run.quick else 100_000
    data = run.rng.standard_normal((m, 2)) @ np.diag([1.0, 0.5]) + 0.3, run.rng.standard_normal(m)
    x = np.array([1.0, -1.0])
    run.data["experiment"] = {}
    share = run.data["share"] = _share_of_replacement(data, x)
    schemes: tuple[tuple[str, Callable[[], np.ndarray]], ...] = (
        ("shuffling", lambda: RandomShuffling().draw(m, epochs, run.rng)),
        ("with replacement", lambda: WithReplacement().draw(m, m * epochs, run.rng).reshape(-1, m)),
    )
    for label, draw in schemes:
        seen = [_seen(data, x, h, draw()) for h in (LEARNING_RATE, LEARNING_RATE / 2)]
        value = 2 * seen[1][0] - seen[0][0]
        half = float(-stdtrit(epochs - 1, (1 - CONFIDENCE) / 2)) * sqrt(4 * seen[1][1] + seen[0][1])
        interval = (value - half, value + half)
        run.data["experiment"][label] = (value, interval)
        sample = f"{epochs} epochs at each of two learning rates, {CONFIDENCE:.1%} interval, m = {m}"
        if label == "shuffling":
            yield Claim(
                name="random epochs: part of the shift by (ε/4m) Σ‖∇E_k‖² that is seen",
                predicted=1.0,
                measured=value,
                interval=interval,
                passed=interval[0] <= 1 <= interval[1] and not interval[0] <= share <= interval[1],
                detail=f"{sample}; (ε/4)‖∇C‖² would give {share:.3f}, C alone 0",
            )
        else:
            yield Claim(
                name="control: the same with replacement",
                predicted=share,
                measured=value,
                interval=interval,
                passed=interval[0] <= share <= interval[1] and not interval[0] <= 1 <= interval[1],
                detail=f"{sample}; shuffling gives 1",
            )


#: Rows a_k and right-hand sides y_k of the losses ½(a_k·x − y_k)².
Data = tuple[np.ndarray, np.ndarray]


def _seen(data: Data, x: np.ndarray, h: float, orders: np.ndarray) -> tuple[float, float]:
    """The mean of the part that is seen, and the variance of that mean.

    The gradients at the start, less their mean, are taken out of every update. Their mean over the draws
    is zero, and they are all of the noise at the first power of the learning rate.
    """
    rows, right = data
    gradients = rows * (rows @ x - right)[:, np.newaxis]
    excess = gradients - gradients.mean(axis=0)
    ends = np.tile(x, (len(orders), 1))
    for part in orders.T:
        a = rows[part]
        ends -= h * a * ((ends * a).sum(axis=1) - right[part])[:, np.newaxis]
    ends += h * sum(excess[part] for part in orders.T)
    shift = _shift_of_shuffling(data, x, h)
    parts = (ends - _least_squares_flow(data, x, h)) @ shift / (shift @ shift)
    return float(parts.mean()), float(parts.var(ddof=1) / len(parts))


def _least_squares_flow(data: Data, x: np.ndarray, h: float) -> np.ndarray:
    """The gradient flow of the mean loss for the time mh."""
    rows, right = data
    values, vectors = np.linalg.eigh(rows.T @ rows)
    gradient = vectors.T @ (rows.T @ (rows @ x - right))
    return x + vectors @ (np.expm1(-h * values) / values * gradient)


def _shift_of_shuffling(data: Data, x: np.ndarray, h: float) -> np.ndarray:
    """−mh (h/4m) ∇Σ‖∇E_k‖² = −(h²/2) Σ |a_k|² r_k a_k."""
    rows, right = data
    return -(h**2) / 2 * rows.T @ ((rows**2).sum(axis=1) * (rows @ x - right))


def _share_of_replacement(data: Data, x: np.ndarray) -> float:
    """The shift −mh (h/4) ∇‖∇C‖², projected on that of shuffling."""
    rows, right = data
    hessian = rows.T @ rows
    shift = -hessian @ rows.T @ (rows @ x - right) / (2 * len(rows))
    predicted = _shift_of_shuffling(data, x, 1.0)
    return float(shift @ predicted / (predicted @ predicted))


# -- figure ----------------------------------------------------------------------------------------------


def _draw_errors(ax: Any, errors: dict[str, tuple[list[float], list[arb], int]]) -> None:
    for marker, (label, (steps, values, _)) in zip("osD^vP<X", errors.items(), strict=True):
        style = "--" if label.startswith("control") else "-"
        ax.loglog(steps, [float(v) for v in values], style, marker=marker, markersize=4, label=label)
    low = min(float(values[-1]) for _, values, _ in errors.values())
    high = max(float(values[0]) for _, values, _ in errors.values())
    ax.set(xlabel="learning rate ε", ylabel="error after one step", title="orders in ε")
    ax.set_ylim(low / 3, high * 3e5)
    ax.tick_params(axis="x", which="minor", labelbottom=False)
    ax.legend(fontsize=6.5, loc="upper left")


def _draw_growth(ax: Any, growth: tuple[list[int], list[arb], list[arb], arb]) -> None:
    sizes, errors, without, h = growth
    for values, power, label in ((without, 2, "C alone: error/ε²"), (errors, 3, "modified loss: error/ε³")):
        ax.loglog(sizes, [float(v / h**power) for v in values], "o-", markersize=4, label=label)
    ax.set(xlabel="number m of minibatches", ylabel="error after one epoch", title="orders in m")
    ax.set_xticks(sizes[::2], map(str, sizes[::2]))
    ax.tick_params(axis="x", which="minor", labelbottom=False)
    ax.legend(fontsize=8)


def _draw_experiment(ax: Any, experiment: dict[str, Any], share: float) -> None:
    for k, (value, interval) in enumerate(experiment.values()):
        ax.errorbar(k, value, [[value - interval[0]], [interval[1] - value]], fmt="o", capsize=5)
    for level, style, label in ((1, "--", "shuffling"), (share, "-.", "replacement"), (0, ":", "C alone")):
        ax.axhline(level, color="0.4", linewidth=0.9, linestyle=style, label=f"predicted, {label}")
    ax.set(
        xticks=range(len(experiment)),
        xticklabels=list(experiment),
        xlim=(-0.6, 1.6),
        ylabel="part of the predicted shift",
        title=f"random epochs, {CONFIDENCE:.1%} intervals",
    )
    ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(0.0, 0.62))
