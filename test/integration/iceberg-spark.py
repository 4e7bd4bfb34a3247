"""
A Spark session with Iceberg: JARS WAREHOUSE, where the tables of the catalog `lake` are those of the folders below the warehouse. Each
line of standard input is {"sql": …}; each answer is a line: {"columns": […], "rows": [[…], …], "files": n}, with values as in
arrow_values.py (floating point as text), and how many data files the plan read; or {"error": …}. It ends when its input does.
"""

import json
import os
import sys

# What the JVM prints is not to be taken for answers.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

from arrow_values import stored  # noqa: E402
from pyspark.sql import SparkSession  # noqa: E402

SPECIAL = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def session(jars, warehouse):
    options = {
        "spark.driver.memory": "1g",
        # A session lives a minute: what starts fast is faster than what runs fast.
        "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.jars": jars,
        "spark.local.dir": f"{warehouse}/.spark",
        "spark.sql.warehouse.dir": f"{warehouse}/.spark/warehouse",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        # The plan that was executed is then the one that says what it has read.
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.lake": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.lake.type": "hadoop",
        "spark.sql.catalog.lake.warehouse": warehouse,
        # Others commit to the tables too.
        "spark.sql.catalog.lake.cache-enabled": "false",
    }
    builder = SparkSession.builder.master("local[1]").appName("inlet")
    for name, value in options.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def sendable(value):
    """JSON has neither infinities nor NaN."""
    if isinstance(value, float):
        return SPECIAL.get(repr(value), repr(value))
    if isinstance(value, list):
        return [sendable(item) for item in value]
    if isinstance(value, dict):
        return {name: sendable(item) for name, item in value.items()}
    return value


def data_files(frame):
    """How many data files the scans of a plan have planned."""
    leaves = frame._jdf.queryExecution().executedPlan().collectLeaves()
    metrics = [leaves.apply(i).metrics() for i in range(leaves.size())]
    return sum(each.apply("resultDataFiles").value() for each in metrics if each.contains("resultDataFiles"))


def answer(frame):
    rows = []
    for batch in frame._collect_as_arrow():
        columns = [[sendable(stored(value)) for value in column] for column in batch.columns]
        rows.extend(zip(*columns))
    return {"columns": frame.columns, "rows": rows, "files": data_files(frame)}


def main():
    spark = session(*sys.argv[1:3])
    for line in sys.stdin:
        try:
            reply = answer(spark.sql(json.loads(line)["sql"]))
        except Exception as error:  # what Spark refuses is the caller's to judge
            reply = {"error": "\n".join(line for line in str(error).splitlines() if not line.startswith("\tat "))}
        print(json.dumps(reply), file=answers, flush=True)
    spark.stop()


main()
