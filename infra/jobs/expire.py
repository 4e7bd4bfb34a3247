"""
Lets go of what a table needs no more: snapshots beyond an age, with the files that only they have; and files that writers like
Spark have left behind when they died.

What Inlet has written and no snapshot names is not touched, however old it is: a commit of the log may name it that the table has
not taken yet. `inlet vacuum` knows which of these can go. Marks and the log lie outside of the table.
"""

import argparse
import json
import re
from datetime import datetime, timedelta, timezone

from lake_job import Run, positive, read_run, refuse, require_rows_table, spark_of
from pyspark.sql import SparkSession

# A commit may wait for its snapshot, and a writer be at work, for three days (alarms tell of one).
LEAST_DAYS = 4

# Names that Inlet gives (shared/lake/log-keys.ts, shared/lake/iceberg/metadata-names.ts and the catalogs beside it).
UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
OWN_NAMES = re.compile(
    rf"[0-9a-f]{{12}}-(c\d+|a\d+\.\d+)-{UUID}-\d+\.(parquet|jsonl\.gz|jsonl\.zst)"
    rf"|inlet-\d+-{UUID}-(m\d+|list)\.avro"
    r"|v\d+\.metadata\.json|version-hint\.text"
    rf"|\d+-{UUID}\.metadata\.json"
)


def describe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep-days", type=positive, default=5, help="snapshots that are younger stay")
    parser.add_argument("--retain-last", type=positive, default=10, help="so many snapshots stay, however old they are")
    parser.add_argument("--orphan-days", type=positive, default=7, help="files without a snapshot that are younger stay")


def timestamp(time: datetime) -> str:
    return f"TIMESTAMP '{time.strftime('%Y-%m-%d %H:%M:%S')}'"


def require_no_open_rollback(spark: SparkSession, run: Run) -> None:
    """
    After a roll-back the log's entries are taken anew, with the files that the undone snapshots had. Until then nobody but these
    snapshots names the files.
    """
    name = run.name_of(run.table)
    snapshots = {row["snapshot_id"]: row for row in spark.sql(f"SELECT * FROM {name}.snapshots").collect()}
    heads = {row["name"]: row["snapshot_id"] for row in spark.sql(f"SELECT name, snapshot_id FROM {name}.refs").collect()}
    current = snapshots.get(heads.get("main"))
    if current is None:
        return
    for head in heads.values():
        while head in snapshots:
            head = snapshots.pop(head)["parent_id"]
    if any(undone["committed_at"] >= current["committed_at"] for undone in snapshots.values()):
        refuse(f'{run.table} was rolled back, and nothing was committed since: run "inlet table commit {run.pipeline}" first')


def expire_snapshots(spark: SparkSession, run: Run, now: datetime) -> dict:
    before = timestamp(now - timedelta(days=run.options.keep_days))
    [row] = spark.sql(
        f"CALL lake.system.expire_snapshots(table => {run.procedure_name_of(run.table)}, older_than => {before}, "
        f"retain_last => {run.options.retain_last}, stream_results => true)"
    ).collect()
    kinds = ("data", "position_delete", "equality_delete")
    return {
        "data files deleted": sum(row[f"deleted_{kind}_files_count"] for kind in kinds),
        "manifests deleted": row["deleted_manifest_files_count"] + row["deleted_manifest_lists_count"],
    }


def remove_orphans(spark: SparkSession, run: Run, now: datetime) -> dict:
    """Looks first, and leaves out what is Inlet's; then these very files are judged again, by what the table is by then."""
    before = now - timedelta(days=run.options.orphan_days)
    call = f"CALL lake.system.remove_orphan_files(table => {run.procedure_name_of(run.table)}, older_than => {timestamp(before)}"
    by_prefix = ", prefix_listing => true" if run.lake.startswith("s3:") else ""
    found = [row["orphan_file_location"] for row in spark.sql(f"{call}, dry_run => true{by_prefix})").collect()]
    deleted = []
    strangers = [name for name in found if OWN_NAMES.fullmatch(name.rsplit("/", 1)[-1]) is None]
    if strangers:
        # They were all older, or they would not have been found.
        modified = before - timedelta(days=1)
        # Those that do not begin like the table's location are passed over: Hadoop lists file:///a as file:/a.
        rows = [(re.sub(r"^file:/(?!/)", "file:///", name), modified) for name in strangers]
        spark.createDataFrame(rows, "file_path string, last_modified timestamp").createOrReplaceTempView("strangers")
        deleted = spark.sql(f"{call}, file_list_view => 'strangers')").collect()
    return {"orphans deleted": len(deleted), "files of Inlet's left": len(found) - len(strangers)}


def main() -> None:
    run = read_run(describe)
    require_rows_table(run, "is not expired")
    if run.options.orphan_days < LEAST_DAYS:
        refuse(f"orphan-days: at least {LEAST_DAYS}, as a writer may be at work, or a commit wait, for less")
    spark = spark_of(run)
    require_no_open_rollback(spark, run)
    now = datetime.now(timezone.utc)
    done = expire_snapshots(spark, run, now)
    print(json.dumps({**done, **remove_orphans(spark, run, now)}), flush=True)


if __name__ == "__main__":
    main()
