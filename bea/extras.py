"""Packages that only some parts of the library need, and how to say that one of them is missing."""

from __future__ import annotations

from importlib.util import find_spec

__all__ = ["MissingExtraError", "missing_extra", "missing_packages"]

#: The packages of each extra, by the names under which they are imported.
EXTRAS = {
    "nets": {"jax": "JAX", "jaxlib": "JAX", "optax": "Optax", "sklearn": "scikit-learn"},
    "sparse": {"sklearn": "scikit-learn"},
}


class MissingExtraError(ImportError):
    """A package of an extra is not installed."""


def missing_extra(what: str, error: ModuleNotFoundError, extra: str = "nets") -> ImportError:
    """The error to raise where `what` could not be imported: which extra to install, or the error itself."""
    package = (error.name or "").partition(".")[0]
    return _error(what, package, extra) if package in EXTRAS[extra] else error


def missing_packages(what: str, extra: str) -> MissingExtraError | None:
    """The error that tells the first package of the extra that is not installed; None if all are there."""
    for package in EXTRAS[extra]:
        try:
            found = find_spec(package)
        except ModuleNotFoundError:
            found = None
        if found is None:
            return _error(what, package, extra)
    return None


def _error(what: str, package: str, extra: str) -> MissingExtraError:
    name = EXTRAS[extra][package]
    return MissingExtraError(
        f'{what} needs {name}, which is not installed: pip install "bea[{extra}]"', name=package
    )
