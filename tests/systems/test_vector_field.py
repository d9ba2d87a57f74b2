"""Vector fields: reading, values, Jacobians against finite differences, parameters, refusals."""

import central_differences
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import bea

LOTKA_VOLTERRA = bea.VectorField(["p*(2 - q)", "q*(p - 1)"], "p q")

x, y = sympy.symbols("x y")
polynomials = st.lists(
    st.tuples(st.integers(-3, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4
).map(lambda terms: sympy.Add(*[c * x**i * y**j for c, i, j in terms]))


def test_values_by_hand():
    np.testing.assert_array_equal(LOTKA_VOLTERRA([3, 5]), [-9, 10])
    np.testing.assert_array_equal(LOTKA_VOLTERRA([1, 2]), [0, 0])
    assert LOTKA_VOLTERRA.dimension == 2


@settings(deadline=None, max_examples=40)
@given(polynomials, polynomials, st.tuples(st.floats(-2, 2), st.floats(-2, 2)))
def test_the_jacobian_agrees_with_finite_differences(f, g, point):
    field = bea.VectorField([f, g], [x, y])
    exact = np.array(field.jacobian.subs({x: point[0], y: point[1]}), dtype=float)
    for row, component in zip(exact, (f, g), strict=True):
        measured = central_differences.gradient(component, [x, y], {}, point)
        np.testing.assert_allclose(row, measured, rtol=1e-10, atol=1e-10)


def test_the_jacobian_of_special_functions():
    field = bea.VectorField(["exp(x*y) + sqrt(x)", "tanh(x)/y"], "x y")
    expected = field.expressions.jacobian([x, y])
    assert sympy.simplify(field.jacobian - expected) == sympy.zeros(2, 2)


def test_text_sympy_and_symbols_with_assumptions_agree():
    p, q = sympy.symbols("p q", real=True)
    for field in (
        bea.VectorField([p * (2 - q), q * (p - 1)], "p q"),
        bea.VectorField([p * (2 - q), q * (p - 1)], [p, q]),
        bea.VectorField(sympy.Matrix([p * (2 - q), q * (p - 1)]), (p, q)),
        bea.VectorField(["p*(2 - q)", q * (p - 1.0)], "p q"),
    ):
        np.testing.assert_array_equal(field([3, 5]), [-9, 10])
        np.testing.assert_array_equal(np.array(field.jacobian.subs({p: 3, q: 5})), [[-3, -3], [5, 2]])


def test_numbers_are_components():
    np.testing.assert_array_equal(bea.VectorField([1, 0.5], "x y")([7, 8]), [1, 0.5])


def test_parameters_are_sorted_given_and_replaced():
    field = bea.VectorField(["c*x + a", "b*y"], "x y", {"a": 1, "b": 0.1})
    assert [s.name for s in field.parameter_symbols] == ["a", "b", "c"]
    assert field.parameters == {"a": 1, "b": sympy.Rational(1, 10)}
    np.testing.assert_array_equal(field.parameter_values({"c": 2}), [1, 0.1, 2])
    np.testing.assert_array_equal(field.with_parameters(c=2).parameter_values({"a": 5}), [5, 0.1, 2])
    np.testing.assert_allclose(field([1.0, 1.0], c=3), [4, 0.1])


def test_native_source_travels_with_the_field():
    field = bea.VectorField(["k*x"], "x", native_source="out[0] = p[0]*x[0]", native_data=[[1, 2], [3, 4]])
    other = field.with_parameters(k=7)
    assert other.native_source == field.native_source
    np.testing.assert_array_equal(other.parameter_values(), [7, 1, 2, 3, 4])
    assert other([2.0]) == 14


def test_equality_and_hash():
    same = bea.VectorField(["p*(2 - q)", "q*(p - 1)"], "p q")
    assert same == LOTKA_VOLTERRA
    assert hash(same) == hash(LOTKA_VOLTERRA)
    assert same != bea.VectorField(["p*(2 - q)", "q*(p - 2)"], "p q")
    assert same != bea.VectorField(["p*(2 - q)", "q*(p - 1)"], "q p")
    assert same != [1, 2]


def test_how_it_is_shown():
    assert repr(LOTKA_VOLTERRA) == "VectorField([p*(2 - q), q*(p - 1)], variables='p q')"
    assert LOTKA_VOLTERRA._repr_latex_() == (
        r"$\displaystyle \begin{aligned}\dot{p} &= p \left(2 - q\right)"
        r" \\ \dot{q} &= q \left(p - 1\right)\end{aligned}$"
    )


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: bea.VectorField("x", "x"), TypeError, "a sequence of components, not one str"),
        (lambda: bea.VectorField(["x"], "x y"), ValueError, "components is 1 and that of variables 2"),
        (lambda: bea.VectorField([[1, 2], [3, 4]], "x y"), TypeError, "not list"),
        (lambda: bea.VectorField([sympy.nan], "x"), ValueError, "must be finite"),
        (lambda: bea.VectorField([float("inf")], "x"), ValueError, "must be finite"),
        (lambda: bea.VectorField(["k*x"], "x", {"m": 1}), ValueError, "its parameters are"),
        (lambda: bea.VectorField(["k*x"], "x")([1.0]), ValueError, "pass parameters={'k': ...}"),
        (lambda: LOTKA_VOLTERRA([1.0, 2.0, 3.0]), ValueError, r"x must have shape \(2,\), not \(3,\)"),
        (lambda: LOTKA_VOLTERRA([1.0, np.nan]), ValueError, "x must be finite"),
        (lambda: LOTKA_VOLTERRA([1.0, 2.0j]), TypeError, "must hold real numbers, not complex128"),
        (lambda: LOTKA_VOLTERRA.point([1.0]), ValueError, "x0 must have shape"),
    ],
)
def test_bad_input_gets_a_sentence(call, error, sentence):
    with pytest.raises(error, match=sentence):
        call()


class TestWhatIsRefused:
    x = sympy.Symbol("x")

    @pytest.mark.parametrize("components", [{"x": "-x"}, {"-x"}, "x", 3])
    def test_components_that_are_no_sequence(self, components):
        with pytest.raises(TypeError, match="a sequence of components"):
            bea.VectorField(components, "x")

    def test_two_symbols_of_one_name(self):
        positive = sympy.Symbol("x", positive=True)
        with pytest.raises(ValueError, match="different symbols named 'x'"):
            bea.VectorField([self.x + positive], "x")
        with pytest.raises(ValueError, match="different symbols named 'x'"):
            bea.VectorField([positive**2], [self.x])
        assert bea.VectorField([positive**2], "x")([2.0])[0] == 4

    def test_values_that_are_not_real(self):
        with pytest.raises(ValueError, match="not real"):
            bea.VectorField(["sqrt(-2)*x"], "x")([1.0])

    def test_parameters_that_are_no_mapping(self):
        with pytest.raises(TypeError, match="a mapping from names"):
            bea.VectorField(["k*x"], "x", parameters=[("k", 1)])


def test_floats_keep_all_their_digits():
    number = 0.12345678901234568
    assert bea.VectorField([sympy.Symbol("x") * number], "x")([1.0])[0] == number


def test_a_parameter_may_be_called_x_or_self():
    field = bea.VectorField(["x*self*y"], "y")
    assert field([2.0], x=3, self=5)[0] == 30


def test_values_of_absent_parameters_are_accepted():
    field = bea.VectorField(["-x"], "x", absent=["h"])
    assert field([1.0], h=0.1)[0] == field([1.0])[0] == -1
    with pytest.raises(ValueError, match="no parameter"):
        field([1.0], k=1)
