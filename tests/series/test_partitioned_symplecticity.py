"""Symplecticity of P-series: against the area of real maps, conditions on tableaus, and known methods."""

import pytest
import sympy

from bea.schemes import (
    RK4,
    ExplicitEuler,
    Gauss,
    Heun,
    ImplicitEuler,
    ImplicitMidpoint,
    LobattoIIIA,
    LobattoIIIB,
    RungeKutta,
    SecondOrder,
    Trapezoidal,
)
from bea.series import FieldSeries, RootedTree, bseries, pseries
from bea.series.structure import conditions

half = sympy.Rational(1, 2)
#: Implicit in the first variable by name only, where the field does not depend on it.
KICK = RungeKutta([[half, 0], [half, 0]], [half, half])
PAIRS = {
    "symplectic Euler": [ImplicitEuler(), ExplicitEuler()],
    "its adjoint": [ExplicitEuler(), ImplicitEuler()],
    "Störmer–Verlet": [Trapezoidal(), LobattoIIIB(2)],
    "Störmer–Verlet, other variant": [LobattoIIIB(2), Trapezoidal()],
    "midpoint in both": [ImplicitMidpoint(), ImplicitMidpoint()],
    "Gauss in both": [Gauss(2), Gauss(2)],
    "Lobatto IIIA–IIIB": [LobattoIIIA(3), LobattoIIIB(3)],
    "Heun and kick": [Heun(), KICK],
    "Euler in both": [ExplicitEuler(), ExplicitEuler()],
    "RK4 in both": [RK4(), RK4()],
    "IIIA in both": [LobattoIIIA(3), LobattoIIIA(3)],
}


def modified(pair, order=5):
    return pseries(pair, order).log()


def by_tableau(pair, separable):
    """b_i â_ij + b̂_j a_ji = b_i b̂_j, and b = b̂ unless H is separable (Sun 1993): enough, for every order."""
    (A, b), (B, c) = ((method.A, method.b) for method in pair)
    s = range(len(b))
    edges = all(sympy.simplify(b[i] * B[i, j] + c[j] * A[j, i] - b[i] * c[j]) == 0 for i in s for j in s)
    return edges and (separable or b == c)


@pytest.mark.parametrize("separable", [False, True])
@pytest.mark.parametrize("name", PAIRS)
def test_the_conditions_on_the_tableau_decide_alike(name, separable):
    """For these irreducible pairs; one that is reducible for separable Hamiltonians is looked at below."""
    expected = by_tableau(PAIRS[name], separable) or (name == "Heun and kick" and separable)
    assert modified(PAIRS[name]).is_symplectic(separable=separable) is expected


@pytest.mark.parametrize(
    ("name", "order"), [("Euler in both", 1), ("RK4 in both", 4), ("IIIA in both", 4), ("Heun and kick", 2)]
)
def test_where_it_ends(name, order):
    series = modified(PAIRS[name], 6)
    assert series.structure_order("symplectic") == order
    assert series.is_symplectic(order)
    assert not series.is_symplectic(order + 1)


def test_a_pair_that_is_symplectic_for_separable_hamiltonians_only():
    """Where ṗ does not depend on p, the explicit trapezoidal rule is the implicit one: Störmer–Verlet."""
    series = modified(PAIRS["Heun and kick"], 6)
    assert series.structure_order("symplectic") == 2
    assert series.structure_order("symplectic", separable=True) == 6


@pytest.mark.parametrize("scheme", [RK4(), Gauss(2), Trapezoidal(), ExplicitEuler()], ids=lambda s: s.name)
def test_one_method_for_both_is_as_symplectic_as_its_b_series(scheme):
    b_series = bseries(scheme, 6).log()
    assert modified([scheme, scheme], 6).structure_order("symplectic") == b_series.structure_order(
        "symplectic"
    )


def jacobian_determinant(step, h, p, q):
    new_p, new_q = step
    determinant = sympy.Matrix([new_p, new_q]).jacobian([p, q]).det()
    return sympy.series(determinant, h, 0, 4).removeO().expand()


def test_the_area_under_explicit_maps():
    """Symplectic Euler and Euler in both variables for H = p²/2 + q³ + q⁴, worked by hand."""
    p, q, h = sympy.symbols("p q h")
    slope = 3 * q**2 + 4 * q**3
    new_p = p - h * slope
    assert jacobian_determinant((new_p, q + h * new_p), h, p, q) == 1
    assert jacobian_determinant((new_p, q + h * p), h, p, q) != 1
    assert modified(PAIRS["symplectic Euler"]).is_symplectic(separable=True)
    assert modified(PAIRS["Euler in both"]).structure_order("symplectic", separable=True) == 1


def test_a_wrong_coefficient_is_noticed_wherever_it_is():
    series = modified(PAIRS["symplectic Euler"], 4)
    for tree in [t for t in series if t.order]:
        spoilt = series + FieldSeries({RootedTree([1], [1]): 0, tree: 1}, order=4)
        assert spoilt.structure_order("symplectic") == tree.order - 1
        alternating = all(c.root_colour != tree.root_colour for c in tree.children)
        if tree.order > 1 and tree.order < 4 and not alternating:
            assert spoilt.structure_order("symplectic", separable=True) == 4


def test_conditions_are_expressions_in_the_symbols_of_a_pair():
    pair = [SecondOrder(), SecondOrder()]
    alpha = sympy.Symbol("alpha")
    found = conditions(modified(pair, 3), "symplectic", 3)
    assert found
    assert all(c.free_symbols <= {alpha} for c in found)
    assert conditions(modified(PAIRS["Störmer–Verlet"], 4), "symplectic", 4) == []
    assert conditions(modified(PAIRS["Heun and kick"], 4), "symplectic", 4, separable=True) == []


def test_refused():
    with pytest.raises(ValueError, match="not decided to be gradient"):
        modified(PAIRS["symplectic Euler"], 3).is_gradient()
    with pytest.raises(ValueError, match="3 colours"):
        modified([ExplicitEuler()] * 3, 3).is_symplectic()
    with pytest.raises(ValueError, match="P-series of two colours only"):
        bseries(RK4(), 3).log().is_symplectic(separable=True)
