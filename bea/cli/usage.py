"""What the command line says to a user who has made a mistake: one sentence, and exit code 2."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

__all__ = ["BAD_USAGE", "Parser", "UsageError", "user_input"]

BAD_USAGE = 2


class UsageError(Exception):
    """A mistake of the user, told in one sentence."""


class Parser(argparse.ArgumentParser):
    """An argument parser that takes no abbreviations and answers a mistake by an exception."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        if message.endswith("required: EXPR"):
            message += ' (one that begins with a minus sign comes last, after two dashes: -- "-...")'
        raise UsageError(f"{message}; see {self.prog} --help")


@contextmanager
def user_input() -> Iterator[None]:
    """Inside, what the package refuses is a mistake of the user."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise UsageError(" ".join(str(error).split())) from error
