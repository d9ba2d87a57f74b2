"""Conjugate symplecticity: known methods, maps made conjugate on purpose, divergence of real fields."""

from functools import reduce

import pytest
import sympy

import bea
from bea.modified import elementary_differential
from bea.schemes import (
    RK4,
    ExplicitEuler,
    Gauss,
    Heun,
    ImplicitMidpoint,
    Kutta3,
    LobattoIIIA,
    LobattoIIIB,
    SecondOrder,
    Trapezoidal,
)
from bea.series import FieldSeries, FlowSeries, RootedTree, bseries, pseries, rooted_trees
from bea.series.conjugate_symplectic import symplectic_conjugate

p, q = sympy.symbols("p q")


def order_of(method):
    return method.log().structure_order("conjugate-symplectic")


class TestKnownMethods:
    def test_the_trapezoidal_rule_is_conjugate_to_the_midpoint_rule(self):
        """Half a step of Euler's method leads from one to the other (HLW 2006, Section VI.8)."""
        rule, half = bseries(Trapezoidal(), 9), bseries(ExplicitEuler(), 9).scale("1/2")
        assert half.inverse() @ rule @ half == bseries(ImplicitMidpoint(), 9) != rule
        assert rule.log().structure_order("symplectic") == 2
        assert rule.log().is_conjugate_symplectic()

    def test_average_vector_field(self):
        """Conjugate symplectic to order 4 and no further (Hairer and Zbinden 2013)."""
        assert order_of(FlowSeries.average_vector_field(8)) == 4

    @pytest.mark.parametrize(
        ("scheme", "expected"), [(ExplicitEuler(), 1), (Kutta3(), 3), (RK4(), 4), (LobattoIIIB(3), 4)]
    )
    def test_methods_that_end_at_their_order_of_accuracy(self, scheme, expected):
        assert order_of(bseries(scheme, 7)) == expected == bseries(scheme, 7).order_of_accuracy()

    def test_lobatto_iiia_is_two_orders_better_than_it_is_accurate(self):
        assert order_of(bseries(LobattoIIIA(3), 8)) == 6

    def test_symplectic_methods_need_no_change_of_variables(self):
        order, processor = symplectic_conjugate(bseries(Gauss(2), 8).log())
        assert order == 8
        assert processor == FlowSeries.identity(8)

    def test_all_methods_of_order_two_reach_order_three(self):
        """There are as many conditions at order 3, one, as changes of variables of order 2."""
        assert order_of(bseries(Heun(), 6)) == 3
        assert order_of(bseries(SecondOrder("1/3"), 6)) == 3


class TestMadeOnPurpose:
    change = FlowSeries(
        {t: sympy.Rational(3 - i, 2 + i) for n in range(1, 8) for i, t in enumerate(rooted_trees(n))}, 7
    )

    def test_any_change_of_variables_is_undone(self):
        spoilt = self.change @ bseries(Gauss(2), 7) @ self.change.inverse()
        assert spoilt.log().structure_order("symplectic") < 4
        order, processor = symplectic_conjugate(spoilt.log())
        assert order == 7
        assert (processor @ spoilt @ processor.inverse()).log().is_symplectic()

    @pytest.mark.parametrize("levels", [[1, 2, 3, 2], [1, 2, 2, 2, 2], [1, 2, 3, 2, 3, 2]])
    def test_a_single_tree_more_spoils_its_order(self, levels):
        """One more than changes of variables can mend: their images have as many dimensions as they."""
        tree = RootedTree(levels)
        modified = bseries(Gauss(3), 7).log() + FieldSeries({tree: "1/7"}, 7)
        spoilt = self.change @ modified.exp() @ self.change.inverse()
        assert order_of(spoilt) == tree.order - 1
        assert not spoilt.log().is_conjugate_symplectic(tree.order)
        assert spoilt.log().is_conjugate_symplectic(tree.order - 1)

    def test_the_order_does_not_change_under_conjugation_or_scaling(self):
        method = FlowSeries.average_vector_field(7)
        assert order_of(self.change @ method @ self.change.inverse()) == 4
        assert order_of(method.scale("3/2")) == 4

    def test_a_processor_shows_the_order(self):
        method = FlowSeries.average_vector_field(6)
        order, processor = symplectic_conjugate(method.log())
        assert (processor @ method @ processor.inverse()).log().structure_order("symplectic") == order == 4


class TestOnAHamiltonianSystem:
    """In the plane a field is Hamiltonian where its divergence vanishes; trees are only functions here."""

    H = p**3 / 3 + 2 * p**2 * q / 3 - p * q**2 / 5 + q**3 + p**4 / 4 + p**2 * q**2 / 7 - q**5 / 6 + p**2 / 2
    field = bea.VectorField([-H.diff(q), H.diff(p)], [p, q])

    def value(self, series, n):
        terms = (
            (v / t.symmetry) * elementary_differential(t, self.field) for t, v in series.terms(n).items()
        )
        return sum(terms, sympy.zeros(2, 1))

    @staticmethod
    def bracket(u, v):
        return v.jacobian([p, q]) * u - u.jacobian([p, q]) * v

    @staticmethod
    def divergence(u):
        return sympy.Poly(u[0].diff(p) + u[1].diff(q), p, q)

    def solved(self, wanted, n):
        """The field x of order n with div [f, x] = div(wanted), or None."""
        f = self.field.expressions
        fields = [elementary_differential(t, self.field) for t in rooted_trees(n)]
        columns = [self.divergence(self.bracket(f, x)) for x in fields]
        monomials = sorted(reduce(set.union, (set(c.monoms()) for c in [*columns, wanted])))
        left = sympy.Matrix([[c.coeff_monomial(m) for c in columns] for m in monomials])
        right = sympy.Matrix([wanted.coeff_monomial(m) for m in monomials])
        augmented, pivots = left.row_join(right).rref()
        if len(columns) in pivots:
            return None
        return sum((augmented[i, -1] * fields[j] for i, j in enumerate(pivots)), sympy.zeros(2, 1))

    @pytest.mark.parametrize(("scheme", "possible"), [("avf", False), (Trapezoidal(), True)])
    def test_symmetric_methods_of_order_two_at_order_five(self, scheme, possible):
        """m = f + m₃ + m₅: after x₂ the term of order 5 is m₅ + [x₂, m₃] + ½[x₂, [x₂, f]] up to signs."""
        method = FlowSeries.average_vector_field(5) if scheme == "avf" else bseries(scheme, 5)
        m, f = method.log(), self.field.expressions
        m3, m5 = self.value(m, 3), self.value(m, 5)
        x2 = self.solved(self.divergence(m3), 2)
        fifth = m5 - self.bracket(m3, x2) + self.bracket(self.bracket(f, x2), x2) / 2
        assert (self.solved(self.divergence(fifth), 4) is not None) is possible

    def test_rk4_cannot_be_mended_at_order_five(self):
        assert self.solved(self.divergence(self.value(bseries(RK4(), 5).log(), 5)), 4) is None


class TestRefused:
    def test_what_is_no_series_with_rational_coefficients(self):
        with pytest.raises(ValueError, match="rational coefficients"):
            bseries(SecondOrder(), 4).log().structure_order("conjugate-symplectic")
        with pytest.raises(ValueError, match="rational coefficients"):
            bseries(RK4(), 4).log().as_floats().is_conjugate_symplectic()
        with pytest.raises(ValueError, match="P-series of 2 colours"):
            pseries([RK4(), RK4()], 3).log().is_conjugate_symplectic()
        with pytest.raises(ValueError, match="single vertex is 0"):
            FlowSeries.identity(4).log().is_conjugate_symplectic()
        with pytest.raises(TypeError, match=r"take its log\(\)"):
            symplectic_conjugate(bseries(RK4(), 4))

    def test_an_order_beyond_the_series(self):
        with pytest.raises(ValueError, match="truncated after order 4"):
            bseries(RK4(), 4).log().is_conjugate_symplectic(5)
