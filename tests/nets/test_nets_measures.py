"""Modified losses, curvature, robustness and flows of networks beside dense matrices of NumPy and SciPy."""

import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.linalg

import bea
from bea import nets

RNG = np.random.default_rng(5)
A = RNG.standard_normal((60, 60))
HESSIAN = A @ A.T / 60 - 0.3 * np.eye(60)
CENTRE = RNG.standard_normal(60)


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def quadratic(params):
    x = jnp.concatenate([params["u"].ravel(), params["v"]])
    return (x - CENTRE) @ jnp.array(HESSIAN) @ (x - CENTRE) / 2


def split(x):
    return {"u": jnp.array(x[:40].reshape(8, 5)), "v": jnp.array(x[40:])}


def joined(params):
    return np.concatenate([np.ravel(params["u"]), np.ravel(params["v"])])


def quartic(x):
    return jnp.sum(x**4) / 4 + x[0] * x[1] ** 2


class TestLosses:
    X = RNG.standard_normal(60)
    GRADIENT = HESSIAN @ (X - CENTRE)

    @pytest.mark.parametrize(
        ("scheme", "factor", "weight"),
        [
            (bea.GradientDescent(), 1, 1 / 4),
            (bea.HeavyBall("1/2"), 2, 1.5 / (4 * 0.125)),
            (bea.Nesterov("1/2"), 2, (1 - 0.5 + 2 * 0.25) / (4 * 0.125)),
            (bea.schemes.ImplicitEuler(), 1, -1 / 4),
        ],
        ids=repr,
    )
    def test_the_published_modified_losses(self, scheme, factor, weight):
        modified = nets.modified_loss(quadratic, scheme)(split(self.X), 0.1)
        loss = (self.X - CENTRE) @ self.GRADIENT / 2
        assert modified == pytest.approx(factor * loss + 0.1 * weight * self.GRADIENT @ self.GRADIENT)
        assert modified != pytest.approx(factor * loss + 0.11 * weight * self.GRADIENT @ self.GRADIENT)

    def test_its_gradient_is_the_modified_field(self):
        x = jnp.array([0.7, -0.3])
        for scheme in (bea.GradientDescent(), bea.HeavyBall("4/5")):
            field = nets.modified_field(quartic, scheme, order=1)(x, 0.05)
            gradient = jax.grad(nets.modified_loss(quartic, scheme))(x, 0.05)
            np.testing.assert_allclose(field, -gradient, rtol=1e-13)

    def test_regularizer_and_slope(self):
        params, square = split(self.X), self.GRADIENT @ self.GRADIENT
        assert nets.regularizer(quadratic, params) == pytest.approx(square / 60)
        assert nets.slope(quadratic, params) == pytest.approx(np.sqrt(square))

    def test_explicit_regularization_passes_arguments_on(self):
        regularized = nets.explicit_regularization(lambda x, c: c * jnp.sum(x**2) / 2, mu=0.5)
        assert regularized(jnp.array([3.0]), 2.0) == pytest.approx(9 + 0.5 * 36)
        with pytest.raises(TypeError, match="function loss"):
            nets.explicit_regularization(1.0, mu=0.5)


class TestSharpness:
    def test_the_largest_eigenvalues_of_a_matrix(self):
        top = nets.sharpness(quadratic, split(np.zeros(60)), count=3)
        values, vectors = scipy.linalg.eigh(HESSIAN)
        np.testing.assert_allclose(top.values, values[:-4:-1], rtol=1e-12)
        for vector, wanted in zip(top.vectors, vectors.T[:-4:-1], strict=True):
            assert abs(joined(vector) @ wanted) == pytest.approx(1, abs=1e-9)
            assert jax.tree.structure(vector) == jax.tree.structure(split(np.zeros(60)))
        assert top.residuals.max() < 1e-7
        assert top.products < 200

    def test_few_parameters_and_saddles(self):
        top = nets.sharpness(lambda x: x[0] ** 2 - 3 * x[1] ** 2, jnp.array([0.1, 0.2]), count=2)
        np.testing.assert_allclose(top.values, [2, -6])

    def test_a_loss_without_curvature(self):
        top = nets.sharpness(lambda x: jnp.sum(x), jnp.ones(100), count=2)
        np.testing.assert_array_equal(top.values, 0)

    def test_a_scheme_that_cannot_converge_says_so(self):
        close = jnp.array(np.linspace(1, 1.0001, 500))
        with pytest.raises(ArithmeticError, match="did not converge after"):
            nets.sharpness(lambda x: jnp.sum(close * x**2) / 2, jnp.ones(500), max_iterations=1, count=2)

    def test_bad_input(self):
        with pytest.raises(ValueError, match="count must be an integer from 1"):
            nets.sharpness(quartic, jnp.ones(2), count=3)
        with pytest.raises(ValueError, match="not finite"):
            nets.sharpness(lambda x: jnp.log(jnp.sum(x)), jnp.zeros(40))
        with pytest.raises(ValueError, match="tolerance"):
            nets.sharpness(quartic, jnp.ones(2), tolerance=0)


class TestTrace:
    def test_the_interval_covers_the_trace_as_often_as_it_says(self):
        params, trace = split(np.zeros(60)), np.trace(HESSIAN)
        runs = [nets.hessian_trace(quadratic, params, samples=30, rng=seed) for seed in range(200)]
        covered = sum(run.interval[0] <= trace <= run.interval[1] for run in runs)
        assert 0.9 * 200 <= covered <= 0.99 * 200
        assert sum(run.interval[0] <= 1.2 * trace <= run.interval[1] for run in runs) < 0.9 * 200

    def test_the_standard_error_is_that_of_hutchinson(self):
        run = nets.hessian_trace(quadratic, split(np.zeros(60)), samples=4000)
        off = HESSIAN - np.diag(np.diag(HESSIAN))
        assert run.error == pytest.approx(np.sqrt(2 * (off**2).sum() / 4000), rel=0.05)

    def test_bad_input(self):
        for arguments in ({"samples": 1}, {"level": 1.0}):
            with pytest.raises(ValueError, match=next(iter(arguments))):
                nets.hessian_trace(quartic, jnp.ones(2), **arguments)
        for measure in (nets.hessian_trace, nets.sharpness, nets.regularizer, nets.slope):
            with pytest.raises(TypeError, match="but the leaf at \\['w'\\] is int64"):
                measure(lambda p: jnp.sum(p["w"] ** 2), {"w": jnp.arange(3)})
            with pytest.raises(TypeError, match="are empty"):
                measure(lambda p: jnp.sum(p["w"] ** 2), {"w": jnp.zeros(0)})


class TestRobustness:
    def test_means_of_a_quadratic_are_known(self):
        x = np.array([1.0, 2.0, -3.0])
        scales = [0.0, 0.1, 0.5]
        for relative, variance in ((True, x @ x), (False, 3.0)):
            result = nets.robustness(
                lambda p: jnp.sum(p**2), jnp.array(x), scales, samples=4000, relative=relative, level=0.999
            )
            wanted = x @ x + np.square(scales) * variance
            assert ((result.intervals[:, 0] <= wanted) & (wanted <= result.intervals[:, 1])).all()
            assert not (result.intervals[2, 0] <= wanted[2] * 1.1 <= result.intervals[2, 1])
            assert result.samples.shape == (3, 4000)

    def test_seeds(self):
        first, again, other = (
            nets.robustness(lambda p: jnp.sum(p**2), jnp.ones(3), [0.3], rng=seed).values
            for seed in (1, 1, 2)
        )
        assert first == again != other

    def test_bad_input(self):
        with pytest.raises(ValueError, match="none negative"):
            nets.robustness(quartic, jnp.ones(2), [-0.1])
        with pytest.raises(ValueError, match="one number"):
            nets.robustness(lambda p: p, jnp.ones(2), [0.1])
        with pytest.raises(ValueError, match=r"perturbed by the scale 0\.5"):
            nets.robustness(lambda p: jnp.log(jnp.min(p) - 0.7), jnp.ones(50), [0.0, 0.5])


class TestFlow:
    def test_it_follows_the_modified_field(self):
        x, h = np.array([0.7, -0.3]), 0.1
        field = nets.modified_field(quartic, order=2)
        path = nets.flow(
            field, jnp.array(x), h, time=2.0, steps=400, record=lambda p: {"x": p, "E": quartic(p)}
        )

        def gradient(y):
            return np.array([y[0] ** 3 + y[1] ** 2, y[1] ** 3 + 2 * y[0] * y[1]])

        def hessian(y):
            return np.array([[3 * y[0] ** 2, 2 * y[1]], [2 * y[1], 3 * y[1] ** 2 + 2 * y[0]]])

        def third(y, u):
            return np.array([6 * y[0] * u[0] ** 2 + 2 * u[1] ** 2, 6 * y[1] * u[1] ** 2 + 4 * u[0] * u[1]])

        def modified(t, y):
            g, H = gradient(y), hessian(y)
            return -g - h / 2 * H @ g - h**2 * (H @ H @ g / 3 + third(y, g) / 12)

        reference = scipy.integrate.solve_ivp(modified, (0, 2), x, method="DOP853", rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(path.params, reference.y[:, -1], atol=1e-10)
        np.testing.assert_allclose(path.record["x"][-1], path.params)
        np.testing.assert_allclose(path.record["x"][0], x)
        assert path.record["E"].shape == path.t.shape == (401,)
        assert path.diverged_at is None
        assert np.abs(nets.flow(field, jnp.array(x), h + 0.01, 2.0, 400).params - path.params).max() > 1e-5

    def test_it_is_of_order_four(self):
        field = nets.modified_field(quartic, order=0)
        ends = [nets.flow(field, jnp.array([0.7, 0.3]), 0.1, 1.0, n).params for n in (10, 20, 40, 2000)]
        errors = [float(np.abs(end - ends[-1]).max()) for end in ends[:3]]
        slopes = np.log2(np.array(errors[:-1]) / errors[1:])
        np.testing.assert_allclose(slopes, 4, atol=0.15)

    def test_it_says_when_it_diverges(self):
        with pytest.warns(RuntimeWarning, match="not finite at time"):
            path = nets.flow(lambda x, h: x**3, jnp.array([1.0]), 0.1, 2.0, 200, record=lambda p: p[0])
        assert 0.5 <= path.diverged_at < 0.6
        assert np.isfinite(path.params).all()
        assert np.isfinite(path.record).all()

    def test_bad_input(self):
        field = nets.modified_field(quartic)
        for wrong in (lambda x, h: x[0], lambda x, h: {"x": x}):
            with pytest.raises(ValueError, match="pytree of arrays like the parameters, but returns"):
                nets.flow(wrong, jnp.ones(2), 0.1, 1.0, 3)
        for changed in ({"steps": 0}, {"time": np.inf}, {"h": np.nan}):
            arguments = {"h": 0.1, "time": 1.0, "steps": 3} | changed
            with pytest.raises(ValueError, match=next(iter(changed))):
                nets.flow(field, jnp.ones(2), **arguments)
