"""The generic step, in exact arithmetic, against formulas written out here."""

from fractions import Fraction
from itertools import product

import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from bea.schemes import DormandPrince5, GradientDescent, LobattoIIIA3, RungeKutta, SecondOrder

fractions = st.fractions(-2, 2, max_denominator=6)


class ExactArithmetic:
    """Fractions. The stage equations of an affine field are affine: their columns are differences."""

    def number(self, constant):
        return Fraction(int(constant.p), int(constant.q))

    def fixed_point(self, function, start):
        s, d = len(start), len(start[0])
        places = list(product(range(s), range(d)))

        def image(K):
            value = function([[K[i, m] for m in range(d)] for i in range(s)])
            return sympy.Matrix([value[i][m] for i, m in places])

        zero = dict.fromkeys(places, Fraction(0))
        constant = image(zero)
        linear = sympy.Matrix.hstack(*(image({**zero, place: Fraction(1)}) - constant for place in places))
        solution = (sympy.eye(s * d) - linear).LUsolve(constant)
        return [[Fraction(int(k.p), int(k.q)) for k in solution[i * d : (i + 1) * d]] for i in range(s)]


class SymbolicArithmetic:
    """SymPy expressions, for explicit methods."""

    def number(self, constant):
        return constant


@st.composite
def tableaus(draw, explicit):
    """Random A, and random b with sum 1."""
    s = draw(st.integers(1, 4 if explicit else 2))
    A = [[draw(fractions) if j < i or not explicit else Fraction(0) for j in range(s)] for i in range(s)]
    b = [draw(fractions) for _ in range(s - 1)]
    return A, [*b, 1 - sum(b)]


def quadratic(x):
    return [x[0] * x[1] + 1, x[0] * x[0] - x[1] / 2]


def explicit_step(A, b, f, x, h):
    """The definition, with every zero written out."""
    K = []
    for row in A:
        earlier = list(zip(row, K, strict=False))
        K.append(f([x_m + h * sum((a * k[m] for a, k in earlier), Fraction(0)) for m, x_m in enumerate(x)]))
    return [x_m + h * sum(b_j * k[m] for b_j, k in zip(b, K, strict=True)) for m, x_m in enumerate(x)]


@given(tableaus(explicit=True), st.tuples(fractions, fractions), fractions)
@settings(max_examples=50, deadline=None)
def test_explicit_step_is_its_definition(tableau, x, h):
    A, b = tableau
    found = RungeKutta(A, b).step(quadratic, x, h, ExactArithmetic())
    assert found == explicit_step(A, b, quadratic, x, h)


@given(tableaus(explicit=False), fractions, fractions, fractions)
@settings(max_examples=50, deadline=None)
def test_step_on_a_linear_field_is_the_stability_function(tableau, rate, x, h):
    method = RungeKutta(*tableau)
    denominator = (sympy.eye(method.stages) - rate * h * method.A).det()
    if denominator == 0:
        return
    (found,) = method.step(lambda y: [rate * y[0]], [x], h, ExactArithmetic())
    assert found == method.stability_function(sympy.sympify(rate * h)) * x


def test_implicit_step_on_an_affine_system():
    """The trapezoidal part of Lobatto IIIA against the linear system of its stages, solved as one."""
    J, g = sympy.Matrix([[-1, 2], [0, -3]]), sympy.Matrix([1, 1])
    x, h = sympy.Matrix([1, 2]), sympy.Rational(1, 5)
    method = LobattoIIIA3()
    system = sympy.eye(6) - h * sympy.kronecker_product(method.A, J)
    K = system.LUsolve(sympy.Matrix.vstack(*[J * x + g] * 3))
    expected = x + h * sympy.kronecker_product(method.b.T, sympy.eye(2)) * K

    def field(y):
        return [-y[0] + 2 * y[1] + 1, -3 * y[1] + 1]

    found = method.step(field, [Fraction(1), Fraction(2)], Fraction(1, 5), ExactArithmetic())
    assert [sympy.sympify(value) for value in found] == list(expected)


def test_gradient_descent_is_its_formula():
    x, h = [Fraction(1, 2), Fraction(3)], Fraction(1, 10)
    f = quadratic(x)
    assert GradientDescent().step(quadratic, x, h, ExactArithmetic()) == [x[0] + h * f[0], x[1] + h * f[1]]


def test_stages_that_nothing_needs_are_not_evaluated():
    calls = []

    def field(x):
        calls.append(x)
        return quadratic(x)

    x, h = [Fraction(1), Fraction(1)], Fraction(1, 8)
    found = DormandPrince5().step(field, x, h, ExactArithmetic())
    assert len(calls) == 6
    number = ExactArithmetic().number
    A = [[number(a) for a in row] for row in DormandPrince5().A.tolist()]
    b = [number(weight) for weight in DormandPrince5().b]
    assert found == explicit_step(A, b, quadratic, x, h)


def test_family_of_second_order_has_order_two_for_every_alpha():
    x, h, *coefficients = sympy.symbols("x h c0:4")

    def field(y):
        return [sum(c * y[0] ** k for k, c in enumerate(coefficients))]

    (f,) = field([x])
    (step,) = SecondOrder().step(field, [x], h, SymbolicArithmetic())
    derivatives = [step.diff(h, k).subs(h, 0) for k in range(4)]
    flow = [x, f, f * f.diff(x), f * (f * f.diff(x)).diff(x)]
    assert [sympy.simplify(a - b) for a, b in zip(derivatives[:3], flow[:3], strict=True)] == [0, 0, 0]
    assert sympy.simplify(derivatives[3] - flow[3]) != 0
