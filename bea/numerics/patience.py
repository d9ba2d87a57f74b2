"""A word on standard error when a first call compiles for more than a moment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

__all__ = ["patience"]

#: After so many seconds the user is told.
MOMENT = 1.0

_told: set[str] = set()


@contextmanager
def patience(what: str) -> Iterator[None]:
    """Say once in a process that `what` is being compiled, if the body takes more than a moment.

    The first use after installation compiles loops that are kept on disk; later processes only load them.
    """
    if what in _told:
        yield
        return
    timer = Timer(MOMENT, _tell, [what])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        _told.add(what)


def _tell(what: str) -> None:
    _told.add(what)
    print(f"bea: compiling {what}; later runs find it on disk", file=sys.stderr, flush=True)
