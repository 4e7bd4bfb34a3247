"""What the model is asked, in what columns: declaration.json, which the commands of this project read too."""

import json
from pathlib import Path

_DECLARATION = json.loads(Path(__file__).with_name("declaration.json").read_text())

ENDPOINT: str = _DECLARATION["endpoint"]
# Columns of a row, in the order in which `scores` of the pipeline sends them.
FEATURES: tuple[str, ...] = tuple(_DECLARATION["features"])
TARGET: str = _DECLARATION["target"]
LATE_ABOVE_MINUTES: int = _DECLARATION["lateAboveMinutes"]
