"""The sandbox's own Twilio Voice: its calls, their callbacks and messages that are left, over HTTP on loopback, signed as it signs.

``refuse`` answers the next requests instead, and ``cut`` loses the answer to the next request of a path after it was carried out.
"""

import asyncio
import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping
from email.utils import format_datetime
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cadenza.core.clock import Clock
from cadenza.core.http import Purpose
from cadenza.sandbox.channel_people import Deed, Reaction, Responder, nobody, tell, wait_a_moment
from cadenza.sandbox.http_server import HttpServer
from cadenza.sandbox.phone_store import Call, Left, PhoneStore, moment

_ATTRIBUTE = r'{}="([^"]*)"'
_NUMBER = re.compile(r"<Number([^>]*)>([^<]+)</Number>")
_TALK_SECONDS, _MESSAGE_SECONDS = 240, 22
_SUSPENDED = {"code": 20005, "message": "Account not active", "status": 403}
Handler = Callable[[Request], Awaitable[Response]]


class PhoneServer:
    """``number`` is the one that was bought here, and ``voice_url`` what is asked when it is called. ``at_desk``: whether our own
    person answers.
    """

    def __init__(
        self, folder: Path, clock: Clock, account: str, token: str, number: str, responder: Responder = nobody
    ) -> None:
        self.store = PhoneStore(folder / "phone.jsonl", clock, responder)
        self.refuse: list[tuple[int, dict[str, Any], dict[str, str]]] = []
        self.cut: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.active = True
        self.at_desk = True
        self.voice_url = ""
        self._account = account
        self._token = token
        self._number = number
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
        while (due := self.store.agenda.take()) is not None:
            key, deed, reaction = due
            self.store.reacted(key)
            await self._do(deed, reaction)

    async def _do(self, deed: Deed, reaction: Reaction) -> None:
        if reaction.kind == "voicemail":
            await self.call_in(deed.person, reaction.text)
            return
        call = self.store.calls[deed.text]
        if reaction.kind == "no_answer":
            await self.end(call, "no-answer")
        else:
            by = "human" if reaction.kind == "talk" else "machine_start"
            await self.end(
                call, "completed", _TALK_SECONDS if by == "human" else _MESSAGE_SECONDS, answered_by=by
            )
        parent = self.store.calls[call.parent]
        await self.end(parent, "completed", call.seconds)

    async def end(self, call: Call, status: str, seconds: int = 0, answered_by: str = "") -> None:
        call.status, call.seconds, call.answered_by = status, seconds, answered_by
        self.store.keep(call)
        await self._tell(call.hook, self._told(call))

    async def call_in(self, sender: str, text: str) -> None:
        """Somebody calls our number, nobody answers, and they leave a message: TwiML is followed as Twilio does."""
        call = self.store.call("inbound", sender, self._number, hook=self.voice_url)
        call.status = "ringing"
        first = await self._tell(self.voice_url, self._told(call))
        action = _attribute("action", first)
        second = await self._tell(action, self._told(call) | {"DialCallStatus": "no-answer"})
        if "<Record" in second:
            left = self.store.leave(call, text, _MESSAGE_SECONDS)
            await self._tell(_attribute("recordingStatusCallback", second), self.told_recording(call, left))
            await self._tell(_attribute("transcribeCallback", second), self.told_transcription(call, left))
        call.status, call.seconds = "completed", _MESSAGE_SECONDS
        self.store.keep(call)

    async def _tell(self, url: str, form: Mapping[str, str]) -> str:
        """What is answered, in TwiML where it is any."""
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": self.sign(url, form),
        }
        answer = await tell(Purpose.PHONE, url, urlencode(form).encode(), headers) if url else None
        return answer.body.decode() if answer is not None else ""

    def sign(self, url: str, form: Mapping[str, str]) -> str:
        told = url + "".join(name + form[name] for name in sorted(form))
        return base64.b64encode(hmac.new(self._token.encode(), told.encode(), hashlib.sha1).digest()).decode()

    def _told(self, call: Call) -> dict[str, str]:
        parent = {"ParentCallSid": call.parent} if call.parent else {}
        heard = {"AnsweredBy": call.answered_by} if call.answered_by else {}
        now = self.store.clock.now()
        return {
            "AccountSid": self._account, "ApiVersion": "2010-04-01", "CallSid": call.sid, "CallStatus": call.status,
            "CallDuration": str(call.seconds), "From": call.sender, "To": call.to, "Direction": call.direction,
            "Timestamp": format_datetime(now), **parent, **heard,
        }  # fmt: skip

    def told_recording(self, call: Call, left: Left) -> dict[str, str]:
        return {
            "AccountSid": self._account, "CallSid": call.sid, "RecordingSid": left.recording, "RecordingStatus": "completed",
            "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{self._account}/Recordings/{left.recording}",
            "RecordingDuration": str(left.seconds), "RecordingChannels": "1", "RecordingSource": "RecordVerb",
        }  # fmt: skip

    def told_transcription(self, call: Call, left: Left) -> dict[str, str]:
        return {
            "AccountSid": self._account, "ApiVersion": "2010-04-01", "CallSid": call.sid, "CallStatus": "completed",
            "From": call.sender, "To": call.to, "Direction": call.direction, "RecordingSid": left.recording,
            "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{self._account}/Recordings/{left.recording}",
            "TranscriptionSid": left.transcription, "TranscriptionStatus": "completed", "TranscriptionText": left.text,
            "TranscriptionType": "fast",
        }  # fmt: skip

    # The API.

    def _app(self) -> Starlette:
        base = f"/2010-04-01/Accounts/{self._account}"
        routes = {
            ("GET", f"{base}.json"): self._me, ("GET", f"{base}/Calls.json"): self._calls,
            ("POST", f"{base}/Calls.json"): self._make_call, ("GET", f"{base}/Calls/{{sid}}.json"): self._call,
            ("GET", f"{base}/Recordings.json"): self._recordings, ("GET", f"{base}/Transcriptions.json"): self._transcriptions,
        }  # fmt: skip
        return Starlette(
            routes=[Route(path, self._guarded(h), methods=[method]) for (method, path), h in routes.items()]
        )

    def _guarded(self, handler: Handler) -> Handler:
        expected = base64.b64encode(f"{self._account}:{self._token}".encode()).decode()

        async def guarded(request: Request) -> Response:
            self.asked.append((request.method, request.url.path))
            if request.headers.get("authorization") != f"Basic {expected}":
                return JSONResponse({"code": 20003, "message": "Authenticate", "status": 401}, 401)
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

    async def _me(self, _request: Request) -> Response:
        status = "active" if self.active else "suspended"
        return JSONResponse({"sid": self._account, "status": status, "friendly_name": "Sandbox", "type": "Full"})  # fmt: skip

    async def _make_call(self, request: Request) -> Response:
        """Our own person is rung first; once they answer, the number in the TwiML is."""
        form = await request.form()
        if not self.active:
            return JSONResponse(_SUSPENDED, 403)
        to, twiml = str(form.get("To", "")), str(form.get("Twiml", ""))
        if not re.fullmatch(r"\+[1-9]\d{6,14}", to):
            return JSONResponse({"code": 21211, "message": f"Invalid 'To' Phone Number: {to}", "status": 400}, 400)  # fmt: skip
        parent = self.store.call(
            "outbound-api", str(form.get("From", "")), to, hook=str(form.get("StatusCallback", ""))
        )
        if not self.at_desk:
            await self.end(parent, "no-answer")
        elif (found := _NUMBER.search(twiml)) is not None:
            hook = _attribute("statusCallback", found[1])
            child = self.store.call(
                "outbound-dial", parent.sender, found[2].strip(), parent=parent.sid, hook=hook
            )
            self.store.ring(child, self._account)
        return JSONResponse(self._shape(parent), 201)

    async def _call(self, request: Request) -> Response:
        call = self.store.calls.get(request.path_params["sid"])
        if call is None:
            return JSONResponse({"code": 20404, "message": "The requested resource was not found", "status": 404}, 404)  # fmt: skip
        return JSONResponse(self._shape(call))

    async def _calls(self, request: Request) -> Response:
        query = request.query_params
        since = query.get("StartTime>", "")
        found = [
            self._shape(call)
            for call in self.store.calls.values()
            if query.get("To", call.to) == call.to and call.at[:10] >= since
        ]
        return self._list("calls", found)

    async def _recordings(self, request: Request) -> Response:
        since = request.query_params.get("DateCreated>", "")
        found = [
            {
                "sid": left.recording, "account_sid": self._account, "call_sid": left.call, "duration": str(left.seconds),
                "date_created": format_datetime(moment(left.at)), "status": "completed",
            }
            for left in self.store.left if left.at[:10] >= since
        ]  # fmt: skip
        return self._list("recordings", found)

    async def _transcriptions(self, _request: Request) -> Response:
        found = [
            {
                "sid": left.transcription, "account_sid": self._account, "recording_sid": left.recording, "status": "completed",
                "transcription_text": left.text, "date_created": format_datetime(moment(left.at)), "type": "fast",
            }
            for left in self.store.left
        ]  # fmt: skip
        return self._list("transcriptions", found)

    def _list(self, key: str, found: list[dict[str, Any]]) -> Response:
        whole = {
            "first_page_uri": "", "end": len(found), "previous_page_uri": None, "next_page_uri": None, "page": 0, "page_size": 500,
            "start": 0, "uri": "",
        }  # fmt: skip
        return JSONResponse({key: found, **whole})

    def _shape(self, call: Call) -> dict[str, Any]:
        begun = format_datetime(moment(call.at))
        return {
            "sid": call.sid, "account_sid": self._account, "parent_call_sid": call.parent or None, "to": call.to, "from": call.sender,
            "status": call.status, "direction": call.direction, "duration": str(call.seconds), "answered_by": call.answered_by or None,
            "start_time": begun, "end_time": begun, "date_created": begun, "date_updated": begun, "api_version": "2010-04-01",
            "uri": f"/2010-04-01/Accounts/{self._account}/Calls/{call.sid}.json", "subresource_uris": {},
        }  # fmt: skip


def _attribute(name: str, twiml: str) -> str:
    found = re.search(_ATTRIBUTE.format(name), twiml)
    return unescape(found[1]) if found else ""
