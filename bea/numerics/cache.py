"""Generated modules on disk, beside which Numba keeps their machine code for the next process."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pickle
import re
import sys
import tempfile
import warnings
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from bea import __version__
from bea.storage import cache_folder, written_whole

__all__ = ["CacheInfo", "cache_folder", "cache_info", "clear_cache", "load_module"]

#: Every file of one content gets one time stamp, so that processes that write it at once agree on its age.
_TIME_STAMP = 1_000_000_000

#: What a truncated or foreign file of machine code makes Numba raise on loading it.
_DAMAGE = (
    EOFError,
    OSError,
    pickle.UnpicklingError,
    AttributeError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
)

_modules: dict[str, ModuleType] = {}


class CacheInfo(NamedTuple):
    """Where compiled code and large tables lie, in how many files, of how many bytes together."""

    folder: Path
    files: int
    bytes: int


def cache_info() -> CacheInfo:
    """Count the files of generated source, machine code and large tables of trees.

    Returns
    -------
    CacheInfo
        The folder, the number of files, and their size in bytes.
    """
    files = _cached_files(cache_folder())
    return CacheInfo(cache_folder(), len(files), sum(path.stat().st_size for path in files))


def clear_cache() -> CacheInfo:
    """Delete generated source, machine code and large tables; what this process has loaded keeps working.

    Returns
    -------
    CacheInfo
        What was deleted.
    """
    deleted = cache_info()
    for path in _cached_files(deleted.folder):
        path.unlink(missing_ok=True)
    return deleted


def load_module(source: str) -> ModuleType:
    """Import a generated, self-contained module, through a file named by a hash of its content.

    The hash covers the versions of everything that shapes machine code. The file is written under another
    name first and then renamed, so any number of processes may load the same module at once. A file that was
    damaged is written anew. Where the folder cannot be written, a temporary one serves this process.

    Parameters
    ----------
    source : str
        Python source. Its functions may ask Numba to cache them.

    Returns
    -------
    module : ModuleType
        The module; one object for each source in a process.
    """
    key = hashlib.sha256("\n".join((*_environment(), source)).encode()).hexdigest()[:32]
    if key not in _modules:
        _modules[key] = _import(_write(f"bea_{key}.py", source))
    return _modules[key]


@cache
def _environment() -> tuple[str, ...]:
    from llvmlite.binding import get_host_cpu_name

    python = ".".join(map(str, sys.version_info[:3]))
    versions = (version(package) for package in ("sympy", "numba", "llvmlite"))
    return (__version__, *versions, python, get_host_cpu_name())


def _write(name: str, source: str) -> Path:
    """The path of a file `name` that holds `source`."""
    try:
        return _write_to(cache_folder(), name, source)
    except (OSError, RuntimeError) as error:
        return _write_to(_temporary_folder(str(error)), name, source)


def _write_to(folder: Path, name: str, source: str) -> Path:
    path, content = folder / name, source.encode()
    if path.is_file() and path.read_bytes() == content:
        return path
    with written_whole(path, _TIME_STAMP) as file:
        file.write(content)
    return path


@cache
def _temporary(process: int) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="bea-")


def _temporary_folder(reason: str) -> Path:
    if not _temporary.cache_info().currsize:
        warnings.warn(
            f"compiled code is kept for this process only, since its folder cannot be written ({reason}); "
            "set BEA_CACHE_DIR to a folder that can",
            RuntimeWarning,
            stacklevel=5,
        )
    return Path(_temporary(os.getpid()).name)


def _import(path: Path) -> ModuleType:
    try:
        return _execute(path)
    except _DAMAGE:
        for compiled in path.parent.glob(f"__pycache__/{path.stem}*"):
            compiled.unlink(missing_ok=True)
        return _execute(path)


def _execute(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where Numba looks for it when it loads machine code
    spec.loader.exec_module(module)
    return module


#: Names of files that are ours.
_OURS = re.compile(r"bea_[0-9a-f]{16,}\b")


def _cached_files(folder: Path) -> list[Path]:
    found = (*folder.glob("bea_*"), *folder.glob("__pycache__/bea_*"))
    return [path for path in found if path.is_file() and _OURS.match(path.name)]
