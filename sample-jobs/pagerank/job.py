"""PageRank over the links of a tab-separated file; README.md defines the ranks exactly.

usage: job.py INPUT OUTPUT ITERATIONS PARTITIONS
"""
import json
import operator
import os
import socket
import sys
import time

from pyspark import AccumulatorParam, SparkContext

DAMPING = 0.85


def main(input_path, output_path, iterations, partitions):
    """Reads the links, ranks the pages and writes the ranks and who worked on them."""
    with SparkContext() as context:
        work = context.accumulator({}, WorkByExecutor())
        pages = read_pages(context, input_path, partitions)
        count = pages.count()
        if count == 0:
            raise ValueError(f"{input_path} holds no links")
        print(f"{count} pages, {partitions} partitions", flush=True)

        ranks = pages.mapValues(lambda targets: 1 / count)
        for iteration in range(1, iterations + 1):
            ranks, dangling = next_ranks(pages, ranks, count, partitions, work)
            print(f"iteration {iteration} of {iterations}: dangling rank {dangling:.6f}", flush=True)

        # Spark computes the last ranks only now. repr writes enough digits to read the same number back.
        save_lines(ranks.map(lambda rank: f"{rank[0]}\t{rank[1]!r}"), f"{output_path}/ranks")
        report = [{"executor": executor, "pod": pod, **done} for (executor, pod), done in sorted(work.value.items())]
        save_lines(context.parallelize(map(json.dumps, report), 1), f"{output_path}/executors")


def read_pages(context, path, partitions):
    """Returns (page, targets) for every page of the file, also for those that only receive links."""
    links = context.textFile(path, partitions).map(parse_link)
    mentions = links.flatMap(lambda link: [link, (link[1], None)])
    targets_of = mentions.groupByKey(partitions).mapValues(lambda found: [page for page in found if page is not None])
    return targets_of.cache()  # every iteration reads it


def parse_link(line):
    """Splits one line; whatever is not a link fails the job, since a skipped line would change every rank."""
    names = line.split("\t")
    if len(names) != 2 or not all(names):
        raise ValueError(f"want source<TAB>target, found {line!r}")
    return tuple(names)


def next_ranks(pages, ranks, count, partitions, work):
    """Returns the ranks after one more iteration and the rank that dangling pages held before it."""
    linked = pages.join(ranks, partitions)  # (page, (targets, rank)); no shuffle, both sides are partitioned alike
    dangling = linked.values().filter(lambda page: not page[0]).map(lambda page: page[1]).sum()
    received = linked.mapPartitions(lambda part: share(part, work)).reduceByKey(operator.add, partitions)
    everybody = (1 - DAMPING) / count + DAMPING * dangling / count
    return received.mapValues(lambda rank: everybody + DAMPING * rank), dangling


def share(part, work):
    """Yields what each page of a partition gives to its targets, and records the work in this executor's name."""
    started, records = time.monotonic(), 0
    for page, (targets, rank) in part:
        records += 1
        yield page, 0.0  # keeps a page that nobody links to
        for target in targets:
            yield target, rank / len(targets)
    # Spark on Kubernetes sets both names; elsewhere the machine's name stands for the executor.
    pod = os.environ.get("SPARK_EXECUTOR_POD_NAME", socket.gethostname())
    executor = os.environ.get("SPARK_EXECUTOR_ID", "local")
    work.add({(executor, pod): {"tasks": 1, "records": records, "seconds": time.monotonic() - started}})


class WorkByExecutor(AccumulatorParam):
    """Adds up what tasks report from inside the executors; only the driver reads the sum."""

    def zero(self, value):
        return {}

    def addInPlace(self, total, more):
        for executor, done in more.items():
            so_far = total.get(executor, dict.fromkeys(done, 0))
            total[executor] = {measure: so_far[measure] + done[measure] for measure in done}
        return total


def save_lines(lines, path):
    """Writes the lines as the one file `path`/part-00000."""
    lines.coalesce(1).saveAsTextFile(path)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
