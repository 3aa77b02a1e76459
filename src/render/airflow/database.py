"""Asks the database what a process of Airflow is waiting for, without loading Airflow, which takes seconds.

usage: database.py ready        waits until the tables and the lab's users are there
       database.py alive JOB    fails where this pod's job has had no heartbeat for a minute
"""
import os
import socket
import sys
import time

import psycopg2

READY = "SELECT 1 FROM ab_user WHERE username = 'view'"
ALIVE = """SELECT 1 FROM job WHERE job_type = %s AND hostname = %s AND state = 'running'
           AND latest_heartbeat > now() - interval '60 seconds'"""


def ask(question, values=()):
    address = os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("+psycopg2", "")
    with psycopg2.connect(address, connect_timeout=5) as connection, connection.cursor() as cursor:
        cursor.execute(question, values)
        return cursor.fetchone() is not None


def wait():
    said = None
    while True:
        try:
            if ask(READY):
                return
            why = "no users yet"
        except psycopg2.Error as error:
            why = str(error).strip().splitlines()[0]
        if why != said:
            print(f"waiting for the database: {why}", flush=True)
            said = why
        time.sleep(1)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["ready"]:
            wait()
        case ["alive", job]:
            # Airflow calls itself by its address: see HOSTNAME_CALLABLE.
            if not ask(ALIVE, (job, socket.gethostbyname(socket.gethostname()))):
                sys.exit(f"no heartbeat of {job} in this pod for a minute")
        case _:
            sys.exit(__doc__)
