"""Fields observed from optimizers of Optax, and gradient regularization as one of them."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import bea
from bea import nets


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def loss(params):
    a, b = params["a"], params["b"]
    return jnp.sum(a**4) / 4 + a[0] * b**2 + jnp.sin(b)


PARAMS = {"a": np.array([0.7, -0.4]), "b": np.array(0.3)}


def gradient(x):
    return np.array([x[0] ** 3 + x[2] ** 2, x[1] ** 3, 2 * x[0] * x[2] + np.cos(x[2])])


def joined(params):
    return np.concatenate([np.ravel(params["a"]), np.ravel(params["b"])])


def heavy_ball(h):
    return optax.sgd(h, momentum=0.5)


class TestObservedField:
    @pytest.mark.parametrize("order", [1, 2, 3, 5])
    def test_it_is_that_of_iterates(self, order):
        observed = nets.observed_field(optax.sgd, loss, PARAMS, h=0.05, order=order)
        wanted = bea.observed_field(lambda x: x - 0.05 * gradient(x), joined(PARAMS), 0.05, order)
        np.testing.assert_allclose(joined(observed), wanted, rtol=1e-11)
        other = bea.observed_field(lambda x: x - 0.05 * gradient(x), joined(PARAMS), 0.05, order + 1)
        assert np.abs(joined(observed) - other).max() > 1e-9

    @pytest.mark.parametrize("order", [2, 3, 4])
    def test_it_comes_near_the_modified_field_by_its_order(self, order):
        """`order` terms have an error of O(h^order), as the modified field has through h^(order−1)."""
        exact = nets.modified_field(loss, order=order - 1)
        sizes, errors = np.array([0.08, 0.04, 0.02, 0.01, 0.005]) / 2, []
        for h in sizes:
            observed = nets.observed_field(optax.sgd, loss, PARAMS, h=float(h), order=order)
            errors.append(np.abs(joined(observed) - joined(exact(PARAMS, h))).max())
        slope = np.polyfit(np.log(sizes), np.log(errors), 1)[0]
        assert slope == pytest.approx(order, abs=0.1)

    def test_momentum_after_a_warm_up(self):
        """What the modified field through h^k leaves out of the observed one is its next term."""
        h = 2e-4
        field, point = nets.observed_field(heavy_ball, loss, PARAMS, h, 5, warm_up=60, return_point=True)
        terms = nets.modified_field(loss, bea.HeavyBall("1/2"), order=3).terms(point)
        rest = joined(field)
        for k, term in enumerate(terms):
            assert np.abs(rest - h**k * joined(term)).max() < 0.03 * np.abs(rest).max()
            rest = rest - h**k * joined(term)
        cold = nets.observed_field(heavy_ball, loss, PARAMS, h, 5)
        assert np.abs(joined(cold) - joined(terms[0])).max() > 0.1

    def test_nesterov_at_the_points_ahead(self):
        """Optax keeps x + hβm: its field is that of `bea.Nesterov` less h²β(1+β)/(2(1−β)³) f''(f, f)."""
        ascent, sizes, rests = jax.grad(loss), [0.008, 0.004, 0.002], []
        for h in sizes:
            field, point = nets.observed_field(
                lambda h: optax.sgd(h, momentum=0.5, nesterov=True),
                loss, PARAMS, h, 6, warm_up=round(0.4 / h), return_point=True,
            )  # fmt: skip
            f = jax.tree.map(jnp.negative, ascent(point))
            bend = jax.jvp(lambda x, f=f: jax.jvp(ascent, (x,), (f,))[1], (point,), (f,))[1]
            rest = joined(field) - joined(nets.modified_field(loss, bea.Nesterov("1/2"))(point, h))
            rests.append([rest, rest - h**2 * 0.5 * 1.5 / (2 * 0.125) * joined(bend)])
        norms = np.linalg.norm(rests, axis=2)
        assert (np.log2(norms[:-1, 1] / norms[1:, 1]) > 2.8).all()
        assert np.log2(norms[1, 0] / norms[2, 0]) < 2.4

    def test_it_counts_its_gradients(self):
        calls = []

        def counted(x):
            jax.debug.callback(lambda: calls.append(1))
            return jnp.sum(x**4)

        nets.observed_field(optax.sgd, counted, jnp.ones(3), 0.01, order=4)
        jax.effects_barrier()
        assert len(calls) == 4

    def test_what_single_precision_loses_is_said(self):
        single = jax.tree.map(lambda a: jnp.asarray(a, jnp.float32), PARAMS)
        with pytest.warns(RuntimeWarning, match="lost in the rounding"):
            nets.observed_field(optax.sgd, loss, single, h=1e-5, order=3)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            nets.observed_field(optax.sgd, loss, single, h=0.05, order=2)
            nets.observed_field(optax.sgd, loss, PARAMS, h=1e-4, order=3)

    def test_bad_input(self):
        for changed in ({"order": 0}, {"h": 0.0}, {"warm_up": -1}):
            arguments = {"h": 0.1, "order": 2, "warm_up": 0} | changed
            with pytest.raises(ValueError, match=next(iter(changed))):
                nets.observed_field(optax.sgd, loss, PARAMS, **arguments)
        with pytest.raises(TypeError, match="transformation of Optax"):
            nets.observed_field(lambda h: h, loss, PARAMS, h=0.1, order=2)
        for wrong, given in ((optax.sgd(0.1), "an optimizer made already"), ("sgd", "'sgd'"), (None, "None")):
            with pytest.raises(TypeError, match=f"such as optax.sgd, not {given}"):
                nets.observed_field(wrong, loss, PARAMS, h=0.1, order=2)
        with pytest.raises(ValueError, match="leave the finite numbers"):
            nets.observed_field(optax.sgd, lambda x: jnp.exp(x[0] ** 2), jnp.ones(1) * 9, h=10.0, order=3)


class TestGradientRegularization:
    def test_it_adds_the_gradient_of_the_penalty(self):
        optimizer = optax.chain(nets.add_gradient_regularization(loss, mu=0.3), optax.sgd(0.1))
        params = jax.tree.map(jnp.asarray, PARAMS)
        updates, _ = optimizer.update(jax.grad(loss)(params), optimizer.init(params), params)
        x, g = joined(PARAMS), gradient(joined(PARAMS))
        H = np.array([(gradient(x + e) - gradient(x - e)) / 2e-6 for e in 1e-6 * np.eye(3)])
        np.testing.assert_allclose(joined(updates), -0.1 * (g + 2 * 0.3 * H @ g), rtol=1e-8)
        assert np.abs(joined(updates) + 0.1 * (g + 0.3 * H @ g)).max() > 1e-3

    def test_it_descends_the_regularized_loss(self):
        transformed = optax.chain(nets.add_gradient_regularization(loss, mu=0.3), optax.adam(0.01))
        plain, regularized = optax.adam(0.01), nets.explicit_regularization(loss, mu=0.3)
        ends = []
        for optimizer, function in ((transformed, loss), (plain, regularized)):
            params = jax.tree.map(jnp.asarray, PARAMS)
            state = optimizer.init(params)
            for _ in range(20):
                updates, state = optimizer.update(jax.grad(function)(params), state, params)
                params = optax.apply_updates(params, updates)
            ends.append(joined(params))
        np.testing.assert_allclose(ends[0], ends[1], rtol=1e-10)

    def test_batches(self):
        def of_batch(x, batch):
            return jnp.mean((x * batch) ** 4)

        batch, x = jnp.array([1.0, 2.0]), jnp.array(0.5)
        optimizer = nets.add_gradient_regularization(of_batch, mu=0.25)
        g = jax.grad(of_batch)(x, batch)
        updates, _ = optimizer.update(g, optimizer.init(x), x, batch=batch)
        mean = (1 + 16) / 2
        assert updates == pytest.approx(4 * mean * 0.125 + 0.5 * (12 * mean * 0.25) * (4 * mean * 0.125))

    def test_bad_input(self):
        with pytest.raises(ValueError, match="needs the parameters"):
            nets.add_gradient_regularization(loss, mu=0.1).update(PARAMS, optax.EmptyState())
        with pytest.raises(TypeError, match="function loss"):
            nets.add_gradient_regularization(2.0, mu=0.1)
