"""The modified field of networks: beside Lie series, closed forms and finite differences of NumPy."""

from itertools import pairwise

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
import sympy

import bea
from bea import nets

S = bea.schemes
TRIG = bea.Loss("(1 - a*b)**2/2 + a*sin(a + 2*b)/3 + exp(a*b/4)", variables="a b")
LOSSES = {
    "two parameters": bea.catalogue.two_parameter(),
    "sum of products": bea.catalogue.sum_of_products(),
    "matrix factorization": bea.catalogue.matrix_factorization(),
    "trigonometric": TRIG,
    "tanh network": bea.Loss("(u*tanh(w + b) - 1/2)**2/2 + (u*tanh(2*w + b) + 1/3)**2/2", variables="u w b"),
}
SCHEMES = {
    "gradient descent": bea.GradientDescent(),
    "heavy ball": bea.HeavyBall(beta="9/10"),
    "negative momentum": bea.HeavyBall(beta="-1/3"),
    "Nesterov": bea.Nesterov(beta="1/2"),
    "midpoint": S.ExplicitMidpoint(),
    "Heun": S.RungeKutta([[0, 0], [1, 0]], ["1/2", "1/2"]),
    "Runge-Kutta 4": S.RK4(),
    "implicit Euler": S.ImplicitEuler(),
    "optimistic": S.OptimisticGradient(),
}


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def traceable(loss):
    """A loss of the catalogue as a function of a vector that JAX traces."""
    expression = loss.expression.subs(parameters(loss))
    function = sympy.lambdify(list(loss.variables), expression, modules="jax")
    return lambda p: function(*p)


def parameters(loss):
    """The values of its parameters, by symbol."""
    return {sympy.Symbol(str(name)): value for name, value in loss.parameters.items()}


def point(loss, seed=0):
    """Fractions, and the floats nearest to them."""
    numbers = np.random.default_rng(seed).integers(-90, 90, len(loss.variables))
    exact = [sympy.Rational(int(n), 64) for n in numbers]
    return exact, jnp.array([float(x) for x in exact])


def derived(loss, scheme, order, exact):
    """The terms of `bea.modified_equation`, by Lie series, in 30 digits."""
    equation = bea.modified_equation(loss, scheme, order=order)
    values = {**parameters(loss), **dict(zip(loss.variables, exact, strict=True))}
    return [np.array(t.subs(values).evalf(30), dtype=float).ravel() for t in equation.terms]


def relative(value, reference):
    return np.abs(np.asarray(value) - reference).max() / max(np.abs(reference).max(), 1e-300)


class TestAgreesWithTheDerivation:
    @pytest.mark.parametrize(
        ("loss", "scheme"),
        [
            *(("two parameters", scheme) for scheme in SCHEMES),
            *((loss, "gradient descent") for loss in LOSSES if loss != "two parameters"),
            ("matrix factorization", "heavy ball"),
            ("trigonometric", "heavy ball"),
            ("trigonometric", "midpoint"),
        ],
    )
    def test_all_terms(self, loss, scheme):
        loss, scheme = LOSSES[loss], SCHEMES[scheme]
        exact, x = point(loss)
        reference = derived(loss, scheme, 3, exact)
        field = nets.modified_field(traceable(loss), scheme, 3)
        for term, wanted in zip(field.terms(x), reference, strict=True):
            assert relative(term, wanted) < 2e-13

    @pytest.mark.parametrize("order", [0, 1, 2, 3])
    @pytest.mark.parametrize("name", ["heavy ball", "midpoint"])
    def test_the_field_is_the_sum_of_its_terms(self, name, order):
        loss, scheme = LOSSES["two parameters"], SCHEMES[name]
        exact, x = point(loss, seed=1)
        reference = derived(loss, scheme, order, exact)
        field = nets.modified_field(traceable(loss), scheme, order)
        for h in (0.0, 0.05, -0.05):
            wanted = sum(h**k * term for k, term in enumerate(reference))
            assert relative(field(x, h), wanted) < 2e-13

    def test_a_wrong_coefficient_is_noticed(self):
        loss = LOSSES["two parameters"]
        exact, x = point(loss)
        reference = derived(loss, bea.GradientDescent(), 3, exact)
        right = nets.modified_field(traceable(loss), order=3)
        for k, j in ((1, 0), (2, 0), (2, 1), (3, 1), (3, 2), (3, 3)):
            factors = [list(row) for row in right.coefficients]
            factors[k][j] *= 1.001
            wrong = nets.ModifiedField(right.loss, right.scheme, 3, tuple(map(tuple, factors)))
            errors = [relative(t, r) for t, r in zip(wrong.terms(x), reference, strict=True)]
            assert [error > 1e-6 for error in errors] == [i == k for i in range(4)]


class TestClosedForms:
    def test_quadratic_losses_give_a_logarithm(self):
        H = np.diag([0.5, 2.0, 3.0]) + 0.1
        field = nets.modified_field(lambda x: x @ jnp.array(H) @ x / 2, order=3)
        x = np.array([1.0, -2.0, 0.5])
        wanted = [-np.linalg.matrix_power(H, k + 1) @ x / (k + 1) for k in range(4)]
        for term, reference in zip(field.terms(jnp.array(x)), wanted, strict=True):
            assert relative(term, reference) < 1e-14

    def test_the_second_term_is_as_in_finite_differences(self):
        """f'f'f/3 + f''(f,f)/12 with derivatives by differences of gradients written down by hand."""

        def gradient(x):
            return np.array([x[0] ** 3 * x[1] ** 2, x[0] ** 4 * x[1] / 2 + np.cos(x[1])])

        def along(v):
            return (gradient(x + 1e-5 * v) - gradient(x - 1e-5 * v)) / 2e-5

        x = np.array([0.7, -0.4])
        f = -gradient(x)
        second = -(gradient(x + 1e-3 * f) - 2 * gradient(x) + gradient(x - 1e-3 * f)) / 1e-6
        wanted = along(along(f)) / 3 + second / 12
        field = nets.modified_field(lambda p: p[0] ** 4 * p[1] ** 2 / 4 + jnp.sin(p[1]), order=2)
        assert relative(field.terms(jnp.array(x))[2], wanted) < 1e-4


PARAMS = {
    "W": np.array([[0.2, -0.4, 1.0], [0.7, 0.1, -0.3]]),
    "b": np.array([0.1, 0.0, -0.2]),
    "layers": [np.array([0.5, -1.0, 0.8])],
}


class TestPytrees:
    @staticmethod
    def network(params):
        inputs = jnp.array([[0.3, -1.0], [0.8, 0.5], [-0.6, 0.1]])
        hidden = jnp.tanh(inputs @ params["W"] + params["b"])
        return jnp.mean((hidden @ params["layers"][0] - jnp.array([1.0, -1.0, 0.5])) ** 2)

    def test_the_structure_does_not_matter(self):
        flat, unravel = jax.flatten_util.ravel_pytree(PARAMS)
        tree = nets.modified_field(self.network, order=3)
        vector = nets.modified_field(lambda x: self.network(unravel(x)), order=3)
        for left, right in zip(tree.terms(PARAMS), vector.terms(flat), strict=True):
            assert jax.tree.structure(left) == jax.tree.structure(PARAMS)
            assert relative(jax.flatten_util.ravel_pytree(left)[0], np.asarray(right)) < 1e-13

    def test_it_can_be_traced(self):
        field = nets.modified_field(self.network, bea.HeavyBall("1/2"), order=2)
        flat, unravel = jax.flatten_util.ravel_pytree(PARAMS)
        single = jax.flatten_util.ravel_pytree(field(PARAMS, 0.1))[0]
        starts = jnp.stack([flat, 2 * flat])

        def value(x, h):
            return jax.flatten_util.ravel_pytree(field(unravel(x), h))[0]

        assert relative(jax.jit(value)(flat, 0.1), np.asarray(single)) < 1e-13
        batch = jax.vmap(value, in_axes=(0, None))(starts, 0.1)
        assert relative(batch[0], np.asarray(single)) < 1e-13
        slope = jax.grad(lambda h: value(flat, h) @ flat)(0.1)
        difference = (value(flat, 0.1001) - value(flat, 0.0999)) @ flat / 0.0002
        assert slope == pytest.approx(float(difference), rel=1e-6)

    def test_single_precision_stays_single(self):
        params = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), PARAMS)
        field = nets.modified_field(lambda p: self.network(p).astype(jnp.float32), order=3)
        for term in field.terms(params):
            assert {leaf.dtype for leaf in jax.tree.leaves(term)} == {jnp.dtype("float32")}

    def test_fields_of_one_loss_and_one_scheme_are_equal(self):
        one, other = (nets.modified_field(self.network, order=2) for _ in range(2))
        assert one == other
        assert hash(one) == hash(other)
        assert one != nets.modified_field(self.network, order=1)
        assert one != nets.modified_field(lambda p: self.network(p), order=2)


class TestCost:
    """Counted by the compiler, so that it is the same on every machine."""

    @pytest.mark.parametrize("widths", [(784, 124, 10), (64, 270, 270, 10)])
    def test_through_second_order(self, widths):
        rng = np.random.default_rng(0)
        params = [jnp.asarray(rng.standard_normal(shape), jnp.float32) for shape in pairwise(widths)]
        inputs = jnp.asarray(rng.standard_normal((64, widths[0])), jnp.float32)

        def loss(params):
            a = inputs
            for W in params[:-1]:
                a = jnp.tanh(a @ W)
            return jnp.mean((a @ params[-1]) ** 2)

        def cost(function):
            compiled = jax.jit(function).lower(params).compile()
            memory = compiled.memory_analysis()
            size = memory.temp_size_in_bytes + memory.output_size_in_bytes + memory.argument_size_in_bytes
            return compiled.cost_analysis()["flops"], size

        flops, size = cost(jax.grad(loss))
        for order, most, room in ((1, 3.5, 3), (2, 10, 4)):
            field = nets.modified_field(loss, order=order)
            operations, bytes_taken = cost(lambda p, field=field: field(p, 0.01))
            assert operations <= most * flops
            assert bytes_taken <= room * size


class TestBadInput:
    @staticmethod
    def loss(x):
        return jnp.sum(x**2)

    @pytest.mark.parametrize("order", [4, -1, 1.0, True])
    def test_order(self, order):
        with pytest.raises(ValueError, match="must be 0, 1, 2 or 3"):
            nets.modified_field(self.loss, order=order)

    def test_symbols(self):
        with pytest.raises(ValueError, match="beta is a symbol"):
            nets.modified_field(self.loss, bea.HeavyBall())

    def test_schemes_without_series(self):
        with pytest.raises(TypeError, match="B-series"):
            nets.modified_field(self.loss, bea.Adam("9/10", "99/100", "1/100"))
        with pytest.raises(TypeError, match="must be an instance"):
            nets.modified_field(self.loss, bea.HeavyBall)
        with pytest.raises(ValueError, match="does not contract"):
            nets.modified_field(self.loss, bea.HeavyBall(1))

    def test_losses(self):
        x = jnp.ones(2)
        with pytest.raises(TypeError, match=r"function loss\(params\)"):
            nets.modified_field(3.0)
        with pytest.raises(ValueError, match=r"a scalar, but it returns an array of shape \(2,\)"):
            nets.modified_field(lambda p: p)(x, 0.1)
        with pytest.raises(ValueError, match="returns tuple"):
            nets.modified_field(lambda p: (p.sum(), p))(x, 0.1)

    def test_params(self):
        field = nets.modified_field(lambda p: jnp.sum(p["w"] ** 2.0))
        with pytest.raises(TypeError, match=r"at \['w'\] is int64"):
            field.terms({"w": jnp.array([1, 2])})
        with pytest.raises(TypeError, match="holds none"):
            field.terms({})
        with pytest.raises(TypeError, match="are empty"):
            field.terms({"w": jnp.zeros(0)})
        with pytest.raises(TypeError, match=r"at \['w'\] is str"):
            field({"w": "one"}, 0.1)

    @pytest.mark.parametrize("h", ["0.1", None, True, 1j + sympy.Rational(1, 10)], ids=repr)
    def test_step_sizes(self, h):
        with pytest.raises(TypeError, match="h must be a number, not"):
            nets.modified_field(self.loss)(jnp.ones(2), h)
        with pytest.raises(TypeError, match="h must be a number, not"):
            nets.modified_loss(self.loss)(jnp.ones(2), h)

    def test_several_step_sizes(self):
        field, x, sizes = nets.modified_field(self.loss), jnp.ones(2), jnp.array([0.1, 0.2])
        with pytest.raises(ValueError, match=r"not an array of shape \(2,\): for several use jax.vmap"):
            field(x, sizes)
        several = jax.vmap(field, (None, 0))(x, sizes)
        np.testing.assert_allclose(several, [field(x, 0.1), field(x, np.float32(0.2))], rtol=1e-6)

    @pytest.mark.parametrize("loss", [bea.Loss("a**2", variables="a"), lambda x: float(x[0])])
    def test_what_jax_cannot_trace(self, loss):
        with pytest.raises(TypeError, match=r"written with jax\.numpy"):
            nets.modified_field(loss)(jnp.ones(1), 0.1)
