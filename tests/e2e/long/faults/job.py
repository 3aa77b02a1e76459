"""Has every executor kill its own JVM, as a kernel short of memory does."""
import os
import signal

from pyspark import SparkContext


def kill_executor(_):
    """Goes up from the Python worker to the JVM that started it."""
    process = os.getpid()
    while True:
        with open(f"/proc/{process}/stat", encoding="ascii") as stat:
            name, rest = stat.read().split("(", 1)[1].rsplit(") ", 1)
        if name == "java":
            os.kill(process, signal.SIGKILL)
        process = int(rest.split()[1])


with SparkContext() as context:
    context.parallelize(range(3), 3).map(kill_executor).collect()
