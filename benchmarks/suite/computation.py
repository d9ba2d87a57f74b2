"""Flows and iterates of compiled fields, through the public functions."""

import numpy as np

import bea


class TwoParameters:
    """The two-parameter model."""

    def setup(self):
        self.loss = bea.Loss("(y - a*b*x)**2 / 2", variables="a b", parameters={"x": 1, "y": 0.6})
        self.modified = bea.modified_equation(self.loss, bea.GradientDescent(), 2).field()
        self.x0 = np.array([2.8, 3.5])
        self.time_flow()
        self.time_modified_flow()
        self.time_descent()
        self.time_implicit_midpoint()

    def time_flow(self):
        bea.flow(self.loss, self.x0, (0, 10), rtol=1e-10, atol=1e-12)

    def time_modified_flow(self):
        bea.flow(self.modified, self.x0, (0, 10), parameters={"h": 1e-2}, rtol=1e-10, atol=1e-12)

    def time_descent(self):
        bea.iterate(self.loss, bea.GradientDescent(), self.x0, step_size=1e-3, steps=10_000)

    def time_implicit_midpoint(self):
        bea.iterate(self.loss, bea.schemes.ImplicitMidpoint(), self.x0, step_size=1e-3, steps=1_000)

    def time_limit(self):
        bea.flow_limit(self.loss, self.x0)

    def time_slope(self):
        bea.slope(self.loss, bea.GradientDescent(), [2.8, 3.5], order=1)

    def time_slope_in_arbitrary_precision(self):
        bea.slope(self.loss, bea.GradientDescent(), [2.8, 3.5], order=4, bits=300)


class DiagonalNetwork:
    """A diagonal linear network with a hundred variables."""

    def setup(self):
        X = np.random.default_rng(0).choice([-1.0, 1.0], size=(25, 50))
        self.loss = bea.catalogue.diagonal_network(X, X[:, :3].sum(axis=1))
        self.x0 = np.full(self.loss.dimension, 0.1)
        self.time_flow()

    def time_flow(self):
        bea.flow(self.loss, self.x0, (0, 1), rtol=1e-10, atol=1e-12)
