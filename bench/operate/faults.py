#!/usr/bin/python3
"""What a failure costs: an instance crashes or hangs, a zone loses its network, under 100 requests a second.

For each: requests that failed, when the last one failed after the failure began, and when the balancer had noticed
(the instance is no longer among those whose checks are good). Medians of the rounds. The bars: noticed within 6 s,
and no request lost after that.

usage: bench/operate/faults.py [--rounds 3] [--program build/release/src/cli/headroom]
Needs root and network namespaces. Everything stays on this machine, ends by itself and is removed.
"""

import argparse
import csv
import json
import pathlib
import statistics
import sys
import time

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/operate"))
from world import Requests, World, is_able  # noqa: E402

SECONDS = 22
BEGINS = 5  # after the first request
LENGTH = "12s"
NOTICED_WITHIN = 6  # seconds


def failures(world):
    """(second, failed) of the newest run."""
    runs = sorted((world.root / "runs").iterdir(), key=lambda path: path.stat().st_mtime)
    with (runs[-1] / "series.csv").open() as file:
        return [(int(row["second"]), int(row["failed_requests"])) for row in csv.DictReader(file)]


def noticed_after(world, is_noticed):
    begin = time.monotonic()
    while time.monotonic() - begin < 15:
        if is_noticed():
            return time.monotonic() - begin
        time.sleep(0.05)
    return float("inf")


def measure(world, drill, is_noticed):
    requests = Requests(world, rate=100, seconds=SECONDS, timeout="30s")
    time.sleep(BEGINS)
    world.headroom(*drill)
    noticed = noticed_after(world, is_noticed)
    requests.process.wait(timeout=90)
    sent, failed = requests.stop()
    lost = [second for second, count in failures(world) if count]
    last = max(lost) + 1 - BEGINS if lost else 0
    world.wait(lambda: len([one for one in world.instances() if not one["failed_checks"]]) >= 4, "all serve again", 90)
    return {"sent": sent, "failed": failed, "last_failed_s": max(0, last), "noticed_s": round(noticed, 2)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--program", default=ROOT / "build/release/src/cli/headroom")
    parser.add_argument("--output", default=ROOT / "build/bench/operate.json", type=pathlib.Path)
    arguments = parser.parse_args()
    if not is_able():
        sys.exit("faults: needs root and network namespaces")
    results = {}
    with World(arguments.program, instances=4) as world:
        world.up()
        time.sleep(2)
        for number in range(arguments.rounds):
            for kind in ("crash", "hang", "zone"):
                serving = world.instances()
                victims = [one["id"] for one in serving if one["zone"] == "b"] if kind == "zone" else [serving[0]["id"]]
                drill = (["drill", "zone", "b", "--for", LENGTH] if kind == "zone" else
                         ["drill", "instance", victims[0], "--how", kind] + (["--for", LENGTH] if kind == "hang" else []))

                def is_noticed():
                    shown = {one["id"]: one for one in world.instances()}
                    return all(one not in shown or shown[one]["failed_checks"] >= 3 for one in victims)

                result = measure(world, drill, is_noticed)
                results.setdefault(kind, []).append(result)
                print(f"round {number + 1}, {kind}: {result['failed']} of {result['sent']} failed, the last "
                      f"{result['last_failed_s']} s after, noticed after {result['noticed_s']} s", file=sys.stderr,
                      flush=True)
    medians = {kind: {what: statistics.median(one[what] for one in rounds) for what in rounds[0]}
               for kind, rounds in results.items()}
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps({"rounds": results, "medians": medians}, indent=2) + "\n")
    print(f"{'':<8}{'failed':>8}{'of':>7}{'last failed':>14}{'noticed':>10}")
    for kind, one in medians.items():
        print(f"{kind:<8}{one['failed']:>8g}{one['sent']:>7g}{one['last_failed_s']:>12g} s{one['noticed_s']:>8g} s")
    # The load is told by whole seconds.
    missed = [kind for kind, one in medians.items()
              if one["noticed_s"] > NOTICED_WITHIN or one["last_failed_s"] > one["noticed_s"] + 1]
    if missed:
        sys.exit(f"faults: noticed too late, or requests were lost after that: {', '.join(missed)}")


if __name__ == "__main__":
    main()
