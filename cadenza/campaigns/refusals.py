"""Why the editor refuses something. Each has a code, so that a page can say it again after it has led the browser back."""

from collections.abc import Callable
from typing import Any

from cadenza.campaigns.contracts import Edit
from cadenza.core.errors import CadenzaError, Kind, Problem

MOST_STEPS, MOST_VARIANTS = 50, 10


def refusal(edit: Edit, code: str) -> CadenzaError | None:
    """The refusal with this code, as far as it holds for this working copy; None for any other."""
    outdated = code == "campaign_changed" and edit.based_on == edit.version
    return refused(edit, code) if code in _MADE and not outdated else None


def refused(edit: Edit, code: str, problems: tuple[Problem, ...] = ()) -> CadenzaError:
    """To be raised. ``problems`` say more than the code does; without them the refusal is the one fault."""
    error = _MADE[code](edit)
    error.problems = problems or (Problem(error.message, key=_PLACES.get(code), code=code),)
    return error


def of_saving(edit: Edit, errors: tuple[dict[str, Any], ...]) -> CadenzaError:
    """Why the file that a working copy makes was not applied: ``errors`` as ``apply`` tells them."""
    keys = {str(each["key"]).partition(".")[0] for each in errors}
    if edit.problems or len(keys) > 1:
        code = "campaign_file_invalid"
    else:
        code = _SAVING.get(keys.pop(), "campaign_file_invalid")
    problems = tuple(Problem(each["message"], line=each["line"], key=each["key"]) for each in errors)
    return refused(edit, code, problems)


# What a file without a fault of its own is refused for, by the first part of the place that is named.
_SAVING = {"name": "campaign_ended", "audience": "segment_not_found", "senders": "senders_missing"}
_PLACES = {
    "steps_too_many": "id",
    "step_name_invalid": "id",
    "step_name_taken": "id",
    "step_needed": "steps",
    "texts_too_many": "variants",
    "text_needed": "variants",
}


def _changed(edit: Edit) -> CadenzaError:
    return CadenzaError(
        "campaign_changed",
        f"Somebody saved version {edit.version} while you were editing version {edit.based_on}.",
        Kind.CONFLICT,
        fix="Your copy is kept. Compare the versions, then discard it or save it over theirs.",
    )


def _elsewhere(edit: Edit) -> CadenzaError:
    return CadenzaError(
        "edit_elsewhere",
        f"Something else was written in {edit.name} meanwhile. What was typed in this window is not kept.",
        Kind.CONFLICT,
        fix="Load the page again to see it. Saving here writes over it.",
    )


def _ended(edit: Edit) -> CadenzaError:
    return CadenzaError(
        "campaign_ended", f"The campaign {edit.name} has ended and takes no change; nothing was saved.", Kind.CONFLICT,
        fix="Make a new campaign of its file.",
    )  # fmt: skip


_MADE: dict[str, Callable[[Edit], CadenzaError]] = {
    "campaign_changed": _changed,
    "edit_elsewhere": _elsewhere,
    "campaign_ended": _ended,
    "campaign_file_invalid": lambda _: CadenzaError(
        "campaign_file_invalid", "This is not finished yet; nothing was saved.", fix="Correct what is marked."
    ),
    "segment_not_found": lambda _: CadenzaError(
        "segment_not_found", "There is no such segment any more; nothing was saved.", fix="Choose other people."
    ),
    "senders_missing": lambda _: CadenzaError(
        "senders_missing", "A sender is missing; nothing was saved.", fix="Choose senders that are here."
    ),
    "steps_too_many": lambda _: CadenzaError(
        "steps_too_many", f"A campaign has at most {MOST_STEPS} steps.", fix="Remove one first."
    ),
    "step_name_invalid": lambda _: CadenzaError(
        "step_name_invalid", "A step's name begins with a letter and has letters, digits, - and _ only.", fix="Give it another name."
    ),
    "step_name_taken": lambda _: CadenzaError(
        "step_name_taken", "Another step is called so already.", fix="Give it another name."
    ),
    "step_needed": lambda _: CadenzaError(
        "step_needed", "A campaign needs a step; nothing was removed.", fix="Change this one instead."
    ),
    "texts_too_many": lambda _: CadenzaError(
        "texts_too_many", f"A step has at most {MOST_VARIANTS} texts.", fix="Remove one first."
    ),
    "no_text_to_copy": lambda _: CadenzaError(
        "no_text_to_copy", "This step has no text that another one could begin with; nothing was added.",
        fix="Texts of options are added in the campaign file.",
    ),
    "text_needed": lambda _: CadenzaError(
        "text_needed", "A step needs a text; nothing was removed.", fix="Change this one instead."
    ),
}  # fmt: skip
