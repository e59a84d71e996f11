"""An environment of a test's own on this machine: its folder, its daemon, and what is left of it afterwards."""

import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

SKIPPED = 77

ENVIRONMENT = """name: {name}
zones: [a, b]
services:
  web:
    source: ./app
    run: exec /usr/bin/python3 -B server.py
    listen: {port}
    instance: {{cpu: 0.3, memory: 96MiB}}
    health: {{path: /health, interval: 500ms, unhealthy_after: 3, healthy_after: 1}}
    scale: {{initial: {instances}, min: 1, max: 5}}
"""

# Tells the version, answers after some milliseconds, and can be told never to be healthy.
SERVER = """import http.server, os, socketserver, time

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        healthy = not os.path.exists("unhealthy")
        if self.path == "/slow":
            time.sleep(1)
        body = open("version.txt").read().encode() if healthy or self.path != "/health" else b"no"
        self.send_response(200 if healthy or self.path != "/health" else 503)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 256

Server((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes_with(text):
    """The numbers of processes whose command line or environment names `text`."""
    found = []
    for folder in pathlib.Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            variables = (folder / "environ").read_bytes().decode(errors="replace")
            if text in words or text in variables:
                if (folder / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                    found.append(int(folder.name))
    return found


def words_of(pid):
    """Of its command line; none where it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def machine():
    """What instances make on a machine, as a set of lines: namespaces, interfaces, control groups, mounts."""
    lines = set()
    for command in (["ip", "netns", "list"], ["ip", "-o", "link", "show"]):
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        kind = command[-2]
        lines |= {f"{kind} {line.split()[0 if kind == 'netns' else 1]}" for line in text.splitlines() if line}
    for folder in pathlib.Path("/sys/fs/cgroup").rglob("headroom-*"):
        lines.add(f"cgroup {folder}")
    lines |= {f"mount {line.split()[1]}" for line in pathlib.Path("/proc/mounts").read_text().splitlines()}
    return lines


class World:
    """`with World(program) as world:` has .up(), .headroom() and .url; afterwards nothing of it is left."""

    def __init__(self, program, instances=2, name="operate"):
        self.program = pathlib.Path(program).resolve()
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="hr-", dir="/tmp"))
        self.root.chmod(0o711)
        self.state = self.root / "state"
        self.folder = self.root / "shop"
        self.name = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        app = self.folder / "app"
        app.mkdir(parents=True)
        (app / "server.py").write_text(SERVER)
        (self.folder / "headroom.yaml").write_text(
            ENVIRONMENT.format(name=name, port=self.port, instances=instances))
        self.write_version("first")

    def write_version(self, text, healthy=True):
        (self.folder / "app" / "version.txt").write_text(text)
        unhealthy = self.folder / "app" / "unhealthy"
        if healthy:
            unhealthy.unlink(missing_ok=True)
        else:
            unhealthy.write_text("")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(Exception):
            self.headroom("down", "--all", "--volumes", check=False)
        self.kill_everything()
        shutil.rmtree(self.root, ignore_errors=True)

    def headroom(self, *words, check=True, timeout=180):
        result = subprocess.run([self.program, *map(str, words)], capture_output=True, text=True, timeout=timeout,
                                cwd=self.root, env={**os.environ, "HEADROOM_STATE": str(self.state)})
        if check and result.returncode != 0:
            raise AssertionError(f"headroom {' '.join(map(str, words))} ended with {result.returncode}:\n"
                                 f"{result.stdout}{result.stderr}")
        return result

    def up(self, check=True):
        return self.headroom("up", self.folder, "-d", check=check)

    def status(self):
        return json.loads(self.headroom("status", "--json").stdout)

    def environment(self):
        found = [one for one in self.status()["environments"] if one["name"] == self.name]
        return found[0] if found else None

    def instances(self, state="in service"):
        environment = self.environment()
        return [one for one in environment["instances"] if one["state"] == state] if environment else []

    def wait(self, happened, what, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if happened():
                return
            time.sleep(0.1)
        raise AssertionError(f"not within {seconds} s: {what}\n{self.headroom('status', check=False).stdout}")

    def daemons(self):
        return [pid for pid in processes_with(str(self.state)) if "daemon" in words_of(pid)]

    def kill_daemon(self):
        for pid in self.daemons():
            os.kill(pid, signal.SIGKILL)
        self.wait(lambda: not self.daemons(), "the daemon is gone")

    def kill_everything(self):
        """SIGKILL to all that carries the folder in its command or environment: daemon, balancers, applications."""
        for _ in range(50):
            pids = set(processes_with(str(self.root)))
            if not pids:
                return
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)


class Requests:
    """`headroom load` beside what happens, at a constant rate."""

    def __init__(self, world, rate=100, seconds=60, timeout="5s"):
        self.world = world
        self.output = world.root / f"load-{time.monotonic_ns()}.json"
        self.file = self.output.open("w")
        self.process = subprocess.Popen(
            [world.program, "load", "--url", world.url, "--rate", f"{rate} rps", "--for", f"{seconds}s", "--timeout",
             timeout, "--runs", world.root / "runs", "--json"], stdout=self.file, stderr=subprocess.DEVNULL)

    def stop(self):
        """Ends it and gives (requests, failed ones)."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=60)
        self.file.close()
        summary = json.loads(self.output.read_text())["summary"]
        return summary["requests"], summary["failed_requests"]


def is_able():
    """Whether this machine has the tier that these tests are about: root, with network namespaces."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    return subprocess.run(["ip", "netns", "list"], capture_output=True).returncode == 0
