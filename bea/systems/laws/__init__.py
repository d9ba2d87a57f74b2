"""Laws of the injected noise, one file each."""

from bea.systems.laws.bernoulli import Bernoulli
from bea.systems.laws.gaussian import Gaussian
from bea.systems.laws.law import Law
from bea.systems.laws.minibatch import Minibatch
from bea.systems.laws.rademacher import Rademacher
from bea.systems.laws.sampled import Sampled
from bea.systems.laws.uniform import Uniform

__all__ = ["Bernoulli", "Gaussian", "Law", "Minibatch", "Rademacher", "Sampled", "Uniform"]
