"""What Twilio shall do with a call, in its own language (https://www.twilio.com/docs/voice/twiml)."""

from collections.abc import Mapping
from html import escape

NOTHING = "<Response/>"
_RING_US, _RING_THEM = 20, 30  # seconds
_LONGEST_MESSAGE = 180  # seconds


def bridge(number: str, *, shown: str, hook: str) -> str:
    """For the leg to our own person: connect it with ``number``, which sees ``shown``, and tell ``hook`` what became of it."""
    told = ""
    if hook:
        told = f' statusCallback="{escape(hook)}" statusCallbackMethod="POST" statusCallbackEvent="completed"'
    return (
        f'<Response><Dial callerId="{escape(shown)}" timeout="{_RING_THEM}" answerOnBridge="true">'
        f'<Number machineDetection="Enable"{told}>{escape(number)}</Number></Dial></Response>'
    )


def answer(form: Mapping[str, str], *, rings: str, hook: str) -> str:
    """What to do with a call that comes in: ring our person, and take a message when nobody answers."""
    if form.get("RecordingSid") or form.get("Direction") != "inbound":
        return NOTHING
    status = form.get("DialCallStatus")
    if status is None and form.get("CallStatus") == "ringing":
        return f'<Response><Dial timeout="{_RING_US}" action="{escape(hook)}" method="POST">{escape(rings)}</Dial></Response>'
    if status is None or status in {"completed", "answered"}:
        return NOTHING
    return (
        f'<Response><Record maxLength="{_LONGEST_MESSAGE}" playBeep="true" transcribe="true" transcribeCallback="{escape(hook)}"'
        f' recordingStatusCallback="{escape(hook)}" recordingStatusCallbackEvent="completed" action="{escape(hook)}"/></Response>'
    )
