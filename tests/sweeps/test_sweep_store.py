"""The store: resuming after a kill, damaged files, what counts as the same task, and the index."""

import functools
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from sweep_functions import calls, inverse, logged, noisy

import bea
from bea.sweeps import rebuild_index

SCRIPT = """
import signal, sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
import bea
from bea.sweeps import InterruptedSweep
from sweep_functions import logged

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    kind, folder, log = sys.argv[1:]
    pool = (ProcessPoolExecutor if kind == "processes" else ThreadPoolExecutor)(2)
    grid = {"i": range(24), "log": [log], "seconds": [0.05]}
    try:
        result = bea.sweep(logged, grid, pool, folder, batch=3 if kind == "processes" else 1, progress=False)
        print(result["square"].sum(), result.reused)
    except InterruptedSweep as interrupted:
        print(interrupted.result.message)
"""


def start(tmp_path, kind):
    """A sweep of 24 tasks of 50 ms in a process of its own, at the head of a group of processes."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    oracles = os.path.dirname(sys.modules["sweep_functions"].__file__)
    return subprocess.Popen(
        [sys.executable, script, kind, tmp_path / "store", tmp_path / "log"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([oracles, os.environ.get("PYTHONPATH", "")])},
    )


def wait_for_results(tmp_path, process, n):
    while len(list((tmp_path / "store").glob("*.npz"))) < n:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_a_killed_sweep_loses_nothing_and_repeats_nothing(kind, tmp_path):
    """Killed twice by SIGKILL, early and when tasks 0 to 11 are done and the next cannot end."""
    log, gate = tmp_path / "log", tmp_path / "log.closed"
    gate.touch()
    for wanted in (4, 12):
        process = start(tmp_path, kind)
        wait_for_results(tmp_path, process, wanted)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=60)
    gate.unlink()
    before = calls(log)
    assert set(before) > set(range(12))
    # Called twice by now: at most what the two workers had begun at the first kill.
    assert len(before) <= len(set(before)) + 2
    out, err = start(tmp_path, kind).communicate(timeout=60)
    assert out.split() == [str(sum(i * i for i in range(24))), "12"], err
    assert sorted(calls(log)[len(before) :]) == list(range(12, 24))


def test_an_interrupt_by_ctrl_c(tmp_path):
    gate = tmp_path / "log.closed"
    gate.touch()
    process = start(tmp_path, "threads")
    wait_for_results(tmp_path, process, 12)
    index = tmp_path / "store" / "index.jsonl"
    while len(calls(tmp_path / "log")) < 14 or len(index.read_text().splitlines()) < 12:
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    told = process.stdout.readline()
    gate.unlink()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert told == "interrupted: 12 of 24 tasks are done\n"
    assert "Traceback" not in err
    # What was running went on to its end, and into the store; the rest never began.
    assert sorted(calls(tmp_path / "log")) == list(range(14))
    assert len(list((tmp_path / "store").glob("*.npz"))) == 14


class TestResume:
    def test_what_is_there_is_not_done_again(self, tmp_path):
        grid = {"i": range(6), "log": [str(tmp_path / "log")]}
        first = bea.sweep(logged, {**grid, "i": range(4)}, store=tmp_path)
        second = bea.sweep(logged, grid, store=tmp_path)
        assert sorted(calls(tmp_path / "log")) == list(range(6))
        assert (first.reused, second.reused) == (0, 4)
        np.testing.assert_array_equal(second["root"].ravel(), np.sqrt(range(6)))

    def test_a_stored_result_is_the_same_in_all(self, tmp_path):
        def everything(x):
            return {
                "x/y": x + 1j,
                "file": np.arange(3, dtype="int8"),
                "e": np.zeros((0, 2)),
                "t": True,
                "s": "ä",
            }

        def kinds(result):
            return [
                {n: (v.dtype, v.shape, v.tobytes(), type(v)) for n, v in r.items()} for r in result.results
            ]

        grid = {"x": [np.arange(6.0).reshape(2, 3).T, 0.1, np.float32(0.1), -0.0, float("nan")]}
        fresh, kept = (bea.sweep(everything, grid, store=tmp_path) for _ in range(2))
        assert kept.reused == 5
        assert kinds(fresh) == kinds(kept)
        assert fresh.records == kept.records

    def test_failures_are_tried_again(self, tmp_path):
        flag = tmp_path / "flag"

        def needs_flag(x):
            return {"x": x, "flag": float(flag.read_text())}

        folder = tmp_path / "store"
        with pytest.warns(RuntimeWarning, match="2 of 2 tasks failed"):
            bea.sweep(needs_flag, {"x": [1, 2]}, store=folder, version="1")
        texts = [path.read_text() for path in folder.glob("*.error")]
        assert len(texts) == 2
        assert all("FileNotFoundError" in text for text in texts)
        assert sorted(text.splitlines()[0] for text in texts) == ["{'x': 1}", "{'x': 2}"]
        flag.write_text("7")
        assert bea.sweep(needs_flag, {"x": [1, 2]}, store=folder, version="1").success
        assert not list(folder.glob("*.error"))

    def test_a_folder_that_workers_cannot_see_is_written_by_this_process(self, tmp_path, monkeypatch):
        monkeypatch.setattr("bea.sweeps.outcome.os.path.isdir", lambda folder: False)
        bea.sweep(inverse, {"x": [1, 2]}, store=tmp_path)
        assert bea.sweep(inverse, {"x": [1, 2]}, store=tmp_path).reused == 2


class TestDamage:
    def test_every_damaged_byte_is_noticed_or_harmless(self, tmp_path):
        """A store with one file, each byte of which is inverted in turn."""
        start = np.array([1.0, 2.0])
        bea.sweep(norm, {"start": [start]}, store=tmp_path)
        (path,) = tmp_path.glob("*.npz")
        content, store, noticed = path.read_bytes(), bea.sweeps.store.Store(tmp_path), 0
        right = store.read(path.stem)
        for i in range(len(content)):
            path.write_bytes(content[:i] + bytes([content[i] ^ 0xFF]) + content[i + 1 :])
            try:
                record = store.read(path.stem)
            except bea.sweeps.store.UnreadableRecord:
                noticed += 1
                continue
            assert record.results == right.results
            assert record.about == right.about
            assert record.parameters["start"].tolist() == [1.0, 2.0]
        # The time stamps and attributes of the archive do not matter.
        assert noticed > 0.8 * len(content)

    @pytest.mark.parametrize("length", [0, 1, 100, -1])
    def test_a_file_that_was_cut_off_is_computed_again(self, length, tmp_path):
        grid = {"i": range(3), "log": [str(tmp_path / "log")]}
        bea.sweep(logged, grid, store=tmp_path)
        path = min(tmp_path.glob("*.npz"))
        path.write_bytes(path.read_bytes()[:length])
        with pytest.warns(RuntimeWarning, match=f"1 results of the store were damaged.*{path.name}"):
            result = bea.sweep(logged, grid, store=tmp_path)
        assert result["square"].ravel().tolist() == [0, 1, 4]
        assert (result.reused, len(calls(tmp_path / "log"))) == (2, 4)
        assert bea.sweep(logged, grid, store=tmp_path).reused == 3

    def test_the_file_of_another_task_is_not_taken(self, tmp_path):
        bea.sweep(inverse, {"x": [1, 2]}, store=tmp_path)
        first, second = tmp_path.glob("*.npz")
        second.write_bytes(first.read_bytes())
        with pytest.warns(RuntimeWarning, match="holds the result of another task"):
            assert bea.sweep(inverse, {"x": [1, 2]}, store=tmp_path).results == [
                {"inverse": 1},
                {"inverse": 0.5},
            ]

    def test_objects_are_never_unpickled(self, tmp_path):
        bea.sweep(inverse, {"x": [1]}, store=tmp_path)
        (path,) = tmp_path.glob("*.npz")
        with np.load(path, allow_pickle=False) as entries:
            changed = dict(entries)
        changed["result/inverse"] = np.array([Trap()], dtype=object)
        np.savez(path, **changed)
        with np.load(path, allow_pickle=True) as entries:
            _ = entries["result/inverse"]
        assert Trap.sprung
        Trap.sprung = False
        with pytest.warns(RuntimeWarning, match="damaged"):
            assert bea.sweep(inverse, {"x": [1]}, store=tmp_path)["inverse"].tolist() == [1]
        assert not Trap.sprung


class Trap:
    """Tells when it is unpickled."""

    sprung = False

    def __reduce__(self):
        return (spring, ())


def spring():
    Trap.sprung = True


def norm(start):
    return {"norm": float(start @ start)}


class TestSameTask:
    """Which changes make another task, seen from how many results are found again."""

    def reused(self, store, first, second, grid=None, **options):
        grids = [{"x": [1.0]}, grid or {"x": [1.0]}]
        bea.sweep(first, grids[0], store=store)
        return bea.sweep(second, grids[1], store=store, **options).reused

    @pytest.mark.parametrize("x", [np.float64(1.0), np.array(1.0)])
    def test_the_same_content(self, x, tmp_path):
        assert self.reused(tmp_path, inverse, inverse, {"x": [x]}) == 1

    @pytest.mark.parametrize("x", [1, True, np.float32(1.0), 1 + 0j, np.array([1.0]), np.nextafter(1.0, 2.0)])
    def test_another_content(self, x, tmp_path):
        assert self.reused(tmp_path, inverse, inverse, {"x": [x]}) == 0

    def test_arrays_count_by_their_content(self, tmp_path):
        def size(x):
            return x.size

        a = np.arange(6).reshape(2, 3)
        bea.sweep(size, [{"x": a}], store=tmp_path)
        same = [np.asfortranarray(a), a.astype(">i8"), np.arange(12)[:6].reshape(2, 3)]
        other = [a.T, a.ravel(), a.astype(float), a + (a == 5)]
        assert [bea.sweep(size, [{"x": x}], store=tmp_path).reused for x in same] == [1, 1, 1]
        assert [bea.sweep(size, [{"x": x}], store=tmp_path).reused for x in other] == [0, 0, 0, 0]

    def test_the_source_and_what_a_function_carries(self, tmp_path):
        def power(k):
            return lambda x: x**k

        assert self.reused(tmp_path, power(2), power(2)) == 1
        assert self.reused(tmp_path, power(2), power(3)) == 0
        partial = functools.partial
        assert self.reused(tmp_path, partial(shifted, by=2), partial(shifted, by=2)) == 1
        assert self.reused(tmp_path, partial(shifted, by=2), partial(shifted, by=3)) == 0
        with_default = [lambda x, k=k: x * k for k in (2, 3)]
        assert self.reused(tmp_path, *with_default) == 0

    def test_two_functions_on_one_line(self, tmp_path):
        square, cube = lambda x: x**2, lambda x: x**3
        assert [bea.sweep(f, {"x": [2]}, store=tmp_path).results for f in (square, cube)] == [[4], [8]]
        one, two = lambda x: sum(y + 1 for y in [x]), lambda x: sum(y + 2 for y in [x])
        assert [bea.sweep(f, {"x": [2]}, store=tmp_path).results for f in (one, two)] == [[3], [4]]

    def test_the_order_of_sets_does_not_count(self, tmp_path):
        """It differs from process to process."""
        call = "bea.sweep(lambda x: x in {'a', 'e', 'i', 'o', 'u'}, {'x': ['a']}, store='store')"
        (tmp_path / "script.py").write_text(f"import bea\nprint({call}.reused)")
        for seed, reused in [("1", "0"), ("2", "1"), ("3", "1")]:
            run = subprocess.run(
                [sys.executable, "script.py"],
                capture_output=True,
                text=True,
                cwd=tmp_path,
                env={**os.environ, "PYTHONHASHSEED": seed},
            )
            assert run.stdout.strip() == reused

    def test_a_version_stands_for_the_source(self, tmp_path):
        def power(k):
            return lambda x: x**k

        for version, k, reused in [("1", 2, 0), ("1", 3, 1), ("2", 3, 0)]:
            assert bea.sweep(power(k), {"x": [5]}, store=tmp_path, version=version).reused == reused

    def test_what_carries_something_unknown_needs_a_version(self, tmp_path):
        loss = bea.Loss("a**2", variables="a")

        def value(x):
            return loss([x])

        with pytest.raises(ValueError, match=r"it carries .* of type Loss: give sweep a version"):
            bea.sweep(value, {"x": [1.0]}, store=tmp_path)
        assert bea.sweep(value, {"x": [3.0]}, store=tmp_path, version="1").results == [9.0]
        assert bea.sweep(value, {"x": [3.0]}).results == [9.0]

    def test_a_function_without_source_needs_a_version(self, tmp_path):
        code = "import bea; bea.sweep(lambda x: x, {'x': [1]}, store='store')"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
        assert "ValueError: the source of __main__.<lambda> is not to be found" in run.stderr

    def test_a_function_that_calls_itself(self, tmp_path):
        def factorial(x):
            return x * factorial(x - 1) if x > 1 else 1

        assert bea.sweep(factorial, {"x": [5]}, store=tmp_path)["value"].tolist() == [120]
        assert bea.sweep(factorial, {"x": [5]}, store=tmp_path).reused == 1

    def test_the_seed_counts_where_it_is_used(self, tmp_path):
        grid = {"depth": [2], "scale": [1.0]}
        assert bea.sweep(noisy, grid, store=tmp_path, rng=1).reused == 0
        assert bea.sweep(noisy, grid, store=tmp_path, rng=2).reused == 0
        assert bea.sweep(noisy, grid, store=tmp_path, rng=1).reused == 1
        assert self.reused(tmp_path, inverse, inverse, rng=3) == 1


def shifted(x, by):
    return x + by


class TestIndex:
    def test_it_lists_the_results_and_can_be_made_anew(self, tmp_path):
        bea.sweep(inverse, {"x": [1, 2, 4]}, store=tmp_path)
        index = tmp_path / "index.jsonl"
        written = sorted(index.read_text().splitlines())
        assert sorted(json.loads(line)["parameters"]["x"] for line in written) == [1, 2, 4]
        assert {json.loads(line)["key"] for line in written} == {p.stem for p in tmp_path.glob("*.npz")}
        index.unlink()
        assert rebuild_index(tmp_path) == 3
        assert sorted(index.read_text().splitlines()) == written

    def test_a_sweep_does_without_it(self, tmp_path):
        bea.sweep(inverse, {"x": [1, 2]}, store=tmp_path)
        (tmp_path / "index.jsonl").write_text("nonsense")
        assert bea.sweep(inverse, {"x": [1, 2]}, store=tmp_path).reused == 2

    def test_a_folder_that_is_not_there(self, tmp_path):
        with pytest.raises(ValueError, match="there is no folder"):
            rebuild_index(tmp_path / "none")


def test_the_files_can_be_read_with_numpy_alone(tmp_path):
    bea.sweep(noisy, {"depth": [2], "scale": [0.5]}, store=tmp_path, rng=4, version="7")
    (path,) = tmp_path.glob("*.npz")
    with np.load(path, allow_pickle=False) as entries:
        about = json.loads(entries["about"].item())
        assert entries["result/numbers"].shape == (1, 3)
    assert about["parameters"] == {"depth": 2, "scale": 0.5}
    assert (about["seed"], about["version"], about["function"]) == (4, "7", "sweep_functions.noisy")
    assert about["versions"]["bea"] == bea.__version__
    assert about["seconds"] > 0
