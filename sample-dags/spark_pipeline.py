"""Two Spark jobs, the second on what the first one wrote, and a check of the data between them."""
from airflow.sdk import DAG, Param
from ranks import check
from spark_task import PARAMS, folder, spark_task

params = PARAMS | {
    "input": Param("", type="string", description="s3a:// address of links; the sample's if empty"),
    "output": Param("", const="", description="the run's own folder: the other tasks look there"),
    "iterations": Param(10, type="integer", minimum=1, maximum=50, description="rounds of PageRank"),
}


with DAG(
    "spark_pipeline",
    schedule=None,
    params=params,
    user_defined_macros={"folder": folder},
    tags=["sample", "spark"],
    doc_md=__doc__,
):
    spark_task("pagerank", "pagerank.yaml") >> check() >> spark_task("top", "top.yaml")
