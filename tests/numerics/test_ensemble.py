"""Ensembles of noisy descent against plain loops, linear problems in closed form, and moments of the laws."""

import math
import warnings

import numpy as np
import pytest
import scipy.stats
import sympy

import bea
from bea.numerics import ensemble_source, ensembles
from bea.numerics.dense_sums import with_dense_sums
from bea.numerics.program import Program
from bea.numerics.replicas import BLOCK
from bea.systems import Loss, NoisyLoss

LABEL_NOISE = NoisyLoss("(a*b - y - e)**2 / 2", variables="a b", noise="e", parameters={"y": 1})
ORNSTEIN = NoisyLoss("w**2/2 + e*w", variables="w", noise="e")

#: Two-sided bands of this many standard errors are left by chance once in 30 000 checks; seeds are fixed.
BAND = 4.2


def blocks(seed, replicas):
    """The generators of the blocks and how many replicas each has, as the documentation of a seed has it."""
    sizes = [min(BLOCK, replicas - first) for first in range(0, replicas, BLOCK)]
    return zip(np.random.default_rng(seed).spawn(len(sizes)), sizes, strict=True)


def label_noise_loop(x0, h, steps, replicas, sigma, seed):
    """The same runs by NumPy: all states, of shape (steps + 1, replicas, 2)."""
    runs = []
    for rng, size in blocks(seed, replicas):
        a, b = np.full(size, x0[0]), np.full(size, x0[1])
        states = [np.stack([a, b], axis=1)]
        for _ in range(steps):
            residual = a * b - 1 - sigma * rng.standard_normal(size)
            a, b = a - h * residual * b, b - h * residual * a
            states.append(np.stack([a, b], axis=1))
        runs.append(np.array(states))
    return np.concatenate(runs, axis=1)


def row_by_row(monkeypatch):
    """Treat every field as a large one."""
    monkeypatch.setattr(ensemble_source, "STRAIGHT_LINE_LIMIT", 0)
    monkeypatch.setattr(ensembles, "_module", ensembles._module.__wrapped__)


class TestStream:
    def test_a_plain_loop_makes_the_same_runs(self):
        ours = bea.ensemble(LABEL_NOISE, [1.5, 0.5], 0.05, 200, 300, sigma=0.3, rng=7)
        expected = label_noise_loop([1.5, 0.5], 0.05, 200, 300, 0.3, 7)[-1]
        np.testing.assert_allclose(ours.final, expected, rtol=1e-12)
        another = bea.ensemble(LABEL_NOISE, [1.5, 0.5], 0.05, 200, 300, sigma=0.3, rng=8)
        assert abs(another.final - expected).max() > 0.01

    @pytest.mark.parametrize("workers", [2, 5])
    def test_the_number_of_workers_changes_no_bit(self, workers):
        def run(n):
            return bea.ensemble(
                LABEL_NOISE, [1.5, 0.5], 0.05, 500, 1000, workers=n, record_every=7, statistics={"s": "a + b"}
            )

        one, many = run(1), run(workers)
        assert one.final.tobytes() == many.final.tobytes()
        for name in ("count", "mean", "covariance"):
            assert getattr(one.path, name).tobytes() == getattr(many.path, name).tobytes()
        assert one.path.variances["s"].tobytes() == many.path.variances["s"].tobytes()

    def test_the_first_blocks_do_not_depend_on_how_many_follow(self):
        few = bea.ensemble(LABEL_NOISE, [1.5, 0.5], 0.05, 50, BLOCK)
        more = bea.ensemble(LABEL_NOISE, [1.5, 0.5], 0.05, 50, 3 * BLOCK + 1)
        assert few.final.tobytes() == more.final[:BLOCK].tobytes()
        assert len({row.tobytes() for row in more.final}) == 3 * BLOCK + 1

    def test_slices_of_time_change_no_bit(self, monkeypatch):
        whole = bea.ensemble(LABEL_NOISE, [1.5, 0.5], 0.05, 100, 300, record_every=3)
        monkeypatch.setattr("bea.numerics.replicas._FIRST", 1)
        monkeypatch.setattr("bea.numerics.replicas._SLICE", 0.0)
        monkeypatch.setattr("bea.numerics.replicas._LEAST", 0.0)
        parts = bea.ensemble(LABEL_NOISE, [1.5, 0.5], 0.05, 100, 300, record_every=3)
        assert whole.final.tobytes() == parts.final.tobytes()
        np.testing.assert_allclose(whole.path.covariance, parts.path.covariance, rtol=1e-12, atol=1e-18)

    @pytest.mark.parametrize(
        "noisy",
        [
            LABEL_NOISE,
            NoisyLoss("sin(a*b + e) + exp(-a**2)*a/(2 + b**2) + b**2*atan(e)", variables="a b", noise="e"),
        ],
        ids=["polynomial", "functions"],
    )
    def test_large_fields_are_evaluated_row_by_row_to_the_same_result(self, noisy, monkeypatch):
        inlined = bea.ensemble(noisy, [1.5, 0.5], 0.05, 100, 300, rng=3)
        row_by_row(monkeypatch)
        evaluated = bea.ensemble(noisy, [1.5, 0.5], 0.05, 100, 300, rng=3)
        np.testing.assert_allclose(evaluated.final, inlined.final, rtol=1e-11)

    def test_many_data_with_a_noise_each(self):
        n, p, h, sigma = 30, 30, 0.01, 0.2
        X = np.random.default_rng(0).integers(-2, 3, (n, p))
        w, e = sympy.symbols(f"w:{p}"), sympy.symbols(f"e:{n}")
        residuals = [sum(int(X[i, j]) * w[j] ** 2 for j in range(p)) - 1 - e[i] for i in range(n)]
        noisy = NoisyLoss(sum(r**2 for r in residuals) / (2 * n), w, e)
        size = Program(noisy.field.components, [*w, *e]).size
        assert size > ensemble_source.STRAIGHT_LINE_LIMIT
        ours = bea.ensemble(noisy, np.full(p, 0.5), h, 20, 40, sigma=sigma)
        ((rng, size),) = blocks(0, 40)
        x = np.full((p, size), 0.5)
        for _ in range(20):
            r = X @ x**2 - 1 - sigma * rng.standard_normal((n, size))
            x = x - h * 2 * x * (X.T @ r) / n
        np.testing.assert_allclose(ours.final, x.T, rtol=1e-11)

    def diagonal_network(self):
        """Label noise on a network of width 60 with 12 labels, and its data."""
        X = np.random.default_rng(2).integers(-3, 4, (12, 60))
        u, v = sympy.symbols("u1:61"), sympy.symbols("v1:61")
        outputs = [sum(int(c) * (a**2 - b**2) for c, a, b in zip(row, u, v, strict=True)) for row in X]
        y = X[:, :2].sum(axis=1)
        return bea.noise.label_noise(outputs, y, [*u, *v], half=False), X, y

    def test_products_of_matrices_make_the_same_runs_as_numpy(self):
        noisy, X, y = self.diagonal_network()
        h, sigma, (n, p) = 0.005, 0.3, X.shape
        ours = bea.ensemble(noisy, np.full(2 * p, 0.4), h, 40, 300, sigma=sigma, rng=9)
        final = []
        for rng, size in blocks(9, 300):
            u, v = np.full((2, p, size), 0.4)
            for _ in range(40):
                r = X @ (u**2 - v**2) - y[:, np.newaxis] - sigma * rng.standard_normal((n, size))
                s = 4 * h / n * (X.T @ r)
                u, v = u - s * u, v + s * v
            final.append(np.concatenate([u, v]).T)
        final = np.concatenate(final)
        np.testing.assert_allclose(ours.final, final, rtol=1e-10)
        assert abs(ours.final - final[::-1]).max() > 1e-3
        inlined = Program(noisy.field.components, [*noisy.variables, *noisy.noise])
        dense = with_dense_sums(inlined, [*noisy.variables, *noisy.noise])
        assert dense.size < 0.8 * inlined.size  # columns of u² and v² are one, and so are rows

    def test_products_of_matrices_have_the_same_bits_for_any_number_of_workers(self):
        noisy, _, _ = self.diagonal_network()
        runs = [
            bea.ensemble(
                noisy, np.full(120, 0.4), 0.005, 30, 600, sigma=0.3, workers=n, record_every=7,
                statistics={"s": "u1**2 - v1**2"}, record_replicas=[3, 599],
            )
            for n in (1, 2, 4)
        ]  # fmt: skip
        for other in runs[1:]:
            assert runs[0].final.tobytes() == other.final.tobytes()
            for name in ("count", "mean", "covariance", "replicas"):
                assert getattr(runs[0].path, name).tobytes() == getattr(other.path, name).tobytes()
            assert runs[0].path.variances["s"].tobytes() == other.path.variances["s"].tobytes()

    def test_lanes_that_diverge_leave_the_others_alone(self):
        noisy, _, _ = self.diagonal_network()
        starts = np.full((20, 120), 0.4)
        starts[[4, 17]] = 40.0
        with pytest.warns(RuntimeWarning, match="2 of 20 replicas diverged"):
            some = bea.ensemble(noisy, starts, 0.005, 30, 20)
        none = bea.ensemble(noisy, np.full((20, 120), 0.4), 0.005, 30, 20)
        assert some.diverged.tolist() == [4, 17]
        alive = some.diverged_at == 0
        np.testing.assert_allclose(some.final[alive], none.final[alive], rtol=1e-13)
        assert np.isfinite(some.final).all()

    def test_a_field_with_source_of_its_own(self):
        class Native(NoisyLoss):
            @property
            def field(self):
                source = "out[:] = -np.dot(data.reshape((2, 2)), x) - p[0]"
                return bea.VectorField(
                    ["-2*u - v - e", "-u - 3*v - e"], "u v", native_source=source, native_data=[2, 1, 1, 3]
                )

        symbolic = NoisyLoss("u**2 + u*v + 3*v**2/2 + e*(u + v)", variables="u v", noise="e")
        native = Native(symbolic.expression, symbolic.variables, symbolic.noise)
        ours = bea.ensemble(native, [1.0, -1.0], 0.1, 30, 300)
        np.testing.assert_allclose(
            ours.final, bea.ensemble(symbolic, [1.0, -1.0], 0.1, 30, 300).final, rtol=1e-12, atol=1e-14
        )


class TestLinearProblems:
    """w ← w − α(Aw + η) has the mean (1 − αA)ᵏw₀ and the covariance α²σ² Σ_j (1 − αA)^{2j}, j < k."""

    @pytest.mark.parametrize("k", [1, 10, 400])
    def test_mean_and_variance_in_one_variable(self, k):
        h, sigma, n = 0.1, 0.5, 20_000
        result = bea.ensemble(ORNSTEIN, [2.0], h, k, n, sigma=sigma, rng=11)
        variance = h**2 * sigma**2 * (1 - (1 - h) ** (2 * k)) / (1 - (1 - h) ** 2)
        assert abs(result.mean[0] - 2 * (1 - h) ** k) < BAND * math.sqrt(variance / n)
        assert abs(result.covariance[0, 0] / variance - 1) < BAND * math.sqrt(2 / n)

    def test_the_variance_of_another_step_size_is_refused(self):
        result = bea.ensemble(ORNSTEIN, [2.0], 0.1, 400, 20_000, sigma=0.5, rng=11)
        wrong = 0.11 * 0.5**2 / (2 - 0.11)
        assert abs(result.covariance[0, 0] / wrong - 1) > BAND * math.sqrt(2 / 20_000)

    def test_covariance_in_two_variables(self):
        noisy = NoisyLoss("u**2 + u*v + 3*v**2/2 + e1*u + e2*v", variables="u v", noise="e1 e2")
        h, sigma, k, n = 0.05, 0.3, 60, 40_000
        result = bea.ensemble(noisy, [1.0, -1.0], h, k, n, sigma=sigma, rng=5)
        B = np.eye(2) - h * np.array([[2.0, 1.0], [1.0, 3.0]])
        covariance = h**2 * sigma**2 * sum(np.linalg.matrix_power(B, 2 * j) for j in range(k))
        mean = np.linalg.matrix_power(B, k) @ [1.0, -1.0]
        variances = np.diag(covariance)
        assert (abs(result.mean - mean) < BAND * np.sqrt(variances / n)).all()
        error = np.sqrt((np.outer(variances, variances) + covariance**2) / n)
        assert (abs(result.covariance - covariance) < BAND * error).all()

    def test_quantiles_are_those_of_the_normal_law(self):
        n = 40_000
        result = bea.ensemble(ORNSTEIN, [0.0], 0.1, 200, n, sigma=1.0, rng=2)
        sd = math.sqrt(0.1 / 1.9)
        for q in (0.1, 0.5, 0.9):
            expected = sd * scipy.stats.norm.ppf(q)
            density = scipy.stats.norm.pdf(expected / sd) / sd
            assert abs(result.quantiles(q)[0] - expected) < BAND * math.sqrt(q * (1 - q) / n) / density
        assert result.quantiles([0.25, 0.75]).shape == (2, 1)


LAWS = [
    bea.noise.Gaussian(),
    bea.noise.Rademacher(),
    bea.noise.Uniform(),
    bea.noise.Bernoulli(),
    bea.noise.Sampled(
        lambda rng, shape: rng.laplace(size=shape) / math.sqrt(2), moments={3: 0, 4: 6, 6: 90, 8: 2520}
    ),
]


class TestLaws:
    """One step of size 1 in −e·w shows the noise itself."""

    @pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
    def test_moments(self, law):
        n, sigma = 100_000, 0.7
        noisy = NoisyLoss("-e*w", variables="w", noise="e", law=law)
        xi = bea.ensemble(noisy, [0.0], 1.0, 1, n, sigma=sigma, rng=4).final[:, 0] / sigma
        for k in (1, 2, 3, 4):
            moment, square = (float(law.moment(j).subs("sigma", sigma)) for j in (k, 2 * k))
            error = math.sqrt(max(square - moment**2, 0) / n)
            assert abs((xi**k).mean() - moment) <= BAND * error + 1e-12

    def test_the_law_of_another_noise_is_refused(self):
        noisy = NoisyLoss("-e*w", variables="w", noise="e", law=bea.noise.Uniform())
        xi = bea.ensemble(noisy, [0.0], 1.0, 1, 100_000, sigma=1.0, rng=4).final[:, 0]
        assert abs((xi**4).mean() - 3) > BAND * math.sqrt(96 / 100_000)

    @pytest.mark.parametrize("replacement", [False, True])
    def test_dependent_components(self, replacement):
        law = bea.noise.Minibatch(batch=2, replacement=replacement)
        noisy = NoisyLoss("-e1*u - e2*v - e3*w", variables="u v w", noise="e1 e2 e3", law=law)
        n = 100_000
        result = bea.ensemble(noisy, [0.0, 0.0, 0.0], 1.0, 1, n, rng=6)
        assert result.sigma == pytest.approx(law.scale(3))
        assert abs(result.final.sum(axis=1)).max() < 1e-12
        expected = law.scale(3) ** 2 * np.array(law.correlation(3), dtype=float)
        assert abs(result.covariance - expected).max() < 5 * expected.max() * math.sqrt(2 / n)

    def test_a_law_without_source_is_drawn_by_its_sampler(self, monkeypatch):
        law = bea.noise.Sampled(lambda rng, shape: rng.laplace(size=shape) / math.sqrt(2))
        noisy = NoisyLoss("w**2/2 + e*w", variables="w", noise="e", law=law)
        monkeypatch.setattr("bea.numerics.ensembles.MOST_DRAWN", 1000)
        result = bea.ensemble(noisy, [1.0], 0.1, 50, 300, sigma=0.3, record_every=4)
        runs = []
        for rng, size in blocks(0, 300):
            w = np.ones(size)
            for _ in range(50):
                w = w - 0.1 * (w + 0.3 * rng.laplace(size=(size, 1))[:, 0] / math.sqrt(2))
            runs.append(w)
        np.testing.assert_allclose(result.final[:, 0], np.concatenate(runs), rtol=1e-12)
        assert result.path.steps.tolist() == [*range(0, 50, 4), 50]

    @pytest.mark.parametrize(
        ("sampler", "sentence"),
        [
            (lambda rng, shape: rng.exponential(size=shape), "must have mean 0, but in 4096 draws .* it is"),
            (lambda rng, shape: 1.2 * rng.normal(size=shape), "must have variance 1, but in 4096 draws"),
        ],
    )
    def test_samplers_of_another_mean_or_variance_are_refused(self, sampler, sentence):
        noisy = NoisyLoss("w**2/2 + e*w", variables="w", noise="e", law=bea.noise.Sampled(sampler))
        with pytest.raises(ValueError, match=sentence):
            bea.ensemble(noisy, [1.0], 0.1, 5, 5)

    def test_no_noise_is_gradient_descent(self):
        result = bea.ensemble(LABEL_NOISE, [1.5, 0.5], 0.05, 100, 3, sigma=0)
        loss = Loss("(a*b - 1)**2/2", variables="a b")
        path = bea.iterate(loss, bea.GradientDescent(), [1.5, 0.5], 0.05, 100)
        np.testing.assert_allclose(result.final, np.tile(path.x[-1], (3, 1)), rtol=1e-13)


class TestDivergence:
    RUNAWAY = NoisyLoss("w**2/2 - w**4/4 + e*w", variables="w", noise="e")

    def run(self, **options):
        starts = np.linspace(-1.6, 1.6, 300)[:, np.newaxis]
        with pytest.warns(RuntimeWarning, match="replicas diverged, the first at step"):
            return bea.ensemble(self.RUNAWAY, starts, 0.1, 200, 300, sigma=0.5, rng=1, **options)

    def loop(self):
        starts = np.linspace(-1.6, 1.6, 300)
        states, left, states_at_50 = [], [], []
        first = 0
        for rng, size in blocks(1, 300):
            w, at = starts[first : first + size].copy(), np.zeros(size, dtype=int)
            first += size
            for k in range(1, 201):
                with np.errstate(all="ignore"):
                    new = w - 0.1 * (w - w**3 + 0.5 * rng.standard_normal(size))
                    gone = (at == 0) & ~(abs(new) <= 1e100)
                at[gone] = k
                w = np.where(at > 0, w, new)
                if k == 50:
                    states_at_50.append(np.where(at > 0, np.nan, w))
            states.append(w)
            left.append(at)
        return np.concatenate(states), np.concatenate(left), np.concatenate(states_at_50)

    def test_which_and_when(self):
        result = self.run()
        states, left, _ = self.loop()
        assert 50 < (left > 0).sum() < 250
        assert result.diverged_at.tolist() == left.tolist()
        assert result.diverged.tolist() == np.flatnonzero(left).tolist()
        assert not result.success
        alive = left == 0
        np.testing.assert_allclose(result.final[alive, 0], states[alive], rtol=1e-9, atol=1e-12)
        assert np.isfinite(result.final).all()

    def test_they_count_in_no_statistic(self):
        result = self.run(record_every=50, record_replicas=range(300))
        states, left, at_50 = self.loop()
        assert result.mean[0] == pytest.approx(states[left == 0].mean(), abs=1e-12)
        survivors = at_50[~np.isnan(at_50)]
        assert result.path.count[1] == survivors.size
        assert result.path.mean[1, 0] == pytest.approx(survivors.mean(), abs=1e-12)
        assert result.path.covariance[1, 0, 0] == pytest.approx(survivors.var(ddof=1), rel=1e-9)
        assert (np.isnan(result.path.replicas[1, :, 0]) == np.isnan(at_50)).all()

    def test_large_fields_tell_the_same(self, monkeypatch):
        inlined = self.run()
        row_by_row(monkeypatch)
        evaluated = self.run()
        assert evaluated.diverged_at.tolist() == inlined.diverged_at.tolist()
        np.testing.assert_allclose(evaluated.survivors, inlined.survivors, rtol=1e-9, atol=1e-12)

    def test_a_step_too_large_for_the_curvature_is_named(self):
        """At (2, 1/2) the Hessian of ½(ab − 1)² has the eigenvalues 0 and a² + b² = 17/4."""
        with pytest.warns(RuntimeWarning, match=r"largest curvature is 12.8, and descent is unstable from 2"):
            bea.ensemble(LABEL_NOISE, [2.0, 0.5], 3.0, 50, 20)
        with pytest.warns(RuntimeWarning, match="replicas diverged") as caught:
            bea.ensemble(LABEL_NOISE, [2.0, 0.5], 0.3, 500, 20, sigma=50.0)
        assert "curvature" not in str(caught[0].message)

    def test_all_of_them(self):
        with pytest.warns(RuntimeWarning, match="5 of 5 replicas diverged"):
            result = bea.ensemble(self.RUNAWAY, [5.0], 0.5, 100, 5, record_every=10)
        assert result.path.count.tolist() == [5, *[0] * 10]
        with pytest.raises(ValueError, match="a mean needs 1 or more replicas that have not diverged"):
            _ = result.mean

    def test_quiet_runs_warn_of_nothing(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert bea.ensemble(ORNSTEIN, [1.0], 0.1, 10, 10).success


class TestPath:
    def test_statistics_are_those_of_the_stored_replicas(self):
        replicas = 700
        result = bea.ensemble(
            LABEL_NOISE, [1.5, 0.5], 0.05, 103, replicas, sigma=0.3, record_every=10,
            statistics={"product": "a*b", "scaled": "y*sin(a)"}, record_replicas=range(replicas),
        )  # fmt: skip
        path, x = result.path, label_noise_loop([1.5, 0.5], 0.05, 103, replicas, 0.3, 0)
        assert path.steps.tolist() == [*range(0, 101, 10), 103]
        np.testing.assert_allclose(path.t, 0.05 * path.steps)
        np.testing.assert_allclose(path.replicas, x[path.steps], rtol=1e-12)
        np.testing.assert_allclose(path.mean, x[path.steps].mean(axis=1), rtol=1e-12)
        for k, step in enumerate(path.steps):
            covariance = np.cov(x[step], rowvar=False)
            np.testing.assert_allclose(path.covariance[k], covariance, rtol=1e-9, atol=1e-13)
        product, scaled = x[path.steps].prod(axis=2), np.sin(x[path.steps, :, 0])
        np.testing.assert_allclose(path.statistics["product"], product.mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(
            path.variances["product"], product.var(axis=1, ddof=1), rtol=1e-9, atol=1e-13
        )
        np.testing.assert_allclose(path.statistics["scaled"], scaled.mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(path.mean[-1], result.mean, rtol=1e-12)
        np.testing.assert_allclose(path.covariance[-1], result.covariance, rtol=1e-9)

    def test_selected_replicas(self):
        result = bea.ensemble(
            LABEL_NOISE, [1.5, 0.5], 0.05, 20, 600, record_every=5, record_replicas=[599, 3]
        )
        assert result.path.replicas.shape == (5, 2, 2)
        assert (result.path.replicas[-1] == result.final[[599, 3]]).all()

    def test_no_step(self):
        result = bea.ensemble(ORNSTEIN, [1.5], 0.1, 0, 3)
        assert result.final.tolist() == [[1.5]] * 3
        assert result.path.steps.tolist() == [0]
        assert result.success

    def test_parameters(self):
        result = bea.ensemble(LABEL_NOISE, [1.5, 0.5], 0.05, 2000, 4, sigma=0, parameters={"y": 2})
        np.testing.assert_allclose(result.final.prod(axis=1), 2, rtol=1e-12)
        assert result.parameters == {"y": 2.0}
        assert (result.seed, result.sigma, result.steps) == (0, 0.0, 2000)
        assert result.versions["numpy"] == np.__version__

    def test_generators_give_new_noise_at_every_call(self):
        rng = np.random.default_rng(1)
        first, second = (bea.ensemble(ORNSTEIN, [0.0], 0.1, 5, 5, rng=rng) for _ in range(2))
        assert (first.final != second.final).all()
        assert first.seed is None

    def test_a_statistic_must_be_finite(self):
        with pytest.raises(ValueError, match="'l' is not finite for replica 0 after step 0"):
            bea.ensemble(ORNSTEIN, [-1.0], 0.1, 5, 5, statistics={"l": "log(w)"})


class TestInterrupt:
    def test_what_is_done_is_kept(self):
        def stop(made, steps):
            if made >= 16:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt) as caught:
            bea.ensemble(LABEL_NOISE, [1.5, 0.5], 0.05, 10**6, 300, record_every=4, progress=stop)
        assert "in the attribute 'ensemble'" in str(caught.value)
        result = caught.value.ensemble
        k = result.steps_made
        assert 16 <= k < 10**6
        assert not result.success
        np.testing.assert_allclose(
            result.final, label_noise_loop([1.5, 0.5], 0.05, k, 300, 0.1, 0)[-1], rtol=1e-11
        )
        assert result.path.steps.tolist() == list(range(0, k + 1, 4))
        assert f"interrupted after {k} of 1000000 steps" in result.message

    def test_progress_ends_at_the_end(self, capsys):
        told = []
        bea.ensemble(ORNSTEIN, [1.0], 0.1, 100, 5, progress=lambda *now: told.append(now))
        assert told[-1] == (100, 100)
        assert [made for made, _ in told] == sorted({made for made, _ in told})
        bea.ensemble(ORNSTEIN, [1.0], 0.1, 100, 5, progress=True)
        assert "100 of 100 steps (100%)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"noisy": Loss("w**2", variables="w")}, TypeError, "takes a NoisyLoss, not Loss"),
        ({"x0": [1.0, 2.0]}, ValueError, r"x0 must have shape \(1,\)"),
        ({"x0": [[1.0]] * 3}, ValueError, r"x0 must have shape \(1,\) or \(5, 1\), not \(3, 1\)"),
        ({"step_size": -1}, ValueError, "step_size must be a positive number"),
        ({"steps": 1.5}, TypeError, "steps must be an integer"),
        ({"replicas": 0}, ValueError, "replicas must be at least 1"),
        ({"sigma": -1}, ValueError, "sigma must be a finite number, 0 or more"),
        ({"workers": 0}, ValueError, "workers must be at least 1"),
        ({"record_every": 0}, ValueError, "record_every must be at least 1"),
        ({"record_replicas": [5]}, ValueError, "must lie below the 5 replicas, but 5 does not"),
        ({"record_replicas": 3}, TypeError, "record_replicas must be a sequence of integers, not 3"),
        ({"statistics": {"s": "w*q"}}, ValueError, "neither a variable nor a parameter|'q'"),
        ({"statistics": ["w"]}, TypeError, "statistics are given as a mapping"),
        ({"parameters": {"q": 1}}, ValueError, "'q'"),
        ({"progress": 3}, TypeError, "progress must be True, False or a function"),
    ],
)
def test_bad_input(change, error, sentence):
    given = {"noisy": ORNSTEIN, "x0": [1.0], "step_size": 0.1, "steps": 5, "replicas": 5, **change}
    with pytest.raises(error, match=sentence):
        bea.ensemble(**given)
