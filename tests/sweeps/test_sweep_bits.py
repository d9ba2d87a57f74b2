"""The same bits from threads, processes and a cluster, for any number of workers and any order."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from distributed import Client, LocalCluster
from sweep_functions import calls, inverse, logged, noisy

import bea

#: Processes of their own: a fork of this one would take threads of JAX with it.
SPAWN = multiprocessing.get_context("spawn")

GRID = {"depth": [1, 10, 1000], "scale": [0.1, 1.0, 3.0, 7.5]}


@pytest.fixture(scope="module")
def cluster():
    """An executor on a cluster of two processes on this machine."""
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as processes,
        Client(processes) as client,
    ):
        yield client.get_executor()


def bits(result):
    """All results, as bytes."""
    return [[results[name].tobytes() for name in ("mean", "numbers", "sine")] for results in result.results]


@pytest.fixture(scope="module")
def one_thread():
    return bits(bea.sweep(noisy, GRID, rng=5, workers=1))


class TestSameBits:
    @pytest.mark.parametrize("workers", [2, 5])
    def test_threads(self, workers, one_thread):
        assert bits(bea.sweep(noisy, GRID, rng=5, workers=workers)) == one_thread
        with ThreadPoolExecutor(workers) as pool:
            assert bits(bea.sweep(noisy, GRID, pool, rng=5, batch=4)) == one_thread

    def test_processes(self, one_thread):
        with ProcessPoolExecutor(2, SPAWN) as pool:
            assert bits(bea.sweep(noisy, GRID, pool, rng=5)) == one_thread

    def test_a_cluster(self, cluster, one_thread, tmp_path):
        for batch in (1, 5):
            assert (
                bits(bea.sweep(noisy, GRID, cluster, tmp_path / str(batch), rng=5, batch=batch)) == one_thread
            )

    def test_another_order_and_another_grid(self, one_thread):
        tasks = [{"scale": scale, "depth": depth} for depth in GRID["depth"] for scale in GRID["scale"]]
        assert bits(bea.sweep(noisy, tasks[::-1], rng=5))[::-1] == one_thread
        assert bits(bea.sweep(noisy, tasks[7:8], rng=5)) == one_thread[7:8]

    def test_from_the_store(self, one_thread, tmp_path):
        for _ in range(2):
            result = bea.sweep(noisy, GRID, store=tmp_path, rng=5)
            assert bits(result) == one_thread
        assert result.reused == 12

    def test_another_seed_gives_other_bits(self, one_thread):
        other = bits(bea.sweep(noisy, GRID, rng=6))
        assert all(
            a != b
            for ours, theirs in zip(one_thread, other, strict=True)
            for a, b in zip(ours, theirs, strict=True)
        )


class TestRandomNumbers:
    def test_tasks_are_independent(self):
        """Normal numbers of 400 tasks: mean, variance and correlation of neighbours are as of one sample."""
        grid = {"depth": [1], "scale": [1.0], "trial": range(400)}
        result = bea.sweep(lambda depth, scale, trial, rng: noisy(depth, scale, rng), grid)
        x = result["numbers"].data.ravel()
        n = x.size
        assert abs(x.mean()) < 4 / np.sqrt(n)
        assert abs(x.var() - 1) < 4 * np.sqrt(2 / n)
        assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 4 / np.sqrt(n)

    def test_a_sequence_of_seeds_arrives(self):
        def draw(rng):
            assert isinstance(rng, np.random.SeedSequence)
            return np.random.default_rng(rng).random()

        assert 0 < bea.sweep(draw, [{}]).results[0] < 1

    def test_the_grid_may_set_it(self):
        result = bea.sweep(lambda rng: np.random.default_rng(rng).random(), {"rng": [3, 4]})
        assert result.results == [np.random.default_rng(seed).random() for seed in (3, 4)]
        assert result.seed is None


class TestCluster:
    def test_failures_are_kept(self, cluster):
        with pytest.warns(RuntimeWarning, match="1 of 3 tasks failed"):
            result = bea.sweep(inverse, {"x": [1, 0, 2]}, cluster)
        assert result["inverse"].tolist() == [1.0, None, 0.5]
        assert 'return {"inverse": 1 / x}' in result.errors[0].traceback

    def test_it_resumes(self, cluster, tmp_path):
        log = tmp_path / "log"
        for n, reused in [(5, 0), (9, 5)]:
            result = bea.sweep(logged, {"i": range(n), "log": [str(log)]}, cluster, tmp_path, batch=2)
            assert result.reused == reused
        assert sorted(calls(log)) == list(range(9))

    def test_functions_of_a_session_are_sent_too(self, cluster):
        three = 3
        assert bea.sweep(lambda x: three * x, {"x": [1, 2]}, cluster).results == [3, 6]
