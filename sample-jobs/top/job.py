"""The pages with the highest ranks; README.md says of which file.

usage: job.py INPUT OUTPUT COUNT
"""
import sys

from pyspark import SparkContext


def main(input_path, output_path, count):
    """Reads ranks and writes the highest, one `page<TAB>rank` a line, the highest first."""
    with SparkContext() as context:
        ranks = context.textFile(input_path).map(parse_rank)
        # Of equal ranks, the page that comes first in the alphabet.
        highest = ranks.takeOrdered(count, key=lambda rank: (-rank[1], rank[0]))
        lines = [f"{page}\t{rank!r}" for page, rank in highest]
        context.parallelize(lines, 1).saveAsTextFile(output_path)
        print("\n".join(lines), flush=True)


def parse_rank(line):
    """Splits one line; whatever is not a rank fails the job."""
    page, _, rank = line.partition("\t")
    return page, float(rank)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
