from cadenza.core.errors import CadenzaError, Kind
from cadenza.web.live import live


async def test_a_part_is_sent_when_it_changes_and_the_stream_ends_with_the_right_to_see_it() -> None:
    parts = iter(["<b>1</b>", "<b>1</b>", "<b>2</b>\n<i>x</i>"])

    async def draw() -> str:
        try:
            return next(parts)
        except StopIteration:
            raise CadenzaError("sign_in_needed", "Sign in first.", Kind.UNAUTHENTICATED) from None

    response = live(draw, every=0.0)
    sent = [frame async for frame in response.body_iterator]
    assert sent == [
        "retry: 1000\n\n",
        "event: part\ndata: <b>1</b>\n\n",
        "event: part\ndata: <b>2</b>\ndata: <i>x</i>\n\n",
        "event: over\ndata: \n\n",
    ]


async def test_a_stream_ends_by_itself_so_that_the_browser_connects_anew() -> None:
    async def draw() -> str:
        return "x"

    assert [frame async for frame in live(draw, every=0.0, lifetime=0.0).body_iterator] == ["retry: 1000\n\n"]
