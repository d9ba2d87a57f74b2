"""The theorem of injected noise, and what its check reports."""

from itertools import pairwise, product

import numpy as np
import pytest
import sympy
from scipy.integrate import solve_ivp

import bea
from bea.theorems import noise_cases as cases
from bea.theorems import noise_experiments as experiments


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("noise", quick=True)


def the(verdict, beginning):
    """The claim whose name begins so."""
    (claim,) = [c for c in verdict.claims if c.name.startswith(beginning)]
    return claim


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)


@pytest.mark.slow
def test_another_seed_holds_too():
    another = bea.verify("noise", quick=True, rng=1)
    assert another.passed, repr(another)


def test_names_are_unique(verdict):
    names = [c.name for c in verdict.claims]
    assert len(set(names)) == len(names)


# -- what is measured of which noise ----------------------------------------------------------------------

DRIFTS = {
    "DropConnect, normal": ("three products", "diagonal network"),
    "DropConnect, dropping": ("three products", "diagonal network"),
    "Dropout": ("three products", "tanh network"),
    "anti-correlated noise": ("three products", "diagonal network"),
    "input noise": ("diagonal network", "tanh network"),
}
SLOW = {
    "label noise": ("one product", "diagonal network"),
    "Langevin noise": ("three products", "diagonal network"),
}


def pairs(noises):
    return [f"{noise}, {loss}" for noise, losses in noises.items() for loss in losses]


def test_the_kinds_of_the_limits(verdict):
    kinds = {c.name.partition(":")[0]: c.measured for c in verdict.claims if "kind of the limit" in c.name}
    losses = ("a path of two products", "diagonal network", "tanh network")
    minibatches = [f"minibatches {how} replacement, {loss}" for how in ("with", "without") for loss in losses]
    others = ["label noise, three products", "label noise, tanh network"]
    walls = [f"Langevin noise on the circle with {walls} walls" for walls in ("equal", "unequal")]
    assert kinds == {
        **dict.fromkeys(pairs(DRIFTS), "non-degenerate"),
        **dict.fromkeys(["DropConnect, one product", "input noise, one product"], "uncovered"),
        **dict.fromkeys([*pairs(SLOW), *others, *walls], "degenerate"),
        **dict.fromkeys(minibatches, "trivial"),
    }


@pytest.mark.parametrize(
    ("label", "alpha"), [*((p, -1) for p in pairs(DRIFTS)), *((p, -2) for p in pairs(SLOW))]
)
def test_exponents_include_the_predicted_one_and_no_other(verdict, label, alpha):
    for letter, predicted in (("α", alpha), ("σ", -2)):
        name = f"{label}: steps to travel a fixed distance, exponent of {letter}"
        low, high = the(verdict, name).interval
        assert predicted - 1 < low < predicted < high < predicted + 1


@pytest.mark.parametrize("label", pairs(DRIFTS))
def test_every_drift_excludes_wrong_limits(verdict, label):
    controls = [c.name for c in verdict.claims if c.name.startswith(f"control: {label} with ")]
    for wrong in ("doubled", "without the projection", "no motion"):
        assert sum(wrong in name for name in controls) == 1


def test_other_controls_are_there(verdict):
    controls = " ".join(c.name for c in verdict.claims if c.name.startswith("control:"))
    for wrong in ("wrong scale", "twice the constant", "variance t/2", "without the drift", "half the time"):
        assert wrong in controls


# -- the limits in explicit coordinates of the zero-loss sets ----------------------------------------------


def flow_in_coordinates(chart, regularizer, start, time):
    """Where −P∇Reg leads: in coordinates q of Γ it is −(DᵀD)⁻¹∇(Reg∘chart), D the derivative of the chart.

    Derivatives are imaginary parts at complex points.
    """

    def derivatives(f, q):
        rows = (f(q + 1e-30j * unit) for unit in np.eye(len(q)))
        return np.array([np.imag(row) / 1e-30 for row in rows])

    def slope(_, q):
        D = derivatives(chart, q)
        return -np.linalg.solve(D @ D.T, derivatives(lambda p: regularizer(chart(p)), q))

    return chart(solve_ivp(slope, (0, time), start, rtol=1e-10, atol=1e-12).y[:, -1])


def on_products(q):
    a, b = q[:3], q[3:]
    return np.concatenate([a, b, [(1 - a[:2] @ b) / a[2]]])


X = np.array(cases.INPUTS)
KERNEL = np.linalg.svd(X)[2][-1]
WEIGHTS = np.array(cases.WEIGHTS)


def on_network(q):
    v, w = q[:3], WEIGHTS[:3] ** 2 - WEIGHTS[3:] ** 2 + q[3] * KERNEL
    return np.concatenate([np.sqrt(w + v**2), v])


def on_units(outputs):
    def chart(q):
        w, b = q[:2], q[2:]
        slopes = np.tanh(np.stack([b - w, b + w]))
        return np.concatenate([np.linalg.solve(slopes, np.array(outputs, dtype=complex)), w, b])

    return lambda q: chart(q) if np.iscomplexobj(q) else chart(q).real


def shrinking(z):
    """c_j = Σ_i x_ij² for the weights u_j and v_j."""
    return np.tile((X**2).sum(axis=0), 2)


def dropped_nodes(z):
    a, w, b = z[:2], z[2:4], z[4:]
    return sum((a * np.tanh(w * x + b)) @ (a * np.tanh(w * x + b)) for x in (-1, 1)) / 4


def perturbed_inputs(z):
    a, w, b = z[:2], z[2:4], z[4:]
    return sum(((a * w) @ (1 - np.tanh(w * x + b) ** 2)) ** 2 for x in (-1, 1)) / 4


NETWORK = (on_network, np.array([*WEIGHTS[3:], 0.0]))
PRODUCTS = (on_products, np.array(cases.BALANCING[:5]))
EXPLICIT = {
    "DropConnect, normal, three products": (*PRODUCTS, lambda z: ((z[:3] * z[3:]) ** 2).sum()),
    "DropConnect, normal, diagonal network": (*NETWORK, lambda z: 2 * shrinking(z) @ z**4),
    "DropConnect, dropping, three products": (*PRODUCTS, lambda z: ((z[:3] * z[3:]) ** 2).sum()),
    "DropConnect, dropping, diagonal network": (*NETWORK, lambda z: shrinking(z) @ z**4 / 2),
    "Dropout, three products": (*PRODUCTS, lambda z: ((z[:3] * z[3:]) ** 2).sum() / 2),
    "Dropout, tanh network": (on_units((-0.5, 0.5)), None, dropped_nodes),
    "anti-correlated noise, three products": (*PRODUCTS, lambda z: z @ z / 2),
    "anti-correlated noise, diagonal network": (*NETWORK, lambda z: 2 * shrinking(z) @ z**2),
    "input noise, diagonal network": (*NETWORK, lambda z: ((z[:3] ** 2 - z[3:] ** 2) ** 2).sum()),
    "input noise, tanh network": (on_units((-0.8, 0.8)), None, perturbed_inputs),
    "label noise, diagonal network": (*NETWORK, lambda z: shrinking(z) @ z**2),
}


@pytest.mark.parametrize("label", EXPLICIT)
def test_limits_in_explicit_coordinates(verdict, label):
    (case,) = [c for c in (*cases.drift_cases(), *cases.label_cases()) if c.label == label]
    chart, start, regularizer = EXPLICIT[label]
    end = flow_in_coordinates(chart, regularizer, case.start[2:] if start is None else start, case.time)
    value = sympy.sympify(case.statistic).subs(dict(zip(map(str, case.noisy.variables), end, strict=True)))
    claim = the(verdict, f"{label}: mean ")
    assert claim.predicted == pytest.approx(float(value), abs=1e-7)
    assert claim.interval[0] <= float(value) <= claim.interval[1]
    twice = flow_in_coordinates(
        chart, lambda z: 2 * regularizer(z), case.start[2:] if start is None else start, case.time
    )
    wrong = sympy.sympify(case.statistic).subs(dict(zip(map(str, case.noisy.variables), twice, strict=True)))
    assert not claim.interval[0] <= float(wrong) <= claim.interval[1]


def test_dropping_weights_by_all_masks():
    """(E L̂ − L)/σ² over all 64 masks tends to Σ L without one weight, a quarter of ½Δ_η L̂ on Γ."""
    (case,) = [c for c in cases.drift_cases() if c.label == "DropConnect, dropping, diagonal network"]
    y = X @ (WEIGHTS[:3] ** 2 - WEIGHTS[3:] ** 2)

    def loss(z):
        return ((X @ (z[:3] ** 2 - z[3:] ** 2) - y) ** 2).mean()

    def mean(keep):
        masks = product((0, 1), repeat=6)
        return sum(
            keep ** sum(m) * (1 - keep) ** (6 - sum(m)) * loss(WEIGHTS * np.array(m) / keep) for m in masks
        )

    coarse, fine = (mean(1 / (1 + s)) / s for s in (2e-4, 1e-4))
    point = dict(zip(case.noisy.variables, cases.WEIGHTS, strict=True))
    assert float(case.noisy.regularizer.subs(point)) == pytest.approx(2 * fine - coarse, rel=1e-5)
    assert float(case.noisy.bend.subs(point)) == pytest.approx(4 * (2 * fine - coarse), rel=1e-5)


def test_anti_correlated_noise_as_published():
    """w ← w − α∇L(w) + η' − η gives, less the last perturbation, descent on L(v + η)."""
    rng = np.random.default_rng(0)
    gradient = np.vectorize(lambda a, b: (a * b - 0.6) * np.array([b, a]), signature="(),()->(n)")
    kicks, alpha = 0.1 * rng.standard_normal((50, 2)), 0.1
    noisy = bea.noise.anti_pgd(bea.catalogue.two_parameter())
    published, v = np.array([2.0, 0.3]) + kicks[0], np.array([2.0, 0.3])
    for old, new in pairwise(kicks):
        published = published - alpha * gradient(*published) + new - old
        v = v + alpha * noisy.field(v, eta1=old[0], eta2=old[1])
    assert published - kicks[-1] == pytest.approx(v, abs=1e-12)


# -- single numbers ---------------------------------------------------------------------------------------


def test_the_limit_of_dropconnect_in_coordinates_of_its_own(verdict):
    """u_j = a_j b_j and v_j = a_j² + b_j² obey a closed system, with a multiplier for Σu = 1."""

    def slope(_, state):
        u, v = state[:3], state[3:]
        multiplier = 2 * (u @ v) / v.sum()
        return np.concatenate([v * (multiplier - 2 * u), 4 * u * (multiplier - 2 * u)])

    a, b = np.array(cases.BALANCING[:3]), np.array(cases.BALANCING[3:])
    end = solve_ivp(slope, (0, 1), np.concatenate([a * b, a**2 + b**2]), rtol=1e-11, atol=1e-12).y[:3, -1]
    for j, value in enumerate(end, start=1):
        claim = the(verdict, f"DropConnect: mean of a{j}*b{j} after one unit")
        assert claim.predicted == pytest.approx(value, abs=1e-8)
        assert claim.interval[0] <= value <= claim.interval[1]


def test_where_one_product_is_pushed(verdict):
    """Under factors on both weights E ∂L̂/∂a = 0 says (1 + σ²)² ab = 1; under one on the input 1 + σ²."""
    assert the(verdict, "DropConnect, one product: mean of (ab − 1)").predicted == pytest.approx(-2)
    assert the(verdict, "input noise, one product: mean of (ab − 1)").predicted == pytest.approx(-1)


@pytest.mark.parametrize("label", ["one product", "diagonal network"])
def test_label_noise_flattens_and_minibatches_do_not(verdict, label):
    falls = the(verdict, f"label noise, {label}: the least fall")
    assert falls.interval[0] > 0.01
    rest = the(verdict, f"control: minibatch noise in the place of label noise, {label}")
    assert abs(rest.measured) < 1e-9


@pytest.mark.parametrize("label", ["anti-correlated noise", "label noise"])
def test_the_remainder_is_of_the_first_order(verdict, label):
    low, high = the(verdict, f"{label}, one product: order in ε").interval
    assert 0 < low < 1 < high < 2


def test_extrapolation_finds_the_constant_of_a_parabola():
    sizes = np.array([1.0, 0.7, 0.5, 0.3, 0.2])
    value, deviation = experiments.constant_term(sizes, 2 - sizes + 3 * sizes**2, np.full(5, 0.1), 2)
    assert value == pytest.approx(2, abs=1e-12)
    design = np.stack([sizes**0, sizes, sizes**2], axis=1)
    assert deviation == pytest.approx(0.1 * np.sqrt(np.linalg.inv(design.T @ design)[0, 0]), rel=1e-10)


# -- what must fail ---------------------------------------------------------------------------------------


def run():
    return bea.theorems.claims.Run(quick=True, rng=np.random.default_rng(0))


def label_travel(level, time, scale):
    noisy = bea.noise.label_noise(bea.catalogue.two_parameter())
    return experiments.Travel(noisy, cases.UNBALANCED, "a**2 + b**2", level, time, scale)


def test_a_distance_that_is_not_travelled_is_told():
    with pytest.raises(ValueError, match=r"does not fall to 0\.1 in 400 steps"):
        label_travel(level=0.1, time=0.01, scale=(2, 1)).steps(run(), 0.05, 0.1, 10)


def test_an_exponent_of_the_wrong_scale_fails():
    travel = label_travel(level=4.0, time=30.0, scale=(1, 1))
    claim = experiments.exponent_claim(run(), "label noise", travel, "alpha", (0.015, 0.15), 0.3, 64)
    assert claim.predicted == -1
    assert not claim.passed
    assert claim.interval[0] < -2 < claim.interval[1]


def test_a_law_that_does_not_fit_fails():
    assert not experiments.law_claim("a law", 1e-4, True, "").passed
    assert not experiments.law_claim("control: a law", 0.2, False, "").passed
    assert not experiments.limit_claim("a limit", 1.0, (1.2, (1.1, 1.3)), 1.0, "").passed
    assert not experiments.limit_claim("a limit", 1.2, (1.2, (1.0, 1.4)), 0.1, "").passed
    assert not experiments.excluded_claim("control", 1.2, (1.2, (1.1, 1.3)), "").passed


def test_the_figure_has_its_six_panels(verdict):
    assert len(verdict.figure().axes) == 6
