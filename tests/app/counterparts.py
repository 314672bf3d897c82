"""What of the API does the same as each route of the pages, or why nothing does.

A page that is missing here fails the test, so that whatever a page can do a program can do too.
"""

V1 = "/api/v1"

# Why there is none: what the pages say is true of each of these routes.
_REASONS: dict[str, tuple[str, ...]] = {
    "it makes, proves or ends a session of a browser; a program has its token": (
        "GET /login", "POST /login", "GET /login/code", "POST /login/code", "POST /logout", "GET /prove", "POST /prove",
        "GET /sign-on", "POST /sign-on", "GET /sign-on/callback", "POST /settings/account/sign-on",
        "POST /settings/account/sign-on/remove", "POST /settings/account/sessions/others",
        "POST /settings/account/sessions/{session_id}/end",
    ),
    "it hands over an account (password, second factor, link), which asks for a fresh proof in a browser": (
        "GET /enrol", "POST /enrol", "GET /forgot", "POST /forgot", "GET /reset/{token}", "POST /reset/{token}", "GET /settings/account/password",
        "POST /settings/account/password", "GET /settings/account/factor", "POST /settings/account/factor/codes",
        "POST /settings/account/factor/remove", "POST /settings/members/{member_id}/reset",
    ),
    "it decides how everybody signs in; a stolen token must not": (
        "GET /settings/sign-in", "POST /settings/sign-in/factor", "POST /settings/sign-in/provider",
        "POST /settings/sign-in/provider/remove",
    ),
    "a token cannot make tokens: a stolen one would outlive its own end": ("POST /settings/tokens",),
    "it is for whoever holds the link, who has no account yet, or is no member": (
        "GET /join/{token}", "POST /join/{token}", "GET /setup/{token}", "POST /setup/{token}", "GET /u/{token}",
        "POST /u/{token}", "GET /o/{token}.gif", "GET /c/{token}",
    ),
    "it is about the person before the screen: their name, language and zone": (
        "GET /settings/account", "POST /settings/account",
    ),
    "it only leads to another page, or draws one anew": (
        "GET /settings", "GET /inbox/news", "GET /palette", "GET /campaigns/{name}/live/stream", "GET /contacts/imports/{import_id}/stream",
        "GET /contacts/changes/{change_id}/stream",
    ),
    "it speaks the assistants' protocol, to programs": ("POST /mcp",),
    "a provider's machine tells us there what happens, and proves itself by its signature": (
        "POST /hooks/{workspace_id}/{account_id}",
    ),
    "it tells a monitor that the process lives": ("GET /healthz",),
    "it belongs to the sandbox, which is outside the product": ("GET /sandbox", "POST /sandbox/speed"),
    "it hands an existing mailbox over (password, servers, consent), which asks for a fresh proof in a browser": (
        "POST /senders/+connect/{key}/consent", "GET /connect/callback", "GET /senders/{mailbox_id}/connection/change",
        "POST /senders/{mailbox_id}/connection/change", "POST /senders/{mailbox_id}/connection/again",
        "GET /senders/{mailbox_id}/connection/end", "POST /senders/{mailbox_id}/connection/end",
        "POST /senders/accounts/{account_id}/end",
    ),
}  # fmt: skip

_SAME: dict[str, tuple[str, ...]] = {
    "GET /senders/accounts": ("GET /channel-accounts",),
    "GET /senders/accounts/{account_id}": ("GET /channel-accounts",),
    "GET /senders/accounts/+connect/{channel}": ("GET /channel-accounts",),
    "POST /senders/accounts/+connect/{channel}": ("POST /channel-accounts",),
    "POST /senders/accounts/{account_id}/test": ("POST /channel-accounts/{account_id}/test",),
    "GET /work/{job_id}": ("GET /jobs/{job_id}",),
    "POST /work/{job_id}": ("POST /jobs/{job_id}/outcome",),
    "GET /": ("GET /work-items", "GET /campaigns"),
    "POST /proposals/{item_id}/decided": ("POST /work-items/{item_id}/decided",),
    "GET /inbox": ("GET /conversations",),
    "GET /inbox/{conversation_id}": ("GET /conversations/{conversation_id}", "GET /conversations/{conversation_id}/draft"),
    "GET /inbox/of/{contact_id}": ("GET /contacts/{contact_id}/conversation",),
    "POST /inbox/{conversation_id}/answer": ("POST /conversations/{conversation_id}/answer",),
    "POST /inbox/{conversation_id}/draft": ("PUT /conversations/{conversation_id}/draft",),
    "POST /inbox/{conversation_id}/read": ("POST /conversations/{conversation_id}/read",),
    "GET /inbox/{conversation_id}/assign": ("GET /members",),
    "POST /inbox/{conversation_id}/assign": (
        "POST /conversations/{conversation_id}/assign", "POST /conversations/{conversation_id}/assign-best",
    ),
    "POST /inbox/{conversation_id}/close": ("POST /conversations/{conversation_id}/close",),
    "GET /campaigns": ("GET /campaigns", "GET /campaigns/{campaign_id}/status"),
    "GET /senders/{mailbox_id}": ("GET /senders/{mailbox_id}",),
    "POST /senders/{mailbox_id}/settings": ("PATCH /senders/{mailbox_id}",),
    **{
        f"POST /senders/{{mailbox_id}}/{act}": (f"POST /senders/{{mailbox_id}}/{act}",)
        for act in ("lift-stop", "hand-over")
    },
    "GET /senders/pools": ("GET /sender-pools",),
    "POST /senders/pools": ("POST /sender-pools",),
    "GET /senders/pools/{pool_id}": ("GET /sender-pools",),
    "POST /senders/pools/{pool_id}": ("PATCH /sender-pools/{pool_id}", "PUT /sender-pools/{pool_id}/members"),
    "POST /senders/pools/{pool_id}/remove": ("DELETE /sender-pools/{pool_id}",),
    "GET /campaigns/{name}": ("GET /campaigns/{campaign_id}", "GET /campaigns/{campaign_id}/preview"),
    "GET /campaigns/{name}/live": ("GET /campaigns/{campaign_id}/status", "GET /campaigns/{campaign_id}/upcoming"),
    "GET /campaigns/{name}/events": ("GET /events",),
    "GET /campaigns/{name}/versions": ("GET /campaigns/{campaign_id}/versions", "GET /campaigns/{campaign_id}/file"),
    "GET /campaigns/{name}/file": ("GET /campaigns/{campaign_id}/file",),
    "GET /campaigns/+new": ("GET /imports", "GET /senders"),
    "POST /campaigns/+new": ("POST /campaigns",),
    "POST /campaigns/{name}/try": ("POST /campaigns/{campaign_id}/try",),
    "POST /campaigns/pause": ("POST /campaigns/pause",),
    "GET /campaigns/{name}/launch": ("GET /campaigns/{campaign_id}/readiness",),
    "POST /campaigns/{name}/launch": ("POST /campaigns/{campaign_id}/launch",),
    "POST /campaigns/{name}/{act}": tuple(
        f"POST /campaigns/{{campaign_id}}/{act}" for act in ("pause", "resume", "stop")
    ),
    "GET /campaigns/{name}/edit": (
        "GET /campaigns/{campaign_id}/edit", "GET /campaigns/{campaign_id}/edit/preview", "GET /campaigns/{campaign_id}/plan",
    ),
    "POST /campaigns/{name}/edit/keep": ("POST /campaigns/{campaign_id}/edit/values",),
    "POST /campaigns/{name}/edit/{act}": (
        "PUT /campaigns/{campaign_id}/edit", "POST /campaigns/{campaign_id}/edit/save",
        "POST /campaigns/{campaign_id}/edit/over", "DELETE /campaigns/{campaign_id}/edit",
    ),
    "GET /contacts": ("GET /contacts", "GET /contacts/changes"),
    "GET /contacts/{contact_id}": (
        "GET /contacts/{contact_id}", "GET /events", "GET /campaigns/{campaign_id}/plan",
    ),
    "POST /contacts/{contact_id}/suppress": ("POST /contacts/{contact_id}/stop",),
    "GET /contacts/accounts": ("GET /accounts",),
    "GET /contacts/accounts/{account_id}": ("GET /accounts/{account_id}",),
    "GET /contacts/duplicates": ("GET /contacts/duplicates",),
    "POST /contacts/merge": ("POST /contacts/merge",),
    "POST /contacts/bulk": ("POST /contacts/bulk",),
    "GET /contacts/changes/{change_id}": ("GET /contacts/changes/{change_id}",),
    "POST /contacts/changes/{change_id}/cancel": ("POST /contacts/changes/{change_id}/cancel",),
    "POST /contacts/changes/{change_id}/undo": ("POST /contacts/changes/{change_id}/undo",),
    "POST /contacts/export.csv": ("POST /contacts/export",),
    "GET /contacts/segments": ("GET /segments",),
    "POST /contacts/segments": ("POST /segments",),
    "POST /contacts/segments/{segment_id}/remove": ("DELETE /segments/{segment_id}",),
    "GET /contacts/fields": ("GET /fields",),
    "POST /contacts/fields": ("POST /fields",),
    "POST /contacts/fields/{name}/remove": ("DELETE /fields/{name}",),
    "GET /contacts/imports": ("GET /imports",),
    "POST /contacts/imports": ("POST /imports",),
    "GET /contacts/imports/{import_id}": ("GET /imports/{import_id}", "GET /imports/{import_id}/dry-run"),
    "POST /contacts/imports/{import_id}/mapping": ("POST /imports/{import_id}/mapping",),
    "POST /contacts/imports/{import_id}/start": ("POST /imports/{import_id}/start",),
    "POST /contacts/imports/{import_id}/cancel": ("POST /imports/{import_id}/cancel",),
    "GET /contacts/imports/{import_id}/refused.csv": ("GET /imports/{import_id}/faults",),
    "GET /touches/{touch_id}": ("GET /touches/{touch_id}",),
    "POST /touches/{touch_id}/settle": ("POST /touches/{touch_id}/settle",),
    "GET /outbox": ("GET /outbox",),
    "POST /outbox/{act}": tuple(f"POST /outbox/{act}" for act in ("keep-back", "let-go", "leave-out", "give-up")),
    "GET /senders": ("GET /senders",),
    "POST /senders/{mailbox_id}/test": ("POST /senders/{mailbox_id}/test",),
    "GET /senders/+connect": ("GET /senders/presets",),
    "GET /senders/+connect/{key}": ("GET /senders/presets",),
    "POST /senders/+connect/{key}": ("POST /senders",),
    "GET /senders/{mailbox_id}/connection": ("GET /senders/{mailbox_id}/connection",),
    "POST /senders/{mailbox_id}/connection/test": ("POST /senders/{mailbox_id}/test",),
    "POST /senders/{mailbox_id}/connection/pause": ("POST /senders/{mailbox_id}/pause",),
    "POST /senders/{mailbox_id}/connection/resume": ("POST /senders/{mailbox_id}/resume",),
    "POST /senders/{mailbox_id}/connection/try": ("POST /senders/{mailbox_id}/try",),
    "POST /settings/account/away": ("POST /members/me/away",),
    "GET /settings/members": ("GET /members", "GET /invitations"),
    "POST /settings/members": ("POST /invitations",),
    "POST /settings/invitations/{invitation_id}/withdraw": ("DELETE /invitations/{invitation_id}",),
    "GET /settings/members/{member_id}": ("GET /members/{member_id}",),
    "POST /settings/members/{member_id}/role": ("POST /members/{member_id}/role",),
    "POST /settings/members/{member_id}/active": ("POST /members/{member_id}/active",),
    "POST /settings/members/{member_id}/skills": ("POST /members/{member_id}/skills",),
    "GET /settings/teams": ("GET /teams",),
    "POST /settings/teams": ("POST /teams",),
    "POST /settings/teams/{team_id}/remove": ("DELETE /teams/{team_id}",),
    "GET /settings/tokens": ("GET /tokens",),
    "POST /settings/tokens/{token_id}/revoke": ("DELETE /tokens/{token_id}",),
    "GET /settings/webhooks": ("GET /webhooks",),
    "POST /settings/webhooks": ("POST /webhooks",),
    "GET /settings/webhooks/{webhook_id}": ("GET /webhooks/{webhook_id}/deliveries",),
    "POST /settings/webhooks/{webhook_id}/{act}": (
        "POST /webhooks/{webhook_id}/pause", "POST /webhooks/{webhook_id}/resume", "POST /webhooks/{webhook_id}/test",
        "DELETE /webhooks/{webhook_id}",
    ),
    "POST /settings/webhooks/{webhook_id}/deliveries/{delivery_id}": (
        "POST /webhooks/{webhook_id}/deliveries/{delivery_id}/repeat",
    ),
    "GET /audit": ("GET /audit",),
    "POST /audit/export": ("POST /audit/export",),
    "GET /health": ("GET /health", "GET /backups", "GET /sending"),
    "POST /health/look": ("POST /health/look",),
    "POST /health/release": ("POST /sending/release",),
}  # fmt: skip

REASONS: dict[str, str] = {page: why for why, pages in _REASONS.items() for page in pages}
SAME: dict[str, tuple[str, ...]] = {
    page: tuple(name.replace(" ", f" {V1}", 1) for name in names) for page, names in _SAME.items()
}
