#!/usr/bin/env python3
"""What a request costs the balancer, and what its log adds to that.

nginx answers a page of 612 bytes, wrk asks as fast as it can over 1, 8 and 64 connections; the CPU time of HAProxy
per request with a log that nobody reads, with one that is read, and without one; and, without a log, where it keeps its
connections to the server, which is one of its file (reuse), or one of its file that got its address at run time (slot).
Medians of three rounds; everything stays on the loopback and stops by itself.

usage: bench/balancer/cost.py [--seconds 3]
"""

import argparse
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "load"))
import against_wrk

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--seconds", type=int, default=3)
parser.add_argument("--program", default=str(ROOT / "build/release/bench/balancer_cost"))
arguments = parser.parse_args()
for needed in ("nginx", "wrk", "haproxy"):
    if shutil.which(needed) is None:
        sys.exit(f"cost: {needed} is missing; tools/install-packages bench installs it")

with tempfile.TemporaryDirectory() as name:
    folder = pathlib.Path(name)
    folder.chmod(0o711)
    (folder / "nginx").mkdir()
    port = against_wrk.free_port()
    server = against_wrk.start_server(folder / "nginx", port)
    try:
        lines = subprocess.run(
            [arguments.program, name, str(port), str(against_wrk.free_port()), str(arguments.seconds)],
            check=True, capture_output=True, text=True,
        ).stdout.splitlines()
    finally:
        server.terminate()
        server.wait()

rows = {}
for line in lines:
    variant, connections, requests, haproxy, reader, lost = line.split()
    rows.setdefault((int(connections), variant), []).append([float(requests), float(haproxy), float(reader), float(lost)])
print("connections  log      requests/s  HAProxy us/request  reader us/request  lines lost")
for (connections, variant), measured in rows.items():
    requests, haproxy, reader, lost = (statistics.median(column) for column in zip(*measured))
    print(f"{connections:11}  {variant:7}  {requests / arguments.seconds:10.0f}  {haproxy:18.1f}  {reader:17.1f}"
          f"  {100 * lost / requests:9.2f} %")
