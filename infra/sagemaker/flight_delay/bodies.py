"""Bodies of requests and answers (Amazon SageMaker Developer Guide, "Common data formats for inference")."""

import csv
import io
import json
from collections.abc import Sequence

from .declaration import FEATURES

CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
ALL = (CSV, JSON, JSON_LINES)


def rows_of(content_type: str, body: bytes) -> list[Sequence[object]]:
    """One list of values for each row. Raises ValueError, which says what is wrong and where."""
    text = body.decode("utf-8")
    if content_type == CSV:
        rows: list[object] = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    elif content_type == JSON:
        rows = _instances(json.loads(text))
    else:
        rows = [json.loads(line) for line in text.split("\n") if line.strip() != ""]
    return [_values(number, row) for number, row in enumerate(rows, 1)]


def answer_of(accept: str, predictions: Sequence[float]) -> bytes:
    """One prediction for each row, in their order. A number's text is the shortest that gives the same bits."""
    if accept == JSON:
        return json.dumps({"predictions": predictions}).encode()
    return "".join(f"{prediction!r}\n" for prediction in predictions).encode()


def _instances(content: object) -> list[object]:
    instances = content.get("instances") if isinstance(content, dict) else content
    if isinstance(instances, list):
        return instances
    raise ValueError('expected a list, or an object that has one as "instances"')


def _values(number: int, row: object) -> Sequence[object]:
    if isinstance(row, dict):
        row = [row.get(column) for column in FEATURES]
    if isinstance(row, list) and len(row) == len(FEATURES):
        return row
    raise ValueError(f"row {number}: expected {', '.join(FEATURES)}")
