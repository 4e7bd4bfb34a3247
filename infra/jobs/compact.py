"""
Compacts the window that a run is for, or the whole table: many small files become few of the target size, in an order that
lets queries skip what they do not ask for. Then the manifests are brought together.

All that is rewritten becomes visible in one commit. Who appends meanwhile is not disturbed, and nothing that was appended is
lost: the commit replaces the files that were read, and no others. A run that dies leaves the table as it was. Files that were
replaced stay until the job `expire` finds that no snapshot needs them.
"""

import argparse
import json

from lake_job import Run, literal, positive, quoted, read_run, refuse, require_rows_table, spark_of, window_condition
from pyspark.sql import SparkSession

MEGABYTE = 1024 * 1024


def describe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target-mb", type=positive, default=128, help="size of the files to be, in MiB")
    parser.add_argument("--min-files", type=positive, default=2, help="small files of a partition that are worth it")
    parser.add_argument("--sort", default="", help="columns, as in ORDER BY; the window's column unless given")


def sort_order(spark: SparkSession, run: Run) -> str:
    if run.options.sort:
        return run.options.sort
    columns = [field.name for field in spark.table(run.name_of(run.table)).schema]
    first = [run.window.column] if run.window is not None else []
    order = [name for name in (*first, "_timestamp") if name in columns]
    if not order:
        refuse(f"{run.table} has no column that it could be sorted by; say which (--sort)")
    return ", ".join(f"{quoted(name)} ASC NULLS LAST" for name in order)


def rewrite_data_files(spark: SparkSession, run: Run) -> dict:
    options = {
        "target-file-size-bytes": run.options.target_mb * MEGABYTE,
        "min-input-files": run.options.min_files,
        # All or nothing: a reader never finds a window half done.
        "partial-progress.enabled": "false",
    }
    listed = ", ".join(f"{literal(name)}, {literal(str(value))}" for name, value in options.items())
    condition = window_condition(spark, run)
    where = "" if condition is None else f", where => {literal(condition)}"
    [row] = spark.sql(
        f"CALL lake.system.rewrite_data_files(table => {run.procedure_name_of(run.table)}, strategy => 'sort', "
        f"sort_order => {literal(sort_order(spark, run))}, options => map({listed}){where})"
    ).collect()
    return {"files before": row["rewritten_data_files_count"], "files after": row["added_data_files_count"]}


def rewrite_manifests(spark: SparkSession, run: Run) -> dict:
    [row] = spark.sql(f"CALL lake.system.rewrite_manifests(table => {run.procedure_name_of(run.table)})").collect()
    return {"manifests before": row["rewritten_manifests_count"], "manifests after": row["added_manifests_count"]}


def main() -> None:
    run = read_run(describe)
    require_rows_table(run, "is not compacted")
    spark = spark_of(run)
    done = rewrite_data_files(spark, run)
    print(json.dumps({**done, **rewrite_manifests(spark, run)}), flush=True)


if __name__ == "__main__":
    main()
