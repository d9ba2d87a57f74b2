"""Games drift from their field, in simultaneous play otherwise than in alternating play (Rosca et al.)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import sympy
from flint import arb, ctx

from bea.modified import discretization_drift, modified_equation
from bea.numerics import arbitrary, flow, local_stability
from bea.schemes import RK4, AlternatingDescent, Heun, Scheme, SimultaneousDescent
from bea.systems import Game, VectorField
from bea.systems.catalogue import bilinear_game, dirac_gan, gaussian_gan, quadratic_game
from bea.systems.expressions import STEP_SIZE
from bea.theorems.claims import Claim, Run, Theorem
from bea.theorems.measured import exact_claim, order_claim

__all__ = ["DiscretizationDriftInGames"]

BITS = 240
#: The losses of a game between the players (a, b) and (c, d); their constants are drawn.
LOSSES = (
    "{0}*a**2*c + b*c*d + {1}*a*b**3 + c**2*d/2",
    "{2}*a*b*d - c**2*d*a + {3}*b*c + d**4/4",
)
PLAYERS = ("a b", "c d")
RATES = ("1", "3/2")
SCHEMES: dict[str, Scheme] = {"simultaneous": SimultaneousDescent(), "alternating": AlternatingDescent()}


class DiscretizationDriftInGames(Theorem):
    """Every player drifts by its own finite steps and by those of the others, in zero-sum games away."""

    name = "games"
    title = "Discretization drift in games"
    statement = (
        r"Players with the steps $\alpha h$ and $\lambda h$, $f = -\nabla_\varphi L_1$ and $g = "
        r"-\nabla_\theta L_2$, follow $\dot\varphi = \alpha [f - \frac{h}{2} (\alpha f_\varphi f + \lambda "
        r"f_\theta g)]$ and $\dot\theta = \lambda [g - \frac{h}{2} (\pm \alpha g_\varphi f + \lambda "
        r"g_\theta g)]$ with an error of $O(h^3)$: plus for simultaneous play, minus where $\theta$ plays "
        r"second. In zero-sum games the self terms add $\frac{\alpha h}{4} \|\nabla_\varphi L_1\|^2$ to the "
        r"loss of the player, and the interaction of simultaneous play takes $\frac{\lambda h}{4} "
        r"\|\nabla_\theta L_1\|^2$ away, which destabilises. On $L = xy$ simultaneous play diverges, "
        r"alternating play conserves $x^2 + y^2 - hxy$, Heun's method diverges slowly and RK4 contracts. "
        r"Consensus optimization and symplectic gradient adjustment stabilise."
    )
    references = (
        "M. Rosca, Y. Wu, B. Dherin and D. G. T. Barrett (2021), Discretization drift in two-player games, "
        "International Conference on Machine Learning, Theorems 3.1 and 3.2",
        "L. Mescheder, S. Nowozin and A. Geiger (2017), The numerics of GANs, Advances in Neural Information "
        "Processing Systems 30",
        "D. Balduzzi, S. Racanière, J. Martens, J. Foerster, K. Tuyls and T. Graepel (2018), The mechanics "
        "of n-player differentiable games, International Conference on Machine Learning",
        "C. Qin, Y. Wu, J. T. Springenberg, A. Brock, J. Donahue, T. Lillicrap and P. Kohli (2020), Training "
        "generative adversarial networks by solving ordinary differential equations, Advances in Neural "
        "Information Processing Systems 33",
        "L. Mescheder, A. Geiger and S. Nowozin (2018), Which training methods for GANs do actually "
        "converge?, International Conference on Machine Learning",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """Formulas, orders of the error, the bilinear game, stability and its cures, and controls."""
        constants = [sympy.Rational(int(n), 10) for n in run.rng.integers(5, 16, size=4)]
        start = [sympy.Rational(int(n), 100) for n in run.rng.integers(50, 100, size=4)]
        run.data["errors"] = {}
        yield from _formulas(constants)
        yield from _zero_sum(constants)
        yield from _orders(constants, start, run)
        yield from _conserved(run)
        yield from _radii()
        yield from _predicted_rates(run)
        yield from _cures()
        yield from _gans(run)

    def figure(self, run: Run) -> Any:
        """Discrete play beside its modified flow and the ideal one, errors, and rates of growth."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(13, 4.8), layout="constrained")
        axes = figure.subplots(1, 3)
        _draw_play(axes[0])
        _draw_errors(axes[1], run.data["errors"])
        _draw_rates(axes[2])
        return figure


# -- the drift at h --------------------------------------------------------------------------------------


def _game(constants: Sequence[object], zero_sum: bool = False, rates: Sequence[object] = RATES) -> Game:
    first, second = (text.format(*constants) for text in LOSSES)
    return Game([first, f"-({first})" if zero_sum else second], PLAYERS, rates)


def _published(game: Game, alternating: bool, separate: bool = False) -> sympy.Matrix:
    """The drift at h of two players on one clock, or with the clock of each player for all its terms."""
    (phi, theta), (alpha, lam) = game.players, game.rates
    f, g = (
        -sympy.Matrix([loss.diff(v) for v in own])
        for loss, own in zip(game.losses, (phi, theta), strict=True)
    )
    sign = -1 if alternating else 1
    by_theta, by_phi = (alpha, lam) if separate else (lam, alpha)
    first = alpha * f.jacobian(phi) * f + by_theta * f.jacobian(theta) * g
    second = sign * by_phi * g.jacobian(phi) * f + lam * g.jacobian(theta) * g
    return sympy.Matrix([*(-alpha / 2 * first), *(-lam / 2 * second)])


def _formulas(constants: Sequence[object]) -> Iterator[Claim]:
    game = _game(constants, rates=sympy.symbols("alpha lam"))
    for label, scheme in SCHEMES.items():
        derived = modified_equation(game, scheme, order=1).terms[1]
        difference = derived - _published(game, label == "alternating")
        yield exact_claim(f"{label} play: the drift at h", difference, "derived less published, all rates")
    separate = derived - _published(game, alternating=True, separate=True)
    yield exact_claim("control: a clock of its own for each player", separate, "all rates", vanishes=False)
    equal = separate.subs("alpha", "lam")
    yield exact_claim("a clock of its own for each player, equal rates", equal, "derived less published")


def _zero_sum(constants: Sequence[object]) -> Iterator[Claim]:
    """Self terms and interaction terms as squares of gradients of L₁, with their factors."""
    alpha, lam = sympy.symbols("alpha lam")
    game = _game(constants, zero_sum=True, rates=(alpha, lam))
    squares = [sum(game.losses[0].diff(v) ** 2 for v in own) for own in game.players]
    for label, sign in (("simultaneous", -1), ("alternating", 1)):
        drift = discretization_drift(game, SCHEMES[label])
        cases = (
            ("self term of the first player", (0, 0), alpha / 4),
            ("self term of the second player", (1, 1), lam / 4),
            ("interaction of the first player", (0, 1), -lam / 4),
            ("interaction of the second player", (1, 0), sign * alpha / 4),
        )
        for name, (player, other), factor in cases:
            found = drift.regularizer(player, other)
            same = found is not None and sympy.expand(found - factor * squares[other]) == 0
            yield Claim(
                name=f"zero-sum, {label}: {name}, factor of ‖∇L₁‖² of "
                f"{'its own' if player == other else 'the other'}",
                predicted=str(factor),
                measured=str(factor) if same else str(found),
                passed=same,
                detail="per h, exact",
            )
    general = discretization_drift(_game(constants), SCHEMES["simultaneous"])
    yield Claim(
        name="control: the interaction in a game that is not zero-sum",
        predicted="no gradient",
        measured="no gradient" if general.regularizer(0, 1) is None else "gradient",
        passed=general.regularizer(0, 1) is None and general.regularizer(0, 0) is not None,
        detail="antisymmetric part of the Jacobian in the player's own variables",
    )


# -- orders ----------------------------------------------------------------------------------------------


def _orders(constants: Sequence[object], start: list[sympy.Rational], run: Run) -> Iterator[Claim]:
    """One-step errors against fields with 0, 1 and 2 terms, and against fields that are wrong."""
    game = _game(constants)
    for label, scheme in SCHEMES.items():
        equation = modified_equation(game, scheme, order=2)
        for k in range(3):
            yield _order_claim(f"{label}, through h^{k}", game, start, scheme, equation.field(k), k + 2, run)
    controls = (
        ("alternating, drift of simultaneous play", "alternating", _published(game, alternating=False)),
        ("simultaneous, drift of alternating play", "simultaneous", _published(game, alternating=True)),
        ("simultaneous, separate clocks", "simultaneous", _published(game, False, separate=True)),
        ("alternating, separate clocks", "alternating", _published(game, True, separate=True)),
    )
    for label, play, term in controls:
        field = VectorField(list(game.field.expressions + STEP_SIZE * term), game.variables)
        yield _order_claim(f"control: {label}", game, start, SCHEMES[play], field, 2, run)


def _order_claim(
    label: str,
    game: Game,
    start: list[sympy.Rational],
    scheme: Scheme,
    field: VectorField,
    order: int,
    run: Run,
) -> Claim:
    steps = [2e-4 / 10 ** (k / 5) for k in range(6 if run.quick else 9)]
    errors = [_error(game, start, scheme, field, h) for h in steps]
    run.data["errors"][label] = (order, steps, errors)
    return order_claim(f"{label}: order in h", order, steps, errors, f"rates {', '.join(RATES)}, {BITS} bits")


def _error(game: Game, start: list[sympy.Rational], scheme: Scheme, field: VectorField, h: float) -> arb:
    end = arbitrary.iterate(game, scheme, start, h, steps=1, bits=BITS)[1]
    other = arbitrary.flow(field, start, h, {"h": h} if STEP_SIZE in field.parameter_symbols else None, BITS)
    return sum(((p - q) ** 2 for p, q in zip(end, other, strict=True)), arb(0)).sqrt()


# -- the bilinear game -----------------------------------------------------------------------------------


def _conserved(run: Run) -> Iterator[Claim]:
    """How far quadratic forms of the iterates move from their start, in arbitrary precision."""
    h, steps = sympy.Rational(1, 5), 200 if run.quick else 2000
    path = arbitrary.iterate(bilinear_game(), AlternatingDescent(), [1, "1/3"], h, steps, bits=BITS)
    cases = (
        ("alternating play conserves x² + y² − hxy", h, True),
        ("control: alternating play conserves x² + y²", 0 * h, False),
        ("control: alternating play conserves x² + y² + hxy", -h, False),
    )
    for label, factor, conserved in cases:
        with ctx.workprec(BITS):
            c = arb(int(factor.p)) / int(factor.q)
            values = [x * x + y * y - c * x * y for x, y in path]
            range_ = max(float(abs(v - values[0])) for v in values)
        yield Claim(
            name=label,
            predicted="< 1e-60" if conserved else "> 0.01",
            measured=range_,
            passed=range_ < 1e-60 if conserved else range_ > 0.01,
            detail=f"largest change over {steps} steps with h = {h}, {BITS} bits",
        )


#: |R|² − 1 for one step on the bilinear game, R the eigenvalues of the step.
GROWTH: dict[str, tuple[Scheme, Callable[[float], float]]] = {
    "simultaneous descent, h²": (SimultaneousDescent(), lambda h: h**2),
    "Heun, h⁴/4": (Heun(), lambda h: h**4 / 4),
    "RK4, −h⁶/72 + h⁸/576": (RK4(), lambda h: -(h**6) / 72 + h**8 / 576),
}


def _radii() -> Iterator[Claim]:
    """|R|² − 1, from the spectral radius of the step and in arbitrary precision."""
    h, game = 0.1, bilinear_game()
    for label, (scheme, formula) in GROWTH.items():
        found = local_stability(game, scheme, [0, 0], h, order=5)
        measured = math.expm1(2 * h * found.rate)
        yield Claim(
            name=f"bilinear game, |R|² − 1: {label}",
            predicted=formula(h),
            measured=measured,
            passed=abs(measured - formula(h)) < 1e-9 * abs(formula(h)) and found.agrees,
            detail=f"h = {h}; the modified field through h^5 agrees about attraction",
        )
    yield Claim(
        name="control: RK4 without the term h⁸/576",
        predicted=f"must differ from {-(h**6) / 72:.6g}",
        measured=measured,
        passed=abs(measured + h**6 / 72) > 1e-4 * abs(measured),
        detail=f"h = {h}, by more than 1e-4 of its size",
    )
    low = local_stability(game, RK4(), [0, 0], h, order=4)
    yield Claim(
        name="control: RK4 by its modified field through h⁴",
        predicted="does not agree",
        measured="agrees" if low.agrees else "does not agree",
        passed=not low.agrees,
        detail="the contraction is first seen at h^5",
    )


# -- local stability -------------------------------------------------------------------------------------


def _predicted_rates(run: Run) -> Iterator[Claim]:
    """The rate at the equilibrium of a game with conflict, predicted by the modified field, against h."""
    game = quadratic_game(curvature=0.3, agreement=0.2, conflict=1.4)
    steps = np.geomspace(0.002, 0.02, 6 if run.quick else 9).tolist()
    for label, scheme in SCHEMES.items():
        for order in (1, 2):
            found = [local_stability(game, scheme, [0, 0], h, order) for h in steps]
            errors = [abs(s.rate - s.modified_rate) for s in found]
            yield order_claim(
                f"{label}, rate at the equilibrium through h^{order}: order in h of its error",
                order + 1,
                steps,
                errors,
                "log of the spectral radius over h, against the modified Jacobian",
            )


def _cures() -> Iterator[Claim]:
    """Adjusted fields on the bilinear game, where the step has |R|² = (1 − hγ)² + h²."""
    game, h = bilinear_game(), 0.1
    cases = (
        ("consensus, γ = 0.5", game.consensus(0.5), 0.5),
        ("symplectic adjustment, λ = 0.5", game.symplectic_gradient_adjustment(0.5), 0.5),
        ("control: consensus weaker than h/2", game.consensus(0.04), 0.04),
        ("control: symplectic adjustment of the other sign", game.symplectic_gradient_adjustment(-0.5), -0.5),
    )
    for label, field, strength in cases:
        found = local_stability(field, SimultaneousDescent(), [0, 0], h, order=3)
        predicted = math.hypot(1 - h * strength, h)
        stable = not label.startswith("control")
        yield Claim(
            name=f"{label}: spectral radius, {'attracts' if stable else 'repels'}",
            predicted=predicted,
            measured=found.spectral_radius,
            passed=abs(found.spectral_radius - predicted) < 1e-12
            and found.is_stable == stable
            and found.agrees,
            detail=f"simultaneous descent with h = {h}; the modified field agrees about attraction",
        )


def _gans(run: Run) -> Iterator[Claim]:
    """The step size at which a penalised Dirac-GAN turns unstable, and a GAN that learns a Gaussian."""
    for kind, slope in (("wasserstein", 1.0), ("standard", 0.5)):
        game, penalty = dirac_gan(kind, penalty=0.1), 0.1
        measured = _threshold(game, 1e-3, 1.0, steps=20 if run.quick else 40)
        predicted = penalty / slope**2
        yield Claim(
            name=f"{kind} Dirac-GAN, penalty γ: largest step size γ/f′(0)²",
            predicted=predicted,
            measured=measured,
            passed=abs(measured - predicted) < 1e-5,
            detail="where the spectral radius of simultaneous descent passes 1, by bisection",
        )
    for label, penalty, scheme in (
        ("Gaussian GAN, simultaneous descent repels", 0, SimultaneousDescent()),
        ("Gaussian GAN, RK4 attracts", 0, RK4()),
        ("Gaussian GAN with a penalty, simultaneous descent attracts", 1, SimultaneousDescent()),
    ):
        found = local_stability(gaussian_gan(penalty=penalty), scheme, [1, 1, 0, 0], 0.05, order=5)
        attracts = label.endswith("attracts")
        yield Claim(
            name=label,
            predicted="rate < 0" if attracts else "rate > 0",
            measured=found.rate,
            passed=found.agrees and found.is_stable == attracts,
            detail="log of the spectral radius over h = 0.05; the modified field through h^5 agrees",
        )


def _threshold(game: Game, low: float, high: float, steps: int) -> float:
    for _ in range(steps):
        middle = (low + high) / 2
        if local_stability(game, SimultaneousDescent(), [0, 0], middle, order=0).is_stable:
            low = middle
        else:
            high = middle
    return (low + high) / 2


# -- figure ----------------------------------------------------------------------------------------------


def _draw_play(ax: Any) -> None:
    """Simultaneous and alternating play of the bilinear game, and the flows beside them."""
    game, h, turns = bilinear_game(), 0.3, 2 * math.pi
    ideal = flow(game.field, [1.0, 0.0], (0, turns), t_eval=np.linspace(0, turns, 300))
    ax.plot(*ideal.y, "--", color="#0072B2", label="ideal flow")
    for (label, scheme), colour, marker in zip(SCHEMES.items(), ("#D55E00", "#009E73"), "os", strict=True):
        field = modified_equation(game, scheme, order=1).field()
        modified = flow(field, [1.0, 0.0], (0, turns), parameters={"h": h}, t_eval=np.linspace(0, turns, 300))
        ax.plot(*modified.y, color=colour, label=f"modified flow, {label}")
        path = arbitrary.iterate(game, scheme, [1, 0], h, int(turns / h), bits=64).astype(float)
        ax.plot(*path.T, marker, color=colour, markersize=4, label=f"{label} play")
    ax.set(xlabel="x", ylabel="y", title=f"bilinear game, h = {h}")
    ax.set_aspect("equal")
    _legend_below(ax)


def _draw_errors(ax: Any, errors: dict[str, tuple[int, list[float], list[arb]]]) -> None:
    """One colour for every predicted order, one marker for every kind of play, dashes for controls."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import NullFormatter

    from bea.plots.style import order_colour

    kinds = {"simultaneous": "o-", "alternating": "s-", "control": "D--"}
    for label, (order, steps, values) in errors.items():
        style = next(style for kind, style in kinds.items() if label.startswith(kind))
        colour = order_colour(order - 2)
        ax.loglog(
            steps, [float(v) for v in values], style, color=colour, markersize=4, markerfacecolor="none"
        )
    ax.set(xlabel="step size h", ylabel="error after one step", title="orders in h")
    ax.xaxis.set_minor_formatter(NullFormatter())
    orders = sorted({order for order, *_ in errors.values()})
    entries = [Line2D([], [], color=order_colour(k - 2), label=f"predicted order {k}") for k in orders]
    for kind, style in kinds.items():
        entries.append(
            Line2D(
                [], [], color="0.3", marker=style[0], linestyle=style[1:], markerfacecolor="none", label=kind
            )
        )
    _legend_below(ax, handles=entries)


def _legend_below(ax: Any, **content: Any) -> None:
    ax.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, frameon=False, **content)


def _draw_rates(ax: Any) -> None:
    """The rate at the equilibrium of the bilinear game against h, as it is and as predicted."""
    steps, game = np.geomspace(0.02, 0.5, 12).tolist(), bilinear_game()
    for (label, (scheme, _)), colour in zip(GROWTH.items(), ("#D55E00", "#0072B2", "#009E73"), strict=True):
        found = [local_stability(game, scheme, [0, 0], h, order=5) for h in steps]
        attracts = found[0].rate < 0
        name = f"{label.split(',')[0]}: {'attracts' if attracts else 'repels'}"
        ax.loglog(steps, [abs(s.rate) for s in found], "o", color=colour, markersize=4, label=name)
        ax.loglog(steps, [abs(s.modified_rate) for s in found], color=colour)
    ax.set(
        xlabel="step size h", ylabel="rate, absolute value", title="bilinear game: dots true, lines predicted"
    )
    ticks = [0.02, 0.05, 0.1, 0.2, 0.5]
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.set_xticks([], minor=True)
    ax.legend(fontsize=8)
