"""How it steps: discrete schemes, each a small class of data with its references.

A scheme is added by one class and one line below; the catalogue `SCHEMES` finds it by its name.
"""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from bea.schemes.adam import Adam as Adam
from bea.schemes.adam import AdamW as AdamW
from bea.schemes.adams import AdamsBashforth as AdamsBashforth
from bea.schemes.adams import AdamsMoulton as AdamsMoulton
from bea.schemes.alternating_descent import AlternatingDescent as AlternatingDescent
from bea.schemes.bdf import BDF as BDF
from bea.schemes.cyclic_descent import CyclicDescent as CyclicDescent
from bea.schemes.embedded import BogackiShampine as BogackiShampine
from bea.schemes.embedded import DormandPrince5 as DormandPrince5
from bea.schemes.explicit import RK4 as RK4
from bea.schemes.explicit import SSPRK22 as SSPRK22
from bea.schemes.explicit import SSPRK33 as SSPRK33
from bea.schemes.explicit import ExplicitEuler as ExplicitEuler
from bea.schemes.explicit import ExplicitMidpoint as ExplicitMidpoint
from bea.schemes.explicit import Heun as Heun
from bea.schemes.explicit import Heun3 as Heun3
from bea.schemes.explicit import Kutta3 as Kutta3
from bea.schemes.explicit import Ralston as Ralston
from bea.schemes.explicit import Ralston3 as Ralston3
from bea.schemes.explicit import SecondOrder as SecondOrder
from bea.schemes.explicit import ThreeEighths as ThreeEighths
from bea.schemes.extragradient import Extragradient as Extragradient
from bea.schemes.gradient_descent import GradientDescent as GradientDescent
from bea.schemes.heavy_ball import HeavyBall as HeavyBall
from bea.schemes.implicit import Gauss as Gauss
from bea.schemes.implicit import Gauss2 as Gauss2
from bea.schemes.implicit import Gauss3 as Gauss3
from bea.schemes.implicit import ImplicitEuler as ImplicitEuler
from bea.schemes.implicit import ImplicitMidpoint as ImplicitMidpoint
from bea.schemes.implicit import Trapezoidal as Trapezoidal
from bea.schemes.linear_multistep import LinearMultistep as LinearMultistep
from bea.schemes.lobatto import LobattoIIIA as LobattoIIIA
from bea.schemes.lobatto import LobattoIIIA3 as LobattoIIIA3
from bea.schemes.lobatto import LobattoIIIA4 as LobattoIIIA4
from bea.schemes.lobatto import LobattoIIIB as LobattoIIIB
from bea.schemes.lobatto import LobattoIIIB2 as LobattoIIIB2
from bea.schemes.lobatto import LobattoIIIB3 as LobattoIIIB3
from bea.schemes.lobatto import LobattoIIIB4 as LobattoIIIB4
from bea.schemes.lobatto import LobattoIIIC as LobattoIIIC
from bea.schemes.lobatto import LobattoIIIC2 as LobattoIIIC2
from bea.schemes.lobatto import LobattoIIIC3 as LobattoIIIC3
from bea.schemes.lobatto import LobattoIIIC4 as LobattoIIIC4
from bea.schemes.lookahead import Lookahead as Lookahead
from bea.schemes.nesterov import Nesterov as Nesterov
from bea.schemes.optimistic_gradient import OptimisticGradient as OptimisticGradient
from bea.schemes.parametric import ParametricScheme as ParametricScheme
from bea.schemes.parametric import constant as constant
from bea.schemes.proximal_point import ProximalPoint as ProximalPoint
from bea.schemes.radau import RadauIA as RadauIA
from bea.schemes.radau import RadauIA2 as RadauIA2
from bea.schemes.radau import RadauIA3 as RadauIA3
from bea.schemes.radau import RadauIIA as RadauIIA
from bea.schemes.radau import RadauIIA2 as RadauIIA2
from bea.schemes.radau import RadauIIA3 as RadauIIA3
from bea.schemes.random_shuffling import RandomShuffling as RandomShuffling
from bea.schemes.rmsprop import RMSProp as RMSProp
from bea.schemes.runge_kutta import RungeKutta as RungeKutta
from bea.schemes.scheme import Arithmetic as Arithmetic
from bea.schemes.scheme import Field as Field
from bea.schemes.scheme import Scheme as Scheme
from bea.schemes.sign_descent import SmoothSignDescent as SmoothSignDescent
from bea.schemes.simultaneous_descent import SimultaneousDescent as SimultaneousDescent
from bea.schemes.splitting import LieTrotter as LieTrotter
from bea.schemes.splitting import Strang as Strang
from bea.schemes.weight_decay import WeightDecay as WeightDecay
from bea.schemes.with_replacement import WithReplacement as WithReplacement

#: Every scheme of the package that has a name on the command line, by that name.
SCHEMES: Mapping[str, type[Scheme]] = MappingProxyType(
    {
        scheme.name: scheme
        for _, scheme in sorted(globals().items())
        if isinstance(scheme, type) and issubclass(scheme, Scheme) and scheme.name
    }
)


def get_scheme(name: str) -> Scheme:
    """The scheme of that name in `SCHEMES`, with its default parameters.

    Capitals do not matter, nor whether words are parted by a hyphen, an underscore or a blank.

    Raises
    ------
    ValueError
        If there is none; the message lists the nearest names.

    Examples
    --------
    >>> from bea.schemes import get_scheme
    >>> get_scheme("rk4")
    RK4()
    """
    plain = re.sub(r"[\s_]+", "-", str(name).strip().lower())
    if plain not in SCHEMES:
        near = get_close_matches(plain, SCHEMES, n=3, cutoff=0.5)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are {', '.join(sorted(SCHEMES))}"
        raise ValueError(f"there is no scheme named {name!r}; {hint}")
    return SCHEMES[plain]()
