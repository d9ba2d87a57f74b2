"""Simultaneous and alternating play: NumPy loops, matrix logarithms, and laws that play conserves."""

import mpmath
import numpy as np
import pytest
import sympy

import bea
from bea.schemes import AlternatingDescent, ExplicitEuler, SimultaneousDescent

GAME = bea.Game(
    ["x**2*y + z*x + w**2*x", "x*y**3 - z*y", "x*cos(z) + y*z**2"],
    players=["x w", "y", "z"],
    rates=[1, "1/2", 2],
)
START = np.array([0.7, -0.4, 0.9, 0.3])
H = 0.03


def moves(p):
    """What each player does, written out again."""
    x, w, y, z = p
    return [
        np.array([-(2 * x * y + z + w**2), -2 * w * x, 0, 0]),
        np.array([0, 0, -0.5 * (3 * x * y**2 - z), 0]),
        np.array([0, 0, 0, -2 * (-x * np.sin(z) + 2 * y * z)]),
    ]


def played(order, steps):
    p = START
    for _ in range(steps):
        for players in order:
            p = p + H * sum(moves(p)[i] for i in players)
    return p


@pytest.mark.parametrize(
    ("scheme", "order"),
    [
        (SimultaneousDescent(), [(0, 1, 2)]),
        (AlternatingDescent(), [(0,), (1,), (2,)]),
        (AlternatingDescent(sequence=(2, 0, 1)), [(2,), (0,), (1,)]),
        (AlternatingDescent(sequence=(0, 1, 0, 2)), [(0,), (1,), (0,), (2,)]),
        (AlternatingDescent(updates=(1, 3, 2)), [(0,), (1,), (1,), (1,), (2,), (2,)]),
        (AlternatingDescent(sequence=[1, 0, 2], updates=[2, 1, 1]), [(1,), (0,), (0,), (2,)]),
    ],
)
def test_against_a_numpy_loop(scheme, order):
    expected = played(order, 10)
    path = bea.iterate(GAME, scheme, START, H, 10)
    np.testing.assert_allclose(path.x[-1], expected, rtol=1e-12)
    assert path.t[-1] == pytest.approx(10 * H)
    precise = bea.arbitrary.iterate(GAME, scheme, START, H, 10)[-1]
    np.testing.assert_allclose([float(v) for v in precise], expected, rtol=1e-12)
    other = played([(2,), (1,), (0,)], 10)
    assert not np.allclose(path.x[-1], other, rtol=1e-4)


# -- linear games: logarithms of the step ------------------------------------------------------------------

MATRIX = sympy.Matrix([["1/2", 2, -1], ["-1/3", 1, "1/2"], [1, "-2/3", 0]])
V = sympy.Matrix(sympy.symbols("x y z"))
LINEAR = bea.SplitField([[*(-MATRIX * V)[:2], 0], [0, 0, (-MATRIX * V)[2]]], variables="x y z")
BLOCKS = [sympy.diag(1, 1, 0), sympy.diag(0, 0, 1)]


def logarithm(factors, count):
    """The coefficients of (1/h) log Π(I + h M_i) in h, from the series of the logarithm in a symbol."""
    h = sympy.Symbol("h")
    product = sympy.eye(3)
    for M in factors:
        product = ((sympy.eye(3) + h * M) * product).expand()
    N, power, total = product - sympy.eye(3), sympy.eye(3), sympy.zeros(3)
    for j in range(1, count + 1):
        power = (power * N).expand()
        total += power * sympy.Rational((-1) ** (j + 1), j)
    total = total.expand()
    return [total.applyfunc(lambda c, k=k: c.coeff(h, k + 1)) for k in range(count)]


@pytest.mark.parametrize(
    ("scheme", "factors"),
    [
        (SimultaneousDescent(), [-MATRIX]),
        (AlternatingDescent(), [-BLOCKS[0] * MATRIX, -BLOCKS[1] * MATRIX]),
        (AlternatingDescent(sequence=(1, 0)), [-BLOCKS[1] * MATRIX, -BLOCKS[0] * MATRIX]),
        (AlternatingDescent(updates=(2, 1)), [-BLOCKS[0] * MATRIX] * 2 + [-BLOCKS[1] * MATRIX]),
    ],
)
def test_linear_games_give_the_logarithm_of_the_step(scheme, factors):
    terms = bea.modified_equation(LINEAR, scheme, order=4).terms
    for term, known in zip(terms, logarithm(factors, 5), strict=True):
        assert sympy.Matrix(term).jacobian(V) == known


def test_control_alternating_is_not_the_logarithm_of_simultaneous_play():
    term = bea.modified_equation(LINEAR, AlternatingDescent(), order=1).terms[1]
    assert sympy.Matrix(term).jacobian(V) != logarithm([-MATRIX], 2)[1]


def test_simultaneous_play_is_eulers_method_on_any_system():
    field = bea.VectorField(["y - x**3", "-sin(x)"], variables="x y")
    ours, euler = (bea.modified_equation(field, s, order=3) for s in (SimultaneousDescent(), ExplicitEuler()))
    assert [list(t) for t in ours.terms] == [list(t) for t in euler.terms]


# -- alternating play of the bilinear game -----------------------------------------------------------------


def invariant(x, y, h):
    return x**2 + y**2 - h * x * y


def test_alternating_play_conserves_a_quadratic_form_exactly():
    x, y, h = sympy.symbols("x y h")
    after_x = x - h * y
    after_y = y + h * after_x
    assert sympy.expand(invariant(after_x, after_y, h) - invariant(x, y, h)) == 0
    game = bea.catalogue.bilinear_game()
    path = bea.arbitrary.iterate(game, AlternatingDescent(), [1, "1/3"], "1/5", 50, bits=300)
    values = [
        float(invariant(a, b, sympy.Rational(1, 5))) for a, b in [(float(p), float(q)) for p, q in path]
    ]
    np.testing.assert_allclose(values, values[0], rtol=1e-13)


def test_the_other_order_conserves_the_form_with_the_other_sign():
    path = bea.iterate(
        bea.catalogue.bilinear_game(), AlternatingDescent(sequence=(1, 0)), [1.0, 0.5], 0.2, 40
    )
    right, wrong = (invariant(*path.x.T, sign * 0.2) for sign in (-1, 1))
    assert np.ptp(right) < 1e-13
    assert np.ptp(wrong) > 0.01


def test_the_modified_field_is_that_of_a_rotated_clock():
    """The whole series: the step is a rotation by 2 asin(h/2) in the conserved form."""
    equation = bea.modified_equation(bea.catalogue.bilinear_game(), AlternatingDescent(), order=8)
    h = mpmath.mpf("0.01")
    frequency = 2 * mpmath.asin(h / 2) / h / mpmath.sqrt(1 - h**2 / 4)
    x, y = 0.7, -0.4
    values = {"x": x, "y": y, "h": 0.01, "c": 1}
    found = [float(c.subs(values)) for c in equation.expressions()]
    expected = [float(frequency) * (-y + 0.005 * x), float(frequency) * (x - 0.005 * y)]
    np.testing.assert_allclose(found, expected, rtol=1e-14)


# -- bad input ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheme", "system", "message"),
    [
        (AlternatingDescent(), bea.Loss("x**2", "x"), "two players or more: give it a Game"),
        (AlternatingDescent(), bea.Game(["x**2"], players=["x"]), "two players or more"),
        (AlternatingDescent(sequence=(0, 1)), GAME, "each of the players 0 to 2"),
        (AlternatingDescent(sequence=(0, 1, 3, 2)), GAME, "each of the players 0 to 2"),
        (AlternatingDescent(updates=(1, 1)), GAME, "one number of updates for each of the 3 players"),
    ],
)
def test_unsuitable_systems_are_refused(scheme, system, message):
    with pytest.raises(ValueError, match=message):
        bea.modified_equation(system, scheme)
    with pytest.raises(ValueError, match=message):
        bea.iterate(system, scheme, np.ones(len(system.variables)), 0.1, 1)


def test_bad_orders_of_play_are_refused():
    with pytest.raises(ValueError, match="at least one update, but updates is"):
        AlternatingDescent(updates=(1, 0))
    with pytest.raises(TypeError, match="the updates of AlternatingDescent must be integers"):
        AlternatingDescent(updates=(1, 1.5))
    with pytest.raises(TypeError, match="the sequence of AlternatingDescent must be integers"):
        AlternatingDescent(sequence="10")


def test_the_order_of_accuracy_is_known_where_everybody_moves_once():
    assert AlternatingDescent(sequence=(1, 0)).order == 1
    assert AlternatingDescent(sequence=(1, 0, 1)).order is None
    assert AlternatingDescent(updates=(1, 2)).order is None
