"""The principal flow of gradient descent (Rosca, Wu, Qin and Dherin 2023)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cached_property
from math import sqrt
from typing import Any

import numpy as np
import sympy
from flint import arb

from bea.modified import ModifiedEquation, modified_equation
from bea.modified.principal import principal_expansion, principal_flow
from bea.numerics import arbitrary, flow, iterate, principal_path
from bea.schemes import GradientDescent
from bea.series import RootedTree, bseries
from bea.systems import Loss, VectorField
from bea.systems.catalogue import two_parameter
from bea.systems.expressions import STEP_SIZE
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.fit import OrderFit, fit_order

__all__ = ["PrincipalFlowOfDescent"]

BITS = 240
#: The expansion of the principal flow that stands for it in arbitrary precision: the rest is O(h^9).
EXPANSION = 8
#: Values of hλ on both sides of 1 and 2, for the quadratic losses and the figure.
SHARPNESS = (0.8, 1.6, 2.1)


class PrincipalFlowOfDescent(Theorem):
    """Descent follows θ̇ = Σ log(1 − hλ_i)/(hλ_i) (g·u_i) u_i, on quadratic losses exactly."""

    name = "principal-flow"
    title = "The principal flow of gradient descent"
    statement = (
        r"With $\nabla^2 E = \sum_i \lambda_i u_i u_i^\top$ and $g = \nabla E$ at $\theta$, the "
        r"principal flow $\dot\theta = \sum_i \frac{\log(1 - h\lambda_i)}{h\lambda_i} (g \cdot u_i)\, u_i$ "
        r"passes through all iterates of gradient descent on a quadratic loss. It is complex where "
        r"$h\lambda_i > 1$, and diverges where $h\lambda_i > 2$. On other losses it misses one step by "
        r"$O(h^3)$, since it keeps all of the modified equation but the terms with derivatives of the "
        r"Hessian, of which the first is $-\frac{h^2}{12} \nabla^3 E(g, g)$."
    )
    references = (
        "M. Rosca, Y. Wu, C. Qin and B. Dherin (2023), On a continuous time model of gradient descent "
        "dynamics and instability in deep learning, Transactions on Machine Learning Research",
    )

    @cached_property
    def loss(self) -> Loss:
        """½(y − abx)² with x = 1 and y = 0.6."""
        return two_parameter()

    @cached_property
    def equation(self) -> ModifiedEquation:
        """The modified equation of gradient descent on it, through h²."""
        return modified_equation(self.loss, GradientDescent(), order=2)

    def check(self, run: Run) -> Iterator[Claim]:
        """Quadratic losses, stability, the expansion in h, orders of the errors, and controls."""
        yield from _quadratics(run)
        yield from _oscillation(run)
        yield from _stability()
        yield from self._expansion()
        yield from self._local_orders(run)
        yield from self._orders_in_double_precision(run)

    # -- the expansion ---------------------------------------------------------------------------------

    def _expansion(self) -> Iterator[Claim]:
        """Against the modified equation: all of it but what contains derivatives of the Hessian."""
        terms = [_coefficient(principal_expansion(self.loss, 2), k) for k in range(3)]
        for k in (0, 1):
            yield _zero(f"the terms at h^{k} of both are the same", terms[k] - self.equation.terms[k])
        missing = self.equation.terms[2] - terms[2]
        yield _zero("what is missing at h² is −∇³E(g, g)/12", missing - _third_derivative(self.loss))
        yield Claim(
            name="control: the terms at h² of both differ",
            predicted="different",
            measured="equal" if missing.expand().is_zero_matrix else "different",
            passed=not missing.expand().is_zero_matrix,
            detail=str(self.loss),
        )
        yield _tall_trees()

    # -- orders of the error ---------------------------------------------------------------------------

    def _local_orders(self, run: Run) -> Iterator[Claim]:
        """Errors after one step from a random point, in arbitrary precision."""
        start = [sympy.Rational(int(n), 100) for n in run.rng.integers(70, 130, size=2)]
        principal = principal_expansion(self.loss, EXPANSION)
        third = _third_derivative(self.loss)
        cases = (
            ("gradient flow", "control: gradient flow", self.equation.field(0), 2),
            ("modified flow through h", "modified flow through h", self.equation.field(1), 3),
            ("principal flow", "principal flow", principal, 3),
            ("with ∇³E(g, g)", "principal flow with −h² ∇³E(g, g)/12", _plus(principal, third), 4),
            ("", "control: principal flow with +h² ∇³E(g, g)/12", _plus(principal, -third), 3),
            ("modified flow through h²", "control: modified flow through h²", self.equation.field(2), 4),
        )
        steps = [2e-3 / 10 ** (k / 5) for k in range(6 if run.quick else 9)]
        detail = f"{len(steps)} step sizes from {steps[-1]:.2g} to {steps[0]:.2g}, {BITS} bits"
        run.data["errors"] = {}
        for key, label, field, order in cases:
            errors = [_step_error(self.loss, field, start, h) for h in steps]
            if key:
                run.data["errors"][key] = (steps, errors, order)
            yield _order_claim(
                f"{label}: order of the one-step error", fit_order(steps, errors), order, detail
            )
            if key == "principal flow":
                yield self._leading_error(steps, errors, start)

    def _leading_error(self, steps: Sequence[float], errors: Sequence[arb], start: list) -> Claim:
        """The smallest error over h³, against ‖∇³E(g, g)‖/12."""
        values = [self.loss.parameters[s.name] for s in self.loss.parameter_symbols]
        at = dict(zip(self.loss.parameter_symbols, values, strict=True)) | dict(
            zip(self.loss.variables, start, strict=True)
        )
        predicted = float(_third_derivative(self.loss).subs(at).norm())
        first, second = (float(e) / h**3 for e, h in zip(errors[-2:], steps[-2:], strict=True))
        measured = (second * steps[-2] - first * steps[-1]) / (steps[-2] - steps[-1])
        return Claim(
            name="principal flow: one-step error over h³ is ‖∇³E(g, g)‖/12",
            predicted=predicted,
            measured=measured,
            passed=abs(measured / predicted - 1) < 1e-4,
            detail="extrapolated from the two smallest step sizes",
        )

    def _orders_in_double_precision(self, run: Run) -> Iterator[Claim]:
        """The logarithm itself, and not its expansion, after one step and at time 1."""
        start = (0.8 + 0.3 * run.rng.random(2)).tolist()
        counts = [10, 14, 20, 32, 50, 100] if run.quick else [10, 13, 18, 25, 35, 50, 70, 100, 140]
        steps = [1 / n for n in counts]
        for label, span, order in (("after one step", 0.0, 3), ("at time 1", 1.0, 2)):
            errors = []
            for h, n in zip(steps, counts, strict=True):
                end = iterate(self.loss, GradientDescent(), start, step_size=h, steps=n if span else 1).x[-1]
                path = principal_path(self.loss, start, h, (0, span or h), rtol=1e-13, atol=1e-15)
                errors.append(float(np.abs(path.y[:, -1] - end).max()))
            fit = fit_order(steps, errors, accuracy=1e-13 / min(errors))
            detail = f"matrix logarithms, {len(steps)} step sizes from {steps[-1]:.2g} to {steps[0]:.2g}"
            yield _order_claim(f"principal flow: order of the error {label}", fit, order, detail)

    # -- figure ----------------------------------------------------------------------------------------

    def figure(self, run: Run) -> Any:
        """Solutions on quadratic losses, the factor of an eigenvalue, and errors against the step size."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(14, 4.3), layout="constrained")
        axes = figure.subplots(1, 3)
        _draw_oscillations(axes[0], run.data["oscillations"])
        _draw_factor(axes[1])
        _draw_errors(axes[2], run.data["errors"])
        return figure


# -- quadratic losses ------------------------------------------------------------------------------------


def _quadratics(run: Run) -> Iterator[Claim]:
    """Random quadratic losses, against exact powers of I − hH."""
    count, steps, h = (4 if run.quick else 12), 8, 0.25
    ours, others, reality = [], [], 0
    for k in range(count):
        d = 2 + k % 3
        hessian = _random_hessian(run.rng, d, h)
        loss = _quadratic(hessian)
        start = run.rng.integers(1, 9, size=d)
        exact = _exact_iterate(hessian, start, Fraction(h), steps)
        solution = principal_path(loss, start, h, (0, steps * h), rtol=1e-12).y[:, -1]
        ours.append(np.linalg.norm(solution - exact) / np.linalg.norm(exact))
        field = modified_equation(loss, GradientDescent(), order=1).field()
        end = flow(field, start, (0, steps * h), {"h": h}).y[:, -1]
        others.append(np.linalg.norm(end - exact) / np.linalg.norm(exact))
        values, vectors = np.linalg.eigh(np.array(hessian, dtype=float))
        parts = [np.abs(principal_flow(loss, u, h).imag).max() for u in vectors.T]
        reality += sum((p > 1e-9) == (h * v > 1) for p, v in zip(parts, values, strict=True)) == d
    worst = float(max(ours))
    yield Claim(
        name=f"quadratic losses: relative distance from iterate {steps}",
        predicted=0.0,
        measured=worst,
        passed=worst < 1e-9,
        detail=f"largest of {count} random losses with hλ from −1/2 to 5/2, against exact powers of I − hH",
    )
    yield Claim(
        name="control: the same for the modified flow through h",
        predicted="above 0.01",
        measured=float(np.median(others)),
        passed=np.median(others) > 0.01,
        detail="median of the same losses",
    )
    yield Claim(
        name="quadratic losses: real along an eigenvector if and only if hλ < 1",
        predicted=f"{count} of {count}",
        measured=f"{reality} of {count}",
        passed=reality == count,
        detail="imaginary part below 1e-9 or above, all eigenvectors of the same losses",
    )


def _random_hessian(rng: np.random.Generator, d: int, h: float) -> list[list[Fraction]]:
    """A rational symmetric matrix with one eigenvalue beyond 1/h, turned by a random reflection."""
    values = [Fraction(int(n), 20) for n in rng.integers(-10, 19, size=d)]
    values[0] = Fraction(int(rng.integers(22, 51)), 20)
    v = [Fraction(int(n)) for n in rng.integers(1, 6, size=d)]
    square = sum(c * c for c in v)
    Q = [[(i == j) - 2 * v[i] * v[j] / square for j in range(d)] for i in range(d)]
    scale = 1 / Fraction(h)
    return [
        [scale * sum(Q[i][k] * values[k] * Q[j][k] for k in range(d)) for j in range(d)] for i in range(d)
    ]


def _quadratic(hessian: Sequence[Sequence[Fraction]]) -> Loss:
    x = sympy.symbols(f"x:{len(hessian)}")
    entries = [[sympy.Rational(c.numerator, c.denominator) for c in row] for row in hessian]
    form = sum(c * x[i] * x[j] for i, row in enumerate(entries) for j, c in enumerate(row))
    return Loss(sympy.expand(form) / 2, x)


def _exact_iterate(
    hessian: Sequence[Sequence[Fraction]], start: np.ndarray, h: Fraction, n: int
) -> np.ndarray:
    """(I − hH)^n x, in fractions."""
    x = [Fraction(int(c)) for c in start]
    for _ in range(n):
        x = [
            c - h * sum(a * b for a, b in zip(row, x, strict=True)) for c, row in zip(x, hessian, strict=True)
        ]
    return np.array([float(c) for c in x])


def _oscillation(run: Run) -> Iterator[Claim]:
    """In one dimension: x²/2 with the step size z = hλ, from 1."""
    loss, steps = Loss("x**2/2", variables="x"), 8
    run.data["oscillations"] = {}
    for z in SHARPNESS:
        times = np.linspace(0, steps * z, 40 * steps + 1)
        y = principal_path(loss, [1.0], z, (0, times[-1]), t_eval=times).y[0]
        iterates = (1 - z) ** np.arange(steps + 1)
        run.data["oscillations"][z] = (times / z, y, iterates)
        changes = int((np.diff(np.sign(y.real[::40])) != 0).sum())
        expected = steps if z > 1 else 0
        behaviour = "real, decays" if z < 1 else "oscillates, decays" if z < 2 else "oscillates, grows"
        distance = float(np.abs(y[::40] - iterates).max())
        yield Claim(
            name=f"hλ = {z:g}: {behaviour}",
            predicted=f"{expected} changes of sign, end {iterates[-1]:.6f}",
            measured=f"{changes} changes of sign, end {y[-1].real:.6f}",
            passed=changes == expected and distance < 1e-8 and bool(np.abs(y.imag).max() > 0) == (z > 1),
            detail=f"real part after each of {steps} steps; largest distance from an iterate {distance:.1g}",
        )
    yield _no_oscillation(loss)


def _no_oscillation(loss: Loss) -> Claim:
    """The modified flow through h² keeps its sign and decays for every step size."""
    z, steps = SHARPNESS[-1], 2
    field = modified_equation(loss, GradientDescent(), order=2).field()
    end = flow(field, [1.0], (0, steps * z), {"h": z}).y[0]
    return Claim(
        name=f"control: the modified flow through h² does neither for hλ = {z:g}",
        predicted="positive, decays",
        measured="positive, decays" if (end > 0).all() and abs(end[-1]) < 1 else "changes its sign or grows",
        passed=bool((end > 0).all() and abs(end[-1]) < 1),
        detail=f"from 1, over the time of {steps} steps",
    )


def _stability() -> Iterator[Claim]:
    """The hλ from which on the real part of the factor is positive."""
    loss = Loss("x**2/2", variables="x")
    low, high = 1.5, 3.0
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (low, middle) if principal_flow(loss, [1.0], middle)[0].real > 0 else (middle, high)
    yield Claim(
        name="quadratic losses: value of hλ from which on the principal flow diverges",
        predicted=2,
        measured=low,
        passed=abs(low - 2) < 1e-11,
        detail="where the real part of log(1 − hλ)/(hλ) changes its sign, by bisection",
    )


# -- the expansion ---------------------------------------------------------------------------------------


def _coefficient(field: VectorField, k: int) -> sympy.Matrix:
    return sympy.Matrix([sympy.expand(c).coeff(STEP_SIZE, k) for c in field.components])


def _third_derivative(loss: Loss) -> sympy.Matrix:
    """−∇³E(g, g)/12."""
    v, g = loss.variables, loss.gradient
    along = sympy.Matrix(loss.hessian).applyfunc(
        lambda e: sum(e.diff(x) * c for x, c in zip(v, g, strict=True))
    )
    return sympy.Matrix(-(along * g).expand() / 12)


def _plus(field: VectorField, term: sympy.Matrix) -> VectorField:
    components = sympy.Matrix(field.components) + STEP_SIZE**2 * term
    return VectorField(list(components), field.variables, field.parameters)


def _zero(name: str, difference: sympy.Matrix) -> Claim:
    value = difference.expand()
    return Claim(
        name, "0", "0" if value.is_zero_matrix else str(value.tolist()), value.is_zero_matrix, None, "exact"
    )


def _tall_trees() -> Claim:
    """Of the modified equation as a B-series, the coefficients of the trees without branches."""
    order = 8
    series = bseries(GradientDescent(), order).log()
    measured = [series[RootedTree(list(range(1, n + 1)))] for n in range(1, order + 1)]
    predicted = [sympy.Rational((-1) ** n, n + 1) for n in range(order)]
    return Claim(
        name="the coefficients of H^n g in the modified equation are those of log(1 − z)/z",
        predicted=", ".join(map(str, predicted)),
        measured=", ".join(map(str, measured)),
        passed=all(sympy.Rational(str(m)) == p for m, p in zip(measured, predicted, strict=True)),
        detail=f"the trees without branches through order {order}, exact; f = −g, so signs alternate",
    )


# -- orders of the error ---------------------------------------------------------------------------------


def _step_error(loss: Loss, field: VectorField, start: Sequence[object], h: float) -> arb:
    end = arbitrary.iterate(loss, GradientDescent(), start, h, steps=1, bits=BITS)[1]
    known = {"h": h} if "h" in {s.name for s in field.parameter_symbols} else None
    solution = arbitrary.flow(field, start, h, known, bits=BITS)
    return sum(((a - b) ** 2 for a, b in zip(end, solution, strict=True)), arb(0)).sqrt()


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


def _draw_oscillations(ax: Any, solutions: dict[float, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
    from bea.plots.style import MARKERS, ORDER_COLOURS

    for (z, (n, y, iterates)), colour, marker in zip(solutions.items(), ORDER_COLOURS, MARKERS, strict=False):
        ax.plot(n, y.real, color=colour, linewidth=1.4, label=f"hλ = {z:g}")
        ax.plot(range(len(iterates)), iterates, marker, color=colour, markeredgecolor="black", markersize=4.5)
    ax.axhline(0, color="0.6", linewidth=0.7, zorder=0)
    ax.set_ylim(top=3.4)
    ax.set(xlabel="time / h", ylabel="x", title="λx²/2: real part, and descent (markers)")
    ax.legend(loc="upper left", ncols=3)


def _draw_factor(ax: Any) -> None:
    from bea.plots.style import flow_line, order_colour

    z = np.linspace(1e-3, 3, 1200)
    z = z[np.abs(z - 1) > 1e-3]
    factor = np.log(1 - z + 0j) / z
    factor[np.abs(z - 1) < 2e-3] = np.nan
    ax.plot(z, -np.ones_like(z), **flow_line(0), label="gradient flow")
    ax.plot(z, -(1 + z / 2), **flow_line(1), label="modified flow through h")
    ax.plot(z, factor.real, color=order_colour(2), label="principal flow, real part")
    ax.plot(z, factor.imag, color=order_colour(3), linestyle="-.", label="principal flow, imaginary part")
    ax.axhline(0, color="0.6", linewidth=0.7, zorder=0)
    for x, text in ((0.5, "real,\nstable"), (1.5, "oscillates,\nstable"), (2.5, "oscillates,\nunstable")):
        ax.text(
            x,
            -3.9,
            text,
            ha="center",
            va="bottom",
            fontsize=8,
            color="0.25",
            backgroundcolor="white",
            zorder=1,
        )
    for x in (1, 2):
        ax.axvline(x, color="0.75", linewidth=0.8, linestyle=":", zorder=0)
    ax.set(
        xlim=(0, 3), ylim=(-4, 6), xlabel="hλ", ylabel="factor of (g·u) u", title="factor of an eigenvector u"
    )
    ax.legend(loc="upper left", fontsize=7.5)


def _draw_errors(ax: Any, errors: dict[str, tuple[list[float], list[arb], int]]) -> None:
    from bea.plots.style import MARKERS, ORDER_COLOURS

    for (label, (h, values, order)), colour, marker in zip(
        errors.items(), ORDER_COLOURS, MARKERS, strict=False
    ):
        style = "--" if label.startswith("modified flow through h²") else "-"
        floats = [float(v) for v in values]
        ax.loglog(h, floats, style, color=colour, marker=marker, markersize=4.5, label=f"{label}: {order}")
    top = max(float(v) for _, values, _ in errors.values() for v in values)
    ax.set_ylim(top=top * 10 ** (2.5 * sqrt(2)))
    ax.set(xlabel="step size h", ylabel="error after one step", title="½(0.6 − ab)²: one-step errors")
    ax.set_xticks([1e-4, 2e-4, 5e-4, 1e-3, 2e-3], ["0.0001", "0.0002", "0.0005", "0.001", "0.002"])
    ax.set_xlim(h[-1] / 1.15, h[0] * 1.15)
    ax.xaxis.set_minor_formatter("")
    ax.legend(loc="upper left", title="predicted order in h", fontsize=7.5)
