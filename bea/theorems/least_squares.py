"""Least squares with random noise: what linear estimates remember of the start, and their exact risks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["LeastSquares", "descent", "gradient_flow", "random_problem", "ridge"]

#: Eigenvalues of XᵀX/n below so many roundings of the largest are taken for zero.
ROUNDINGS = 64


@dataclass(frozen=True)
class LeastSquares:
    """y = Xβ + ε with a known signal β and noise ε of mean 0 and covariance σ²I.

    An estimate here is linear in y and starts from 0. In an eigenvector of XᵀX/n with the eigenvalue s it is
    (1 − q(s)) times the least-squares solution: q is the share that remains of the error without noise.

    Attributes
    ----------
    X : array of shape (n, p)
    beta : array of shape (p,)
    noise : float
        σ.
    covariance : array of shape (p, p)
        Of the points at which predictions out of sample are made.
    """

    X: np.ndarray
    beta: np.ndarray
    noise: float
    covariance: np.ndarray

    @cached_property
    def _eigen(self) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = np.linalg.eigh(self.X.T @ self.X / len(self.X))
        values[values < ROUNDINGS * np.finfo(float).eps * values[-1]] = 0
        return values, vectors

    @property
    def eigenvalues(self) -> np.ndarray:
        """Those of XᵀX/n, with zeros where X has no full rank."""
        return self._eigen[0]

    def risk(self, remaining: np.ndarray, kind: str = "estimation", bayes: bool = False) -> np.ndarray:
        """The mean over the noise of a squared error, for estimates given by q(s), shape (..., p).

        Parameters
        ----------
        remaining : array of shape (..., p)
        kind : {"estimation", "in-sample", "out-of-sample"}
            ‖β̂ − β‖², ‖X(β̂ − β)‖²/n or (β̂ − β)ᵀΣ(β̂ − β).
        bayes : bool, default False
            The mean over signals of covariance (‖β‖²/p) I too.
        """
        s, vectors = self._eigen
        weight = {
            "estimation": lambda: np.eye(len(s)),
            "in-sample": lambda: np.diag(s),
            "out-of-sample": lambda: vectors.T @ self.covariance @ vectors,
        }[kind]()
        diagonal = np.diag(weight)
        if bayes:
            squared_bias = remaining**2 @ diagonal * (self.beta @ self.beta / len(s))
        else:
            bias = remaining * (vectors.T @ self.beta)
            squared_bias = np.sum(bias @ weight * bias, axis=-1)
        inverse = np.divide(1, s, out=np.zeros_like(s), where=s > 0)
        return squared_bias + self.noise**2 / len(self.X) * ((1 - remaining) ** 2 @ (diagonal * inverse))

    def estimate(self, remaining: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The estimate given by q(s), shape (p,), from data of shape (n,) or (n, m)."""
        s, vectors = self._eigen
        share = np.divide(1 - remaining, s, out=np.zeros_like(s), where=s > 0)
        return vectors @ (share * (vectors.T @ self.X.T @ y / len(self.X)).T).T


def gradient_flow(s: np.ndarray, t: np.ndarray | float) -> np.ndarray:
    """q(s) = e^(−ts): the gradient flow of ‖y − Xβ‖²/(2n) at the time t."""
    return np.exp(-np.multiply.outer(t, s))


def ridge(s: np.ndarray, penalty: np.ndarray | float) -> np.ndarray:
    """q(s) = λ/(s + λ): the minimum of ‖y − Xβ‖²/n + λ‖β‖²."""
    return 1 / (1 + np.divide.outer(s, penalty).T)


def descent(s: np.ndarray, h: float, steps: int) -> np.ndarray:
    """q(s) = (1 − hs)^k: k steps of size h of descent on ‖y − Xβ‖²/(2n)."""
    return (1 - h * s) ** steps


def random_problem(rng: np.random.Generator) -> LeastSquares:
    """A problem of random shape, correlation of columns, size of noise and signal."""
    n, p = int(rng.integers(4, 50)), int(rng.integers(1, 40))
    columns = rng.standard_normal((p, p)) * np.arange(1, p + 1) ** -rng.uniform(0, 2)
    X = rng.standard_normal((n, p)) @ columns.T / np.linalg.norm(columns, 2)
    beta = rng.standard_normal(p) * (rng.random(p) < rng.uniform(0.1, 1))
    beta[rng.integers(p)] = 1
    if rng.random() < 0.3:
        beta = np.linalg.eigh(X.T @ X)[1][:, rng.integers(p)]
    new = rng.standard_normal((p, p))
    return LeastSquares(X, beta, float(np.exp(rng.uniform(-3, 3))), new @ new.T / p)
