"""A campaign's versions: side by side as files, and each as a file to keep."""

import difflib
import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from cadenza.campaigns.contracts import Campaign
from cadenza.campaigns.service import campaign, changed_words, definition_of, document_text, versions
from cadenza.engine.campaign_pages import campaign_head
from cadenza.identity.service import actor_of, members
from cadenza.web.service import PageUnit, render

router = APIRouter(include_in_schema=False)


@router.get("/campaigns/{name}/versions")
async def compare(
    request: Request,
    unit: PageUnit,
    name: str,
    left: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    right: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """Two versions as files, line by line beside each other, and their difference in words."""
    actor = actor_of(request)
    head = await campaign_head(unit, actor, name, "versions")
    found: Campaign = head["campaign"]
    newer = right or found.version
    older = left or max(newer - 1, 1)
    before = await definition_of(unit, found, older)
    after = await definition_of(unit, found, newer)
    return render(
        request,
        "engine/versions.html",
        **head,
        versions=await versions(unit, actor, found.id),
        names={each.id: each.name or each.email for each in await members(unit, actor)},
        older=older,
        newer=newer,
        words_of_change=changed_words(before, after),
        lines=_side_by_side(document_text(before), document_text(after)),
        active=0,
    )


def _side_by_side(before: str, after: str) -> list[tuple[str, str, str]]:
    """(``same``, ``changed``, ``removed`` or ``added``; left line; right line); long equal parts are cut to their edges."""
    left, right = before.splitlines(), after.splitlines()
    rows: list[tuple[str, str, str]] = []
    matcher = difflib.SequenceMatcher(a=left, b=right, autojunk=False)
    for group in matcher.get_grouped_opcodes(n=3):
        if rows:
            rows.append(("gap", "", ""))
        for tag, a, b, c, d in group:
            length = max(b - a, d - c)
            lefts = [*left[a:b], *([""] * (length - (b - a)))]
            rights = [*right[c:d], *([""] * (length - (d - c)))]
            kind = {"equal": "same", "replace": "changed", "delete": "removed", "insert": "added"}[tag]
            rows += [(kind, one, other) for one, other in zip(lefts, rights, strict=True)]
    return rows


@router.get("/campaigns/{name}/file")
async def file(
    request: Request,
    unit: PageUnit,
    name: str,
    version: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
) -> Response:
    """A version as a campaign file to keep; applying it changes nothing."""
    actor = actor_of(request)
    found = await campaign(unit, actor, name)
    text = document_text(await definition_of(unit, found, version))
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", found.name) or "campaign"
    headers = {"content-disposition": f'attachment; filename="{safe}-{version or found.version}.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)
