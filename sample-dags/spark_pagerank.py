"""Ranks pages with Spark; input and output are in the object store. `lab up` runs it to prove the lab."""
from airflow.sdk import DAG, Param
from ranks import check
from spark_task import PARAMS, folder, spark_task

params = PARAMS | {
    "input": Param("", type="string", description="s3a:// address of links; the sample's if empty"),
    "output": Param("", type="string", description="s3a:// address of a folder to make; one of the run's own if empty"),
    "iterations": Param(10, type="integer", minimum=1, maximum=50, description="rounds of PageRank"),
}

with DAG(
    "spark_pagerank",
    schedule=None,
    params=params,
    user_defined_macros={"folder": folder},
    tags=["sample", "spark"],
    doc_md=__doc__,
):
    spark_task("pagerank", "pagerank.yaml") >> check()
