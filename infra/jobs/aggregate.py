"""
Keeps a summary of a table in a table of its own, by SQL that the declaration holds (--sql): each run computes the rows of its window
anew and puts them in place of those that it had put before, in one commit. So it may run any number of times.

The SQL asks the table by its name, which is the rows of the window; a run without a window summarizes the whole table. The
column `window_start` says which window a row is of.
"""

import argparse
import json

from lake_job import DEAD_LETTERS, Run, literal, quoted, read_run, refuse, spark_of, window_condition
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.utils import AnalysisException, ParseException

WINDOW = "window_start"
# A table with it is filled from a log (shared/lake/table-marks.ts).
MARKS_PROPERTY = "inlet.marks"


def describe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sql", required=True, help="the summary, asking the table by its name")
    parser.add_argument("--into", required=True, help="the table of the summary; made when there is none")


def summary(spark: SparkSession, run: Run) -> DataFrame:
    rows = spark.table(run.name_of(run.table))
    condition = window_condition(spark, run)
    (rows if condition is None else rows.where(condition)).createOrReplaceTempView(quoted(run.table))
    try:
        found = spark.sql(run.options.sql)
    except (AnalysisException, ParseException) as error:
        refuse(f"sql: {str(error).splitlines()[0]}")
    if WINDOW in found.columns:
        refuse(f"sql: the column {WINDOW} is added by the job; give yours another name")
    start = None if run.window is None else run.window.start
    return found.withColumn(WINDOW, sql.lit(start).cast("timestamp"))


def require_own(spark: SparkSession, run: Run) -> bool:
    """Whether the table of the summary is there. One that a log fills is refused."""
    into, name = run.options.into, run.name_of(run.options.into)
    if into == run.table or into.endswith(DEAD_LETTERS):
        refuse(f"into: {into} is filled from the log; name another table")
    if not spark.catalog.tableExists(name):
        return False
    properties = {row["key"] for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    if MARKS_PROPERTY in properties:
        refuse(f"into: {into} is filled from the log; name another table")
    return True


def make_table(spark: SparkSession, run: Run, found: DataFrame) -> None:
    columns = ", ".join(f"{quoted(field.name)} {field.dataType.simpleString()}" for field in found.schema)
    location = f"{run.lake.rstrip('/')}/tables/{run.options.into}"
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS {run.name_of(run.options.into)} ({columns}) USING iceberg "
        f"PARTITIONED BY ({quoted(WINDOW)}) LOCATION {literal(location)} TBLPROPERTIES ('format-version' = '2')"
    )


def main() -> None:
    run = read_run(describe)
    spark = spark_of(run)
    is_there = require_own(spark, run)
    found = summary(spark, run)
    name = run.name_of(run.options.into)
    if not is_there:
        make_table(spark, run, found)
    # One commit: whoever reads meanwhile finds the rows of before, or these.
    condition = sql.lit(True) if run.window is None else sql.col(WINDOW) == sql.lit(run.window.start)
    found.writeTo(name).overwrite(condition)
    print(json.dumps({"into": run.options.into}), flush=True)


if __name__ == "__main__":
    main()
