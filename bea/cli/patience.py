"""A word on standard error when a command takes more than a moment."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer

__all__ = ["patience"]

#: After so many seconds the user is told.
MOMENT = 2.0


@contextmanager
def patience(doing: str) -> Iterator[None]:
    """Say what is being done, if the body takes more than a moment."""
    timer = Timer(MOMENT, print, [f"bea: {doing} ..."], {"file": sys.stderr, "flush": True})
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
