"""Noise that is injected into the steps of gradient descent: its laws, and the losses that it makes."""

from bea.noise.anti_pgd import anti_pgd
from bea.noise.dropconnect import dropconnect
from bea.noise.dropout import dropout, two_layer_network
from bea.noise.input_noise import input_noise
from bea.noise.label_noise import label_noise
from bea.noise.minibatch import minibatch
from bea.noise.sgld import sgld
from bea.systems.laws import Bernoulli, Gaussian, Law, Minibatch, Rademacher, Sampled, Uniform

__all__ = [
    "Bernoulli",
    "Gaussian",
    "Law",
    "Minibatch",
    "Rademacher",
    "Sampled",
    "Uniform",
    "anti_pgd",
    "dropconnect",
    "dropout",
    "input_noise",
    "label_noise",
    "minibatch",
    "sgld",
    "two_layer_network",
]
