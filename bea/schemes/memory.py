"""The memory of a scheme, as vectors and scalars or as one flat list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bea.schemes.scheme import Memory, Scheme

__all__ = ["flattened", "memory_size", "shaped"]


def memory_size(scheme: Scheme, d: int) -> int:
    """How many numbers a scheme remembers in d variables."""
    return scheme.vectors * d + scheme.scalars


def shaped(flat: Sequence[Any], d: int, scheme: Scheme) -> list[Any]:
    """A flat memory as vectors and scalars."""
    vectors = [list(flat[i * d : (i + 1) * d]) for i in range(scheme.vectors)]
    return [*vectors, *flat[scheme.vectors * d :]]


def flattened(memory: Memory, scheme: Scheme) -> list[Any]:
    """Vectors and scalars as one flat memory."""
    vectors, scalars = memory[: scheme.vectors], memory[scheme.vectors :]
    return [*(value for vector in vectors for value in vector), *scalars]
