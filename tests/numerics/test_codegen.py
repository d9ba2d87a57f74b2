"""Compiled fields against exact fractions, arbitrary precision, NumPy, and SymPy's own derivatives."""

import math
import runpy
from fractions import Fraction

import mpmath
import numba
import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import bea
from bea.numerics import codegen
from bea.numerics.cache import load_module
from bea.numerics.call import call
from bea.numerics.codegen import (
    CompiledField,
    compile_field,
    field_source,
    generate_numpy_source,
    program_source,
)
from bea.numerics.program import Program
from bea.systems import Loss, VectorField

x, y, z, h = sympy.symbols("x y z h")

FUNCTIONS = [
    sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.tan, sympy.cot, sympy.sec, sympy.csc,
    sympy.sinh, sympy.cosh, sympy.tanh, sympy.coth, sympy.sech, sympy.csch,
    sympy.asin, sympy.acos, sympy.atan, sympy.asinh, lambda u: sympy.acosh(u + 1), sympy.atanh,
    sympy.erf, sympy.erfc, sympy.sqrt, sympy.Abs, sympy.sign, sympy.Heaviside,
    lambda u: u ** sympy.Rational(-5, 2), lambda u: u ** sympy.Rational(1, 3), lambda u: u**y, lambda u: 2**u,
    lambda u: sympy.Max(u, y, 0), lambda u: sympy.Min(u, y), lambda u: sympy.atan2(u, y),
    lambda u: 1 / (u - y), lambda u: sympy.pi * u + sympy.sqrt(2), lambda u: u**-3 + u**5,
]  # fmt: skip


@numba.njit
def evaluate(address, x, p, out):
    call(address, x, p, out)


def values(address: int, point, parameters, size: int) -> np.ndarray:
    out = np.full(size, np.nan)
    evaluate(address, np.array(point, dtype=float), np.array(parameters, dtype=float), out)
    return out


def rhs(field: VectorField, point, parameters=()) -> np.ndarray:
    return values(compile_field(field).rhs, point, parameters, field.dimension)


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory):
    """A folder of their own for modules that nobody will ask for again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BEA_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(params=["straight line", "blocks"])
def form(request, monkeypatch):
    """Both forms of generated code, whatever the size of the program."""
    monkeypatch.setattr(codegen, "STRAIGHT_LINE_LIMIT", math.inf if request.param == "straight line" else -1)
    return request.param


# Polynomials as lists of (coefficient, exponents) against exact arithmetic

rationals = st.fractions(min_value=-5, max_value=5, max_denominator=12)
polynomials = st.lists(st.tuples(rationals, st.tuples(*[st.integers(0, 4)] * 3)), max_size=7)
points = st.tuples(*[st.integers(-24, 24).map(lambda n: Fraction(n, 16))] * 3)


def expression(polynomial) -> sympy.Expr:
    return sympy.Add(
        *(sympy.Rational(c.numerator, c.denominator) * x**i * y**j * z**k for c, (i, j, k) in polynomial)
    )


def terms(polynomial, point) -> list[Fraction]:
    return [c * math.prod(u**e for u, e in zip(point, exponents, strict=True)) for c, exponents in polynomial]


@pytest.mark.usefixtures("own_cache")
@pytest.mark.parametrize("limit", [math.inf, -1], ids=["straight line", "blocks"])
@settings(max_examples=6, deadline=None, derandomize=True)
@given(fields=st.tuples(polynomials, polynomials, polynomials), point=points, factored=st.booleans())
def test_polynomial_fields_against_fractions(limit, fields, point, factored):
    components = [expression(polynomial) for polynomial in fields]
    components = [sympy.factor(c) for c in components] if factored else components
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codegen, "STRAIGHT_LINE_LIMIT", limit)
        compiled = CompiledField(VectorField(components, [x, y, z]))
    computed = values(compiled.rhs, point, (), 3)
    for value, polynomial in zip(computed, fields, strict=True):
        exact = terms(polynomial, point)
        tolerance = 1e-13 * (1 + sum(map(abs, exact))) * (1e3 if factored else 1)
        assert abs(Fraction(float(value)) - sum(exact)) <= tolerance


class TestFunctions:
    point = (0.7, 0.3)

    def field(self) -> VectorField:
        symbols = sympy.symbols(f"x y q:{len(FUNCTIONS) - 2}")
        return VectorField([function(x) for function in FUNCTIONS], symbols)

    def exact(self, expression: sympy.Expr) -> float:
        return float(expression.subs({x: sympy.Rational(7, 10), y: sympy.Rational(3, 10)}).evalf(30))

    def test_values(self, form):
        field = self.field()
        point = np.zeros(field.dimension)
        point[:2] = self.point
        computed = values(CompiledField(field).rhs, point, (), field.dimension)
        np.testing.assert_allclose(computed, [self.exact(c) for c in field.components], rtol=1e-14)

    def test_derivatives(self, form):
        field = self.field()
        d = field.dimension
        point = np.zeros(d)
        point[:2] = self.point
        computed = values(CompiledField(field).jacobian, point, (), d * d).reshape(d, d)
        real = {x: sympy.Symbol("x", real=True), y: sympy.Symbol("y", real=True)}
        back = {s: v for v, s in real.items()}
        for row, component in zip(computed, field.components, strict=True):
            exact = [component.xreplace(real).diff(real[v]).xreplace(back) for v in (x, y)]
            np.testing.assert_allclose(row[:2], [self.exact(e) for e in exact], rtol=1e-13, atol=1e-15)
            assert not row[2:].any()

    def test_division_by_zero_is_no_exception(self, form):
        field = VectorField(
            [1 / x, -1 / x**2, x / x + 1 / (y - x), sympy.log(x), sympy.sqrt(x - 1)], "x y a b c"
        )
        computed = values(CompiledField(field).rhs, [0.0] * 5, (), 5)
        assert computed[0] == math.inf
        assert computed[1] == -math.inf
        assert not np.isfinite(computed[2])
        assert computed[3] == -math.inf
        assert math.isnan(computed[4])

    def test_unknown_function_is_named(self):
        with pytest.raises(ValueError, match=r"the function zeta in zeta\(x\) cannot be compiled"):
            compile_field(VectorField([sympy.zeta(x)], [x]))

    def test_number_that_is_not_real_is_named(self):
        with pytest.raises(ValueError, match="the number I is not real"):
            compile_field(VectorField([sympy.I * x], [x]))

    def test_number_that_is_too_large_is_named(self):
        with pytest.raises(ValueError, match="too large"):
            compile_field(VectorField([10**400 * x], [x]))
        with pytest.raises(ValueError, match="too large"):
            compile_field(VectorField([10**300 * sympy.pi**600 * x], [x]))

    @pytest.mark.parametrize(
        "number",
        [
            10**32 * sympy.exp(-70),
            sympy.exp(-70),
            sympy.pi**-60,
            sympy.tanh(sympy.Rational(1, 10**30)),
            10**300 * sympy.exp(-1000),
            sympy.exp(-500) + sympy.pi**-300,
            sympy.cos(1) ** 900,
        ],
        ids=str,
    )
    def test_small_irrational_numbers(self, number, form):
        field = CompiledField(VectorField([number * x, number, number + x, x**number], "x y z u"))
        exact = float(number.evalf(30))
        computed = values(field.rhs, [3.0, 0, 0, 0], (), 4)
        np.testing.assert_allclose(computed[:2], [3 * exact, exact], rtol=1e-15)
        assert computed[2:].tolist() == [3 + exact, 3**exact]
        assert exact > 0

    @pytest.mark.parametrize(
        "number",
        [
            sympy.exp(-1000),
            sympy.Rational(1, 10**400),
            -(sympy.pi**-700),
            sympy.exp(-740),
            sympy.exp(-(10**6)),
        ],
        ids=str,
    )
    def test_number_that_is_too_small_is_named(self, number):
        with pytest.raises(ValueError, match="too small to be compiled"):
            compile_field(VectorField([number * x], [x]))

    def test_a_small_imaginary_part_is_named(self):
        with pytest.raises(ValueError, match="is not real"):
            compile_field(VectorField([(1 + sympy.I * sympy.exp(-70)) * x], [x]))

    def test_real_roots_in_complex_clothes(self):
        """The three real roots of z³ − 3z + 1, of which Cardano's formula gives complex numbers."""
        roots = sympy.roots(z**3 - 3 * z + 1)
        computed = rhs(VectorField([root * x for root in roots], sympy.symbols("x y z")), [1, 0, 0])
        np.testing.assert_allclose(sorted(computed), sorted(np.roots([1, 0, -3, 1])), rtol=1e-14)

    def test_hidden_zero(self):
        hidden = (sympy.sqrt(2) - 1) * (sympy.sqrt(2) + 1) - 1
        assert rhs(VectorField([hidden * sympy.exp(x) + hidden + x], [x]), [3]).tolist() == [3]


class TestProgram:
    def test_integer_powers_are_products(self):
        program = Program([x**13, 1 / x**4], [x])
        assert {s.kind for s in program.statements} == {"product", "reciprocal"}
        assert len(program.statements) <= 9

    def test_nothing_is_computed_twice(self):
        u = sympy.exp(x * y) + 1
        program = Program([u**2, u * x, sympy.sin(u), sympy.sin(u) * u], [x, y])
        assert len(set(program.statements)) == len(program.statements)
        assert [s.kind for s in program.statements].count("exp") == 1
        assert [s.kind for s in program.statements].count("sin") == 1

    def test_shared_factors_leave_the_sum(self):
        long = sympy.Add(
            *(sympy.Rational(k, 7) * x * s for k, s in enumerate(sympy.symbols("s:20"), start=1))
        )
        program = Program([long], [x, *sympy.symbols("s:20")])
        assert [s.kind for s in program.statements] == ["sum", "product"]

    def test_same_source_in_every_process(self):
        """Nothing in generated source depends on the hashes of a process: equal input, equal text."""
        field = VectorField([x * y + sympy.exp(z) / 3, x**3 * y - z * h, sympy.sin(x) * x + y], [x, y, z])
        again = VectorField(["x*y + exp(z)/3", "x**3*y - z*h", "sin(x)*x + y"], "x y z")
        assert field_source(field) == field_source(again)


class TestNames:
    NAMES = ("lambda", "__import__('os')", "r0", "x; import os", "α_{1}", "np", "out")

    def test_never_appear_in_source(self):
        symbols = [sympy.Symbol(name) for name in self.NAMES]
        source = field_source(VectorField([s**2 + sympy.Symbol("∂evil") for s in symbols], symbols))
        assert not any(name in source for name in ("lambda", "__import__", ";", "α", "∂"))

    def test_any_name_works(self):
        symbols = [sympy.Symbol(name) for name in self.NAMES]
        field = VectorField([s**2 for s in symbols], symbols)
        assert (rhs(field, range(7)) == np.arange(7.0) ** 2).all()


class TestMemory:
    def test_equal_fields_share_one_compiled_field(self):
        first, second = VectorField([x**3 - y, x], [x, y]), VectorField(["x**3 - y", "x"], "x y")
        assert compile_field(first) is compile_field(second)

    def test_parameter_values_are_no_part_of_the_code(self):
        first, second = (VectorField([h * x**3 - y, x], [x, y], {"h": value}) for value in (1, 2))
        assert compile_field(first) is compile_field(second)

    def test_parameters_are_passed(self):
        field = VectorField([h * x - y, x * z], [x, y])
        assert rhs(field, [2, 3], [10, 5]).tolist() == [17, 10]

    def test_a_different_field_is_different_code(self):
        assert compile_field(VectorField([x], [x])).rhs != compile_field(VectorField([x + 1], [x])).rhs


# Large fields

N, P = 20, 50


def diagonal_network(n: int, p: int):
    """The gradient flow of (1/n)|X(u² − v²) − y|², symbolic and by NumPy."""
    rng = np.random.default_rng(5)
    X, target = rng.integers(-9, 10, (n, p)) / 8, rng.integers(-9, 10, n) / 8
    u, v = sympy.symbols(f"u:{p}"), sympy.symbols(f"v:{p}")
    exact = [[sympy.Rational(c) for c in row] for row in X]
    residuals = [
        sympy.Add(*(c * (a**2 - b**2) for c, a, b in zip(row, u, v, strict=True)), -sympy.Rational(t))
        for row, t in zip(exact, target, strict=True)
    ]
    field = Loss(sympy.Add(*(r**2 for r in residuals)) / n, [*u, *v]).field

    def flow(point):
        a, b = point[:p], point[p:]
        slope = 4 / n * ((X @ (a * a - b * b) - target) @ X)
        return np.concatenate([-a * slope, b * slope])

    return field, flow


class TestLargeFields:
    def test_sums_over_the_same_operands_are_matrix_products(self):
        field, flow = diagonal_network(N, P)
        source = field_source(field)
        assert "np.dot" in source
        assert source.count("\n") < 50
        point = np.random.default_rng(1).standard_normal(2 * P)
        expected = flow(point)
        np.testing.assert_allclose(rhs(field, point), expected, rtol=1e-12, atol=1e-13 * abs(expected).max())

    def test_jacobian(self, form):
        field, flow = diagonal_network(3, 6)
        point = np.random.default_rng(1).standard_normal(12)
        computed = values(CompiledField(field).jacobian, point, (), 144).reshape(12, 12)
        # The components are polynomials of degree 3, for which this five-point formula is exact.
        columns = [
            (8 * (flow(point + e) - flow(point - e)) - flow(point + 2 * e) + flow(point - 2 * e)) / 12
            for e in np.eye(12)
        ]
        np.testing.assert_allclose(computed, np.transpose(columns), rtol=1e-11, atol=1e-12)

    def test_many_inputs_and_outputs_are_large_too(self):
        variables = sympy.symbols("x:700")
        field = VectorField([-sum(variables), *variables[:-1]], variables)
        assert field_source(field).count("\n") < 50
        assert rhs(field, np.ones(700)).tolist() == [-700, *np.ones(699)]

    def test_no_matrix_in_small_programs(self):
        assert "np.dot" not in program_source(VectorField([x + y, x - y], [x, y]))


class TestNativeSource:
    SOURCE = """
        X = data[:6].reshape((2, 3))
        residual = np.dot(X, x) - data[6:]
        out[:] = -p[0]*np.dot(residual, X)
    """

    def field(self, data, native: str | None = SOURCE) -> VectorField:
        matrix, target = sympy.Matrix(2, 3, data[:6]), sympy.Matrix(data[6:])
        variables = sympy.symbols("x:3")
        gradient = matrix.T * (matrix * sympy.Matrix(variables) - target)
        return VectorField(-h * gradient, variables, {"h": "1/4"}, native_source=native, native_data=data)

    def test_is_what_is_compiled(self):
        data = [1, 2, 3, -1, 0, 5, 2, 7]
        field = self.field(data)
        point = np.array([1.0, -2.0, 0.5])
        assert "np.dot(X, x)" in field_source(field)
        symbolic = self.field(data, native=None)
        np.testing.assert_allclose(rhs(field, point, field.parameter_values()), symbolic(point), rtol=1e-14)
        np.testing.assert_allclose(field(point), symbolic(point), rtol=1e-14)

    def test_data_follow_the_parameters(self):
        field = self.field(range(8))
        assert field.parameter_values({"h": 9}).tolist() == [9, *range(8)]

    def test_other_data_run_the_same_code(self):
        first, second = self.field(range(8)), self.field(range(1, 9))
        assert first != second
        assert compile_field(first).rhs == compile_field(second).rhs

    def test_survives_new_parameters(self):
        field = self.field(range(8)).with_parameters(h=3)
        assert field.native_source == self.SOURCE
        assert field.native_data.tolist() == list(range(8))


class TestNumPySource:
    def run(self, tmp_path, *arguments):
        path = tmp_path / "generated.py"
        path.write_text(generate_numpy_source(*arguments))
        return runpy.run_path(str(path))[arguments[3] if len(arguments) > 3 else "field"]

    def test_values_along_trailing_axes(self, tmp_path):
        function = self.run(
            tmp_path, [x * y + sympy.exp(-x) * h, sympy.tanh(x * y) / 3, sympy.Integer(2)], [x, y, z], [h]
        )
        points = np.random.default_rng(0).standard_normal((3, 5, 7))
        a, b, _ = points
        assert function(points, 0.1).shape == (3, 5, 7)
        expected = np.array([a * b + 0.1 * np.exp(-a), np.tanh(a * b) / 3, np.full((5, 7), 2.0)])
        np.testing.assert_allclose(function(points, 0.1), expected, rtol=1e-14)

    def test_one_constant_component(self, tmp_path):
        function = self.run(tmp_path, [sympy.Integer(3)], [x])
        assert (function(np.zeros((1, 4))) == np.full((1, 4), 3)).all()

    def test_one_expression(self, tmp_path):
        function = self.run(tmp_path, (1 - x * y) ** 2 / 2, [x, y], [], "loss")
        assert function(np.array([[2.0, 1.0], [3.0, 1.0]])).tolist() == [12.5, 0]

    def test_names_that_are_no_identifiers(self, tmp_path):
        symbols = [sympy.Symbol(name) for name in ("lambda", "w_{1}", "np", "point", "t0", "2b")]
        source = generate_numpy_source([sum(symbols) ** 2, *symbols[1:]], symbols)
        assert "lambda_" in source
        function = self.run(tmp_path, [sum(symbols) ** 2, *symbols[1:]], symbols)
        assert function(np.arange(6.0)).tolist() == [225, 1, 2, 3, 4, 5]

    def test_names_that_collide_stay_apart(self, tmp_path):
        symbols = [sympy.Symbol(name) for name in ("a-b", "a+b", "a_b")]
        assert self.run(tmp_path, symbols, symbols)(np.arange(3.0)).tolist() == [0, 1, 2]

    def test_functions_outside_numpy(self, tmp_path):
        function = self.run(tmp_path, [sympy.erf(x), sympy.Max(x, y, 0), sympy.cot(x)], [x, y, z])
        points = np.array([[0.5, -1.0], [0.25, -3.0], [0.0, 0.0]])
        expected = [[math.erf(0.5), math.erf(-1)], [0.5, 0], [1 / math.tan(0.5), 1 / math.tan(-1)]]
        np.testing.assert_allclose(function(points), expected, rtol=1e-14)

    def test_integrals(self, tmp_path):
        """Parts that hold a variable of integration stay within the integral."""
        t, s = sympy.Dummy("t"), sympy.Symbol("s")
        inner = sympy.Integral(sympy.exp(-(s**2) * x * y) * s * t, (s, 0, 1))
        expression = sympy.Integral(sympy.exp(t * x * y) * (t * x + sympy.exp(t * x * y)) + inner, (t, 0, 1))
        source = generate_numpy_source(expression * x * y + sympy.exp(x * y), [x, y], [s], "loss")
        assert "_" not in source.split("lambda ")[1].split(":")[0]
        function = self.run(tmp_path, expression * x * y + sympy.exp(x * y), [x, y], [s], "loss")
        points = np.array([[0.3, -1.1], [0.7, 0.4]])

        def exact(a, b):
            outer = mpmath.quad(lambda u: mpmath.exp(u * a * b) * (u * a + mpmath.exp(u * a * b)), [0, 1])
            double = mpmath.quad(lambda v: mpmath.exp(-(v**2) * a * b) * v, [0, 1]) / 2
            return float((outer + double) * a * b + mpmath.exp(a * b))

        np.testing.assert_allclose(function(points, 9.0), [exact(*p) for p in points.T], rtol=1e-11)
        assert function(points[:, 0], 9.0) == pytest.approx(exact(*points[:, 0]), rel=1e-11)

    def test_the_modified_loss_of_a_loss_that_is_no_polynomial(self, tmp_path):
        """Against SymPy's own quadrature, which is that of mpmath."""
        equation = bea.modified_equation(Loss("exp(x*y)", "x y"), bea.GradientDescent(), order=2)
        expression = equation.loss.truncate(2).expression
        assert expression.has(sympy.Integral)
        loss = self.run(tmp_path, expression, [x, y], [h], "loss")
        exact = expression.subs(
            {x: sympy.Rational(3, 10), y: sympy.Rational(7, 10), h: sympy.Rational(1, 10)}
        )
        assert loss(np.array([0.3, 0.7]), 0.1) == pytest.approx(float(exact.evalf(20)), rel=1e-13)

    def test_a_function_without_counterpart_is_named(self):
        with pytest.raises(ValueError, match="has no counterpart in NumPy"):
            generate_numpy_source([sympy.Function("mystery")(x)], [x])

    def test_function_name_must_be_an_identifier(self):
        with pytest.raises(ValueError, match="not 'my field'"):
            generate_numpy_source([x], [x], [], "my field")


def test_generated_modules_stand_alone():
    """They import nothing of this package: Numba would not notice if that changed."""
    source = field_source(diagonal_network(3, 40)[0])
    assert "bea" not in source
    assert load_module(source).function.address


def test_text_is_parsed_and_never_evaluated():
    x = sympy.Symbol("x")
    assert "2*x" in generate_numpy_source(["2*x"], [x], [])
    with pytest.raises(ValueError, match="expected a number, a name or a parenthesis"):
        generate_numpy_source(["().__class__"], [x], [])
