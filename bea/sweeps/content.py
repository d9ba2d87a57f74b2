"""Values known by their content: what a parameter may be, its text, and hashes of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["ARRAY", "decoded", "encoded", "hash_of", "is_plain_array", "plain"]

#: Kinds of arrays whose bytes are their content: booleans, integers, floats, complex numbers and text.
KINDS = "biufcUS"
#: The key under which the text of a value names an array by the hash of its content.
ARRAY = "array"


def plain(value: Any, name: str) -> Any:
    """A parameter as it is handed to the function, which cannot change it.

    NumPy's booleans, integers, double precision numbers and strings become those of Python, so that a task
    does not depend on where its numbers come from. Arrays become read-only copies.

    Parameters
    ----------
    value : None, bool, number, str, tuple or array
    name : str
        What to call it in a sentence.

    Raises
    ------
    TypeError
        If the value is of another kind.

    Examples
    --------
    >>> import numpy as np
    >>> plain((np.float64(0.5), np.int32(3)), "h")
    (0.5, 3)
    """
    if value is None or type(value) in (bool, int, float, complex, str):
        return value
    if type(value) is tuple:
        return tuple(plain(item, name) for item in value)
    if isinstance(value, np.bool_ | np.integer | np.float64 | np.complex128 | np.str_):
        return value.item()
    if isinstance(value, np.generic) and is_plain_array(np.asarray(value)):
        return value
    if type(value) is np.ndarray and is_plain_array(value):
        return _frozen(value) if value.ndim else plain(value[()], name)
    raise TypeError(
        f"{name} must be a number, text, None, a tuple of these or an array of numbers, not {value!r} "
        f"of type {type(value).__name__}"
    )


def is_plain_array(array: np.ndarray) -> bool:
    """Whether the bytes of the elements are all there is to an array; objects and padded numbers are not."""
    longest = {"f": 8, "c": 16}.get(array.dtype.kind, array.dtype.itemsize)
    return array.dtype.kind in KINDS and array.dtype.itemsize <= longest


def _frozen(array: np.ndarray) -> np.ndarray:
    if array.flags.writeable or not array.flags.owndata:
        array = array.copy()
        array.setflags(write=False)
    return array


def encoded(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """A plain value as JSON can write it; its arrays are put into `arrays` by the hash of their content.

    Examples
    --------
    >>> encoded({"widths": (2, 3), "c": 1j}, {})
    {'widths': {'tuple': [2, 3]}, 'c': {'complex': [0.0, 1.0]}}
    """
    if isinstance(value, Mapping):
        return {name: encoded(item, arrays) for name, item in value.items()}
    if isinstance(value, tuple):
        return {"tuple": [encoded(item, arrays) for item in value]}
    if isinstance(value, complex) and not isinstance(value, np.generic):
        return {"complex": [value.real, value.imag]}
    if isinstance(value, np.ndarray | np.generic):
        array = np.asarray(value)
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
        name = _digest(repr((array.dtype.str, array.shape)).encode(), array.tobytes())
        arrays[name] = array
        return {ARRAY: name}
    return value


def decoded(text: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """The inverse of `encoded` for one value.

    Examples
    --------
    >>> decoded({"tuple": [2, {"complex": [0.0, 1.0]}]}, {})
    (2, 1j)
    """
    if not isinstance(text, dict):
        return text
    if "tuple" in text:
        return tuple(decoded(item, arrays) for item in text["tuple"])
    if "complex" in text:
        return complex(*text["complex"])
    array = arrays[text[ARRAY]]
    return _frozen(array) if array.ndim else array[()]


def hash_of(content: Any) -> str:
    """The hash of lists, dicts from text, and plain values, as 40 hexadecimal digits.

    Numbers are told apart as Python does when it prints them: 1, 1.0 and True are three contents. The order
    of the names in a dict does not count.

    Examples
    --------
    >>> hash_of({"h": 0.1, "depth": 2}) == hash_of({"depth": 2, "h": 0.1})
    True
    >>> hash_of({"depth": 2}) == hash_of({"depth": 2.0})
    False
    """
    text = json.dumps(encoded(content, {}), sort_keys=True, separators=(",", ":"))
    return _digest(text.encode())


def _digest(*pieces: bytes) -> str:
    state = hashlib.blake2b(digest_size=20)
    for piece in pieces:
        state.update(piece)
    return state.hexdigest()
