"""A logistic regression as its weights: a file of JSON that runs nothing when it is read, and needs no library to predict."""

import hashlib
import json
import math
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .features import weighed

FILE = "model.json"
ARCHIVE = "model.tar.gz"
_FORMAT = 1


class Model:
    """Gives the probability that a flight arrives late. The same columns give the same bits, whatever stands beside them."""

    def __init__(self, intercept: float, weights: Mapping[str, float], metrics: Mapping[str, Any]) -> None:
        self.intercept = intercept
        self.weights = dict(weights)
        self.metrics = metrics
        learned = json.dumps([intercept, sorted(self.weights.items())])
        self.version = f"flight-delay-{hashlib.sha256(learned.encode()).hexdigest()[:12]}"

    def probability(self, values: Sequence[object]) -> float:
        """values: the columns of FEATURES. Raises ValueError. What was never seen in training has no weight."""
        weights = self.weights
        odds = self.intercept
        for name, value in weighed(values):
            odds += weights.get(name, 0.0) * value
        if odds >= 0:
            return 1 / (1 + math.exp(-odds))
        power = math.exp(odds)
        return power / (1 + power)

    def save(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        content = {
            "format": _FORMAT,
            "version": self.version,
            "metrics": self.metrics,
            "intercept": self.intercept,
            "weights": self.weights,
        }
        # A server that starts meanwhile reads the old one or the new one.
        making = folder / f".{FILE}.making"
        making.write_text(json.dumps(content, indent=1))
        return making.replace(folder / FILE)

    @staticmethod
    def load(folder: Path) -> "Model":
        """Raises ValueError for a file that is of another format, OSError where there is none."""
        content = json.loads((folder / FILE).read_text())
        if content.get("format") != _FORMAT:
            raise ValueError(f"{folder / FILE}: format {content.get('format')}, and {_FORMAT} is known here")
        model = Model(content["intercept"], content["weights"], content["metrics"])
        if model.version != content["version"]:
            raise ValueError(f"{folder / FILE}: its weights are not those of its version {content['version']}")
        return model


def archive(folder: Path, file: Path) -> Path:
    """Packs a saved model as SageMaker has it in S3 and lays it out for a container."""
    with tarfile.open(file, "w:gz") as packed:
        packed.add(folder / FILE, FILE)
    return file
