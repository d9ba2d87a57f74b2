"""Coefficients of powers of h, turned into SymPy objects only when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["Terms"]


class Terms(Sequence[Any]):
    """A sequence of `count` members; member k is ``make(k)``, made once, when it is first asked for."""

    def __init__(self, count: int, make: Callable[[int], Any]) -> None:
        self._made: list[Any] = [None] * count
        self._make = make

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return [self[i] for i in range(*k.indices(len(self)))]
        if not -len(self) <= k < len(self):
            raise IndexError(f"there is no term {k}: the highest power of h kept is {len(self) - 1}")
        if self._made[k] is None:
            self._made[k] = self._make(k % len(self))
        return self._made[k]

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self))}]"
