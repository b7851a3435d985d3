"""What a program runs on, for the page "How this copy was built"."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, str | float]:
    """The processor, versions, the date, the memory used so far, and the threads of PyTorch.

    The memory is the largest that this process has had, in megabytes (0 where the system does
    not say). The threads are left out where PyTorch has not been imported.
    """
    torch = sys.modules.get("torch")
    return {
        **({"threads": torch.get_num_threads()} if torch else {}),
        "processor": processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        "date": datetime.now(UTC).date().isoformat(),
        "megabytes": peak_memory(),
    }


def processor() -> str:
    """The name of the processor and the number of its cores that this process may use."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text("utf-8").splitlines()
        name = next((line.split(": ")[1] for line in lines if line.startswith("model name")), name)
    return f"{name}, {cores()} cores"


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def peak_memory() -> float:
    """The largest resident memory of this process so far, in megabytes; 0 where it is unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
