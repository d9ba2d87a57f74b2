"""Fields that share their parts: Lie series on small systems, iterates in 120 digits on one network."""

import mpmath
import numpy as np
import pytest
import sympy

import bea
from bea.modified import evaluate_series
from bea.modified.shared_differentials import SharedDifferentials
from bea.numerics.codegen import generate_numpy_source
from bea.numerics.program import Program
from bea.schemes import RK4, ExplicitEuler, Heun, ImplicitMidpoint, SecondOrder
from bea.series import RootedTree, bseries
from bea.systems.traversal import free_symbols, replace_symbols, written_size

x, y = sympy.symbols("x y")

SYSTEMS = {
    "polynomial": bea.VectorField(["x**2*y - 3*y + 1", "c*x*y - y**3/2"], variables="x y"),
    "elementary": bea.VectorField(["sin(y) + x*exp(x)", "1/(1 + x**2) - y"], variables="x y"),
    "powers": bea.VectorField([(1 + x**2) ** sympy.sin(y), sympy.sqrt(2) * 3**x], variables=[x, y]),
    "loss": bea.Loss("(1 - a*b)**2 / 2 + exp(a)", variables="a b"),
    "undefined": bea.Loss(sympy.Function("E")(x, y), variables=[x, y]),
    "constant": bea.VectorField(["1", "c"], variables="x y"),
}

NETWORK = bea.catalogue.tanh_network()
POINT = [0.6, -0.4, 0.9, 1.1, 0.2, -0.3]


def shared(scheme, system, order):
    return evaluate_series(bseries(scheme, order=order + 1).log(), system, expanded=False)


def operations(field, derivative=False):
    """The size of the program that is compiled."""
    program = Program(field.components, [*field.variables, *field.parameter_symbols])
    if derivative:
        program.differentiate(field.dimension)
    return program.size


def values(matrix):
    return np.array(bea.VectorField(list(matrix), NETWORK.variables)(POINT))


def network_gradient(point):
    """∇E of the network by its formula, back through one layer, in the arithmetic of the point."""
    a, w, b = point[:2], point[2:4], point[4:]
    gradient = np.array([mpmath.mpf(0)] * 6)
    for datum, target in zip((-1, 0, 1), (mpmath.mpf("-0.5"), 0, mpmath.mpf("0.5")), strict=True):
        units = np.array([mpmath.tanh(w[j] * datum + b[j]) for j in range(2)])
        residual = (a @ units - target) / 3
        inner = residual * a * (1 - units**2)
        gradient += np.concatenate([residual * units, datum * inner, inner])
    return gradient


@pytest.fixture(scope="module")
def network_terms():
    """f, f₁, f₂, f₃ of gradient descent on the network at `POINT`, from its iterates alone.

    The observed fields for fifteen small steps, interpolated by a polynomial in the step size.
    """
    with mpmath.workdps(120):
        start = np.array([mpmath.mpf(str(v)) for v in POINT])
        steps = [mpmath.mpf(k) / 10**4 for k in range(1, 16)]
        fields = [
            bea.observed_field(lambda z, h=h: z - h * network_gradient(z), start, h, order=15) for h in steps
        ]
        powers = mpmath.matrix([[h**k for k in range(15)] for h in steps])
        columns = [mpmath.lu_solve(powers, mpmath.matrix([f[i] for f in fields])) for i in range(6)]
        return np.array([[float(column[k]) for column in columns] for k in range(4)])


class TestAgreement:
    @pytest.mark.parametrize("name", SYSTEMS)
    @pytest.mark.parametrize("scheme", [ExplicitEuler(), ImplicitMidpoint(), SecondOrder()], ids=repr)
    def test_terms_are_those_of_the_lie_series(self, name, scheme):
        system = SYSTEMS[name]
        expected = bea.modified_equation(system, scheme, order=2)
        for p, q in zip(shared(scheme, system, 2).terms, expected.terms, strict=True):
            assert all(sympy.expand(sympy.together(sympy.expand(c))) == 0 for c in p - q)

    def test_fourth_order_method_through_its_first_correction(self):
        system = SYSTEMS["loss"]
        equation, expected = shared(RK4(), system, 4), bea.modified_equation(system, RK4(), order=4)
        for p, q in zip(equation.terms, expected.terms, strict=True):
            assert (p - q).expand() == sympy.zeros(2, 1)
        assert equation.terms[4] != sympy.zeros(2, 1)

    def test_functions_of_several_arguments(self):
        """−½ f'f with a Jacobian from SymPy."""
        system = bea.VectorField([sympy.besselj(2, x * y), sympy.atan2(x, 1 + y**2)], [x, y])
        f = sympy.Matrix(system.components)
        difference = shared(ExplicitEuler(), system, 1).terms[1] + f.jacobian([x, y]) * f / 2
        assert difference.expand() == sympy.zeros(2, 1)

    def test_network_through_the_third_power(self, network_terms):
        for term, expected in zip(
            shared(bea.GradientDescent(), NETWORK, 3).terms, network_terms, strict=True
        ):
            np.testing.assert_allclose(values(term), expected, rtol=1e-12)

    def test_another_method_has_other_terms(self, network_terms):
        """Heun's method has the order two, so that its first correction is that of h²."""
        equation = shared(Heun(), NETWORK, 2)
        assert equation.terms[1] == sympy.zeros(6, 1)
        assert np.abs(values(equation.terms[2]) - network_terms[2]).max() > 1e-2

    def test_repeated_branches_count_as_often_as_they_can_be_chosen(self):
        """F([τ, τ, τ]) = f''' f³ for f = x⁴: 24 x · x¹²; with one choice for each subset it would be less."""
        assert SharedDifferentials([x], [x**4])(RootedTree([1, 2, 2, 2])) == [24 * x**13]


class TestJacobian:
    def test_of_the_network(self):
        """Central differences in 100 digits of f − (h/2) f'f, where f'f is another one."""
        field = shared(bea.GradientDescent(), NETWORK, 1).field()
        numeric = replace_symbols(field.jacobian, {sympy.Symbol("h"): sympy.Rational(1, 20)})
        with mpmath.workdps(100):
            point = np.array([mpmath.mpf(str(v)) for v in POINT])

            def along(function, z, v):
                small = mpmath.mpf(10) ** -25
                return (function(z + small * v) - function(z - small * v)) / (2 * small)

            def euler(z):
                return -network_gradient(z) + along(network_gradient, z, -network_gradient(z)) / 40

            expected = np.transpose([along(euler, point, e) for e in np.identity(6, dtype=int)])
        np.testing.assert_allclose(
            np.concatenate([values(numeric[6 * i : 6 * i + 6]) for i in range(6)]),
            expected.astype(float).ravel(),
            rtol=1e-12,
            atol=1e-14,
        )

    def test_compiled_rule_is_that_of_the_expressions(self):
        field = shared(bea.GradientDescent(), NETWORK, 2).field()
        program = Program(field.components, [*field.variables, *field.parameter_symbols])
        program.differentiate(6)
        symbolic = Program(list(field.jacobian), [*field.variables, *field.parameter_symbols])
        np.testing.assert_allclose(run(program), run(symbolic), rtol=1e-11, atol=1e-14)


def run(program):
    """The outputs at `POINT` and h = 0.05, statement by statement."""
    registers = [*POINT, 0.05]
    for kind, operands, numbers in program.statements:
        inputs = [registers[k] for k in operands]
        if kind == "sum":
            registers.append(numbers[0] + float(np.dot(numbers[1:], inputs)))
        elif kind == "product":
            registers.append(float(np.prod(inputs)))
        else:
            registers.append(float(getattr(np, kind)(*inputs)))
    return [registers[k] for k in program.outputs]


class TestSize:
    def test_network(self):
        """The field multiplied out is a program of more than a hundred thousand operations."""
        assert operations(shared(bea.GradientDescent(), NETWORK, 2).field()) < 2_000
        assert operations(shared(bea.GradientDescent(), NETWORK, 3).field()) < 4_000
        assert operations(shared(bea.GradientDescent(), NETWORK, 2).field(), derivative=True) < 15_000

    def test_grows_with_the_network_and_not_with_a_power_of_its_dimension(self):
        sizes = [
            operations(shared(bea.GradientDescent(), bea.catalogue.tanh_network(width=k), 2).field())
            for k in (2, 4, 8)
        ]
        assert sizes[2] - sizes[1] < 2.2 * (sizes[1] - sizes[0])

    def test_multiplied_out_it_is_larger(self):
        expanded = bea.modified_equation(NETWORK, bea.GradientDescent(), order=1).field()
        assert operations(expanded) > 2 * operations(shared(bea.GradientDescent(), NETWORK, 1).field())


class TestGraphsTooLargeToBeWalkedThrough:
    """The map p ↦ p(1 − p), forty times: a formula of 2⁴⁰ symbols; SymPy makes each product a flat one."""

    @pytest.fixture(scope="class")
    @staticmethod
    def field():
        part = x / 4
        for _ in range(40):
            part = part * (1 - part)
        return bea.VectorField([part, sympy.sqrt(2) * y * part + sympy.pi], [x, y])

    @staticmethod
    def expected(x0, y0):
        part = x0 / 4
        for _ in range(40):
            part = part * (1 - part)
        return [part, np.sqrt(2) * y0 * part + np.pi]

    def test_value(self, field):
        np.testing.assert_allclose(field([0.5, 2.0]), self.expected(0.5, 2.0), rtol=1e-14)

    def test_text(self, field):
        assert repr(field) == "VectorField([…], variables='x y')"
        assert field._repr_latex_() is None

    def test_numpy_source(self, field):
        source = generate_numpy_source(field.components, field.variables)
        assert source.count("\n") < 400
        assert "broadcast_arrays" in source

    def test_jacobian(self, field):
        """Complex steps in the recurrence."""
        rows = bea.VectorField([field.jacobian[0, 0], field.jacobian[1, 0]], [x, y])([0.5, 2.0])
        step = [c.imag / 1e-30 for c in self.expected(0.5 + 1e-30j, 2.0)]
        np.testing.assert_allclose(rows, step, rtol=1e-12)

    def test_program_and_walks(self, field):
        assert operations(field) < 1_500
        assert free_symbols(replace_symbols(field.components, {x: y})) == {y}
        assert written_size(field.components) > 2**40


class TestEquation:
    def test_modified_loss_is_that_of_the_expanded_terms(self):
        loss = bea.Loss("(1 - a*b)**2 / 2", variables="a b")
        equation = shared(bea.GradientDescent(), loss, 2)
        expected = bea.modified_equation(loss, bea.GradientDescent(), order=2)
        for p, q in zip(equation.loss.terms, expected.loss.terms, strict=True):
            assert sympy.expand(p - q) == 0

    def test_latex(self):
        assert r"\cdots" in shared(bea.GradientDescent(), NETWORK, 2).latex()
        assert r"\cdots" not in shared(ExplicitEuler(), SYSTEMS["polynomial"], 2).latex()

    def test_field_that_is_not_smooth(self):
        with pytest.raises(ValueError, match="must be smooth"):
            shared(ExplicitEuler(), bea.VectorField(["Abs(x)"], variables="x"), 1)

    def test_symbol_of_the_step_size(self):
        with pytest.raises(ValueError, match="the symbol h is the step size"):
            shared(ExplicitEuler(), bea.VectorField(["h*x"], variables="x"), 1)

    def test_parameter_of_the_scheme_in_the_system(self):
        with pytest.raises(ValueError, match="'alpha' is also a symbol of the system"):
            shared(SecondOrder(), bea.VectorField(["alpha*x"], variables="x"), 2)

    def test_system_of_another_kind(self):
        with pytest.raises(TypeError, match="VectorField"):
            shared(ExplicitEuler(), "x", 1)
