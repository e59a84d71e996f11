#!/usr/bin/env python3
"""Learns the capacity of a real instance: the matrix application at 20 % of a core.

The line must explain the utilisation (R2 at least 0.95), and a repeated search must find a slope within 15 %
of the first one's (a machine drifts by 5 to 10 % by itself). `headroom fit` of the run folder gives the same.

usage: tests/load/capacity.py [--program PATH] [--quick]
  --quick   one search of one round, without the repeat: for every change

Needs root and a control group with CPU limits; exits with 77, which ctest shows as skipped, without.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))
from instance import CappedInstance, Unsupported  # noqa: E402

SKIPPED = 77
ROOT = pathlib.Path(__file__).resolve().parents[2]
CORES = 0.2
TRAFFIC = """requests:
  - {method: POST, path: /, headers: {Content-Type: application/x-www-form-urlencoded}, body: "dim=40&Multiply="}
closed: {stages: [{users: 1, requests: 1}]}
"""


def run(command, **options):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result.stdout


def search(program, instance, folder, options):
    return json.loads(
        run(
            [program, "load", "--traffic", folder / "traffic.yaml", "--url", instance.url, "--find-capacity",
             "--metrics", instance.metrics, "--runs", folder / "runs", "-o", folder / "capacity.yaml", "--json",
             *options]
        )
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=ROOT / "build/release/src/cli/headroom", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    options = ["--step", "3s", "--settle", "1s", "--rounds", "1"] if arguments.quick else ["--step", "20s"]
    # Eight windows of 3 s scatter; that the line is good is the long form's matter.
    least = 0.8 if arguments.quick else 0.95
    with tempfile.TemporaryDirectory(prefix="headroom-load-") as name:
        folder = pathlib.Path(name)
        (folder / "traffic.yaml").write_text(TRAFFIC)
        command = ["/usr/bin/python3", "-B", str(ROOT / "examples/matrix/app/app.py")]
        try:
            with CappedInstance(command, CORES) as instance:
                first = search(arguments.program, instance, folder, options)
                second = None if arguments.quick else search(arguments.program, instance, folder, options)
        except Unsupported as reason:
            print(f"capacity: skipped, {reason}")
            sys.exit(SKIPPED)
        model = (folder / "capacity.yaml").read_text()
        runs = sorted((folder / "runs").iterdir())
        fitted = json.loads(run([arguments.program, "fit", runs[0], "--json"]))

    low, high = first["cpu_percent_per_rpm_interval_95"]
    slope = first["cpu_percent_per_rpm"]
    print(f"steps {len(first['steps'])}, slope {slope:.5f} % per rpm (95 %: {low:.5f} to {high:.5f}), "
          f"R2 {first['r_squared']:.4f}, knee {first['knee_percent']}, saturation {first['saturation_rps']} rps, "
          f"drift {first['drift_percent']:+.1f} %")
    faults = []
    if first["r_squared"] < least:
        faults.append(f"R2 is {first['r_squared']:.4f}, expected at least {least}")
    if not low < slope < high:
        faults.append("the slope lies outside its interval")
    if first["saturation_rps"] is None:
        faults.append("no saturation was found")
    if abs(fitted["cpu_percent_per_rpm"] / slope - 1) > 1e-9:
        faults.append("`headroom fit` of the run gives another slope")
    if "interval:" not in model:
        faults.append("the capacity file does not state the interval")
    if second is not None:
        change = second["cpu_percent_per_rpm"] / slope - 1
        print(f"the repeat: R2 {second['r_squared']:.4f}, slope {100 * change:+.1f} %")
        if second["r_squared"] < least:
            faults.append(f"R2 of the repeat is {second['r_squared']:.4f}")
        if abs(change) > 0.15:
            faults.append(f"the slope of the repeat differs by {100 * change:.1f} %, expected at most 15 %")
    for fault in faults:
        print(f"capacity: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
