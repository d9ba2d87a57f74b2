"""Modified losses: closed forms, the uniqueness of the split, and theorems about exactness."""

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

import bea
from bea.schemes import RK4, ExplicitMidpoint, ImplicitEuler

a, b, c, u = sympy.symbols("a b c u")


def modified(source, variables, order=2, scheme=None):
    loss = bea.Loss(source, variables)
    return loss, bea.modified_equation(loss, scheme or bea.GradientDescent(), order)


def value(expression, point):
    """A number for an expression in a and b that may hold integrals over [0, 1], by SciPy's quadrature."""
    at = dict(zip((a, b), map(sympy.Float, point), strict=True))
    integrals = {
        i: quad(sympy.lambdify(i.variables[0], i.function.xreplace(at), "math"), 0, 1, epsabs=1e-13)[0]
        for i in expression.atoms(sympy.Integral)
    }
    return float(expression.xreplace({i: sympy.Float(v) for i, v in integrals.items()}).xreplace(at))


def recombined(loss, terms, k):
    """−∇E_k + R_k."""
    gradient = sympy.Matrix([terms.terms[k].diff(v) for v in loss.variables])
    return -gradient + terms.remainder[k]


class TestFirstOrder:
    @pytest.mark.parametrize(
        "source",
        ["(3/5 - a*b)**2/2", "exp(a)*b**2", "tanh(a*b - 1)**2", "1/(1 + a**2 + b**2)", "(a - 2*b + 1)**4"],
    )
    def test_barrett_and_dherin(self, source):
        """Theorem 3.1: the loss of order h is (1/4)‖∇E‖², and there is no remainder."""
        loss, equation = modified(source, "a b", 1)
        expected = loss.gradient.dot(loss.gradient) / 4
        assert sympy.simplify(sympy.expand(equation.loss.terms[1] - expected)) == 0
        assert equation.loss.remainder[1] == sympy.zeros(2, 1)
        assert equation.loss.is_exact(1) is True

    def test_implicit_euler_has_the_opposite_sign(self):
        loss, equation = modified("(3/5 - a*b)**2/2", "a b", 1, ImplicitEuler())
        assert sympy.expand(equation.loss.terms[1] + loss.gradient.dot(loss.gradient) / 4) == 0


class TestSecondOrder:
    loss, equation = modified("(3/5 - a*b)**2/2", "a b", 2)

    def test_the_antisymmetric_part(self):
        """The curl ∂_b f_a − ∂_a f_b of f₂ is (a² − b²)(a² + b²)(5ab − 3)/15, worked by hand."""
        f = self.equation.terms[2]
        by_hand = (a**2 - b**2) * (a**2 + b**2) * (5 * a * b - 3) / 15
        assert sympy.expand(f[0].diff(b) - f[1].diff(a) - by_hand) == 0
        assert self.equation.loss.is_exact(2) is False

    def test_the_bracket_formula(self):
        """With J the Jacobian of f₂, J − Jᵀ = −(1/6)[H, ∇³E[g]]: only −(1/6)H²g is no gradient."""
        f, variables = self.equation.terms[2], self.loss.variables
        jacobian = f.jacobian(variables)
        g, H = self.loss.gradient, self.loss.hessian
        third = sympy.Matrix(
            2, 2, lambda i, j: sum(H[i, j].diff(v) * s for v, s in zip(variables, g, strict=True))
        )
        bracket = -(H * third - third * H) / 6
        assert sympy.expand(jacobian - jacobian.T - bracket) == sympy.zeros(2, 2)

    def test_the_parts_add_up_and_the_remainder_is_normal_to_rays(self):
        terms = self.equation.loss
        assert sympy.expand(recombined(self.loss, terms, 2) - self.equation.terms[2]) == sympy.zeros(2, 1)
        assert sympy.expand(terms.remainder[2].dot(sympy.Matrix([a, b]))) == 0
        assert terms.remainder[2] != sympy.zeros(2, 1)

    @pytest.mark.parametrize(
        ("source", "variables"),
        [
            ("exp(a) + a**2", "a"),
            ("a**2 + 3*a*b + 5*b**2/2 - a + c**2/2", "a b c"),
            ("a**4 + exp(b) + 1/(1 + c**2)", "a b c"),
            ("sqrt(1 + a**2 + b**2)", "a b"),
            ("(a**2 + b**2)**3 - (a**2 + b**2)", "a b"),
            ("log(1 + exp(a**2 + b**2))", "a b"),
        ],
        ids=[
            "one dimension",
            "quadratic",
            "separable",
            "radial root",
            "radial polynomial",
            "radial, two functions",
        ],
    )
    def test_losses_for_which_it_is_a_gradient(self, source, variables):
        _, equation = modified(source, variables, 2)
        assert equation.loss.is_exact(2) is True
        assert all(r == 0 for r in equation.loss.remainder[2])

    @pytest.mark.parametrize(
        "source",
        ["tanh(a*b)**2", "exp(a*b) + a**2", "a**2/(1 + b**2)", "sin(a)*b**2", "sqrt(1 + a**4 + b**2)"],
    )
    def test_losses_for_which_it_is_not(self, source):
        _, equation = modified(source, "a b", 2)
        assert equation.loss.is_exact(2) is False
        point, step = np.array([3 / 7, 5 / 4]), 1e-5
        remainder = [value(r, point) for r in equation.loss.remainder[2]]
        assert np.dot(remainder, point) == pytest.approx(0, abs=1e-12)
        E2, field = equation.loss.terms[2], equation.terms[2]
        for i, direction in enumerate(np.eye(2)):
            slope = (value(E2, point + step * direction) - value(E2, point - step * direction)) / (2 * step)
            assert -slope + remainder[i] == pytest.approx(value(field[i], point), rel=1e-6, abs=1e-8)


class TestQuadratics:
    @pytest.mark.parametrize(("scheme", "sign"), [(bea.GradientDescent(), -1), (ImplicitEuler(), 1)])
    def test_the_logarithm(self, scheme, sign):
        """The field is ±(1/h) log(1 ∓ hA)(x − x*), so E_k = ±½ gᵀA^{k−1}g/(k + 1), constants included."""
        loss, equation = modified("(3*(a - 1)**2 + 2*(a - 1)*(b + 2) + 4*(b + 2)**2)/2", "a b", 4, scheme)
        A = sympy.Matrix([[3, 1], [1, 4]])
        g = loss.gradient
        for k in range(1, 5):
            factor = sympy.Rational(1, k + 1) * (1 if sign < 0 else (-1) ** k)
            expected = factor * (g.T * A ** (k - 1) * g)[0] / 2
            assert sympy.expand(equation.loss.terms[k] - expected) == 0

    def test_methods_without_a_first_order_term(self):
        _, equation = modified("(a**2 + 3*b**2)/2", "a b", 4, RK4())
        assert equation.loss.terms[1] == equation.loss.terms[2] == equation.loss.terms[3] == 0
        assert sympy.expand(equation.loss.terms[4] + (a**2 + 3**5 * b**2) / 240) == 0


class TestUniqueness:
    @settings(max_examples=20, deadline=None)
    @given(
        st.lists(st.integers(-3, 3), min_size=8, max_size=8),
        st.tuples(st.integers(-2, 2), st.integers(-2, 2)),
    )
    def test_any_origin_gives_the_same_field(self, numbers, origin):
        monomials = [a, b, a * b, a**2, b**2, a**2 * b, b**3, a**2 * b**2]
        loss = bea.Loss(sum(n * m for n, m in zip(numbers, monomials, strict=True)) + a**2, [a, b])
        equation = bea.modified_equation(loss, ExplicitMidpoint(), 2)
        terms = equation.decompose(origin)
        assert sympy.expand(recombined(loss, terms, 2) - equation.terms[2]) == sympy.zeros(2, 1)
        arm = sympy.Matrix([a - origin[0], b - origin[1]])
        assert sympy.expand(terms.remainder[2].dot(arm)) == 0
        assert (terms.remainder[2] == sympy.zeros(2, 1)) is terms.is_exact(2)

    def test_bad_origin(self):
        _, equation = modified("a**2*b**2", "a b", 2)
        for origin, sentence in [([1], "2 coordinates"), ([a, 1], "must not depend"), (1, "a sequence")]:
            with pytest.raises((ValueError, TypeError), match=sentence):
                equation.decompose(origin)


def test_truncated_loss_descends_like_the_field():
    _, equation = modified("exp(a)*b**2", "a b", 1)
    truncated = equation.loss.truncate(1)
    assert sympy.simplify(truncated.field.expressions - equation.field(1).expressions) == sympy.zeros(2, 1)


def test_an_abstract_loss():
    """Ẽ = E + (h/4)(E_a² + E_b²) for a loss that is only a name."""
    E = sympy.Function("E")(a, b)
    equation = bea.modified_equation(bea.Loss(E, [a, b]), bea.GradientDescent(), 1)
    assert sympy.expand(equation.loss.terms[1] - (E.diff(a) ** 2 + E.diff(b) ** 2) / 4) == 0


@pytest.mark.parametrize(("arguments", "exact"), [((a,), True), ((a, b), False)])
def test_the_second_order_is_a_gradient_for_all_losses_of_one_variable_only(arguments, exact):
    loss = bea.Loss(sympy.Function("E")(*arguments), arguments)
    assert bea.modified_equation(loss, bea.GradientDescent(), order=2).loss.is_exact(2) is exact


@pytest.mark.parametrize("k", [-1, 3, 1.0, True])
def test_is_exact_refuses_other_powers(k):
    _, equation = modified("a**2*b**2", "a b", 2)
    with pytest.raises(ValueError, match="from 0 to 2"):
        equation.loss.is_exact(k)


def test_a_singular_origin_is_refused_and_another_serves():
    _, equation = modified("a**2*b + 1/(a*b)", "a b", 2)
    with pytest.raises(ValueError, match="singular at the origin"):
        _ = equation.loss.terms[2]
    terms = equation.decompose([1, 1])
    point, step = np.array([1.5, 0.8]), 1e-5
    for i, direction in enumerate(np.eye(2)):
        above, below = (value(terms.terms[2], point + s * direction) for s in (step, -step))
        predicted = -(above - below) / (2 * step) + value(terms.remainder[2][i], point)
        assert predicted == pytest.approx(value(equation.terms[2][i], point), rel=1e-6)


@pytest.mark.parametrize(
    "source", ["1/(1 + 1/a)", "(1 + 1/a)**(-2)*b", "1/(a + sqrt(b))", "(a*b)**(3/2)", "a**b"]
)
def test_first_order_of_losses_that_are_singular_at_the_origin(source):
    loss, equation = modified(source, "a b", 1)
    at = {a: sympy.Rational(7, 5), b: sympy.Rational(9, 4)}
    expected = (loss.gradient.dot(loss.gradient) / 4).subs(at).evalf(20)
    assert abs(equation.loss.terms[1].subs(at).evalf(20) - expected) < 1e-17


@pytest.mark.parametrize(
    ("argument", "exact"),
    [(lambda f: f(a * b), False), (lambda f: f(2 * a) * f(2 * b), False), (lambda f: f(a**2 + b**2), True)],
)
def test_abstract_functions_of_expressions(argument, exact):
    loss = bea.Loss(argument(sympy.Function("f")), [a, b])
    assert bea.modified_equation(loss, bea.GradientDescent(), 2).loss.is_exact(2) is exact


def test_exactness_is_decided_on_the_real_domain():
    """√(a³) and a√a agree for a ≥ 0, where the loss is a²; elsewhere it is not real."""
    _, equation = modified("(sqrt(a**3) - a*sqrt(a))*b**2 + a**2", "a b", 2)
    assert equation.loss.is_exact(2) is True


@pytest.mark.parametrize("origin", [["sqrt(2)", 0], ["q", 1]])
def test_an_origin_that_is_no_rational_point(origin):
    loss, equation = modified("(1 - a*b)**2", "a b", 2)
    terms = equation.decompose(origin)
    assert sympy.expand(recombined(loss, terms, 2) - equation.terms[2]) == sympy.zeros(2, 1)
    arm = sympy.Matrix([a, b]) - sympy.Matrix([sympy.sympify(c) for c in origin])
    assert sympy.expand(terms.remainder[2].dot(arm)) == 0


def test_a_truncated_loss_with_an_integral_has_values():
    _, equation = modified("exp(a*b)", "a b", 2)
    point = np.array([0.5, 0.4])
    expected = sum(0.1**k * value(equation.loss.terms[k], point) for k in range(3))
    assert equation.loss.truncate()(point, h=0.1) == pytest.approx(expected, rel=1e-10)


def test_truncations_take_the_step_size_whether_or_not_it_occurs():
    loss = bea.Loss("(y - a*b)**2 / 2", variables="a b", parameters={"y": 1})
    modified = bea.modified_equation(loss, bea.GradientDescent(), order=1).loss
    assert [modified.truncate(k)([2, 1], h=0.1) for k in range(2)] == [0.5, 0.5 + 0.1 / 4 * 5]
    with pytest.raises(ValueError, match="order must be an integer from 0 to 1, not 3"):
        modified.truncate(3)
