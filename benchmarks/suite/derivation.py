"""From a loss to its modified equation and its modified loss."""

import bea


class PolynomialLoss:
    """Gradient descent on the two-parameter quartic loss."""

    params = (4, 8, 12)
    param_names = ("order",)

    def setup(self, order):
        self.loss = bea.Loss("(y - a*b*x)**2 / 2", variables="a b")
        self.equation = bea.modified_equation(self.loss, bea.GradientDescent(), order)

    def time_modified_equation(self, order):
        bea.modified_equation(self.loss, bea.GradientDescent(), order)

    def time_runge_kutta(self, order):
        bea.modified_equation(self.loss, bea.schemes.RK4(), order)

    def time_modifying_integrator(self, order):
        bea.modifying_integrator(self.loss, bea.GradientDescent(), order)

    def time_modified_loss(self, order):
        modified = self.equation.decompose()
        list(modified.terms)

    def time_exactness(self, order):
        modified = self.equation.decompose()
        [modified.is_exact(k) for k in range(order + 1)]


class ElementaryLoss:
    """Gradient descent on a loss with a transcendental function, and on a rational one."""

    params = (("(1 - a*tanh(b))**2 / 2", "a**2/(1 + b**2) + b**2"), (2, 4))
    param_names = ("loss", "order")

    def setup(self, loss, order):
        self.loss = bea.Loss(loss, variables="a b")

    def time_modified_equation(self, loss, order):
        bea.modified_equation(self.loss, bea.GradientDescent(), order)


class ManyVariables:
    """Gradient descent on a sum of products."""

    params = (2, 5, 10)
    param_names = ("products",)

    def setup(self, products):
        self.loss = bea.catalogue.sum_of_products(products)

    def time_second_order(self, products):
        bea.modified_equation(self.loss, bea.GradientDescent(), 2)
