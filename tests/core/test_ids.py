from cadenza.core.ids import derived_id, new_id


def test_ids_sort_in_the_order_in_which_they_were_made() -> None:
    made = [new_id() for _ in range(2000)]
    assert made == sorted(made)
    assert len(set(made)) == 2000
    assert {i.version for i in made} == {7}
    assert {i.variant for i in made} == {"specified in RFC 4122"}


def test_a_derived_id_is_the_same_again_and_parts_are_kept_apart() -> None:
    assert derived_id("a", 1) == derived_id("a", 1)
    assert derived_id("a", "bc") != derived_id("ab", "c")
