"""The package as a whole: what importing it costs, its public names, its version."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import bea

HEAVY = {"numpy", "scipy", "sympy", "numba", "matplotlib", "flint"}


def modules_after(source: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running `source`."""
    code = f"{source}\nimport json, sys\nprint(json.dumps([m for m in sys.modules if '.' not in m]))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy():
    assert not HEAVY & modules_after("import bea")


def test_looking_at_the_command_line_loads_nothing_heavy():
    source = "from bea.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    assert not HEAVY & modules_after(source)


def test_the_heavy_modules_are_seen_when_they_are_loaded():
    assert {"numpy", "sympy"} <= modules_after("import bea\nbea.Loss")


@pytest.mark.parametrize("name", bea.__all__)
def test_every_public_name_is_there_and_documented(name):
    assert getattr(bea, name).__doc__
    assert name in dir(bea)


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="has no attribute 'gradient_descnt'"):
        bea.gradient_descnt  # noqa: B018


def test_the_version_is_the_installed_one():
    assert bea.__version__ == version("bea")


def test_layers_below_the_pictures_do_without_matplotlib():
    source = "import bea.theorems, bea.numerics, bea.modified, bea.schemes, bea.systems.catalogue"
    assert "matplotlib" not in modules_after(source)
