"""Unipile's answers and webhooks, in its wire format (https://developer.unipile.com/reference)."""

from datetime import datetime
from typing import Any

from cadenza.sandbox.linkedin_store import Invitation, LinkedinStore, Message, chat_with

OWN = "ACoAAown"  # our own profile's id


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def problem(status: int, kind: str, title: str, detail: str) -> dict[str, Any]:
    return {"status": status, "type": f"errors/{kind}", "title": title, "detail": detail}


def account(store: LinkedinStore, identity: str) -> dict[str, Any]:
    return {
        "object": "Account", "type": "LINKEDIN", "id": identity, "name": "Sandbox sender", "created_at": "2026-01-01T09:00:00.000Z",
        "connection_params": {"im": {"id": OWN, "publicIdentifier": "sandbox-sender", "username": "Sandbox sender"}},
        "groups": [], "sources": [{"id": f"{identity}_MESSAGING", "status": store.status[identity]}],
    }  # fmt: skip


def profile(store: LinkedinStore, person: str) -> dict[str, Any]:
    public = store.public[person]
    first, _, last = name_of(public).partition(" ")
    invited = {"invitation": {"type": "SENT", "status": "PENDING"}} if person in store.invitations else {}
    return {
        "object": "UserProfile", "provider": "LINKEDIN", "provider_id": person, "public_identifier": public, "first_name": first,
        "last_name": last, "headline": "", "websites": [], "is_relationship": person in store.relations,
        "network_distance": "FIRST_DEGREE" if person in store.relations else "SECOND_DEGREE", **invited,
    }  # fmt: skip


def name_of(public: str) -> str:
    return " ".join(part.title() for part in public.split("-")) or "Somebody"


def invitation(store: LinkedinStore, sent: Invitation) -> dict[str, Any]:
    return {
        "object": "InvitationSent", "id": sent.id, "invited_user": name_of(store.public[sent.person]), "invited_user_id": sent.person,
        "invited_user_public_id": store.public[sent.person], "invited_user_description": None, "date": "Sent today",
        "parsed_datetime": stamp(sent.at), "invitation_text": sent.text or None,
    }  # fmt: skip


def relation(store: LinkedinStore, person: str) -> dict[str, Any]:
    public = store.public[person]
    first, _, last = name_of(public).partition(" ")
    return {
        "object": "UserRelation", "first_name": first, "last_name": last, "headline": "", "public_identifier": public,
        "public_profile_url": f"https://www.linkedin.com/in/{public}", "created_at": int(store.relations[person].timestamp() * 1000),
        "member_id": person, "member_urn": f"urn:li:member:{person}", "connection_urn": f"urn:li:fsd_connection:{person}",
    }  # fmt: skip


def chat(store: LinkedinStore, person: str, owner: str) -> dict[str, Any]:
    mine = [each for each in store.messages if each.person == person]
    return {
        "object": "Chat", "id": chat_with(person), "account_id": owner, "account_type": "LINKEDIN", "provider_id": f"2-{person}",
        "attendee_provider_id": person, "name": None, "type": 0, "timestamp": stamp(mine[-1].at) if mine else None, "unread_count": 0,
        "archived": 0, "muted_until": None, "read_only": 0, "disabledFeatures": [],
    }  # fmt: skip


def message(told: Message, owner: str) -> dict[str, Any]:
    return {
        "object": "Message", "id": told.id, "account_id": owner, "chat_id": told.chat, "chat_provider_id": f"2-{told.person}",
        "provider_id": f"urn:{told.id}", "sender_id": OWN if told.ours else told.person, "sender_attendee_id": f"att_{told.person}",
        "text": told.text, "attachments": [], "timestamp": stamp(told.at), "is_sender": int(told.ours),
        "reactions": [{"value": each, "sender_id": told.person, "is_sender": False} for each in told.reactions],
        "seen": int(told.seen), "seen_by": {}, "hidden": 0, "deleted": 0, "edited": 0, "is_event": 0, "delivered": 1, "behavior": None,
        "original": "",
    }  # fmt: skip


def told_message(store: LinkedinStore, event: str, of: Message, owner: str) -> dict[str, Any]:
    """The webhook about a message: received, seen or reacted to."""
    them = {
        "attendee_id": f"att_{of.person}", "attendee_name": name_of(store.public[of.person]), "attendee_provider_id": of.person,
        "attendee_profile_url": f"https://www.linkedin.com/in/{of.person}/",
    }  # fmt: skip
    us = {"attendee_id": "att_own", "attendee_name": "Sandbox sender", "attendee_provider_id": OWN}
    liked = {"reaction": of.reactions[-1], "reaction_sender": them} if event == "message_reaction" else {}
    return {
        "account_id": owner, "account_type": "LINKEDIN", "account_info": {"type": "LINKEDIN", "user_id": OWN}, "event": event,
        "chat_id": of.chat, "timestamp": stamp(of.at), "webhook_name": "Cadenza", "message_id": of.id, "message": of.text,
        "sender": them if event != "message_received" or not of.ours else us, "attendees": [them], "attachments": [], **liked,
    }  # fmt: skip


def told_relation(store: LinkedinStore, person: str, owner: str) -> dict[str, Any]:
    public = store.public[person]
    return {
        "event": "new_relation", "account_id": owner, "account_type": "LINKEDIN", "webhook_name": "Cadenza",
        "user_full_name": name_of(public), "user_provider_id": person, "user_public_identifier": public,
        "user_profile_url": f"https://www.linkedin.com/in/{public}/", "user_picture_url": "",
    }  # fmt: skip


def told_status(owner: str, status: str) -> dict[str, Any]:
    return {"AccountStatus": {"account_id": owner, "account_type": "LINKEDIN", "message": status}}
