"""
Reads Iceberg tables with pyiceberg and compares them with what they must hold. Standard input says what to do:
{"tables": [{"location": …, "columns": […], "rows": [[…], …], "snapshots": {id: rows}, "filtered": […]}]}: the rows are in the order
of _offset, with values as in arrow_values.py; "properties" say how pyiceberg reads files. By each column of "filtered", every value is looked for: no row may be missing,
whatever files are left out. Prints JSON: what was compared, every difference, and how many files the filters left over.
"""

import json
import math
import sys

import pyarrow as pa
from arrow_values import same, stored
from pyiceberg.expressions import EqualTo, IsNaN, IsNull
from pyiceberg.table import StaticTable

compared = 0
differences = []
planned = {"files": 0, "of": 0, "filters": 0}


def differ(*what):
    differences.append(" ".join(str(part) for part in what)[:500])


def has_structs(kind):
    """A list or a map of structs: pyiceberg 0.12 shows null as empty there, in files that it has written itself, too."""
    if pa.types.is_map(kind):
        return pa.types.is_struct(kind.item_type)
    return (pa.types.is_list(kind) or pa.types.is_large_list(kind)) and pa.types.is_struct(kind.value_type)


def compare_rows(location, rows, columns, expected):
    global compared
    rows = rows.sort_by("_offset")
    if rows.num_rows != len(expected):
        differ(location, "has", rows.num_rows, "rows, not", len(expected))
        return
    for i, name in enumerate(columns):
        for row, value in enumerate(rows.column(name)):
            compared += 1
            if expected[row][i] is None and has_structs(value.type):
                continue
            if not same(stored(value), expected[row][i]):
                differ(location, name, "row", row, "is", stored(value), "and should be", expected[row][i])


def is_nan(value):
    return isinstance(value, float) and math.isnan(value)


def python_value(scalar):
    """A value that a filter of pyiceberg takes: instants as text, which has all their digits."""
    kind = scalar.type
    if not scalar.is_valid or not pa.types.is_timestamp(kind):
        return scalar.as_py()
    moment = scalar.as_py()
    return moment.strftime("%Y").rjust(4, "0") + moment.isoformat()[4:] if moment.year < 1000 else moment.isoformat()


def filter_for(name, value):
    if value is None:
        return IsNull(name)
    return IsNaN(name) if is_nan(value) else EqualTo(name, value)


def compare_filters(table, rows, name):
    """Every value of a column is found again by a filter, as often as it is there."""
    global compared
    total = len(list(table.scan().plan_files()))
    values = [python_value(value) for value in rows.column(name)]
    for value in dict.fromkeys("nan" if is_nan(value) else value for value in values):
        # To pyiceberg 0.12 an infinity is beyond every float.
        if value in (math.inf, -math.inf) and pa.types.is_float32(rows.column(name).type):
            continue
        wanted = math.nan if value == "nan" else value
        scan = table.scan(row_filter=filter_for(name, wanted), selected_fields=("_offset", name))
        found = scan.to_arrow().num_rows
        count = sum(is_nan(other) if value == "nan" else other == wanted for other in values)
        compared += 1
        planned["filters"] += 1
        planned["files"] += len(list(scan.plan_files()))
        planned["of"] += total
        if found != count:
            differ(table.location(), name, "=", repr(value)[:60], "finds", found, "rows of", count)


asked = json.load(sys.stdin)
for request in asked["tables"]:
    table = StaticTable.from_metadata(request["location"], asked.get("properties", {}))
    rows = table.scan().to_arrow()
    compare_rows(request["location"], rows, request["columns"], request["rows"])
    for snapshot, count in request["snapshots"].items():
        found = table.scan(snapshot_id=int(snapshot)).to_arrow().num_rows
        compared += 1
        if found != count:
            differ(request["location"], "had", found, "rows in snapshot", snapshot, "not", count)
    for name in request["filtered"]:
        compare_filters(table, rows, name)

json.dump({"compared": compared, "differences": differences, "planned": planned}, sys.stdout)
