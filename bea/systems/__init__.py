"""What moves: vector fields, losses and the sets on which they vanish, sums of them, and games."""

from bea.systems.game import Game
from bea.systems.loss import Loss
from bea.systems.loss_sum import LossSum
from bea.systems.noisy_loss import NoisyLoss
from bea.systems.split_field import SplitField
from bea.systems.system import System, as_field
from bea.systems.vector_field import VectorField
from bea.systems.zero_loss_set import ZeroLossSet

__all__ = [
    "Game",
    "Loss",
    "LossSum",
    "NoisyLoss",
    "SplitField",
    "System",
    "VectorField",
    "ZeroLossSet",
    "as_field",
]
