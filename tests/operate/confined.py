#!/usr/bin/python3
"""What an instance cannot reach: the files of another one, the daemon's socket and databases, foreign processes.

The application itself tries, as code that somebody has broken into would, and answers with what it got.

usage: confined.py HEADROOM
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import json
import os
import sys
import urllib.request

sys.dont_write_bytecode = True
from world import SERVER, SKIPPED, World, is_able  # noqa: E402

ATTEMPTS = '''
import json, pathlib, signal, socket

home = pathlib.Path(os.environ["HOME"])
(home / "mine").write_text(os.environ["HEADROOM_INSTANCE"])
state = pathlib.Path(os.environ["STATE"])

def reads(path):
    try:
        return open(path, "rb").read(1) is not None
    except OSError:
        return False

def names(path):
    try:
        return set(os.listdir(path))
    except OSError:
        return set()

def connects(path):
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
            return True
        except OSError:
            return False

def signals():
    """Processes of others that can be told to end; signal 0 only asks."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            if os.stat(f"/proc/{name}").st_uid == os.getuid():
                continue
            os.kill(int(name), 0)
            found.append(int(name))
        except OSError:
            pass
    return found

def attempts():
    ours = os.environ["HEADROOM_INSTANCE"]
    way = {ours, "environments", "images", "confined", "instances"}  # to its own folders
    others = [one for one in ("web-1", "web-2") if one != ours]
    return {
        "instance": ours,
        "its own file": reads(home / "mine"),
        "files of another": [str(path) for one in others for path in
                             [pathlib.Path(str(home).replace(ours, one)) / "mine",
                              state / "environments/confined/instances" / one / "home/mine"] if reads(path)],
        "folders of another": [one for one in others if names(str(home).replace(ours, one))],
        "databases": [str(path) for path in [state / "state.db", state / "environments/confined/cloud.db",
                                             state / "environments/confined/history.db"] if reads(path)],
        "names of others": sorted((names(state) | names(state / "environments") | names(state / "environments/confined") |
                                   names(state / "environments/confined/instances")) - way),
        "sockets": [str(path) for path in [state / "run/api.sock"] if connects(path)],
        "signals": signals(),
        "writes its image": os.access(".", os.W_OK),
    }
'''


def ask(world):
    with urllib.request.urlopen(world.url + "attempts", timeout=10) as answer:
        return json.loads(answer.read())


def main():
    if not is_able():
        print("confined: skipped, it needs root and network namespaces")
        sys.exit(SKIPPED)
    with World(sys.argv[1], instances=2, name="confined") as world:
        server = SERVER.replace("class Handler", ATTEMPTS + "\nclass Handler", 1)
        server = server.replace('        self.send_response(200',
                                '        if self.path == "/attempts":\n'
                                '            body = json.dumps(attempts()).encode()\n'
                                '        self.send_response(200', 1)
        (world.folder / "app" / "server.py").write_text(server)
        file = world.folder / "headroom.yaml"
        file.write_text(file.read_text().replace("    listen:", f"    env: {{STATE: {world.state}}}\n    listen:"))
        world.up()
        assert os.path.exists(world.state / "run/api.sock") and os.path.exists(world.state / "state.db")
        told = {}
        for _ in range(50):
            one = ask(world)
            told[one["instance"]] = one
            if len(told) == 2:
                break
        assert len(told) == 2, told
        for one in told.values():
            assert one.pop("its own file"), one
            instance = one.pop("instance")
            got = {what: found for what, found in one.items() if found}
            assert not got, f"{instance} got {got}"
    print("confined: an instance reaches nothing of another one, nor of the daemon")


if __name__ == "__main__":
    main()
