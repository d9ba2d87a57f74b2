"""A check that sweeps: its store, its seed, and what makes a stored result count."""

import numpy as np
import pytest
from stub_theorems import STUBS, AtOnce
from sweep_functions import calls, noisy

import bea
from bea.sweeps import identity
from bea.theorems import THEOREMS
from bea.theorems.claims import Run


@pytest.fixture
def log(monkeypatch, tmp_path):
    monkeypatch.setitem(THEOREMS, "sweeping", STUBS["sweeping"])
    monkeypatch.setenv("STUB_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


def interrupt(progress):
    if progress.done == 7:
        raise KeyboardInterrupt


def test_an_interrupted_check_goes_on_where_it_was(log, tmp_path):
    verdict = bea.verify("sweeping", store=tmp_path / "runs", sweep_progress=interrupt)
    assert verdict.interrupted
    assert not verdict.claims
    assert calls(log) == list(range(7))
    verdict = bea.verify("sweeping", store=tmp_path / "runs")
    assert verdict.passed
    assert calls(log) == list(range(20))


def test_without_a_store_all_is_done_again(log):
    bea.verify("sweeping", sweep_progress=interrupt)
    assert bea.verify("sweeping").passed
    assert calls(log) == [*range(7), *range(20)]


def test_what_another_version_of_the_package_computed_does_not_count(log, tmp_path, monkeypatch):
    bea.verify("sweeping", store=tmp_path / "runs")
    monkeypatch.setattr("bea.theorems.claims.package_hash", lambda: "another")
    bea.verify("sweeping", store=tmp_path / "runs")
    assert calls(log) == [*range(20), *range(20)]


def test_the_hash_of_the_package_sees_a_changed_line(monkeypatch, tmp_path):
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "a.py").write_text("x = 1\n")
    monkeypatch.setattr("bea.__file__", str(tmp_path / "__init__.py"))
    before = identity.package_hash.__wrapped__()
    assert identity.package_hash.__wrapped__() == before
    (tmp_path / "a.py").write_text("x = 2\n")
    assert identity.package_hash.__wrapped__() != before


def test_the_seed_of_a_sweep_is_one_of_the_check():
    def drawn(seed):
        run = Run(quick=True, rng=np.random.default_rng(seed))
        sweeps = [run.sweep(noisy, {"depth": [2], "scale": [1.0]}, executor=AtOnce()) for _ in range(2)]
        return [float(found["sine"][0, 0]) for found in sweeps]

    first, second = drawn(1)
    assert drawn(1) == [first, second]
    assert first != second
    assert drawn(2)[0] != first


def test_a_function_that_draws_nothing_leaves_the_random_numbers_alone():
    run = Run(quick=True, rng=np.random.default_rng(0))
    run.sweep(lambda x: x, {"x": [1.0]})
    assert run.rng.random() == np.random.default_rng(0).random()


@pytest.mark.parametrize(("store", "error"), [(3, TypeError), (__file__, ValueError)])
def test_a_store_that_is_no_folder_is_refused(log, store, error):
    with pytest.raises(error, match="store must be"):
        bea.verify("sweeping", store=store)
