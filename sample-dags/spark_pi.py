"""Computes pi with Spark: the smallest DAG that runs a Spark job."""
from airflow.sdk import DAG
from spark_task import PARAMS, spark_task

with DAG("spark_pi", schedule=None, params=PARAMS, tags=["sample", "spark"], doc_md=__doc__):
    spark_task("pi", "pi.yaml")
