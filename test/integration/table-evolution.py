"""Reads a table with pyiceberg: argv[1] is its metadata, the others are filters. Prints offsets for each, and the labels."""
import json
import sys

from pyiceberg.table import StaticTable

table = StaticTable.from_metadata(sys.argv[1])
rows = table.scan().to_arrow().sort_by("_offset").to_pylist()
kept = {where: sorted(table.scan(row_filter=where).to_arrow()["_offset"].to_pylist()) for where in sys.argv[2:]}
columns = ["id", "ratio", "label", "zone", "place", "tags"]
print(json.dumps({"rows": [{name: row[name] for name in columns} for row in rows], "kept": kept}))
