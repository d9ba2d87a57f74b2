"""Implicit sparse regularization: gradient descent on diagonal networks of any depth, from a small start."""

from bea.sparse.descent import Descent, DescentBatch, descend, descend_batch
from bea.sparse.growth_law import exit_time, growth, growth_rate, growth_time, minimax_rate
from bea.sparse.linearized import linear_path, linear_step_size, minimum_change
from bea.sparse.network_loss import loss
from bea.sparse.oracles import Oracle, lasso, oracle_lasso, oracle_ridge
from bea.sparse.problems import Problem, correlated, gaussian, problem, rademacher
from bea.sparse.window import Window, early_stopping_window

__all__ = [
    "Descent",
    "DescentBatch",
    "Oracle",
    "Problem",
    "Window",
    "correlated",
    "descend",
    "descend_batch",
    "early_stopping_window",
    "exit_time",
    "gaussian",
    "growth",
    "growth_rate",
    "growth_time",
    "lasso",
    "linear_path",
    "linear_step_size",
    "loss",
    "minimax_rate",
    "minimum_change",
    "oracle_lasso",
    "oracle_ridge",
    "problem",
    "rademacher",
]
