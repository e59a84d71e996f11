#!/usr/bin/python3
"""How fast the policy answers a step of the load on real instances, out of the warm pool.

Metrics every 5 s, a policy that is asked every 5 s, one instance in service and one in the pool. For each round: the
load begins at another moment of the period; then the time until it was decided to add an instance, from there until
the instance served, and how long the application alone took to start. Medians and the worst of the rounds. The bars:
decided within 6 s, and in service no more than 3 s after what the application needs by itself.

usage: bench/operate/reaction.py [--rounds 5] [--program build/release/src/cli/headroom]
Needs root and network namespaces. Everything stays on this machine, ends by itself and is removed.
"""

import argparse
import datetime
import json
import pathlib
import statistics
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/operate"))
from world import Requests, World, free_port, is_able  # noqa: E402

SCALE = """scale:
      initial: 1
      min: 1
      max: 2
      pool: 1
      policies:
        - step: {metric: cpu, every: 5s, out: [{above: 8%, add: 1}], in: [{below: 3%, remove: 1}]}
metrics: {period: 5s}
"""


def entries(world):
    return json.loads(world.headroom("events", "web", "--json").stdout)["entries"]


def own_start(world):
    """Seconds that the application alone takes to answer, without limits."""
    port = free_port()
    begin = time.monotonic()
    process = subprocess.Popen([sys.executable, "-B", "server.py"], cwd=world.folder / "app",
                               env={"HOST": "127.0.0.1", "PORT": str(port)})
    try:
        while time.monotonic() - begin < 10:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).read()
                return time.monotonic() - begin
            except OSError:
                time.sleep(0.01)
    finally:
        process.kill()
        process.wait()
    sys.exit("reaction: the application does not start")


def measure(world, number):
    world.wait(lambda: len(world.instances()) == 1 and len(world.instances("stopped")) == 1, "one serves, one is pooled",
               120)
    time.sleep(number % 5)  # the load begins at another moment of the metric period
    load = Requests(world, rate=100, seconds=60)
    added, served = [], []

    def is_told():
        told = entries(world)
        added[:] = [one for one in told if one["kind"] == "decision" and one["decision"]["add_instances"]]
        served[:] = [one for one in told if one["kind"] == "in_service"]
        return len(world.instances()) == 2 and served[-1]["at_ms"] > added[-1]["at_ms"]

    world.wait(is_told, "the pooled instance serves")
    load.stop()
    run = sorted((world.root / "runs").iterdir(), key=lambda path: path.stat().st_mtime)[-1]
    begin = 1000 * datetime.datetime.fromisoformat(
        json.loads((run / "summary.json").read_text())["start_utc"]).timestamp()
    return {"decided_s": (added[-1]["at_ms"] - begin) / 1000, "served_s": (served[-1]["at_ms"] - added[-1]["at_ms"]) / 1000}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--program", default=ROOT / "build/release/src/cli/headroom")
    parser.add_argument("--output", default=ROOT / "build/bench/reaction.json", type=pathlib.Path)
    arguments = parser.parse_args()
    if not is_able():
        sys.exit("reaction: needs root and network namespaces")
    with World(arguments.program, instances=1, name="reaction") as world:
        file = world.folder / "headroom.yaml"
        file.write_text(file.read_text().replace("scale: {initial: 1, min: 1, max: 5}\n", SCALE))
        world.up()
        # One more and one less: that one is pooled.
        world.headroom("scale", "web", "2")
        world.wait(lambda: len(world.instances()) == 2, "two serve")
        world.headroom("resume", "web")
        own = statistics.median(own_start(world) for _ in range(3))
        rounds = [measure(world, number) for number in range(arguments.rounds)]
    result = {"application_start_s": own}
    for name in ("decided_s", "served_s"):
        values = [one[name] for one in rounds]
        result[name] = {"median": statistics.median(values), "worst": max(values)}
    print(f"the load rises: decided after {result['decided_s']['median']:.1f} s (worst {result['decided_s']['worst']:.1f}), "
          f"in service {result['served_s']['median']:.1f} s later (worst {result['served_s']['worst']:.1f}); the "
          f"application alone starts in {own:.1f} s")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps({"rounds": rounds, **result}, indent=2) + "\n")


if __name__ == "__main__":
    main()
