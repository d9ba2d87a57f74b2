"""``python -m bea`` is the command ``bea``."""

import sys

from bea.cli import main

if __name__ == "__main__":
    sys.exit(main())
