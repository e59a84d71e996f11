"""The rehearsal of examples/shop as a plain loop: what sim_bench compares itself with.

Arguments: file of rates (requests per second, one per line), slope (percent per request per second), start-up
and metric lag (ticks), initial, min, max, then the step policy: out threshold and change, in threshold and
change, cooldown after a scale-in (ticks). Prints the seconds of the loop and the instance-minutes.
"""

import sys
import time


def rehearse(rates, slope, startup, lag, initial, low, high, above, add, below, remove, cooldown):
    in_service = initial
    launching = 0
    leaving = 0
    arrivals = [0] * (len(rates) + startup + 2)
    utilisations = []
    last_in = -(10**9)
    instance_minutes = 0
    for tick, rate in enumerate(rates):
        arrived = arrivals[tick]
        in_service += arrived - leaving
        launching -= arrived
        leaving = 0
        utilisations.append(min(slope * (rate / in_service), 100.0))
        instance_minutes += in_service
        seen = tick - 1 - lag
        if seen < 0:
            continue
        total = in_service + launching
        if tick - last_in < cooldown:
            continue
        if utilisations[seen] > above:
            order = min(total + add, high) - total
            arrivals[tick + startup + 1] += order
            launching += order
        elif utilisations[seen] < below:
            leaving = max(0, in_service - max(total - remove, low))
            if leaving > 0:
                last_in = tick
    return instance_minutes


def main():
    with open(sys.argv[1], encoding="ascii") as file:
        rates = [float(line) for line in file]
    slope = float(sys.argv[2])
    startup, lag, initial, low, high = (int(value) for value in sys.argv[3:8])
    above, add, below, remove, cooldown = (
        float(sys.argv[8]), int(sys.argv[9]), float(sys.argv[10]), int(sys.argv[11]), int(sys.argv[12]))
    began = time.perf_counter()
    result = rehearse(rates, slope, startup, lag, initial, low, high, above, add, below, remove, cooldown)
    print(time.perf_counter() - began, result)


if __name__ == "__main__":
    main()
