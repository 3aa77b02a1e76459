"""Two tasks in Python, one after the other: the place to begin."""
from airflow.sdk import DAG, Param, get_current_context, task

params = {"name": Param("lab", type="string", description="who is greeted")}


@task
def greeting():
    return f"Hello, {get_current_context()['params']['name']}!"


@task
def say(text):
    print(text)


with DAG("hello", schedule=None, params=params, tags=["sample"], doc_md=__doc__):
    say(greeting())
