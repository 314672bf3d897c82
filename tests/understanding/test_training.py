"""The heads come from the corpus by the command, and hold their quality on situations they have not seen."""

import numpy as np
import pytest

from cadenza.understanding import train
from cadenza.understanding.contracts import Intent
from cadenza.understanding.heads import load_model


@pytest.fixture(scope="module")
def trained() -> tuple[dict[str, np.ndarray], dict[str, dict[str, float]]]:
    return train.train(train.load_corpus())


@pytest.mark.slow
def test_shipped_heads_are_what_the_command_trains(
    trained: tuple[dict[str, np.ndarray], dict[str, dict[str, float]]],
) -> None:
    arrays, _ = trained
    head = load_model().heads["intent"]
    assert head.labels == tuple(arrays["intent_labels"])
    np.testing.assert_allclose(head.weights, arrays["intent_weights"], atol=0.02)


@pytest.mark.slow
def test_quality_on_unseen_situations(
    trained: tuple[dict[str, np.ndarray], dict[str, dict[str, float]]],
) -> None:
    figures = trained[1]["intent"]
    assert figures["macro_f1"] > 0.60
    assert figures["calibration_error"] < 0.08
    assert trained[1]["sentiment"]["correlation"] > 0.7


def test_corpus_is_labelled_in_the_words_of_the_contract() -> None:
    samples = train.load_corpus()
    intents = {sample.labels["intent"] for sample in samples}
    assert intents == {intent.value for intent in Intent} - {"out_of_office", "auto_reply", "bounce"}
    assert len({sample.reply.id for sample in samples}) == len(samples)


def test_calibration_error_by_hand() -> None:
    confidence, right = np.array([0.9, 0.9, 0.5, 0.5]), np.array([1.0, 1.0, 0.0, 1.0])
    assert train.calibration_error(confidence, right) == pytest.approx(0.05)
