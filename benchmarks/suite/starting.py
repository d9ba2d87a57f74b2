"""What it costs to begin: imports, and a command from a cold start."""

import subprocess
import sys


class Start:
    """Every measurement takes place in a process of its own."""

    def timeraw_import(self):
        return "import bea"

    def timeraw_import_of_losses_and_schemes(self):
        return "import bea; bea.Loss; bea.GradientDescent"

    def time_derive(self):
        command = [sys.executable, "-m", "bea", "derive", "(1 - a*b)**2/2", "--variables", "a,b"]
        subprocess.run([*command, "--order", "2"], check=True, capture_output=True)
