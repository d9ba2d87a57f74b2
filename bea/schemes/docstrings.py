"""What a scheme says of itself, read from its docstring: one source for the reader and for the program."""

from __future__ import annotations

import inspect
import re

__all__ = ["References", "Summary"]


class Summary:
    """The first line of the docstring of a class, without its citations."""

    def __get__(self, instance: object, owner: type) -> str:
        first_line = (inspect.getdoc(owner) or "").partition("\n")[0]
        return re.sub(r"\s*\[\d+\]_,?", "", first_line).rstrip(".")


class References:
    """The numbered references in the docstring of a class, in their order."""

    def __get__(self, instance: object, owner: type) -> tuple[str, ...]:
        _, _, section = (inspect.getdoc(owner) or "").partition("\nReferences\n----------\n")
        section = re.split(r"\n\n\S[^\n]*\n---", section)[0]
        entries = re.split(r"^\.\. \[\d+\]\s+", section, flags=re.MULTILINE)[1:]
        return tuple(" ".join(entry.split()) for entry in entries)
