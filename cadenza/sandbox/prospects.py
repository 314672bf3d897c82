"""The people of the world at work: they take what the provider delivers and answer when their time comes.

Nothing is kept in memory that a restart needs: the ledger says what was delivered, from which the same responses
follow again; the mailboxes and ``done.jsonl`` say which of them have happened.
"""

import asyncio
import heapq
import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from cadenza.core.clock import WorldClock
from cadenza.core.logs import logger
from cadenza.sandbox.behaviour import Mind, Response
from cadenza.sandbox.contracts import Person, World
from cadenza.sandbox.letters import mailto, read_letter
from cadenza.sandbox.loopback_http import request
from cadenza.sandbox.mail_programs import absence_note, envelope, program_of, reply_mail
from cadenza.sandbox.mail_store import MailStore
from cadenza.sandbox.notices import bounce_notice, complaint_report
from cadenza.sandbox.people import newcomer, people
from cadenza.sandbox.smtp_server import Accepted
from cadenza.sandbox.writing import Written, write

_LOOK_AGAIN_SECONDS = 0.2  # the clock may be made faster while we sleep
_FALL = 0.8  # what an overfull day leaves of a domain's reputation
_PROXIES = (
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
    "Mozilla/5.0",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
)
_SCANNERS = (
    "Mozilla/5.0 (compatible; BarracudaCentral)",
    "Mimecast URL Protect",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 SafeLinks",
)
_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.3 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0",
)

log = logger(__name__)


class Prospects:
    """Give it what is accepted (``take``), and let ``run`` act on it until told to stop."""

    def __init__(self, world: World, store: MailStore, clock: WorldClock, done: Path) -> None:
        self.everybody = people(world)
        self._world = world
        self._store = store
        self._clock = clock
        segments = {segment.name: segment for segment in world.segments}
        self._minds = {p.email: Mind(world, segments[p.segment], p) for p in self.everybody}
        self._colleagues: dict[str, list[Person]] = defaultdict(list)
        for person in self.everybody:
            self._colleagues[person.domain].append(person)
        self._companies = frozenset(self._colleagues)
        self._mailboxes: set[str] = set()
        self._due: list[tuple[float, int, Response]] = []
        self._order = itertools.count()
        self._written: set[str] = set()
        self._texts: dict[str, Written] = {}
        self._originals: dict[int, bytes] = {}
        self._load: Counter[tuple[str, date]] = Counter()
        self._done_path = done
        self._done = set(done.read_text().split("\n")) if done.exists() else set()
        self._fetching: set[asyncio.Task[None]] = set()

    def serve(self, mailboxes: Sequence[str]) -> None:
        """These addresses are the provider's own customers: mail among them simply arrives."""
        self._mailboxes = {address.lower() for address in mailboxes}
        self._companies |= {address.rpartition("@")[2] for address in self._mailboxes}

    def refuse(self, address: str) -> str | None:
        """The answer to RCPT for addresses that are not there; half of the dead ones are found out only later."""
        if address in self._mailboxes:
            return None
        mind = self._mind(address)
        if mind is None or (mind.person.dead and mind.person.number % 2 == 0):
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        return None

    def _mind(self, address: str) -> Mind | None:
        """Who reads this address. None at a company of the world that has nobody of this name.

        People whom a user imported are no part of the world, and answer all the same: a first try should not bounce.
        """
        domain = address.rpartition("@")[2]
        if address not in self._minds and domain and domain not in self._companies:
            person = newcomer(self._world, address)
            self._minds[address] = Mind(self._world, self._world.segments[0], person)
            self._colleagues[domain].append(person)
        return self._minds.get(address)

    def take(self, entry: Accepted) -> None:
        """Decide what will come of a message. Called once for each in ledger order, again after a restart."""
        letter = read_letter(entry)
        if letter.recipient in self._mailboxes:
            self._deliver(letter.recipient, f"ledger {entry.number}", entry.content)
            return
        mind = self._mind(letter.recipient)
        if mind is None or letter.automatic:
            return
        domain = letter.sender.rpartition("@")[2]
        self._load[domain, letter.at.date()] += 1
        self._originals[letter.number] = entry.content
        for response in mind.receive(letter, self._reputation(domain, letter.at.date())):
            self._prepare(response, mind)
            if not self._happened(response):
                heapq.heappush(self._due, (response.at.timestamp(), next(self._order), response))

    def _reputation(self, domain: str, today: date) -> float:
        """Falls with every day above the safe number, and comes back within the recovery days."""
        safe = self._world.safe_per_domain_day
        if safe is None:
            return 1.0
        value = 1.0
        days = sorted(day for name, day in self._load if name == domain)
        for day, following in itertools.pairwise([*days, today]):
            if self._load[domain, day] > safe:
                value *= _FALL
                continue
            value = min(1.0, value + max((following - day).days, 1) / self._world.recovery_days)
        return value * _FALL if self._load[domain, today] > safe else value

    def _prepare(self, response: Response, mind: Mind) -> None:
        """Find the words now, in ledger order, so that a restart finds the same ones."""
        mind.own_ids.add(self._message_id(response, mind.person))
        if response.kind not in {"reply", "absence"}:
            return
        others = [p for p in self._colleagues[mind.person.domain] if p is not mind.person and not p.dead]
        for attempt in range(20):
            luck = random.Random(f"{self._world.seed}|words|{response.key}|{attempt}")
            written = write(response, mind.person, others, luck)
            if written.body not in self._written or attempt == 19:
                self._written.add(written.body)
                self._texts[response.key] = written
                return

    def _message_id(self, response: Response, person: Person) -> str:
        luck = random.Random(f"{self._world.seed}|id|{response.key}")
        return f"<{luck.getrandbits(96):024x}@{person.domain}>"

    def _happened(self, response: Response) -> bool:
        return response.key in self._done

    # Acting.

    async def run(self, stop: asyncio.Event) -> None:
        """Until ``stop``; what was due while we were away happens first."""
        while not stop.is_set():
            now = self._clock.now().timestamp()
            while self._due and self._due[0][0] <= now:
                self._act(heapq.heappop(self._due)[2])
            try:
                await asyncio.wait_for(stop.wait(), _LOOK_AGAIN_SECONDS)
            except TimeoutError:
                continue
        for task in tuple(self._fetching):
            task.cancel()
        await asyncio.gather(*self._fetching, return_exceptions=True)

    @property
    def waiting(self) -> int:
        """Responses that have not happened yet."""
        return len(self._due)

    def _act(self, response: Response) -> None:
        person = self._minds[response.letter.recipient].person
        if response.kind in {"open", "click", "machine_open", "machine_click", "stop_post"}:
            task = asyncio.create_task(self._fetch(response))
            self._fetching.add(task)
            task.add_done_callback(self._fetching.discard)
        elif response.kind == "stop_mail":
            to, subject = mailto(response.letter.unsubscribe_mail or "")
            mail = envelope(person, to, subject, response.at, self._message_id(response, person))
            mail.set_content("unsubscribe\n")
            self._deliver(to, response.key, mail.as_bytes())
        else:
            self._deliver(response.letter.sender, response.key, self._mail(response, person))

    def _mail(self, response: Response, person: Person) -> bytes:
        message_id = self._message_id(response, person)
        if response.kind == "bounce":
            return bounce_notice(response, person, self._originals[response.letter.number], message_id)
        if response.kind == "complaint":
            return complaint_report(response, person, self._originals[response.letter.number], message_id)
        written = self._texts[response.key]
        if response.kind == "absence":
            return absence_note(response, person, written, message_id).as_bytes()
        program = program_of(person, self._world.seed)
        return reply_mail(response, person, written, program, message_id).as_bytes()

    def _deliver(self, mailbox: str, key: str, content: bytes) -> None:
        """Into the mailbox; a key arrives once, whatever happened before."""
        if mailbox.lower() not in self._mailboxes:
            log.warning("no_such_mailbox", key=key)
            return
        inbox = self._store.account(mailbox).folders["INBOX"]
        inbox.append_once(key, content, self._clock.now())

    async def _fetch(self, response: Response) -> None:
        letter, luck = response.letter, random.Random(response.key)
        if response.kind == "stop_post" and letter.unsubscribe_url:
            form = b"List-Unsubscribe=One-Click"
            await request(
                "POST",
                letter.unsubscribe_url,
                agent="Mail provider",
                body=form,
                content_type="application/x-www-form-urlencoded",
            )
        elif response.kind == "machine_click":
            stop = [letter.unsubscribe_url] if letter.unsubscribe_url else []
            agent, method = luck.choice(_SCANNERS), luck.choice(("GET", "HEAD"))
            for url in (*letter.links, *stop):
                await request(method, url, agent=agent)
        elif response.kind == "click":
            await request("GET", luck.choice(letter.links), agent=luck.choice(_BROWSERS))
        else:
            agents = _PROXIES if response.kind == "machine_open" else _BROWSERS
            for url in letter.images:
                await request("GET", url, agent=luck.choice(agents))
        self._note_done(response.key)

    def _note_done(self, key: str) -> None:
        """Requests leave no trace on our side, so they are noted."""
        self._done.add(key)
        with self._done_path.open("a") as file:
            file.write(key + "\n")
