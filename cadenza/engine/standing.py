"""How all campaigns of a workspace stand together: what a page may say while it has nothing else to show."""

from collections.abc import Sequence

from cadenza.campaigns.contracts import Campaign, CampaignState
from cadenza.engine.contracts import Standing

_ORDER = (
    (CampaignState.RUNNING, Standing.RUNNING),
    (CampaignState.PAUSED, Standing.PAUSED),
    (CampaignState.DRAFT, Standing.DRAFT),
)


def standing(campaigns: Sequence[Campaign]) -> tuple[Standing, str]:
    """The liveliest state among them, and the name of a campaign in it ("" for none and for over)."""
    for state, found in _ORDER:
        for each in campaigns:
            if each.state is state:
                return found, each.name
    return (Standing.OVER if campaigns else Standing.NOTHING), ""
