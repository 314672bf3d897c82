"""The sandbox's own Unipile: the parts of its API (v1) that reach LinkedIn, over HTTP on loopback, with webhooks.

``refuse`` answers the next requests instead, and ``cut`` loses the answer to the next request of a path after it was carried out.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cadenza.core.clock import Clock
from cadenza.core.http import Purpose
from cadenza.sandbox import linkedin_shapes as shapes
from cadenza.sandbox.channel_people import Deed, Reaction, Responder, nobody, tell, wait_a_moment
from cadenza.sandbox.http_server import HttpServer
from cadenza.sandbox.linkedin_store import LinkedinStore

_PAGE = 100
_LONGEST_NOTE = 300
Handler = Callable[[Request], Awaitable[Response]]


class LinkedinServer:
    """Give it the key that its application has, and the ids of the accounts that signed in."""

    def __init__(
        self, folder: Path, clock: Clock, key: str, accounts: list[str], responder: Responder = nobody
    ) -> None:
        self.store = LinkedinStore(folder / "linkedin.jsonl", clock, responder, accounts)
        self.refuse: list[tuple[int, dict[str, Any], dict[str, str]]] = []
        self.cut: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self._key = key
        self._server = HttpServer(self._app(), self._is_cut)

    async def start(self, host: str, port: int) -> int:
        return await self._server.start(host, port)

    async def stop(self) -> None:
        await self._server.stop()

    async def run(self, stop: asyncio.Event) -> None:
        """People react when their time comes, until told to stop."""
        while not stop.is_set():
            await self.react()
            await wait_a_moment(stop)

    async def react(self) -> None:
        """Everything whose time has come."""
        while (due := self.store.agenda.take()) is not None:
            key, deed, reaction = due
            self.store.reacted(key)
            await self._do(deed, reaction)

    async def _do(self, deed: Deed, reaction: Reaction) -> None:
        person = self.store.known(deed.person)
        ours = self.store.last_of_ours(person)
        if reaction.kind == "accept":
            await self.accept(person, deed.account)
        elif reaction.kind == "message":
            await self.answer(person, reaction.text, deed.account)
        elif reaction.kind in {"seen", "like"} and ours is not None:
            self.store.mark(ours, like=reaction.text if reaction.kind == "like" else "")
            event = "message_reaction" if reaction.kind == "like" else "message_read"
            await self.tell("messaging", shapes.told_message(self.store, event, ours, deed.account))

    async def accept(self, person: str, account: str) -> None:
        self.store.accept(person)
        await self.tell("users", shapes.told_relation(self.store, person, account))

    async def answer(self, person: str, text: str, account: str) -> None:
        message = self.store.answer(person, text)
        told = shapes.told_message(self.store, "message_received", message, account)
        await self.tell("messaging", told)

    async def become(self, account: str, status: str) -> None:
        """The account's connection to LinkedIn changes, and webhooks tell."""
        self.store.status[account] = status
        await self.tell("account_status", shapes.told_status(account, status))

    async def tell(self, source: str, told: Mapping[str, Any]) -> None:
        """To every webhook of that source; whoever does not answer can look at the lists."""
        for hook in list(self.store.hooks.values()):
            if hook.source == source and (not hook.events or told.get("event") in hook.events):
                await tell(Purpose.LINKEDIN, hook.url, json.dumps(told).encode(), hook.headers)

    # The API.

    def _app(self) -> Starlette:
        routes: dict[tuple[str, str], Handler] = {
            ("GET", "/accounts/{id}"): self._account, ("GET", "/users/relations"): self._relations,
            ("GET", "/users/invite/sent"): self._sent, ("POST", "/users/invite"): self._invite, ("GET", "/users/{id}"): self._profile,
            ("GET", "/chats"): self._chats, ("POST", "/chats"): self._start_chat, ("GET", "/chats/{id}"): self._chat,
            ("GET", "/chats/{id}/messages"): self._chat_messages, ("POST", "/chats/{id}/messages"): self._say,
            ("GET", "/messages"): self._messages, ("GET", "/webhooks"): self._hooks, ("POST", "/webhooks"): self._add_hook,
            ("DELETE", "/webhooks/{id}"): self._remove_hook,
        }  # fmt: skip
        return Starlette(
            routes=[
                Route(f"/api/v1{path}", self._guarded(handler), methods=[method])
                for (method, path), handler in routes.items()
            ]
        )

    def _guarded(self, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            self.asked.append((request.method, request.url.path))
            if request.headers.get("x-api-key") != self._key:
                return _problem(401, "missing_credentials", "The API key is missing or wrong.")
            if self.refuse:
                status, body, headers = self.refuse.pop(0)
                return JSONResponse(body, status, headers)
            return await handler(request)

        return guarded

    def _is_cut(self, method: str, path: str) -> bool:
        if f"{method} {path}" in self.cut:
            self.cut.remove(f"{method} {path}")
            return True
        return False

    def _owner(self, request: Request) -> str:
        """The account that is asked about; the only one, where none is named."""
        return request.query_params.get("account_id") or self.store.accounts[0]

    async def _account(self, request: Request) -> Response:
        identity = request.path_params["id"]
        if identity not in self.store.status:
            return _problem(404, "resource_not_found", "Account not found.")
        return JSONResponse(shapes.account(self.store, identity))

    async def _profile(self, request: Request) -> Response:
        person = self.store.known(request.path_params["id"])
        if (bad := self._bad(self._owner(request))) is not None:
            return bad
        if request.query_params.get("notify") == "true":
            self.store.do("visit", self._owner(request), person, told=True)
        return JSONResponse(shapes.profile(self.store, person))

    async def _relations(self, request: Request) -> Response:
        newest = sorted(self.store.relations, key=lambda person: self.store.relations[person], reverse=True)
        found = [shapes.relation(self.store, person) for person in newest]
        return _page(request, "UserRelationsList", found)

    async def _sent(self, request: Request) -> Response:
        sent = reversed(self.store.invitations.values())
        return _page(request, "InvitationList", [shapes.invitation(self.store, each) for each in sent])

    async def _invite(self, request: Request) -> Response:
        told = await request.json()
        person, text, owner = told["provider_id"], told.get("message", ""), told["account_id"]
        if (bad := self._bad(owner)) is not None:
            return bad
        if person not in self.store.public or len(text) > _LONGEST_NOTE:
            return _problem(400, "invalid_parameters", "The request cannot be read.")
        if person in self.store.invitations or person in self.store.relations:
            return _problem(422, "already_invited_recently", "This person was invited already.")
        identity = self.store.invite(owner, person, text)
        return JSONResponse({"object": "UserInvitationSent", "invitation_id": identity}, 201)

    async def _start_chat(self, request: Request) -> Response:
        form = await request.form()
        person, owner = str(form["attendees_ids"]), str(form["account_id"])
        if (bad := self._bad(owner)) is not None:
            return bad
        if person not in self.store.relations:
            return _problem(422, "no_connection_with_recipient", "This person is no connection.")
        message = self.store.write(owner, person, str(form["text"]))
        answer = {"object": "ChatStarted", "chat_id": message.chat, "message_id": message.id}
        return JSONResponse(answer, 201)

    async def _say(self, request: Request) -> Response:
        person = self._of_chat(request.path_params["id"])
        form, owner = await request.form(), self.store.accounts[0]
        if person is None:
            return _problem(404, "resource_not_found", "Chat not found.")
        if (bad := self._bad(owner)) is not None:
            return bad
        message = self.store.write(owner, person, str(form["text"]))
        return JSONResponse({"object": "MessageSent", "message_id": message.id}, 201)

    def _bad(self, owner: str) -> Response | None:
        status = self.store.status.get(owner)
        if status is None:
            return _problem(404, "resource_not_found", "Account not found.")
        return None if status == "OK" else _problem(401, "disconnected_account", "The account is disconnected.")  # fmt: skip

    def _of_chat(self, chat: str) -> str | None:
        return next((each.person for each in self.store.messages if each.chat == chat), None)

    async def _chats(self, request: Request) -> Response:
        people = list(dict.fromkeys(each.person for each in self.store.messages))
        found = [shapes.chat(self.store, person, self._owner(request)) for person in people]
        return _page(request, "ChatList", found)

    async def _chat(self, request: Request) -> Response:
        person = self._of_chat(request.path_params["id"])
        if person is None:
            return _problem(404, "resource_not_found", "Chat not found.")
        last = shapes.message(
            [each for each in self.store.messages if each.person == person][-1], self._owner(request)
        )
        return JSONResponse({**shapes.chat(self.store, person, self._owner(request)), "lastMessage": last})

    async def _messages(self, request: Request) -> Response:
        return self._list_messages(request, None)

    async def _chat_messages(self, request: Request) -> Response:
        return self._list_messages(request, request.path_params["id"])

    def _list_messages(self, request: Request, chat: str | None) -> Response:
        after = datetime.fromisoformat(request.query_params.get("after", "1970-01-01T00:00:00.000Z"))
        found = [
            shapes.message(each, self._owner(request))
            for each in reversed(self.store.messages)
            if each.at > after and (chat is None or each.chat == chat)
        ]
        return _page(request, "MessageList", found)

    async def _hooks(self, request: Request) -> Response:
        told = [
            {"object": "Webhook", "id": each.id, "request_url": each.url, "enabled": True}
            for each in self.store.hooks.values()
        ]
        return _page(request, "WebhookList", told)

    async def _add_hook(self, request: Request) -> Response:
        told = await request.json()
        headers = {each["key"]: each["value"] for each in told.get("headers", [])}
        identity = self.store.hook(
            told["request_url"], told["source"], headers, told.get("account_ids", []), told.get("events", [])
        )
        return JSONResponse({"object": "WebhookCreated", "webhook_id": identity}, 201)

    async def _remove_hook(self, request: Request) -> Response:
        if not self.store.unhook(request.path_params["id"]):
            return _problem(404, "resource_not_found", "Webhook not found.")
        return JSONResponse({"object": "WebhookDeleted"})


def _page(request: Request, kind: str, found: list[dict[str, Any]]) -> Response:
    start = int(request.query_params.get("cursor", "0"))
    most = min(int(request.query_params.get("limit", _PAGE)), 250)
    following = str(start + most) if start + most < len(found) else None
    return JSONResponse({"object": kind, "items": found[start : start + most], "cursor": following})


def _problem(status: int, kind: str, detail: str) -> Response:
    return JSONResponse(shapes.problem(status, kind, kind.replace("_", " "), detail), status)
