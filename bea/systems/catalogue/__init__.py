"""Losses with a nontrivial zero-loss set, one file each.

To add one, write a file with a function of its name, every argument with a default, that returns a `Loss`
with its `zero_loss_set`, and import it below.
"""

import inspect
from collections.abc import Callable

from bea.systems.catalogue.diagonal_network import diagonal_network as diagonal_network
from bea.systems.catalogue.implicit_curve import implicit_curve as implicit_curve
from bea.systems.catalogue.implicit_surface import implicit_surface as implicit_surface
from bea.systems.catalogue.linear_regression import linear_regression as linear_regression
from bea.systems.catalogue.matrix_factorization import matrix_factorization as matrix_factorization
from bea.systems.catalogue.sum_of_products import sum_of_products as sum_of_products
from bea.systems.catalogue.tanh_network import tanh_network as tanh_network
from bea.systems.catalogue.two_parameter import two_parameter as two_parameter
from bea.systems.loss import Loss

#: Every loss of the catalogue by its name: the functions imported above.
CATALOGUE: dict[str, Callable[..., Loss]] = {
    name: function for name, function in sorted(globals().items()) if inspect.isfunction(function)
}

__all__ = ["CATALOGUE", *CATALOGUE]
