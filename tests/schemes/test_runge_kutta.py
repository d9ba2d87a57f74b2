"""A tableau given by a user: how it is read, what is refused, what it says of itself."""

from fractions import Fraction

import numpy as np
import pytest
import sympy

from bea.schemes import (
    RK4,
    SSPRK22,
    DormandPrince5,
    ExplicitEuler,
    GradientDescent,
    Heun,
    RungeKutta,
    SecondOrder,
)

alpha, z = sympy.symbols("alpha z")


@pytest.mark.parametrize(
    ("A", "b"),
    [
        ([[0, 0], ["2/3", 0]], ["1/4", "3/4"]),
        ([[0, 0], [Fraction(2, 3), 0]], [Fraction(1, 4), Fraction(3, 4)]),
        (sympy.Matrix([[0, 0], [sympy.Rational(2, 3), 0]]), sympy.Matrix([1, 3]) / 4),
        (((0, 0), (sympy.Rational(2, 3), 0)), (0.25, 0.75)),
        (np.array([["0", "0"], ["2/3", "0"]]), np.array([0.25, 0.75])),
    ],
)
def test_every_way_to_write_a_tableau_means_the_same(A, b):
    method = RungeKutta(A, b)
    assert sympy.Matrix([[0, 0], [sympy.Rational(2, 3), 0]]) == method.A
    assert list(method.b) == [sympy.Rational(1, 4), sympy.Rational(3, 4)]
    assert list(method.c) == [0, sympy.Rational(2, 3)]


def test_floats_are_read_as_the_decimals_that_they_spell():
    assert RungeKutta([[0, 0], [0.1, 0]], [0.3, 0.7]).A[1, 0] == sympy.Rational(1, 10)


def test_text_may_hold_radicals():
    method = RungeKutta([["1/2 + sqrt(3)/6"]], [1])
    assert method.A[0, 0] == sympy.Rational(1, 2) + sympy.sqrt(3) / 6
    assert method.as_floats()[0][0, 0] == 0.5 + 3**0.5 / 6


def test_the_tables_have_the_documented_types_and_shapes():
    method = DormandPrince5()
    for table, shape in ((method.A, (7, 7)), (method.b, (7, 1)), (method.c, (7, 1)), (method.b_hat, (7, 1))):
        assert isinstance(table, sympy.ImmutableMatrix)
        assert table.shape == shape
    assert method.stages == 7
    assert [table.shape for table in method.as_floats()] == [(7, 7), (7,), (7,)]


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        (([[0, 0], ["1/2"]], [0, 1]), ValueError, r"square table, but it has 2 rows of lengths \[2, 1\]"),
        (([[0, 0]], [1]), ValueError, r"square table, but it has 1 rows of lengths \[2\]"),
        (([], []), ValueError, "square table, but it has 0 rows"),
        (("[[0]]", [1]), TypeError, "A must be a square table, such as"),
        (([0], [1]), TypeError, "A must be a square table, such as"),
        (([[0]], ["1/2", "1/2"]), ValueError, "b must have one entry for each of the 1 stages"),
        (([[0]], "1"), TypeError, "b must be a sequence of 1 entries"),
        (([[0]], 1), TypeError, "b must be a sequence of 1 entries"),
        (([[0]], [1], [0, 1]), ValueError, "c must have one entry for each of the 1 stages"),
        (([[0]], ["1/2"]), ValueError, "the weights b must sum to 1, but they sum to 1/2$"),
        (([[0]], [alpha]), ValueError, "the weights b must sum to 1, but they sum to alpha"),
        (([[0, 0], ["1/2", 0]], [0, 1], [0, 1]), ValueError, r"row sums of A, but c\[1\] is 1"),
        (([[None]], [1]), TypeError, "the entry None of A cannot be read"),
        (([[0]], [float("nan")]), ValueError, "the entry nan of b cannot be read"),
        (([["1//2"]], [1]), ValueError, "the entry '1//2' of A cannot be read"),
        (([[sympy.I]], [1]), ValueError, "the entries of A must be real, but I is not"),
        (([["h"]], [1]), ValueError, "cannot contain the symbol h, which is the step size"),
    ],
)
def test_a_wrong_tableau_is_refused_in_one_sentence(arguments, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        RungeKutta(*arguments)
    assert "\n" not in str(caught.value)


def test_weights_spoilt_by_rounding_are_refused_with_a_hint():
    with pytest.raises(ValueError, match=r'must sum to 1, .*; write fractions as text, such as "1/6"'):
        RungeKutta([[0] * 3, [0.5, 0, 0], [-1, 2, 0]], [1 / 6, 2 / 3, 1 / 6])


def test_embedded_weights_are_checked_too():
    with pytest.raises(ValueError, match="the weights b_hat must sum to 1"):
        RungeKutta([[0]], [1], b_hat=[2])


def test_explicit_means_strictly_lower_triangular():
    assert RungeKutta([[0, 0], [1, 0]], [0, 1]).is_explicit
    assert not RungeKutta([[0, 0], [0, 1]], [0, 1]).is_explicit
    assert not RungeKutta([[0, 1], [0, 0]], [0, 1]).is_explicit


def test_parameters_stay_symbolic_until_they_get_a_value():
    family = RungeKutta([[0, 0], ["theta", 0]], ["1 - 1/(2*theta)", "1/(2*theta)"], name="mine", order=2)
    assert family.is_symbolic
    assert [s.name for s in family.parameter_symbols] == ["theta"]
    heun = family.with_parameters(theta=1)
    assert not heun.is_symbolic
    assert heun == Heun()
    assert (heun.name, heun.order) == ("mine", 2)
    assert family.with_parameters(theta="alpha") == SecondOrder()
    with pytest.raises(ValueError, match="'alpha' is no parameter of mine; its parameters are \\['theta'\\]"):
        family.with_parameters(alpha=1)
    with pytest.raises(ValueError, match="the tableau of mine is not finite at theta = 0"):
        family.with_parameters(theta=0)
    with pytest.raises(ValueError, match="the parameter 'theta' of mine has no value"):
        family.as_floats()
    with pytest.raises(ValueError, match="its parameters are none"):
        heun.with_parameters(theta=2)


def test_values_keep_the_class_of_a_family():
    ralston = SecondOrder().with_parameters(alpha="2/3")
    assert isinstance(ralston, SecondOrder)
    assert repr(ralston) == "SecondOrder(alpha='2/3')"
    assert ralston.alpha == sympy.Rational(2, 3)
    with pytest.raises(ValueError, match="must not be 0"):
        SecondOrder(0)


def test_equal_means_the_same_tableau():
    assert RungeKutta([[0, 0], [1, 0]], [0.5, 0.5]) == Heun() == SSPRK22()
    assert len({Heun(), SSPRK22(), RK4(), RK4()}) == 2
    assert GradientDescent() == ExplicitEuler()
    assert GradientDescent().name == "gradient-descent"
    assert RK4() != Heun()
    assert RK4() != "rk4"
    assert RungeKutta([[0]], [1], b_hat=[1]) != ExplicitEuler()


def test_stages_that_the_step_does_not_need_are_known():
    assert DormandPrince5().essential_stages == (0, 1, 2, 3, 4, 5)
    assert RungeKutta([[0, 0, 0], [1, 0, 0], [0, "1/2", 0]], [0, 0, 1]).essential_stages == (0, 1, 2)
    assert RungeKutta([[0, 0], [1, 0]], [1, 0]).essential_stages == (0,)


def test_constants_are_the_entries_that_are_not_zero():
    third = sympy.Rational(1, 3)
    assert set(RK4().constants) == {sympy.Rational(1, 2), sympy.Integer(1), sympy.Rational(1, 6), third}


def test_latex_is_a_butcher_tableau():
    assert SecondOrder().latex == (
        r"\begin{array}{c|cc} 0 &  &  \\ \alpha & \alpha &  \\ \hline "
        r" & 1 - \frac{1}{2 \alpha} & \frac{1}{2 \alpha} \end{array}"
    )
    assert DormandPrince5().latex.count(r"\\") == 8
    assert Heun()._repr_latex_().startswith(r"$\displaystyle \begin{array}")


def test_representation_makes_the_same_method():
    assert repr(RK4()) == "RK4()"
    halves = RungeKutta([[0, 0], ["1/2", 0]], [0, 1], b_hat=[1, 0])
    assert repr(halves) == "RungeKutta([[0, 0], ['1/2', 0]], [0, 1], b_hat=[1, 0])"


def test_stability_function_of_a_family_and_at_numbers():
    assert SecondOrder().stability_function() == 1 + z + z**2 / 2
    assert RK4().stability_function(sympy.Rational(1, 2)) == sympy.Rational(211, 128)
    assert RK4().stability_function("2*w") == RK4().stability_function().subs(z, 2 * sympy.Symbol("w"))
    family = RungeKutta([["theta"]], [1])
    theta = sympy.Symbol("theta")
    assert sympy.simplify(family.stability_function() - (1 + (1 - theta) * z) / (1 - theta * z)) == 0


def test_symbol_z_in_a_tableau_is_not_the_variable_of_the_stability_function():
    family = RungeKutta([["z"]], [1])
    w = sympy.Symbol("w")
    assert sympy.simplify(family.stability_function("w") - (1 + (1 - z) * w) / (1 - z * w)) == 0
