"""The extragradient method."""

from __future__ import annotations

from bea.schemes.named_tableau import NamedTableau

__all__ = ["Extragradient"]


class Extragradient(NamedTableau):
    """The extragradient method, x ↦ x + h f(x + h f(x)), of order 1 [1]_.

    Explicit Euler predicts the point at which the field is taken. On games it damps the rotation that simple
    descent amplifies.

    References
    ----------
    .. [1] G. M. Korpelevich (1976), The extragradient method for finding saddle points and other problems,
           Ekonomika i Matematicheskie Metody 12, 747–756.

    Examples
    --------
    >>> import bea
    >>> field = bea.VectorField(["y**2"], variables="y")
    >>> bea.modified_equation(field, bea.schemes.Extragradient(), order=1).terms[1]
    Matrix([[y**3]])
    """

    name, order = "extragradient", 1
    tableau = """
        0 |
        1 | 1
        -----------
          | 0   1
    """
