"""Flows under composition, fields under the bracket: identities, brute force, methods known otherwise."""

from fractions import Fraction

import edge_subsets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bea.schemes import (
    RK4,
    ExplicitEuler,
    Heun,
    ImplicitEuler,
    ImplicitMidpoint,
    Kutta3,
    LobattoIIIA3,
    RadauIIA2,
    RungeKutta,
    Trapezoidal,
)
from bea.series import FieldSeries, FlowSeries, RootedTree, bseries, rooted_trees

ORDER = 5
few = settings(max_examples=15, deadline=None)
fractions = st.fractions(min_value=-3, max_value=3, max_denominator=12)


@st.composite
def tableaus(draw, most=3):
    """A and b of a random consistent method, often implicit."""
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


def as_nested(series):
    """The coefficients by nested tuples, as fractions."""
    return {
        edge_subsets.nested(tree.level_sequence): Fraction(int(value.p), int(value.q))
        for tree, value in series.items()
        if tree.order
    }


class TestAgainstBruteForce:
    @few
    @given(tableaus())
    def test_elementary_weights(self, table):
        A, b = table
        series = as_nested(bseries(RungeKutta(A, b), order=ORDER))
        assert series == {tree: edge_subsets.elementary_weight(tree, A, b) for tree in series}

    @few
    @given(methods, methods)
    def test_composition(self, s, t):
        assert as_nested(s @ t) == edge_subsets.composition(as_nested(s), as_nested(t))

    @few
    @given(methods, fields())
    def test_a_field_after_a_map(self, s, b):
        assert as_nested(s @ b) == edge_subsets.composition(as_nested(s), as_nested(b), empty=0)

    @few
    @given(methods)
    def test_logarithm(self, s):
        """The power series of the logarithm in the convolution algebra."""
        assert as_nested(s.log()) == edge_subsets.logarithm(as_nested(s), ORDER)

    def test_a_higher_order(self):
        s = bseries(Kutta3(), order=7)
        assert as_nested(s.log()) == edge_subsets.logarithm(as_nested(s), 7)


class TestGroup:
    @few
    @given(methods, methods, methods)
    def test_associativity(self, s, t, u):
        assert (s @ t) @ u == s @ (t @ u)

    @few
    @given(methods)
    def test_inverse_and_identity(self, s):
        identity = FlowSeries.identity(ORDER)
        assert s @ s.inverse() == s.inverse() @ s == identity
        assert s @ identity == identity @ s == s

    @few
    @given(methods, methods)
    def test_adjoint(self, s, t):
        assert s.adjoint().adjoint() == s
        assert (s @ t).adjoint() == t.adjoint() @ s.adjoint()

    @few
    @given(methods, fractions, fractions)
    def test_powers(self, s, p, q):
        assert s**p @ s**q == s ** (p + q)
        assert s**0 == FlowSeries.identity(ORDER)
        assert s**1 == s
        assert s**-1 == s.inverse()
        assert s**2 == s @ s

    @few
    @given(methods)
    def test_logarithm_and_exponential(self, s):
        assert s.log().exp() == s
        assert (2 * s.log()).exp() == s @ s

    @few
    @given(fields())
    def test_exponential_and_logarithm(self, b):
        assert b.exp().log() == b

    @few
    @given(methods, fractions)
    def test_scaling_is_a_homomorphism(self, s, factor):
        assert (s @ s).scale(factor) == s.scale(factor) @ s.scale(factor)
        assert s.scale(factor).log() == s.log().scale(factor)

    def test_composition_is_not_commutative(self):
        s, t = bseries(ExplicitEuler(), order=4), bseries(ImplicitEuler(), order=4)
        assert s @ t != t @ s

    @few
    @given(tableaus(2), tableaus(2))
    def test_composition_of_tableaus(self, first, second):
        """Two steps in turn are one step with the tableau [A 0; 1bᵀ A'], (b, b')."""
        (A, b), (A2, b2) = first, second
        both = [[*row, *[0] * len(b2)] for row in A] + [[*b, *row] for row in A2]
        doubled = FlowSeries(
            {
                tree: edge_subsets.elementary_weight(
                    edge_subsets.nested(tree.level_sequence), both, [*b, *b2]
                )
                for n in range(1, ORDER + 1)
                for tree in rooted_trees(n)
            }
        )
        composed = bseries(RungeKutta(A, b), order=ORDER) @ bseries(RungeKutta(A2, b2), order=ORDER)
        assert composed == doubled


class TestKnownMethods:
    euler, implicit = bseries(ExplicitEuler(), order=7), bseries(ImplicitEuler(), order=7)

    def test_halves_of_euler_methods(self):
        explicit, implicit = self.euler.scale("1/2"), self.implicit.scale("1/2")
        assert implicit @ explicit == bseries(ImplicitMidpoint(), order=7)
        assert explicit @ implicit == bseries(Trapezoidal(), order=7)
        assert explicit @ implicit != bseries(ImplicitMidpoint(), order=7)

    def test_adjoints(self):
        assert self.euler.adjoint() == self.implicit
        assert bseries(RadauIIA2(), order=6).adjoint() != bseries(RadauIIA2(), order=6)

    @few
    @given(tableaus())
    def test_the_tableau_of_the_adjoint(self, table):
        """It is 1bᵀ − A with the weights b; Hairer, Lubich and Wanner (2006), Section V.2."""
        A, b = table
        mirrored = [[weight - a for weight, a in zip(b, row, strict=True)] for row in A]
        series = bseries(RungeKutta(A, b), order=ORDER)
        assert series.adjoint() == bseries(RungeKutta(mirrored, b), order=ORDER)

    @pytest.mark.parametrize("scheme", [ImplicitMidpoint(), Trapezoidal(), LobattoIIIA3()])
    def test_symmetric_methods_are_their_own_adjoints(self, scheme):
        series = bseries(scheme, order=6)
        assert series.adjoint() == series
        assert not any(any(series.log().terms(n).values()) for n in (2, 4, 6))

    def test_the_exact_flow_is_a_one_parameter_group(self):
        exact = FlowSeries.exact(order=7)
        assert exact.log() == FieldSeries.original(order=7)
        assert exact.scale("1/3") @ exact.scale("2/3") == exact
        assert exact ** "1/3" == exact.scale("1/3")

    def test_rk4_to_order_ten(self):
        s = bseries(RK4(), order=10)
        assert s.log().exp() == s
        assert s @ s.inverse() == FlowSeries.identity(10)
        assert (s ** "1/2") ** 2 == s


class TestFields:
    @few
    @given(fields(), fields(), fields())
    def test_jacobi_identity(self, a, b, c):
        total = a.bracket(b).bracket(c) + b.bracket(c).bracket(a) + c.bracket(a).bracket(b)
        assert total == FieldSeries({}, order=ORDER)

    @few
    @given(fields(), fields())
    def test_bracket(self, a, b):
        assert a.bracket(b) == -b.bracket(a)
        assert a.bracket(b) == a.lie_derivative(b) - b.lie_derivative(a)

    @few
    @given(fields(), fields(), fields())
    def test_the_lie_derivative_is_pre_lie(self, a, b, c):
        """c'-products: ∂_a∂_b − ∂_b∂_a = ∂_[a,b] on fields as on flows."""
        left = a.lie_derivative(b.lie_derivative(c)) - b.lie_derivative(a.lie_derivative(c))
        assert left == a.bracket(b).lie_derivative(c)

    def test_sign_of_the_bracket(self):
        """[f, f'f] = (f'f)'f − f'(f'f) = f''(f, f), whose coefficient is σ = 2."""
        f, g = FieldSeries.original(order=3), FieldSeries({RootedTree([1, 2]): 1}, order=3)
        assert f.bracket(g) == FieldSeries({RootedTree([1, 2, 2]): 2})

    @few
    @given(fields(), fields(), fractions)
    def test_vector_space(self, a, b, factor):
        assert (a + b) * factor == factor * a + factor * b
        assert a - a == 0 * a
        assert -a == a * -1
        assert factor == 0 or a * factor / factor == a

    @few
    @given(fields())
    def test_the_lie_derivative_of_the_identity_is_the_field(self, b):
        assert b.lie_derivative(FlowSeries.identity(ORDER)) == b

    def test_the_flow_of_commuting_fields(self):
        f = FieldSeries.original(order=6)
        assert (f + f / 2).exp() == f.exp() @ (f / 2).exp()

    def test_baker_campbell_hausdorff(self):
        """log(exp a, then exp b) = a + b + ½[a, b] + (1/12)([a, [a, b]] + [b, [b, a]]) + ⋯ ."""
        a = bseries(Heun(), order=3).log()
        b = bseries(ExplicitEuler(), order=3).log() / 2
        first = a.bracket(b)
        expected = a + b + first / 2 + (a.bracket(first) - b.bracket(first)) / 12
        assert (a.exp() @ b.exp()).log() == expected
