"""What the engine does before anything was learned: as soon as the window allows, spread over what is left of the day."""

from cadenza.engine.contracts import Planned, Question
from cadenza.engine.fixed import Fixed
from cadenza.engine.schedule import next_moment


class Prompt(Fixed):
    """``fixed`` for channels and variants; a step is not put off to another day for the sake of an hour that nobody knows of."""

    name = "prompt"
    version = 1

    def plan(self, question: Question) -> Planned:
        way, decision = self._way(question)
        person = question.person
        at = next_moment(question.earliest, question.window, person.zone, person.country, question.key)
        return Planned(at, way, (decision,) if decision else ())
