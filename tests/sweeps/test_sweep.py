"""Sweeps: order, shapes, failures, the table, progress, and the sentences about mistakes."""

import io
import itertools
import multiprocessing
import time
from concurrent.futures import Future, ProcessPoolExecutor

import numpy as np
import pytest
from sweep_functions import dies, inverse, small

import bea
from bea.sweeps import InterruptedSweep, Progress

#: Processes of their own: a fork of this one would take threads of JAX with it.
SPAWN = multiprocessing.get_context("spawn")


def test_sweep_is_the_function_and_not_a_module():
    assert callable(bea.sweep)


class TestGrid:
    def test_a_product_is_in_the_order_of_nested_loops(self):
        result = bea.sweep(lambda a, b, c: 100 * a + 10 * b + c, {"a": [1, 2], "b": range(3), "c": (7, 8)})
        nested = [[[100 * a + 10 * b + c for c in (7, 8)] for b in range(3)] for a in (1, 2)]
        assert result.shape == (2, 3, 2)
        assert result["value"].tolist() == nested
        assert [tuple(task.values()) for task in result.parameters] == list(
            itertools.product([1, 2], range(3), (7, 8))
        )
        assert result.axes == {"a": [1, 2], "b": [0, 1, 2], "c": [7, 8]}

    def test_tasks_one_by_one(self):
        result = bea.sweep(lambda x, y=1: x + y, [{"x": 1}, {"x": 2, "y": 5}])
        assert result.results == [2, 7]
        assert result.shape == (2,)
        assert result.to_dict()["y"] == [None, 5]

    def test_equal_tasks_are_done_once(self):
        called = []
        result = bea.sweep(lambda x: called.append(x) or x, [{"x": 1}, {"x": 2}, {"x": np.int64(1)}])
        assert sorted(called) == [1, 2]
        assert result.results == [1, 2, 1]

    def test_values_arrive_as_they_are(self):
        values = [None, True, 1, 1.0, 1j, "a", (1, "b", (2.5,)), np.float32(0.1)]
        got = []
        bea.sweep(lambda x: got.append(x) or 0, {"x": values}, workers=1)
        assert [(type(x), x) for x in got] == [(type(x), x) for x in values]

    def test_numpy_numbers_arrive_as_those_of_python(self):
        got = []
        bea.sweep(
            lambda x: got.append(type(x)) or 0, {"x": [np.float64(0.5), np.int64(1), np.bool_(1)]}, workers=1
        )
        assert got == [float, int, bool]

    def test_a_function_cannot_change_the_array_of_another_task(self):
        def change(start, k):
            start[0] = k
            return start

        with pytest.warns(RuntimeWarning, match="2 of 2 tasks failed"):
            result = bea.sweep(change, {"start": np.zeros((1, 2)), "k": [1, 2]})
        assert all("read-only" in error.error for error in result.errors)
        assert result.parameters[0]["start"].tolist() == [0, 0]


class TestResult:
    def test_arrays_over_the_grid(self):
        def both(n, scale):
            return {"powers": [scale**k for k in range(3)], "even": n % 2 == 0}

        result = bea.sweep(both, {"n": [1, 2], "scale": [2.0, 3.0, 4.0]})
        assert result["powers"].shape == (2, 3, 3)
        assert result["powers"][1, 2].tolist() == [1, 4, 16]
        assert result["even"].dtype == bool
        assert not result["powers"].mask.any()
        assert result.names == ["powers", "even"]
        assert result.success

    def test_failures_are_masked_and_kept(self):
        with pytest.warns(RuntimeWarning, match=r"1 of 3 tasks failed.*'x': 0.*ZeroDivisionError"):
            result = bea.sweep(inverse, {"x": [-1.0, 0, 2.0]})
        assert result["inverse"].mask.tolist() == [False, True, False]
        assert np.isnan(result["inverse"].data[1])
        assert result["inverse"].mean() == -0.25
        (error,) = result.errors
        assert (error.index, error.parameters) == (1, {"x": 0})
        assert 'return {"inverse": 1 / x}' in error.traceback
        assert "job.function" not in error.traceback
        assert result.results[1] is None
        assert not result.success
        assert result.to_dict()["error"] == [None, "ZeroDivisionError: division by zero", None]

    def test_leaving_the_program_is_a_failure_of_the_task(self):
        def leave(x):
            raise SystemExit(3)

        with pytest.warns(RuntimeWarning, match="SystemExit: 3"):
            assert len(bea.sweep(leave, {"x": [1]}).errors) == 1

    @pytest.mark.parametrize(
        "returned", [None, object(), {"a": [1, None]}, {1: 2}, {"a\0": 2}, 2**70, [[1], [1, 2]]]
    )
    def test_a_result_that_is_no_array_is_a_failure(self, returned):
        with pytest.warns(RuntimeWarning, match="Error: "):
            (error,) = bea.sweep(lambda: returned, [{}]).errors
        assert error.error.startswith(("TypeError: the function must", "ValueError: setting an array"))

    def test_a_result_is_a_copy(self):
        shared = np.zeros(2)

        def fill(x):
            shared[:] = x
            return shared

        assert bea.sweep(fill, {"x": [1, 2, 3]}, workers=1)["value"][:, 0].tolist() == [1, 2, 3]

    def test_names_and_shapes_that_do_not_fit(self):
        result = bea.sweep(lambda n: {"x": np.zeros(n)}, {"n": [1, 2]})
        with pytest.raises(ValueError, match=r"'x' have the shapes \(1,\), \(2,\)"):
            result["x"]
        with pytest.raises(KeyError, match="no task returned 'y'; the results are called x"):
            result["y"]
        with (
            pytest.warns(RuntimeWarning),
            pytest.raises(KeyError, match="no task returned 'x'; 0 of 1 tasks are"),
        ):
            bea.sweep(inverse, {"x": [0]})["x"]
        with pytest.raises(ValueError, match="two columns n"):
            bea.sweep(lambda n: {"n": n}, {"n": [1]}).to_dict()

    def test_it_is_short_and_enough_to_repeat(self, tmp_path):
        result = bea.sweep(inverse, {"x": range(1, 101)}, store=tmp_path, version="2")
        assert repr(result) == "SweepResult(sweep_functions.inverse, 100 tasks, 100 of 100 tasks are done)"
        assert (result.function, result.version, result.seed) == ("sweep_functions.inverse", "2", None)
        assert result.records[0]["versions"]["numpy"] == np.__version__
        assert all(0 <= record["seconds"] < 10 for record in result.records)


class OnlySubmit:
    """An executor that can do nothing but submit, and computes at once."""

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


class Counting(OnlySubmit):
    """Notes how many tasks are sent at a time."""

    def __init__(self):
        self.sizes = []

    def submit(self, function, job, tasks):
        self.sizes.append(len(tasks))
        return super().submit(function, job, tasks)


class TestExecutors:
    def test_submit_is_all_that_is_used(self):
        assert bea.sweep(small, {"i": range(5)}, OnlySubmit(), batch=2)["i"].tolist() == list(range(5))

    def test_short_tasks_are_sent_together_and_long_ones_alone(self):
        short, long = Counting(), Counting()
        bea.sweep(small, {"i": range(100)}, short)
        assert short.sizes[0] == 1
        assert max(short.sizes) == 16
        assert sum(short.sizes) == 100
        bea.sweep(lambda i: time.sleep(0.06) or i, {"i": range(3)}, long)
        assert long.sizes == [1, 1, 1]

    def test_a_process_that_dies_does_not_stop_the_sweep(self, tmp_path):
        with ProcessPoolExecutor(1, SPAWN) as pool, pytest.warns(RuntimeWarning, match="tasks failed"):
            result = bea.sweep(dies, {"x": range(6)}, pool, tmp_path)
        assert 3 in [error.parameters["x"] for error in result.errors]
        assert all("BrokenProcessPool" in error.error for error in result.errors)
        others = [x for x in range(6) if x != 3]
        with ProcessPoolExecutor(1, SPAWN) as pool:
            assert bea.sweep(dies, {"x": others}, pool, tmp_path).results == others

    def test_what_cannot_be_sent_is_a_failure_of_each_task(self):
        with ProcessPoolExecutor(1, SPAWN) as pool, pytest.warns(RuntimeWarning, match="2 of 2 tasks failed"):
            result = bea.sweep(lambda x: x, {"x": [1, 2]}, pool)
        assert "pickle" in result.errors[1].error

    def test_an_executor_that_is_shut_down(self):
        pool = ProcessPoolExecutor(1, SPAWN)
        pool.shutdown()
        with pytest.raises(RuntimeError, match="after shutdown"):
            bea.sweep(small, {"i": [1]}, pool)


class TestProgress:
    def test_a_function_is_told_of_every_task(self):
        told = []
        with pytest.warns(RuntimeWarning):
            bea.sweep(inverse, {"x": [0, 1, 2, 4]}, progress=told.append)
        assert [p.done for p in told] == [1, 2, 3, 4]
        assert {p.total for p in told} == {4}
        assert told[-1].failed == 1
        assert told[-1].left == 0

    def test_the_time_left_counts_what_was_computed(self):
        assert Progress(done=30, total=70, failed=0, reused=20, seconds=5.0).left == 20.0
        assert Progress(done=20, total=70, failed=0, reused=20, seconds=5.0).left is None
        text = str(Progress(done=30, total=70, failed=2, reused=20, seconds=3700.0))
        assert text == "30 of 70 tasks (42%), 2 failed, 1:01:40 gone, 4:06:40 left"

    def test_a_terminal_has_one_line_and_a_file_none_of_a_short_sweep(self, monkeypatch):
        class Terminal(io.StringIO):
            def isatty(self):
                return True

        clock = itertools.count()
        monkeypatch.setattr("bea.sweeps.progress.time.perf_counter", lambda: float(next(clock)))
        monkeypatch.setattr("sys.stderr", terminal := Terminal())
        bea.sweep(small, {"i": range(3)})
        assert "1 of 3 tasks (33%)" in terminal.getvalue()
        assert "\n" not in terminal.getvalue()
        assert terminal.getvalue().endswith("\r\x1b[K")
        monkeypatch.setattr("sys.stderr", plain := io.StringIO())
        bea.sweep(small, {"i": range(3)})
        assert plain.getvalue() == ""
        monkeypatch.setattr("sys.stderr", silent := Terminal())
        bea.sweep(small, {"i": range(3)}, progress=False)
        assert silent.getvalue() == ""


class TestInterrupt:
    def test_what_is_done_is_kept_and_the_rest_cancelled(self, tmp_path):
        called = []

        def stop(progress):
            if progress.done == 3:
                raise KeyboardInterrupt

        def count(i):
            called.append(i)
            return i

        with pytest.raises(InterruptedSweep, match="interrupted: 3 of 50 tasks are done") as caught:
            bea.sweep(count, {"i": range(50)}, OnlySubmit(), tmp_path, version="1", batch=1, progress=stop)
        result = caught.value.result
        assert result.interrupted
        assert isinstance(caught.value, KeyboardInterrupt)
        assert result["value"].compressed().tolist() == [0, 1, 2]
        assert not result.errors
        assert called == [0, 1, 2]
        bea.sweep(count, {"i": range(50)}, OnlySubmit(), tmp_path, version="1")
        assert called == list(range(50))

    def test_an_interrupt_in_a_process_is_one_of_the_sweep(self):
        def interrupted(x):
            raise KeyboardInterrupt

        with pytest.raises(InterruptedSweep):
            bea.sweep(interrupted, {"x": [1, 2]})


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ((3, {"x": [1]}), TypeError, "function must be callable, not 3"),
        ((inverse, 3), TypeError, "grid must be a mapping from names to values, or a sequence"),
        ((inverse, "x"), TypeError, "grid must be a mapping"),
        ((inverse, {}), ValueError, "the grid must have at least one task"),
        ((inverse, []), ValueError, "the grid must have at least one task"),
        ((inverse, {"x": []}), ValueError, "at least one value of 'x'"),
        (
            (inverse, {"x": 3}),
            TypeError,
            r"the values of 'x' must be in a sequence, such as \[0.1, 0.2\], not 3",
        ),
        ((inverse, {"x": "abc"}), TypeError, "must be in a sequence"),
        ((inverse, {"x": {1, 2}}), TypeError, "must be in a sequence"),
        (
            (inverse, {"x": [[1, 2]]}),
            TypeError,
            r"a value of 'x' must be a number, text, .* not \[1, 2\] of type list",
        ),
        ((inverse, {"x": [np.longdouble(1)]}), TypeError, "a value of 'x' must be a number"),
        ((inverse, {"x": [np.array([None])]}), TypeError, "a value of 'x' must be a number"),
        ((inverse, {1: [2]}), TypeError, "the names of parameters must be text, not 1"),
        (
            (inverse, [{"x": 1}, 2]),
            TypeError,
            "task 1 of the grid must be a mapping from names to values, not 2",
        ),
        (
            (inverse, {"y": [1]}),
            TypeError,
            r"inverse\(x\) cannot be called with the parameters of the grid, y",
        ),
        (
            (inverse, {"x": [1]}, 4),
            TypeError,
            "executor must have a method submit, as in concurrent.futures, not 4",
        ),
        ((inverse, {"x": [1]}, None, 4), TypeError, "store must be the path of a folder, not 4"),
        ((inverse, {"x": [1]}, None, __file__), ValueError, "store must be a folder, but .* is a file"),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(arguments, error, sentence):
    with pytest.raises(error, match=sentence):
        bea.sweep(*arguments)


@pytest.mark.parametrize(
    ("options", "error", "sentence"),
    [
        ({"version": 1}, TypeError, "version must be text, such as '1', not 1"),
        ({"rng": None}, TypeError, "rng must be an integer that is not negative"),
        ({"rng": -1}, TypeError, "rng must be an integer that is not negative"),
        ({"workers": 0}, ValueError, "workers must be at least 1, not 0"),
        ({"workers": 1.5}, TypeError, "workers must be an integer, not 1.5"),
        ({"batch": 0}, ValueError, "batch must be at least 1, not 0"),
        ({"progress": 3}, TypeError, "progress must be True, False or a function, not 3"),
        ({"workers": 2, "executor": OnlySubmit()}, ValueError, "give one of the two"),
    ],
)
def test_a_wrong_option_is_answered_in_a_sentence(options, error, sentence):
    with pytest.raises(error, match=sentence):
        bea.sweep(inverse, {"x": [1]}, **options)
