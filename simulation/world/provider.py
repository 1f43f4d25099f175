"""The provider: accounts, a queue, a price list, and the books that every history is judged by."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from . import forms
from .drawing import draw
from .forms import Form, JSONObject, Refusal

FILE_HOST = "https://playgrounds-storage-public.runcomfy.net"
BARE_HOST = "https://runcomfy.net"
UNIT_PRICES = {"google/nano-banana-2/text-to-image": 0.07, "google/nano-banana/pro/edit": 0.15}
FACTORS = {"2K": 1.5, "4K": 3.4}


@dataclass(frozen=True)
class Fate:
    """What becomes of a job. ``value`` is in seconds, or a number of images, as its kind says."""

    kind: str = "works"
    value: float = 0.0


@dataclass
class Job:
    """An accepted job. Times are the world's seconds; ``run`` is the run of the pack that posted it."""

    request_id: str
    account: Account
    model_id: str
    body: JSONObject
    run: object
    form: Form
    fate: Fate
    accepted: float
    starts: float
    ends: float
    price: float
    posted: float = 0.0
    wall: float = 0.0
    cancelled: float | None = None

    def state(self, now: float) -> str:
        """Return one of ``in_queue``, ``in_progress``, ``completed``, ``failed``, ``cancelled``."""
        if self.cancelled is not None:
            return "cancelled"
        if now < self.starts:
            return "in_queue"
        if now < self.ends:
            return "in_progress"
        return "failed" if self.fate.kind in ("fails", "fails_late", "fails_charged") else "completed"

    @property
    def images(self) -> int:
        """How many images it makes."""
        asked = self.body.get("num_images", 1)
        count = asked if isinstance(asked, int) else 1
        match self.fate.kind:
            case "blocked" | "blocked_no_cost" | "fails" | "fails_late" | "fails_charged":
                return 0
            case "fewer":
                return max(1, count - 1)
        return count

    @property
    def billed(self) -> bool:
        """Whether it is charged for, now or at its end."""
        return self.cancelled is None and self.fate.kind not in ("fails", "fails_late")

    @property
    def cost(self) -> float:
        """What is charged, in USD."""
        return self.price if self.billed else 0.0

    def files(self) -> list[bytes]:
        """Return its images as files, in order."""
        return [
            draw(f"{self.request_id}/{index}", index if self.fate.kind == "sizes" else 0)
            for index in range(self.images)
        ]

    def is_gone(self, now: float) -> bool:
        """Whether the provider has forgotten it."""
        return self.fate.kind == "forgotten" and now > self.accepted + self.fate.value

    def files_are_gone(self, now: float) -> bool:
        """Whether its files have expired."""
        return self.is_gone(now) or (self.fate.kind == "expires" and now > self.ends + self.fate.value)

    def deliverable(self, now: float) -> bool:
        """Whether its images can be had of the provider."""
        whole = any(not self.broken(index) for index in range(self.images))
        return self.billed and whole and not self.is_unread and not self.files_are_gone(now)

    @property
    def is_unread(self) -> bool:
        """Whether its result has a form that no client knows."""
        return self.fate.kind == "output_unread"

    @property
    def is_unreadable(self) -> bool:
        """Whether nobody can make an image of what it has."""
        broken = [self.broken(index) == "damaged" for index in range(self.images)]
        return self.is_unread or (bool(broken) and all(broken))

    def broken(self, index: int) -> str:
        """Return what is wrong with a file: nothing, ``damaged``, or the HTTP status of its absence."""
        if self.fate.kind == "file_damaged" and index == self.images - 1:
            # What is in the answer itself can be damaged, and not absent.
            return "404" if self.fate.value and self.body.get("sync_mode") is not True else "damaged"
        return ""


@dataclass(eq=False)
class Account:
    """One account of the provider, and its tokens: the last one is good."""

    number: int
    tokens: list[str]
    has_balance: bool = True

    @property
    def token(self) -> str:
        """The token that is good now."""
        return self.tokens[-1]


class Provider:
    """Answers calls as the API does. ``now`` tells the world's seconds; ``fate`` what becomes of the next job."""

    def __init__(
        self,
        random: Random,
        now: Callable[[], float],
        accounts: int,
        form: Callable[[], Form],
        fate: Callable[[], Fate],
    ) -> None:
        self.accounts = [Account(number, [f"token-of-account-{number}-a"]) for number in range(accounts)]
        self.jobs: dict[str, Job] = {}
        self.price_unit = "output"
        self._random = random
        self._now = now
        self._form = form
        self._fate = fate

    def account_of(self, token: str) -> Account:
        """Return the account of a token.

        Raises:
            Refusal: there is none, or the token was renewed.
        """
        for account in self.accounts:
            if token == account.token:
                return account
        raise Refusal(forms.BAD_TOKEN, "The API token is missing, invalid or expired.")

    def submit(self, token: str, model_id: str, body: JSONObject, run: object) -> Job:
        """Accept a job.

        Raises:
            Refusal.
        """
        account = self.account_of(token)
        if not account.has_balance:
            raise Refusal(forms.NO_BALANCE, "The account's balance is used up.")
        fate, now = self._fate(), self._now()
        starts = now + (self._random.random() * 3 if fate.kind != "queued_long" else fate.value)
        ends = starts + (0.5 + self._random.random() ** 2 * 8 if fate.kind != "runs_long" else fate.value)
        job = Job(
            f"r{len(self.jobs) + 1}", account, model_id, body, run, self._form(), fate, now, starts, ends, 0.0
        )
        job.price = true_price(model_id, body, job.images or 1)
        self.jobs[job.request_id] = job
        return job

    def find(self, token: str, request_id: str) -> Job:
        """Return a job of the token's account.

        Raises:
            Refusal: not known, or of another account.
        """
        account = self.account_of(token)
        job = self.jobs.get(request_id)
        if job is None or job.is_gone(self._now()):
            raise Refusal(forms.NO_SUCH_REQUEST, "There is no such request, or it has expired.")
        if job.account is not account:
            raise Refusal(forms.NOT_YOURS, "The request belongs to another account.")
        return job

    def cancel(self, job: Job) -> bool:
        """Cancel a queued job, and return whether it is cancelled."""
        if job.state(self._now()) == "in_queue":
            job.cancelled = self._now()
        return job.cancelled is not None

    def file(self, url: str) -> tuple[Job, int] | None:
        """Return which job's which file lies at an address; None where none does."""
        request_id, _, name = url.rpartition("/files/")[2].partition("/")
        job = self.jobs.get(request_id)
        if job is None or job.state(self._now()) != "completed" or job.files_are_gone(self._now()):
            return None
        index = int(name.partition(".")[0])
        return (job, index) if index < job.images else None

    def billed(self) -> Iterator[Job]:
        """Yield the jobs that are charged for, in order of acceptance."""
        return (job for job in self.jobs.values() if job.billed)


def true_price(model_id: str, body: Mapping[str, object], images: int) -> float:
    """Return what a job costs in USD: more than its base price where the resolution is high."""
    return round(UNIT_PRICES[model_id] * images * FACTORS.get(str(body.get("resolution")), 1.0), 4)


def urls(job: Job) -> list[str]:
    """Return where the files of a job lie."""
    host = BARE_HOST if job.form.bare_host else FILE_HOST
    return [f"{host}/files/{job.request_id}/{index}.png" for index in range(job.images)]


def uris(job: Job) -> list[str]:
    """Return the files of a job as its result has them: addresses, or data URIs where it asked for them."""
    if job.body.get("sync_mode") is not True:
        return urls(job)
    files = [file[: len(file) // 2] if job.broken(index) else file for index, file in enumerate(job.files())]
    return [f"data:image/png;base64,{b64encode(file).decode()}" for file in files]
