"""Linear multistep methods: published coefficients, error constants, principal roots, the observed field."""

from fractions import Fraction

import numpy as np
import pytest
import sympy
from settled_iterates import gap_orders

import bea
from bea.schemes import BDF, AdamsBashforth, AdamsMoulton, ImplicitEuler, LinearMultistep, Trapezoidal

H, L = sympy.symbols("h lam")
LOSS = bea.Loss("(3/5 - a*b)**2/2 + a/4", variables="a b")
START = ["7/5", "9/10"]

#: Hairer, Nørsett and Wanner (1993), Section III.1: the newest coefficient last, β for Adams and α for BDF.
COEFFICIENTS = [
    (AdamsBashforth, 1, "1 0"),
    (AdamsBashforth, 2, "-1/2 3/2 0"),
    (AdamsBashforth, 3, "5/12 -16/12 23/12 0"),
    (AdamsBashforth, 4, "-9/24 37/24 -59/24 55/24 0"),
    (AdamsBashforth, 5, "251/720 -1274/720 2616/720 -2774/720 1901/720 0"),
    (AdamsMoulton, 1, "1/2 1/2"),
    (AdamsMoulton, 2, "-1/12 8/12 5/12"),
    (AdamsMoulton, 3, "1/24 -5/24 19/24 9/24"),
    (AdamsMoulton, 4, "-19/720 106/720 -264/720 646/720 251/720"),
    (AdamsMoulton, 5, "27/1440 -173/1440 482/1440 -798/1440 1427/1440 475/1440"),
    (BDF, 1, "-1 1"),
    (BDF, 2, "1/3 -4/3 1"),
    (BDF, 3, "-2/11 9/11 -18/11 1"),
    (BDF, 4, "3/25 -16/25 36/25 -48/25 1"),
    (BDF, 5, "-12/137 75/137 -200/137 300/137 -300/137 1"),
    (BDF, 6, "10/147 -72/147 225/147 -400/147 450/147 -360/147 1"),
]
#: The error constants C_{p+1}/σ(1) of Table III.2.1 there (Adams) and −1/(k+1) for BDF.
ADAMS_CONSTANTS = {
    AdamsBashforth: ["1/2", "5/12", "3/8", "251/720", "95/288"],
    AdamsMoulton: ["-1/12", "-1/24", "-19/720", "-3/160", "-863/60480"],
}
METHODS = [kind(steps) for kind, steps, _ in COEFFICIENTS]
EVERY = pytest.mark.parametrize("method", METHODS, ids=repr)


@pytest.mark.parametrize(("kind", "steps", "published"), COEFFICIENTS)
def test_coefficients_are_the_published_ones(kind, steps, published):
    method = kind(steps)
    own = method.alpha if kind is BDF else method.beta
    assert own == tuple(map(sympy.Rational, published.split()))
    assert method.order == (steps + 1 if kind is AdamsMoulton else steps)


@EVERY
def test_error_constant_is_the_published_one(method):
    k = method.steps
    known = ADAMS_CONSTANTS.get(type(method))
    assert method.error_constant == (sympy.Rational(known[k - 1]) if known else -sympy.Rational(1, k + 1))


@EVERY
def test_first_error_term_is_the_derivative_of_the_solution(method):
    """The terms below h^p vanish; that at h^p is −C d^p f/dt^p along the solution, f linear or not."""
    field = bea.VectorField(["y**2 - x", "x*y/2"], variables="x y")
    p, derivative = method.order, list(field.components)
    for _ in range(p):
        derivative = [
            sum(sympy.diff(c, v) * f for v, f in zip(field.variables, field.components, strict=True))
            for c in derivative
        ]
    equation = bea.modified_equation(field, method, order=p)
    assert all(equation.terms[k].is_zero_matrix for k in range(1, p))
    expected = -method.error_constant * sympy.Matrix(derivative)
    assert sympy.expand(equation.terms[p] - expected).is_zero_matrix
    assert not sympy.expand(equation.terms[p] + expected).is_zero_matrix


@EVERY
def test_linear_field_follows_the_principal_root(method):
    """On ẏ = λy the rate w/h solves ρ(e^w) = hλ σ(e^w)."""
    field = bea.VectorField(["lam*y"], variables="y")
    order = method.order + 2
    equation = bea.modified_equation(field, method, order=order)
    rate = sum(H**k * equation.terms[k][0] for k in range(order + 1)) / field.variables[0]
    w = sympy.expand(H * rate)
    exponential = _truncated(sum(w**n / sympy.factorial(n) for n in range(order + 2)), order + 1)
    defect = sympy.S.Zero
    power = sympy.S.One
    for a, b in zip(method.alpha, method.beta, strict=True):
        defect += (a - H * L * b) * power
        power = _truncated(power * exponential, order + 1)
    assert _truncated(defect, order + 1) == 0


def _truncated(expression, order):
    poly = sympy.Poly(sympy.expand(expression), H)
    return sympy.Add(*(c * H**k for (k,), c in poly.terms() if k <= order))


def test_one_step_methods_are_those_of_runge_and_kutta():
    for method, twin in ((BDF(1), ImplicitEuler()), (AdamsMoulton(1), Trapezoidal())):
        assert bea.modified_equation(LOSS, method, 3).expressions() == (
            bea.modified_equation(LOSS, twin, 3).expressions()
        )
    assert bea.modified_equation(LOSS, AdamsBashforth(1), 3).expressions() == (
        bea.modified_equation(LOSS, bea.GradientDescent(), 3).expressions()
    )


@pytest.mark.parametrize(
    "method", [AdamsBashforth(2), AdamsBashforth(3), BDF(2), BDF(3), AdamsMoulton(2)], ids=repr
)
def test_terms_agree_with_the_observed_field(method):
    equation = bea.modified_equation(LOSS, method, order=4)
    expected = [max(k + 1, method.order) for k in range(5)]
    assert gap_orders(equation, START, Fraction(3, 5)) == pytest.approx(expected, abs=1e-3)


def test_control_another_multistep_method():
    equation = bea.modified_equation(LOSS, AdamsBashforth(2), order=3)
    assert gap_orders(equation, START, scheme=BDF(2)) == pytest.approx([2, 2, 2, 2], abs=1e-3)


@pytest.mark.parametrize("method", [AdamsBashforth(4), BDF(3), AdamsMoulton(3)], ids=repr)
def test_iterates_satisfy_the_defining_equation(method):
    """Σ α_j x_{n+j} = h Σ β_j f(x_{n+j}) in NumPy, on the iterates of the displacement form."""
    path = bea.arbitrary.iterate(LOSS, method, START, "1/10", steps=12).astype(float)
    a, b = path.T
    values = np.stack([(0.6 - a * b) * b - 0.25, (0.6 - a * b) * a], axis=1)
    alpha, beta = (np.array(c, dtype=float) for c in (method.alpha, method.beta))
    k = len(alpha) - 1
    for n in range(len(path) - k):
        defect = alpha @ path[n : n + k + 1] - 0.1 * beta @ values[n : n + k + 1]
        np.testing.assert_allclose(defect, 0, atol=1e-14)


@pytest.mark.parametrize("method", [AdamsBashforth(5), BDF(6), AdamsMoulton(5)], ids=repr)
def test_starting_values_keep_the_order(method):
    """The error at a fixed time falls with the classical order from the first step on."""
    field = bea.VectorField(["x*(1 - x)"], variables="x")
    exact = bea.arbitrary.flow(field, ["1/5"], 1, bits=150)[0]
    errors = []
    for steps in (64, 128):
        end = bea.arbitrary.iterate(field, method, ["1/5"], Fraction(1, steps), steps, bits=150)[-1, 0]
        errors.append(abs(float(end - exact)))
    assert np.log2(errors[0] / errors[1]) == pytest.approx(method.order, abs=0.3)


def test_methods_without_strong_stability_are_refused():
    leapfrog = LinearMultistep([-1, 0, 1], [0, 2, 0])
    milne = LinearMultistep([-1, 0, 1], ["1/3", "4/3", "1/3"])
    assert (leapfrog.order, milne.order) == (2, 4)
    for method in (leapfrog, milne):
        with pytest.raises(ValueError, match=r"does not contract.*eigenvalue -1"):
            bea.modified_equation(LOSS, method, order=1)
    most_accurate = LinearMultistep([-5, 4, 1], [2, 4, 0])
    assert most_accurate.order == 3
    with pytest.raises(ValueError, match=r"does not contract.*eigenvalue -5"):
        bea.modified_equation(LOSS, most_accurate, order=1)


def test_a_family_with_a_symbol():
    """α = (θ, −1−θ, 1) with explicit weights of order 2; θ = 0 is the method of Adams and Bashforth."""
    family = LinearMultistep(["theta", "-1 - theta", 1], ["-(1 + theta)/2", "(3 - theta)/2", 0])
    assert family.order is None
    assert [s.name for s in family.parameter_symbols] == ["theta"]
    assert family.with_parameters(theta=0) == AdamsBashforth(2)
    equation = bea.modified_equation(LOSS, family, order=2)
    special = bea.modified_equation(LOSS, family.with_parameters(theta="1/3"), order=2)
    third = equation.terms[2].subs("theta", sympy.Rational(1, 3))
    assert sympy.simplify(third - special.terms[2]).is_zero_matrix
    with pytest.raises(ValueError, match="'phi' is no parameter of linear-multistep"):
        family.with_parameters(phi=1)
    with pytest.raises(ValueError, match="depends on the values of its parameters"):
        _ = family.error_constant


@pytest.mark.parametrize(
    ("alpha", "beta", "sentence"),
    [
        ([-1, 1], [1], "lengths 2 and 1"),
        ([1], [1], "one length, 2 or more"),
        ([-1, 0], [1, 0], "the last alpha"),
        ([-1, 2], [1, 0], "alpha must sum to 0"),
        ([-1, 1], [2, 0], "must be equal and not 0"),
        ([1, -2, 1], [0, 0, 0], "must be equal and not 0"),
        ([-1, 1], ["h", "1 - h"], "step size"),
        ([-1, 1], ["1/(", 1], "cannot be read"),
        ([-1, 1], ["sqrt(-1)", "1 - sqrt(-1)"], "real"),
    ],
)
def test_what_is_no_method_is_refused(alpha, beta, sentence):
    with pytest.raises(ValueError, match=sentence):
        LinearMultistep(alpha, beta)


def test_numbers_of_steps_that_are_not_known_are_refused():
    with pytest.raises(TypeError, match="alpha must be a sequence"):
        LinearMultistep("-1 1", [1, 0])
    for kind in (AdamsBashforth, AdamsMoulton, BDF):
        for steps in (0, 7, 2.0, True):
            with pytest.raises(ValueError, match=r"is known here with 1 to \d steps, not"):
                kind(steps)


def test_a_start_at_rest_spares_stiff_problems_the_leap():
    """From memory 0 the first step of BDF(2) is x/(1 + 2hλ/3); run backwards, Dormand–Prince grows first."""
    field = bea.VectorField(["-1000*x"], variables="x")
    at_rest = bea.iterate(field, BDF(2), [1.0], 0.1, 20, memory=[0.0]).x[:, 0]
    assert at_rest[1] == pytest.approx(3 / 203)
    assert np.abs(at_rest[1:]).max() < 0.02
    assert abs(bea.iterate(field, BDF(2), [1.0], 0.1, 20).x[1, 0]) > 1e6
