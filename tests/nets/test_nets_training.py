"""Training, against loops in Python and SciPy's integrator; seeds, levels, divergence, sentences."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from scipy.integrate import solve_ivp

from bea import nets
from bea.nets.experiments import perceptrons, sweep_regularization, sweep_step_sizes
from bea.nets.measures import classifier
from bea.nets.training import InterruptedTraining, train

Y = 0.6


def product_loss(p):
    """½(y − ab)²."""
    return (Y - p[0] * p[1]) ** 2 / 2


def product_gradient(p):
    r = p[0] * p[1] - Y
    return np.array([r * p[1], r * p[0]])


def squares(p, x, y):
    """Least squares, by examples."""
    return jnp.mean((x @ p - y) ** 2) / 2


@pytest.fixture
def regression():
    rng = np.random.default_rng(0)
    return rng.normal(size=(12, 3)), rng.normal(size=12)


class TestDescent:
    def test_iterates_are_those_of_a_loop(self):
        with jax.enable_x64(True):
            run = train(
                product_loss,
                jnp.array([2.8, 3.5]),
                step_size=0.01,
                time=1.0,
                measures={"a": lambda p, _: p[0]},
                record=[0, 0.3, 1.0],
            )
        x, path = np.array([2.8, 3.5]), [2.8]
        for _ in range(100):
            x = x - 0.01 * product_gradient(x)
            path.append(x[0])
        np.testing.assert_allclose(run.params, x, rtol=1e-13)
        np.testing.assert_allclose(run.measures["a"], [path[0], path[30], path[100]], rtol=1e-13)
        assert run.t.tolist() == [0, 0.3, 1.0]
        assert run.success

    def test_the_flow_is_that_of_scipy(self):
        with jax.enable_x64(True):
            run = train(product_loss, jnp.array([2.8, 3.5]), step_size=0.002, time=1.0, method="flow")
        flow = solve_ivp(lambda _, p: -product_gradient(p), (0, 1), [2.8, 3.5], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(run.params, flow.y[:, -1], rtol=1e-7)
        with jax.enable_x64(True):
            descent = train(product_loss, jnp.array([2.8, 3.5]), step_size=0.005, time=1.0)
        assert abs(np.asarray(descent.params) - flow.y[:, -1]).max() > 1e-3

    def test_the_flow_has_order_four(self):
        flow = solve_ivp(lambda _, p: -product_gradient(p), (0, 1), [1.8, 1.5], rtol=1e-13, atol=1e-13)
        with jax.enable_x64(True):
            errors = [
                np.linalg.norm(
                    train(product_loss, jnp.array([1.8, 1.5]), step_size=h, time=1.0, method="flow").params
                    - flow.y[:, -1]
                )
                for h in (0.05, 0.025)
            ]
        assert np.log2(errors[0] / errors[1]) == pytest.approx(4, abs=0.2)

    def test_explicit_regularization_descends_the_loss_with_the_squared_slope(self):
        mu, start = 0.05, jnp.array([1.5, 1.2])

        def by_hand(p):
            r = p[0] * p[1] - Y
            g = np.array([r * p[1], r * p[0]])
            hessian = np.array([[p[1] ** 2, r + p[0] * p[1]], [r + p[0] * p[1], p[0] ** 2]])
            return g + 2 * mu * hessian @ g

        x = np.array([1.5, 1.2])
        for _ in range(20):
            x = x - 0.02 * by_hand(x)
        with jax.enable_x64(True):
            run = train(product_loss, jnp.asarray(start, float), step_size=0.02, time=0.4, mu=mu)
            other = train(
                nets.explicit_regularization(product_loss, mu),
                jnp.asarray(start, float),
                step_size=0.02,
                time=0.4,
            )
            plain = train(product_loss, jnp.asarray(start, float), step_size=0.02, time=0.4)
        np.testing.assert_allclose(run.params, x, rtol=1e-6)
        np.testing.assert_allclose(run.params, other.params, rtol=1e-12)
        assert abs(np.asarray(plain.params) - x).max() > 1e-3

    @pytest.mark.parametrize("make", [lambda h: optax.sgd(h, momentum=0.9), optax.adam(1e-2)])
    def test_an_optimizer_is_that_of_a_loop(self, make, regression):
        x, y = regression
        run = train(squares, jnp.zeros(3), (x, y), step_size=0.01, time=0.25, method=make)
        optimizer = make if isinstance(make, optax.GradientTransformation) else make(0.01)
        params, memory = jnp.zeros(3), optimizer.init(jnp.zeros(3))
        for _ in range(25):
            g = jnp.asarray(x.T @ (x @ np.asarray(params, float) - y) / 12, jnp.float32)
            change, memory = optimizer.update(g, memory, params)
            params = optax.apply_updates(params, change)
        np.testing.assert_allclose(run.params, params, rtol=1e-4, atol=1e-6)

    def test_members_are_single_runs(self):
        starts = [jnp.array([2.8, 3.5]), jnp.array([1.0, 0.2])]
        together = train(
            product_loss, jnp.stack(starts), step_size=0.01, time=0.5, members=True, levels=[0.01]
        )
        for i, start in enumerate(starts):
            alone = train(product_loss, start, step_size=0.01, time=0.5, levels=[0.01])
            np.testing.assert_allclose(together.params[i], alone.params, rtol=1e-6)
            np.testing.assert_allclose(together.level_t[:, i], alone.level_t, rtol=1e-5)


class TestMinibatches:
    def test_an_epoch_goes_once_through_all_examples(self):
        """With E linear in the parameters the sum of all steps tells which examples were used."""
        weights = jnp.asarray(2.0 ** np.arange(12))
        run = train(
            lambda p, w: -p[0] * jnp.sum(w), jnp.zeros(1), (weights,), step_size=1.0, time=4.0, batch_size=3
        )
        assert float(run.params[0]) == 2**12 - 1

    def test_with_replacement_it_does_not(self):
        weights = jnp.asarray(2.0 ** np.arange(12))
        run = train(
            lambda p, w: -p[0] * jnp.sum(w),
            jnp.zeros(1),
            (weights,),
            step_size=1.0,
            time=4.0,
            batch_size=3,
            sampling="replacement",
        )
        assert float(run.params[0]) != 2**12 - 1

    def test_a_batch_of_all_examples_is_the_full_batch(self, regression):
        full = train(squares, jnp.zeros(3), regression, step_size=0.05, time=1.0)
        shuffled = train(squares, jnp.zeros(3), regression, step_size=0.05, time=1.0, batch_size=12)
        np.testing.assert_allclose(full.params, shuffled.params, rtol=1e-4)

    def test_seeds(self, regression):
        runs = [
            train(squares, jnp.zeros(3), regression, step_size=0.05, time=1.0, batch_size=4, rng=rng).params
            for rng in (3, np.random.default_rng(3), 4)
        ]
        assert (runs[0] == runs[1]).all()
        assert (runs[0] != runs[2]).any()


class TestLevels:
    def test_on_a_line_the_level_is_met_where_the_loss_has_it(self):
        """E = |x| falls by h in each step: the level 0.55 lies in the middle of the fifth."""
        run = train(
            lambda p: jnp.abs(p[0]),
            jnp.array([1.0]),
            step_size=0.1,
            time=0.8,
            levels=[0.55, 0.001],
            measures={"x": lambda p, _: p[0]},
        )
        assert run.level_t[0] == pytest.approx(0.45, abs=1e-5)
        assert run.at_levels["x"][0] == pytest.approx(0.55, abs=1e-5)
        assert np.isnan(run.level_t[1])
        assert np.isnan(run.at_levels["x"][1])

    def test_the_error_is_of_second_order(self):
        def gap(h):
            with jax.enable_x64(True):
                run = train(
                    product_loss, jnp.array([2.8, 3.5]), step_size=h, time=0.4, method="flow", levels=[1.0]
                )
            return abs(float(product_loss(np.asarray(run.level_params[0]))) - 1.0)

        assert gap(0.01) / gap(0.005) == pytest.approx(4, rel=0.5)

    def test_a_start_below_the_level_is_the_place(self):
        run = train(product_loss, jnp.array([0.7, 0.8]), step_size=0.1, time=1.0, levels=[5.0])
        assert run.level_t[0] == 0
        np.testing.assert_allclose(run.level_params[0], [0.7, 0.8], rtol=1e-6)


class TestDivergence:
    def test_it_is_told_with_its_step(self):
        x, steps = np.array([2.8, 3.5], dtype=np.float32), 0
        with np.errstate(over="ignore", invalid="ignore"):
            while np.isfinite((Y - x[0] * x[1]) ** 2 / 2) and np.isfinite(x).all():
                x = (x - np.float32(0.5) * product_gradient(x)).astype(np.float32)
                steps += 1
        with pytest.warns(RuntimeWarning, match=f"diverged: iterate {steps}"):
            run = train(product_loss, jnp.array([2.8, 3.5]), step_size=0.5, time=50.0)
        assert run.diverged_at == steps
        assert not run.success
        assert np.isfinite(run.params).all()

    def test_other_members_go_on(self):
        starts = jnp.array([[2.8, 3.5], [0.7, 0.8]])
        with pytest.warns(RuntimeWarning, match="1 of 2 members diverged"):
            run = train(
                product_loss,
                starts,
                step_size=0.5,
                time=50.0,
                members=True,
                measures={"E": lambda p, _: product_loss(p)},
                record=[0.5, 50.0],
            )
        assert run.diverged_at[0] > 0
        assert run.diverged_at[1] == -1
        assert np.isnan(run.measures["E"][1, 0])
        assert run.measures["E"][1, 1] < 1e-10

    def test_an_interrupt_keeps_what_was_computed(self):
        def interrupt(made, total):
            if made >= 100:
                raise KeyboardInterrupt

        with pytest.raises(InterruptedTraining, match="interrupted") as caught:
            train(
                product_loss,
                jnp.array([2.8, 3.5]),
                step_size=0.001,
                time=10.0,
                measures={"a": lambda p, _: p[0]},
                record=[0.001, 9.0],
                progress=interrupt,
            )
        kept = caught.value.training
        assert 100 <= kept.steps_made < 10_000
        assert kept.t.tolist() == [0.001]
        assert kept.measures["a"].shape == (1,)


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"loss": 3}, TypeError, "the loss must be a function"),
        ({"loss": lambda p: p}, ValueError, "one float, a scalar, but it returns an array"),
        ({"members": True, "params": (jnp.ones((2, 2)), jnp.ones(3))}, ValueError, r"not \[2, 3\]"),
        ({"params": [1, 2]}, TypeError, "pytree of float arrays"),
        ({"step_size": 0}, ValueError, "step_size must be a positive number"),
        ({"time": 0.55, "step_size": 0.1}, ValueError, "time must be a multiple of step_size"),
        ({"method": "euler"}, ValueError, "method must be 'flow'"),
        ({"method": 3}, TypeError, "method must be 'flow'"),
        ({"mu": -1.0}, ValueError, "mu must be a positive number"),
        ({"batch_size": 2}, ValueError, "needs data"),
        ({"data": 4}, TypeError, "data must be a sequence of arrays"),
        ({"sampling": "once"}, ValueError, "sampling must be"),
        ({"record": [3.0]}, ValueError, "record must hold times from 0 to 1"),
        ({"levels": [-1.0]}, ValueError, "a level must be a positive number"),
        ({"measures": 3}, TypeError, "measures must be a mapping"),
        ({"measures": {"E": 3}}, TypeError, "the measure 'E' must be a function"),
        ({"measures": lambda p, context: p.sum(), "time": 1e9}, TypeError, "must be a mapping from names"),
        ({"measures": {"E": lambda p: p}, "time": 1e9}, TypeError, "positional argument"),
        (
            {"method": lambda h: 3},
            TypeError,
            "make an optimizer for a step size, but it made int",
        ),
        ({"levels": 0.5}, ValueError, "levels must be a sequence of numbers"),
        ({"loss": lambda p, x: p[0], "data": (2.0,), "batch_size": 1}, ValueError, "needs data"),
        ({"loss": lambda p: np.sum(np.asarray(p))}, TypeError, "written with jax.numpy"),
        ({"rng": "x"}, TypeError, "rng must be a seed"),
    ],
)
def test_bad_arguments_are_refused(change, error, sentence):
    arguments = {
        "loss": product_loss,
        "params": jnp.array([1.0, 2.0]),
        "step_size": 0.1,
        "time": 1.0,
    } | change
    with pytest.raises(error, match=sentence):
        train(**arguments)


@pytest.mark.parametrize("members", [False, True])
def test_a_level_may_be_reached_by_the_last_step(members):
    """x²/2 falls from 1/2 to 1/8 in one step from 1 to 1/2: 0.3 is 8/15 of the way."""
    start = jnp.array([1.0, 0.1, 9.0]) if members else jnp.array(1.0)
    run = train(lambda x: x**2 / 2, start, step_size=0.5, time=0.5, levels=[0.3, 0.1], members=members)
    wanted_t, wanted_x = np.array([4 / 15, np.nan]), np.array([11 / 15, np.nan])
    if members:
        wanted_t = np.array([[4 / 15, 0, np.nan], [np.nan, 0, np.nan]])
        wanted_x = np.array([[11 / 15, np.nan], [0.1, 0.1], [np.nan, np.nan]])
    np.testing.assert_allclose(run.level_t, wanted_t, rtol=1e-6)
    np.testing.assert_allclose(run.level_params, wanted_x, rtol=1e-6)


def test_a_constant_is_a_loss():
    run = train(lambda p: 1.0, jnp.array([1.0, 2.0]), step_size=0.1, time=1.0)
    assert run.success
    assert run.params.tolist() == [1, 2]


@pytest.fixture(scope="module")
def case():
    network, rng = classifier((4, 5, 3)), np.random.default_rng(2)
    x, y = rng.normal(size=(30, 4)), rng.integers(3, size=30)
    with jax.enable_x64(True):
        params, context = network.model.init(1), tuple(map(jnp.asarray, (x, y, x[:10], y[:10])))
        flat, unravel = jax.flatten_util.ravel_pytree(params)
        hessian = jax.hessian(lambda v: network.loss(unravel(v), context[0], context[1]))(flat)
        g = jax.grad(lambda v: network.loss(unravel(v), context[0], context[1]))(flat)
        measures = network.measures(params, context)
    return np.asarray(hessian), np.asarray(g), {k: float(v) for k, v in measures.items()}


class TestMeasures:
    """Those that are compiled for many networks, against dense matrices."""

    def test_sharpness_is_the_largest_eigenvalue(self, case):
        assert case[2]["sharpness"] == pytest.approx(np.linalg.eigvalsh(case[0])[-1], rel=1e-6)

    def test_the_estimate_of_the_trace_is_near(self, case):
        spread = np.sqrt(2 * (case[0] ** 2).sum() - 2 * (np.diag(case[0]) ** 2).sum()) / np.sqrt(32)
        assert abs(case[2]["trace"] - np.trace(case[0])) < 4 * spread

    def test_slope_and_regularizer(self, case):
        assert case[2]["slope"] == pytest.approx(np.linalg.norm(case[1]), rel=1e-12)
        assert case[2]["regularizer"] == pytest.approx((case[1] ** 2).mean(), rel=1e-12)
        assert case[2]["ratio"] == pytest.approx((case[1] ** 2).mean() / case[2]["loss"], rel=1e-12)

    def test_perturbed_networks_are_worse(self, case):
        assert case[2]["perturbed_loss"] > case[2]["loss"]


#: Of a small experiment.
SETTINGS = {"images": 60, "time": 2.0}


class TestExperiments:
    def test_a_task_is_a_training_run_from_its_seed(self):
        task = perceptrons(3, 0.5, seeds=(4, 9), **SETTINGS)
        network = classifier((64, 3, 3, 10))
        split = nets.data.digits(60, rng=9)
        start = network.model.init(np.random.default_rng([9, 1]))
        run = train(network.loss, start, (split.x, split.y), step_size=0.5, time=2.0)
        loss = network.loss(run.params, jnp.asarray(split.x), jnp.asarray(split.y))
        assert task["loss"][0, 1] == pytest.approx(float(loss), rel=1e-5)

    def test_the_same_call_gives_the_same_bits(self):
        one, two = (perceptrons(3, 0.5, seeds=(4, 9), **SETTINGS) for _ in range(2))
        assert all(np.array_equal(one[name], two[name], equal_nan=True) for name in one)

    def test_a_sweep_pairs_each_step_size_with_the_flow(self, tmp_path):
        kept = {"progress": False, "store": tmp_path, "version": "1"}
        runs = sweep_step_sizes([0.25, 0.5], [3], seeds=range(3), options=kept, **SETTINGS)
        flow = perceptrons(3, 0.25, "flow", seeds=(0, 1, 2), **SETTINGS)
        descent = perceptrons(3, 0.5, seeds=(0, 1, 2), **SETTINGS)
        expected = np.log(descent["trace"][0] / flow["trace"][0])
        np.testing.assert_allclose(runs.change("trace")[0, 1], expected, atol=1e-6)
        with pytest.raises(ValueError, match="level is an index of levels"):
            runs.change("trace", level=0)
        with pytest.raises(ValueError, match="step_sizes must hold one or more"):
            sweep_step_sizes([], [3], **SETTINGS)
        expected = descent["test_accuracy"][0] - flow["test_accuracy"][0]
        np.testing.assert_allclose(runs.change("test_accuracy")[0, 1], expected, atol=1e-6)
        assert len(list(tmp_path.glob("*.npz"))) == 3
        assert runs.sizes == (64 * 3 + 3 + 12 + 40,)
        with pytest.raises(ValueError, match="there is no measure 'flatness'"):
            runs.change("flatness")

    def test_without_regularization_nothing_changes(self):
        found = sweep_regularization(
            [1e-12, 0.2], [3], seeds=range(3), flow_step=0.25, options={"progress": False}, **SETTINGS
        )
        change = found.change("trace")[0]
        assert abs(change[0]).max() < 1e-4 < abs(change[1]).min()
