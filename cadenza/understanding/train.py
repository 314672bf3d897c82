"""Train and measure the heads on our own corpus: ``python -m cadenza.understanding.train [--report]``.

Situations are kept together in the folds, so that no held-out text has a twin in training.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import GroupKFold

from cadenza.understanding.contracts import Reply, ThreadMessage
from cadenza.understanding.heads import HEADS, features
from cadenza.understanding.reading import read

Matrix = NDArray[np.float64]
_FOLDS = 10
_STRENGTH = {"intent": 16.0, "interest": 3.0, "urgency": 3.0}
_RIDGE = 1.0
_SEED = 20261123
_RECEIVED = "2026-11-23T09:00:00+01:00"


@dataclass(frozen=True, slots=True)
class Sample:
    """One labelled text of the corpus."""

    reply: Reply
    labels: dict[str, Any]
    situation: str


def load_corpus(path: Path | None = None) -> list[Sample]:
    """The corpus of the package, or another file of the same shape."""
    source = (
        path.read_text("utf-8")
        if path
        else files("cadenza.understanding").joinpath("data/corpus.jsonl").read_text("utf-8")
    )
    return [_sample(json.loads(line)) for line in source.splitlines() if line.strip()]


def _sample(row: dict[str, Any]) -> Sample:
    thread = tuple(ThreadMessage(message["by"], message["text"]) for message in row.get("thread", []))
    reply = Reply(
        id=row["id"], raw_body=row["raw_body"], received_at=datetime.fromisoformat(_RECEIVED), thread=thread
    )
    return Sample(reply, row, row["situation"])


def matrix(samples: Iterable[Sample]) -> Matrix:
    return np.stack([features(read(sample.reply)) for sample in samples]).astype(np.float64)


def _classifier(head: str) -> LogisticRegression:
    return LogisticRegression(C=_STRENGTH[head], max_iter=2_000, random_state=_SEED)


def held_out_logits(
    head: str, inputs: Matrix, labels: list[str], groups: list[str]
) -> tuple[Matrix, list[str]]:
    """Logits of each text from a head that saw no text of its situation."""
    names = sorted(set(labels))
    logits = np.full((len(labels), len(names)), -20.0)
    for train, test in GroupKFold(_FOLDS).split(inputs, labels, groups):
        model = _classifier(head).fit(inputs[train], [labels[place] for place in train])
        columns = [names.index(name) for name in model.classes_]
        logits[np.ix_(test, columns)] = model.decision_function(inputs[test])
    return logits, names


def softmax(logits: Matrix) -> Matrix:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    result: Matrix = weights / weights.sum(axis=1, keepdims=True)
    return result


def best_temperature(logits: Matrix, truth: list[int]) -> float:
    """The temperature with the least negative log likelihood, of 0.3 to 3.0."""
    candidates = np.arange(0.3, 3.0, 0.02)
    losses = [-np.log(softmax(logits / t)[range(len(truth)), truth] + 1e-12).mean() for t in candidates]
    return float(candidates[int(np.argmin(losses))])


def calibration_error(confidence: Matrix, right: Matrix, bins: int = 10) -> float:
    """Expected calibration error: mean gap of confidence and share right over equal-width bins, by size."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[places == number].mean() - right[places == number].mean()) * (places == number).mean()
        for number in range(bins)
        if (places == number).any()
    ]
    return float(sum(gaps))


def train(samples: list[Sample]) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The arrays of the artefact and the held-out figures by head."""
    inputs = matrix(samples)
    groups = [sample.situation for sample in samples]
    arrays: dict[str, Any] = {}
    figures: dict[str, dict[str, float]] = {}
    for head in HEADS:
        labels = [str(sample.labels[head]) for sample in samples]
        logits, names = held_out_logits(head, inputs, labels, groups)
        temperature = best_temperature(logits, [names.index(label) for label in labels])
        probabilities = softmax(logits / temperature)
        figures[head] = _figures(probabilities, names, labels)
        if head == "intent":
            figures |= _slices(samples, probabilities, names, labels)
        model = _classifier(head).fit(inputs, labels)
        arrays |= _head_arrays(head, model, temperature)
    tones = np.array([float(sample.labels["sentiment"]) for sample in samples])
    figures["sentiment"] = _sentiment_figures(inputs, tones, groups)
    ridge = Ridge(alpha=_RIDGE).fit(inputs, tones)
    arrays["sentiment_weights"] = ridge.coef_.astype(np.float32)
    arrays["sentiment_bias"] = np.float32(ridge.intercept_)
    return arrays, figures


def _head_arrays(head: str, model: LogisticRegression, temperature: float) -> dict[str, Any]:
    return {
        f"{head}_labels": np.array([str(name) for name in model.classes_]),
        f"{head}_weights": model.coef_.T.astype(np.float32),
        f"{head}_bias": model.intercept_.astype(np.float32),
        f"{head}_temperature": np.float32(temperature),
    }


def _figures(probabilities: Matrix, names: list[str], labels: list[str]) -> dict[str, float]:
    predicted = [names[place] for place in probabilities.argmax(axis=1)]
    right = np.array([a == b for a, b in zip(predicted, labels, strict=True)], dtype=float)
    confidence = probabilities.max(axis=1)
    sure = confidence >= 0.5
    return {
        "texts": float(len(labels)),
        "accuracy": float(accuracy_score(labels, predicted)),
        "macro_f1": float(f1_score(labels, predicted, average="macro")),
        "calibration_error": calibration_error(confidence, right),
        "share_sure": float(sure.mean()),
        "accuracy_when_sure": float(right[sure].mean()) if sure.any() else 0.0,
    }


def _slices(
    samples: list[Sample], probabilities: Matrix, names: list[str], labels: list[str]
) -> dict[str, dict[str, float]]:
    """Intent on the texts written later and without looking at the cues, and by language."""
    right = np.array(
        [names[best] == label for best, label in zip(probabilities.argmax(axis=1), labels, strict=True)]
    )
    hard = np.array([bool(sample.labels.get("hard")) for sample in samples])
    slices = {"intent_hard_texts": _share(right[hard], probabilities.max(axis=1)[hard])} if hard.any() else {}
    for language in sorted({str(sample.labels["language"]) for sample in samples}):
        chosen = np.array([sample.labels["language"] == language for sample in samples])
        slices[f"intent_{language}"] = _share(right[chosen], probabilities.max(axis=1)[chosen])
    return slices


def _share(right: NDArray[np.bool_], confidence: Matrix) -> dict[str, float]:
    return {
        "texts": float(len(right)),
        "accuracy": float(right.mean()),
        "mean_confidence": float(confidence.mean()),
    }


def _sentiment_figures(inputs: Matrix, tones: Matrix, groups: list[str]) -> dict[str, float]:
    predicted = np.zeros(len(tones))
    for fit, test in GroupKFold(_FOLDS).split(inputs, tones, groups):
        predicted[test] = Ridge(alpha=_RIDGE).fit(inputs[fit], tones[fit]).predict(inputs[test])
    same_side = np.sign(np.where(abs(predicted) < 0.15, 0, predicted)) == np.sign(
        np.where(abs(tones) < 0.15, 0, tones)
    )
    return {
        "texts": float(len(tones)),
        "correlation": float(np.corrcoef(predicted, tones)[0, 1]),
        "mean_absolute_error": float(abs(predicted - tones).mean()),
        "accuracy": float(same_side.mean()),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--report", action="store_true", help="only print the held-out figures; write nothing"
    )
    parser.add_argument("--data", type=Path, help="another corpus of the same shape")
    options = parser.parse_args(arguments)
    arrays, figures = train(load_corpus(options.data))
    if not options.report:
        np.savez_compressed(Path(__file__).parent / "data" / "heads.npz", **arrays)
    rounded = {
        head: {name: round(value, 3) for name, value in values.items()} for head, values in figures.items()
    }
    sys.stdout.write(json.dumps(rounded, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
