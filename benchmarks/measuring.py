"""What the measuring scripts share: the time of a call, and the most memory a process has had."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


def seconds(run: Callable[[], Any]) -> float:
    """Return how long a call takes; what it returns is let go of outside of the time."""
    gc.collect()
    start = time.perf_counter()
    kept = run()
    elapsed = time.perf_counter() - start
    del kept
    return elapsed


def forget_peak() -> int:
    """Reset the high-water mark of resident memory and return what is resident now, in bytes."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return 0  # not Linux, or not allowed: peaks then count from the start of the process
    return peak_memory()


def peak_memory() -> int:
    """Return the largest resident memory since `forget_peak`, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="ascii").splitlines()
        return int(next(line for line in lines if "VmHWM" in line).split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes on macOS
