"""The implicit bias of Adam (Cattaneo, Klusowski and Shigida 2024)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy
from flint import arb

from bea.modified import ModifiedEquation, modified_equation, observed_field
from bea.numerics import arbitrary, flow_limit, iterate
from bea.numerics.step_map import StepMap
from bea.schemes import Adam, AdamW, RMSProp, Scheme
from bea.systems import Loss, VectorField
from bea.systems.catalogue import two_parameter
from bea.systems.expressions import STEP_SIZE
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.measured import exact_claim, limit_claim, order_claim, slope_claim
from bea.theorems.slopes import slope

__all__ = ["AdamOptimizer"]

B1, B2, EPS = sympy.symbols("beta1 beta2 eps")
#: The constants of the numerical claims; β₂ > β₁, as in practice, and both forget quickly.
CONSTANTS = {B1: sympy.Rational(1, 2), B2: sympy.Rational(3, 4), EPS: sympy.Rational(1, 2)}
RATES = {B1: CONSTANTS[B1], B2: CONSTANTS[B2]}
START = (sympy.Rational(6, 5), sympy.Rational(7, 10))
FAR = (1.5, 2.0)
BITS = 400
#: After so many steps β₂ = ¾ has forgotten its start to 47 digits.
SETTLED = 380


class AdamOptimizer(Theorem):
    """Adam follows a perturbed sign descent, and works against or for a perturbed 1-norm of the gradient."""

    name = "adam"
    title = "The implicit bias of Adam"
    statement = (
        r"Adam with $\varepsilon$ inside the root follows, after a transient and up to $O(h^2)$, "
        r"$\dot x_j = -\frac{1}{\sqrt{g_j^2+\varepsilon}} \left( g_j + \frac{h}{2} \left( "
        r"\frac{1+\beta_1}{1-\beta_1} - \frac{1+\beta_2}{1-\beta_2} + \frac{1+\beta_2}{1-\beta_2} "
        r"\frac{\varepsilon}{g_j^2+\varepsilon} \right) \partial_j \sum_i \sqrt{g_i^2+\varepsilon} \right)$ "
        r"with $g = \nabla E$. For $\beta_2 > \beta_1$ and a small $\varepsilon$ the bracket is negative: "
        r"the norm of the gradient is not penalised but rewarded. For a large $\varepsilon$ it is positive, "
        r"and Adam behaves like the heavy ball."
    )
    references = (
        "M. D. Cattaneo, J. M. Klusowski and B. Shigida (2024), On the implicit bias of Adam, International "
        "Conference on Machine Learning",
        "C. Ma, L. Wu and W. E (2022), A qualitative study of the dynamic behavior for adaptive gradient "
        "algorithms, Proceedings of Machine Learning Research 145, 671–692",
        "D. P. Kingma and J. Ba (2015), Adam: a method for stochastic optimization, International Conference "
        "on Learning Representations",
        "I. Loshchilov and F. Hutter (2019), Decoupled weight decay regularization, International Conference "
        "on Learning Representations",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """Closed forms, orders, the sign of the bias, transients, limits, and negative controls."""
        loss = two_parameter()
        run.data["slopes"] = []
        yield from _closed_forms(loss)
        yield from _kin(loss)
        yield from _orders(loss, run)
        yield from _controls(loss)
        yield from _sign(run)
        yield from _large_epsilon(loss)
        yield from _transients(loss)
        yield from _limits(loss, run)

    def figure(self, run: Run) -> Any:
        """Errors against the step size, the sign of the bias, and where on the zero-loss set Adam ends."""
        from bea.plots.style import styled

        return styled(_draw)(run)


# -- formulas --------------------------------------------------------------------------------------------


def published(loss: Loss, inside: bool = True, decay: Any = 0) -> tuple[sympy.Matrix, sympy.Matrix]:
    """The fields at h⁰ and h¹ in closed form, with ε inside or outside the root and decoupled decay.

    With R = √(g² + ε) and s = ε/R², or R = |g| + ε and s = ε/R, the leading field is w = −g/R − λx, and in
    every component f₁ = [b + (1+β₂)/(1−β₂) s] (Hw)_j/(2R_j) + λ w_j/2, b = (1+β₁)/(1−β₁) − (1+β₂)/(1−β₂).
    """
    g = loss.gradient
    if inside:
        root = g.applyfunc(lambda u: sympy.sqrt(u**2 + EPS))
        share = root.applyfunc(lambda r: EPS / r**2)
    else:
        root = g.applyfunc(lambda u: sympy.sqrt(u**2) + EPS)
        share = root.applyfunc(lambda r: EPS / r)
    x = sympy.Matrix(loss.variables)
    w = sympy.Matrix([-u / r for u, r in zip(g, root, strict=True)]) - decay * x
    pull = loss.hessian * w
    first = [_bracket(s) * p / (2 * r) for s, p, r in zip(share, pull, root, strict=True)]
    return w, sympy.Matrix(first) + decay * w / 2


def _bracket(share: Any) -> sympy.Expr:
    """(1+β₁)/(1−β₁) − (1+β₂)/(1−β₂) (1 − s)."""
    return (1 + B1) / (1 - B1) - (1 + B2) / (1 - B2) * (1 - share)


def _difference(loss: Loss, scheme: Scheme, **options: Any) -> list[sympy.Expr]:
    """What the derived fields at h⁰ and h¹ have beyond the closed form."""
    terms = modified_equation(loss, scheme, order=1).terms
    known = published(loss, **options)
    return [entry for term, formula in zip(terms, known, strict=True) for entry in term - formula]


def _adam(inside: bool = True, bias_correction: bool = False) -> Adam:
    return Adam(CONSTANTS[B1], CONSTANTS[B2], CONSTANTS[EPS], inside, bias_correction)


def _closed_forms(loss: Loss) -> Iterator[Claim]:
    line = Loss("a*x**2/2 + b*x**3/3 + c*x**4/4", "x")
    yield exact_claim(
        "Adam in one variable: the published formula",
        _difference(line, Adam()),
        f"E = {line.expression}, any β₁, β₂, ε",
    )
    yield exact_claim(
        "Adam in two variables: the published formula",
        _difference(loss, Adam()),
        f"E = {loss.expression}, any β₁, β₂, ε",
    )


def _kin(loss: Loss) -> Iterator[Claim]:
    """RMSProp, bias correction, decoupled decay, and ε outside the root."""
    adam = modified_equation(loss, Adam(0, B2, EPS), order=2).terms
    rmsprop = modified_equation(loss, RMSProp(B2, EPS), order=2).terms
    yield exact_claim(
        "RMSProp is Adam with β₁ = 0",
        [e for a, r in zip(adam, rmsprop, strict=True) for e in a - r],
        "through h²",
    )
    plain = modified_equation(loss, _adam(), order=2).terms
    corrected = modified_equation(loss, _adam(bias_correction=True), order=2).terms
    yield exact_claim(
        "bias correction does not change the modified equation",
        [e for p, c in zip(plain, corrected, strict=True) for e in p - c],
        f"through h², {_constants()}",
    )
    decay = sympy.Symbol("decay")
    yield exact_claim(
        "AdamW: the formula with w = −g/√(g² + ε) − λx in place of −g/√(g² + ε), and λw/2",
        _difference(loss, AdamW(), decay=decay),
        "any β₁, β₂, ε, λ",
    )
    outside = Adam(inside=False)
    yield exact_claim(
        "ε outside the root: the formula with |g| + ε in place of √(g² + ε) and ε/(|g| + ε) in the bracket",
        _difference(loss, outside, inside=False),
        "any β₁, β₂, ε",
    )
    yield exact_claim(
        "control: ε outside the root does not follow the formula for ε inside",
        _difference(loss, outside)[2:],
        "the field at h",
        vanishes=False,
    )


def _constants() -> str:
    return "β₁ = 1/2, β₂ = 3/4, ε = 1/2"


# -- orders of the error ---------------------------------------------------------------------------------


def _orders(loss: Loss, run: Run) -> Iterator[Claim]:
    adam = _adam()
    for order in range(3 if run.quick else 4):
        measured = slope(loss, adam, START, order, bits=200)
        run.data["slopes"].append(measured)
        yield slope_claim(f"one-step error, terms through h^{order}", measured)
    for order in range(1 if run.quick else 2):
        measured = slope(loss, adam, START, order, kind="global")
        run.data["slopes"].append(measured)
        yield slope_claim(f"error at time 1, terms through h^{order}", measured)
    line = Loss("x**2/2 + x**4/4", "x")
    for order in range(1, 3):
        measured = slope(line, adam, START[1:], order, kind="global")
        yield slope_claim(f"error at time 1 in one variable, terms through h^{order}", measured)
    for label, scheme in (
        ("RMSProp", RMSProp(CONSTANTS[B2], CONSTANTS[EPS])),
        ("AdamW, λ = 1/5", AdamW(CONSTANTS[B1], CONSTANTS[B2], CONSTANTS[EPS], decay="1/5")),
        ("ε outside the root", _adam(inside=False)),
    ):
        measured = slope(loss, scheme, START, 1, bits=200)
        yield slope_claim(f"{label}: one-step error, terms through h^1", measured)


def _controls(loss: Loss) -> Iterator[Claim]:
    """Formulas that are wrong in the bracket, and starts off the slow manifold."""
    adam = _adam()
    w, f1 = published(loss)
    root = loss.gradient.applyfunc(lambda u: sympy.sqrt(u**2 + EPS))
    missing = (1 + B2) / (1 - B2) * EPS
    without = [f - missing / r**2 * p / (2 * r) for f, p, r in zip(f1, loss.hessian * w, root, strict=True)]
    swapped = f1.subs({B1: B2, B2: B1}, simultaneous=True)
    for label, wrong in (
        ("without the term of ε", sympy.Matrix(without)),
        ("with β₁ and β₂ exchanged", swapped),
        ("with the opposite sign of the bracket", -f1),
        ("with ε outside the root", published(loss, inside=False)[1]),
    ):
        components = (w + STEP_SIZE * wrong).subs(CONSTANTS)
        field = VectorField(list(components), loss.variables, loss.parameters)
        stand_in = SimpleNamespace(field=lambda order, field=field: field)
        measured = slope(loss, adam, START, 1, bits=200, equation=stand_in)
        low, high = measured.interval
        yield Claim(
            name=f"control: the formula {label}: the one-step error is only of order 2",
            predicted=2,
            measured=measured.value,
            interval=measured.interval,
            passed=low <= 2 <= high < 3 and abs(measured.value - 2) < 0.05,
            detail="the right formula gives order 3",
        )
    field = modified_equation(loss, adam, order=2).field()
    steps = [2.0**-k for k in range(12, 20)]
    for label, corrected, order in (("", False, 1), (" with bias correction", True, 2)):
        scheme = _adam(bias_correction=corrected)
        errors = []
        for h in steps:
            end = arbitrary.iterate(loss, scheme, START, h, 1, bits=BITS)[-1]
            errors.append(_distance(end, arbitrary.flow(field, START, h, {"h": h}, bits=BITS)))
        yield order_claim(
            f"control: from zero memory{label}: the one-step error is only of order {order}",
            order,
            steps,
            errors,
            "with terms through h², which give order 4 on the slow manifold",
        )


def _distance(p: Iterable[Any], q: Iterable[Any]) -> arb:
    return sum(((a - b) ** 2 for a, b in zip(p, q, strict=True)), arb(0)).sqrt()


# -- the sign of the bias --------------------------------------------------------------------------------


def _sign(run: Run) -> Iterator[Claim]:
    """The bracket, read off settled iterates without any derivation, as a function of ε."""
    predicted = sympy.lambdify(EPS, _bracket(EPS / (1 + EPS)).subs(RATES))
    grid = [10.0**k for k in ((-4, 0.5, 3) if run.quick else (-4, -3, -2, -1, 0, 1, 2, 3))]
    seen = [_seen_bracket(eps) for eps in grid]
    run.data["sign"] = (grid, seen)
    worst = max(abs(s - float(predicted(e))) for s, e in zip(seen, grid, strict=True))
    yield Claim(
        name="the bracket seen in the iterates, at several ε",
        predicted=", ".join(f"{float(predicted(e)):.4f}" for e in grid),
        measured=", ".join(f"{s:.4f}" for s in seen),
        passed=worst < 1e-6,
        detail=f"at |g| = 1, ε = {', '.join(f'{e:g}' for e in grid)}, largest difference {worst:.1e}",
    )
    yield Claim(
        name="β₂ > β₁: against the penalty for small ε, for it for large ε",
        predicted="negative, positive",
        measured=f"{_word(seen[0])}, {_word(seen[-1])}",
        passed=seen[0] < 0 < seen[-1],
        detail=f"bracket {seen[0]:.4f} at ε = {grid[0]:g}, {seen[-1]:.4f} at ε = {grid[-1]:g}",
    )
    exchanged = _seen_bracket(grid[0], CONSTANTS[B2], CONSTANTS[B1])
    yield Claim(
        name="control: with β₁ > β₂ the sign is positive for small ε too",
        predicted="positive",
        measured=_word(exchanged),
        passed=exchanged > 0,
        detail=f"bracket {exchanged:.4f} at ε = {grid[0]:g}, β₁ = 3/4, β₂ = 1/2",
    )
    (zero,) = sympy.solve(_bracket(EPS / (1 + EPS)).subs(RATES), EPS)
    found = _secant(0.5, 3.0)
    run.data["zero"] = found
    yield Claim(
        name="the bias changes its sign at ε/g² =",
        predicted=float(zero),
        measured=found,
        passed=abs(found - float(zero)) < 1e-6,
        detail="root of what the iterates show, β₁ = 1/2, β₂ = 3/4",
    )


def _word(value: float) -> str:
    return "negative" if value < 0 else "positive"


def _seen_bracket(eps: float, beta1: sympy.Expr = CONSTANTS[B1], beta2: sympy.Expr = CONSTANTS[B2]) -> float:
    """The bracket for E = x²/2 where the iterates have settled near x = 1, from their differences.

    There f₁ = −bracket · g H/(2(g² + ε)).
    """
    h = sympy.Rational(1, 10**12)
    loss, scheme = Loss("x**2/2", "x"), Adam(beta1, beta2, eps)
    path, memory = arbitrary.iterate_with_memory(loss, scheme, [1], h, SETTLED, bits=BITS)
    x = path[-1]
    seen = observed_field(StepMap(loss, scheme, h, bits=BITS), x, h, order=4, memory=memory)
    exact = sympy.Rational(str(eps))
    symbol = loss.variables[0]
    (leading,) = arbitrary.evaluate(
        [-symbol / sympy.sqrt(symbol**2 + exact)], [symbol], list(x), {}, bits=BITS
    )
    first = float(seen[0] - leading) / float(h)
    point = float(x[0])
    return -2 * first * (point**2 + eps) / point


def _secant(a: float, b: float) -> float:
    """The ε at which the bracket that is seen vanishes."""
    f_a, f_b = _seen_bracket(a), _seen_bracket(b)
    while abs(b - a) > 1e-9:
        a, b, f_a = b, b - f_b * (b - a) / (f_b - f_a), f_b
        f_b = _seen_bracket(b)
    return b


def _large_epsilon(loss: Loss) -> Iterator[Claim]:
    """For ε → ∞ Adam is the heavy ball with the step size h(1 − β₁)/√ε."""
    w, f1 = published(loss)
    root = sympy.Symbol("root", positive=True)
    growing = [*(sympy.sqrt(EPS) * w), *(EPS * f1)]
    scaled = [sympy.limit(entry.subs(EPS, root**2), root, sympy.oo) for entry in growing]
    g, pull = loss.gradient, loss.hessian * loss.gradient
    heavy = [*(-g), *(-(1 + B1) / (2 * (1 - B1)) * pull)]
    yield exact_claim(
        "for large ε the field of the heavy ball with the step size h(1 − β₁)/√ε",
        [s - k for s, k in zip(scaled, heavy, strict=True)],
        "limits of √ε f₀ and ε f₁, any β₁, β₂",
    )


# -- transients ------------------------------------------------------------------------------------------


def _transients(loss: Loss) -> Iterator[Claim]:
    """How fast the running means forget, and from where the flow starts that is followed afterwards."""
    yield from _forgetting(loss)
    equation = modified_equation(loss, _adam(), order=2)
    steps = [sympy.Rational(1, 2**k) for k in range(26, 32)]
    sizes = [float(h) for h in steps]
    for corrected, order in ((False, 1), (True, 2)):
        scheme = _adam(bias_correction=corrected)
        shifts = []
        for h in steps:
            path = arbitrary.iterate(loss, scheme, START, h, SETTLED, bits=BITS)
            back = arbitrary.flow(equation.field(), path[-1], -SETTLED * h, {"h": h}, bits=BITS)
            shifts.append([b - s for b, s in zip(back, path[0], strict=True)])
        label = "with" if corrected else "without"
        zero = [arb(0), arb(0)]
        yield order_claim(
            f"{label} bias correction: how far off x₀ the flow starts that is followed",
            order,
            sizes,
            [_distance(s, zero) for s in shifts],
            f"the modified flow taken back from step {SETTLED}, memory zero at first",
        )
        if not corrected:
            yield limit_claim(
                "without bias correction: that shift over h, first component",
                _predicted_shift(loss),
                [s[0] / h for s, h in zip(shifts, sizes, strict=True)],
                "Σ_n (1 − β₁ⁿ) f/√((1 − β₂ⁿ) f² + ε) − f/√(f² + ε)",
            )


def _forgetting(loss: Loss) -> Iterator[Claim]:
    """The distance of m and v from the slow manifold shrinks by β₁ and by β₂ in every step, up to O(h)."""
    scheme, after = _adam(), 6
    surface = modified_equation(loss, scheme, order=3).memory.expressions(2)
    ratios: list[list[arb]] = []
    for k in range(30, 35):
        h = sympy.Rational(1, 2**k)
        path, memory = arbitrary.iterate_with_memory(loss, scheme, START, h, after, bits=BITS)
        later, last = StepMap(loss, scheme, h, bits=BITS)(path[-1], memory)
        known = {**loss.parameters, "h": h}
        first, second = (
            m - arbitrary.evaluate(surface, loss.variables, list(x), known, bits=BITS)
            for x, m in ((path[-1], np.array(memory)), (later, np.array(last)))
        )
        ratios.append([b / a for a, b in zip(first, second, strict=True)])
    for label, index, rate in (("m", 0, CONSTANTS[B1]), ("v", 2, CONSTANTS[B2])):
        yield limit_claim(
            f"per step the distance of {label} from the slow manifold shrinks by",
            rate,
            [r[index] for r in ratios],
            f"first component, step {after} to {after + 1}, h from 2^-30 to 2^-34",
        )


def _predicted_shift(loss: Loss) -> sympy.Expr:
    """The first component of Σ_n (1 − β₁ⁿ) f/√((1 − β₂ⁿ) f² + ε) − f/√(f² + ε), to 30 digits."""
    at = dict(zip(loss.variables, START, strict=True))
    at |= {s: loss.parameters[s.name] for s in loss.parameter_symbols}
    f, n = -sympy.nsimplify(loss.gradient[0].subs(at)), sympy.Symbol("n")
    step = (1 - B1**n) * f / sympy.sqrt((1 - B2**n) * f**2 + EPS) - f / sympy.sqrt(f**2 + EPS)
    step = step.subs(CONSTANTS)
    return sum(step.subs(n, k).evalf(30) for k in range(1, SETTLED + 1))


# -- the zero-loss set -----------------------------------------------------------------------------------


def _limits(loss: Loss, run: Run) -> Iterator[Claim]:
    """Where Adam ends on the zero-loss set, for a small and a large ε, against limits of flows."""
    run.data["limits"] = {}
    for eps in (sympy.Rational(1, 100), sympy.Integer(100)):
        scheme = Adam(CONSTANTS[B1], CONSTANTS[B2], eps)
        equation = modified_equation(loss, scheme, order=1)
        scale = float(sympy.sqrt(eps))
        steps = (scale * np.geomspace(5e-4, 6e-3, 5 if run.quick else 8)).tolist()
        ends = [_end(equation, h, time=2 + 30 * scale) for h in steps]
        for order in (0, 1):
            field = equation.field(order)
            known = {"h"} & {s.name for s in field.parameter_symbols}
            flows = [flow_limit(field, FAR, parameters=dict.fromkeys(known, h)).x for h in steps]
            yield order_claim(
                f"ε = {eps}: distance of the limit from that of the flow through h^{order}",
                order + 1,
                steps,
                [float(np.linalg.norm(p - q)) for p, q in zip(ends, flows, strict=True)],
                f"from {FAR} on the slow manifold",
            )
        still = flow_limit(equation.field(0), FAR).x
        changes = [float(end @ end - still @ still) for end in ends]
        run.data["limits"][float(eps)] = (steps, changes)
        yield Claim(
            name=f"ε = {eps}: a² + b² at the end falls as h grows",
            predicted="decreasing",
            measured=f"by {-changes[0]:.2e} (h = {steps[0]:.2g}) to {-changes[-1]:.2e} (h = {steps[-1]:.2g})",
            passed=bool(np.all(np.diff([0.0, *changes]) < 0)),
            detail="against the flow through h⁰; where the loss is nearly zero ε is large beside g², "
            "so that the bracket is positive in the end for every ε",
        )


def _end(equation: ModifiedEquation, h: float, time: float) -> np.ndarray:
    """Where the iterates on the slow manifold from FAR come to rest."""
    memory = equation.memory(FAR, h=h)
    steps = round(time / h)
    return iterate(equation.system, equation.scheme, FAR, h, steps, memory=memory, record_every=steps).x[-1]


# -- figure ----------------------------------------------------------------------------------------------


def _draw(run: Run) -> Any:
    from matplotlib.figure import Figure

    from bea import plots

    figure = Figure(figsize=(14, 4.6), layout="constrained")
    axes = figure.subplots(1, 3)
    plots.error_against_step([s for s in run.data["slopes"] if s.kind == "local"], ax=axes[0])
    _draw_sign(axes[1], run.data["sign"], run.data["zero"])
    _draw_limits(axes[2], run.data["limits"])
    return figure


def _draw_sign(ax: Any, points: tuple[list[float], list[float]], zero: float) -> None:
    from bea.plots.style import order_colour

    grid, seen = points
    fine = np.geomspace(grid[0], grid[-1], 300)
    curve = sympy.lambdify(EPS, _bracket(EPS / (1 + EPS)).subs(RATES))(fine)
    ax.axhline(0, color="0.5", linewidth=0.8)
    ax.semilogx(fine, curve, color=order_colour(1), label="theory")
    ax.semilogx(grid, seen, "o", color="0.1", markersize=5, label="seen in the iterates")
    ax.semilogx([zero], [0], "D", color=order_colour(2), markersize=6, label=f"change of sign, {zero:.4f}")
    ax.fill_between(fine, curve, 0, where=curve < 0, color=order_colour(1), alpha=0.12, linewidth=0)
    ax.set(
        xlabel=r"$\varepsilon / g^2$",
        ylabel="strength of the penalty",
        title=r"$\beta_1 = 1/2$, $\beta_2 = 3/4$",
    )
    ax.legend(loc="upper left")


def _draw_limits(ax: Any, limits: dict[float, tuple[list[float], list[float]]]) -> None:
    from bea.plots.style import MARKERS, order_colour

    ax.axhline(0, color="0.5", linewidth=0.8)
    for k, (eps, (steps, changes)) in enumerate(limits.items()):
        sizes = np.array(steps) / np.sqrt(eps)
        ax.plot(
            sizes, changes, MARKERS[k] + "-", color=order_colour(k + 1), label=rf"$\varepsilon = {eps:g}$"
        )
    ax.set(
        xlabel=r"$h/\sqrt{\varepsilon}$",
        ylabel="change of $a^2 + b^2$ at the end",
        title="where on the zero-loss set Adam ends",
    )
    ax.legend()
