"""What the sample DAGs with Spark have in common."""
import re
from datetime import timedelta

from airflow.providers.cncf.kubernetes.operators.spark_kubernetes import SparkKubernetesOperator
from airflow.sdk import Param

PARAMS = {
    "name": Param(
        "",
        type="string",
        pattern="^([a-z]([-a-z0-9]{0,28}[a-z0-9])?)?$",
        description="what the application is called; as its job if empty",
    ),
    "image": Param("", type="string", description="Spark's image; the lab's own if empty"),
    "executors": Param(3, type="integer", minimum=1, maximum=9, description="how many executors"),
    "driver_memory": Param("512m", type="string", pattern="^[0-9]+[mg]$", description="heap of the driver"),
    "executor_memory": Param("512m", type="string", pattern="^[0-9]+[mg]$", description="heap of each executor"),
    "cpu_request": Param("100m", type="string", description="CPU that Kubernetes sets aside for each"),
}


def folder(dag_id, run_id):
    """Where a run keeps its data in the bucket of jobs; Hadoop's paths cannot hold what a run's name may."""
    return f"dags/{dag_id}/{re.sub('[^A-Za-z0-9_.-]', '-', run_id)}"


def spark_task(task_id, application):
    """A task that runs the SparkApplication of a YAML file beside this one, and follows its driver's log."""
    return SparkKubernetesOperator(
        task_id=task_id,
        namespace="spark-jobs",
        application_file=application,
        random_name_suffix=False,  # the name in the file is new for every try
        delete_on_termination=False,  # it stays to be looked at, for as long as the lab keeps finished jobs
        reattach_on_restart=True,  # after the scheduler was lost, the second try follows the first one's application
        retries=2,
        retry_delay=timedelta(seconds=5),
    )
