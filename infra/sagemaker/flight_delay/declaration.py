"""What the model is asked, in what columns: declaration.json, which the commands of this project read too."""

import json
from importlib.resources import files

# As a resource of the package, which a job has in a zip.
_DECLARATION = json.loads(files(__package__).joinpath("declaration.json").read_text(encoding="utf-8"))

PIPELINE: str = _DECLARATION["pipeline"]
ENDPOINT: str = _DECLARATION["endpoint"]
# Columns of a row, in the order in which `scores` of the pipeline sends them.
FEATURES: tuple[str, ...] = tuple(_DECLARATION["features"])
# The one among them by which days are told apart.
TIME: str = _DECLARATION["time"]
TARGET: str = _DECLARATION["target"]
LATE_ABOVE_MINUTES: int = _DECLARATION["lateAboveMinutes"]
