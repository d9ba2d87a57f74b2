"""Modified equations of schemes with memory: closed forms, matrix logarithms and observed iterates."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest
import sympy
from flint import arb, ctx

import bea
from bea.modified.workspace import ROOMS
from bea.schemes import GradientDescent, HeavyBall
from bea.schemes.parametric import ParametricScheme, constant
from bea.schemes.scheme import Scheme

LOSS = bea.Loss("(3/5 - a*b)**2 / 2", variables="a b")
beta = sympy.Symbol("beta")


class TestHeavyBall:
    def test_first_order_is_the_published_loss(self):
        """Theory: E/(1−β) + h(1+β)/(4(1−β)³)‖∇E‖²."""
        modified = bea.modified_equation(LOSS, HeavyBall(), order=1).loss
        g = LOSS.gradient
        expected = LOSS.expression / (1 - beta), (1 + beta) / (4 * (1 - beta) ** 3) * (g.T * g)[0]
        for found, known in zip(modified.terms, expected, strict=True):
            assert sympy.simplify(found - known) == 0
        assert all(modified.is_exact(k) for k in range(2))

    @pytest.mark.parametrize("rate", [sympy.Rational(1, 3), -2])
    def test_on_a_linear_field_it_is_the_logarithm_of_the_slow_eigenvalue(self, rate):
        """The map (x, m) has a 2×2 matrix; the slow eigenvalue μ(h) is near 1, and the field is log(μ)/h."""
        order, b, h, mu = 6, sympy.Rational(1, 4), sympy.Symbol("h"), sympy.Symbol("mu")
        field = bea.VectorField([rate * sympy.Symbol("x")], variables="x")
        found = [t[0] / sympy.Symbol("x") for t in bea.modified_equation(field, HeavyBall(b), order).terms]
        characteristic = sympy.Matrix([[1 + h * rate, h * b], [rate, b]]).charpoly(mu).as_expr()
        slow = max(sympy.solve(characteristic, mu), key=lambda root: root.subs(h, 0))
        series = sympy.series(sympy.log(slow) / h, h, 0, order + 1).removeO()
        assert [sympy.simplify(series.coeff(h, k) - found[k]) for k in range(order + 1)] == [0] * (order + 1)

    def test_memory_is_the_slow_eigenvector(self):
        b, rate, h = sympy.Rational(1, 2), sympy.Rational(-1), sympy.Rational(1, 1000)
        memory = bea.modified_equation(bea.VectorField(["-x"], variables="x"), HeavyBall(b), order=8).memory
        vectors = sympy.Matrix([[1 + h * rate, h * b], [rate, b]]).eigenvects()
        (slow,) = max(vectors, key=lambda item: sympy.re(item[0]))[2]
        assert memory([1.0], h=float(h))[0] == pytest.approx(float(slow[1] / slow[0]), rel=1e-12)

    def test_terms_agree_with_observed_iterates(self):
        """Base point: where the iterates are when the velocity has forgotten that it started at zero."""
        b, order = Fraction(1, 2), 3
        equation = bea.modified_equation(LOSS, HeavyBall(sympy.Rational(1, 2)), order)
        errors = []
        for h in (Fraction(1, 200), Fraction(1, 400)):
            with ctx.workprec(800):
                step = hand_written(h, b)
                x, m = [arb(6) / 5, arb(7) / 10], [arb(0), arb(0)]
                for _ in range(int(1 / h)):
                    x, m = step(x, m)
                x, m = np.array([v.mid() for v in x]), [v.mid() for v in m]
                seen = bea.observed_field(step, x, h=h, order=12, memory=m)
                derived = bea.arbitrary.evaluate(
                    equation.field().components, LOSS.variables, list(x), {"h": h}, bits=300
                )
                errors.append(max(float(abs(s.mid() - d)) for s, d in zip(seen, derived, strict=True)))
        assert np.log2(errors[0] / errors[1]) == pytest.approx(order + 1, abs=0.05)

    def test_control_without_the_memory_correction_the_terms_are_wrong(self):
        """Gradient descent with the step size h/(1−β), as one might guess, is off at first order."""
        guess = bea.modified_equation(LOSS, GradientDescent(), order=1).terms[1] / (1 - beta) ** 2
        assert sympy.simplify(
            guess - bea.modified_equation(LOSS, HeavyBall(), order=1).terms[1]
        ) != sympy.zeros(2, 1)


def hand_written(h, b):
    """The heavy ball on LOSS in plain arithmetic."""

    def step(x, m):
        r = x[0] * x[1] - arb(3) / 5
        m = [arb(b.numerator) / b.denominator * m_i - g * r for m_i, g in zip(m, (x[1], x[0]), strict=True)]
        return [x_i + arb(h.numerator) / h.denominator * m_i for x_i, m_i in zip(x, m, strict=True)], m

    return step


# -- a scheme that is defined here -----------------------------------------------------------------------


@dataclass(frozen=True)
class AveragedGradient(ParametricScheme):
    """Descend along an exponential average of normalised gradients.

    References
    ----------
    .. [1] Nobody (2026).
    """

    decay: object = constant("c")
    name, vectors = "averaged-gradient", 1

    def update(self, field, x, memory, h, arithmetic):
        """m ↦ cm + (1 − c) f/√(1 + ‖f‖²), x ↦ x + hm."""
        c, f = arithmetic.number(self.decay), field(x)
        size = sum((v * v for v in f[1:]), f[0] * f[0]) + 1
        scale = arithmetic.power(size, sympy.Rational(-1, 2))
        m = [c * old + (1 - c) * (v * scale) for old, v in zip(memory[0], f, strict=True)]
        return [a + h * b for a, b in zip(x, m, strict=True)], [m]


class TestSchemeDefinedOnTheSpot:
    scheme = AveragedGradient("1/3")

    def test_leading_term(self):
        equation = bea.modified_equation(LOSS, AveragedGradient(), order=0)
        g = LOSS.gradient
        expected = -g / sympy.sqrt(1 + (g.T * g)[0])
        assert sympy.simplify(equation.terms[0] - expected) == sympy.zeros(2, 1)

    @pytest.mark.parametrize("order", range(4))
    def test_slopes(self, order):
        measured = bea.slope(LOSS, self.scheme, [1.2, 0.7], order=order, bits=200)
        assert measured.agrees
        assert abs(measured.value - (order + 2)) < 0.05

    def test_control_terms_of_another_decay_have_a_lower_slope(self):
        wrong = bea.modified_equation(LOSS, AveragedGradient("1/2"), order=2)
        measured = bea.slope(LOSS, self.scheme, [1.2, 0.7], order=1, bits=200, equation=wrong)
        assert not measured.agrees

    def test_compiled_iterates_follow_the_rule(self):
        path = bea.iterate(LOSS, self.scheme, [1.2, 0.7], step_size=0.01, steps=500)
        x, m = np.array([1.2, 0.7]), np.zeros(2)
        for _ in range(500):
            f = (0.6 - x[0] * x[1]) * x[::-1]
            m = m / 3 + 2 / 3 * f / np.sqrt(1 + f @ f)
            x = x + 0.01 * m
        np.testing.assert_allclose(path.x[-1], x, rtol=1e-13)
        np.testing.assert_allclose(path.memory, m, rtol=1e-9)


# -- what cannot be had ----------------------------------------------------------------------------------


class Leapfrog(Scheme):
    """x_{n+1} = x_{n−1} + 2h f(x_n), whose memory (x_n − x_{n−1})/h does not contract."""

    name, vectors = "leapfrog", 1

    def update(self, field, x, memory, h, arithmetic):
        """D ↦ 2f − D, x ↦ x + hD."""
        D = [2 * f - old for f, old in zip(field(x), memory[0], strict=True)]
        return [a + h * b for a, b in zip(x, D, strict=True)], [D]


class Jumping(Scheme):
    """A step that moves x for h = 0."""

    name, vectors = "jumping", 1

    def update(self, field, x, memory, h, arithmetic):
        """x ↦ x + m."""
        return [a + b for a, b in zip(x, memory[0], strict=True)], memory


class Multiplying(Scheme):
    """A memory that is multiplied by the field."""

    name, scalars = "multiplying", 1

    def update(self, field, x, memory, h, arithmetic):
        """m ↦ m f₁."""
        f = field(x)
        return [a + h * b for a, b in zip(x, f, strict=True)], [memory[0] * f[0]]


@pytest.mark.parametrize(
    ("scheme", "sentence"),
    [
        (Leapfrog(), "does not contract.*eigenvalue -1"),
        (HeavyBall(1), "does not contract.*eigenvalue 1"),
        (HeavyBall("-3/2"), "does not contract.*eigenvalue -1.5"),
        (Jumping(), "step size 0 must leave x"),
        (Multiplying(), "must change by a constant matrix"),
    ],
)
def test_why_there_is_no_equation(scheme, sentence):
    with pytest.raises(ValueError, match=sentence):
        bea.modified_equation(LOSS, scheme, order=1)


def test_symbol_of_scheme_and_system_must_differ():
    loss = bea.Loss("beta*x**2", variables="x")
    with pytest.raises(ValueError, match="'beta' is also a symbol of the system"):
        bea.modified_equation(loss, HeavyBall(), order=1)


def test_modifying_integrator_is_refused_for_a_memory():
    with pytest.raises(ValueError, match="without memory, and heavy-ball has one"):
        bea.modifying_integrator(LOSS, HeavyBall("1/2"))


def test_rooms_grow():
    assert list(ROOMS) == sorted(ROOMS)
    assert ROOMS[0] == 0


def test_non_polynomial_loss():
    loss = bea.Loss("log(1 + x**2) + exp(-y)*x**2 + y**2", variables="x y")
    assert bea.slope(loss, HeavyBall("1/2"), [0.7, 0.4], order=2, bits=200).agrees


def test_abstract_loss_goes_through_sympy():
    x, y = sympy.symbols("x y")
    E = sympy.Function("E")(x, y)
    equation = bea.modified_equation(bea.Loss(E, "x y"), HeavyBall(), order=1)
    g = sympy.Matrix([E.diff(x), E.diff(y)])
    expected = -(1 + beta) / (2 * (1 - beta) ** 3) * sympy.hessian(E, (x, y)) * g
    assert sympy.simplify(equation.terms[1] - expected) == sympy.zeros(2, 1)
