"""Learns from flights that have arrived, and says how good that is on later flights that it has not seen."""

import csv
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .declaration import FEATURES, LATE_ABOVE_MINUTES, TARGET, TIME
from .features import departure_delay, local_day, weighed
from .model import Model

# How little is believed of what few flights say. Chosen on April after training on January to March.
_REGULARISATION = 0.05
# Of the days; the latest are held out.
_HELD_OUT_SHARE = 4

Row = Sequence[str]


def train(channel: Path, model_folder: Path) -> Model:
    """Reads the CSV files of a channel, with a header, and writes the model. The same flights give the same one in whatever order.

    Raises ValueError when they do not hold what can be learned from.
    """
    rows, is_late = _examples(channel)
    days = [local_day(row[FEATURES.index(TIME)]) for row in rows]
    first, last = min(days), max(days)
    # A month has its last week held out, a year its last quarter.
    cut = last + 1 - max(1, (last + 1 - first) // _HELD_OUT_SHARE)
    learn = [i for i, day in enumerate(days) if day < cut]
    held_out = [i for i, day in enumerate(days) if day >= cut]
    for name, some in (("before", learn), ("after", held_out)):
        if len({is_late[i] for i in some}) < 2:
            raise ValueError(f"the flights {name} the cut are all late or all in time, or there are none")
    _say(f"learning from {len(learn)} flights of {cut - first} days; {len(held_out)} of the last {last + 1 - cut} are held out")
    began = time.monotonic()
    intercept, weights, expected = _fit([rows[i] for i in learn], [is_late[i] for i in learn], [rows[i] for i in held_out])
    _say(f"learned {len(weights)} weights in {time.monotonic() - began:.1f} s")
    model = Model(intercept, weights, {})
    predicted = [model.probability(rows[i]) for i in held_out]
    # What is saved has to be what was learned.
    if max(abs(ours - theirs) for ours, theirs in zip(predicted, expected, strict=True)) > 1e-9:
        raise ValueError("the weights do not predict what scikit-learn predicts")
    delays = [departure_delay(rows[i]) for i in held_out]
    model.metrics = {
        **_metrics([is_late[i] for i in held_out], predicted, delays, [is_late[i] for i in learn]),
        "flights": {"learned": len(learn), "heldOut": len(held_out)},
        "days": {"learned": cut - first, "heldOut": last + 1 - cut},
    }
    model.save(model_folder)
    return model


def _examples(channel: Path) -> tuple[list[Row], list[bool]]:
    examples: list[tuple[Row, bool]] = []
    columns = (*FEATURES, TARGET)
    for file in sorted(channel.glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as lines:
            reader = csv.DictReader(lines)
            if missing := [column for column in columns if column not in (reader.fieldnames or ())]:
                raise ValueError(f"{file}: no column {', '.join(missing)}")
            for row in reader:
                examples.append(([row[column] for column in FEATURES], float(row[TARGET]) > LATE_ABOVE_MINUTES))
    if not examples:
        raise ValueError(f"{channel}: no flights in files of CSV")
    # Sums are rounded otherwise in another order, and a lake has its rows in any.
    examples.sort()
    return [row for row, _ in examples], [late for _, late in examples]


def _fit(rows: list[Row], is_late: list[bool], unseen: list[Row]) -> tuple[float, dict[str, float], list[float]]:
    # Serving does without these: they take seconds to load.
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = DictVectorizer()
    regression = LogisticRegression(C=_REGULARISATION, max_iter=2000)
    regression.fit(vectors.fit_transform(dict(weighed(row)) for row in rows), is_late)
    weights = dict(zip(vectors.get_feature_names_out().tolist(), regression.coef_[0].tolist(), strict=True))
    probabilities = regression.predict_proba(vectors.transform(dict(weighed(row)) for row in unseen))[:, 1]
    return float(regression.intercept_[0]), weights, probabilities.tolist()


def _metrics(is_late: list[bool], predicted: list[float], delays: list[float], seen: list[bool]) -> dict[str, Any]:
    """Of the held-out flights. The baselines are what one has without a model: the departure delay, and the share of late flights."""
    from sklearn.metrics import log_loss, roc_auc_score

    share = sum(seen) / len(seen)
    return {
        "auc": roc_auc_score(is_late, predicted),
        "aucOfDepartureDelay": roc_auc_score(is_late, delays),
        "logLoss": log_loss(is_late, predicted),
        "logLossOfBaseRate": log_loss(is_late, [share] * len(is_late)),
        "lateShare": sum(is_late) / len(is_late),
    }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
