"""
Reads a table by its metadata with pyiceberg. Standard input says what to do: {"properties": {…}, "location": URI of the metadata}.
Prints JSON: {"location": URI of the table, "files": [URI, …], "positions": [[Kafka partition, offset, index], …]}, both sorted.
"""

import json
import sys

from pyiceberg.table import StaticTable

request = json.load(sys.stdin)
table = StaticTable.from_metadata(request["location"], request["properties"])
scan = table.scan(selected_fields=("_kafka_partition", "_offset", "_index"))
rows = scan.to_arrow()
positions = zip(*(rows.column(name).to_pylist() for name in ("_kafka_partition", "_offset", "_index")))
files = sorted(task.file.file_path for task in scan.plan_files())
print(json.dumps({"location": table.location(), "files": files, "positions": sorted(positions)}))
