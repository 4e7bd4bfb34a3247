"""
Appends 50 rows to an Iceberg table with pyiceberg: METADATA FOLDER FIRST, where the catalog goes into the folder and the rows count
on from FIRST. Prints the location of the new metadata.
"""

import sys

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.io.pyarrow import schema_to_pyarrow

metadata, folder, first = sys.argv[1], sys.argv[2], int(sys.argv[3])
catalog = SqlCatalog("test", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
catalog.create_namespace("test")
table = catalog.register_table("test.table", metadata)
numbers = range(50)
columns = {
    "n": [first + i for i in numbers],
    "name": [None if i % 3 == 0 else f"name {i}" for i in numbers],
    "l": [[i, None] for i in numbers],
    "_epoch": [0 for _ in numbers],
    "_kafka_partition": [0 for _ in numbers],
    "_offset": [first + i for i in numbers],
    "_index": [0 for _ in numbers],
    "_timestamp": [0 for _ in numbers],
}
table.append(pa.Table.from_pydict(columns, schema=schema_to_pyarrow(table.schema())))
print(table.metadata_location)
