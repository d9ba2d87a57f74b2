"""Modified equations against published values, closed forms and exact rational iterates."""

from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mpf, workdps
from precise_steps import DIGITS, explicit_step, field_from_iterates, number, precise_field

import bea
from bea.schemes import (
    RK4,
    ExplicitEuler,
    ExplicitMidpoint,
    Gauss,
    ImplicitEuler,
    ImplicitMidpoint,
    RungeKutta,
    SecondOrder,
)

y, a, b, p, q, lam, alpha = sympy.symbols("y a b p q lambda alpha")


def scalar_terms(source, scheme, order):
    equation = bea.modified_equation(bea.VectorField([source], [y]), scheme, order)
    return [term[0] for term in equation.terms]


class TestPublishedValues:
    def test_euler_on_the_square(self):
        """Hairer, Lubich and Wanner (2006), example IX.1.1 and its continuation."""
        expected = [1, -1, (3, 2), (-8, 3), (31, 6), (-157, 15)]
        terms = scalar_terms(y**2, ExplicitEuler(), 5)
        assert terms == [
            sympy.Rational(*((c,) if isinstance(c, int) else c)) * y ** (k + 2)
            for k, c in enumerate(expected)
        ]

    def test_euler_on_lotka_volterra(self):
        """Hairer, Lubich and Wanner (2006), equation (IX.1.9), explicit Euler."""
        field = bea.VectorField(["p*(2 - q)", "q*(p - 1)"], "p q")
        term = bea.modified_equation(field, ExplicitEuler(), 1).terms[1]
        published = sympy.Matrix([-p * (q**2 - p * q - 3 * q + 4) / 2, -q * (p**2 - p * q + 1) / 2])
        assert sympy.expand(term - published) == sympy.zeros(2, 1)

    @pytest.mark.parametrize(
        ("scheme", "expected"),
        [
            (RK4(), [lam, 0, 0, 0, -(lam**5) / 120, lam**6 / 144]),
            (ExplicitEuler(), [(-1) ** k * lam ** (k + 1) / (k + 1) for k in range(6)]),
            (ImplicitEuler(), [lam ** (k + 1) / (k + 1) for k in range(6)]),
        ],
    )
    def test_linear_decay_is_the_logarithm_of_the_stability_function(self, scheme, expected):
        terms = scalar_terms(lam * y, scheme, 5)
        assert [sympy.expand(t / y) for t in terms] == [sympy.sympify(e) for e in expected]

    def test_gauss_of_two_stages_has_rational_terms_and_order_four(self):
        """On ẏ = y² the step solves a quartic; its series gives y⁸/432 at h⁶ and nothing before."""
        assert scalar_terms(y**2, Gauss(2), 6) == [y**2, 0, 0, 0, 0, 0, y**8 / 432]
        cubic = scalar_terms(y**3, Gauss(2), 4)
        assert cubic[1:4] == [0, 0, 0]
        assert (cubic[4] / y**11).is_Rational

    def test_a_symbol_in_the_tableau_stays(self):
        """f₂ = (α/4 − 1/6) f''(f,f) − (1/6) f'f'f, by Taylor expansion of one step by hand."""
        term = scalar_terms(y**2, SecondOrder(alpha), 2)[2]
        f = y**2
        by_hand = (alpha / 4 - sympy.Rational(1, 6)) * f.diff(y, 2) * f**2 - f.diff(y) ** 2 * f / 6
        assert sympy.expand(term - by_hand) == 0


class TestSmoothFields:
    """f₁ and f₂ of Euler and of the midpoint rule from derivatives taken by SymPy, at a point."""

    @pytest.mark.parametrize(
        "source",
        [
            ["tanh(a*b)", "a - b**3"],
            ["exp(-a)*b", "log(2 + a**2)"],
            ["a/(1 + b**2)", "b/(a + b)"],
            ["sqrt(1 + a**2)", "sin(a)*cos(b)"],
            ["atan(a*b)", "cosh(a - b)"],
            ["a**k*b", "exp(exp(-b))"],
            ["(1 + a**2)**(1/3)/b", "b**(-3/2)"],
            ["erf(a)", "a*b"],
            [sympy.gamma(a), a * b],
            [sympy.LambertW(a), a * b],
        ],
    )
    @pytest.mark.parametrize("scheme", [ExplicitEuler(), ExplicitMidpoint()])
    def test_first_two_terms(self, source, scheme):
        field = bea.VectorField(source, "a b")
        equation = bea.modified_equation(field, scheme, 2)
        f, (u, v) = field.expressions, field.variables
        jacobian = f.jacobian([u, v])
        second = sympy.Matrix([(f.T * sympy.hessian(c, (u, v)) * f)[0] for c in f])
        if isinstance(scheme, ExplicitMidpoint):
            by_hand = [sympy.zeros(2, 1), -jacobian * jacobian * f / 6 - second / 24]
        else:
            by_hand = [-jacobian * f / 2, jacobian * jacobian * f / 3 + second / 12]
        at = {u: sympy.Rational(7, 10), v: sympy.Rational(4, 3), sympy.Symbol("k"): sympy.Rational(5, 2)}
        for k in (1, 2):
            difference = (equation.terms[k] - by_hand[k - 1]).subs(at).evalf(30, chop=True)
            scale = 1 + max(abs(c) for c in by_hand[k - 1].subs(at).evalf(30))
            assert max(abs(c) for c in difference) < scale * sympy.Float("1e-25", 30)

    def test_an_undefined_function(self):
        x = sympy.Symbol("x")
        f = sympy.Function("f")(x)
        terms = [t[0] for t in bea.modified_equation(bea.VectorField([f], [x]), ExplicitEuler(), 2).terms]
        assert sympy.expand(terms[1] + f * f.diff(x) / 2) == 0
        assert sympy.expand(terms[2] - f * f.diff(x) ** 2 / 3 - f**2 * f.diff(x, 2) / 12) == 0

    def test_rational_results_are_in_lowest_terms(self):
        x = sympy.Symbol("x")
        terms = scalar_terms(1 / y, ExplicitEuler(), 3)
        assert terms == [1 / y, 1 / (2 * y**3), sympy.Rational(1, 2) / y**5, terms[3]]
        fraction = bea.modified_equation(
            bea.VectorField([(x**2 + 1) / (x**2 + 1) ** 2], [x]), ExplicitEuler(), 1
        )
        assert sympy.simplify(fraction.terms[1][0] - x / (x**2 + 1) ** 3) == 0


coefficients = st.integers(-3, 3)
fractions = st.fractions(min_value=-2, max_value=2, max_denominator=4)


@st.composite
def polynomial_fields(draw):
    monomials = [1, a, b, a * b, a**2, b**2, a**2 * b, b**3]
    return [sum(draw(coefficients) * m for m in monomials) + 0 * a for _ in range(2)]


@st.composite
def explicit_tableaus(draw):
    stages = draw(st.integers(1, 4))
    A = [[draw(fractions) if j < i else Fraction(0) for j in range(stages)] for i in range(stages)]
    weights = [draw(fractions) for _ in range(stages - 1)]
    return A, [*weights, 1 - sum(weights, Fraction(0))]


class TestAgainstExactIterates:
    @settings(max_examples=25, deadline=None)
    @given(polynomial_fields(), explicit_tableaus(), st.integers(0, 4))
    def test_terms_are_what_the_iterates_follow(self, components, tableau, order):
        """With h = 10^{-40} the iterates' field agrees with the terms through h^order to the next power."""
        A, weights = tableau
        equation = bea.modified_equation(bea.VectorField(components, [a, b]), RungeKutta(A, weights), order)
        at = {a: sympy.Rational(2, 3), b: sympy.Rational(-3, 5)}
        terms = [equation.terms[k].subs(at) for k in range(order + 1)]
        with workdps(DIGITS):
            h, x = mpf(10) ** -40, [number(v) for v in at.values()]
            step = explicit_step(A, weights, precise_field(components, [a, b]), h)
            observed = field_from_iterates(step, x, h, order + 1)
            for i in range(2):
                predicted = sum(h**k * number(term[i]) for k, term in enumerate(terms))
                assert abs(observed[i] - predicted) < h**order * mpf(10) ** -20

    @settings(max_examples=10, deadline=None)
    @given(polynomial_fields(), explicit_tableaus())
    def test_the_modifying_integrator_makes_the_scheme_exact(self, components, tableau):
        """The scheme on the modifying field has the system itself as its modified equation."""
        A, weights = tableau
        scheme = RungeKutta(A, weights)
        field = bea.VectorField(components, [a, b])
        h = sympy.Symbol("h")
        modifying = bea.modifying_integrator(field, scheme, 2)
        value = sympy.Rational(1, 10**30)
        stepped = bea.VectorField(modifying.expressions().subs(h, value), [a, b])
        equation = bea.modified_equation(stepped, scheme, 2)
        at = {a: sympy.Rational(1, 3), b: sympy.Rational(-1, 2)}
        total = sum((value**k * equation.terms[k].subs(at) for k in range(3)), sympy.zeros(2, 1))
        difference = total - field.expressions.subs(at)
        assert max(abs(c) for c in difference) < value**2 * sympy.Rational(1, 10**15)

    def test_negative_control(self):
        """A term with the wrong factor does not agree with the iterates."""
        with workdps(DIGITS):
            h, x = mpf(10) ** -40, mpf(2) / 3
            step = explicit_step([[Fraction(0)]], [Fraction(1)], precise_field([y**2], [y]), h)
            observed = field_from_iterates(step, [x], h, 2)[0]
            wrong, right = (x**2 - factor * h * x**3 for factor in (mpf(1) / 2, 1))
            assert abs(observed - right) < h * mpf(10) ** -20 < abs(observed - wrong)


class TestModifyingIntegrator:
    def test_euler_on_the_square_by_its_exact_flow(self):
        """The flow y/(1 − hy) is Euler's step for the field y²/(1 − hy)."""
        equation = bea.modifying_integrator(bea.VectorField([y**2], [y]), ExplicitEuler(), 5)
        assert [t[0] for t in equation.terms] == [y ** (k + 2) for k in range(6)]

    def test_implicit_midpoint_on_the_square(self):
        """From y₁ − y₀ = h f̂((y₀ + y₁)/2) with y₁ = y₀/(1 − hy₀): f̂(m) = (√(1 + h²m²) − 1)·2/h²."""
        h = sympy.Symbol("h")
        equation = bea.modifying_integrator(bea.VectorField([y**2], [y]), ImplicitMidpoint(), 4)
        closed = sympy.series(2 * (sympy.sqrt(1 + h**2 * y**2) - 1) / h**2, h, 0, 5).removeO()
        assert sympy.expand(closed - equation.expressions()[0]) == 0


class TestBadInput:
    field = bea.VectorField(["y**2"], "y")

    @pytest.mark.parametrize(
        ("arguments", "error", "sentence"),
        [
            ((field, ExplicitEuler, 2), TypeError, "with its parentheses"),
            ((field, "euler", 2), TypeError, "scheme must be a bea scheme"),
            (("y**2", ExplicitEuler(), 2), TypeError, "system must be"),
            ((field, ExplicitEuler(), -1), ValueError, "0 or more"),
            ((field, ExplicitEuler(), 1.5), TypeError, "integer"),
            ((field, ExplicitEuler(), True), TypeError, "integer"),
            ((bea.VectorField(["h*y"], "y"), ExplicitEuler(), 1), ValueError, "step size"),
            ((bea.VectorField(["h**2"], "h"), ExplicitEuler(), 1), ValueError, "step size"),
            ((bea.VectorField(["alpha**2"], "alpha"), SecondOrder(alpha), 1), ValueError, "rename"),
            ((bea.VectorField(["abs(y)"], "y"), ExplicitEuler(), 1), ValueError, "must be smooth"),
            (
                (bea.VectorField([sympy.besselj(0, y), sympy.Mod(y, 2)], "y x"), ExplicitEuler(), 1),
                ValueError,
                "smooth",
            ),
            ((bea.VectorField(["alpha*y**2"], "y"), SecondOrder(alpha), 1), ValueError, "rename"),
            (
                (bea.VectorField(["1/((y + 1)**2 - y**2 - 2*y - 1)"], "y"), ExplicitEuler(), 1),
                ValueError,
                "zero",
            ),
            ((bea.VectorField([(y + 1) ** 2000], "y"), ExplicitEuler(), 1), ValueError, "too high"),
        ],
    )
    def test_one_clear_sentence(self, arguments, error, sentence):
        for derive in (bea.modified_equation, bea.modifying_integrator):
            with pytest.raises(error, match=sentence):
                derive(*arguments)

    def test_terms_beyond_the_order_are_refused(self):
        equation = bea.modified_equation(self.field, ExplicitEuler(), 2)
        with pytest.raises(IndexError, match="highest power"):
            equation.terms[3]
        with pytest.raises(ValueError, match="from 0 to 2"):
            equation.field(3)
        with pytest.raises(TypeError, match="only a loss"):
            _ = equation.loss


class TestWherePowersOfRootsVanish:
    def test_half_integer_powers_are_finite_at_their_zeros(self):
        """f₂ of (x² + y²)^{5/2} is a multiple of (x, y)(x² + y²)^{9/2}, which vanishes at the minimum."""
        loss = bea.Loss("(a**2 + b**2)**(5/2)", "a b")
        equation = bea.modified_equation(loss, bea.GradientDescent(), 2)
        assert list(equation.field()([0.0, 0.0], h=0.1)) == [0, 0]
        radius = sympy.sqrt(a**2 + b**2)
        difference = equation.terms[2] + sympy.Rational(2375, 3) * radius**9 * sympy.Matrix([a, b])
        at = {a: sympy.Rational(1, 3), b: sympy.Rational(2, 5)}
        assert max(abs(c) for c in difference.subs(at).evalf(30)) < 1e-20

    def test_a_field_by_hand(self):
        """f₁ = −½ f'f of ((xy)^{5/2}, 1), which is −(5/4)(xy)⁴y − (5/4)x(xy)^{3/2} in its first component."""
        field = bea.VectorField(["(x*y)**(5/2)", "1"], "x y")
        equation = bea.modified_equation(field, ExplicitEuler(), 1)
        assert equation.field()([0.0, 1.0], h=0.1)[0] == 0
        assert equation.field()([2.0, 1.0], h=1.0)[0] == pytest.approx(2**2.5 - 20 - 2.5 * 2**1.5)

    def test_a_term_that_is_not_finite_is_named(self):
        equation = bea.modified_equation(bea.VectorField(["sqrt(y)"], "y"), ExplicitEuler(), 2)
        equation.step_size_limit([1.0])
        field = bea.VectorField(["1/y"], "y")
        with pytest.raises((ValueError, ZeroDivisionError), match=r"not finite|division by zero"):
            bea.modified_equation(field, ExplicitEuler(), 1).step_size_limit([0.0])


class TestForms:
    loss = bea.Loss("(y - a*b*x)**2/2", "a b", parameters={"x": 1, "y": 0.6})
    equation = bea.modified_equation(loss, bea.GradientDescent(), 2)

    def test_parameters_stay_symbolic_and_keep_their_values(self):
        assert self.equation.terms[1].free_symbols == set(sympy.symbols("a b x y"))
        field = self.equation.field(2)
        assert {s.name for s in field.parameter_symbols} == {"h", "x", "y"}
        assert field.parameters == {"x": 1, "y": sympy.Rational(3, 5)}

    def test_field_is_the_sum_of_terms(self):
        h = sympy.Symbol("h")
        total = self.equation.terms[0] + h * self.equation.terms[1] + h**2 * self.equation.terms[2]
        assert sympy.expand(self.equation.field().expressions - total) == sympy.zeros(2, 1)

    def test_latex(self):
        text = self.equation.latex(1)
        assert text.startswith(r"\begin{aligned}\dot{a} &=")
        assert "O(h^{2})" in text
        assert self.equation._repr_latex_().startswith("$")

    def test_step_size_limit_of_decay(self):
        """Terms λ(hλ)^k/(k + 1): the ratio of the last two of four is (4/3)/λ."""
        field = bea.VectorField(["-10*y"], "y")
        limit = bea.modified_equation(field, ExplicitEuler(), 3).step_size_limit([1.0])
        assert limit == pytest.approx(4 / 30)

    def test_step_size_limit_refuses_parameters_that_there_are_not(self):
        assert self.equation.step_size_limit([1.0, 2.0], x=2) != self.equation.step_size_limit([1.0, 2.0])
        with pytest.raises(ValueError, match="no parameter"):
            self.equation.step_size_limit([1.0, 2.0], foo=2)


@pytest.mark.parametrize("scheme", [bea.Adam(inside=False), bea.Adam(eps=0), bea.schemes.RMSProp(eps=0)])
def test_a_root_of_what_vanishes_is_named(scheme):
    sentence = f"the step of {scheme.name} cannot be expanded in powers of h: the system does not move .* 'y'"
    with pytest.raises(ValueError, match=sentence):
        bea.modified_equation(bea.Loss("x**2/2", "x y"), scheme, order=1)
    undefined = bea.Loss(sympy.Function("E")(sympy.Symbol("x")), "x y")
    with pytest.raises(ValueError, match=sentence):
        bea.modified_equation(undefined, scheme, order=1)
    assert bea.modified_equation(bea.Loss("x**2/2 + y**2", "x y"), scheme, order=0).terms[0][1] != 0
