"""100,000 users ask for connections of a machine that gives 1,024 descriptors.

usage: descriptors.py HEADROOM

The users who get none are counted as such, the others are served, and the test ends when it should.
"""

import asyncio
import json
import resource
import subprocess
import sys
import threading

USERS = 100_000
DESCRIPTORS = 1_024
LENGTH = "4s"
SECONDS_MOST = 120


class Server(threading.Thread):
    """Answers every request of the loopback with 200, in a process without that limit."""

    def __init__(self):
        super().__init__(daemon=True)
        self.port = None
        self.ready = threading.Event()
        self.start()
        self.ready.wait(10)

    def run(self):
        asyncio.run(self.serve())

    async def serve(self):
        async def client(reader, writer):
            try:
                while True:
                    await reader.readuntil(b"\r\n\r\n")
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
                    await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        server = await asyncio.start_server(client, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await server.serve_forever()


def limited():
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8 * DESCRIPTORS), hard))
    server = Server()
    result = subprocess.run(
        [sys.argv[1], "load", "--url", f"http://127.0.0.1:{server.port}/", "--users", str(USERS), "--for", LENGTH,
         "--timeout", "3s", "--no-run", "--json"],
        capture_output=True, text=True, timeout=SECONDS_MOST, preexec_fn=limited,
    )
    if result.returncode != 0:
        sys.exit(f"exit code {result.returncode}: {result.stdout[-2000:]}{result.stderr[-2000:]}")
    run = json.loads(result.stdout)
    summary = run["summary"]
    without = {entry["outcome"]: entry["requests"] for entry in summary["without_answer"]}
    print(f"{summary['requests']} requests, {summary['answered_requests']} answered, without an answer: {without}, "
          f"{run['generator']['connections']} connections, {run['duration_seconds']:.1f} s")
    faults = []
    if without.get("no_descriptor", 0) < USERS - DESCRIPTORS:
        faults.append("fewer users without a descriptor than there must be")
    if summary["answered_requests"] == 0:
        faults.append("nobody was served")
    if sum(without.values()) + summary["answered_requests"] != summary["requests"]:
        faults.append("the classes are not all of the requests")
    if not any("descriptor" in warning or "socket" in warning for warning in run["warnings"]):
        faults.append(f"no warning says that the generator was the limit: {run['warnings']}")
    for fault in faults:
        print(f"descriptors: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
