"""Losses: reading, derivatives against finite differences in high precision, sums of squares."""

import central_differences
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import bea

x, y, z = sympy.symbols("x y z")
TWO_PARAMETER = bea.Loss("(y - a*b*x)**2 / 2", "a b", {"x": 1, "y": 0.6})

leaves = st.sampled_from([x, y, z, sympy.Integer(2), sympy.Rational(-1, 3)])


def grow(parts):
    """Sums, products, powers and functions, all smooth on the positive octant."""
    return st.one_of(
        st.builds(lambda a, b: a + b, parts, parts),
        st.builds(lambda a, b: a * b, parts, parts),
        st.builds(lambda a, n: a**n, parts, st.sampled_from([2, 3])),
        st.builds(sympy.tanh, parts),
        st.builds(lambda a: sympy.exp(-(a**2)), parts),
        st.builds(lambda a: sympy.sqrt(1 + a**2), parts),
    )


expressions = st.recursive(leaves, grow, max_leaves=8)
points = st.tuples(*[st.floats(0.2, 1.5)] * 3)


@settings(deadline=None, max_examples=60)
@given(expressions, points)
def test_the_gradient_agrees_with_finite_differences(expression, point):
    loss = bea.Loss(expression, [x, y, z])
    exact = [float(g.subs(dict(zip([x, y, z], point, strict=True)))) for g in loss.gradient]
    measured = central_differences.gradient(expression, [x, y, z], {}, point)
    np.testing.assert_allclose(exact, measured, rtol=1e-10, atol=1e-10)


@settings(deadline=None, max_examples=25)
@given(expressions, points)
def test_the_hessian_agrees_with_finite_differences(expression, point):
    loss = bea.Loss(expression, [x, y, z])
    exact = np.array(loss.hessian.subs(dict(zip([x, y, z], point, strict=True))), dtype=float)
    measured = central_differences.hessian(expression, [x, y, z], {}, point)
    np.testing.assert_allclose(exact, measured, rtol=1e-10, atol=1e-10)


@settings(deadline=None, max_examples=60)
@given(expressions)
def test_derivatives_are_those_of_sympy(expression):
    for v, derivative in zip([x, y, z], bea.Loss(expression, [x, y, z]).gradient, strict=True):
        assert sympy.expand(derivative - expression.diff(v)) == 0


def test_the_gradient_stays_factored():
    a, b, X, Y = sympy.symbols("a b x y")
    assert list(TWO_PARAMETER.gradient) == [-b * X * (Y - a * b * X), -a * X * (Y - a * b * X)]


def test_derivatives_of_sums_with_limits():
    """A bound index is neither a variable nor a parameter."""
    i = sympy.Symbol("i")
    loss = bea.Loss(sympy.Sum(x**i, (i, 1, 3)) ** 2, [x])
    assert loss.parameter_symbols == ()
    assert loss.gradient[0].doit().subs(x, 1) == 36


def test_the_field_descends():
    point = np.array([2.8, 3.5])
    r = 2.8 * 3.5 - 0.6
    np.testing.assert_allclose(TWO_PARAMETER.field(point), [-3.5 * r, -2.8 * r], rtol=1e-14)
    assert TWO_PARAMETER.field.parameters == TWO_PARAMETER.parameters
    shifted = bea.Loss("k + x**2", "x", {"k": 3})
    assert shifted.field.parameters == {}  # k is no parameter of the gradient


def test_values():
    assert TWO_PARAMETER([2.0, 0.8]) == pytest.approx(0.5, rel=1e-15)
    assert TWO_PARAMETER([2.0, 0.8], y=1.6) == 0
    assert TWO_PARAMETER.with_parameters(y=1.6)([2.0, 1.8]) == pytest.approx(2, rel=1e-15)
    assert TWO_PARAMETER.parameters["y"] == sympy.Rational(3, 5)


def test_text_sympy_and_symbols_with_assumptions_agree():
    a, b, k = sympy.symbols("a b k", real=True)
    for loss in (
        bea.Loss("(1 - k*a*b)**2", "a b", {"k": 2}),
        bea.Loss((1 - k * a * b) ** 2, "a b", {"k": 2}),
        bea.Loss((1 - k * a * b) ** 2, [a, b], {k: 2}),
        bea.Loss((1.0 - 1.0 * k * a * b) ** 2, (a, b), {"k": 2.0}),
    ):
        assert loss([0.5, 0.25]) == 0.5625
        np.testing.assert_allclose(loss.field([0.5, 0.25]), [0.75, 1.5])
        assert loss.dimension == 2


def test_sum_of_squares():
    loss = bea.Loss.from_residuals(["a - 1", "a*b - k"], "a b", {"k": 3}, scale=0.25, description="a point")
    a, b, k = sympy.symbols("a b k")
    assert loss.expression == (a - 1) ** 2 / 4 + (a * b - k) ** 2 / 4
    assert loss([3.0, 2.0]) == (4 + 9) / 4
    assert (loss.zero_loss_set.dimension, loss.zero_loss_set.description) == (0, "a point")
    assert loss.zero_loss_set.contains([1.0, 3.0])
    assert loss([1.0, 3.0]) == 0


def test_with_parameters_reaches_the_zero_loss_set():
    loss = bea.Loss.from_residuals(["x**2 + y**2 - r**2"], "x y", {"r": 1}, scale=0.5)
    wider = loss.with_parameters(r=2)
    assert wider.zero_loss_set.contains([2.0, 0.0])
    assert not loss.zero_loss_set.contains([2.0, 0.0])
    assert wider([2.0, 0.0]) == 0
    assert bea.Loss("x**2*k", "x").with_parameters(k=1).zero_loss_set is None


def test_parameters_that_only_the_loss_has():
    zeros = bea.ZeroLossSet(["x - y"], "x y")
    loss = bea.Loss("k*(x - y)**2", "x y", zero_loss_set=zeros).with_parameters(k=5)
    assert loss([1.0, 0.0]) == 5
    assert loss.zero_loss_set.contains([1.0, 1.0])


def test_equality_and_hash():
    same = bea.Loss("(y - a*b*x)**2 / 2", "a b", {"x": 1, "y": 0.6})
    assert same == TWO_PARAMETER
    assert hash(same) == hash(TWO_PARAMETER)
    assert same != same.with_parameters(y=1)
    assert same != bea.Loss("(y - a*b*x)**2 / 2", "b a", {"x": 1, "y": 0.6})
    assert same != "(y - a*b*x)**2 / 2"


def test_how_it_is_shown():
    assert repr(TWO_PARAMETER) == "Loss('(-a*b*x + y)**2/2', variables='a b')"
    assert TWO_PARAMETER._repr_latex_().startswith(r"$\displaystyle E(a, b) = \frac{")


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: bea.Loss(None, "x"), TypeError, "an expression is text, a number or a SymPy expression"),
        (lambda: bea.Loss(sympy.oo, "x"), ValueError, "must be finite"),
        (lambda: bea.Loss("x**2", "x", {"k": 1}), ValueError, "'k' is no parameter"),
        (lambda: bea.Loss("k*x**2", "x", {"k": sympy.I}), ValueError, "must be a real number"),
        (lambda: bea.Loss("k*x**2", "x", {1: 1}), TypeError, "named by text or a SymPy symbol"),
        (lambda: bea.Loss("k*x**2", "x")([1.0]), ValueError, "no value for parameter 'k'"),
        (lambda: TWO_PARAMETER([1.0]), ValueError, r"shape \(2,\)"),
        (lambda: TWO_PARAMETER([1.0, np.inf]), ValueError, "must be finite"),
        (lambda: TWO_PARAMETER([1.0, 2.0], z=1), ValueError, "'z' is no parameter"),
        (lambda: bea.Loss.from_residuals(["x"], "x", scale=0), ValueError, "a positive number"),
        (lambda: bea.Loss.from_residuals(["x"], "x", scale="k"), ValueError, "a positive number"),
        (lambda: bea.Loss.from_residuals("x", "x"), TypeError, "not one text"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


def test_its_matrices_cannot_be_changed():
    loss = bea.Loss("(1 - a*b)**2 / 2", "a b")
    for matrix in (loss.gradient, loss.hessian, loss.field.expressions, loss.field.jacobian):
        with pytest.raises(TypeError):
            matrix[0] = 5


def test_values_by_name_or_in_a_mapping():
    loss = bea.Loss("(y - a*b)**2 / 2", variables="a b")
    assert loss([2, 1], y=3) == loss([2, 1], {"y": 3}) == loss([2, 1], parameters={"y": 3}) == 0.5
    assert loss.field([2, 1], y=3).tolist() == loss.field([2, 1], parameters={"y": 3}).tolist() == [1, 2]


def test_absent_parameters_are_accepted_and_have_no_effect():
    loss = bea.Loss("x**2", variables="x", absent=["h"])
    assert loss([3], h=0.1) == 9
    assert loss.field([3], h=0.1) == -6
    with pytest.raises(ValueError, match="'k' is no parameter"):
        loss([3], k=1)
