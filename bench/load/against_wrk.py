#!/usr/bin/env python3
"""Compares `headroom load` with wrk: requests per second and processor time per request.

nginx serves a static page of 612 bytes from one worker on the first core; the generators run one after the
other, in pairs, on the second core, with 64 connections. Then `headroom load` in open traffic at 10,000
requests per second, against itself in closed traffic. Medians of the pairs; everything stays on the
loopback and stops by itself.

usage: bench/load/against_wrk.py [--pairs 5] [--seconds 5] [--program build/release/src/cli/headroom]
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

SERVER_CORE, GENERATOR_CORE = "0", "1"
CONNECTIONS = 64
OPEN_RATE = 10_000

CONFIGURATION = """
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  keepalive_timeout 600;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port} backlog=8192; root {folder}/www; }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_server(folder, port):
    (folder / "www").mkdir()
    (folder / "www" / "index.html").write_text("x" * 612)
    for path in (folder, folder / "www"):
        path.chmod(0o755)
    (folder / "nginx.conf").write_text(CONFIGURATION.format(folder=folder, port=port))
    server = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, "nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    )
    for _ in range(100):
        time.sleep(0.05)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return server
        if server.poll() is not None:
            sys.exit(f"nginx did not start: {(folder / 'error.log').read_text()}")
    sys.exit("nginx did not start within 5 s")


def measured(command):
    """Standard output, and the processor time of the process, in seconds."""
    process = subprocess.Popen(
        ["taskset", "-c", GENERATOR_CORE, *command], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed with {process.returncode}: {output}")
    return output, usage.ru_utime + usage.ru_stime


def run_wrk(url, seconds):
    output, cpu = measured(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", url])
    requests = int(re.search(r"(\d+) requests in", output).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
    return {"rate": rate, "cpu_us": cpu / requests * 1e6}


def run_headroom(program, url, seconds, shape):
    output, cpu = measured(
        [program, "load", "--url", url, "--for", f"{seconds}s", "--threads", "1", "--no-run", "--json", *shape]
    )
    summary = json.loads(output)["summary"]
    if summary["failed_requests"]:
        sys.exit(f"{summary['failed_requests']} requests failed")
    requests = summary["requests"]
    return {"rate": summary["answered_per_second"], "cpu_us": cpu / requests * 1e6}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--program", default="build/release/src/cli/headroom")
    parser.add_argument("--output", default="build/bench/load.json")
    arguments = parser.parse_args()
    for tool in ("nginx", "wrk", "taskset"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing; tools/install-packages bench installs it")
    if (os.cpu_count() or 1) < 2:
        sys.exit("two cores are needed: one for the server, one for the generator")

    runs = {"wrk": [], "closed": [], "open": []}
    with tempfile.TemporaryDirectory(prefix="headroom-bench-") as name:
        folder = pathlib.Path(name)
        port = free_port()
        url = f"http://127.0.0.1:{port}/"
        server = start_server(folder, port)
        try:
            closed = ["--users", str(CONNECTIONS)]
            opened = ["--rate", f"{OPEN_RATE} rps"]
            for number in range(arguments.pairs):
                # In turn, so that neither always runs on the warmer machine.
                first = [("wrk", lambda: run_wrk(url, arguments.seconds)),
                         ("closed", lambda: run_headroom(arguments.program, url, arguments.seconds, closed))]
                for kind, run in first if number % 2 == 0 else reversed(first):
                    runs[kind].append(run())
                runs["open"].append(run_headroom(arguments.program, url, arguments.seconds, opened))
                print(f"pair {number + 1}: " + ", ".join(
                    f"{kind} {values[-1]['rate']:.0f}/s {values[-1]['cpu_us']:.1f} us" for kind, values in runs.items()
                ), file=sys.stderr)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=10)

    def ratio(of, to, what):
        return statistics.median(a[what] / b[what] for a, b in zip(runs[of], runs[to]))

    result = {
        "pairs": arguments.pairs,
        "seconds": arguments.seconds,
        "medians": {
            kind: {what: statistics.median(value[what] for value in values) for what in ("rate", "cpu_us")}
            for kind, values in runs.items()
        },
        "rate_closed_to_wrk": ratio("closed", "wrk", "rate"),
        "cpu_closed_to_wrk": ratio("closed", "wrk", "cpu_us"),
        "cpu_open_to_closed": ratio("open", "closed", "cpu_us"),
        "runs": runs,
    }
    output = pathlib.Path(arguments.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{'':<10}{'requests/s':>12}{'CPU us/request':>16}")
    for kind, medians in result["medians"].items():
        print(f"{kind:<10}{medians['rate']:>12.0f}{medians['cpu_us']:>16.1f}")
    print(f"closed to wrk: rate {result['rate_closed_to_wrk']:.3f} (at least 0.97), "
          f"CPU {result['cpu_closed_to_wrk']:.3f} (at most 1.1)")
    print(f"open at {OPEN_RATE}/s to closed: CPU {result['cpu_open_to_closed']:.3f} (at most 1.5)")


if __name__ == "__main__":
    main()
