"""Splittings against matrix logarithms, brackets written out, and differences of precise iterates."""

import mpmath
import numpy as np
import pytest
import sympy
from flint import arb
from scipy.linalg import expm, logm

import bea
from bea.schemes import GradientDescent, HeavyBall, ImplicitMidpoint, LieTrotter, Strang

A = sympy.Matrix([[0, 1, 2], [-1, 0, "1/3"], [1, "1/2", 0]])
B = sympy.Matrix([["1/2", 0, 1], [2, "-1/3", 0], [0, 1, "1/5"]])
C = sympy.Matrix([[1, 1, 0], [0, "1/4", -1], ["2/3", 0, "1/7"]])
X = sympy.Matrix(sympy.symbols("x y z"))
H = mpmath.mpf(2) ** -40


def linear(*matrices):
    return bea.SplitField([list(M * X) for M in matrices], variables="x y z")


def matrix_of(term):
    return sympy.Matrix(term).jacobian(X)


def precise(M):
    return mpmath.matrix([[mpmath.mpf(int(e.p)) / int(e.q) for e in row] for row in M.tolist()])


def coefficients_of_logarithm(factors, count):
    """log Π exp(t_j h M_j) / h as a polynomial in h, from values at h = H, −H, 2H, …: mpmath alone."""
    with mpmath.workprec(1500):
        nodes = [H * k for k in range(-6, 7) if k]
        values = []
        for h in nodes:
            product = mpmath.eye(3)
            for weight, M in factors:
                product = mpmath.expm(precise(M) * (h * weight), method="taylor") * product
            N, power, total = product - mpmath.eye(3), mpmath.eye(3), mpmath.zeros(3)
            for j in range(1, 60):
                power = power * N
                total += power * ((-1) ** (j + 1) / mpmath.mpf(j))
            values.append(total / h)
        vandermonde = mpmath.matrix([[h**k for k in range(len(nodes))] for h in nodes])
        inverse = mpmath.inverse(vandermonde)
        return [sum((v * inverse[k, i] for i, v in enumerate(values)), mpmath.zeros(3)) for k in range(count)]


HALF = mpmath.mpf("0.5")


@pytest.mark.parametrize(
    ("scheme", "matrices", "factors"),
    [
        (LieTrotter(), (A, B), [(1, A), (1, B)]),
        (LieTrotter(sequence=(1, 0)), (A, B), [(1, B), (1, A)]),
        (LieTrotter(sequence=(2, 0, 1)), (A, B, C), [(1, C), (1, A), (1, B)]),
        (Strang(), (A, B), [(HALF, A), (1, B), (HALF, A)]),
        (Strang(), (A, B, C), [(HALF, A), (HALF, B), (1, C), (HALF, B), (HALF, A)]),
    ],
)
def test_linear_parts_give_the_logarithm_of_a_product_of_exponentials(scheme, matrices, factors):
    terms = bea.modified_equation(linear(*matrices), scheme, order=3).terms
    expected = coefficients_of_logarithm(factors, 4)
    for term, known in zip(terms, expected, strict=True):
        difference = precise(matrix_of(term)) - known
        assert max(abs(e) for e in difference) < 1e-60


def test_the_other_order_is_another_logarithm():
    terms = bea.modified_equation(linear(A, B), LieTrotter(), order=1).terms
    wrong = coefficients_of_logarithm([(1, B), (1, A)], 2)[1]
    assert max(abs(e) for e in precise(matrix_of(terms[1])) - wrong) > 0.1


def test_a_whole_step_is_the_flow_of_the_logarithm():
    h = 0.1
    a, b = (np.array(M.tolist(), dtype=float) for M in (A, B))
    field = logm(expm(h * b) @ expm(h * a)) / h
    series = bea.modified_equation(linear(A, B), LieTrotter(), order=9).expressions()
    M = np.array(sympy.Matrix(series.subs("h", sympy.Rational(1, 10))).jacobian(X).tolist(), dtype=float)
    assert np.abs(M - field).max() < 1e-8


# -- brackets ----------------------------------------------------------------------------------------------

Q = sympy.symbols("q p")
PARTS = (sympy.Matrix(["p + q*p", "q**2"]), sympy.Matrix(["p**2/2", "-sin(q)"]))


def bracket(f, g):
    return g.jacobian(Q) * f - f.jacobian(Q) * g


def is_zero(matrix):
    return all(sympy.simplify(e) == 0 for e in matrix)


class TestBakerCampbellHausdorff:
    f, g = PARTS
    split = bea.SplitField([list(f), list(g)], variables="q p")

    def test_first_terms_of_lie_trotter(self):
        f, g = PARTS
        terms = bea.modified_equation(self.split, LieTrotter(), order=2).terms
        assert is_zero(terms[0] - f - g)
        assert is_zero(terms[1] - bracket(f, g) / 2)
        assert is_zero(terms[2] - (bracket(f, bracket(f, g)) + bracket(g, bracket(g, f))) / 12)

    def test_the_bracket_with_the_other_sign_is_wrong(self):
        f, g = PARTS
        terms = bea.modified_equation(self.split, LieTrotter(), order=1).terms
        assert not is_zero(terms[1] - bracket(g, f) / 2)

    def test_strang_has_even_terms_alone(self):
        f, g = PARTS
        terms = bea.modified_equation(self.split, Strang(), order=3).terms
        assert is_zero(terms[1])
        assert is_zero(terms[3])
        assert is_zero(terms[2] + bracket(f, bracket(f, g)) / 24 - bracket(g, bracket(g, f)) / 12)

    def test_symmetry_needs_symmetric_inner_steps(self):
        symmetric = bea.modified_equation(self.split, Strang(inner=ImplicitMidpoint()), order=1)
        euler = bea.modified_equation(self.split, Strang(inner=GradientDescent()), order=1)
        assert is_zero(symmetric.terms[1])
        assert not is_zero(euler.terms[1])


# -- steps -------------------------------------------------------------------------------------------------


def test_leapfrog_is_strang_on_the_pendulum():
    pendulum = bea.SplitField([[0, "-sin(q)"], ["p", 0]], variables="q p")
    end = bea.arbitrary.iterate(pendulum, Strang(), ["1/2", "1/3"], "1/10", steps=1, bits=150)[1]
    with mpmath.workprec(150):
        q, p, h = mpmath.mpf(1) / 2, mpmath.mpf(1) / 3, mpmath.mpf(1) / 10
        p -= h / 2 * mpmath.sin(q)
        q += h * p
        p -= h / 2 * mpmath.sin(q)
        for known, value in zip((q, p), end, strict=True):
            assert abs(known - mpmath.mpf(value.str(45, radius=False))) < 1e-38


def test_exact_flows_of_nonlinear_parts():
    """ẏ = y² and ẏ = −y, both known: y/(1 − hy) and then e^{−h} times that."""
    field = bea.SplitField([["y**2"], ["-y"]], variables="y")
    end = bea.arbitrary.iterate(field, LieTrotter(), ["1/2"], "1/5", steps=1, bits=150)[1, 0]
    known = arb(5) / 9 * (-arb(1) / 5).exp()
    assert abs(float(end - known)) < 1e-15
    terms = bea.modified_equation(field, LieTrotter(), order=1).terms
    assert sympy.expand(terms[1][0] - bea.VectorField(["y**2/2"], "y").components[0]) == 0


@pytest.mark.parametrize("scheme", [LieTrotter(inner=GradientDescent()), Strang(inner=GradientDescent())])
def test_the_derived_field_is_the_observed_one(scheme):
    tasks = bea.LossSum(["(a*b - 1)**2 / 2", "(a - 2*b)**2 / 2"], variables="a b")
    gradients = [
        lambda a, b: ((a * b - 1) * b, (a * b - 1) * a),
        lambda a, b: (a - 2 * b, -2 * (a - 2 * b)),
    ]
    h = mpmath.mpf(2) ** -30
    moves = [(0, h), (1, h)] if isinstance(scheme, LieTrotter) else [(0, h / 2), (1, h), (0, h / 2)]

    def step(x):
        a, b = x
        for part, t in moves:
            u, v = gradients[part](a, b)
            a, b = a - t * u, b - t * v
        return np.array([a, b], dtype=object)

    equation = bea.modified_equation(tasks, scheme, order=4)
    start = (sympy.Rational(3, 2), sympy.Rational(1, 3))
    values = {**dict(zip(tasks.variables, start, strict=True)), sympy.Symbol("h"): sympy.Rational(1, 2**30)}
    with mpmath.workdps(120):
        x = np.array([mpmath.mpf(int(v.p)) / int(v.q) for v in start], dtype=object)
        for seen, known in zip(
            bea.observed_field(step, x, h, order=5), equation.expressions().subs(values), strict=True
        ):
            assert abs(mpmath.mpf(int(known.p)) / int(known.q) - seen) < mpmath.mpf(10) ** -34


class TestTwoTasks:
    """Dherin (2023): −∇(E₁ + E₂ + (h/4)(‖g₁‖² + ‖g₂‖²)) + (h/2)(H₂g₁ − H₁g₂)."""

    tasks = bea.LossSum(["exp(a*b) - a", "(a - b**2)**2 / 2"], variables="a b")

    @staticmethod
    def gradient(expression, variables):
        return sympy.Matrix([expression.diff(v) for v in variables])

    def published(self, sign=1):
        v = self.tasks.variables
        g, k = (self.gradient(part.expression, v) for part in self.tasks.parts)
        regulariser = (g.dot(g) + k.dot(k)) / 4
        return -self.gradient(regulariser, v) + sympy.Rational(sign, 2) * (
            k.jacobian(v) * g - g.jacobian(v) * k
        )

    def test_the_term_at_h(self):
        equation = bea.modified_equation(self.tasks, LieTrotter(inner=GradientDescent()), order=1)
        assert is_zero(equation.terms[1] - self.published())
        assert not is_zero(equation.terms[1] - self.published(sign=-1))
        assert not equation.loss.is_exact(1)

    def test_tasks_that_commute_have_a_modified_loss(self):
        tasks = bea.LossSum(["a**2 + a**4", "exp(b)"], variables="a b")
        modified = bea.modified_equation(tasks, LieTrotter(inner=GradientDescent()), order=1).loss
        a, b = tasks.variables
        assert modified.is_exact(1)
        assert sympy.simplify(modified.terms[1] - ((2 * a + 4 * a**3) ** 2 + sympy.exp(2 * b)) / 4) == 0


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LieTrotter(inner=GradientDescent), TypeError, r"write GradientDescent\(\)"),
        (lambda: LieTrotter(inner="rk4"), TypeError, "a scheme or None, not str"),
        (lambda: Strang(inner=HeavyBall()), ValueError, "without memory, and heavy-ball has one"),
        (lambda: LieTrotter(sequence=3), TypeError, "must be integers"),
        (lambda: LieTrotter(sequence=(0.5, 1)), TypeError, "must be integers"),
    ],
)
def test_arguments_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


@pytest.mark.parametrize(
    ("scheme", "system", "message"),
    [
        (Strang(), bea.Loss("x**2", "x"), "steps along the parts of a system"),
        (LieTrotter(sequence=(0, 0)), bea.LossSum(["x", "x**2"], "x"), "each of the parts 0 to 1 once"),
        (LieTrotter(sequence=(0, 1, 2)), bea.LossSum(["x", "x**2"], "x"), "each of the parts 0 to 1 once"),
        (LieTrotter(inner=LieTrotter()), bea.LossSum(["x", "x**2"], "x"), "steps along the parts"),
    ],
)
def test_systems_are_refused(scheme, system, message):
    with pytest.raises(ValueError, match=message):
        bea.modified_equation(system, scheme)


def test_orders_and_constants():
    assert (LieTrotter().order, Strang().order) == (1, 2)
    assert (Strang(inner=GradientDescent()).order, Strang(inner=ImplicitMidpoint()).order) == (1, 2)
    family = LieTrotter(inner=bea.schemes.SecondOrder())
    assert [s.name for s in family.parameter_symbols] == [s.name for s in family.inner.parameter_symbols]
