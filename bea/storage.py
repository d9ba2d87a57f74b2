"""Where files are kept for the next process, and how they are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

__all__ = ["cache_folder", "written_whole"]


def cache_folder() -> Path:
    """The folder of generated code and of large tables.

    It is ``$BEA_CACHE_DIR`` where that is set, else ``$XDG_CACHE_HOME/bea``, else ``~/.cache/bea``.

    Examples
    --------
    >>> import os
    >>> os.environ["BEA_CACHE_DIR"] = "/tmp/bea-example"
    >>> cache_folder()
    PosixPath('/tmp/bea-example')
    >>> del os.environ["BEA_CACHE_DIR"]
    """
    own = os.environ.get("BEA_CACHE_DIR")
    if own:
        return Path(own)
    shared = os.environ.get("XDG_CACHE_HOME")
    return (Path(shared) if shared else Path.home() / ".cache") / "bea"


@contextmanager
def written_whole(path: Path, time_stamp: int | None = None) -> Iterator[BinaryIO]:
    """A file open for writing, which takes its name only when it is complete.

    Any number of processes may write one file at once, and none reads a part of it.

    Parameters
    ----------
    path : Path
        Its name; missing folders are made.
    time_stamp : int, optional
        When it is said to have been written, in seconds; by default now.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "folder" / "file"
    >>> with written_whole(path) as file:
    ...     _ = file.write(b"content")
    >>> path.read_bytes()
    b'content'
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
        if time_stamp is not None:
            os.utime(draft, (time_stamp, time_stamp))
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)
