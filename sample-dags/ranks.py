"""What a run of PageRank has to show for itself."""
import json
from urllib.parse import urlsplit

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.sdk import Variable, get_current_context, task
from spark_task import folder


@task
def check():
    """Fails where the ranks, which are shares of a whole, do not sum to one, or an executor had no part in them."""
    context = get_current_context()
    params = context["params"]
    own = f"s3a://{Variable.get('bucket')}/{folder(context['dag'].dag_id, context['run_id'])}/pagerank"
    output = urlsplit(params["output"] or own)

    def lines(name):
        return S3Hook().read_key(f"{output.path.strip('/')}/{name}/part-00000", output.netloc).splitlines()

    ranks = [float(line.split("\t")[1]) for line in lines("ranks")]
    if abs(sum(ranks) - 1) > 1e-6:
        raise ValueError(f"{len(ranks)} ranks below {output.geturl()} sum to {sum(ranks)}, not to 1")
    executors = {json.loads(line)["executor"] for line in lines("executors")}
    if len(executors) != params["executors"]:
        raise ValueError(f"{len(executors)} executors had a part in the ranks, not {params['executors']}")
    return f"{len(ranks)} ranks of {len(executors)} executors sum to {sum(ranks):.9f}"
