"""Holds a driver and its executors, until the application is removed."""

import threading

from pyspark.sql import SparkSession

# The session registers its executors; nobody ever sets the event, and its limit is for one that was forgotten.
SparkSession.builder.getOrCreate()
threading.Event().wait(timeout=600)
