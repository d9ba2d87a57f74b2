"""Parameter sweeps: one function over many parameters, on any executor, kept on disk as it goes."""

from bea.sweeps.outcome import TaskError
from bea.sweeps.progress import Progress
from bea.sweeps.result import InterruptedSweep, SweepResult
from bea.sweeps.store import rebuild_index
from bea.sweeps.sweeping import sweep

__all__ = ["InterruptedSweep", "Progress", "SweepResult", "TaskError", "rebuild_index", "sweep"]
