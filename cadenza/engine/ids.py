"""Ids that a restored database derives again, so that nothing is ever sent under two names."""

from uuid import UUID

from cadenza.core.ids import derived_id


def enrolment_id(campaign_id: UUID, contact_id: UUID) -> UUID:
    return derived_id("enrolment", campaign_id, contact_id)


def touch_id(enrolment: UUID, step: str) -> UUID:
    return derived_id("touch", enrolment, step)


def answer_id(draft_id: UUID) -> UUID:
    return derived_id("answer", draft_id)
