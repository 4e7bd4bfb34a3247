"""
Reads an Iceberg table with pyiceberg, and adds rows to it. Standard input says what to do: {"metadata": URI, "columns": […],
"append": [[…], …], "folder": …}: with "append", rows of these columns (times in microseconds since 1970) are added first, by a
catalog in the folder. Prints JSON: {"metadata": URI, "count": n, "rows": [[…], …]}.
"""

import json
import sys

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.table import StaticTable

request = json.load(sys.stdin)


def appended(metadata, folder, columns, rows):
    catalog = SqlCatalog("test", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("test")
    table = catalog.register_table("test.table", metadata)
    schema = schema_to_pyarrow(table.schema())
    arrays = [pa.array(values, schema.field(name).type) for name, values in zip(columns, zip(*rows))]
    table.append(pa.Table.from_arrays(arrays, schema=pa.schema([schema.field(name) for name in columns])))
    return table.metadata_location


metadata, columns = request["metadata"], request["columns"]
if "append" in request:
    metadata = appended(metadata, request["folder"], columns, request["append"])
scan = StaticTable.from_metadata(metadata).scan(selected_fields=tuple(columns))
found = scan.to_arrow()
rows = [list(row) for row in zip(*(found.column(name).to_pylist() for name in columns))]
print(json.dumps({"metadata": metadata, "count": scan.count(), "rows": rows}, default=str))
