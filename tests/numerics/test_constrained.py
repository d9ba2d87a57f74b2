"""Flows and random paths on a zero-loss set against closed forms, SciPy and Brownian motion on spheres."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
import sympy

import bea
from bea.numerics.constrained import constrained_flow
from bea.numerics.constrained_sde import constrained_paths
from bea.systems import VectorField, ZeroLossSet

CIRCLE = ZeroLossSet(["x**2 + y**2 - 1"], variables="x y")
SPHERE = ZeroLossSet(["x**2 + y**2 + z**2 - 1"], variables="x y z")
UPWARDS = VectorField([0, 1], variables="x y")

WEIGHTS = sympy.symbols("a1 a2 a3 b1 b2 b3")
PRODUCTS = ZeroLossSet(["a1*b1 + a2*b2 + a3*b3 - 1"], variables=WEIGHTS)
START = [1.5, 0.4, 0.3, 0.5, 0.5, 1 / 6]

#: Two-sided bands of this many standard errors are left by chance once in 30 000 checks; seeds are fixed.
BAND = 4.2


def slope_of_regularizer(w):
    """−∇ Σ (a_j b_j)², by hand."""
    a, b = w[:3], w[3:]
    return -2 * np.concatenate([a * b**2, a**2 * b])


DROPCONNECT = VectorField(
    [-((WEIGHTS[i] * WEIGHTS[(i + 3) % 6]) ** 2).diff(WEIGHTS[i]) for i in range(6)], WEIGHTS
)


class TestFlow:
    @pytest.mark.parametrize("end", [2.0, -1.5])
    def test_on_the_circle(self, end):
        flow = constrained_flow(UPWARDS, CIRCLE, [1.0, 0.0], (0.0, end))
        expected = np.stack([1 / np.cosh(flow.t), np.tanh(flow.t)], axis=1)
        distance = np.linalg.norm(flow.x - expected, axis=1)
        assert flow.success
        assert flow.t[-1] == end
        assert distance.max() < 1e-9
        assert (distance <= flow.error + 1e-12).all()
        assert flow.residual < 1e-15

    def test_at_given_times(self):
        times = [0.0, 0.3, 0.31, 0.5, 2.0]
        flow = constrained_flow(UPWARDS, CIRCLE, [1.0, 0.0], (0.0, 2.0), t_eval=times)
        assert flow.t.tolist() == times
        np.testing.assert_allclose(flow.x[:, 1], np.tanh(times), atol=3e-9)
        assert abs(np.hypot(*flow.x.T) - 1).max() < 1e-15

    def test_the_error_estimate_follows_the_tolerance(self):
        for rtol in (1e-4, 1e-6, 1e-8):
            flow = constrained_flow(UPWARDS, CIRCLE, [1.0, 0.0], (0.0, 2.0), rtol=rtol, atol=rtol / 100)
            assert abs(flow.x[-1, 1] - math.tanh(2)) < flow.error[-1] < 100 * rtol

    def test_the_published_value_for_a_sum_of_products(self):
        w = constrained_flow(DROPCONNECT, PRODUCTS, START, (0.0, 1.0)).x[-1]
        np.testing.assert_allclose(w[:3] * w[3:], [0.41291, 0.37360, 0.21349], atol=5e-6)

    @pytest.mark.parametrize("field", [DROPCONNECT, slope_of_regularizer], ids=["symbolic", "function"])
    def test_beside_scipy_with_lagrange_multipliers(self, field):
        def rhs(t, w):
            normal, f = np.concatenate([w[3:], w[:3]]), slope_of_regularizer(w)
            return f - normal * (normal @ f) / (normal @ normal)

        reference = scipy.integrate.solve_ivp(rhs, (0, 3), START, method="Radau", rtol=1e-11, atol=1e-13)
        flow = constrained_flow(field, PRODUCTS, START, (0.0, 3.0))
        np.testing.assert_allclose(flow.x[-1], reference.y[:, -1], atol=1e-8)
        unconstrained = scipy.integrate.solve_ivp(lambda t, w: slope_of_regularizer(w), (0, 3), START)
        assert abs(unconstrained.y[:, -1] - flow.x[-1]).max() > 0.1

    def test_without_retraction_rounding_and_errors_drift_off(self):
        def rhs(t, x):
            return np.array([0.0, 1.0]) - x * x[1]

        plain = scipy.integrate.solve_ivp(rhs, (0, 2), [1.0, 0.0], rtol=1e-4, atol=1e-6, method="DOP853").y[
            :, -1
        ]
        flow = constrained_flow(UPWARDS, CIRCLE, [1.0, 0.0], (0.0, 2.0), rtol=1e-4, atol=1e-6)
        assert flow.residual < 1e-15 < flow.retraction
        assert abs(np.hypot(*plain) - 1) > 1e-9

    def test_residuals_that_depend_on_one_another(self):
        twice = ZeroLossSet(["x**2 + y**2 - 1", "2*x**2 + 2*y**2 - 2"], "x y", codimension=1)
        x = constrained_flow(UPWARDS, twice, [1.0, 0.0], (0.0, 1.0)).x[-1]
        np.testing.assert_allclose(x, [1 / math.cosh(1), math.tanh(1)], atol=1e-9)

    def test_parameters_of_the_field(self):
        field = VectorField(["0", "c"], variables="x y", parameters={"c": 5})
        x = constrained_flow(field, CIRCLE, [1.0, 0.0], (0.0, 1.0), parameters={"c": 2}).x[-1]
        assert x[1] == pytest.approx(math.tanh(2), abs=1e-9)

    def test_an_end_that_is_not_reached(self):
        with pytest.warns(RuntimeWarning, match="the end was not reached: 3 steps were made"):
            flow = constrained_flow(UPWARDS, CIRCLE, [1.0, 0.0], (0.0, 20.0), max_steps=3)
        assert not flow.success
        assert flow.t[-1] < 20

    @pytest.mark.parametrize(
        ("change", "error", "sentence"),
        [
            ({"x0": [1.0, 0.5]}, ValueError, "x0 must lie on the zero-loss set"),
            ({"zero_loss_set": "circle"}, TypeError, "zero_loss_set must be a ZeroLossSet"),
            ({"vector_field": 3}, TypeError, "a field is a VectorField or a function"),
            ({"vector_field": VectorField([1, 0], "u v")}, ValueError, "the variables of the zero-loss set"),
            ({"vector_field": lambda x: x[:1]}, ValueError, "the value of the field must have shape"),
            ({"vector_field": lambda x: x * np.nan}, ValueError, "the value of the field must be finite"),
            ({"t_span": (0.0, np.inf)}, ValueError, "t_span"),
            ({"parameters": {"q": 1}}, ValueError, "'q'"),
            ({"atol": 0}, ValueError, "atol must be positive where x0 is 0"),
        ],
    )
    def test_bad_input(self, change, error, sentence):
        given = {
            "vector_field": UPWARDS,
            "zero_loss_set": CIRCLE,
            "x0": [1.0, 0.0],
            "t_span": (0, 1),
            **change,
        }
        with pytest.raises(error, match=sentence):
            constrained_flow(**given)


class TestPaths:
    """Brownian motion on the unit sphere of dimension n has E x(t) = exp(−nt/2) x(0)."""

    def test_on_the_circle_the_angle_is_normal(self):
        paths = constrained_paths(
            None, sympy.eye(2), CIRCLE, [1.0, 0.0], 0.005, steps=50, replicas=3000, rng=1
        )
        angle = np.arctan2(paths.final[:, 1], paths.final[:, 0])
        assert scipy.stats.kstest(angle, "norm", args=(0, math.sqrt(0.25))).pvalue > 0.01
        assert scipy.stats.kstest(angle, "norm", args=(0, math.sqrt(0.35))).pvalue < 1e-4
        assert paths.residual < 1e-15

    def test_on_the_sphere_the_mean_falls_exponentially(self):
        n, t = 6000, 0.5
        paths = constrained_paths(None, sympy.eye(3), SPHERE, [0.0, 0.6, 0.8], 0.01, 50, n, rng=2)
        second = (1 + 2 * math.exp(-3 * t)) / 3  # of the component along the start
        error = math.sqrt((second - math.exp(-2 * t)) / n)
        along = paths.mean @ [0.0, 0.6, 0.8]
        bias = 0.01 * t  # the weak order is 1
        assert abs(along - math.exp(-t)) < BAND * error + bias
        assert abs(along - math.exp(-t / 2)) > BAND * error + bias
        np.testing.assert_allclose(np.linalg.norm(paths.final, axis=1), 1, atol=1e-15)

    def test_the_bias_of_a_large_step_is_that_of_the_formula(self):
        """On the circle a step turns by arctan of the increment, so that E x is a power of an integral."""
        n, h, steps = 20_000, 0.25, 2
        paths = constrained_paths(None, sympy.eye(2), CIRCLE, [1.0, 0.0], h, steps, n, rng=3)
        factor, _ = scipy.integrate.quad(lambda u: scipy.stats.norm.pdf(u) / math.sqrt(1 + h * u * u), -9, 9)
        error = paths.final[:, 0].std() / math.sqrt(n)
        assert abs(paths.mean[0] - factor**steps) < BAND * error
        assert abs(paths.mean[0] - math.exp(-h * steps / 2)) > BAND * error

    def test_the_weak_order_is_one(self):
        """By the formula above, which the test before confirms."""

        def bias(h):
            factor, _ = scipy.integrate.quad(
                lambda u: scipy.stats.norm.pdf(u) / math.sqrt(1 + h * u * u), -9, 9
            )
            return factor ** round(1 / h) - math.exp(-1 / 2)

        steps = [1 / 16, 1 / 32, 1 / 64, 1 / 128, 1 / 256]
        slope = scipy.stats.linregress(np.log(steps), np.log([bias(h) for h in steps])).slope
        assert slope == pytest.approx(1, abs=0.1)

    def test_without_retraction_paths_drift_off(self):
        rng, x = np.random.default_rng(0), np.tile([[1.0], [0.0]], (1, 500))
        for _ in range(100):
            increments = 0.1 * rng.standard_normal((2, 500))
            unit = x / np.linalg.norm(x, axis=0)
            x = x + increments - unit * (unit * increments).sum(axis=0)
        ours = constrained_paths(None, sympy.eye(2), CIRCLE, [1.0, 0.0], 0.01, 100, 500)
        assert abs(np.linalg.norm(x, axis=0) - 1).mean() > 0.2
        assert abs(np.linalg.norm(ours.final, axis=1) - 1).max() < 1e-15

    def test_a_plain_loop_makes_the_same_paths(self):
        """On the circle the retraction divides by the length."""
        S = sympy.Matrix([["c*y", 0], [0, 1]])
        drift = VectorField(["0", "k*x"], variables="x y", parameters={"k": 2})
        ours = constrained_paths(drift, S, CIRCLE, [0.6, 0.8], 0.01, 60, 300, parameters={"c": 0.5})
        runs = []
        for rng, size in zip(np.random.default_rng(0).spawn(2), (256, 44), strict=True):
            x = np.tile([[0.6], [0.8]], (1, size))
            for _ in range(60):
                dB = 0.1 * rng.standard_normal((2, size))
                move = np.stack([0.5 * x[1] * dB[0], dB[1] + 0.02 * x[0]])
                y = x + move - x * (x * move).sum(axis=0)
                x = y / np.linalg.norm(y, axis=0)
            runs.append(x.T)
        np.testing.assert_allclose(ours.final, np.concatenate(runs), rtol=1e-11)
        assert ours.parameters == {"c": 0.5, "k": 2.0}

    def test_without_noise_it_is_the_flow(self):
        steps = 400
        paths = constrained_paths(UPWARDS, sympy.zeros(2, 1), CIRCLE, [1.0, 0.0], 1 / steps, steps, 2)
        assert paths.final[0, 1] == pytest.approx(math.tanh(1), abs=1 / steps)
        assert (paths.final[0] == paths.final[1]).all()

    def test_functions_of_a_point_and_of_many(self):
        def drift(x):
            return np.array([0.0 * x[0], x[0] ** 2])

        def diffusion(x):
            return np.array([[x[1], 0 * x[0]], [0 * x[0], 1 + x[0]]])

        known = {"zero_loss_set": CIRCLE, "x0": [1.0, 0.0], "step_size": 0.01, "steps": 20, "replicas": 270}
        one = constrained_paths(drift, diffusion, **known)
        many = constrained_paths(drift, diffusion, vectorized=True, **known)
        x, y = sympy.symbols("x y")
        symbolic = constrained_paths(
            VectorField([0, x**2], [x, y]), sympy.Matrix([[y, 0], [0, 1 + x]]), **known
        )
        np.testing.assert_allclose(one.final, many.final, rtol=1e-12)
        np.testing.assert_allclose(one.final, symbolic.final, rtol=1e-12)

    @pytest.mark.parametrize(
        "zeros",
        [
            ZeroLossSet(["x**2 + y**2 - 1", "z - 2*x"], variables="x y z"),
            ZeroLossSet(["x**2 + y**2 - 1", "z - 2*x", "2*z - 4*x"], variables="x y z", codimension=2),
        ],
        ids=["two residuals", "dependent residuals"],
    )
    def test_a_curve_in_space(self, zeros):
        """The arc length of Brownian motion on a curve is Brownian motion on the line; the angle is not."""
        steps, n, t = 100, 1500, 0.5
        paths = constrained_paths(None, sympy.eye(3), zeros, [1.0, 0.0, 2.0], t / steps, steps, n, rng=4)
        assert np.abs(paths.final @ [2, 0, -1]).max() < 1e-14
        angles = np.linspace(-np.pi, np.pi, 20_001)
        arc = scipy.integrate.cumulative_simpson(np.sqrt(1 + 4 * np.sin(angles) ** 2), x=angles, initial=0)
        angle = np.arctan2(paths.final[:, 1], paths.final[:, 0])
        length = np.interp(angle, angles, arc - arc[10_000])
        assert scipy.stats.kstest(length, "norm", args=(0, math.sqrt(t))).pvalue > 0.01
        assert scipy.stats.kstest(angle, "norm", args=(0, math.sqrt(t))).pvalue < 1e-4

    def test_the_number_of_workers_changes_no_bit(self):
        def run(n):
            return constrained_paths(
                None, sympy.eye(3), SPHERE, [0, 0.6, 0.8], 0.01, 30, 2600, workers=n,
                record_every=7, statistics={"height": "z", "square": "z**2"}, record_replicas=range(2600),
            )  # fmt: skip

        one, two, five = (run(n) for n in (1, 2, 5))
        assert one.final.tobytes() == two.final.tobytes() == five.final.tobytes()
        assert (
            one.path.covariance.tobytes() == two.path.covariance.tobytes() == five.path.covariance.tobytes()
        )
        z = one.path.replicas[:, :, 2]
        np.testing.assert_allclose(one.path.statistics["square"], (z**2).mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(one.path.variances["height"], z.var(axis=1, ddof=1), rtol=1e-9, atol=1e-15)
        assert one.path.steps.tolist() == [0, 7, 14, 21, 28, 30]

    def test_replicas_that_are_lost_are_told(self):
        def drift(x):
            return np.where(x[0] > 0.8, np.nan, 0.0) * x

        with pytest.warns(RuntimeWarning, match="of 300 replicas diverged"):
            paths = constrained_paths(
                drift, sympy.eye(2), CIRCLE, [0.0, 1.0], 0.01, 100, 300, vectorized=True, record_every=50
            )
        assert 20 < len(paths.diverged) < 280
        assert np.isfinite(paths.final).all()
        assert paths.path.count[-1] == 300 - len(paths.diverged)
        assert paths.mean[0] == pytest.approx(paths.survivors[:, 0].mean())

    def test_an_interrupt_keeps_what_is_done(self):
        def stop(made, steps):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as caught:
            constrained_paths(None, sympy.eye(2), CIRCLE, [1.0, 0.0], 0.01, 10**6, 5, progress=stop)
        assert 0 < caught.value.ensemble.steps_made < 10**6

    @pytest.mark.parametrize(
        ("change", "error", "sentence"),
        [
            ({"x0": [1.0, 0.5]}, ValueError, "x0 must lie on the zero-loss set"),
            ({"diffusion": sympy.eye(3)}, ValueError, "the diffusion must have 2 rows"),
            ({"diffusion": 3}, TypeError, "the diffusion is a SymPy matrix or a function"),
            ({"drift": 3}, TypeError, "the drift is a VectorField, a function or None"),
            ({"drift": lambda x: x[:1]}, ValueError, r"drift must have shape \(2, 5\)"),
            ({"diffusion": lambda x: x}, ValueError, r"the diffusion must have shape \(2, r, 5\)"),
            ({"steps": -1}, ValueError, "steps must be at least 0"),
            ({"step_size": 0}, ValueError, "step_size must be a positive number"),
            ({"parameters": {"q": 1}}, ValueError, "'q'"),
            ({"drift": VectorField(["k", 0], "x y")}, ValueError, "no value for parameter 'k'"),
        ],
    )
    def test_bad_input(self, change, error, sentence):
        given = {
            "drift": None, "diffusion": sympy.eye(2), "zero_loss_set": CIRCLE, "x0": [1.0, 0.0],
            "step_size": 0.1, "steps": 5, "replicas": 5, **change,
        }  # fmt: skip
        with pytest.raises(error, match=sentence):
            constrained_paths(**given)


def test_the_limit_of_label_noise_goes_to_where_the_trace_of_the_hessian_is_least():
    """(1/2)(ab − 1 − e)² has tr H = a² + b² on its zero-loss set, least at a = b = 1."""
    noisy = bea.NoisyLoss("(a*b - 1 - e)**2 / 2", variables="a b", noise="e")
    limit = bea.limit(noisy)
    flow = constrained_flow(limit.drift, limit.zero_loss_set, [2.0, 0.5], (0.0, 40.0))
    np.testing.assert_allclose(flow.x[-1], [1.0, 1.0], atol=1e-6)


def test_the_limit_is_asked_for_many_points_at_once():
    noisy = bea.NoisyLoss("(a*b - 1)**2/2 + e1*a + e2*(b + a*b)", variables="a b", noise="e1 e2")
    limit = bea.limit(noisy, points=5)
    known = {"zero_loss_set": limit.zero_loss_set, "x0": [2.0, 0.5], "step_size": 0.01}
    many = constrained_paths(limit.drift, limit.diffusion, steps=10, replicas=30, **known)
    calls = []

    def drift(x):
        calls.append(x.shape)
        return limit.drift(x)

    one = constrained_paths(drift, lambda x: limit.diffusion(x), steps=10, replicas=30, **known)
    np.testing.assert_allclose(many.final, one.final, rtol=1e-10)
    assert set(calls) == {(2,)}
    assert many.final[:, 0].std() > 0.05


def test_a_start_where_the_zero_loss_set_is_singular_is_refused():
    cross = ZeroLossSet(["x*y"], variables="x y")
    for run in (
        lambda: constrained_paths(None, sympy.eye(2), cross, [0.0, 0.0], 0.01, 5, 5),
        lambda: constrained_flow(UPWARDS, cross, [0.0, 0.0], (0, 1)),
    ):
        with pytest.raises(ValueError, match="no tangent space of dimension 1"):
            run()
    assert constrained_paths(None, sympy.eye(2), cross, [0.0, 2.0], 0.01, 5, 5).success
