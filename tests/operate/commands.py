#!/usr/bin/python3
"""The program operates an environment on this machine: up, status, scale, logs, drill, a killed daemon, down.

In a state folder of its own, with instances and balancers of its own, all of which are gone at the end.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

arguments = argparse.ArgumentParser()
arguments.add_argument("program")
program = str(pathlib.Path(arguments.parse_args().program).resolve())
if shutil.which("haproxy") is None:
    print("operate: skipped, haproxy is missing")
    sys.exit(77)
example = pathlib.Path(__file__).resolve().parents[2] / "examples/hello"
folder = pathlib.Path(tempfile.mkdtemp(prefix="headroom-operate-"))
folder.chmod(0o711)  # the balancer is another user, and must reach its sockets
environment = {**os.environ, "HEADROOM_STATE": str(folder / "state"), "NO_COLOR": "1"}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def headroom(*words, code=0, timeout=120):
    done = subprocess.run([program, *words], env=environment, cwd=folder / "hello", capture_output=True, text=True,
                          timeout=timeout)
    if done.returncode != code:
        raise AssertionError(f"headroom {' '.join(words)}: exit code {done.returncode}, expected {code}\n"
                             f"{done.stdout}\n{done.stderr}")
    return done


def status():
    return json.loads(headroom("status", "--json").stdout)


def hello():
    (found,) = [one for one in status()["environments"] if one["name"] == "hello"]
    return found


def served():
    return [one["id"] for one in hello()["instances"] if one["state"] == "in service"]


def wait_until(what, true, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return
        time.sleep(0.2)
    raise AssertionError(f"{what}: not within {seconds} s\n{headroom('status').stdout}")


def page():
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
        return answer.status, answer.read()


def daemon_process():
    # Who listens at the socket of the daemon.
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(folder / "state/run/api.sock"))
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int.from_bytes(credentials[:4], sys.byteorder)


shutil.copytree(example, folder / "hello")
port = free_port()
file = folder / "hello/headroom.yaml"
file.write_text(file.read_text().replace("listen: 8080", f"listen: {port}"))
try:
    assert "Nothing runs" in headroom("status").stdout

    plan = json.loads(headroom("up", "--plan", "--json").stdout)
    assert not plan["runs"] and plan["services"][0]["version"] == "v1", plan
    assert not (folder / "state").exists(), "a look has left something"

    # The log of a daemon has two files of 10 MB at most.
    (folder / "state").mkdir(0o711)
    log = folder / "state/daemon.log"
    log.write_bytes(b"of an earlier daemon\n" * 500_000)
    result = json.loads(headroom("up", "--json").stdout)
    assert log.stat().st_size < 100_000 and "POST /v1/environments" in log.read_text(), log.stat()
    assert (folder / "state/daemon.log.1").stat().st_size >= 10_000_000
    assert result["environment"] == "hello" and result["changes"], result
    assert page()[0] == 200
    assert hello()["services"][0]["in_service_instances"] == 1
    again = headroom("up", "-d")
    assert "Nothing differs" in again.stdout, again.stdout
    for line in headroom("status").stdout.splitlines():
        assert len(line) <= 80, line
    assert f"http://127.0.0.1:{port}" in headroom("status", "hello").stdout

    headroom("scale", "web", "3")
    wait_until("three serve", lambda: len(served()) == 3)
    page()
    headroom("scale", "web", "0x3", code=2)
    headroom("scale", "wob", "3", code=2)
    assert "GET /" in headroom("logs", "web", "-n", "50").stdout
    headroom("logs", "nobody", code=2)

    victim = served()[0]
    headroom("drill", "instance", victim, "--how", "crash")
    wait_until("another one serves in its place", lambda: len(served()) == 3 and victim not in served())
    headroom("drill", "zone", "nowhere", "--for", "1s", code=2)

    # What runs outlives its daemon, and the next one has all of it.
    before = sorted(served())
    os.kill(daemon_process(), signal.SIGKILL)
    assert page()[0] == 200
    wait_until("the socket is dead", lambda: "No daemon runs" in headroom("status").stdout)
    headroom("up", "-d")
    assert sorted(served()) == before, (before, served())
    assert page()[0] == 200

    # A new version, and back.
    assert "version v1 stays" in headroom("up", "--plan").stdout
    (folder / "hello/site/index.html").write_text("the second version\n")
    assert "version v2 replaces v1" in headroom("up", "--plan").stdout
    assert hello()["services"][0]["version"] == "v1" and page()[1] != b"the second version\n"
    headroom("deploy", timeout=240)
    wait_until("the second version serves", lambda: page()[1] == b"the second version\n")
    headroom("rollback", "web", timeout=240)
    wait_until("the first version serves", lambda: page()[1] != b"the second version\n")

    headroom("down", timeout=240)
    assert status()["environments"] == []
    try:
        page()
        raise AssertionError("something still serves")
    except OSError:
        pass
    headroom("deploy", code=2)

    # In the foreground, Ctrl-C takes it down; and SIGTERM ends the daemon in order.
    stays = subprocess.Popen([program, "up"], env=environment, cwd=folder / "hello", stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    wait_until("it serves again", lambda: status()["environments"] and len(served()) == 1)
    page()
    time.sleep(1)  # its logs follow every half second
    stays.send_signal(signal.SIGINT)
    out, err = stays.communicate(timeout=120)
    assert stays.returncode == 0 and "hello is down" in out, (stays.returncode, out, err)
    assert "| " in out and "Ctrl-C" in err, (out, err)
    process = daemon_process()
    os.kill(process, signal.SIGTERM)
    wait_until("the daemon has ended", lambda: not (folder / "state/run/api.sock").exists(), 20)
    assert "Nothing runs" in headroom("status").stdout
    print("operate: up, scale, logs, drills, a killed daemon, deploy, rollback and down do what they say")
finally:
    subprocess.run([program, "down", "--all", "--volumes"], env=environment, capture_output=True, timeout=240)
    try:
        os.kill(daemon_process(), signal.SIGTERM)
    except OSError:
        pass
    log = folder / "state/daemon.log"
    if sys.exc_info()[0] is not None and log.exists():
        print(log.read_text()[-5000:])
    time.sleep(0.5)
    shutil.rmtree(folder, ignore_errors=True)
