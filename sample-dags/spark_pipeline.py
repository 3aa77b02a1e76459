"""Two Spark jobs, the second on what the first one wrote, and a check of the data between them."""
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import DAG, Param, Variable, get_current_context, task
from spark_task import PARAMS, folder, spark_task

params = PARAMS | {
    "input": Param("", type="string", description="s3a:// address of links; the sample's if empty"),
    "output": Param("", const="", description="the run's own folder: the other tasks look there"),
    "iterations": Param(10, type="integer", minimum=1, maximum=50, description="rounds of PageRank"),
}


@task
def check():
    """Fails where the ranks, which are shares of a whole, do not sum to one."""
    context = get_current_context()
    key = f"{folder(context['dag'].dag_id, context['run_id'])}/pagerank/ranks/part-00000"
    lines = S3Hook().read_key(key, Variable.get("bucket")).splitlines()
    total = sum(float(line.split("\t")[1]) for line in lines)
    if abs(total - 1) > 1e-6:
        raise ValueError(f"{len(lines)} ranks in {key} sum to {total}, not to 1")
    print(f"{len(lines)} ranks sum to {total:.9f}")


with DAG(
    "spark_pipeline",
    schedule=None,
    params=params,
    user_defined_macros={"folder": folder},
    tags=["sample", "spark"],
    doc_md=__doc__,
):
    spark_task("pagerank", "pagerank.yaml") >> check() >> spark_task("top", "top.yaml")
