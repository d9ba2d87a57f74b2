"""The theorem of noise injection, and what its check reports."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import bea
from bea.theorems import noise


@pytest.fixture(scope="module")
def verdict():
    return bea.verify("noise", quick=True)


def the(verdict, beginning):
    """The claim whose name begins so."""
    (claim,) = [c for c in verdict.claims if c.name.startswith(beginning)]
    return claim


def test_every_claim_holds(verdict):
    assert verdict.passed, repr(verdict)


def test_another_seed_holds_too():
    another = bea.verify("noise", quick=True, rng=1)
    assert another.passed, repr(another)


def test_names_are_unique(verdict):
    names = [c.name for c in verdict.claims]
    assert len(set(names)) == len(names)


def test_the_kinds_of_the_limits(verdict):
    kinds = {c.name.partition(":")[0]: c.measured for c in verdict.claims if "kind of the limit" in c.name}
    assert kinds == {
        "DropConnect, three products": "non-degenerate",
        "DropConnect that drops weights, three products": "non-degenerate",
        "DropConnect, one product": "uncovered",
        "label noise, two parameters": "degenerate",
        "label noise, three products": "degenerate",
        "minibatches": "trivial",
        "Langevin noise on the circle with equal walls": "degenerate",
        "Langevin noise on the circle with unequal walls": "degenerate",
    }


@pytest.mark.parametrize(
    ("experiment", "alpha", "sigma"),
    [("DropConnect, normal", -1, -2), ("DropConnect, dropping", -1, -2), ("label noise", -2, -2)],
)
def test_exponents_include_the_predicted_one_and_no_other(verdict, experiment, alpha, sigma):
    for letter, predicted in (("α", alpha), ("σ", sigma)):
        name = f"{experiment}: steps to travel a fixed distance, exponent of {letter}"
        low, high = the(verdict, name).interval
        assert predicted - 1 < low < predicted < high < predicted + 1


def test_the_limit_of_dropconnect_in_coordinates_of_its_own(verdict):
    """u_j = a_j b_j and v_j = a_j² + b_j² obey a closed system, with a multiplier for Σu = 1."""

    def slope(_, state):
        u, v = state[:3], state[3:]
        multiplier = 2 * (u @ v) / v.sum()
        return np.concatenate([v * (multiplier - 2 * u), 4 * u * (multiplier - 2 * u)])

    a, b = np.array(noise.BALANCING[:3]), np.array(noise.BALANCING[3:])
    end = solve_ivp(slope, (0, 1), np.concatenate([a * b, a**2 + b**2]), rtol=1e-11, atol=1e-12).y[:3, -1]
    for j, value in enumerate(end, start=1):
        claim = the(verdict, f"DropConnect: mean of a{j}*b{j} after one unit")
        assert claim.predicted == pytest.approx(value, abs=1e-8)
        assert claim.interval[0] <= value <= claim.interval[1]


def test_controls_are_there(verdict):
    controls = " ".join(c.name for c in verdict.claims if c.name.startswith("control:"))
    for wrong in ("doubled", "without the projection", "wrong scale", "twice the constant", "variance t/2"):
        assert wrong in controls


def test_extrapolation_finds_the_constant_of_a_parabola():
    sizes = np.array([1.0, 0.7, 0.5, 0.3, 0.2])
    value, deviation = noise._constant_term(sizes, 2 - sizes + 3 * sizes**2, np.full(5, 0.1), 2)
    assert value == pytest.approx(2, abs=1e-12)
    design = np.stack([sizes**0, sizes, sizes**2], axis=1)
    assert deviation == pytest.approx(0.1 * np.sqrt(np.linalg.inv(design.T @ design)[0, 0]), rel=1e-10)


def test_a_distance_that_is_not_travelled_is_told():
    run = bea.theorems.claims.Run(quick=True, rng=np.random.default_rng(0))
    noisy = bea.noise.label_noise(bea.catalogue.two_parameter())
    travel = noise.Travel(noisy, noise.UNBALANCED, "a**2 + b**2", level=0.1, time=0.01, scale=(2, 1))
    with pytest.raises(ValueError, match=r"does not fall to 0\.1 in 400 steps"):
        travel.steps(run, 0.05, 0.1, 10)


def test_the_figure_has_its_four_panels(verdict):
    assert len(verdict.figure().axes) == 4


@pytest.mark.slow
def test_the_full_check():
    full = bea.verify("noise")
    assert full.passed, repr(full)
