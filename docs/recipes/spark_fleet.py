"""Size a folder of Parquet with Apache Spark, into another folder.

    spark-submit docs/recipes/spark_fleet.py FLEET SIZED [--provider aws] [--force]

Every row of FLEET is written to SIZED with the answer columns. The run is complete when SIZED contains `_SUCCESS`,
which Spark writes last; then a summary is printed as one line of JSON, counted from what was written. Exit code 1 means
that some rows could not be sized; the column `problem` says why.
"""

import argparse
import json
import sys

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from etcdsize import EtcdSizeError, load_tiers
from etcdsize.frames.spark import size_dataframe


def main() -> int:
    parser = argparse.ArgumentParser(description="Size a folder of Parquet with Apache Spark, into another folder.")
    parser.add_argument("fleet", help="the folder to read, on any file system that Spark supports")
    parser.add_argument("sized", help="the folder to write")
    parser.add_argument("--provider", help="the provider of every cluster (default: the column provider)")
    parser.add_argument("--force", action="store_true", help="replace an existing folder")
    options = parser.parse_args()

    spark = SparkSession.builder.appName("etcdsize").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    try:
        return run(spark, options.fleet, options.sized, options.provider, force=options.force)
    except EtcdSizeError as error:
        parser.error(f"{options.fleet}: {error}")
    except AnalysisException as error:
        if error.getCondition() == "PATH_ALREADY_EXISTS":
            parser.error(f"{options.sized} already exists; --force replaces it")
        parser.error(str(error).splitlines()[0])
    finally:
        spark.stop()


def run(spark: SparkSession, fleet: str, sized: str, provider: str | None, *, force: bool) -> int:
    answered = size_dataframe(spark.read.parquet(fleet), provider=provider)
    answered.write.mode("overwrite" if force else "errorifexists").parquet(sized)

    rows = spark.read.parquet(sized).groupBy("tier").count().collect()
    counted = {row["tier"]: row["count"] for row in rows}
    not_sized = counted.pop(None, 0)
    tiers = {name: counted.get(name, 0) for name in load_tiers("guide").names}
    print(json.dumps({"clusters": not_sized + sum(tiers.values()), "not_sized": not_sized, "tiers": tiers}))
    return 1 if not_sized else 0


if __name__ == "__main__":
    sys.exit(main())
