from hypothesis import given
from hypothesis import strategies as st

from cadenza.web.evidence import Piece, letters_of, pieces_of

spans = st.lists(st.tuples(st.integers(-3, 40), st.integers(-3, 40)), max_size=4)
evidences = st.dictionaries(st.sampled_from(["intent", "interest", "queue", "budget", "questions"]), spans)


def test_letters_follow_the_text_and_same_words_share_one() -> None:
    evidence = {"queue": [(10, 14)], "intent": [(0, 4)], "interest": [(0, 4)], "budget": []}
    assert letters_of(evidence, 20) == {"queue": "b", "intent": "a", "interest": "a"}


def test_overlapping_evidence_is_cut_into_pieces() -> None:
    assert pieces_of("abcdef", {"intent": [(0, 4)], "queue": [(2, 6)]}) == [
        Piece("ab", ("a",), ("a",)),
        Piece("cd", ("a", "b"), ("b",)),
        Piece("ef", ("b",), ()),
    ]


@given(st.text(max_size=30), evidences)
def test_no_word_is_lost_and_each_claim_covers_its_words(
    text: str, evidence: dict[str, list[tuple[int, int]]]
) -> None:
    pieces = pieces_of(text, evidence)
    assert "".join(piece.text for piece in pieces) == text
    for field, letter in letters_of(evidence, len(text)).items():
        marked = [letter in piece.letters for piece in pieces for _ in piece.text]
        assert marked == [any(a <= i < b for a, b in evidence[field]) for i in range(len(text))]
