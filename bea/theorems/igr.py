"""Implicit gradient regularization (Barrett and Dherin 2021)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy

from bea.modified import ModifiedEquation, modified_equation
from bea.numerics import flow_limit, iterate
from bea.schemes import GradientDescent
from bea.systems import Loss, VectorField
from bea.systems.catalogue import tanh_network, two_parameter
from bea.systems.expressions import STEP_SIZE
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.fit import fit_order
from bea.theorems.slopes import Slope, slope

__all__ = ["ImplicitGradientRegularization"]

START = (2.8, 3.5)
#: Where the gradient flow and descent end from START, to five decimals (y = 0.6, x = 1).
KNOWN_LIMITS = {0.0: (0.28315, 2.11900), 1e-3: (0.28361, 2.11562), 1e-2: (0.28792, 2.08391)}
#: Descent runs to this time, at which its distance to the zero-loss set is below rounding.
LONG_TIME = 12.0


class ImplicitGradientRegularization(Theorem):
    """Gradient descent with step size h follows the gradient flow of E + (h/4)‖∇E‖²."""

    name = "igr"
    title = "Implicit gradient regularization"
    statement = (
        r"Gradient descent $x_{n+1} = x_n - h \nabla E(x_n)$ follows the gradient flow of the modified loss "
        r"$\tilde E = E + \frac{h}{4} \|\nabla E\|^2$ with an error of $O(h^3)$ after one step, against "
        r"$O(h^2)$ for the gradient flow of $E$. So it favours flat parts of the zero-loss set. From the "
        r"power $h^2$ on, the modified field is in general no gradient."
    )
    references = (
        "D. G. T. Barrett and B. Dherin (2021), Implicit gradient regularization, International Conference "
        "on Learning Representations, Theorem 3.1",
        "E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer, "
        "Section IX.1",
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
        """Orders of the errors, limits on the zero-loss set, the shape of h², and negative controls."""
        run.data["slopes"] = []
        yield from self._orders_in_double_precision(run)
        yield from self._orders_of_eight_terms(run)
        yield from self._controls(run)
        yield from self._limits(run)
        yield from self._drift(run)
        yield self._no_gradient_at_second_order()
        yield from self._validity()

    # -- orders of the error ---------------------------------------------------------------------------

    def _orders_in_double_precision(self, run: Run) -> Iterator[Claim]:
        losses = {"two-parameter model": self.loss}
        if not run.quick:
            losses["tanh unit"] = tanh_network(x=[1.0], y=[0.5], width=1)
        for label, loss in losses.items():
            equation = modified_equation(loss, GradientDescent(), order=2)
            start = (0.7 + 0.5 * run.rng.random(loss.dimension)).tolist()
            for kind in ("local", "global"):
                for order in range(3):
                    measured = slope(
                        loss, GradientDescent(), start, order, kind=kind, time=1.0, equation=equation
                    )
                    if loss is self.loss:
                        run.data["slopes"].append(measured)
                    error = "one-step error" if kind == "local" else "error at time 1"
                    yield _order_claim(f"{error}, {_flow_name(order)} ({label})", measured)

    def _orders_of_eight_terms(self, run: Run) -> Iterator[Claim]:
        highest = 4 if run.quick else 8
        equation = modified_equation(self.loss, GradientDescent(), order=highest)
        for order in range(3, highest + 1):
            measured = slope(
                self.loss, GradientDescent(), START, order, bits=60 * (order + 1), equation=equation
            )
            yield _order_claim(f"one-step error with terms through h^{order}, {measured.bits} bits", measured)

    def _controls(self, run: Run) -> Iterator[Claim]:
        """Fields that are wrong in one term lose the order that the right term would bring."""
        half = sympy.Rational(1, 2)
        for label, factor in (("−(h/4)‖∇E‖²", -1), ("(h/2)‖∇E‖²", 2), ("(h/8)‖∇E‖²", half)):
            wrong = self._tampered(1, factor * self.equation.terms[1])
            yield self._control(f"with the regulariser {label}", wrong, 1)
        gradient_part = self.equation.terms[2] - self.equation.loss.remainder[2]
        yield self._control("without what is no gradient at h²", self._tampered(2, gradient_part), 2)

    def _tampered(self, k: int, term: sympy.Matrix) -> VectorField:
        """The modified field through h^k with another coefficient of h^k."""
        components = self.equation.expressions(k - 1) + STEP_SIZE**k * term
        return VectorField(list(components), self.loss.variables, self.loss.parameters)

    def _control(self, label: str, wrong: VectorField, order: int) -> Claim:
        stand_in = SimpleNamespace(field=lambda _: wrong)
        measured = slope(self.loss, GradientDescent(), START, order, bits=200, equation=stand_in)
        low, high = measured.interval
        kept = order + 1
        return Claim(
            name=f"control: {label} the one-step error is only of order {kept}",
            predicted=kept,
            measured=measured.value,
            interval=measured.interval,
            passed=low <= kept <= high < kept + 1 and abs(measured.value - kept) < 0.05,
            detail=f"the right term gives order {kept + 1}",
        )

    # -- the zero-loss set -----------------------------------------------------------------------------

    def _limits(self, run: Run) -> Iterator[Claim]:
        ends = {h: self._descent_limit(h) for h in KNOWN_LIMITS if h > 0}
        ends[0.0] = flow_limit(self.loss, START).x
        for h, known in KNOWN_LIMITS.items():
            yield Claim(
                name="the gradient flow ends at" if h == 0 else f"descent with h = {h:g} ends at",
                predicted=_point(known),
                measured=_point(ends[h]),
                passed=bool(np.abs(np.array(known) - ends[h]).max() < 6e-6),
                detail=f"from {START}, to five decimals",
            )
        steps = np.geomspace(1e-3, 1.2e-2, 5 if run.quick else 8).tolist()
        descent = [self._descent_limit(h) for h in steps]
        run.data["limits"] = {"step_sizes": steps, "descent": np.array(descent)}
        for order in range(3):
            name = f"distance of the limit of descent from that of the {_flow_name(order)}"
            yield self._limit_claim(name, self.equation.field(order), order + 1, run)
        wrong = self._tampered(1, -self.equation.terms[1])
        yield self._limit_claim("control: the same for a modified flow with the wrong sign", wrong, 1, run)
        yield from self._flatness([ends[0.0], *descent], steps)

    def _limit_claim(self, name: str, field: VectorField, order: int, run: Run) -> Claim:
        """The order in h of the distance between the limits of descent and of a flow."""
        steps, descent = run.data["limits"]["step_sizes"], run.data["limits"]["descent"]
        flows = [flow_limit(field, START, parameters={"h": h}).x for h in steps]
        fit = fit_order(steps, [float(np.linalg.norm(a - b)) for a, b in zip(descent, flows, strict=True)])
        return Claim(
            name=name,
            predicted=order,
            measured=fit.value,
            interval=fit.interval,
            passed=fit.interval[0] <= order <= fit.interval[1] and abs(fit.value - order) < 0.05,
            detail=f"order in h, {len(steps)} step sizes from {steps[0]:.2g} to {steps[-1]:.2g}",
        )

    def _flatness(self, ends: list[np.ndarray], steps: list[float]) -> Iterator[Claim]:
        yield _falls("a² + b² where descent on ½(y − ab)² ends", [float(p @ p) for p in ends], steps)
        other = Loss("(1 - a**2*b)**2 / 2", "a b")
        start, sizes = (1.5, 2.0), [0.0025, 0.005, 0.01, 0.02]
        points = [flow_limit(other, start).x]
        for h in sizes:
            steps_made = round(LONG_TIME / h)
            points.append(iterate(other, GradientDescent(), start, step_size=h, steps=steps_made).x[-1])
        traces = [float(np.trace(_hessian(other, p))) for p in points]
        yield _falls("the trace of the Hessian where descent on ½(1 − a²b)² ends", traces, sizes)

    def _drift(self, run: Run) -> Iterator[Claim]:
        """a² − b² is kept by the gradient flow and multiplied by 1 − h²r² in every step of descent."""
        y = float(self.loss.parameters["y"])
        h, gap = 1e-2, START[0] ** 2 - START[1] ** 2
        path = iterate(self.loss, GradientDescent(), START, step_size=h, steps=round(LONG_TIME / h)).x
        residuals = path[:-1, 0] * path[:-1, 1] - y
        product = float(np.prod(1 - (h * residuals) ** 2))
        measured = float(path[-1, 0] ** 2 - path[-1, 1] ** 2) / gap
        yield Claim(
            name="descent multiplies a² − b² by Π(1 − h²r²)",
            predicted=product,
            measured=measured,
            passed=abs(measured / product - 1) < 1e-12,
            detail=f"h = {h:g}, r = ab − y",
        )
        yield from self._explained_drift(run)

    def _explained_drift(self, run: Run) -> Iterator[Claim]:
        """The gradient flow explains nothing of the drift, the modified flow all but a part of order h."""
        gap = START[0] ** 2 - START[1] ** 2

        def drift(end: np.ndarray) -> float:
            return float(end[0] ** 2 - end[1] ** 2) / gap - 1

        still = drift(flow_limit(self.loss, START).x)
        yield Claim(
            name="relative change of a² − b² along the gradient flow",
            predicted=0.0,
            measured=still,
            passed=abs(still) < 1e-9,
            detail="up to the tolerance of the integration",
        )
        limits = run.data["limits"]
        steps = limits["step_sizes"]
        missing = [
            abs(1 - drift(flow_limit(self.equation.field(1), START, parameters={"h": h}).x) / drift(end))
            for h, end in zip(steps, limits["descent"], strict=True)
        ]
        fit = fit_order(steps, missing)
        yield Claim(
            name="part of the drift of a² − b² that the modified flow leaves unexplained",
            predicted=1,
            measured=fit.value,
            interval=fit.interval,
            passed=fit.interval[0] <= 1 <= fit.interval[1] and abs(fit.value - 1) < 0.05,
            detail=f"order in h; {missing[0]:.2%} at {steps[0]:.2g}, {missing[-1]:.2%} at {steps[-1]:.2g}",
        )

    @cached_property
    def _values(self) -> dict[sympy.Symbol, sympy.Expr]:
        return {s: self.loss.parameters[s.name] for s in self.loss.parameter_symbols}

    def _descent_limit(self, h: float) -> np.ndarray:
        return iterate(self.loss, GradientDescent(), START, step_size=h, steps=round(LONG_TIME / h)).x[-1]

    # -- where it ends ---------------------------------------------------------------------------------

    def _no_gradient_at_second_order(self) -> Claim:
        f = self.equation.terms[2].subs(self._values)
        a, b = self.loss.variables
        curl = sympy.factor(f[0].diff(b) - f[1].diff(a))
        expected = (a**2 - b**2) * (a**2 + b**2) * (5 * a * b - 3) / 15
        return Claim(
            name="the curl of the term of h² is not zero: it has no modified loss",
            predicted=str(expected),
            measured=str(curl),
            passed=sympy.expand(curl - expected) == 0 and not self.equation.loss.is_exact(2),
            detail="∂_b f_a − ∂_a f_b, exact",
        )

    def _validity(self) -> Iterator[Claim]:
        """The largest step sizes with which descent still lands where the gradient flow does."""
        limit = self.equation.step_size_limit(START)
        first = next(h for h in np.arange(0.005, 0.5, 0.0025) if not self._ends_in_first_quadrant(h))
        sharpness = float(np.linalg.eigvalsh(_hessian(self.loss, np.array(START)))[-1])
        yield Claim(
            name="step size up to which the terms through h² do not grow, a limit for the expansion",
            predicted=f"below {first:.4f}",
            measured=float(limit),
            passed=limit < first,
            detail=f"at {START}, where h·sharpness = {limit * sharpness:.2f}; "
            f"descent jumps from h = {first:.4f} on, where it is {first * sharpness:.2f}",
        )
        yield Claim(
            name="smallest step size with which descent ends in another quadrant",
            predicted=0.11,
            measured=float(first),
            passed=abs(first - 0.11) < 0.005,
            detail=f"scan in steps of 0.0025 from {START}",
        )

    def _ends_in_first_quadrant(self, h: float) -> bool:
        path = iterate(self.loss, GradientDescent(), START, step_size=h, steps=2000)
        return bool((path.x[-1] > 0).all()) and path.diverged_at is None

    # -- figure ----------------------------------------------------------------------------------------

    def figure(self, run: Run) -> Any:
        """The paths to the zero-loss set, where they land, and the errors against the step size."""
        from matplotlib.figure import Figure

        from bea import plots

        figure = Figure(figsize=(15, 8.5), layout="constrained")
        axes = figure.subplots(2, 2)
        plots.modified_flow_figure(self.loss, START, (0.005, 0.01, 0.02), ax=axes[0])
        for ax, kind in zip(axes[1], ("local", "global"), strict=True):
            plots.error_against_step([s for s in run.data["slopes"] if s.kind == kind], ax=ax)
        return figure


def _order_claim(name: str, measured: Slope) -> Claim:
    h = measured.step_sizes
    return Claim(
        name=name,
        predicted=measured.predicted,
        measured=measured.value,
        interval=measured.interval,
        passed=measured.agrees,
        detail=f"order in h, {len(h)} step sizes from {h.min():.2g} to {h.max():.2g}, "
        f"{100 * measured.confidence:g} % interval",
    )


def _falls(what: str, values: list[float], steps: list[float]) -> Claim:
    return Claim(
        name=f"{what} falls as h grows",
        predicted="decreasing",
        measured=f"{values[0]:.5f} (gradient flow) to {values[-1]:.5f} (h = {steps[-1]:.2g})",
        passed=bool(np.all(np.diff(values) < 0)),
        detail=f"{len(steps)} step sizes from {steps[0]:.2g} on",
    )


def _hessian(loss: Loss, point: np.ndarray) -> np.ndarray:
    values = {s: loss.parameters[s.name] for s in loss.parameter_symbols}
    at = {**dict(zip(loss.variables, point, strict=True)), **values}
    return np.array(loss.hessian.subs(at), dtype=float)


def _flow_name(order: int) -> str:
    return ("gradient flow", "modified flow", "modified flow with two terms")[order]


def _point(x: Any) -> str:
    return f"({x[0]:.5f}, {x[1]:.5f})"
