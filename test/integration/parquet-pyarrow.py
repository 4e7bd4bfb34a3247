"""
Reads every NAME.parquet of a directory with pyarrow and polars and compares it with NAME.json, which says what it must
hold: {"columns": [{"name", "type", "nullable"}], "metadata": {…}, "rows": [[…], …]}. 64-bit integers, times, decimals
(unscaled) and floating point are text there, bytes hexadecimal, maps lists of pairs. Prints JSON: how many values were
compared, and every difference.
"""

import json
import pathlib
import sys

import polars
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from arrow_values import same, stored

compared = 0
differences = []


def differ(*what):
    differences.append(" ".join(str(part) for part in what)[:500])


def compare_values(reader, name, table, expected, columns):
    """Compares the columns that are asked for, value by value."""
    global compared
    for i, column in enumerate(expected["columns"]):
        if column["name"] not in columns:
            continue
        values = [stored(value) for value in table.column(column["name"])]
        wanted = [row[i] for row in expected["rows"]]
        if len(values) != len(wanted):
            differ(reader, name, column["name"], "has", len(values), "values, not", len(wanted))
        for row, (actual, want) in enumerate(zip(values, wanted)):
            compared += 1
            if not same(actual, want):
                differ(reader, name, column["name"], "row", row, "is", actual, "and should be", want)


def type_text(kind):
    """As Arrow writes it, but for maps, which it writes without their nullability and in one way or another."""
    if pa.types.is_map(kind):
        return f"map<{type_text(kind.key_type)}, {type_text(kind.item_type)}{'' if kind.item_field.nullable else ' not null'}>"
    if pa.types.is_list(kind):
        return f"list<{field_text(kind.value_field)}>"
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(map(field_text, kind))}>"
    return str(kind)


def field_text(field):
    return f"{field.name}: {type_text(field.type)}{'' if field.nullable else ' not null'}"


def compare_types(name, schema, expected):
    for field, column in zip(schema, expected["columns"], strict=True):
        found = (field.name, type_text(field.type), field.nullable)
        wanted = (column["name"], column["type"], column["nullable"])
        if found != wanted:
            differ(name, "has the column", found, "and should have", wanted)


def compare_statistics(name, file, table):
    """Bounds are those of the values, or beyond them where long ones are cut; nulls are counted."""
    global compared
    metadata = file.metadata
    for group in range(metadata.num_row_groups):
        for i in range(metadata.num_columns):
            chunk = metadata.row_group(group).column(i)
            if "." in chunk.path_in_schema or chunk.statistics is None:
                continue
            column = table.column(chunk.path_in_schema)
            kind = column.type
            if chunk.statistics.null_count != column.null_count:
                differ(name, chunk.path_in_schema, "has", chunk.statistics.null_count, "nulls in its statistics")
            if isinstance(kind, pa.UuidType) or not chunk.statistics.has_min_max:
                continue
            is_time = pa.types.is_timestamp(kind)
            # A datetime of Python's ends with the year 9999.
            bounds = pc.min_max(column.cast(pa.int64()) if is_time else column).as_py()
            statistics = chunk.statistics
            low, high = (statistics.min_raw, statistics.max_raw) if is_time else (statistics.min, statistics.max)
            exact = not (pa.types.is_string(kind) or pa.types.is_binary(kind))
            least, greatest = bounds["min"], bounds["max"]
            right = (low, high) == (least, greatest) if exact else below(low, least) and below(greatest, high)
            compared += 1
            if not right:
                differ(name, chunk.path_in_schema, "has the bounds", low, high, "of", bounds)


def below(a, b):
    as_bytes = [part.encode() if isinstance(part, str) else part for part in (a, b)]
    return as_bytes[0] <= as_bytes[1]


def has_map(kind):
    if pa.types.is_map(kind):
        return True
    return any(has_map(kind.field(i).type) for i in range(kind.num_fields)) if pa.types.is_nested(kind) else False


for path in sorted(pathlib.Path(sys.argv[1]).glob("*.parquet")):
    expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
    file = pq.ParquetFile(path)
    table = file.read()
    compare_types(path.name, table.schema, expected)
    found = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
    if found != expected["metadata"]:
        differ(path.name, "has the metadata", found)
    names = [column["name"] for column in expected["columns"]]
    compare_values("pyarrow", path.name, table, expected, names)
    compare_statistics(path.name, file, table)
    # Polars has no maps; it makes lists of structs of them, which Arrow then shows.
    without_maps = [name for name in names if not has_map(table.schema.field(name).type)]
    compare_values("polars", path.name, polars.read_parquet(path, columns=without_maps).to_arrow(), expected, without_maps)

json.dump({"compared": compared, "differences": differences}, sys.stdout)
