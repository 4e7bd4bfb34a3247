"""
Reads a table of Glue's with pyiceberg, and adds rows to it. Standard input says what to do:
{"properties": {…}, "table": "database.name", "append": [{column: value, …}, …]}. Prints JSON: the values of the column n before
and after, in ascending order, and the operations of the snapshots.
"""

import json
import sys

import pyarrow as pa
from pyiceberg.catalog.glue import GlueCatalog

request = json.load(sys.stdin)
catalog = GlueCatalog("glue", **request["properties"])
table = catalog.load_table(request["table"])


def values():
    return sorted(table.scan().to_arrow().column("n").to_pylist())


before = values()
table.append(pa.Table.from_pylist(request["append"], schema=table.schema().as_arrow()))
table = catalog.load_table(request["table"])
operations = [snapshot.summary.operation.value for snapshot in table.metadata.snapshots]
print(json.dumps({"before": before, "after": values(), "operations": operations}))
