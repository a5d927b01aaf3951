"""``make bench``: run the benchmarks one after another, each in a process of its own, and say on what they ran.

Names as arguments choose among them (``make bench ARGS="fanout refold"``); what follows ``--`` goes to each of them.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

import timing

FOLDER = Path(__file__).parent
PREFIX = "bench_"


def main(arguments: list[str]) -> int:
    """Give 0 when each benchmark ran to its end."""
    chosen, _, passed_on = " ".join(arguments).partition("--")
    known = {path.stem.removeprefix(PREFIX): path for path in sorted(FOLDER.glob(f"{PREFIX}*.py"))}
    if strangers := set(chosen.split()) - set(known):
        sys.stderr.write(f"no benchmark {', '.join(sorted(strangers))}; there are: {', '.join(known)}\n")
        return 2
    if not known:
        sys.stderr.write(f"there is no benchmark in {FOLDER}\n")
        return 1
    load = os.getloadavg()[0]
    cores = os.cpu_count() or 1
    print(f"Parc Fermé {timing.__version__}, Python {platform.python_version()}, {platform.machine()}, {cores} cores, load {load:.1f}")
    if load > cores / 2:
        print("The machine is busy: read ratios only, or run again when it is idle.")
    failed = []
    for name in chosen.split() or known:
        print(f"\n=== {name} ===", flush=True)
        if subprocess.run([sys.executable, known[name], *passed_on.split()], check=False).returncode:
            failed.append(name)
    if failed:
        print(f"\ndid not run to the end: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
