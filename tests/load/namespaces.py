"""Three generators in network namespaces of their own drive one traffic against a service in a fourth.

usage: namespaces.py HEADROOM

The parts start together (--shard, --start-at); merged, they are exactly the requests of the traffic, and the service
has seen exactly as many. Needs root and `ip netns`; exits with 77, which ctest shows as skipped, where it cannot make
namespaces. All it makes is gone afterwards, however it ends.
"""

import asyncio
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
MACHINES = 3
START_IN_SECONDS = 3
SECONDS_MOST = 60

# 3 s at 300 a second are 900 requests, 2 s on the way from 300 to 100 another 400.
TRAFFIC = """open:
  start: 300 rps
  stages: [{for: 3s, to: 300 rps}, {for: 2s, to: 100 rps}]
"""
REQUESTS = 1300


async def serve(port, counts):
    """Answers every request with 200; writes how many there were into the file `counts` when it is told to end."""
    seen = 0

    async def client(reader, writer):
        nonlocal seen
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                seen += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    server = await asyncio.start_server(client, "0.0.0.0", port, backlog=1024)
    print("ready", flush=True)
    await ended.wait()
    server.close()
    pathlib.Path(counts).write_text(str(seen))


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=20)


class Network:
    """A bridge within the namespace of the service, with a cable to each of the others: nothing outside of them."""

    def __init__(self):
        self.service = f"headroom-{os.getpid()}-service"
        self.machines = [f"headroom-{os.getpid()}-{number}" for number in range(1, MACHINES + 1)]
        self.made = []

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def build(self):
        for name in [self.service, *self.machines]:
            ip("netns", "add", name)
            self.made.append(name)
            ip("-n", name, "link", "set", "lo", "up")
        ip("-n", self.service, "link", "add", "bridge", "type", "bridge")
        ip("-n", self.service, "addr", "add", "10.99.0.1/24", "dev", "bridge")
        ip("-n", self.service, "link", "set", "bridge", "up")
        for number, name in enumerate(self.machines, 1):
            ip("-n", self.service, "link", "add", f"cable{number}", "type", "veth", "peer", "name", "net", "netns", name)
            ip("-n", self.service, "link", "set", f"cable{number}", "master", "bridge", "up")
            ip("-n", name, "addr", "add", f"10.99.0.{10 + number}/24", "dev", "net")
            ip("-n", name, "link", "set", "net", "up")

    def __exit__(self, *_):
        for name in self.made:
            subprocess.run(["ip", "netns", "delete", name], check=False, capture_output=True, timeout=20)


def within(namespace, *words):
    return ["ip", "netns", "exec", namespace, *words]


def check(program, network, folder, started):
    traffic = folder / "traffic.yaml"
    traffic.write_text(TRAFFIC)
    counts = folder / "counts"
    service = subprocess.Popen(
        within(network.service, sys.executable, "-B", __file__, "--serve", "8080", str(counts)), stdout=subprocess.PIPE, text=True
    )
    started.append(service)
    assert service.stdout.readline() == "ready\n", "the service did not start"

    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=START_IN_SECONDS)
    generators = []
    for number, name in enumerate(network.machines, 1):
        words = [program, "load", "--traffic", str(traffic), "--url", "http://10.99.0.1:8080/"]
        words += ["--shard", f"{number}/{MACHINES}", "--start-at", at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"]
        words += ["--runs", str(folder / str(number)), "--fail-if", "errors > 0%"]
        process = subprocess.Popen(within(name, *words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        generators.append(process)
    for number, process in enumerate(generators, 1):
        text, _ = process.communicate(timeout=SECONDS_MOST)
        assert process.returncode == 0, f"shard {number} exits with {process.returncode}:\n{text}"

    runs = [str(run) for number in range(1, MACHINES + 1) for run in (folder / str(number)).iterdir()]
    assert len(runs) == MACHINES, runs
    parts = [json.loads(pathlib.Path(run, "summary.json").read_text())["summary"]["requests"] for run in runs]
    merge = [program, "merge", *runs, "--runs", str(folder / "merged"), "--json"]
    merged = subprocess.run(merge, capture_output=True, text=True, timeout=SECONDS_MOST)
    assert merged.returncode == 0, merged.stderr
    whole = json.loads(merged.stdout)
    service.terminate()
    service.wait(timeout=20)
    seen = int(counts.read_text())

    assert max(parts) - min(parts) <= 1, f"the parts are not alike: {parts}"
    assert sum(parts) == REQUESTS, f"the parts have {parts} requests, which are not {REQUESTS}"
    assert whole["summary"]["requests"] == REQUESTS, whole["summary"]
    assert whole["summary"]["statuses"] == [{"status": 200, "requests": REQUESTS}], whole["summary"]
    assert [stage["requests"] for stage in whole["stages"]] == [900, 400], whole["stages"]
    assert whole["shards"] == [1, 2, 3] and whole["shards_of"] == MACHINES
    assert seen == REQUESTS, f"the service saw {seen} requests"
    # One part alone is no test.
    refused = subprocess.run([program, "merge", runs[0], "--no-run"], capture_output=True, text=True, timeout=SECONDS_MOST)
    assert refused.returncode == 2 and "missing" in refused.stderr, refused.stderr
    print(f"load_namespaces: {parts} requests of {MACHINES} machines are the {REQUESTS} of the traffic")


def main(program):
    # What a kill must not leave behind is removed on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    started = []
    if os.geteuid() != 0:
        print("skipped: network namespaces need root")
        return SKIPPED
    try:
        network = Network()
        network.__enter__()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"skipped: no network namespaces here: {getattr(error, 'stderr', None) or error}")
        return SKIPPED
    try:
        with tempfile.TemporaryDirectory(prefix="headroom-namespaces-") as folder:
            check(program, network, pathlib.Path(folder), started)
    finally:
        for process in started:
            if process.poll() is None:
                process.kill()
                process.wait()
        network.__exit__()
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        asyncio.run(serve(int(sys.argv[2]), sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1]))
