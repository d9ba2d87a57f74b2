"""Another field in the place of f: the substitution law, and the modifying integrator."""

from fractions import Fraction

import edge_subsets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import Rational

from bea.schemes import RK4, ExplicitEuler, Gauss2, ImplicitMidpoint, RungeKutta, SecondOrder
from bea.series import FieldSeries, FlowSeries, RootedTree, bseries, pseries, rooted_trees

ORDER = 5
few = settings(max_examples=10, deadline=None)
fractions = st.fractions(min_value=-2, max_value=2, max_denominator=6)


@st.composite
def tableaus(draw, most=3):
    s = draw(st.integers(1, most))
    A = [[draw(fractions) for _ in range(s)] for _ in range(s)]
    b = [draw(fractions) for _ in range(s - 1)]
    return A, [*b, 1 - sum(b)]


methods = tableaus().map(lambda table: bseries(RungeKutta(*table), order=ORDER))


@st.composite
def fields(draw):
    trees = [tree for n in range(1, ORDER + 1) for tree in rooted_trees(n)]
    chosen = draw(st.dictionaries(st.sampled_from(trees), fractions, max_size=6))
    return FieldSeries(chosen, order=ORDER)


def forgetful(series):
    """The same coefficients without the tableau from which they came."""
    return FlowSeries(dict(series.items()))


def as_nested(series):
    return {
        edge_subsets.nested(tree.level_sequence): Fraction(int(value.p), int(value.q))
        for tree, value in series.items()
        if tree.order
    }


@few
@given(methods, fields())
def test_both_ways_agree_with_brute_force(s, b):
    expected = edge_subsets.substitution(as_nested(b), as_nested(s))
    assert as_nested(s.substitute(b)) == as_nested(forgetful(s).substitute(b)) == expected


@few
@given(fields(), fields())
def test_fields_of_fields(c, b):
    assert as_nested(c.substitute(b)) == edge_subsets.substitution(as_nested(b), as_nested(c))


@few
@given(fields(), fields(), fields())
def test_associativity(a, b, c):
    assert a.substitute(b).substitute(c) == a.substitute(b.substitute(c))


@few
@given(fields(), methods)
def test_neutral_element(b, s):
    f = FieldSeries.original(ORDER)
    assert b.substitute(f) == f.substitute(b) == b
    assert s.substitute(f) == s


@few
@given(methods, methods, fields())
def test_substitution_is_a_homomorphism_of_compositions(s, t, b):
    assert (s @ t).substitute(b) == s.substitute(b) @ t.substitute(b)
    assert s.substitute(b).log() == s.log().substitute(b)


@few
@given(methods)
def test_modified_equation_and_modifying_integrator(s):
    assert FlowSeries.exact(ORDER).substitute(s.log()) == s
    field = s.modifying_integrator()
    assert s.substitute(field) == FlowSeries.exact(ORDER)
    assert forgetful(s).modifying_integrator() == field
    # The two are inverse to each other under substitution.
    assert s.log().substitute(field) == field.substitute(s.log()) == FieldSeries.original(ORDER)


def test_implicit_midpoint_rule():
    """Chartier, Hairer and Vilmart (2007), Mathematics of Computation 76, 1941–1953, up to h⁴.

    h²/12 (−f'f'f + ½ f''(f, f)) + h⁴/120 (f'f'f'f'f − f''(f, f'f'f) + ½ f''(f'f, f'f))
    + h⁴/240 (−½ f'f'f''(f, f) + f'f''(f, f'f) + ½ f''(f, f''(f, f)) − ½ f'''(f, f, f'f))
    + h⁴/80 (−⅙ f'f'''(f, f, f) + 1/24 f''''(f, f, f, f)).
    """
    field = bseries(ImplicitMidpoint(), order=5).modifying_integrator()
    published = {
        "1": Rational(1),
        "123": Rational(-1, 12),
        "122": Rational(1, 24),
        "12345": Rational(1, 120),
        "12342": Rational(-1, 120),
        "12323": Rational(1, 240),
        "12344": Rational(-1, 480),
        "12343": Rational(1, 240),
        "12332": Rational(1, 480),
        "12322": Rational(-1, 480),
        "12333": Rational(-1, 480),
        "12222": Rational(1, 1920),
    }
    found = {
        "".join(map(str, tree.level_sequence)): value / tree.symmetry
        for tree, value in field.items()
        if value
    }
    assert found == published


def test_high_order_by_stages():
    s = bseries(RK4(), order=9)
    field = s.modifying_integrator()
    assert s.substitute(field) == FlowSeries.exact(9)
    assert field.truncate(6) == forgetful(s.truncate(6)).modifying_integrator()


def test_irrational_tableaus():
    s = bseries(Gauss2(), order=6)
    assert s.modifying_integrator() == forgetful(s).modifying_integrator()


def test_symbolic_tableaus():
    s = bseries(SecondOrder(), order=4)
    field = s.modifying_integrator()
    assert field == forgetful(s).modifying_integrator()
    assert s.substitute(field) == FlowSeries.exact(4)
    assert field.with_parameters(alpha="1/2") == bseries(SecondOrder("1/2"), order=4).modifying_integrator()


def test_floats():
    s = bseries(RK4(), order=6).as_floats()
    exact = bseries(RK4(), order=6).modifying_integrator()
    for tree, value in s.modifying_integrator().items():
        assert value == pytest.approx(float(exact[tree]), abs=1e-14)


def test_truncation_follows_the_shorter_series():
    s, b = bseries(RK4(), order=6), FieldSeries({RootedTree([1]): 2, RootedTree([1, 2]): 1}, order=3)
    assert s.substitute(b).order == 3
    assert s.substitute(b) == forgetful(s).substitute(b)
    assert bseries(RK4(), order=2).substitute(b) == s.truncate(2).substitute(b)


def test_bad_inputs():
    s = bseries(ExplicitEuler(), order=3)
    for series in (s, s.log()):
        with pytest.raises(TypeError, match="a FieldSeries takes the place of f, not a FlowSeries"):
            series.substitute(s)
    with pytest.raises(ValueError, match="not consistent: its coefficient of the single vertex is 1/2"):
        s.scale("1/2").modifying_integrator()
    colourful = pseries([ExplicitEuler(), ExplicitEuler()], order=3)
    for call in (colourful.modifying_integrator, lambda: colourful.substitute(s.log())):
        with pytest.raises(ValueError, match="not in P-series of 2 colours"):
            call()
