"""Losses with a nontrivial zero-loss set, and games, one file each.

To add a loss, write a file with a function of its name, every argument with a default, that returns a `Loss`
with its `zero_loss_set`, and import it below. A game is added alike, and named in `GAMES`.
"""

import inspect
from collections.abc import Callable

from bea.systems.catalogue.bilinear_game import bilinear_game as bilinear_game
from bea.systems.catalogue.diagonal_network import diagonal_network as diagonal_network
from bea.systems.catalogue.dirac_gan import dirac_gan as dirac_gan
from bea.systems.catalogue.gaussian_gan import gaussian_gan as gaussian_gan
from bea.systems.catalogue.implicit_curve import implicit_curve as implicit_curve
from bea.systems.catalogue.implicit_surface import implicit_surface as implicit_surface
from bea.systems.catalogue.linear_regression import linear_regression as linear_regression
from bea.systems.catalogue.matrix_factorization import matrix_factorization as matrix_factorization
from bea.systems.catalogue.quadratic_game import quadratic_game as quadratic_game
from bea.systems.catalogue.sum_of_products import sum_of_products as sum_of_products
from bea.systems.catalogue.tanh_network import tanh_network as tanh_network
from bea.systems.catalogue.two_parameter import two_parameter as two_parameter
from bea.systems.game import Game
from bea.systems.loss import Loss

#: Every game of the catalogue by its name.
GAMES: dict[str, Callable[..., Game]] = {
    game.__name__: game for game in (bilinear_game, dirac_gan, gaussian_gan, quadratic_game)
}

#: Every loss of the catalogue by its name: the other functions imported above.
CATALOGUE: dict[str, Callable[..., Loss]] = {
    name: function
    for name, function in sorted(globals().items())
    if inspect.isfunction(function) and name not in GAMES
}

__all__ = ["CATALOGUE", "GAMES", *CATALOGUE, *GAMES]
