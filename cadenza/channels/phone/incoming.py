"""What Twilio tells of calls, by webhook or when asked, as things that happened. Pure: the same in, the same out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from cadenza.channels.channel_wire import words
from cadenza.channels.contracts import Incoming, IncomingKind

Told = Mapping[str, Any]
_OVER = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_UNANSWERED = "Your own phone did not answer, so nobody was called."


def from_webhook(form: Mapping[str, str], now: datetime) -> list[Incoming]:
    """``now`` stands in where no time is named. What is only on the way, or of no interest, tells nothing."""
    at = when(form.get("Timestamp", ""), now)
    if form.get("TranscriptionSid"):
        return [_voicemail_by_webhook(form, at)]
    if form.get("RecordingSid"):
        finished = form.get("RecordingStatus") == "completed"
        return [_recording(form["RecordingSid"], form.get("CallSid"), form.get("RecordingUrl", ""), at)] if finished else []  # fmt: skip
    if "DialCallStatus" in form:
        return [_inbound(form, at)]
    call = {
        "sid": form.get("CallSid"), "status": form.get("CallStatus"), "direction": form.get("Direction"), "to": form.get("To"),
        "parent_call_sid": form.get("ParentCallSid"), "duration": form.get("CallDuration"), "answered_by": form.get("AnsweredBy"),
    }  # fmt: skip
    return from_call(call, at)


def _inbound(form: Mapping[str, str], at: datetime) -> Incoming:
    """The end of ringing our person, in a call that came in."""
    talked = form["DialCallStatus"] in {"completed", "answered"}
    return Incoming(
        key=f"inbound/{form.get('CallSid')}", kind=IncomingKind.CONNECTED if talked else IncomingKind.MISSED, at=at,
        reference=form.get("CallSid"), person=form.get("From"), data={"direction": "inbound"},
    )  # fmt: skip


def from_call(call: Told, now: datetime) -> list[Incoming]:
    """A call that is over. Of the two legs of ours, the one to our own person tells only that they did not answer."""
    status, sid = words(call, "status"), words(call, "sid")
    if status not in _OVER:
        return []
    at = when(words(call, "end_time", "start_time"), now)
    direction, parent = words(call, "direction"), words(call, "parent_call_sid")
    if direction == "outbound-api" and not parent:
        if status == "completed":
            return []
        text = _UNANSWERED
        return [Incoming(f"call/{sid}", IncomingKind.NOT_DONE, at, reference=sid, text=text, data={"status": status})]  # fmt: skip
    if direction != "outbound-dial":
        return []
    answered_by = words(call, "answered_by")
    data = {"status": status, "seconds": int(words(call, "duration") or 0), "answered_by": answered_by}
    kind = _outcome(status, answered_by)
    return [Incoming(f"call/{sid}", kind, at, reference=parent or sid, person=words(call, "to") or None, data=data)]  # fmt: skip


def _outcome(status: str, answered_by: str) -> IncomingKind:
    if status != "completed":
        return IncomingKind.NO_ANSWER
    machine = answered_by.startswith("machine") or answered_by == "fax"
    return IncomingKind.REACHED_MACHINE if machine else IncomingKind.CONNECTED


def _recording(sid: str, call: str | None, url: str, at: datetime) -> Incoming:
    data = {"recording": url}
    return Incoming(f"recording/{sid}", IncomingKind.RECORDING, at, reference=call or None, data=data)


def _voicemail_by_webhook(form: Mapping[str, str], at: datetime) -> Incoming:
    told = {
        "recording_sid": form.get("RecordingSid", ""), "status": form.get("TranscriptionStatus", ""),
        "transcription_text": form.get("TranscriptionText", ""),
    }  # fmt: skip
    call = {"sid": form.get("CallSid", ""), "from": form.get("From", "")}
    return voicemail(told, call, form.get("RecordingUrl", ""), at)


def voicemail(transcription: Told, call: Told, recording: str, at: datetime) -> Incoming:
    """A message that somebody left us, as text. It stands without text where it could not be transcribed: it was still left."""
    sid = words(transcription, "recording_sid")
    heard = words(transcription, "status") == "completed"
    return Incoming(
        key=f"voicemail/{sid}", kind=IncomingKind.VOICEMAIL, at=at, reference=words(call, "sid") or None,
        person=words(call, "from") or None, text=words(transcription, "transcription_text") if heard else "",
        data={"recording": recording, "transcribed": heard, "direction": "inbound"},
    )  # fmt: skip


def when(text: str, otherwise: datetime) -> datetime:
    """Their times are those of mail (RFC 2822)."""
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return otherwise
    return found.astimezone(UTC) if found.tzinfo else otherwise
