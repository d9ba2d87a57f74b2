"""How fast bea is beside its peers, as ratios measured in one run.

    python benchmarks/peers.py [section ...]

Each section is a file with functions that yield rows. The contestants of a row are timed in turn, round after
round, so that whatever else the machine does meets them all alike; times are medians. A peer that is not
installed is named and left out.
"""

from __future__ import annotations

import argparse

import peers_derivation
import peers_flow
import peers_nets
import peers_noise
import peers_schemes
import peers_series
import peers_sparse
import peers_sweep

SECTIONS = {
    "derivation": peers_derivation.SECTION,
    "flow": peers_flow.SECTION,
    "nets": peers_nets.SECTION,
    "noise": peers_noise.SECTION,
    "schemes": peers_schemes.SECTION,
    "series": peers_series.SECTION,
    "sparse": peers_sparse.SECTION,
    "sweep": peers_sweep.SECTION,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="section", help=f"some of: {', '.join(SECTIONS)}")
    chosen = parser.parse_args().sections or SECTIONS
    for name in chosen:
        if name not in SECTIONS:
            parser.error(f"there is no section {name!r}; the sections are {', '.join(SECTIONS)}")
        for section in SECTIONS[name]:
            for row in section():
                print(row)


if __name__ == "__main__":
    main()
