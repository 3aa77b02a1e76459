"""Loads the DAG files of a tar on standard input as Airflow would, and prints what they hold as JSON.

The files are here only as long as this runs: Airflow itself sees them when they are in their bucket.
"""
import json
import os
import re
import sys
import tarfile
import tempfile

# Set before Airflow is loaded. Variables and connections are looked up in the database, as its processes do; a
# trace goes down to the line of the file, however deep in a library the error was raised.
os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
os.environ["AIRFLOW__CORE__DAGBAG_IMPORT_ERROR_TRACEBACK_DEPTH"] = "100"
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"

# Only the answer goes to standard output: DAG files may print.
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

from airflow.dag_processing.dagbag import BundleDagBag  # noqa: E402


def error(folder, file, trace):
    """Where it is, as far as the trace says, and its last line."""
    places = re.findall(rf'File "{re.escape(folder)}/(.+?)", line (\d+)', trace)
    file, line = places[-1] if places else (file, None)
    lines = [line for line in trace.strip().splitlines() if line.strip()]
    message = lines[-1].strip().replace(f"{folder}/", "") if lines else "it cannot be loaded"
    return {"file": file, "line": line and int(line), "message": message}


with tempfile.TemporaryDirectory() as folder:
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
        archive.extractall(folder, filter="data")
    bag = BundleDagBag(folder, bundle_path=folder, bundle_name="dags")
    json.dump(
        {
            "dags": [{"id": dag.dag_id, "file": os.path.relpath(dag.fileloc, folder)} for dag in bag.dags.values()],
            "errors": [error(folder, file, trace) for file, trace in sorted(bag.import_errors.items())],
        },
        answer,
    )
