"""What every route answers to whom: the table that the application is held to (ASVS 8.1.1, 8.2.1).

Each route names the right that it needs, or ``OPEN`` (anybody), or ``OWN`` (anybody who is signed in; it shows and changes only
what is theirs). A route that is missing here fails the test, so the table is complete.
"""

from typing import Any
from uuid import uuid4

from cadenza.identity.contracts import Action

OPEN, OWN = "open", "own"

_PUBLIC = (
    "GET /login", "POST /login", "GET /login/code", "POST /login/code", "POST /logout", "GET /reset/{token}",
    "GET /forgot", "POST /forgot",
    "POST /reset/{token}", "GET /join/{token}", "POST /join/{token}", "GET /sign-on", "POST /sign-on",
    "GET /sign-on/callback", "GET /setup/{token}", "POST /setup/{token}", "GET /u/{token}", "POST /u/{token}",
    "GET /o/{token}.gif", "GET /c/{token}", "GET /healthz", "POST /hooks/{workspace_id}/{account_id}",
)  # fmt: skip
_THEIRS = (
    "GET /prove", "POST /prove", "GET /enrol", "POST /enrol", "GET /settings", "GET /settings/account",
    "POST /settings/account", "POST /settings/account/away", "POST /settings/account/sessions/others",
    "POST /settings/account/sessions/{session_id}/end", "GET /settings/account/password",
    "POST /settings/account/password", "GET /settings/account/factor", "POST /settings/account/factor/codes",
    "POST /settings/account/factor/remove", "POST /settings/account/sign-on", "POST /settings/account/sign-on/remove",
    "GET /settings/tokens", "POST /settings/tokens", "POST /settings/tokens/{token_id}/revoke",
    "POST /mcp", "POST /api/v1/members/me/away", "GET /api/v1/tokens", "DELETE /api/v1/tokens/{token_id}",
)  # fmt: skip
_RIGHTS: dict[Action, tuple[str, ...]] = {
    Action.READ: (
        "GET /", "GET /contacts", "GET /contacts/{contact_id}", "GET /contacts/imports",
        "GET /contacts/imports/{import_id}", "GET /contacts/imports/{import_id}/stream",
        "GET /contacts/changes/{change_id}", "GET /contacts/changes/{change_id}/stream", "GET /api/v1/contacts/changes/{change_id}",
        "GET /contacts/imports/{import_id}/refused.csv", "GET /contacts/segments", "GET /contacts/fields",
        "GET /senders", "GET /senders/{mailbox_id}", "GET /senders/pools", "GET /senders/pools/{pool_id}",
        "GET /api/v1/senders/{mailbox_id}", "GET /api/v1/sender-pools", "GET /campaigns", "GET /campaigns/{name}", "GET /campaigns/{name}/live",
        "GET /campaigns/{name}/launch", "GET /api/v1/campaigns/{campaign_id}/readiness", "GET /campaigns/{name}/live/stream", "GET /campaigns/{name}/events", "GET /campaigns/{name}/versions",
        "GET /campaigns/{name}/file", "GET /outbox", "GET /palette", "GET /touches/{touch_id}", "GET /inbox", "GET /inbox/news",
        "GET /inbox/of/{contact_id}", "GET /inbox/{conversation_id}", "POST /inbox/{conversation_id}/read",
        "GET /sandbox", "GET /api/v1/events", "GET /api/v1/work-items", "GET /api/v1/campaigns",
        "GET /api/v1/campaigns/{campaign_id}", "GET /api/v1/campaigns/{campaign_id}/versions",
        "GET /api/v1/campaigns/{campaign_id}/file", "GET /api/v1/campaigns/{campaign_id}/preview",
        "GET /api/v1/campaigns/{campaign_id}/status", "GET /api/v1/campaigns/{campaign_id}/upcoming",
        "GET /api/v1/campaigns/{campaign_id}/plan", "GET /api/v1/touches/in-doubt", "GET /api/v1/touches/{touch_id}",
        "GET /api/v1/outbox", "GET /api/v1/conversations", "GET /api/v1/conversations/{conversation_id}",
        "POST /api/v1/conversations/{conversation_id}/read", "GET /contacts/accounts", "GET /contacts/duplicates",
        "GET /contacts/accounts/{account_id}", "GET /api/v1/members", "GET /api/v1/contacts",
        "GET /api/v1/contacts/{contact_id}", "GET /api/v1/segments", "GET /api/v1/imports", "GET /api/v1/senders",
        "GET /senders/{mailbox_id}/connection", "GET /api/v1/senders/presets", "GET /api/v1/senders/{mailbox_id}/connection",
        "GET /api/v1/members/{member_id}", "GET /api/v1/teams", "GET /api/v1/contacts/changes",
        "GET /api/v1/contacts/duplicates", "GET /api/v1/contacts/{contact_id}/conversation", "GET /api/v1/accounts",
        "GET /api/v1/accounts/{account_id}", "GET /api/v1/imports/{import_id}", "GET /api/v1/imports/{import_id}/dry-run",
        "GET /api/v1/imports/{import_id}/faults", "GET /api/v1/segments/{segment_id}", "GET /api/v1/fields",
        "GET /api/v1/conversations/{conversation_id}/draft", "GET /senders/accounts", "GET /senders/accounts/{account_id}",
        "GET /work/{job_id}", "GET /api/v1/channel-accounts", "GET /api/v1/jobs/{job_id}",
    ),
    Action.IMPORT_CONTACTS: (
        "POST /contacts/imports", "POST /contacts/imports/{import_id}/mapping",
        "POST /contacts/imports/{import_id}/start", "POST /contacts/imports/{import_id}/cancel",
        "POST /contacts/fields", "POST /contacts/fields/{name}/remove",
        "POST /api/v1/imports", "POST /api/v1/imports/{import_id}/mapping", "POST /api/v1/imports/{import_id}/start",
        "POST /api/v1/imports/{import_id}/cancel", "POST /api/v1/fields", "DELETE /api/v1/fields/{name}",
    ),
    Action.EDIT_CONTACTS: (
        "POST /contacts/segments", "POST /contacts/segments/{segment_id}/remove",
        "POST /contacts/merge", "POST /contacts/bulk", "POST /contacts/changes/{change_id}/undo",
        "POST /proposals/{item_id}/decided", "POST /api/v1/work-items/{item_id}/decided",
        "POST /api/v1/segments", "DELETE /api/v1/segments/{segment_id}", "POST /api/v1/contacts/merge",
        "POST /api/v1/contacts/bulk", "POST /api/v1/contacts/changes/{change_id}/undo",
        "POST /contacts/changes/{change_id}/cancel", "POST /api/v1/contacts/changes/{change_id}/cancel",
    ),
    Action.EXPORT_CONTACTS: ("POST /contacts/export.csv", "POST /api/v1/contacts/export"),
    Action.SUPPRESS: ("POST /contacts/{contact_id}/suppress", "POST /api/v1/contacts/{contact_id}/stop"),
    Action.EDIT_CAMPAIGNS: (
        "POST /campaigns/{name}/try", "POST /api/v1/campaigns/{campaign_id}/try",
        "POST /api/v1/campaigns", "GET /campaigns/+new", "POST /campaigns/+new", "GET /campaigns/{name}/edit",
        "POST /campaigns/{name}/edit/keep", "POST /campaigns/{name}/edit/{act}",
        "GET /api/v1/campaigns/{campaign_id}/edit", "PUT /api/v1/campaigns/{campaign_id}/edit",
        "DELETE /api/v1/campaigns/{campaign_id}/edit", "POST /api/v1/campaigns/{campaign_id}/edit/values",
        "GET /api/v1/campaigns/{campaign_id}/edit/preview", "POST /api/v1/campaigns/{campaign_id}/edit/save",
        "POST /api/v1/campaigns/{campaign_id}/edit/over",
    ),
    Action.RUN_CAMPAIGNS: (
        "POST /campaigns/pause", "POST /campaigns/{name}/launch", "POST /campaigns/{name}/{act}", "POST /sandbox/speed", "POST /api/v1/campaigns/pause",
        "POST /api/v1/campaigns/{campaign_id}/launch", "POST /api/v1/campaigns/{campaign_id}/pause",
        "POST /api/v1/campaigns/{campaign_id}/resume", "POST /api/v1/campaigns/{campaign_id}/stop",
    ),
    Action.HOLD_TOUCHES: (
        "POST /outbox/{act}", "POST /api/v1/outbox/keep-back", "POST /api/v1/outbox/let-go",
        "POST /api/v1/outbox/leave-out", "POST /api/v1/outbox/give-up",
    ),
    Action.SETTLE_DOUBTS: ("POST /touches/{touch_id}/settle", "POST /api/v1/touches/{touch_id}/settle"),
    Action.ANSWER: (
        "POST /work/{job_id}", "POST /api/v1/jobs/{job_id}/outcome",
        "POST /inbox/{conversation_id}/answer", "POST /inbox/{conversation_id}/draft",
        "POST /inbox/{conversation_id}/close", "POST /api/v1/conversations/{conversation_id}/answer",
        "POST /api/v1/conversations/{conversation_id}/close", "POST /api/v1/conversations/{conversation_id}/reopen",
        "PUT /api/v1/conversations/{conversation_id}/draft",
    ),
    Action.ASSIGN: (
        "GET /inbox/{conversation_id}/assign", "POST /inbox/{conversation_id}/assign", "POST /api/v1/conversations/{conversation_id}/assign",
        "POST /api/v1/conversations/{conversation_id}/assign-best",
    ),
    Action.MANAGE_SENDERS: (
        "GET /senders/accounts/+connect/{channel}", "POST /senders/accounts/+connect/{channel}",
        "POST /senders/accounts/{account_id}/test", "POST /senders/accounts/{account_id}/end", "POST /api/v1/channel-accounts",
        "POST /api/v1/channel-accounts/{account_id}/test",
        "POST /senders/{mailbox_id}/test", "GET /senders/+connect", "GET /senders/+connect/{key}",
        "POST /senders/+connect/{key}", "POST /senders/+connect/{key}/consent", "GET /connect/callback",
        "POST /senders/{mailbox_id}/connection/test", "POST /senders/{mailbox_id}/connection/pause",
        "POST /senders/{mailbox_id}/connection/resume", "GET /senders/{mailbox_id}/connection/change",
        "POST /senders/{mailbox_id}/connection/change", "POST /senders/{mailbox_id}/connection/again",
        "GET /senders/{mailbox_id}/connection/end", "POST /senders/{mailbox_id}/connection/end",
        "POST /senders/{mailbox_id}/connection/try", "POST /api/v1/senders", "POST /api/v1/senders/{mailbox_id}/test",
        "POST /api/v1/senders/{mailbox_id}/pause", "POST /api/v1/senders/{mailbox_id}/resume",
        "POST /api/v1/senders/{mailbox_id}/try", "POST /senders/{mailbox_id}/settings",
        "POST /senders/{mailbox_id}/lift-stop", "POST /senders/{mailbox_id}/hand-over", "POST /senders/pools",
        "POST /senders/pools/{pool_id}", "POST /senders/pools/{pool_id}/remove", "PATCH /api/v1/senders/{mailbox_id}",
        "POST /api/v1/senders/{mailbox_id}/lift-stop", "POST /api/v1/senders/{mailbox_id}/hand-over",
        "POST /api/v1/sender-pools", "PATCH /api/v1/sender-pools/{pool_id}", "DELETE /api/v1/sender-pools/{pool_id}",
        "PUT /api/v1/sender-pools/{pool_id}/members",
    ),
    Action.MANAGE_MEMBERS: (
        "GET /settings/members", "POST /settings/members", "POST /settings/invitations/{invitation_id}/withdraw",
        "GET /settings/members/{member_id}", "POST /settings/members/{member_id}/role",
        "POST /settings/members/{member_id}/active", "POST /settings/members/{member_id}/reset",
        "POST /settings/members/{member_id}/skills", "GET /settings/teams", "POST /settings/teams",
        "POST /settings/teams/{team_id}/remove", "POST /api/v1/members/{member_id}/role",
        "POST /api/v1/members/{member_id}/active", "POST /api/v1/members/{member_id}/skills", "GET /api/v1/invitations",
        "POST /api/v1/invitations", "DELETE /api/v1/invitations/{invitation_id}", "POST /api/v1/teams",
        "DELETE /api/v1/teams/{team_id}",
    ),
    Action.MANAGE_SIGN_IN: (
        "GET /settings/sign-in", "POST /settings/sign-in/factor", "POST /settings/sign-in/provider",
        "POST /settings/sign-in/provider/remove",
    ),
    Action.READ_AUDIT: ("GET /audit", "POST /audit/export", "GET /api/v1/audit", "POST /api/v1/audit/export"),
    Action.READ_HEALTH: (
        "GET /health", "POST /health/look", "GET /api/v1/health", "POST /api/v1/health/look", "GET /api/v1/backups",
        "GET /api/v1/sending",
    ),
    Action.RELEASE_HOLD: ("POST /health/release", "POST /api/v1/sending/hold", "POST /api/v1/sending/release"),
    Action.MANAGE_INTEGRATIONS: (
        "GET /settings/webhooks", "POST /settings/webhooks", "GET /settings/webhooks/{webhook_id}",
        "POST /settings/webhooks/{webhook_id}/{act}", "POST /settings/webhooks/{webhook_id}/deliveries/{delivery_id}",
        "GET /api/v1/webhooks", "POST /api/v1/webhooks", "POST /api/v1/webhooks/{webhook_id}/pause",
        "POST /api/v1/webhooks/{webhook_id}/resume", "POST /api/v1/webhooks/{webhook_id}/test",
        "DELETE /api/v1/webhooks/{webhook_id}", "GET /api/v1/webhooks/{webhook_id}/deliveries",
        "POST /api/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/repeat",
    ),
}  # fmt: skip

TABLE: dict[str, str] = {
    **dict.fromkeys(_PUBLIC, OPEN),
    **dict.fromkeys(_THEIRS, OWN),
    **{name: action.value for action, names in _RIGHTS.items() for name in names},
}

# The ways in: what makes a session or a password of somebody who had none (ASVS 6.3.4). docs/security.md lists the same.
WAYS_IN = (
    "POST /login", "POST /login/code", "POST /join/{token}", "POST /reset/{token}", "GET /sign-on/callback", "POST /setup/{token}",
)  # fmt: skip

_CHOSEN = {"enrolment_ids": [str(uuid4())]}

# What makes a request whole, so that nothing but rights can refuse it.
FORMS: dict[str, dict[str, Any]] = {
    "POST /campaigns/{name}/try": {"contact": str(uuid4())},
    "POST /senders/+connect/{key}": {
        "address": "new@halden.example",
        "smtp_host": "127.0.0.1",
        "smtp_port": "9",
    },
    "POST /work/{job_id}": {"outcome": "done"},
    "POST /settings/webhooks": {"url": "http://127.0.0.1:9/in", "kinds": "replied"},
    "POST /sign-on": {"workspace": "nowhere"},
    "POST /enrol": {"sealed": "test.AAAA", "code": "1"},
    "POST /settings/account": {"name": "Somebody", "locale": "en", "timezone": "UTC"},
    "POST /settings/account/away": {"back": "1"},
    "POST /settings/tokens": {"name": "matrix", "days": "5", "scopes": "read"},
    "POST /settings/members": {"email": "new@matrix.example", "role": "rep"},
    "POST /settings/members/{member_id}/role": {"role": "read_only"},
    "POST /settings/members/{member_id}/active": {"active": "yes"},
    "POST /settings/teams": {"name": "A team"},
    "POST /settings/sign-in/factor": {"required": "no"},
    "POST /settings/sign-in/provider": {"issuer": "https://10.0.0.1", "client_id": "x", "secret": "x"},
    "POST /campaigns/+new": {"name": "A new one", "contacts": "people.csv", "sender": "nora@halden.example"},
    "POST /contacts/segments": {"name": "A segment"},
    "POST /contacts/fields": {"name": "a_field"},
    "POST /contacts/merge": {"survivor": str(uuid4()), "merged": str(uuid4())},
    "POST /contacts/bulk": {"kind": "set_field", "contact": str(uuid4()), "field": "x", "value": "y"},
    "POST /touches/{touch_id}/settle": {"decision": "look_again"},
    "POST /inbox/{conversation_id}/answer": {"text": "Hello", "draft": str(uuid4())},
    "POST /inbox/{conversation_id}/draft": {"text": "Hello", "draft": str(uuid4())},
    "POST /outbox/{act}": {"chosen": str(uuid4())},
    "POST /senders/pools": {"name": "A pool"},
    "POST /senders/pools/{pool_id}": {"name": "A pool"},
    "POST /senders/{mailbox_id}/hand-over": {"to": str(uuid4())},
    "POST /sandbox/speed": {"speed": "2"},
}
_NOWHERE = {"host": "127.0.0.1", "port": 9, "tls": "none"}
BODIES: dict[str, Any] = {
    "POST /api/v1/senders": {
        "address": "new@halden.example",
        "smtp": _NOWHERE,
        "imap": _NOWHERE,
        "password": "x",
    },
    "POST /api/v1/channel-accounts": {
        "channel": "phone",
        "provider": "assisted",
        "name": "A",
        "address": "+493023125009",
    },
    "POST /api/v1/jobs/{job_id}/outcome": {"outcome": "done"},
    "POST /api/v1/senders/{mailbox_id}/try": {},
    "POST /api/v1/campaigns/{campaign_id}/try": {"contact_id": str(uuid4())},
    "PATCH /api/v1/senders/{mailbox_id}": {"daily_limit": 5},
    "POST /api/v1/senders/{mailbox_id}/lift-stop": {"rule": "complaints"},
    "POST /api/v1/senders/{mailbox_id}/hand-over": {"to": str(uuid4())},
    "POST /api/v1/sender-pools": {"name": "A pool"},
    "PATCH /api/v1/sender-pools/{pool_id}": {"name": "Another"},
    "PUT /api/v1/sender-pools/{pool_id}/members": {"mailbox_ids": []},
    "POST /api/v1/webhooks": {"url": "https://10.0.0.1/", "kinds": ["replied"]},
    "POST /api/v1/campaigns": {"document": "x"},
    "POST /api/v1/touches/{touch_id}/settle": {"decision": "look_again"},
    "POST /api/v1/outbox/keep-back": _CHOSEN,
    "POST /api/v1/outbox/let-go": _CHOSEN,
    "POST /api/v1/outbox/leave-out": _CHOSEN,
    "POST /api/v1/outbox/give-up": {"touch_ids": [str(uuid4())]},
    "POST /api/v1/conversations/{conversation_id}/answer": {"draft_id": str(uuid4()), "text": "Hello"},
    "POST /api/v1/conversations/{conversation_id}/assign": {"member_id": None},
    "PUT /api/v1/conversations/{conversation_id}/draft": {"draft_id": str(uuid4()), "text": "Hello"},
    "POST /api/v1/members/me/away": {"until": None},
    "POST /api/v1/members/{member_id}/role": {"role": "read_only"},
    "POST /api/v1/members/{member_id}/active": {"active": True},
    "POST /api/v1/members/{member_id}/skills": {"languages": ["de"]},
    "POST /api/v1/invitations": {"email": "newer@matrix.example", "role": "rep"},
    "POST /api/v1/teams": {"name": "Another team"},
    "POST /api/v1/imports/{import_id}/mapping": {"mapping": {}},
    "POST /api/v1/segments": {"name": "Alps", "rule": {"match": "all", "rules": []}},
    "POST /api/v1/fields": {"name": "another_field"},
    "POST /api/v1/contacts/merge": {"survivor_id": str(uuid4()), "merged_id": str(uuid4())},
    "POST /api/v1/contacts/bulk": {
        "kind": "set_field",
        "contact_ids": [str(uuid4())],
        "field": "x",
        "value": "y",
    },
    "POST /api/v1/contacts/changes/{change_id}/undo": {"reason": "by mistake"},
    "POST /api/v1/contacts/export": {},
    "PUT /api/v1/campaigns/{campaign_id}/edit": {"document": "x"},
    "POST /api/v1/campaigns/{campaign_id}/edit/values": {"values": {"caps.per_sender_per_day": ["7"]}},
}
ACTS = {
    "POST /campaigns/{name}/{act}": "pause",
    "POST /outbox/{act}": "keep-back",
    "POST /settings/webhooks/{webhook_id}/{act}": "pause",
    "POST /campaigns/{name}/edit/{act}": "add",
}
QUERIES = {
    "GET /api/v1/campaigns/{campaign_id}/preview": f"?contact_id={uuid4()}",
    "GET /api/v1/campaigns/{campaign_id}/plan": f"?contact_id={uuid4()}",
    "GET /api/v1/campaigns/{campaign_id}/edit/preview": f"?contact_id={uuid4()}",
    "GET /inbox/news": "?since=2026-03-02T09:00:00Z",
}
