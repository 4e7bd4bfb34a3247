"""Values of Arrow as the tests' JSON has them: see `jsonOf` in test/helpers/stored.ts."""

import decimal
import math
import struct

import pyarrow as pa

decimal.getcontext().prec = 100


def stored(scalar):
    """A value as the JSON has it; floating point stays what it is."""
    if not scalar.is_valid:
        return None
    kind = scalar.type
    if pa.types.is_boolean(kind) or pa.types.is_int32(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return scalar.as_py()
    if pa.types.is_floating(kind):
        return scalar.as_py()
    if pa.types.is_int64(kind):
        return str(scalar.as_py())
    if pa.types.is_date32(kind):
        return scalar.value
    if pa.types.is_timestamp(kind):
        return str(scalar.value)
    if pa.types.is_decimal(kind):
        return str(int(scalar.as_py().scaleb(kind.scale)))
    if isinstance(kind, pa.UuidType):
        return scalar.value.as_py().hex()
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return scalar.as_py().hex()
    if pa.types.is_map(kind):
        return [[stored(entry["key"]), stored(entry["value"])] for entry in scalar.values]
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [stored(item) for item in scalar.values]
    if pa.types.is_struct(kind):
        return {field.name: stored(scalar[field.name]) for field in kind}
    raise TypeError(f"nobody expected {kind}")


def same(actual, expected):
    if isinstance(actual, float):
        number = float(expected)
        if math.isnan(number):
            return math.isnan(actual)
        return struct.pack("<d", actual) == struct.pack("<d", number)
    if isinstance(actual, list):
        return isinstance(expected, list) and len(actual) == len(expected) and all(map(same, actual, expected))
    if isinstance(actual, dict):
        return isinstance(expected, dict) and actual.keys() == expected.keys() and all(same(actual[key], expected[key]) for key in actual)
    return type(actual) is type(expected) and actual == expected
