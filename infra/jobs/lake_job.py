"""
What the jobs have in common: the arguments of a run, and Spark with the catalog of the lake.

The scripts are plain PySpark and run the same on AWS Glue, EMR Serverless, EMR and a laptop. What differs between these (jars,
memory, where Spark runs) is theirs to set; a script sets only what it means: the catalog, and UTC.
"""

import argparse
import re
import sys
from dataclasses import dataclass
from datetime import datetime
from typing import Callable, NoReturn, Optional, Sequence

from pyspark.sql import SparkSession

CATALOG = "lake"
# Namespace of the tables in a catalog that knows no databases.
REST_NAMESPACE = "tables"
DEAD_LETTERS = "_dead_letters"

# What every run is told (shared/pipeline/job.ts, `RunArguments`).
REQUIRED = ("run", "pipeline", "lake", "catalog", "table")
OPTIONAL = ("snapshot", "partition", "window-column", "window-start", "window-end")


@dataclass(frozen=True)
class Window:
    """From `start` to before `end`, UTC, of a column."""

    column: str
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Run:
    """What a run was started for. The window is None for the whole table."""

    pipeline: str
    lake: str
    catalog: str
    table: str
    window: Optional[Window]
    options: argparse.Namespace

    @property
    def namespace(self) -> str:
        scheme, _, rest = self.catalog.partition(":")
        return rest if scheme == "glue" else REST_NAMESPACE

    def name_of(self, table: str) -> str:
        """The name of a table for Spark's SQL."""
        return ".".join(quoted(part) for part in (CATALOG, self.namespace, table))

    def procedure_name_of(self, table: str) -> str:
        """The name of a table as an argument of Iceberg's procedures."""
        return literal(".".join(quoted(part) for part in (self.namespace, table)))


def refuse(message: str) -> NoReturn:
    """Ends the run with a message, which is what Glue and EMR show of it, and no stack."""
    raise SystemExit(message)


def quoted(name: str) -> str:
    """An identifier of Spark's SQL."""
    return "`" + name.replace("`", "``") + "`"


def literal(text: str) -> str:
    """A text of Spark's SQL."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        refuse(message)


def read_run(describe: Callable[[argparse.ArgumentParser], None], argv: Optional[Sequence[str]] = None) -> Run:
    """
    Reads the arguments of a run.

    :param describe: adds the job's own arguments to the parser
    :raises SystemExit: naming the argument that is missing or wrong
    """
    parser = Parser(allow_abbrev=False)
    for name in REQUIRED:
        parser.add_argument(f"--{name}", required=True)
    for name in OPTIONAL:
        parser.add_argument(f"--{name}", default="")
    describe(parser)
    arguments = sys.argv if argv is None else argv
    given = parser.parse_args(resolved_by_glue(arguments) or arguments[1:])
    return Run(given.pipeline, given.lake, given.catalog, given.table, window_of(given), given)


def resolved_by_glue(argv: Sequence[str]) -> Optional[list]:
    """The arguments of a run of Glue's, without those that are for Glue itself; None anywhere else."""
    try:
        from awsglue.utils import getResolvedOptions
    except ImportError:
        return None
    # Those of jobs are in lower case; Glue's own have capitals, or are told by their prefix. One that is empty may have lost its value.
    names = [
        name[2:]
        for name, value in zip(argv[1:], argv[2:])
        if re.fullmatch(r"--(?!additional-|enable-|extra-|job-|datalake-|python-)[a-z][a-z0-9-]*", name) and not value.startswith("--")
    ]
    # They come back with underscores, as argparse has them.
    values = getResolvedOptions(argv, names)
    return [part for name in names for part in (f"--{name}", values[name.replace("-", "_")])]


def window_of(given: argparse.Namespace) -> Optional[Window]:
    if not given.window_column:
        return None
    try:
        start, end = (instant(text) for text in (given.window_start, given.window_end))
    except ValueError:
        refuse(f"window-start, window-end: expected ISO 8601, found {given.window_start!r} and {given.window_end!r}")
    return Window(given.window_column, start, end)


def instant(text: str) -> datetime:
    # Python knows the Z since 3.11, and EMR has an older one.
    return datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))


def positive(text: str) -> int:
    """A type of argparse: a whole number above 0."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def spark_of(run: Run) -> SparkSession:
    """Spark with Iceberg and the lake's catalog, made or, where there is one, told of it."""
    settings = {
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.session.timeZone": "UTC",
        f"spark.sql.catalog.{CATALOG}": "org.apache.iceberg.spark.SparkCatalog",
        # Others commit to the tables all the time.
        f"spark.sql.catalog.{CATALOG}.cache-enabled": "false",
    }
    for name, value in catalog_settings(run).items():
        settings[f"spark.sql.catalog.{CATALOG}.{name}"] = value
    builder = SparkSession.builder.appName(f"{run.pipeline}: {run.table}")
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def catalog_settings(run: Run) -> dict:
    scheme, _, rest = run.catalog.partition(":")
    if scheme == "glue" and rest:
        return {"type": "glue", "warehouse": run.lake, "io-impl": "org.apache.iceberg.aws.s3.S3FileIO"}
    if scheme == "rest" and rest:
        return {"type": "rest", "uri": rest, "rest-metrics-reporting-enabled": "false"}
    refuse(f"catalog: expected glue:<database>, or rest:<address>, found {run.catalog!r}")


def require_rows_table(run: Run, why: str) -> None:
    """Dead letters are read where the log says they are, not by the table."""
    if run.table.endswith(DEAD_LETTERS):
        refuse(f"{run.table}: {why}; tables of dead letters are left as they are")


def window_condition(spark: SparkSession, run: Run) -> Optional[str]:
    """The rows of the run's window, in SQL; None for the whole table."""
    if run.window is None:
        return None
    column, start, end = run.window.column, run.window.start, run.window.end
    fields = {field.name: field.dataType.simpleString() for field in spark.table(run.name_of(run.table)).schema}
    kind = fields.get(column)
    if kind is None:
        refuse(f"window-column: {run.table} has no column {column!r}; it has {', '.join(sorted(fields))}")
    form = {"date": ("DATE", "%Y-%m-%d"), "timestamp_ntz": ("TIMESTAMP_NTZ", "%Y-%m-%d %H:%M:%S")}
    word, pattern = form.get(kind, ("TIMESTAMP", "%Y-%m-%d %H:%M:%S"))
    low, high = (f"{word} '{time.strftime(pattern)}'" for time in (start, end))
    return f"{quoted(column)} >= {low} AND {quoted(column)} < {high}"
