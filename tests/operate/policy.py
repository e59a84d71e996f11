#!/usr/bin/python3
"""The policy of the file scales real instances: out under load, in after it, and not while a person has paused it.

Named after requirements M02, M03, M09, M10 and G04 of the system monitor, in their modern form.

usage: policy.py HEADROOM
Needs root and network namespaces; exits with 77, which ctest shows as skipped, without.
"""

import csv
import json
import sys

sys.dont_write_bytecode = True
from world import SKIPPED, Requests, World, is_able  # noqa: E402

# 100 requests a second cost one instance a third of what it may use, two a sixth each, three a tenth: so the policy
# has two.
SCALE = """scale:
      initial: 1
      min: 1
      max: 3
      policies:
        - step:
            metric: cpu
            every: 2s
            out: [{above: 24%, add: 1}]
            in: [{below: 4%, remove: 1}]
            cooldown: {out: 4s, in: 2s}
metrics: {period: 2s}
"""


def events(world, service="web"):
    return json.loads(world.headroom("events", service, "--json").stdout)["entries"]


def decisions(world):
    return [entry["decision"] for entry in events(world) if entry["kind"] == "decision"]


def m02_without_metrics_nothing_is_removed(world):
    world.up()
    assert len(world.instances()) == 1
    # What begins between two looks of its policy keeps the minimum meanwhile.
    def due():
        return [one for one in decisions(world) if "not_due" not in one["reasons"]]

    world.wait(due, "its policy has looked")
    first = due()[0]
    assert first["cpu_percent"] is None and "missing_metric" in first["reasons"], first
    assert all(one["remove_instances"] == 0 for one in decisions(world))


def m03_load_above_the_threshold_adds_one(world):
    load = Requests(world, seconds=120)
    world.wait(lambda: len(world.instances()) >= 2, "the policy has scaled out")
    added = [one for one in decisions(world) if one["add_instances"] > 0]
    grown = added[-1]
    assert grown["add_instances"] == 1 and "above_threshold" in grown["reasons"], grown
    assert grown["cpu_percent"] > 24, grown
    kinds = [entry["kind"] for entry in events(world)]
    assert "action" in kinds and "in_service" in kinds, kinds
    status = world.environment()["services"][0]
    assert status["decisions"][0]["why"] and status["decisions"][0]["next_ms"], status
    return load


def a_person_overrides_it_for_a_while(world):
    world.headroom("scale", "web", "3", "--for", "6s")
    world.wait(lambda: len(world.instances()) == 3, "as many as were asked for")
    held = [entry["text"] for entry in events(world) if entry["kind"] == "decision"][-1]
    assert "by hand: 3 instances" in held, held
    world.wait(lambda: world.environment()["services"][0]["override"] is None, "it ends by itself")
    assert "override_ended" in [entry["kind"] for entry in events(world)]


def m10_paused_it_tells_what_it_would_do_and_health_still_acts(world, load):
    world.headroom("pause", "web")
    there = {one["id"] for one in world.instances()}
    requests, failed = load.stop()
    assert failed == 0, f"{failed} of {requests} requests failed while it scaled out"
    world.wait(lambda: decisions(world)[-1]["recommended_instances"] < len(there), "it would scale in")
    assert decisions(world)[-1]["remove_instances"] == 0
    assert len(world.instances()) == len(there)
    victim = sorted(there)[0]
    world.headroom("drill", "instance", victim, "--how", "crash")
    world.wait(lambda: victim not in {one["id"] for one in world.instances()}, "its failure is seen")
    world.wait(lambda: len(world.instances()) == len(there), "the failed one is replaced")


def a_pause_outlives_the_daemon(world):
    before = {one["id"] for one in world.instances()}
    world.kill_daemon()
    world.headroom("events")  # starts the next one
    assert world.environment()["services"][0]["override"] is not None
    world.wait(lambda: len(decisions(world)) > 0 and world.environment()["services"][0]["decisions"],
               "the next daemon decides")
    assert {one["id"] for one in world.instances()} == before


def m09_resumed_it_scales_in_to_the_minimum_without_a_lost_request(world):
    load = Requests(world, rate=5, seconds=120)
    world.headroom("resume", "web")
    world.wait(lambda: len(world.instances()) == 1, "the policy has scaled in")
    requests, failed = load.stop()
    assert failed == 0, f"{failed} of {requests} requests failed while it scaled in"
    assert all(one["remove_instances"] <= 1 for one in decisions(world))


def g04_what_was_measured_is_recorded_traffic(world):
    file = world.root / "live.csv"
    world.headroom("pull", "local:web", "--since", "10m", "-o", file)
    rows = list(csv.DictReader(file.open()))
    assert max(float(row["requests_per_second"] or 0) for row in rows) > 80, rows
    assert max(float(row["cpu_percent"] or 0) for row in rows) > 12, rows
    assert {"1", "3"} <= {row["in_service_instances"] for row in rows}, rows
    assert all({"time", "epoch_s", "stopped_instances"} <= set(row) for row in rows)


def observed_it_begins_paused(world):
    world.headroom("down")
    world.headroom("up", world.folder, "-d", "--observe")
    override = world.environment()["services"][0]["override"]
    assert override is not None and override["instances"] is None, override


def main():
    if not is_able():
        print("policy: skipped, it needs root and network namespaces")
        sys.exit(SKIPPED)
    with World(sys.argv[1], instances=1, name="policy") as world:
        file = world.folder / "headroom.yaml"
        text = file.read_text()
        old = "scale: {initial: 1, min: 1, max: 5}\n"
        assert old in text
        file.write_text(text.replace(old, SCALE))
        m02_without_metrics_nothing_is_removed(world)
        load = m03_load_above_the_threshold_adds_one(world)
        a_person_overrides_it_for_a_while(world)
        m10_paused_it_tells_what_it_would_do_and_health_still_acts(world, load)
        a_pause_outlives_the_daemon(world)
        m09_resumed_it_scales_in_to_the_minimum_without_a_lost_request(world)
        g04_what_was_measured_is_recorded_traffic(world)
        observed_it_begins_paused(world)
    print("policy: it scales out and in by itself, and not while a person has paused it")


if __name__ == "__main__":
    main()
