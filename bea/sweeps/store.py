"""Results on disk, one file a task, under the hash of what they are the results of."""

from __future__ import annotations

import functools
import io
import json
import os
import platform
import struct
import zipfile
import zlib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from bea import __version__
from bea.storage import written_whole
from bea.sweeps.content import decoded, encoded

__all__ = ["Record", "Store", "UnreadableRecord", "rebuild_index", "versions"]

#: What the entries of a file are called: what it is about, arrays among the parameters, results.
ABOUT, PARAMETER, RESULT = "about", "parameter/", "result/"
INDEX = "index.jsonl"
#: What reading a damaged file can raise.
DAMAGE = (
    OSError, EOFError, ValueError, KeyError, TypeError, IndexError, NotImplementedError, RuntimeError,
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@functools.cache
def versions() -> dict[str, str]:
    """What computed a result."""
    return {
        "bea": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        **{package: version(package) for package in ("scipy", "numba", "sympy", "python-flint")},
        "machine": f"{platform.system()} {platform.machine()}",
    }


class UnreadableRecord(ValueError):
    """A file of a store that is damaged, or is none."""


@dataclass(frozen=True)
class Record:
    """The result of a task, with what is needed to repeat it.

    Attributes
    ----------
    key : str
        The hash under which it is kept.
    parameters : dict
    results : dict from str to array
    single : bool
        Whether the function returned one array, which is then called "value", and not a mapping.
    seconds : float
        The wall time of the call.
    about : dict
        The function, its version, the seed of the sweep, and the versions of the software.
    """

    key: str
    parameters: dict[str, Any]
    results: dict[str, np.ndarray]
    single: bool
    seconds: float
    about: dict[str, Any]

    @property
    def value(self) -> Any:
        """What the function returned: arrays, or numbers where they have no dimensions."""
        results = {name: array[()] for name, array in self.results.items()}
        return results["value"] if self.single else results


class Store:
    """A folder of results: ``<hash>.npz`` for each task that is done, ``<hash>.error`` for one that failed.

    Files appear whole or not at all, whoever is killed. Any number of processes may use a folder at once.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def path(self, key: str) -> Path:
        """The file of a result."""
        return self.folder / f"{key}.npz"

    def write(self, record: Record) -> None:
        """Keep a result."""
        arrays: dict[str, np.ndarray] = {}
        about = {
            "key": record.key,
            "parameters": encoded(record.parameters, arrays),
            "results": list(record.results),
            "single": record.single,
            "seconds": record.seconds,
            **record.about,
        }
        entries = {
            ABOUT: np.array(json.dumps(about)),
            **{PARAMETER + name: array for name, array in arrays.items()},
            **{RESULT + name: array for name, array in record.results.items()},
        }
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as archive:
            for name, array in entries.items():
                content = io.BytesIO()
                np.lib.format.write_array(content, array, allow_pickle=False)
                archive.writestr(f"{name}.npy", content.getvalue())
        with written_whole(self.path(record.key)) as file:
            file.write(whole.getbuffer())

    def read(self, key: str) -> Record | None:
        """A result, or None where there is none.

        Raises
        ------
        UnreadableRecord
            If there is a file, but it is damaged.
        """
        try:
            with zipfile.ZipFile(self.path(key)) as archive:
                entries = {name.removesuffix(".npy"): _entry(archive, name) for name in archive.namelist()}
            about = json.loads(entries[ABOUT].item())
            parameters, read_key = about.pop("parameters"), about.pop("key")
            arrays = {n.removeprefix(PARAMETER): a for n, a in entries.items() if n.startswith(PARAMETER)}
            record = Record(
                read_key,
                {name: decoded(value, arrays) for name, value in parameters.items()},
                {name: entries[RESULT + name] for name in about.pop("results")},
                about.pop("single"),
                about.pop("seconds"),
                about,
            )
        except FileNotFoundError:
            return None
        except DAMAGE as error:
            raise UnreadableRecord(f"{self.path(key)} cannot be read: {error}") from None
        if read_key != key:
            raise UnreadableRecord(f"{self.path(key)} holds the result of another task, {read_key}")
        return record

    def collect(self, record: Record) -> None:
        """Write a result unless the process that computed it has, and list it in the index."""
        if not self.path(record.key).exists():
            self.write(record)
        (self.folder / f"{record.key}.error").unlink(missing_ok=True)
        with open(self.folder / INDEX, "a", encoding="utf-8") as index:
            index.write(_index_line(record))

    def collect_error(self, key: str, parameters: dict[str, Any], traceback: str) -> None:
        """Write the parameters and the traceback of a task that has failed."""
        with written_whole(self.folder / f"{key}.error") as file:
            file.write(f"{parameters}\n\n{traceback}".encode("utf-8", "backslashreplace"))


def _entry(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    # Reading a whole entry compares its checksum, before NumPy looks at the content.
    return np.lib.format.read_array(io.BytesIO(archive.read(name)), allow_pickle=False)


def _index_line(record: Record) -> str:
    """A line of the index: arrays among the parameters are named by their content."""
    line = {"key": record.key, "function": record.about["function"], "seconds": record.seconds}
    return json.dumps({**line, "parameters": encoded(record.parameters, {})}) + "\n"


def rebuild_index(store: str | os.PathLike[str]) -> int:
    """Write the index of a store anew from its results.

    The index, ``index.jsonl``, has one line of JSON for each result: its hash, which is the name of its
    file, the function, the parameters and the seconds it took. It is there to be read by people; a sweep
    writes it as results come in and never reads it.

    Parameters
    ----------
    store : str or path
        The folder.

    Returns
    -------
    int
        The number of results.

    Raises
    ------
    ValueError
        If there is no such folder, or a file in it is damaged. The next sweep that needs a damaged result
        computes it again.

    Examples
    --------
    >>> import bea, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> square = bea.sweep(lambda x: x**2, {"x": [1, 2, 3]}, store=folder, version="1")
    >>> rebuild_index(folder)
    3
    """
    folder = Path(store)
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    records = [Store(folder).read(path.stem) for path in sorted(folder.glob("*.npz"))]
    lines = [_index_line(record) for record in records if record is not None]
    with written_whole(folder / INDEX) as file:
        file.write("".join(lines).encode())
    return len(lines)
