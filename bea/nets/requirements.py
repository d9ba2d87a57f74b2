"""What the networks need beyond the rest of the library, and how to say that it is missing."""

from __future__ import annotations

__all__ = ["MissingExtraError", "missing_extra"]

#: The packages of the extra `nets`, by the names under which they are imported.
PACKAGES = {"jax": "JAX", "jaxlib": "JAX", "optax": "Optax", "sklearn": "scikit-learn"}


class MissingExtraError(ImportError):
    """A package of the extra `nets` is not installed."""


def missing_extra(what: str, error: ModuleNotFoundError) -> ImportError:
    """The error to raise where `what` could not be imported: which extra to install, or the error itself."""
    package = (error.name or "").partition(".")[0]
    if package not in PACKAGES:
        return error
    return MissingExtraError(
        f'{what} needs {PACKAGES[package]}, which is not installed: pip install "bea[nets]"', name=package
    )
