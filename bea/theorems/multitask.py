"""Two tasks in turn are pulled apart by a commutator (Dherin 2023)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import sympy
from flint import arb

from bea.modified import ModifiedEquation, modified_equation
from bea.numerics import arbitrary
from bea.schemes import CyclicDescent, GradientDescent, LieTrotter, Scheme
from bea.systems import LossSum, VectorField
from bea.systems.expressions import STEP_SIZE
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.fit import fit_order

__all__ = ["TwoTasksInTurn"]

BITS = 240
#: Two tasks that share two weights; their constants are drawn.
TASKS = ("({0}*a*b - {1})**2 / 2", "({2}*a - b)**2 / 2 + {3}*(b - 1)**2 / 2")
#: With these denominators of the constants no point solves both tasks.
DENOMINATORS = (10, 17, 10, 10)
CONTROL = "control: points of rest "
#: Gradient steps on the first task and then as many on the second.
INNER_STEPS = (1, 2, 3)


class TwoTasksInTurn(Theorem):
    """Descent on E₁ and then on E₂ follows no gradient flow: a commutator of the tasks is in the way."""

    name = "multitask"
    title = "Two tasks in turn"
    statement = (
        r"One gradient step on $E_1$ and then one on $E_2$, with step size $h$, follow $\dot x = -\nabla "
        r"\left(E_1 + E_2 + \frac{h}{4} (\|g_1\|^2 + \|g_2\|^2)\right) + \frac{h}{2} (H_2 g_1 - H_1 g_2)$ "
        r"with an error of $O(h^3)$, where $g_k$ and $H_k$ are the gradients and Hessians. The last term is "
        r"a Lie bracket of the two gradient fields and in general no gradient. With $n$ steps on each task "
        r"in turn it grows by the factor $n$, against the regularisers. It moves the points of rest. "
        r"Descent on both at once has the regulariser $\frac{h}{4} \|g_1 + g_2\|^2$ instead, with the "
        r"alignment of both."
    )
    references = (
        "B. Dherin (2023), Implicit biases in multitask and continual learning from a backward error "
        "analysis perspective, arXiv:2311.00235",
        "E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer, "
        "Section III.4",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """The derived field, orders of the error, several inner steps, points of rest, and controls."""
        pair = _Pair([f"{n}/{d}" for n, d in zip(run.rng.integers(5, 16, size=4), DENOMINATORS, strict=True)])
        start = [sympy.Rational(int(n), 100) for n in run.rng.integers(60, 140, size=2)]
        run.data["pair"], run.data["errors"] = pair, {}
        yield from _derived(pair)
        yield from _orders(pair, start, run)
        yield from _inner_steps(pair)
        yield from _points_of_rest(pair, run)
        yield from _sequential_training(pair, start, run)
        yield _forgetting(pair, start)

    def figure(self, run: Run) -> Any:
        """Errors against the step size, the vector field of the bracket, and the points of rest."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(13, 4.2), layout="constrained")
        axes = figure.subplots(1, 3)
        _draw_errors(axes[0], run.data["errors"])
        _draw_bracket(axes[1], run.data["pair"], run.data["rest"])
        _draw_rest(axes[2], run.data["rest"])
        return figure


class _Pair:
    """Two tasks, their gradients and Hessians, and the terms that compete at h."""

    def __init__(self, constants: Sequence[str]) -> None:
        self.tasks = LossSum([text.format(*constants) for text in TASKS], variables="a b")
        self.variables = self.tasks.variables
        self.g = [sympy.Matrix([t.expression.diff(v) for v in self.variables]) for t in self.tasks.parts]
        self.H = [g.jacobian(self.variables) for g in self.g]
        self.regularisers = -(self.H[0] * self.g[0] + self.H[1] * self.g[1]) / 2
        self.bracket = (self.H[1] * self.g[0] - self.H[0] * self.g[1]) / 2

    @cached_property
    def equation(self) -> ModifiedEquation:
        return modified_equation(self.tasks, LieTrotter(inner=GradientDescent()), order=1)

    def field(self, term: sympy.Matrix) -> VectorField:
        """The gradient flow of E₁ + E₂ with a term at h."""
        return VectorField(list(-self.g[0] - self.g[1] + STEP_SIZE * term), self.variables)


# -- the field -------------------------------------------------------------------------------------------


def _derived(pair: _Pair) -> Iterator[Claim]:
    difference = (pair.equation.terms[1] - pair.regularisers - pair.bracket).expand()
    yield Claim(
        name="the term at h: −¼∇(‖g₁‖² + ‖g₂‖²) + ½(H₂g₁ − H₁g₂)",
        predicted="0",
        measured=str(difference.T.tolist()),
        passed=difference.is_zero_matrix,
        detail="derived less published, exact",
    )
    yield Claim(
        name="it is no gradient",
        predicted="True",
        measured=str(not pair.equation.loss.is_exact(1)),
        passed=not pair.equation.loss.is_exact(1),
        detail="antisymmetric part of the Jacobian",
    )
    apart = LossSum(["a**2 + a**4", "exp(b) - b"], variables="a b")
    equation = modified_equation(apart, LieTrotter(inner=GradientDescent()), order=1)
    squares = sum(part.expression.diff(v) ** 2 for part in apart.parts for v in apart.variables)
    yield Claim(
        name="tasks that share no weight have a modified loss",
        predicted="0",
        measured=str(sympy.expand(equation.loss.terms[1] - squares / 4)),
        passed=equation.loss.is_exact(1) and sympy.expand(equation.loss.terms[1] - squares / 4) == 0,
        detail="E₁ less ¼(‖g₁‖² + ‖g₂‖²), exact",
    )


# -- orders ----------------------------------------------------------------------------------------------


def _orders(pair: _Pair, start: list[sympy.Rational], run: Run) -> Iterator[Claim]:
    """One-step errors against the published field, and against fields that are wrong in the bracket."""
    regularisers, bracket = pair.regularisers, pair.bracket
    in_turn, other = LieTrotter(inner=GradientDescent()), LieTrotter(inner=GradientDescent(), sequence=(1, 0))
    together = -(pair.H[0] + pair.H[1]) * (pair.g[0] + pair.g[1]) / 2
    cases: list[tuple[str, Scheme, sympy.Matrix, int]] = [
        ("in turn, with the bracket", in_turn, regularisers + bracket, 3),
        ("E₂ before E₁, bracket reversed", other, regularisers - bracket, 3),
        ("both at once, ¼‖g₁ + g₂‖²", GradientDescent(), together, 3),
        ("in turn, gradient flow", in_turn, sympy.zeros(2, 1), 2),
        ("control: in turn, without the bracket", in_turn, regularisers, 2),
        ("control: in turn, bracket reversed", in_turn, regularisers - bracket, 2),
        ("control: in turn, ¼‖g₁ + g₂‖²", in_turn, together, 2),
    ]
    for label, scheme, term, order in cases:
        yield _order_claim(label, pair.tasks, start, scheme, pair.field(term), 1, order, run)


def _order_claim(
    label: str,
    tasks: LossSum,
    start: list[sympy.Rational],
    scheme: Scheme,
    field: VectorField,
    duration: int,
    order: int,
    run: Run,
) -> Claim:
    """The order of the error of one step against the flow of a field for some step sizes of time."""
    steps = [2e-4 / 10 ** (k / 5) for k in range(6 if run.quick else 9)]
    errors = [_error(tasks, start, scheme, field, duration, h) for h in steps]
    run.data["errors"][label] = (steps, errors, order)
    fit = fit_order(steps, errors)
    return Claim(
        name=f"{label}: order in h",
        predicted=order,
        measured=fit.value,
        interval=fit.interval,
        passed=not fit.excludes(order) and fit.excludes(order + 1) and abs(fit.value - order) < 0.05,
        detail=f"one-step error, {len(steps)} step sizes from {steps[-1]:.2g} to {steps[0]:.2g}, {BITS} bits",
    )


def _error(
    tasks: LossSum, start: list[sympy.Rational], scheme: Scheme, field: VectorField, duration: int, h: float
) -> arb:
    end = arbitrary.iterate(tasks, scheme, start, h, steps=1, bits=BITS)[1]
    known = {"h": h} if "h" in {s.name for s in field.parameter_symbols} else None
    flow = arbitrary.flow(field, start, duration * sympy.Rational(str(h)), known, bits=BITS)
    return sum(((p - q) ** 2 for p, q in zip(end, flow, strict=True)), arb(0)).sqrt()


# -- several steps on each task --------------------------------------------------------------------------


def _inner_steps(pair: _Pair) -> Iterator[Claim]:
    """n steps on E₁ and n on E₂, on the clock of the mean loss: the bracket comes n times."""
    for n in INNER_STEPS:
        term = modified_equation(_repeated(pair, n), CyclicDescent(), order=1).terms[1]
        rest = (term - pair.regularisers / 2).expand()
        factors = {sympy.cancel(2 * entry / known) for entry, known in zip(rest, pair.bracket, strict=True)}
        yield Claim(
            name=f"{n} step{'s' if n > 1 else ''} on each task in turn: factor of the bracket",
            predicted=str(n),
            measured=", ".join(map(str, factors)),
            passed=factors == {sympy.Integer(n)},
            detail="against the regularisers, which stay; exact",
        )


# -- points of rest --------------------------------------------------------------------------------------


def _points_of_rest(pair: _Pair, run: Run) -> Iterator[Claim]:
    """Where descent in turn comes to rest, against the zeros of the fields that compete."""
    minimum = _newton(pair.variables, -pair.g[0] - pair.g[1], np.array([1.0, 1.0]))
    steps = np.geomspace(0.002, 0.02, 6 if run.quick else 9).tolist()
    ends = [_rest_of_iterates(pair, minimum, h) for h in steps]
    run.data["rest"] = {"steps": steps, "ends": ends, "minimum": minimum, "predictions": {}}
    cases = (
        ("with the bracket", pair.regularisers + pair.bracket, 2),
        ("minimum of E₁ + E₂", sympy.zeros(2, 1), 1),
        (f"{CONTROL}without the bracket", pair.regularisers, 1),
        (f"{CONTROL}with the bracket reversed", pair.regularisers - pair.bracket, 1),
    )
    for label, term, order in cases:
        zeros = [_newton(pair.variables, -pair.g[0] - pair.g[1] + h * term, minimum) for h in steps]
        run.data["rest"]["predictions"][label] = zeros
        distances = [float(np.linalg.norm(p - q)) for p, q in zip(zeros, ends, strict=True)]
        fit = fit_order(steps, distances)
        yield Claim(
            name=label
            if label.startswith("control")
            else f"point of rest, {label}: order in h of the distance",
            predicted=order,
            measured=fit.value,
            interval=fit.interval,
            passed=not fit.excludes(order) and fit.excludes(order + 1) and abs(fit.value - order) < 0.05,
            detail=f"distance from where the iterates rest, {len(steps)} step sizes up to {steps[-1]:.2g}",
        )


def _rest_of_iterates(pair: _Pair, near: np.ndarray, h: float) -> np.ndarray:
    """The fixed point of one step on each task: the zero of g₁(x) + g₂(x − h g₁(x))."""
    v = pair.variables
    moved = dict(zip(v, sympy.Matrix(v) - h * pair.g[0], strict=True))
    return _newton(v, -pair.g[0] - pair.g[1].subs(moved, simultaneous=True), near)


def _newton(variables: Sequence[sympy.Symbol], field: sympy.Matrix, start: np.ndarray) -> np.ndarray:
    """The zero of a field near a point, by Newton's method to the last digit."""
    value = sympy.lambdify(variables, field)
    slope = sympy.lambdify(variables, field.jacobian(variables))
    x = start
    for _ in range(60):
        change = np.linalg.solve(slope(*x), value(*x))[:, 0]
        x = x - change
        if np.abs(change).max() < 1e-15:
            break
    return x


# -- continual learning ----------------------------------------------------------------------------------


def _sequential_training(pair: _Pair, start: list[sympy.Rational], run: Run) -> Iterator[Claim]:
    """n steps on E₁ and then n on E₂ against flows for the time nh, with the bracket n times and once."""
    n = INNER_STEPS[-1]
    tasks, scheme = _repeated(pair, n), LieTrotter(inner=GradientDescent())
    for label, factor, order in (
        (f"{n} steps on each task, bracket {n} times", n, 3),
        (f"control: {n} steps on each task, bracket once", 1, 2),
    ):
        field = pair.field(pair.regularisers + factor * pair.bracket)
        yield _order_claim(label, tasks, start, scheme, field, n, order, run)


def _forgetting(pair: _Pair, start: list[sympy.Rational]) -> Claim:
    """How much higher E₁ is after E₁ and then E₂ than after E₂ and then E₁: n²h² g₁·(H₂g₁ − H₁g₂)."""
    n, h, digits = INNER_STEPS[-1], 1e-12, 60
    scheme = LieTrotter(inner=GradientDescent())
    losses = []
    for backwards in (False, True):
        end = arbitrary.iterate(_repeated(pair, n, backwards), scheme, start, h, steps=1, bits=BITS)[1]
        point = [sympy.Float(value.str(digits, radius=False), digits) for value in end]
        losses.append(pair.tasks.parts[0].expression.subs(dict(zip(pair.variables, point, strict=True))))
    measured = float((losses[0] - losses[1]) * 10**24)
    at_start = dict(zip(pair.variables, start, strict=True))
    predicted = float((2 * n**2 * pair.g[0].dot(pair.bracket)).subs(at_start))
    return Claim(
        name="forgetting: E₁ after E₁, E₂ less that after E₂, E₁, over h²",
        predicted=predicted,
        measured=measured,
        passed=abs(measured - predicted) < 1e-8 * (1 + abs(predicted)),
        detail=f"n²g₁·(H₂g₁ − H₁g₂) with n = {n} steps on each task, h = {h:g}, {BITS} bits",
    )


def _repeated(pair: _Pair, n: int, backwards: bool = False) -> LossSum:
    """n times the one task and then n times the other."""
    parts = reversed(pair.tasks.parts) if backwards else pair.tasks.parts
    return LossSum([part for part in parts for _ in range(n)])


# -- figure ----------------------------------------------------------------------------------------------


def _draw_errors(ax: Any, errors: dict[str, tuple[list[float], list[arb], int]]) -> None:
    for marker, (label, (steps, values, _)) in zip("osD^vP<X*", errors.items(), strict=True):
        style = "--" if label.startswith("control") else "-"
        ax.loglog(steps, [float(v) for v in values], style, marker=marker, markersize=4, label=label)
    low = min(float(v[-1]) for _, v, _ in errors.values())
    high = max(float(v[0]) for _, v, _ in errors.values())
    ax.set(
        xlabel="step size h", ylabel="error after one step", title="orders in h", ylim=(low / 3, high * 3e5)
    )
    ax.legend(fontsize=6.5, loc="upper left")


def _draw_bracket(ax: Any, pair: _Pair, rest: dict[str, Any]) -> None:
    """Level lines of E₁ + E₂, the direction of the bracket, and the two curves where a task is solved."""
    minimum = rest["minimum"]
    a, b = (np.linspace(c - 0.6, c + 0.6, 121) for c in minimum)
    A, B = np.meshgrid(a, b)
    total = sympy.lambdify(pair.variables, pair.tasks.expression)(A, B)
    ax.contour(A, B, np.log(total), levels=14, colors="0.75", linewidths=0.8, linestyles="solid")
    coarse = A[::10, ::10], B[::10, ::10]
    u, v = (
        np.broadcast_to(c, coarse[0].shape)
        for c in sympy.lambdify(pair.variables, list(pair.bracket))(*coarse)
    )
    length = np.hypot(u, v)
    ax.quiver(*coarse, u / length, v / length, np.log10(length), cmap="viridis", scale=22, width=0.005)
    ax.plot(*minimum, "k*", markersize=11, label="minimum of E₁ + E₂")
    ax.set(xlabel="a", ylabel="b", title="the bracket ½(H₂g₁ − H₁g₂)", xlim=a[[0, -1]], ylim=b[[0, -1]])
    ax.legend(fontsize=8, loc="upper right")


def _draw_rest(ax: Any, rest: dict[str, Any]) -> None:
    """The points of rest less the minimum of E₁ + E₂, in thousandths."""

    def shift(points: Sequence[np.ndarray]) -> np.ndarray:
        return 1000 * (np.array(points) - rest["minimum"]).T

    ax.plot(*shift(rest["ends"]), "o", color="k", markersize=6, label="descent in turn rests")
    for style, (label, zeros) in zip(("-", "*", "--", ":"), rest["predictions"].items(), strict=True):
        ax.plot(*shift(zeros), style, markersize=11, label=label.removeprefix(CONTROL))
    ax.set(xlabel="1000 · shift of a", ylabel="1000 · shift of b", title="points of rest, h up to 0.02")
    ax.legend(fontsize=7)
