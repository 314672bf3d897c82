"""Doors of the engine."""

from cadenza.campaigns.service import follow
from cadenza.engine import merging as _merging  # noqa: F401 - hears of merges
from cadenza.engine import waiting as _waiting  # noqa: F401 - tells who waits for a mailbox
from cadenza.engine.adaptive import Adaptive
from cadenza.engine.answers import is_answered, send_answer
from cadenza.engine.channel_news import reply_event, take_news
from cadenza.engine.dispatcher import Dispatcher, dispatch, housekeeping, keep_house
from cadenza.engine.doubts import decide, rescue, settle
from cadenza.engine.explain import (
    explain,
    plan,
    plan_of,
    plans_of,
    touches_in_doubt,
    touches_of_contact,
    touches_of_conversation,
)
from cadenza.engine.fixed import EmailOnly, Fixed
from cadenza.engine.gate import Facts, gate, verdict
from cadenza.engine.handing_over import hand_over
from cadenza.engine.lifecycle import (
    anything_planned,
    follow_version,
    launch,
    next_sendings,
    pause,
    pause_all,
    planned_today,
    resume,
    status,
    status_of,
    stop,
    upcoming,
)
from cadenza.engine.outbox import give_up, keep_back, leave_out, let_go, outbox
from cadenza.engine.reconciling import Comparison, compare_sent
from cadenza.engine.responses import (
    end_holds,
    end_sequences,
    hold_until,
    last_touch_to,
    mailbox_before,
    touch_by_message_ids,
)
from cadenza.engine.schedule import delay_over
from cadenza.engine.sender_health import look_at_senders, watch_senders
from cadenza.engine.sent_copies import file_copies, file_sent_copies
from cadenza.engine.sequence import next_step, step_after_skip
from cadenza.engine.standing import standing
from cadenza.engine.tracking import Visit, record_click, record_open

__all__ = [
    "Adaptive",
    "Comparison",
    "Dispatcher",
    "EmailOnly",
    "Facts",
    "Fixed",
    "Visit",
    "anything_planned",
    "compare_sent",
    "decide",
    "delay_over",
    "dispatch",
    "end_holds",
    "end_sequences",
    "explain",
    "file_copies",
    "file_sent_copies",
    "follow_version",
    "gate",
    "give_up",
    "hand_over",
    "hold_until",
    "housekeeping",
    "is_answered",
    "keep_back",
    "keep_house",
    "last_touch_to",
    "launch",
    "leave_out",
    "let_go",
    "look_at_senders", "mailbox_before",
    "next_sendings",
    "next_step",
    "outbox",
    "pause",
    "pause_all",
    "plan",
    "plan_of",
    "planned_today",
    "plans_of",
    "record_click",
    "record_open",
    "reply_event",
    "rescue",
    "resume",
    "send_answer",
    "settle",
    "standing",
    "status",
    "status_of",
    "step_after_skip",
    "stop",
    "take_news",
    "touch_by_message_ids",
    "touches_in_doubt",
    "touches_of_contact",
    "touches_of_conversation",
    "upcoming",
    "verdict",
    "watch_senders",
]  # fmt: skip

follow(follow_version)  # a new version of a running campaign takes over in the transaction that saves it
