"""What the documentation shows is true: examples run, commands parse, the table of theorems is complete."""

import doctest
import importlib
import importlib.util
import json
import pkgutil
import re
import runpy
import shlex
from pathlib import Path

import pytest

import bea
from bea.cli import build_parser, main
from bea.theorems import THEOREMS, get_theorem

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOT / "docs" / "results.json").read_text(encoding="utf-8"))
MODULES = ["bea", *(m.name for m in pkgutil.walk_packages(bea.__path__, "bea.") if m.name != "bea.__main__")]
MEASURED = {theorem["name"]: theorem for theorem in RESULTS["theorems"]}


def blocks(language: str, text: str) -> list[str]:
    """The fenced blocks of Markdown in that language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


def commands(text: str) -> list[list[str]]:
    """The arguments of every call of bea in the shell blocks of Markdown."""
    lines = "".join(blocks("bash", text)).splitlines()
    return [shlex.split(line, comments=True)[1:] for line in lines if line.startswith("bea ")]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_the_module_run(name):
    module = importlib.import_module(name)
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.testmod(module, optionflags=flags).failed == 0


def test_a_wrong_example_is_noticed():
    def wrong():
        """
        >>> 1 + 1
        3
        """

    (example,) = doctest.DocTestFinder().find(wrong, "wrong", globs={})
    assert doctest.DocTestRunner(verbose=False).run(example, out=lambda text: None).failed == 1


class TestReadme:
    def test_start_installs_and_runs_then_tests(self):
        start = re.search(r"^## Start\s*$(.*?)(?=^## )", README, re.M | re.S).group(1)
        first, second = blocks("bash", start)
        assert first.startswith("python -m pip install -e .\nbea derive")
        assert second == 'python -m pip install -e ".[test]"\npython -m pytest\n'

    def test_commands_are_understood(self):
        assert len(commands(README)) == 2
        for arguments in commands(README):
            assert build_parser().parse_args(arguments)
        assert main(commands(README)[0]) == 0

    def test_python_examples_run_and_show_what_they_say(self, tmp_path, capsys):
        (source,) = blocks("python", README)
        path = tmp_path / "example.py"
        path.write_text(source, encoding="utf-8")
        names = runpy.run_path(str(path))
        factored, exact, *errors = capsys.readouterr().out.splitlines()
        assert factored == "x**2*(a**2 + b**2)*(a*b*x - y)**2/4"
        assert exact == "False"
        sizes = [float(line.split()[1]) for line in errors]
        assert sizes[0] > 5 * sizes[1] > 25 * sizes[2] > 0
        assert names["descent"].x.shape == (101, 2)


class TestDocs:
    @pytest.mark.parametrize("page", ["index.md", "command_line.md"])
    def test_commands_are_understood(self, page):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        assert commands(text)
        for arguments in commands(text):
            assert build_parser().parse_args(arguments)

    def test_every_theorem_has_been_measured_in_full(self):
        assert MEASURED.keys() == THEOREMS.keys()
        assert not any(theorem["quick"] or theorem["interrupted"] for theorem in MEASURED.values())
        assert RESULTS["passed"]

    @pytest.mark.parametrize("name", THEOREMS)
    def test_what_was_measured_is_this_theorem(self, name):
        theorem, measured = get_theorem(name), MEASURED[name]
        assert measured["title"] == theorem.title
        assert measured["statement"] == theorem.statement
        assert measured["references"] == list(theorem.references)
        assert measured["claims"]

    def test_the_table_shows_every_claim(self):
        spec = importlib.util.spec_from_file_location("generated_pages", ROOT / "docs" / "generated_pages.py")
        pages = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(pages)
        page = pages.theorem_page(RESULTS)
        plain = re.sub(r"\\([^A-Za-z0-9\s])", r"\1", page)
        for theorem in MEASURED.values():
            assert theorem["title"] in page
            for claim in theorem["claims"]:
                assert claim["name"] in plain
