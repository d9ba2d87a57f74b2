"""The command line: what it prints, where, and with which exit code."""

import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import sympy
from stub_theorems import STUBS
from sweep_functions import calls

import bea
from bea.cli import formats, main
from bea.extras import EXTRAS
from bea.numerics.cache import load_module
from bea.schemes import SCHEMES
from bea.theorems import THEOREMS

LOSS = "(1 - a*b)**2/2"
HEAVY_BALL = ["derive", "--variables", "a", "--scheme", "heavy-ball"]


@pytest.fixture
def stubs(monkeypatch):
    """The theorems that are checked in no time, in the place of all others."""
    for name in list(THEOREMS):
        monkeypatch.delitem(THEOREMS, name)
    for name in ("holding", "failing"):
        monkeypatch.setitem(THEOREMS, name, STUBS[name])
    return monkeypatch


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """No word on how long things take, however slow the machine."""
    monkeypatch.setattr("bea.cli.patience.MOMENT", 3600.0)


@pytest.fixture
def run(capsys):
    """Run a command: its exit code and what it wrote on standard output and standard error."""

    def run(*arguments):
        code = main([str(a) for a in arguments])
        return code, *capsys.readouterr()

    return run


def derive_json(run, *arguments):
    code, out, err = run("derive", *arguments, "--format", "json")
    assert (code, err) == (0, "")
    return json.loads(out)


class TestDerive:
    def test_text_of_a_loss(self, run):
        code, out, err = run("derive", LOSS, "--variables", "a,b", "--scheme", "gradient-descent")
        assert (code, err) == (0, "")
        assert "E_1 = (a**2 + b**2)*(a*b - 1)**2/4" in out
        assert "The coefficients of h**0, h**1 in the field are gradients" in out
        assert "Those of h**2 are not:" in out
        assert "R_2, da/dt:  b*(a - b)*(a + b)*(a**2 + b**2)*(3*a*b - 4)/72" in out

    def test_text_of_a_loss_without_a_remainder(self, run):
        _, out, _ = run("derive", "k*x**2/2", "--variables", "x", "--order", "3")
        assert "All coefficients of the field through h**3 are gradients" in out
        assert "R_" not in out

    def test_json_of_a_loss_has_the_gradient_regularizer(self, run):
        document = derive_json(run, "(y - a*b*x)**2/2", "--variables", "a,b", "--order", "2")
        E = sympy.sympify(document["loss"]["terms"][0])
        g = [E.diff(v) for v in sympy.symbols("a b")]
        assert sympy.expand(sympy.sympify(document["loss"]["terms"][1]) - (g[0] ** 2 + g[1] ** 2) / 4) == 0
        assert document["loss"]["is_exact"] == [True, True, False]
        assert document["system"]["parameters"] == ["x", "y"]
        for k in range(3):
            for i, v in enumerate(sympy.symbols("a b")):
                term, remainder = (
                    sympy.sympify(e[k][i]) for e in (document["terms"], document["loss"]["remainder"])
                )
                gradient = sympy.sympify(document["loss"]["terms"][k]).diff(v)
                assert sympy.expand(term + gradient - remainder) == 0

    def test_json_of_a_vector_field_has_the_published_coefficients(self, run):
        document = derive_json(run, "y**2", "--variables", "y", "--vector-field", "--order", "4")
        # Hairer, Lubich and Wanner (2006), Example IX.1.1
        published = ["y**2", "-y**3", "3*y**4/2", "-8*y**5/3", "31*y**6/6"]
        assert document["terms"] == [[term] for term in published]
        assert document["loss"] is None
        assert document["scheme"] == "explicit-euler"

    def test_semicolons_part_a_vector_field(self, run):
        document = derive_json(run, "p*(2 - q); q*(p - 1)", "--variables", "p q", "--order", "1")
        p, q = sympy.symbols("p q")
        f = sympy.Matrix([p * (2 - q), q * (p - 1)])
        first = sympy.Matrix(list(map(sympy.sympify, document["terms"][1])))
        assert (first + f.jacobian([p, q]) * f / 2).expand() == sympy.zeros(2, 1)

    def test_modifying_integrator(self, run):
        document = derive_json(
            run, "y**2", "--variables", "y", "--vector-field", "--order", "3", "--modifying-integrator"
        )
        assert document["terms"] == [["y**2"], ["y**3"], ["y**4"], ["y**5"]]
        assert document["kind"] == "modifying integrator"

    def test_numbers_are_read_exactly(self, run):
        document = derive_json(
            run, "(y - a*b*x)**2/2", "--variables", "a,b", "--parameter", "y=0.6", "--parameter", "x = 1"
        )
        assert document["system"]["parameters"] == []
        assert sympy.sympify(document["loss"]["terms"][0]).subs({"a": 0, "b": 0}) == sympy.Rational(9, 50)

    def test_scheme_with_memory(self, run):
        """The published loss of the heavy ball, E/(1 − β) + h(1 + β)/(4(1 − β)³)‖∇E‖², at β = 0.9."""
        arguments = [LOSS, "--variables", "a,b", "--order", "1", "--scheme", "heavy-ball"]
        document = derive_json(run, *arguments, "--parameter", "beta=0.9")
        a, b = sympy.symbols("a b")
        E = (1 - a * b) ** 2 / 2
        known = 10 * E, 475 * (E.diff(a) ** 2 + E.diff(b) ** 2)
        for found, expected in zip(document["loss"]["terms"], known, strict=True):
            assert sympy.expand(sympy.sympify(found) - expected) == 0
        for found, v in zip(document["memory"][0], (a, b), strict=True):
            assert sympy.expand(sympy.sympify(found) + 10 * E.diff(v)) == 0
        _, out, _ = run("derive", *arguments)
        assert "once its memory has forgotten its start" in out
        assert "E_1 = -(a**2 + b**2)*(beta + 1)*(a*b - 1)**2/(4*(beta - 1)**3)" in out

    def test_bars_part_a_sum_of_losses(self, run):
        """Smith et al. (2021): the mean of the squared gradients of the minibatches."""
        losses = ["(a - 1)**2/2", "(a*b - 1)**2/2"]
        document = derive_json(
            run, " | ".join(losses), "--variables", "a,b", "--scheme", "random-shuffling", "--order", "1"
        )
        squares = [sympy.sympify(e).diff(v) ** 2 for e in losses for v in sympy.symbols("a b")]
        assert sympy.expand(sympy.sympify(document["loss"]["terms"][1]) - sum(squares) / 8) == 0
        assert document["system"]["kind"] == "sum of losses"
        assert document["system"]["expressions"] == losses

    def test_bars_part_a_sum_of_fields(self, run):
        document = derive_json(
            run,
            "p; 0 | 0; -k*q",
            "--variables",
            "q,p",
            "--scheme",
            "lie-trotter",
            "--parameter",
            "k=2",
            "--order",
            "1",
        )
        assert document["system"]["expressions"] == [["p", "0"], ["0", "-2*q"]]
        assert document["terms"] == [["p", "-2*q"], ["q", "-p"]]

    def test_the_parts_of_a_sum_and_the_loss_have_names_of_their_own(self, run):
        arguments = ["(a - 1)**2/2 | (a*b - 1)**2/2", "--variables", "a,b", "--order", "1", "--scheme"]
        _, out, _ = run("derive", *arguments, "random-shuffling")
        assert "L_1 = (a - 1)**2/2\n  L_2 = (a*b - 1)**2/2" in out
        assert out.count("E_1 =") == 1
        assert out.count("One pass of 2 steps takes the time 2 h, so that E_0 is the mean of the parts.") == 1
        _, out, _ = run("derive", *arguments, "lie-trotter")
        assert "One pass" not in out

    def test_a_field_without_a_gradient(self, run):
        """Adam follows no gradient of a loss whose gradient has entries that mix the variables."""
        _, out, _ = run("derive", "a**2*b", "--variables", "a,b", "--order", "0", "--scheme", "adam")
        assert "No coefficient of the field is a gradient:" in out
        assert "The coefficients of  in" not in out

    def test_what_is_too_long_to_read_is_counted(self, run):
        _, out, _ = run(
            "derive", "log(1 + exp(a*b))*sin(a)", "--variables", "a", "--vector-field", "--order", "4"
        )
        lengths = re.findall(r"\(([\d ]+) characters; see --format json\)", out)
        assert all(int(n.replace(" ", "")) > 2000 for n in lengths)
        assert max(map(len, out.splitlines())) < 2100
        assert lengths

    def test_long_derivations_say_so(self, run, monkeypatch):
        monkeypatch.setattr("bea.cli.patience.MOMENT", 0.0)
        monkeypatch.setitem(formats.FORMATS, "text", lambda *_: time.sleep(0.3) or "derived")
        code, out, err = run("derive", LOSS, "--variables", "a,b")
        assert (code, out, err) == (0, "derived\n", "bea: deriving ...\n")

    def test_game(self, run):
        """Theory: the drift of simultaneous play with rates 1 and c on xy, −xy is −(h/2) F'F."""
        document = derive_json(run, "x*y; -x*y", "--players", "x; y", "--rates", "1; c", "--order", "1")
        assert document["scheme"] == "simultaneous-descent"
        assert document["terms"] == [["-y", "c*x"], ["c*x/2", "c*y/2"]]
        assert document["system"]["players"] == [["x"], ["y"]]
        assert document["system"]["rates"] == ["1", "c"]
        code, out, _ = run("derive", "x*y; -x*y", "--players", "x; y")
        assert code == 0
        assert "x:  L = x*y" in out

    def test_parameters_of_the_scheme(self, run):
        arguments = ["y**2", "--variables", "y", "--vector-field", "--order", "3", "--scheme"]
        given = derive_json(run, *arguments, "second-order", "--parameter", "alpha=1/2")
        assert given["terms"] == derive_json(run, *arguments, "explicit-midpoint")["terms"]

    def test_an_expression_that_begins_with_a_minus_sign(self, run):
        code, out, _ = run("derive", "--variables", "y", "--vector-field", "--order", "0", "--", "-y**3")
        assert code == 0
        assert "dy/dt:  -y**3" in out

    def test_latex(self, run):
        code, out, _ = run("derive", LOSS, "--variables", "a,b", "--format", "latex")
        assert code == 0
        assert out.count(r"\[") == out.count(r"\]") == 2
        assert r"\dot{a} &=" in out
        assert r"E_{1} &= \frac{\left(a^{2} + b^{2}\right) \left(a b - 1\right)^{2}}{4}" in out

    def test_python_source_stands_alone(self, run, tmp_path):
        arguments = ["(y - a*b)**2/2", "--variables", "a,b", "--order", "1", "--format", "python"]
        code, out, _ = run("derive", *arguments)
        assert code == 0
        assert "bea" not in out.partition("import")[2]
        path = tmp_path / "derived.py"
        path.write_text(out)
        spec = importlib.util.spec_from_file_location("derived", path)
        derived = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(derived)
        (a, b), h, y, eps = (1.3, 0.4), 0.1, 0.6, 1e-30
        r = a * b - y
        assert derived.modified_loss((a, b), h, y) == pytest.approx(r**2 / 2 + h / 4 * (a**2 + b**2) * r**2)
        field = derived.modified_field(np.array([a, b]), h, y)
        gradient = [
            derived.modified_loss((a + 1j * eps, b), h, y).imag / eps,
            derived.modified_loss((a, b + 1j * eps), h, y).imag / eps,
        ]
        assert field == pytest.approx(-np.array(gradient), rel=1e-12)
        assert derived.modified_field(np.ones((2, 5)), h, y).shape == (2, 5)

    def test_it_loads_no_compiler_and_no_pictures(self):
        code = (
            "import sys\nfrom bea.cli import main\n"
            f"main(['derive', {LOSS!r}, '--variables', 'a,b'])\n"
            "sys.exit(bool({'numba', 'scipy', 'matplotlib'} & set(sys.modules)))"
        )
        assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            ([], "required: COMMAND"),
            (["derivate"], "invalid choice: 'derivate'"),
            (["derive", LOSS], "the variables are missing: give --variables, or --players"),
            (["derive", LOSS, "--variables", "a,b", "--rates", "1"], "--rates are those of --players"),
            (["derive", "x*y; -x*y; x", "--players", "x; y"], "one loss, one set of variables and one rate"),
            (["derive", "x*y; -x*y", "--players", "x, y"], "'x, y' is one player, and there are 2 losses"),
            (["derive", "-(y-a*b)^2", "--variables", "a,b"], 'after two dashes: -- "-..."'),
            (["derive", LOSS, "--variables", "a,b", "--scheme", "lie-trotter"], "parts"),
            (["derive", LOSS, "--variables", ""], "variables"),
            (["derive", LOSS, "--variables", "a,a"], "a"),
            (["derive", LOSS, "--variables", "a,b", "--order", "two"], "invalid int value: 'two'"),
            (["derive", LOSS, "--variables", "a,b", "--order", "-1"], "order"),
            (["derive", LOSS, "--variables", "a,b", "--format", "pdf"], "invalid choice: 'pdf'"),
            (["derive", LOSS, "--variables", "a,b", "--scheme", "gradent-descent"], "gradient-descent"),
            (["derive", LOSS, "--variables", "a,b", "--parameter", "c=1"], "'c' is no parameter"),
            (["derive", "(c - a*b)**2", "--variables", "a,b", "--parameter", "c"], "NAME=VALUE, not as 'c'"),
            (["derive", "(c - a*b)**2", "--variables", "a,b", "--parameter", "c=d"], "real number"),
            ([*HEAVY_BALL, "a**2", "--parameter", "beta=nan"], "a real number, or an exact expression"),
            ([*HEAVY_BALL, "a**2", "--parameter", "beta=1 + oo"], "a real number, or an exact expression"),
            ([*HEAVY_BALL, "beta*a", "--parameter", "beta=1/2"], "rename the one in the loss"),
            ([*HEAVY_BALL, "beta*a", "--vector-field"], "rename the one in the field"),
            (["derive", "c*a", "--variables", "a", "--parameter", "c=1", "--parameter", "c=2"], "two values"),
            (["derive", "(1 - a*b", "--variables", "a,b"], "(1 - a*b"),
            (["derive", "__import__('os').getcwd()", "--variables", "a"], "import"),
            (["derive", "abs(a)", "--variables", "a", "--vector-field"], "must be smooth"),
            (["derive", "h*a", "--variables", "a"], "h"),
            (["derive", "p; q", "--variables", "p"], "number of components is 2 and that of variables 1"),
            (["derive", LOSS, "--variables", "a,b", "--ordr", "2"], "--ordr"),
            (["verify", "irg"], "irg"),
            (["verify", "holding", "--jobs", "0"], "--jobs must be at least 1"),
            (["verify", "holding", "--seed", "-1"], "--seed must not be negative"),
            (["verify", "holding", "--open"], "needs --out"),
            (["cache", "now"], "unrecognized arguments: now"),
        ],
    )
    def test_one_sentence_and_exit_code_2(self, stubs, run, arguments, says):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert err.startswith("bea: ")
        assert says in err
        assert err.count("\n") == 1

    def test_a_report_does_not_replace_a_file(self, stubs, run, tmp_path):
        file = tmp_path / "report"
        file.write_text("mine")
        for out in (file, file / "below"):
            code, stdout, err = run("verify", "holding", "--out", out)
            assert (code, stdout) == (2, "")
            assert "is a file or lies under one" in err
        assert file.read_text() == "mine"


class TestVerify:
    def test_a_theorem_that_holds(self, stubs, run):
        code, out, err = run("verify", "holding")
        assert code == 0
        assert "holds  the slope: predicted 2, measured 2.00 [1.90, 2.10]" in out
        assert "holding: holds, 3 of 3 claims" in err

    def test_a_theorem_that_fails(self, stubs, run):
        code, out, err = run("verify", "failing")
        assert code == 1
        assert "FAILS  a number: predicted 1, measured nan" in out
        assert "failing: FAILS, 0 of 1 claims" in err

    def test_all_theorems_and_each_once(self, stubs, run):
        code, out, _ = run("verify", "--json")
        assert code == 1
        assert [t["name"] for t in json.loads(out)["theorems"]] == ["holding", "failing"]
        _, out, _ = run("verify", "failing", "failing", "--json")
        assert [t["name"] for t in json.loads(out)["theorems"]] == ["failing"]

    def test_json_alone_on_standard_output(self, stubs, run, tmp_path):
        code, out, err = run("verify", "holding", "--json", "--out", tmp_path)
        assert code == 0
        assert "the slope" in err
        assert json.loads(out)["theorems"] == json.loads((tmp_path / "results.json").read_text())["theorems"]

    def test_quick_and_seed_reach_the_check(self, stubs, run):
        def noise(*arguments):
            _, out, _ = run("verify", "holding", "--json", *arguments)
            return json.loads(out)["theorems"][0]["claims"][1]["measured"]

        assert noise("--quick") == 0.0
        assert noise("--seed", 5) == noise("--seed", 5) == np.random.default_rng(5).normal()
        assert noise("--seed", 6) != noise("--seed", 5)

    def test_the_report(self, stubs, run, tmp_path):
        folder = tmp_path / "a" / "report"
        code, out, _ = run("verify", "holding", "--out", folder)
        assert code == 0
        assert str(folder / "index.html") in out
        assert (folder / "index.html").as_uri() in out
        assert json.loads((folder / "results.json").read_text())["command"] == "bea verify holding"

    def test_open_shows_the_page_where_there_is_a_screen(self, stubs, run, tmp_path):
        shown = []
        stubs.setattr("webbrowser.open", lambda address: shown.append(address) or True)
        stubs.setenv("DISPLAY", ":0")
        assert run("verify", "holding", "--out", tmp_path, "--open")[0] == 0
        assert shown == [(tmp_path / "index.html").as_uri()]

    def test_open_does_nothing_without_a_screen(self, stubs, run, tmp_path):
        stubs.setattr("webbrowser.open", lambda address: pytest.fail("a browser was opened"))
        stubs.setattr("sys.platform", "linux")
        stubs.delenv("DISPLAY", raising=False)
        stubs.delenv("WAYLAND_DISPLAY", raising=False)
        code, _, err = run("verify", "holding", "--out", tmp_path, "--open")
        assert code == 0
        assert "no browser here" in err

    def test_several_at_a_time_measure_the_same(self, stubs, run):
        def claims(jobs):
            code, out, _ = run("verify", "--json", "--seed", 4, "--jobs", jobs)
            assert code == 1
            return [theorem["claims"] for theorem in json.loads(out)["theorems"]]

        assert claims(2) == claims(1)

    def test_a_theorem_whose_packages_are_missing(self, stubs, run):
        """Left out where all are meant, refused where it is named; `bea.verify` raises."""
        stubs.setitem(THEOREMS, "unequipped", STUBS["unequipped"])
        reason = 'the theorem unequipped needs Nothing, which is not installed: pip install "bea[nothing]"'
        stubs.setitem(EXTRAS, "nothing", {"json": "JSON", "no_such_package": "Nothing"})
        stubs.delitem(THEOREMS, "failing")
        code, out, err = run("verify", "--quick")
        assert code == 0
        assert f"left out: {reason}" in err
        assert "unequipped" not in out
        code, out, err = run("verify", "holding", "unequipped")
        assert (code, out, err) == (2, "", f"bea: {reason}\n")
        with pytest.raises(ImportError, match="needs Nothing"):
            bea.verify("unequipped")
        _, out, _ = run("theorems")
        assert out.splitlines()[-1].split() == ["unequipped", "Squares", "&", "sums", "bea[nothing]"]
        stubs.setitem(EXTRAS, "nothing", {"json": "JSON"})
        assert run("verify", "unequipped", "--quick")[0] == 0

    def test_an_interruption_of_the_drawing_keeps_the_claims(self, stubs, run, tmp_path):
        stubs.setitem(THEOREMS, "undrawn", STUBS["undrawn"])
        code, _, _ = run("verify", "undrawn", "holding", "--out", tmp_path)
        assert code == 130
        (theorem,) = json.loads((tmp_path / "results.json").read_text())["theorems"]
        assert theorem["interrupted"]
        assert len(theorem["claims"]) == 3

    def test_an_interruption_keeps_what_was_measured(self, stubs, run, tmp_path):
        stubs.setitem(THEOREMS, "stopped", STUBS["stopped"])
        code, _, err = run("verify", "holding", "stopped", "failing", "--out", tmp_path)
        assert code == 130
        assert "stopped: interrupted, 1 of 1 claims" in err
        theorems = json.loads((tmp_path / "results.json").read_text())["theorems"]
        assert [(t["name"], t["passed"], len(t["claims"])) for t in theorems] == [
            ("holding", True, 3),
            ("stopped", False, 1),
        ]

    @pytest.mark.parametrize("jobs", [1, 2])
    def test_a_theorem_that_raises_does_not_stop_the_others(self, stubs, run, jobs, tmp_path):
        stubs.delitem(THEOREMS, "failing")
        stubs.setitem(THEOREMS, "raising", STUBS["raising"])
        code, out, err = run("verify", "raising", "holding", "--jobs", jobs, "--out", tmp_path)
        assert code == 1
        assert "holds  raising: measured before" in out
        says = "predicted no error, measured LookupError: the data are missing"
        assert f"FAILS  raising: the check comes to its end: {says}" in out
        assert 'raise LookupError("the data are missing")' in err
        assert "tasks failed" not in err
        first, second = json.loads((tmp_path / "results.json").read_text())["theorems"]
        assert [first["passed"], first["interrupted"], len(first["claims"])] == [False, False, 2]
        assert "stub_theorems.py" in first["claims"][1]["detail"]
        assert [second["passed"], len(second["claims"])] == [True, 3]
        assert "the data are missing" in (tmp_path / "index.html").read_text()

    def test_a_process_that_dies_is_told(self, stubs, run):
        stubs.setitem(THEOREMS, "dying", STUBS["dying"])
        code, out, _ = run("verify", "dying", "--jobs", 2)
        assert code == 0  # one theorem is checked in this process, which does not die
        code, out, _ = run("verify", "dying", "holding", "--jobs", 2, "--json")
        assert code == 1
        assert "BrokenProcessPool" in json.loads(out)["theorems"][0]["claims"][-1]["measured"]

    @pytest.mark.parametrize("jobs", [1, 2])
    def test_ctrl_c_in_a_process_of_its_own(self, jobs, tmp_path):
        process = start_stubs(tmp_path, ["holding", "endless"], jobs)
        while "holding: holds" not in process.stderr.readline():
            pass
        while "measured before" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert "Traceback" not in err
        theorems = json.loads((tmp_path / "results.json").read_text())["theorems"]
        assert [(t["name"], t["interrupted"], len(t["claims"])) for t in theorems] == [
            ("holding", False, 3),
            ("endless", True, 1),
        ]

    @pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGKILL])
    @pytest.mark.parametrize("jobs", [1, 2])
    def test_a_check_that_was_stopped_goes_on_where_it_was(self, jobs, stop, tmp_path):
        """Twelve of twenty tasks are done when it is stopped, and one has begun."""
        log, gate = tmp_path / "log", tmp_path / "log.closed"
        environment = {"STUB_LOG": str(log), "STUB_VERSION": "1"}
        gate.touch()
        process = start_stubs(tmp_path, ["holding", "sweeping"], jobs, **environment)
        while calls(log)[-1:] != [12]:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(stop)
        process.communicate(timeout=60)
        assert process.returncode == (130 if stop == signal.SIGINT else -signal.SIGKILL)
        assert len(list((tmp_path / "runs" / "sweeping").glob("*.npz"))) == 12
        gate.unlink()
        process = start_stubs(tmp_path, ["holding", "sweeping"], jobs, **environment)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert f"sweeping: goes on from the results in {tmp_path / 'runs' / 'sweeping'}" in err
        assert calls(log)[:12] == list(range(12))
        assert set(calls(log)[12:]) == set(range(12, 20))  # nothing that was done is done again

    def test_the_results_of_sweeps_do_not_replace_a_file(self, stubs, run, tmp_path):
        (tmp_path / "runs").write_text("mine")
        code, _, err = run("verify", "holding", "--out", tmp_path)
        assert code == 2
        assert "there is a file of that name" in err


def start_stubs(folder, names, jobs, **environment):
    """A process that checks stub theorems and writes its report into a folder."""
    code = (
        "import signal, sys\n"
        "from stub_theorems import STUBS\n"
        "from bea.cli import main\n"
        "from bea.theorems import THEOREMS\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    THEOREMS.clear()\n"
        f"    THEOREMS.update({{name: STUBS[name] for name in {names!r}}})\n"
        f"    sys.exit(main(['verify', '--jobs', '{jobs}', '--out', {str(folder)!r}]))\n"
    )
    script = folder / "script.py"
    script.write_text(code)
    paths = [os.path.dirname(sys.modules["stub_theorems"].__file__), os.environ.get("PYTHONPATH", "")]
    return subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment},
    )


class TestListings:
    def test_theorems(self, stubs, run):
        code, out, _ = run("theorems")
        assert code == 0
        assert out.splitlines()[2].split(maxsplit=1) == ["holding", "Squares & sums"]
        listed = json.loads(run("theorems", "--json")[1])
        assert [t["name"] for t in listed] == ["holding", "failing"]
        assert listed[0]["references"] == ["A. Author (1900), On <sums>, Journal of Sums 1, 1–2."]

    def test_schemes(self, run):
        code, out, _ = run("schemes")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()[2:]] == list(SCHEMES)
        listed = {scheme["name"]: scheme for scheme in json.loads(run("schemes", "--json")[1])}
        assert listed.keys() == SCHEMES.keys()
        assert listed["rk4"]["order"] == 4

    def test_cache(self, run, tmp_path, monkeypatch):
        monkeypatch.setenv("BEA_CACHE_DIR", str(tmp_path))
        load_module(f"folder = {str(tmp_path)!r}\n")
        made = [path for path in tmp_path.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in made)
        (tmp_path / "notes.txt").write_text("mine")
        document = json.loads(run("cache", "--json")[1])
        assert made
        assert document == {"folder": str(tmp_path), "files": len(made), "bytes": size, "cleared": False}
        assert run("cache") == (0, f"{len(made)} files, 0.0 MB, in {tmp_path}\n", "")
        assert run("cache", "--clear")[1].startswith(f"{len(made)} files, 0.0 MB, deleted from")
        assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["notes.txt"]

    def test_version(self, capsys):
        with pytest.raises(SystemExit) as exit:
            main(["--version"])
        assert exit.value.code == 0
        assert capsys.readouterr().out == f"bea {bea.__version__}\n"


class TestProcess:
    def test_python_m_bea_is_the_command(self):
        script = os.path.join(os.path.dirname(sys.executable), "bea")
        arguments = ["derive", "x**2", "--variables", "x", "--order", "1"]
        outputs = []
        for command in ([sys.executable, "-m", "bea"], [script]):
            run = subprocess.run([*command, *arguments], capture_output=True, text=True)
            assert (run.returncode, run.stderr) == (0, "")
            outputs.append(run.stdout)
        assert outputs[0] == outputs[1]

    def test_a_reader_that_stops_reading(self):
        process = subprocess.Popen(
            [sys.executable, "-u", "-m", "bea", "schemes"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0

    def test_a_terminal_without_unicode(self):
        run = subprocess.run(
            [sys.executable, "-m", "bea", "schemes"],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
        )
        assert run.returncode == 0
        assert b"Runge\\u2013Kutta" in run.stdout
