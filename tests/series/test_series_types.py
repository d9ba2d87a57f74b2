"""Flows and fields as mappings: reading, looking up, display, and what they refuse."""

import pickle
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest
import sympy
from sympy import Rational

from bea.schemes import RK4, ExplicitEuler, Gauss2, SecondOrder
from bea.series import EMPTY, FieldSeries, FlowSeries, RootedTree, bseries, count_trees, pseries

DOT, BRANCH, CHERRY = RootedTree([1]), RootedTree([1, 2]), RootedTree([1, 2, 2])


class TestMapping:
    series = bseries(RK4(), order=5)

    def test_it_is_one(self):
        assert isinstance(self.series, Mapping)
        assert len(self.series) == len(list(self.series)) == 1 + sum(count_trees(n) for n in range(1, 6))
        assert list(self.series)[:3] == [EMPTY, DOT, BRANCH]

    def test_views_agree_with_lookups(self):
        assert dict(self.series) == dict(self.series.items())
        assert list(self.series.values()) == [self.series[tree] for tree in self.series]
        assert len(self.series.items()) == len(self.series)
        assert (CHERRY, Rational(1, 3)) in self.series.items()
        assert Rational(1, 3) in self.series.values()

    def test_the_empty_tree(self):
        assert self.series[EMPTY] == 1
        assert self.series.log()[EMPTY] == 0
        assert EMPTY in self.series

    def test_terms_of_one_order(self):
        assert self.series.terms(3) == {CHERRY: Rational(1, 3), RootedTree([1, 2, 3]): Rational(1, 6)}
        with pytest.raises(ValueError, match="truncated after order 5, so it has no order 6"):
            self.series.terms(6)
        with pytest.raises(ValueError, match="positive integer"):
            self.series.terms(0)

    def test_keys_that_are_not_there(self):
        tall = RootedTree(range(1, 7))
        assert tall not in self.series
        assert self.series.get(tall) is None
        with pytest.raises(KeyError, match="has order 6, and the series is truncated after order 5"):
            self.series[tall]
        with pytest.raises(KeyError, match="colours beyond the 1"):
            self.series[RootedTree([1], colours=[1])]

    @pytest.mark.parametrize("key", [[1, 2], "12", 3, None])
    def test_keys_that_are_no_trees(self, key):
        with pytest.raises(TypeError, match="asked for a RootedTree"):
            self.series[key]

    def test_it_cannot_be_changed(self):
        with pytest.raises(TypeError, match="does not support item assignment"):
            self.series[DOT] = 2
        with pytest.raises(TypeError, match="unhashable"):
            hash(self.series)


class TestReading:
    def test_numbers_of_all_kinds(self):
        series = FieldSeries({DOT: "1/3", BRANCH: Fraction(-2, 5), CHERRY: 7})
        assert list(series.values()) == [0, Rational(1, 3), Rational(-2, 5), 7, 0]
        assert series.order == 3
        assert series == FieldSeries({DOT: Rational(1, 3), BRANCH: "-2/5", CHERRY: sympy.Integer(7)})

    def test_a_float_turns_all_into_floats(self):
        series = FlowSeries({DOT: 1, BRANCH: 0.5}, order=2)
        assert series[DOT] == 1.0
        assert isinstance(series[DOT], float)
        assert isinstance(FlowSeries({DOT: np.float64(0.5)})[DOT], float)
        assert isinstance(FlowSeries({DOT: sympy.Float("0.5")})[DOT], float)

    def test_dictionaries_and_back(self):
        for series in (bseries(RK4(), order=4), bseries(RK4(), order=4).log()):
            assert type(series)(dict(series)) == series

    def test_nothing_given(self):
        assert FlowSeries({}, order=3) == FlowSeries.identity(3)
        assert FieldSeries({}).order == 1

    def test_the_empty_tree_has_its_value(self):
        assert FlowSeries({EMPTY: 1, DOT: 1})[EMPTY] == 1
        with pytest.raises(ValueError, match="the coefficient of the empty tree in a FlowSeries is 1, not 0"):
            FlowSeries({EMPTY: 0, DOT: 1})
        with pytest.raises(
            ValueError, match="the coefficient of the empty tree in a FieldSeries is 0, not 1"
        ):
            FieldSeries({EMPTY: 1})

    def test_the_order_must_fit(self):
        with pytest.raises(ValueError, match="the series ends at order 2, but a tree of order 3 was given"):
            FlowSeries({CHERRY: 1}, order=2)
        with pytest.raises(ValueError, match="the order must be a positive integer"):
            FlowSeries({}, order=0)

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), sympy.nan, sympy.oo])
    def test_coefficients_must_be_finite(self, value):
        with pytest.raises(ValueError, match="finite"):
            FlowSeries({DOT: value})

    @pytest.mark.parametrize("value", [None, [1], True, object()])
    def test_coefficients_must_be_numbers(self, value):
        with pytest.raises(TypeError, match="the coefficient of • must be a number"):
            FlowSeries({DOT: value})

    def test_keys_must_be_trees(self):
        with pytest.raises(TypeError, match=r"maps a RootedTree to its coefficient, and \(1, 2\) is none"):
            FieldSeries({(1, 2): 1})

    def test_text_is_parsed_safely(self):
        with pytest.raises(ValueError, match=r"."):
            FieldSeries({DOT: "__import__('os')"})


class TestEquality:
    def test_kinds_and_orders_tell(self):
        s = bseries(RK4(), order=4)
        assert s != bseries(RK4(), order=5)
        assert s == bseries(RK4(), order=5).truncate(4)
        assert s != s.log()
        assert s != dict(s)
        assert s != 1
        assert FlowSeries({}, order=2) != FieldSeries({}, order=2)

    def test_one_coefficient_tells(self):
        changed = dict(bseries(RK4(), order=4))
        changed[CHERRY] += Rational(1, 10**40)
        assert FlowSeries(changed) != bseries(RK4(), order=4)

    def test_floats_are_compared_bit_by_bit(self):
        s = bseries(RK4(), order=4).as_floats()
        assert s == bseries(RK4(), order=4).as_floats()
        changed = dict(s)
        changed[CHERRY] += 1e-16
        assert FlowSeries(changed) != s


class TestOperands:
    s, m = bseries(RK4(), order=4), bseries(RK4(), order=4).log()

    def test_the_lower_order_counts(self):
        assert (self.s @ bseries(ExplicitEuler(), order=2)).order == 2
        assert (self.m + bseries(ExplicitEuler(), order=3).log()).order == 3

    def test_what_cannot_be_combined(self):
        with pytest.raises(TypeError, match="unsupported operand"):
            self.s @ 2
        with pytest.raises(TypeError, match="unsupported operand"):
            self.m + 1
        with pytest.raises(TypeError, match="unsupported operand"):
            self.m - self.s
        with pytest.raises(TypeError, match="unsupported operand"):
            self.m * self.m
        with pytest.raises(TypeError, match="unsupported operand"):
            self.m / self.m
        with pytest.raises(TypeError, match="the bracket of two FieldSeries"):
            self.m.bracket(self.s)
        with pytest.raises(TypeError, match="the Lie derivative of a series"):
            self.m.lie_derivative(1)
        with pytest.raises(TypeError, match="the exponent of a FlowSeries must be a number"):
            self.s ** [1]
        with pytest.raises(TypeError, match="the factor of the step size must be a number"):
            self.s.scale(None)
        with pytest.raises(ZeroDivisionError, match="divided by 0"):
            self.m / 0
        with pytest.raises(ValueError, match="trees of 1 and 2 colours cannot be combined"):
            self.s @ pseries([RK4(), RK4()], order=3)
        with pytest.raises(ValueError, match="truncated after order 4"):
            self.s.truncate(5)

    def test_float_operands(self):
        assert isinstance((self.s**0.5)[DOT], float)
        assert (self.m * 0.5)[DOT] == 0.5
        assert self.s.scale(0.5)[CHERRY] == pytest.approx(1 / 24)
        assert (self.s.as_floats() @ self.s)[DOT] == 2.0
        assert self.s.as_floats().order_of_accuracy() == 4

    def test_overflow_is_no_infinity(self):
        with pytest.raises(OverflowError, match="too large for a float"):
            FieldSeries({DOT: 1e200}, order=4).exp()

    def test_no_error_to_be_seen(self):
        exact = FlowSeries.exact(4)
        assert exact.order_of_accuracy() == 4
        with pytest.raises(ValueError, match="there is no error up to order 4"):
            exact.error_constants()

    def test_a_method_that_is_not_consistent(self):
        assert FlowSeries({DOT: 2}, order=3).order_of_accuracy() == 0


@pytest.mark.parametrize(
    "series",
    [
        bseries(RK4(), order=5).log(),
        bseries(Gauss2(), order=4),
        bseries(RK4(), order=4).as_floats(),
        bseries(SecondOrder(), order=4).log(),
        pseries([RK4(), RK4()], order=3),
    ],
    ids=repr,
)
def test_series_travel_to_other_processes(series):
    again = pickle.loads(pickle.dumps(series))
    assert type(again) is type(series)
    assert again == series
    assert dict(again) == dict(series)
    assert pickle.loads(pickle.dumps(RootedTree([1, 2, 2], [0, 1, 0]))) == RootedTree([1, 2, 2], [0, 1, 0])


class TestDisplay:
    def test_repr(self):
        assert repr(bseries(RK4())) == "<FlowSeries to order 6: exact coefficients of 37 trees>"
        text = "<FieldSeries to order 2: float coefficients of 2 trees>"
        assert repr(FieldSeries({BRANCH: 0.5})) == text
        text = "<FlowSeries to order 2: exact coefficients of 6 trees in 2 colours>"
        assert repr(pseries([RK4(), RK4()], order=2)) == text

    def test_latex(self):
        modified = bseries(ExplicitEuler(), order=3).log()
        assert modified.latex == (
            r"h F(\bullet) - \frac{1}{2} h^{2} F([\bullet]) + \frac{1}{12} h^{3} F([\bullet,\bullet])"
            r" + \frac{1}{3} h^{3} F([[\bullet]]) + \mathcal{O}(h^{4})"
        )
        assert bseries(ExplicitEuler(), order=2)._repr_latex_() == (
            r"$\displaystyle y + h F(\bullet) + \mathcal{O}(h^{3})$"
        )
        assert bseries(RK4(), order=8).latex.endswith(r"+ \cdots")
        a = sympy.Symbol("a")
        assert FieldSeries({DOT: 1 - a}).latex == r"\left(1 - a\right) h F(\bullet) + \mathcal{O}(h^{2})"
        assert FieldSeries({DOT: -1}).latex == r"- h F(\bullet) + \mathcal{O}(h^{2})"

    def test_long_series_stand_in_several_lines(self):
        text = FlowSeries.exact(order=4)._repr_latex_()
        assert text.startswith(r"$\displaystyle \begin{aligned} & y + h F(\bullet) + \frac{1}{2} h^{2}")
        assert text.endswith(r"+ \mathcal{O}(h^{5}) \end{aligned}$")
        lines = text.split(r" \\ ")
        assert [line.count("F(") for line in lines] == [4, 4]
        assert " ".join(line.replace("&", "") for line in lines).count("F(") == 8
        many = bseries(SecondOrder(), order=10).log()._repr_latex_()
        assert many.count("F(") == 21
        assert many.endswith(r"+ \cdots \end{aligned}$")

    def test_terms_that_vanish_are_passed_over_at_once(self):
        sparse = FieldSeries({DOT: 1, RootedTree(range(1, 16)): 3})
        assert sparse.latex == (
            r"h F(\bullet) + 3 h^{15} F(" + "[" * 14 + r"\bullet" + "]" * 14 + r") + \mathcal{O}(h^{16})"
        )
