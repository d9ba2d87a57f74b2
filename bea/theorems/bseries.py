"""Modified equations as B-series (Hairer, Lubich and Wanner 2006, Chapters III and IX)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

import numpy as np
import sympy

from bea.modified import evaluate_series, modified_equation, modified_hamiltonian
from bea.schemes import (
    RK4,
    ExplicitEuler,
    ExplicitMidpoint,
    Gauss,
    ImplicitEuler,
    LobattoIIIB2,
    SecondOrder,
    Trapezoidal,
)
from bea.series import FieldSeries, FlowSeries, RootedTree, bseries, pseries, rooted_trees
from bea.series.structure import conditions
from bea.systems import Loss, VectorField
from bea.theorems.claims import Claim, Run, Theorem

__all__ = ["ModifiedEquationsAsBSeries"]

#: Coefficients of modified equations, by level sequence.
KNOWN = {
    ExplicitEuler: (
        {(1, 2, 3): "1/3", (1, 2, 2): "1/6"},
        {(1, 2, 3, 4): "-1/4", (1, 2, 3, 3): "-1/6", (1, 2, 3, 2): "-1/12", (1, 2, 2, 2): "0"},
    ),
    ExplicitMidpoint: (
        {(1, 2, 3): "-1/6", (1, 2, 2): "-1/12"},
        {(1, 2, 3, 4): "1/8", (1, 2, 3, 3): "1/8", (1, 2, 3, 2): "0", (1, 2, 2, 2): "0"},
    ),
}
#: The modified equation of Euler's method for ẏ = y² is ẏ = Σ_k c_k h^k y^{k+2} with these c_k.
RICCATI = ("1", "-1", "3/2", "-8/3", "31/6", "-157/15")
#: The modified Hamiltonians H₁, H₂, … of the pendulum.
PENDULUM_EULER = ("-p*sin(q)/2", "p**2*cos(q)/12 + sin(q)**2/12", "-p*sin(q)*cos(q)/12")
PENDULUM_VERLET = ("0", "p**2*cos(q)/12 - sin(q)**2/24", "0")
#: Tall and bushy trees are compared through this order.
TALL_ORDER = 10


class ModifiedEquationsAsBSeries(Theorem):
    """The modified equation of a Runge–Kutta method is a B-series, the logarithm of that of the method."""

    name = "bseries"
    title = "Modified equations as B-series"
    statement = (
        r"One step of a Runge–Kutta method is a B-series $y + \sum_\tau \frac{h^{|\tau|}}{\sigma(\tau)} "
        r"a(\tau) F(\tau)(y)$, and its modified equation the B-series $b = \log a$ in the group of such "
        r"maps. The field of $b$ is a gradient for every gradient system if and only if $b(u \circ v) = "
        r"b(v \circ u)$ for all trees, and Hamiltonian for every Hamiltonian system if and only if "
        r"$b(u \circ v) + b(v \circ u) = 0$."
    )
    references = (
        "E. Hairer, C. Lubich and G. Wanner (2006), Geometric Numerical Integration, 2nd ed., Springer, "
        "Sections III.1, VI.7, VI.8, IX.1, IX.3, IX.9 and IX.10",
        "E. Hairer and C. J. Zbinden (2013), On conjugate symplecticity of B-series integrators, IMA Journal "
        "of Numerical Analysis 33, 57–79",
        "P. Chartier, E. Hairer and G. Vilmart (2010), Algebraic structures of B-series, Foundations of "
        "Computational Mathematics 10, 407–427",
        "E. Celledoni, R. I. McLachlan, B. Owren and G. R. W. Quispel (2010), Energy-preserving integrators "
        "and the structure of B-series, Foundations of Computational Mathematics 10, 673–693",
    )

    def check(self, run: Run) -> Iterator[Claim]:
        """Known coefficients, the group, the other route to modified equations, and structures."""
        run.data["euler"] = bseries(ExplicitEuler(), order=4).log()
        yield from _known_coefficients()
        yield from _tall_and_bushy_trees()
        yield _riccati()
        yield from _order_of_rk4()
        yield from _group(run)
        yield from _two_routes(run)
        yield from _structures(run)
        yield from _partitioned(run)
        yield from _conjugate_symplectic(run)
        yield from _modified_hamiltonians()
        yield from _gradient_family()

    def figure(self, run: Run) -> Any:
        """All trees up to order 4, with the coefficients of the modified equation of Euler's method."""
        from matplotlib.figure import Figure

        from bea import plots

        figure = Figure(figsize=(8, 5.4), layout="constrained")
        plots.tree_table(4, series=run.data["euler"], ax=figure.subplots())
        return figure


# -- coefficients ----------------------------------------------------------------------------------------


def _known_coefficients() -> Iterator[Claim]:
    for scheme, orders in KNOWN.items():
        modified = bseries(scheme(), order=4).log()
        for known in orders:
            trees = [RootedTree(levels) for levels in known]
            yield _equality(
                f"{scheme.name}: coefficients of order {trees[0].order}",
                list(known.values()),
                [modified[tree] for tree in trees],
                "at " + ", ".join(str(tree) for tree in trees),
            )


def _tall_and_bushy_trees() -> Iterator[Claim]:
    """With ẏ = λy and with quadratures Euler's method is summed by log(1 + x) and x/(eˣ − 1)."""
    modified = bseries(ExplicitEuler(), order=TALL_ORDER).log()
    orders = range(1, TALL_ORDER + 1)
    yield _equality(
        "explicit-euler: at tall trees the coefficients of log(1 + x)",
        [sympy.Rational((-1) ** (n + 1), n) for n in orders],
        [modified[RootedTree(range(1, n + 1))] for n in orders],
        f"orders 1 to {TALL_ORDER}",
    )
    yield _equality(
        "explicit-euler: at bushy trees the Bernoulli numbers",
        [sympy.bernoulli(n - 1, 0) for n in orders],
        [modified[RootedTree([1] + [2] * (n - 1))] for n in orders],
        f"orders 1 to {TALL_ORDER}, B₁ = −1/2",
    )


def _riccati() -> Claim:
    series = bseries(ExplicitEuler(), order=len(RICCATI)).log()
    field = VectorField(["y**2"], variables="y")
    (y,) = field.variables
    terms = evaluate_series(series, field).terms
    measured = [sympy.cancel(term[0] / y ** (k + 2)) for k, term in enumerate(terms)]
    return _equality(
        "explicit-euler: the modified equation of ẏ = y²", RICCATI, measured, "coefficients of h^k y^{k+2}"
    )


def _order_of_rk4() -> Iterator[Claim]:
    modified = bseries(RK4(), order=5).log()
    first = next(n for n in range(2, 6) if any(b != 0 for b in modified.terms(n).values()))
    yield _equality("rk4: lowest order with a correction", [5], [first])
    tall = RootedTree([1, 2, 3, 4, 5])
    yield _equality("rk4: its coefficient at the tall tree of order 5", ["-1/120"], [modified[tall]])


# -- the group -------------------------------------------------------------------------------------------


def _group(run: Run) -> Iterator[Claim]:
    order = 6 if run.quick else 8
    s, t, u = (FlowSeries(_random_coefficients(run.rng, order), order) for _ in range(3))
    b = FieldSeries(_random_coefficients(run.rng, order), order)
    identity = FlowSeries.identity(order)
    detail = f"random rational coefficients through order {order}"
    yield _fact("(s t) u = s (t u)", (s @ t) @ u == s @ (t @ u), detail)
    yield _fact("s s⁻¹ = s⁻¹ s = 1", s @ s.inverse() == identity == s.inverse() @ s, detail)
    yield _fact("log exp b = b", b.exp().log() == b, detail)
    yield _fact("exp log s = s", s.log().exp() == s, detail)
    yield _fact("control: s t ≠ t s", s @ t != t @ s, detail)


def _random_coefficients(rng: np.random.Generator, order: int) -> dict[RootedTree, sympy.Rational]:
    """Fractions p/q with −9 ≤ p ≤ 9 and 1 ≤ q ≤ 9 for all trees."""
    trees = [tree for n in range(1, order + 1) for tree in rooted_trees(n)]
    p, q = rng.integers(-9, 10, len(trees)).tolist(), rng.integers(1, 10, len(trees)).tolist()
    return {tree: sympy.Rational(p[i], q[i]) for i, tree in enumerate(trees)}


def _two_routes(run: Run) -> Iterator[Claim]:
    """Sums over trees against the Lie series of `modified_equation`, which knows no trees."""
    order, samples = (3, 2) if run.quick else (5, 5)
    for scheme in (ExplicitEuler(), ExplicitMidpoint(), RK4(), ImplicitEuler()):
        series = bseries(scheme, order=order + 1).log()
        fields = [_random_field(run.rng) for _ in range(samples)]
        agree = [
            sympy.expand(
                evaluate_series(series, f).terms[k] - modified_equation(f, scheme, order).terms[k]
            ).is_zero_matrix
            for f, k in product(fields, range(order + 1))
        ]
        yield _equality(
            f"{scheme.name}: terms in which the sum over trees equals the Lie series",
            [len(agree)],
            [sum(map(bool, agree))],
            f"{samples} random polynomial fields in two variables, through h^{order}, exact",
        )


def _random_field(rng: np.random.Generator) -> VectorField:
    """Two random polynomials of degree 2 with integer coefficients."""
    x, y = sympy.symbols("x y")
    monomials = (1, x, y, x**2, x * y, y**2)
    rows = rng.integers(-4, 5, (2, len(monomials))).tolist()
    return VectorField([sum(c * m for c, m in zip(row, monomials, strict=True)) for row in rows], [x, y])


# -- structure -------------------------------------------------------------------------------------------


def _structures(run: Run) -> Iterator[Claim]:
    order = 7 if run.quick else 9
    euler = bseries(ExplicitEuler(), order).log()
    average = FlowSeries.average_vector_field(order).log()
    cases: list[tuple[str, FieldSeries, str, int]] = [
        *((f"Gauss of order {2 * s}", bseries(Gauss(s), order).log(), "symplectic", order) for s in (1, 2)),
        ("average vector field", average, "energy-preserving", order),
        ("control: explicit-euler", euler, "symplectic", 1),
        ("control: explicit-euler", euler, "energy-preserving", 1),
        ("control: average vector field", average, "symplectic", 2),
    ]
    for label, series, structure, expected in cases:
        yield _equality(
            f"{label}: {structure} through order",
            [expected],
            [series.structure_order(structure)],
            f"all trees through order {order}",
        )


def _partitioned(run: Run) -> Iterator[Claim]:
    """Partitioned methods, for all Hamiltonians H(p, q)."""
    order = 4 if run.quick else 5
    symplectic_euler = [ImplicitEuler(), ExplicitEuler()]
    for label, schemes, expected in (
        ("symplectic Euler", symplectic_euler, True),
        ("Störmer–Verlet", [Trapezoidal(), LobattoIIIB2()], True),
        ("control: euler in both variables", [ExplicitEuler(), ExplicitEuler()], False),
    ):
        yield _fact(
            f"{label}: {'symplectic' if expected else 'not symplectic'}",
            pseries(schemes, order).log().is_symplectic() is expected,
            f"P-series, all trees of two colours through order {order}",
        )


def _conjugate_symplectic(run: Run) -> Iterator[Claim]:
    """Symplectic after a change of variables (Hairer and Zbinden 2013)."""
    order = 7 if run.quick else 9
    cases = [
        ("trapezoidal rule", bseries(Trapezoidal(), order), order),
        ("average vector field", FlowSeries.average_vector_field(order), 4),
        ("control: explicit-euler", bseries(ExplicitEuler(), order), 1),
        ("control: rk4", bseries(RK4(), order), 4),
    ]
    for label, flow, expected in cases:
        yield _equality(
            f"{label}: conjugate symplectic to order",
            [expected],
            [flow.log().structure_order("conjugate-symplectic")],
            f"exact, all trees through order {order}",
        )


def _modified_hamiltonians() -> Iterator[Claim]:
    """For H = p²/2 − cos q (Hairer, Lubich and Wanner 2006, Section IX.3)."""
    for label, schemes, known in (
        ("symplectic Euler", [ImplicitEuler(), ExplicitEuler()], PENDULUM_EULER),
        ("Störmer–Verlet", [LobattoIIIB2(), Trapezoidal()], PENDULUM_VERLET),
    ):
        terms = modified_hamiltonian("p**2/2 - cos(q)", schemes, len(known)).terms[1:]
        yield _equality(f"{label}: the modified Hamiltonian of the pendulum", known, terms, "H₁, H₂, …")


def _gradient_family() -> Iterator[Claim]:
    """Among the explicit methods of two stages and order 2 one has a gradient modified field through h²."""
    (condition,) = conditions(bseries(SecondOrder(), order=3).log(), "gradient", 3)
    (alpha,) = SecondOrder().parameter_symbols
    yield _equality(
        "α of two-stage methods with a gradient through h²", ["1/3"], sympy.solve(condition, alpha)
    )
    loss = Loss("x**3*y/3 + x*y**2 - x**2/2", variables="x y")
    for label, value, expected in (("", "1/3", 2), ("control: ", "1/2", 1), ("control: ", "2/3", 1)):
        series = bseries(SecondOrder(value), order=4).log()
        yield _equality(
            f"{label}α = {value}: a gradient for every loss through power of h",
            [expected],
            [series.structure_order("gradient") - 1],
        )
        modified = evaluate_series(series.truncate(3), loss).loss
        yield _fact(
            f"{label}α = {value}: h² has {'a' if expected == 2 else 'no'} potential",
            modified.is_exact(2) is (expected == 2),
            f"E = {loss.expression}",
        )


# -- claims ----------------------------------------------------------------------------------------------


def _equality(name: str, predicted: Iterable[Any], measured: Iterable[Any], detail: str = "exact") -> Claim:
    """A claim that exact numbers are equal."""
    expected, found = ([sympy.sympify(value) for value in values] for values in (predicted, measured))
    return Claim(name, _listed(expected), _listed(found), expected == found, detail=detail)


def _fact(name: str, holds: bool, detail: str) -> Claim:
    return Claim(name, "true", "true" if holds else "false", holds, detail=detail)


def _listed(values: Iterable[sympy.Expr]) -> str:
    return ", ".join(str(value).replace("-", "−") for value in values)
