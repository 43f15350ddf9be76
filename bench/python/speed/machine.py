"""Facts about the machine that ran the benchmarks."""

import os
import platform
import sys
from datetime import datetime, timezone
from pathlib import Path

from .sides import PEERS, version


def facts(rounds):
    """Names and facts; taken before anything runs, because the benchmarks are load themselves."""
    return {
        "CPU": f"{_after('/proc/cpuinfo', 'model name')}, {len(os.sched_getaffinity(0))} cores for this run",
        "memory": f"{int(_after('/proc/meminfo', 'MemTotal').split()[0]) / 2**20:.0f} GiB",
        "kernel": f"Linux {platform.release()}, {platform.machine()}",
        "load when it began": f"{os.getloadavg()[0]:.2f} runnable on average in the minute before",
        "interpreter": f"CPython {platform.python_version()} ({platform.python_compiler()})",
        "peers": ", ".join(f"{peer.name} {version(peer.name) or 'not installed'}" for peer in PEERS),
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "rounds": str(rounds),
        "switch interval": f"{sys.getswitchinterval() * 1000:g} ms",
    }


def _after(path, name):
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"
