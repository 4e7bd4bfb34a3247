"""
Reads a table by its metadata with pyiceberg. Standard input says what to do: {"properties": {…}, "location": URI}. Prints JSON: the
values of the column n in ascending order.
"""

import json
import sys

from pyiceberg.table import StaticTable

request = json.load(sys.stdin)
table = StaticTable.from_metadata(request["location"], request["properties"])
print(json.dumps(sorted(table.scan().to_arrow().column("n").to_pylist())))
