"""Estimates pi by throwing darts at a square, and fails when the estimate is off.

usage: job.py PARTITIONS
"""
import math
import random
import sys

from pyspark import SparkContext

DARTS_PER_PARTITION = 500_000
# For 1.5 million darts the standard deviation is 0.0013; the seeds are fixed, so a right run never misses.
TOLERANCE = 0.01


def main(partitions):
    """Has every partition throw its darts, prints the estimate and checks it."""
    with SparkContext() as context:
        seeds = context.range(partitions, numSlices=partitions)
        hits = seeds.map(hits_in_circle).sum()
    estimate = 4 * hits / (partitions * DARTS_PER_PARTITION)
    print(f"pi is roughly {estimate:.6f} ({partitions} partitions, {DARTS_PER_PARTITION} darts each)", flush=True)
    if abs(estimate - math.pi) > TOLERANCE:
        sys.exit(f"pi is off by {abs(estimate - math.pi):.6f}, more than {TOLERANCE}")


def hits_in_circle(seed):
    """Counts the darts that fall into the quarter circle of the unit square."""
    dart = random.Random(seed)
    return sum(dart.random() ** 2 + dart.random() ** 2 <= 1 for _ in range(DARTS_PER_PARTITION))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(int(sys.argv[1]))
