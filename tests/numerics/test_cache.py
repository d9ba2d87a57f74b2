"""The cache on disk: where it lies, what survives, and what happens to damaged files."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from bea.numerics import cache
from bea.numerics.cache import cache_folder, cache_info, clear_cache, load_module

ROOT = Path(__file__).parents[2]

SOURCE = """
from numba import cfunc, types

@cfunc(types.float64(types.float64), cache=True)
def function(x):
    return 3*x + {constant}
"""

FIELD_PROCESS = """
import sympy
from bea.numerics.cache import load_module
from bea.numerics.codegen import compile_field, field_source
from bea.systems import VectorField

a, b, c, h, k = sympy.symbols("a b c h k")
shared = (1 - a*b*c + sympy.sin(a - b)) / (1 + k*c**2)
components = [h*shared*a + sympy.exp(b*k), sympy.sqrt(a + b) - shared**3, (a + b + c)**4 * shared]
field = VectorField(components, [a, b, c])
compiled = compile_field(field)
module = load_module(field_source(field))
assert module.function.address == compiled.rhs
print(module.function.cache_hits)
"""

MODULE_PROCESS = f"""
from bea.numerics.cache import load_module
print(load_module({SOURCE.format(constant=1)!r}).function.ctypes(2.0))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache of its own, of which this process knows nothing yet."""
    monkeypatch.setenv("BEA_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "_modules", {})
    return tmp_path / "cache"


def start_process(program: str, folder: Path) -> subprocess.Popen:
    environment = {**os.environ, "BEA_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE, text=True
    )


def forget(monkeypatch):
    """Make this process load modules anew, as another process would."""
    monkeypatch.setattr(cache, "_modules", {})


def value(source: str) -> float:
    return load_module(source).function.ctypes(2.0)


class TestFolder:
    def test_own_variable_comes_first(self, monkeypatch):
        monkeypatch.setenv("BEA_CACHE_DIR", "/somewhere/own")
        monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere/shared")
        assert cache_folder() == Path("/somewhere/own")

    def test_shared_variable_comes_next(self, monkeypatch):
        monkeypatch.delenv("BEA_CACHE_DIR", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere/shared")
        assert cache_folder() == Path("/somewhere/shared/bea")

    def test_home_comes_last(self, monkeypatch):
        monkeypatch.delenv("BEA_CACHE_DIR", raising=False)
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        monkeypatch.setenv("HOME", "/somewhere/home")
        assert cache_folder() == Path("/somewhere/home/.cache/bea")


class TestInfo:
    def test_empty(self, folder):
        assert cache_info() == (folder, 0, 0)
        assert clear_cache() == (folder, 0, 0)

    def test_counts_what_is_there_and_clears_it(self, folder):
        function = load_module(SOURCE.format(constant=1)).function
        info = cache_info()
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert info == (folder, len(files), sum(path.stat().st_size for path in files))
        assert info.files >= 3  # source, index, machine code
        assert clear_cache() == info
        assert cache_info().files == 0
        assert function.ctypes(2.0) == 7

    def test_leaves_other_files_alone(self, folder):
        folder.mkdir()
        (folder / "thesis.txt").write_text("mine")
        assert clear_cache().files == 0
        assert (folder / "thesis.txt").exists()


class TestLoading:
    def test_one_module_for_one_source(self, folder):
        first, same, other = (load_module(SOURCE.format(constant=c)) for c in (1, 1, 2))
        assert first is same
        assert first is not other
        assert (first.function.ctypes(2.0), other.function.ctypes(2.0)) == (7, 8)
        assert len(list(folder.glob("*.py"))) == 2

    def test_second_process_compiles_nothing(self, folder):
        hits = []
        for _ in range(2):
            with start_process(FIELD_PROCESS, folder) as process:
                hits.append(process.communicate()[0].strip())
            assert process.returncode == 0
        assert hits == ["0", "1"]

    def test_four_processes_at_once(self, folder):
        processes = [start_process(MODULE_PROCESS, folder) for _ in range(4)]
        for process in processes:
            with process:
                assert process.communicate()[0].strip() == "7.0"
            assert process.returncode == 0
        assert len(list(folder.glob("*.py"))) == 1
        assert not list(folder.glob("*.tmp"))

    def test_key_depends_on_versions(self, folder, monkeypatch):
        load_module(SOURCE.format(constant=1))
        forget(monkeypatch)
        monkeypatch.setattr(cache, "_environment", lambda: ("another version",))
        load_module(SOURCE.format(constant=1))
        assert len(list(folder.glob("*.py"))) == 2


class TestDamage:
    @pytest.mark.parametrize(
        "content", [b"", b"from numba import", bytes(64)], ids=["empty", "truncated", "zeros"]
    )
    def test_source(self, folder, monkeypatch, content):
        source = SOURCE.format(constant=1)
        load_module(source)
        (path,) = folder.glob("*.py")
        path.write_bytes(content)
        forget(monkeypatch)
        assert value(source) == 7
        assert path.read_text() == source

    @pytest.mark.parametrize("suffix", ["nbi", "nbc"])
    @pytest.mark.parametrize("damage", ["empty", "truncated", "zeros", "text", "gone"])
    def test_machine_code(self, folder, monkeypatch, suffix, damage):
        source = SOURCE.format(constant=1)
        load_module(source)
        (path,) = folder.glob(f"__pycache__/*.{suffix}")
        content = path.read_bytes()
        if damage == "gone":
            path.unlink()
        else:
            path.write_bytes(
                {
                    "empty": b"",
                    "truncated": content[: len(content) // 2],
                    "zeros": bytes(len(content)),
                    "text": b"certainly no pickle",
                }[damage]
            )
        forget(monkeypatch)
        assert value(source) == 7


class TestUnwritableFolder:
    def test_works_for_this_process_and_warns_once(self, tmp_path, monkeypatch):
        (tmp_path / "file").write_text("in the way")
        monkeypatch.setenv("BEA_CACHE_DIR", str(tmp_path / "file" / "cache"))
        forget(monkeypatch)
        cache._temporary.cache_clear()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert value(SOURCE.format(constant=1)) == 7
            assert value(SOURCE.format(constant=2)) == 8
        assert len(caught) == 1
        assert "BEA_CACHE_DIR" in str(caught[0].message)
        cache._temporary.cache_clear()
