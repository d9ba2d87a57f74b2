"""What moves: vector fields, losses, and the sets on which a loss vanishes."""

from bea.systems.loss import Loss
from bea.systems.vector_field import VectorField
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = ["Loss", "VectorField", "ZeroLossSet"]
