#!/usr/bin/python3
"""What the daemon takes while ten services run, scaled by their policies, and nobody asks anything of them.

The share of one core over a minute, and the memory that it holds. The bars: 1 % and 50 MB.

usage: bench/operate/at_rest.py [--seconds 60] [--program build/release/src/cli/headroom]
Needs root and network namespaces. Everything stays on this machine, ends by itself and is removed.
"""

import argparse
import json
import os
import pathlib
import re
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/operate"))
from world import World, free_port, is_able  # noqa: E402

SERVICES = 10
SERVICE = """  web{number}:
    source: ./app
    run: exec /usr/bin/python3 -B server.py
    listen: {port}
    instance: {{cpu: 0.05, memory: 64MiB}}
    health: {{path: /health, interval: 5s}}
    scale:
      max: 3
      policies:
        - step: {{metric: cpu, every: 5s, out: [{{above: 60%, add: 1}}], in: [{{below: 20%, remove: 1}}]}}
"""


def used(pid):
    """Seconds of processor time."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--program", default=ROOT / "build/release/src/cli/headroom")
    parser.add_argument("--output", default=ROOT / "build/bench/at_rest.json", type=pathlib.Path)
    arguments = parser.parse_args()
    if not is_able():
        sys.exit("at_rest: needs root and network namespaces")
    with World(arguments.program, name="rest") as world:
        services = "".join(SERVICE.format(number=number, port=free_port()) for number in range(SERVICES))
        (world.folder / "headroom.yaml").write_text(f"name: rest\nzones: [a, b]\nmetrics: {{period: 5s}}\nservices:\n{services}")
        world.up()
        time.sleep(10)  # what came up has come to rest
        daemon = world.daemons()[0]
        before = used(daemon)
        time.sleep(arguments.seconds)
        share = 100 * (used(daemon) - before) / arguments.seconds
        memory = int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{daemon}/status").read_text())[1]) / 1000
    print(f"at rest with {SERVICES} services: {share:.2f} % of a core, {memory:.0f} MB")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps({"core_percent": share, "memory_mb": memory}, indent=2) + "\n")


if __name__ == "__main__":
    main()
