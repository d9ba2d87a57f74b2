"""Straight lines of operations against exact evaluation, and how many operations they need."""

from math import prod

import pytest
import sympy
from flint import arb, ctx, fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from bea.numerics.straight_line import StraightLine, number
from bea.numerics.taylor import Combination, Function, Product

VARIABLES = sympy.symbols("u v w")
PARAMETERS = sympy.symbols("h y")

rationals = st.fractions(min_value=-3, max_value=3, max_denominator=9)
monomials = st.tuples(rationals, st.tuples(*[st.integers(0, 5)] * 5))
polynomials = st.lists(monomials, max_size=8)


def precise(value):
    """A ball's midpoint as an exact rational."""
    mantissa, exponent = value.mid().man_exp()
    return sympy.Integer(int(mantissa)) * sympy.Integer(2) ** int(exponent)


def ball(fraction):
    return arb(fmpq(fraction.numerator, fraction.denominator))


@settings(max_examples=50)
@given(st.lists(polynomials, min_size=1, max_size=3), st.lists(rationals, min_size=5, max_size=5))
def test_polynomials_have_their_exact_values(terms, point):
    """Expanded, factored by a parameter and summed: all the same numbers."""
    symbols = (*VARIABLES, *PARAMETERS)
    expressions = [
        sum(
            (sympy.Rational(c) * prod(s**n for s, n in zip(symbols, e, strict=True)) for c, e in p),
            sympy.S.Zero,
        )
        for p in terms
    ]
    expressions.append(PARAMETERS[0] ** 2 * sum(expressions, VARIABLES[0]))
    exact = [e.xreplace(dict(zip(symbols, map(sympy.Rational, point), strict=True))) for e in expressions]
    line = StraightLine(expressions, VARIABLES, PARAMETERS)
    with ctx.workprec(120):
        values = line.machine(line.constants([ball(v) for v in point[3:]])).value(
            [ball(v) for v in point[:3]]
        )
        for value, reference in zip(map(precise, values), exact, strict=True):
            assert abs(value - reference) <= sympy.Rational(2) ** -80 * (1 + abs(reference))


def test_a_monomial_costs_about_one_multiplication():
    """A dense polynomial of degree 16 in two variables has 153 monomials but needs few products of series."""
    u, v, _ = VARIABLES
    expression = sum((i + 2 * j + 1) * u**i * v**j for i in range(17) for j in range(17 - i))
    line = StraightLine([expression], VARIABLES, ())
    products = sum(isinstance(o, Product) for o in line.operations)
    weights = sum(len(o.weights) for o in line.operations if isinstance(o, Combination))
    assert products <= 3 * 16
    assert weights <= 153 + 16


def test_nothing_is_computed_twice():
    u, v, _ = VARIABLES
    line = StraightLine([sympy.exp(u * v) + 1, sympy.exp(u * v) * u * v], VARIABLES, ())
    assert len(line.operations) == len(set(line.operations))
    assert sum(isinstance(o, Function) for o in line.operations) == 1


def test_derivatives_are_needed_only_for_series():
    u = VARIABLES[0]
    line = StraightLine([sympy.sin(u)], VARIABLES, ())
    assert line.needed == 1
    assert len(line.operations) == 3


@pytest.mark.parametrize("text", ["sqrt(2)", "pi", "-E", "2/3", "cos(1)", "2**(1/3)", "0"])
def test_numbers_are_as_precise_as_their_balls_say(text):
    expression = sympy.sympify(text)
    with ctx.workprec(150):
        ball_of_number = number(expression)
        assert ball_of_number.rel_accuracy_bits() > 145
    assert abs((precise(ball_of_number) - expression).evalf(60)) <= sympy.Rational(2) ** -145


def test_long_sums_do_not_exhaust_the_stack():
    symbols = sympy.symbols("z:2400")
    expression = sympy.Add(*(p * q for p, q in zip(symbols[::2], symbols[1::2], strict=True)))
    line = StraightLine([expression], symbols, ())
    assert line.machine(line.constants()).value([arb(1)] * 2400) == [1200]
