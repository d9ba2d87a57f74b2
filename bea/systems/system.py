"""What a scheme is applied to: a vector field, a loss or a game."""

from __future__ import annotations

from typing import TypeAlias

from bea.systems.game import Game
from bea.systems.loss import Loss
from bea.systems.vector_field import VectorField

__all__ = ["System", "as_field"]

System: TypeAlias = VectorField | Loss | Game


def as_field(system: object) -> VectorField:
    """The vector field of a system: of a loss its gradient flow −∇E, of a game simultaneous play.

    Raises
    ------
    TypeError
        If `system` is none of them.
    """
    if isinstance(system, Loss | Game):
        return system.field
    if isinstance(system, VectorField):
        return system
    hint = ": use its .field()" if callable(getattr(system, "field", None)) else ""
    raise TypeError(f"the system must be a VectorField, a Loss or a Game, not {type(system).__name__}{hint}")
