"""Exact coefficients: proven denominators, digits modulo primes, number fields."""

from fractions import Fraction
from math import lcm

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bea.schemes import RK4, ExplicitEuler, Gauss2, Gauss3, LobattoIIIC4, RungeKutta, SecondOrder
from bea.series import FieldSeries, FlowSeries, RootedTree, bseries, rooted_trees
from bea.series.denominators import logarithm_bound
from bea.series.digits import next_digit, radices, residues, to_digits
from bea.series.exact import Exact, lift
from bea.series.number_fields import RATIONALS, number_field

#: The first call of a compiled loop may compile it.
patient = settings(deadline=None)

PRIMES = [536870909, 536870879, 536870869]


class TestDigits:
    @patient
    @given(st.lists(st.integers(-(10**60), 10**60), min_size=1, max_size=8))
    def test_digits_give_the_integers_back(self, integers):
        primes, digits = to_digits(np.array(integers, dtype=object), iter(many_primes()))
        assert (abs(digits) < 2**28).all()
        values = sum(
            digit.astype(object) * place for digit, place in zip(digits, radices(primes), strict=True)
        )
        assert values.tolist() == integers

    @patient
    @given(st.lists(st.integers(-(10**40), 10**40), min_size=1, max_size=8))
    def test_residues(self, integers):
        primes, digits = to_digits(np.array(integers, dtype=object), iter(many_primes()))
        p = 536870839
        assert residues(digits, radices(primes), p).tolist() == [x % p for x in integers]

    @patient
    @given(st.lists(st.integers(-(10**16), 10**16), min_size=1, max_size=8))
    def test_garner(self, integers):
        digits = np.empty((0, len(integers)), dtype=np.int32)
        for k, p in enumerate(PRIMES):
            values = np.array([x % p for x in integers], dtype=np.uint32)
            digits = np.concatenate([digits, next_digit(values, digits, PRIMES[:k], p)[None]])
        assert not digits[2].any()
        found = digits[0].astype(object) + digits[1].astype(object) * PRIMES[0]
        assert found.tolist() == integers


def many_primes():
    return (channel.prime for channel in RATIONALS.channels())


class TestLift:
    start = np.array([0, 0, 1, 2])

    def lifted(self, *fractions, denominators):
        return lift(
            lambda ring: ring.constants([sympy.Rational(str(f)) for f in fractions]),
            RATIONALS,
            self.start,
            denominators,
        )

    def test_as_many_primes_as_are_needed(self):
        small = self.lifted(Fraction(1, 3), Fraction(-5, 6), denominators=[1, 3, 6])
        assert small.values() == [sympy.Rational(1, 3), sympy.Rational(-5, 6)]
        assert len(small.primes) == 1
        large = self.lifted(Fraction(10**30, 3), Fraction(-(10**40), 7), denominators=[1, 3, 7])
        assert large.values() == [sympy.Rational(10**30, 3), sympy.Rational(-(10**40), 7)]
        assert len(large.primes) == 5

    def test_primes_in_denominators_are_passed_over(self):
        p = PRIMES[0]
        values = self.lifted(Fraction(1, p), Fraction(1, 2), denominators=[1, p, 2])
        assert p not in values.primes
        assert values.values() == [sympy.Rational(1, p), sympy.Rational(1, 2)]

    def test_zero(self):
        assert self.lifted(0, 0, denominators=[1, 1, 1]).vanishes().all()


class TestDenominators:
    def test_explicit_euler(self):
        """With a = 1, 0, 0, … the bound is lcm(1, …, n)."""
        bound = logarithm_bound([1] * 11)
        assert bound == [lcm(*range(1, n + 1)) for n in range(11)]
        modified = bseries(ExplicitEuler(), order=10).log()
        for n in range(1, 11):
            assert lcm(*(int(b.q) for b in modified.terms(n).values())) in divisors(bound[n])

    @settings(max_examples=20, deadline=None)
    @given(st.data())
    def test_the_logarithm_of_any_flow(self, data):
        """lcm(1, …, n) qⁿ clears the logarithm if q^{|τ|} clears the flow; checked by exponentiating back."""
        q = data.draw(st.integers(1, 12))
        integers = st.integers(-20, 20)
        a = FlowSeries(
            {tree: Fraction(data.draw(integers), q**n) for n in range(1, 6) for tree in rooted_trees(n)}
        )
        b = a.log()
        for n in range(1, 6):
            for value in b.terms(n).values():
                assert (lcm(*range(1, n + 1)) * q**n) % int(value.q) == 0
        assert b.exp() == a

    def test_least_denominators(self):
        coefficients = bseries(RK4(), order=6).coefficients
        assert coefficients.denominators == [1, 6, 12, 24, 48, 96, 192]
        assert coefficients.least_denominators[:5] == [1, 1, 2, 6, 24]


def divisors(n):
    return {d for d in range(1, n + 1) if n % d == 0}


class TestNumberFields:
    @pytest.mark.parametrize("scheme", [Gauss2(), Gauss3(), LobattoIIIC4()], ids=str)
    def test_the_weights_of_symmetric_tableaus_are_rational(self, scheme):
        series = bseries(scheme, order=6)
        assert not all(entry.is_Rational for entry in scheme.A)
        assert series.coefficients.field == RATIONALS

    def test_an_irrational_method(self):
        root = sympy.sqrt(2)
        scheme = RungeKutta([[0, 0], [root / 3, 0]], [1 - 1 / root, 1 / root])
        series = bseries(scheme, order=4)
        assert series.coefficients.field.degree == 2
        # Σ b_i Φ_i by hand: Φ(τ) = (0, √2/3, …)ᵏ at bushy trees.
        for k in range(1, 4):
            value = series[RootedTree([1] + [2] * k)]
            assert sympy.expand(value - (root / 3) ** k / root) == 0
        assert series.log().exp() == series
        assert series @ series.inverse() == FlowSeries.identity(4)

    def test_fields_of_higher_degree(self):
        a, b = sympy.sqrt(2), sympy.sqrt(3)
        series = FlowSeries({RootedTree([1]): a, RootedTree([1, 2]): b}, order=3)
        assert series.coefficients.field.degree == 4
        assert [sympy.expand(x) for x in series.terms(1).values()] == [a]
        assert series.log().exp() == series
        assert sympy.expand(series.log()[RootedTree([1, 2])] - (b - 1)) == 0

    def test_two_fields_meet(self):
        s = FieldSeries({RootedTree([1]): sympy.sqrt(2)}, order=2)
        t = FieldSeries({RootedTree([1, 2]): sympy.sqrt(3)}, order=2)
        total = s + t
        assert total[RootedTree([1])] == sympy.sqrt(2)
        assert total[RootedTree([1, 2])] == sympy.sqrt(3)

    def test_complex_steps(self):
        """Two steps of sizes (1 ± i)h/2 and (1 ∓ i)h/2 raise order 1 to order 2."""
        step = (1 + sympy.I) / 2
        first = bseries(ExplicitEuler(), order=3).scale(step)
        assert first[RootedTree([1])] == sympy.expand(step)
        both = first @ bseries(ExplicitEuler(), order=3).scale(sympy.conjugate(step))
        assert both.order_of_accuracy() == 2
        with pytest.raises(ValueError, match="is not real, so it cannot become a float"):
            first.as_floats()
        beside_a_symbol = first.scale("a")
        assert sympy.expand(beside_a_symbol[RootedTree([1])] - step * sympy.Symbol("a")) == 0
        assert beside_a_symbol.log().exp() == beside_a_symbol

    def test_what_is_not_algebraic_stays_symbolic(self):
        assert number_field([sympy.pi]) is None
        series = FlowSeries({RootedTree([1]): sympy.pi}, order=3)
        assert series.log()[RootedTree([1, 2])] == -(sympy.pi**2) / 2

    def test_reading_back(self):
        numbers = [sympy.Rational(1, 3) + sympy.sqrt(5) / 7, sympy.sqrt(5), sympy.Rational(2, 9)]
        field = number_field(numbers)
        exact = Exact.read(numbers, field, np.array([0, 0, 1, 3]))
        assert exact.values() == numbers
        assert exact.denominators == [1, 21, 9]
        np.testing.assert_allclose(exact.on(bseries_doubles()), [float(x) for x in numbers], rtol=1e-15)


def bseries_doubles():
    from bea.series.rings import DOUBLES

    return DOUBLES


class TestManyPrimes:
    def test_decimals_with_many_places(self):
        scheme = RungeKutta([[0, 0], ["0.123456789012345", 0]], ["0.2", "0.8"])
        series = bseries(scheme, order=5)
        assert len(series.coefficients.primes) > 4
        assert series.log().exp() == series
        node = Fraction("0.123456789012345")
        expected = Fraction(4, 5) * node**4
        assert series[RootedTree([1, 2, 2, 2, 2])] == sympy.Rational(expected.numerator, expected.denominator)

    def test_floats_are_the_exact_values_rounded(self):
        for series in (bseries(RK4(), order=8).log(), bseries(Gauss2(), order=6)):
            for tree, value in series.as_floats().items():
                assert value == pytest.approx(float(series[tree]), rel=1e-15, abs=0)

    def test_the_float_kernel_agrees_with_the_residues(self):
        exact = bseries(RK4(), order=9)
        logarithm = exact.as_floats().log()
        for tree, value in exact.log().as_floats().items():
            assert logarithm[tree] == pytest.approx(value, rel=1e-12, abs=1e-14)


class TestComparisons:
    def test_gradient_structure_at_once(self):
        """The coefficients of r ∘ c and c ∘ r of the explicit Euler method first differ at order 3."""
        modified = bseries(ExplicitEuler(), order=4).log()
        tables = modified._tables
        for n, same in [(1, True), (2, True), (3, False)]:
            numbers = np.array(tables.numbers(n))
            assert modified.coefficients.equal(numbers, tables.reroot(n)).all() == same

    def test_symplectic_structure_at_once(self):
        modified = bseries(Gauss2(), order=8).log()
        tables = modified._tables
        for n in range(2, 9):
            numbers = np.array(tables.numbers(n))
            assert modified.coefficients.equal(numbers, tables.reroot(n), sign=-1).all()
        rk4 = bseries(RK4(), order=5).log()
        numbers = np.array(tables.numbers(5))
        assert not rk4.coefficients.equal(numbers, tables.reroot(5), sign=-1).all()

    def test_symbols_and_floats(self):
        symbolic = bseries(SecondOrder(), order=3).log().coefficients
        assert symbolic.equal(np.array([2, 3]), np.array([3, 3])).tolist() == [False, True]
        floats = bseries(RK4(), order=3).as_floats().coefficients
        assert floats.equal(np.array([0]), np.array([0]), sign=-1).tolist() == [False]
