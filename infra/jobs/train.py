"""
Trains the model of infra/sagemaker from the rows of a table, all of them or those of the last days, by the very code that trains it
on a laptop or in SageMaker: the same rows give the same model. It is put below --into under a name of its own, as model.json and as
the model.tar.gz that an endpoint is made with; no model is ever replaced.

Spark reads and filters; what is learned from is in the memory of the driver, about 2 kB a row. Beyond --most-rows (1,000,000) a
sample of about so many is taken, by a hash of the rows: the same ones every time, wherever a compaction has put them.
"""

import argparse
import csv
import importlib.util
import json
import re
import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NoReturn, Optional

from lake_job import Run, Window, positive, quoted, read_run, refuse, spark_of, window_condition
from py4j.protocol import Py4JJavaError
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as sql
from pyspark.sql.types import BooleanType, StructField, TimestampNTZType, TimestampType

OLDEST_PYTHON = (3, 11)
# Hashes are spread over so many.
BUCKETS = 1 << 30


def describe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--into", default="", help="a URI below which models are put; models/ of the lake unless given")
    parser.add_argument("--days", type=positive, default=None, help="learn from so many days, up to the window or the newest row")
    parser.add_argument("--most-rows", type=positive, default=1_000_000, help="learn from a sample of about so many, if there are more")


def require_training(run: Run) -> None:
    """Before Spark starts: whether there is what trains, and whether it is for this pipeline."""
    if sys.version_info < OLDEST_PYTHON:
        least, found = (".".join(str(part) for part in version[:2]) for version in (OLDEST_PYTHON, sys.version_info))
        refuse(f"Python {least} or newer is needed, this is {found}: on EMR give one by spark.archives (infra/jobs/README.md)")
    if importlib.util.find_spec("flight_delay") is None:
        refuse("the module flight_delay is not there: give flight_delay.zip as --extra-py-files on Glue, as --py-files on EMR")
    if importlib.util.find_spec("sklearn") is None:
        refuse("scikit-learn is not there: give it as --additional-python-modules on Glue, in spark.archives on EMR")
    from flight_delay.declaration import PIPELINE

    if run.pipeline != PIPELINE:
        refuse(f"pipeline: no model is made for {run.pipeline!r}; that of infra/sagemaker is for {PIPELINE}")
    if run.options.into and re.match(r"(s3|file):/", run.options.into) is None:
        refuse(f"into: expected s3://bucket/prefix, or file:///folder, found {run.options.into!r}")


def window_to_learn(rows: DataFrame, run: Run, time: str) -> Optional[Window]:
    """
    The days to learn from, of UTC: those before the end of the run's window or, without one, up to the day of the newest row. None
    for all of the table.
    """
    if run.options.days is None:
        return run.window
    if run.window is not None:
        column, end = run.window.column, run.window.end
    else:
        [[newest]] = rows.select(sql.max(quoted(time)).cast("timestamp").cast("long")).collect()
        if newest is None:
            refuse_empty(run)
        column = time
        day = datetime.fromtimestamp(newest, timezone.utc).replace(hour=0, minute=0, second=0)
        end = day + timedelta(days=1)
    return Window(column, end - timedelta(days=run.options.days), end)


def examples_of(spark: SparkSession, run: Run) -> DataFrame:
    """The rows whose outcome is known, as the texts that CSV has."""
    from flight_delay.declaration import FEATURES, TARGET, TIME

    rows = spark.table(run.name_of(run.table))
    columns = (*FEATURES, TARGET)
    fields = {field.name: field for field in rows.schema}
    missing = [column for column in columns if column not in fields]
    if missing:
        refuse(f"table: {run.table} has no column {', '.join(missing)}, of which the model learns; it has {', '.join(sorted(fields))}")
    condition = window_condition(spark, replace(run, window=window_to_learn(rows, run, TIME)))
    chosen = rows if condition is None else rows.where(condition)
    known = chosen.where(" AND ".join(f"{quoted(column)} IS NOT NULL" for column in columns))
    return known.select([text_of(fields[column]).alias(column) for column in columns])


def text_of(field: StructField) -> Column:
    """A value in the form in which an endpoint is sent it (shared/pipeline/score-codec.ts)."""
    column = sql.col(quoted(field.name))
    if isinstance(field.dataType, (TimestampType, TimestampNTZType)):
        return sql.date_format(column, "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
    if isinstance(field.dataType, BooleanType):
        column = column.cast("int")
    return column.cast("string")


def at_most(examples: DataFrame, rows: int, most: int) -> DataFrame:
    if rows <= most:
        return examples
    bucket = sql.pmod(sql.xxhash64(*examples.columns), sql.lit(BUCKETS))
    return examples.where(bucket < int(BUCKETS * most / rows))


def write_channel(examples: DataFrame, channel: Path) -> None:
    """As SageMaker lays out what a training is given. One partition of Spark's is in memory, and the next."""
    channel.mkdir(parents=True)
    with (channel / "examples.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow(examples.columns)
        lines.writerows(examples.toLocalIterator(prefetchPartitions=True))


def put(spark: SparkSession, run: Run, uri: str, content: bytes) -> None:
    """By what Iceberg writes the table's own files with: on S3 there is all of it or nothing."""
    try:
        table = spark._jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, run.name_of(run.table))
        stream = table.io().newOutputFile(uri).createOrOverwrite()
        try:
            stream.write(content)
        finally:
            stream.close()
    except Py4JJavaError as error:
        refuse(f"into: {uri} cannot be written: {str(error.java_exception).splitlines()[0]}")


def refuse_empty(run: Run) -> NoReturn:
    refuse(f"{run.table} has no rows to learn from{'' if run.window is None else ' in the window'}: nothing is trained")


def main() -> None:
    run = read_run(describe)
    require_training(run)
    from flight_delay.model import ARCHIVE, FILE, archive
    from flight_delay.training import train

    spark = spark_of(run)
    examples = examples_of(spark, run)
    rows = examples.count()
    if rows == 0:
        refuse_empty(run)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_channel(at_most(examples, rows, run.options.most_rows), folder / "channel")
        try:
            model = train(folder / "channel", folder / "model")
        except ValueError as error:
            refuse(f"nothing is trained: {error}")
        # By time, so that the last is the newest; what has the same version besides is the same model.
        began = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        into = f"{(run.options.into or run.lake.rstrip('/') + '/models').rstrip('/')}/{began}-{model.version}"
        for file in (folder / "model" / FILE, archive(folder / "model", folder / ARCHIVE)):
            put(spark, run, f"{into}/{file.name}", file.read_bytes())
    print(json.dumps({"version": model.version, "rows": rows, **model.metrics, "model": f"{into}/{ARCHIVE}"}), flush=True)


if __name__ == "__main__":
    main()
