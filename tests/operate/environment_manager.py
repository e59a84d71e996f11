#!/usr/bin/python3
"""Requirements E01 to E17 of the environment manager, in their modern form, on real instances.

E12 (a clock that is off) is a test of the simulated cloud.

usage: environment_manager.py HEADROOM
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import pathlib
import stat
import sys
import threading
import urllib.request

sys.dont_write_bytecode = True
from world import SKIPPED, World, is_able  # noqa: E402


def served(world):
    with urllib.request.urlopen(world.url, timeout=5) as answer:
        return answer.read().decode()


def service(world):
    return world.environment()["services"][0]


def refused(world, *words):
    """What a command says that is refused as bad input."""
    result = world.headroom(*words, check=False)
    assert result.returncode == 2, f"{words}: {result.returncode}, expected 2\n{result.stdout}{result.stderr}"
    return result.stderr


def edit(world, old, new):
    file = world.folder / "headroom.yaml"
    text = file.read_text()
    assert old in text, old
    file.write_text(text.replace(old, new))


def process_of(world, instance):
    """A process of the application of this instance."""
    for folder in pathlib.Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"HEADROOM_INSTANCE={instance}".encode() in variables and b"server.py" in words:
            return folder
    raise AssertionError(f"{instance} has no process")


def e03_what_is_not_there_is_an_error_without_effect(world):
    refused(world, "deploy", world.folder)
    refused(world, "down", "nobody")
    refused(world, "scale", "web", "2", "--environment", "nobody")
    assert not world.state.exists() or not list((world.state / "environments").iterdir())


def e01_e17_up_returns_when_it_serves(world):
    world.up()
    assert served(world) == "first"


def e02_e03_a_name_is_of_one_environment(world):
    other = world.root / "other"
    other.mkdir()
    (other / "headroom.yaml").write_text((world.folder / "headroom.yaml").read_text().replace("./app", "../shop/app"))
    assert "runs already" in refused(world, "up", other, "-d")
    assert served(world) == "first"
    edit(world, f"name: {world.name}", "name: not/a name")
    refused(world, "up", world.folder, "-d")
    edit(world, "name: not/a name", f"name: {world.name}")


def e04_instances_start_together_and_there_is_one_at_least(world):
    assert len(world.instances()) == 2
    refused(world, "scale", "web", "0")
    refused(world, "scale", "web", "6")
    edit(world, "min: 1", "min: 0")
    refused(world, "check", world.folder)
    edit(world, "min: 0", "min: 1")


def e05_what_the_daemon_keeps_is_the_users_own(world):
    for name in ("state.db", "run/api.sock"):
        mode = stat.S_IMODE((world.state / name).stat().st_mode)
        assert mode == 0o600, f"{name}: {mode:o}"


def e06_e15_one_balancer_over_all_zones(world):
    assert {one["zone"] for one in world.instances()} == {"a", "b"}
    second = world.root / "second"
    second.mkdir()
    text = (world.folder / "headroom.yaml").read_text().replace(f"name: {world.name}", "name: second")
    (second / "headroom.yaml").write_text(text.replace("./app", "../shop/app"))
    result = world.headroom("up", second, "-d", check=False)
    assert result.returncode in (2, 3) and str(world.port) in result.stderr, result.stderr
    assert not (world.state / "environments/second").exists(), "what was refused has left something"
    assert served(world) == "first"


def e07_the_balancer_checks_health_as_the_file_says(world):
    text = (world.state / f"environments/{world.name}/balancers/web/haproxy.cfg").read_text()
    assert "/health" in text and "inter 500" in text and "fall 3" in text and "rise 1" in text, text


def e08_e14_each_instance_is_one_application_without_rights(world):
    users = set()
    for instance in world.instances():
        folder = process_of(world, instance["id"])
        status = dict(line.split(":\t", 1) for line in (folder / "status").read_text().splitlines() if ":\t" in line)
        assert status["Uid"].split()[0] != "0" and int(status["CapEff"], 16) == 0 and status["NoNewPrivs"] == "1"
        users.add(status["Uid"].split()[0])
    assert len(users) == 2, "each has a user of its own"


def f03_e08_a_new_version_replaces_the_old_one_in_place(world):
    world.write_version("second")
    world.headroom("deploy", world.folder)
    assert served(world) == "second"
    assert {one["version"] for one in world.instances()} == {"v2"}
    assert not list(world.state.glob("**/*.partial*")), "temporary files are left"
    assert "differs" in world.headroom("deploy", world.folder).stdout.lower()


def e10_an_environment_overrides_the_file(world):
    with (world.folder / "headroom.yaml").open("a") as file:
        file.write("environments:\n  small:\n    services: {web: {env: {SIZE: small}, scale: {max: 2}}}\n")
    world.headroom("up", world.folder, "-e", "small", "-d")
    refused(world, "scale", "web", "3")
    variables = (process_of(world, world.instances()[0]["id"]) / "environ").read_text().split("\0")
    assert "SIZE=small" in variables
    world.up()


def a_service_that_the_file_no_longer_has_is_gone(world):
    file = world.folder / "headroom.yaml"
    text = file.read_text()
    extra = ("  extra:\n    source: ./app\n    run: exec /usr/bin/python3 -B server.py\n"
             "    instance: {cpu: 0.2, memory: 96MiB}\n    health: {path: /health, interval: 500ms}\n")
    file.write_text(text.replace("services:\n", "services:\n" + extra, 1))
    world.up()
    assert [one for one in world.instances() if one["service"] == "extra"]
    file.write_text(text)
    world.up()
    assert {one["service"] for one in world.environment()["instances"]} == {"web"}
    assert not (world.state / f"environments/{world.name}/balancers/extra").exists()


def e11_concurrent_commands_lose_nothing(world):
    threads = [threading.Thread(target=world.headroom, args=("scale", "web", str(2 + number % 3)))
               for number in range(9)]
    threads.append(threading.Thread(target=world.headroom, args=("up", world.folder, "-d")))
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    world.headroom("scale", "web", "3")
    world.wait(lambda: len(world.instances()) == 3 and service(world)["desired_instances"] == 3, "three serve")


def e13_logs_are_shown_or_not_found(world):
    world.headroom("logs", world.instances()[0]["id"])
    assert "no service or instance" in refused(world, "logs", "web-4711")


def e16_instances_need_no_controller(world):
    world.kill_daemon()
    assert served(world) == "second"
    world.up()


def e09_down_ends_all_and_says_so(world):
    with (world.folder / "headroom.yaml").open() as file:
        text = file.read()
    (world.folder / "headroom.yaml").write_text(text.replace("max: 5}", "max: 5, pool: 1}"))
    world.up()
    world.headroom("scale", "web", "2")
    world.wait(lambda: len(world.instances("stopped")) == 1, "one is stopped in the pool")
    world.headroom("down")
    assert world.environment() is None
    left = [str(path) for path in (world.state / "environments").rglob("*")]
    assert not left, left


STORIES = [
    e03_what_is_not_there_is_an_error_without_effect,
    e01_e17_up_returns_when_it_serves,
    e02_e03_a_name_is_of_one_environment,
    e04_instances_start_together_and_there_is_one_at_least,
    e05_what_the_daemon_keeps_is_the_users_own,
    e06_e15_one_balancer_over_all_zones,
    e07_the_balancer_checks_health_as_the_file_says,
    e08_e14_each_instance_is_one_application_without_rights,
    f03_e08_a_new_version_replaces_the_old_one_in_place,
    e10_an_environment_overrides_the_file,
    a_service_that_the_file_no_longer_has_is_gone,
    e11_concurrent_commands_lose_nothing,
    e13_logs_are_shown_or_not_found,
    e16_instances_need_no_controller,
    e09_down_ends_all_and_says_so,
]


def main():
    if not is_able():
        print("environment_manager: needs root and network namespaces")
        sys.exit(SKIPPED)
    with World(sys.argv[1]) as world:
        for story in STORIES:
            story(world)
            print(story.__name__, flush=True)


if __name__ == "__main__":
    main()
