"""What momentum follows and what it regularises (Kovachki and Stuart 2021, Ghosh et al. 2023)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import sympy
from flint import arb
from sympy.polys.ring_series import rs_exp, rs_trunc
from sympy.polys.rings import ring

from bea.modified import modified_equation, observed_field
from bea.numerics import arbitrary, flow_limit, iterate
from bea.numerics.step_map import StepMap
from bea.schemes import GradientDescent, HeavyBall, Nesterov, Scheme
from bea.systems import Loss, VectorField
from bea.systems.catalogue import two_parameter
from bea.systems.expressions import STEP_SIZE
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.measured import exact_claim, limit_claim, order_claim, slope_claim
from bea.theorems.slopes import slope

__all__ = ["Momentum"]

BETA = sympy.Symbol("beta")
#: The factor c(β) in E/(1−β) + h c(β)/(4(1−β)³)‖∇E‖².
STRENGTH = {"heavy ball": 1 + BETA, "Nesterov": 1 - BETA + 2 * BETA**2}
TEXT = {"heavy ball": "1 + β", "Nesterov": "1 − β + 2β²"}
METHODS: dict[str, Callable[..., Scheme]] = {"heavy ball": HeavyBall, "Nesterov": Nesterov}
#: The momentum of the numerical claims, and where they start.
HALF = sympy.Rational(1, 2)
START = (sympy.Rational(6, 5), sympy.Rational(7, 10))
#: A start from which the way to the zero-loss set is long enough to see the regularisation.
FAR = (1.5, 2.0)
BITS = 400
#: After so many steps β = ½ has forgotten its start to 48 digits.
SETTLED = 160


class Momentum(Theorem):
    """Momentum follows, after a transient, the gradient flow of a regularised loss."""

    name = "momentum"
    title = "Heavy ball and Nesterov's momentum"
    statement = (
        r"The heavy ball $v_{n+1} = \beta v_n - h \nabla E(x_n)$, $x_{n+1} = x_n + v_{n+1}$ forgets its "
        r"first velocity at the rate $\beta$ and then follows, up to $O(h^2)$, the gradient flow of "
        r"$\frac{E}{1-\beta} + h \frac{1+\beta}{4(1-\beta)^3} \|\nabla E\|^2$; for Nesterov's method "
        r"$1 - \beta + 2\beta^2$ takes the place of $1 + \beta$. At the same effective step size "
        r"$h/(1-\beta)$ the heavy ball thus regularises $\frac{1+\beta}{1-\beta}$ times as much as "
        r"gradient descent. From zero velocity the flow that is followed starts at "
        r"$x_0 + \frac{h\beta}{(1-\beta)^2} \nabla E(x_0) + O(h^2)$."
    )
    references = (
        "B. T. Polyak (1964), Some methods of speeding up the convergence of iteration methods, USSR "
        "Computational Mathematics and Mathematical Physics 4(5), 1–17",
        "I. Sutskever, J. Martens, G. Dahl and G. Hinton (2013), On the importance of initialization and "
        "momentum in deep learning, International Conference on Machine Learning",
        "M. Farazmand (2020), Multiscale analysis of accelerated gradient methods, SIAM Journal on "
        "Optimization 30(3), 2337–2354",
        "N. B. Kovachki and A. M. Stuart (2021), Continuous time analysis of momentum methods, Journal of "
        "Machine Learning Research 22(17), 1–40",
        "A. Ghosh, H. Lyu, X. Zhang and R. Wang (2023), Implicit regularization in heavy-ball momentum "
        "accelerated stochastic gradient descent, International Conference on Learning Representations",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """Closed forms, orders, linear problems, iterates, the transient, limits, and negative controls."""
        loss = two_parameter()
        run.data["slopes"] = []
        yield from _closed_forms()
        yield from _linear_problems(run)
        yield from _orders(loss, run)
        yield from _controls(loss)
        yield from _observed(loss, run)
        yield from _transient(loss, run)
        yield from _shifted_start(loss, run)
        yield from _limits(loss, run)
        yield from _strength(loss, run)

    def figure(self, run: Run) -> Any:
        """Errors against the step size, the transient, and the strength of the regularisation."""
        from bea.plots.style import styled

        return styled(_draw)(run)


# -- formulas --------------------------------------------------------------------------------------------


def _closed_forms() -> Iterator[Claim]:
    """For every loss of two variables and every β."""
    x, y = sympy.symbols("x y")
    E = sympy.Function("E")(x, y)
    loss = Loss(E, (x, y))
    for label, strength in STRENGTH.items():
        terms = modified_equation(loss, METHODS[label](), order=1).terms
        published = _published(loss, strength)
        yield exact_claim(
            f"{label}: the modified loss E/(1−β) + h ({TEXT[label]})/(4(1−β)³) ‖∇E‖²",
            [*(terms[0] - published[0]), *(terms[1] - published[1])],
            "any loss of two variables, any β",
        )


def _published(loss: Loss, strength: sympy.Expr, beta: Any = BETA) -> list[sympy.Matrix]:
    """The fields at h⁰ and h¹ of the published modified loss."""
    strength = sympy.sympify(strength).subs(BETA, beta)
    pull = loss.hessian * loss.gradient
    return [-loss.gradient / (1 - beta), -strength / (2 * (1 - beta) ** 3) * pull]


def _linear_problems(run: Run) -> Iterator[Claim]:
    """On ẋ = −λx the series is log(μ)/h with μ the slow eigenvalue of the map (x, m), for every β and λ."""
    order = 4 if run.quick else 8
    x, rate = sympy.symbols("x lambda")
    series, h = ring("h", sympy.QQ.frac_field(BETA, rate))
    loss = Loss(rate * x**2 / 2, [x])
    q = 1 - h * rate
    # The trace and the determinant of the matrices ((q, hβ), (−λ, β)) and ((q, hβq), (−λ, βq)).
    known = {"heavy ball": (q + BETA, q * 0 + BETA), "Nesterov": (q * (1 + BETA), q * BETA)}
    for label, (trace, determinant) in known.items():
        terms = modified_equation(loss, METHODS[label](), order).terms
        exponent = sum((h ** (k + 1) * (terms[k][0] / x).cancel() for k in range(order + 1)), series.zero)
        mu = rs_exp(exponent, h, order + 2)
        residual = rs_trunc(mu**2 - trace * mu + determinant, h, order + 2)
        yield exact_claim(
            f"{label}: on a quadratic loss the series is the logarithm of the slow eigenvalue",
            residual.as_expr(),
            f"characteristic polynomial at exp(h·series), through h^{order}, any β and λ",
        )


# -- orders of the error ---------------------------------------------------------------------------------


def _orders(loss: Loss, run: Run) -> Iterator[Claim]:
    """After one step in arbitrary precision and at time 1 in double precision, on the slow manifold."""
    kinds: tuple[tuple[Literal["local", "global"], str, int, int], ...] = (
        ("local", "one-step error", 200, 3),
        ("global", "error at time 1", 53, 1 if run.quick else 3),
    )
    for label, method in METHODS.items():
        for kind, error, bits, most in kinds:
            for order in range(most + 1):
                measured = slope(loss, method(HALF), START, order, bits=bits, kind=kind)
                run.data["slopes"].append((label, measured))
                yield slope_claim(f"{label}: {error}, terms through h^{order}", measured)


def _controls(loss: Loss) -> Iterator[Claim]:
    """Formulas that look right and lose one order, and a start off the slow manifold."""
    wrong = (
        ("heavy ball", "gradient descent with the step size h/(1−β), E/(1−β) + h/(4(1−β)²) ‖∇E‖²", 1 - BETA),
        ("heavy ball", "1 − β + 2β² in place of 1 + β", STRENGTH["Nesterov"]),
        ("Nesterov", "1 + β in place of 1 − β + 2β²", STRENGTH["heavy ball"]),
    )
    for label, text, strength in wrong:
        stand_in = SimpleNamespace(field=_constant(_field(loss, strength)))
        measured = slope(loss, METHODS[label](HALF), START, 1, bits=200, equation=stand_in)
        low, high = measured.interval
        yield Claim(
            name=f"control: {label} against {text}: the one-step error is only of order 2",
            predicted=2,
            measured=measured.value,
            interval=measured.interval,
            passed=low <= 2 <= high < 3 and abs(measured.value - 2) < 0.05,
            detail="the right factor gives order 3",
        )
    steps = [2.0**-k for k in range(10, 18)]
    for label, method in METHODS.items():
        field = modified_equation(loss, method(HALF), order=3).field()
        errors = [_one_step_error(loss, method(HALF), field, h) for h in steps]
        yield order_claim(
            f"control: {label} from zero velocity: the one-step error is only of order 1",
            1,
            steps,
            errors,
            "with terms through h³, which give order 5 on the slow manifold",
        )


def _field(loss: Loss, strength: sympy.Expr) -> VectorField:
    """The gradient flow of E/(1−β) + h strength/(4(1−β)³) ‖∇E‖² at β = ½."""
    f0, f1 = _published(loss, strength, HALF)
    return VectorField(list(f0 + STEP_SIZE * f1), loss.variables, loss.parameters)


def _constant(field: VectorField) -> Callable[[int], VectorField]:
    return lambda order: field


def _one_step_error(loss: Loss, scheme: Scheme, field: VectorField, h: float) -> arb:
    """The distance of one step from zero velocity to the flow."""
    end = arbitrary.iterate(loss, scheme, START, h, 1, bits=BITS)[-1]
    return _distance(end, arbitrary.flow(field, START, h, {"h": h}, bits=BITS))


def _distance(p: Iterable[arb], q: Iterable[arb]) -> arb:
    return sum(((a - b) ** 2 for a, b in zip(p, q, strict=True)), arb(0)).sqrt()


# -- iterates that have settled --------------------------------------------------------------------------


def _observed(loss: Loss, run: Run) -> Iterator[Claim]:
    """The field seen in the iterates after the transient, by differences, against the derived series."""
    steps = [2.0**-k for k in range(14, 20)]
    for label, method in METHODS.items():
        equation = modified_equation(loss, method(HALF), order=3)
        gaps: dict[int, list[arb]] = {0: [], 1: [], 2: [], 3: []}
        for h in steps:
            path, memory = arbitrary.iterate_with_memory(loss, method(HALF), START, h, SETTLED, bits=BITS)
            x = path[-1]
            step = StepMap(loss, method(HALF), h, bits=BITS)
            seen = observed_field(step, x, h, order=12, memory=memory)
            for order, found in gaps.items():
                known = {**loss.parameters, "h": sympy.Rational(h)}
                derived = arbitrary.evaluate(
                    list(equation.expressions(order)), loss.variables, list(x), known, bits=BITS
                )
                found.append(_distance(list(seen), list(derived)))
        for order in gaps if not run.quick else (1, 3):
            yield order_claim(
                f"{label}: series through h^{order} against the field observed in the iterates",
                order + 1,
                steps,
                gaps[order],
                f"after {SETTLED} steps from zero velocity, differences of 12 steps, {BITS} bits",
            )


def _transient(loss: Loss, run: Run) -> Iterator[Claim]:
    """From zero velocity the distance to the slow manifold shrinks by β in every step, up to O(h)."""
    after = 8
    momenta = [HALF] if run.quick else [sympy.Rational(1, 4), HALF, sympy.Rational(4, 5)]
    run.data["transient"] = {}
    for label, method in METHODS.items():
        for beta in momenta:
            factors = []
            for k in range(16, 22):
                gaps = _distances_to_slow_manifold(loss, method(beta), sympy.Rational(1, 2**k), after + 1)
                factors.append(gaps[after + 1] / gaps[after])
            yield limit_claim(
                f"{label}, β = {beta}: per step the distance to the slow manifold shrinks by",
                beta,
                factors,
                f"from step {after} to step {after + 1}, from zero velocity, h from 2^-16 to 2^-21",
            )
    for beta in momenta:
        gaps = _distances_to_slow_manifold(loss, HeavyBall(beta), sympy.Rational(1, 1000), 24)
        run.data["transient"][float(beta)] = [float(g) for g in gaps]


def _distances_to_slow_manifold(loss: Loss, scheme: Scheme, h: sympy.Rational, steps: int) -> list[arb]:
    """‖m_n − S_h(x_n)‖ for n = 0, …, steps from zero velocity, S_h through h⁶."""
    surface = modified_equation(loss, scheme, order=7).memory.expressions(6)
    step = StepMap(loss, scheme, h, bits=BITS)
    x: Any = list(START)
    memory: Any = [arb(0)] * len(surface)
    distances = []
    for n in range(steps + 1):
        if n:
            x, memory = step(x, memory)
        slow = arbitrary.evaluate(surface, loss.variables, list(x), {**loss.parameters, "h": h}, bits=BITS)
        distances.append(_distance(memory, slow))
    return distances


def _shifted_start(loss: Loss, run: Run) -> Iterator[Claim]:
    """The start of the flow that the iterates from zero velocity come to follow."""
    at = dict(zip(loss.variables, START, strict=True)) | {
        s: loss.parameters[s.name] for s in loss.parameter_symbols
    }
    gradient = [arb(str(sympy.N(g, 60))) for g in loss.gradient.subs(at)]
    beta = HALF
    predicted = beta / (1 - beta) ** 2
    steps = [2.0**-k for k in range(9, 15)]
    for label, method in METHODS.items():
        field = modified_equation(loss, method(beta), order=4 if run.quick else 6).field()
        shifts = []
        for h in steps:
            path = arbitrary.iterate(loss, method(beta), START, h, SETTLED, bits=BITS)
            back = arbitrary.flow(field, path[-1], -SETTLED * sympy.Rational(h), {"h": h}, bits=BITS)
            shifts.append([b - s for b, s in zip(back, path[0], strict=True)])
        share = [
            sum(s * g for s, g in zip(shift, gradient, strict=True)) / (arb(h) * sum(g * g for g in gradient))
            for h, shift in zip(steps, shifts, strict=True)
        ]
        yield limit_claim(
            f"{label}: from zero velocity the flow starts at x₀ + c h ∇E, c = β/(1−β)²",
            predicted,
            share,
            f"the modified flow taken back from step {SETTLED}, β = {beta}",
        )
        rest = [
            _distance(shift, [arb(int(predicted)) * arb(h) * g for g in gradient])
            for h, shift in zip(steps, shifts, strict=True)
        ]
        zero = [arb(0), arb(0)]
        yield order_claim(
            f"{label}: the shift itself", 1, steps, [_distance(s, zero) for s in shifts], "from zero velocity"
        )
        yield order_claim(f"{label}: the shift less h β/(1−β)² ∇E", 2, steps, rest, "from zero velocity")


# -- the zero-loss set -----------------------------------------------------------------------------------


def _end(loss: Loss, scheme: Scheme, h: float) -> np.ndarray:
    """Where the iterates on the slow manifold from FAR come to rest."""
    equation = modified_equation(loss, scheme, order=7)
    memory = equation.memory(FAR, h=h) if scheme.has_memory else None
    return iterate(loss, scheme, FAR, h, round(25 / h), memory=memory, record_every=10**9).x[-1]


def _limits(loss: Loss, run: Run) -> Iterator[Claim]:
    """Where the iterates end, against the limits of flows with the right factor, none and a wrong one."""
    steps = np.geomspace(4e-4, 4.8e-3, 5 if run.quick else 8).tolist()
    for label, method in METHODS.items():
        ends = [_end(loss, method(HALF), h) for h in steps]
        cases = (
            (f"{label}: distance of the limit from that of the gradient flow", sympy.S.Zero, 1),
            (f"{label}: distance of the limit from that of the modified loss", STRENGTH[label], 2),
            (f"control: {label}: the same with the rescaled step size h/(1−β)", 1 - BETA, 1),
        )
        for name, strength, order in cases:
            field = _field(loss, strength)
            known = {"h"} & {s.name for s in field.parameter_symbols}
            flows = [flow_limit(field, FAR, parameters=dict.fromkeys(known, h)).x for h in steps]
            errors = [float(np.linalg.norm(a - b)) for a, b in zip(ends, flows, strict=True)]
            yield order_claim(name, order, steps, errors, f"β = ½, from {FAR} on the slow manifold")


def _strength(loss: Loss, run: Run) -> Iterator[Claim]:
    """How much farther than gradient descent momentum moves the limit, at the same effective step size.

    The gradient flow keeps a² − b²; its change is the regularisation seen on the zero-loss set.
    """
    momenta = [0.5] if run.quick else [0.25, 0.5, 0.75]
    effective = [0.004 / 2**k for k in range(4)]
    descent = [_change(_end(loss, GradientDescent(), s)) for s in effective]
    run.data["strength"] = {label: [] for label in METHODS}
    for label, method in METHODS.items():
        for beta in momenta:
            exact = sympy.Rational(str(beta))
            changes = [_change(_end(loss, method(exact), s * (1 - beta))) for s in effective]
            ratios = [m / d for m, d in zip(changes, descent, strict=True)]
            claim = limit_claim(
                f"{label}, β = {beta:g}: regularisation as a multiple of that of gradient descent",
                (STRENGTH[label] / (1 - BETA)).subs(BETA, exact),
                ratios,
                "change of a² − b² on the way to the zero-loss set, same effective step size h/(1−β)",
                accuracy=0.02,
            )
            run.data["strength"][label].append((beta, claim))
            yield claim
    for label in METHODS:
        sizes = [
            _size(_end(loss, METHODS[label](sympy.Rational(n, 4)), 0.004 * (1 - n / 4))) for n in range(4)
        ]
        yield Claim(
            name=f"{label}: a² + b² at the end falls as β grows, at the same effective step size",
            predicted="decreasing",
            measured=f"{sizes[0]:.5f} (β = 0) to {sizes[-1]:.5f} (β = 3/4)",
            passed=bool(np.all(np.diff(sizes) < 0)),
            detail="β = 0, 1/4, 1/2, 3/4, effective step size 0.004, on the slow manifold",
        )


def _change(end: np.ndarray) -> float:
    return float(end[0] ** 2 - end[1] ** 2) - (FAR[0] ** 2 - FAR[1] ** 2)


def _size(end: np.ndarray) -> float:
    return float(end @ end)


# -- figure ----------------------------------------------------------------------------------------------


def _draw(run: Run) -> Any:
    from matplotlib.figure import Figure

    from bea import plots

    figure = Figure(figsize=(11, 8.6), layout="constrained")
    axes = figure.subplots(2, 2)
    for ax, kind in zip(axes[0], ("local", "global"), strict=True):
        plots.error_against_step(
            [s for label, s in run.data["slopes"] if label == "heavy ball" and s.kind == kind], ax=ax
        )
    _draw_transient(axes[1, 0], run.data["transient"])
    _draw_strength(axes[1, 1], run.data["strength"])
    return figure


def _draw_transient(ax: Any, transient: dict[float, list[float]]) -> None:
    from bea.plots.style import MARKERS, order_colour

    for k, (beta, distances) in enumerate(transient.items()):
        n = np.arange(len(distances))
        ax.semilogy(n, distances[0] * beta**n, color=order_colour(k + 1), linewidth=1.0)
        ax.semilogy(n, distances, MARKERS[k], color=order_colour(k + 1), markersize=4, label=f"β = {beta:g}")
    ax.set(
        xlabel="step $n$",
        ylabel="distance of the velocity from the slow manifold",
        title="from zero velocity; lines: $\\beta^n$",
    )
    ax.legend()


def _draw_strength(ax: Any, strength: dict[str, list[tuple[float, Claim]]]) -> None:
    from bea.plots.style import MARKERS, order_colour

    grid = np.linspace(0, 0.8, 200)
    for k, (label, points) in enumerate(strength.items()):
        curve = sympy.lambdify(BETA, STRENGTH[label] / (1 - BETA))(grid)
        formula = (r"\frac{1+\beta}{1-\beta}", r"\frac{1-\beta+2\beta^2}{1-\beta}")[k]
        ax.plot(grid, curve, color=order_colour(k + 1), label=f"{label}, theory ${formula}$")
        ax.plot(
            [beta for beta, _ in points],
            [float(claim.measured) for _, claim in points],
            MARKERS[k],
            color=order_colour(k + 1),
            markeredgecolor="black",
            label=f"{label}, measured",
        )
    ax.axhline(1, color="0.5", linewidth=0.8, linestyle="--")
    ax.set(
        xlabel=r"momentum $\beta$",
        ylabel="multiple of that of gradient descent",
        title="regularisation at equal effective step size $h/(1-\\beta)$",
    )
    ax.legend(loc="upper left")
