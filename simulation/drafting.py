"""Draws histories: what there is, what people do, and what fails, each seed another one."""

from __future__ import annotations

from random import Random

from .plan import Action, Fault, Node, Plan

_READS = ("status", "result")
_PROMPTS = ("a fox", "an owl", "a hare", "a seal", "a crow", "a lynx", "a mole", "a newt")
_REFERENCE = "https://files.example.com/reference.png"
# Kinds of trouble by kind of call, with how often each is drawn.
_TROUBLES: dict[str, tuple[tuple[str, int], ...]] = {
    "submit": (
        ("refused", 3), ("lost", 5), ("broken", 3), ("late", 2), ("slow", 2), ("hang", 1), ("hang_after", 2),
        ("busy", 3), ("status", 2), ("status_after", 3), ("garbage", 2), ("page", 1), ("cut", 1),
        ("killed_before", 3), ("killed_after", 4),
    ),
    "read": (
        ("refused", 2), ("lost", 2), ("broken", 1), ("late", 2), ("slow", 1), ("hang", 1), ("busy", 2),
        ("status", 3), ("garbage", 1), ("page", 1), ("cut", 1), ("twice", 1), ("echo", 1), ("killed_after", 2),
    ),
    "cancel": (
        ("refused", 1), ("lost", 2), ("broken", 1), ("late", 2), ("status", 2), ("twice", 1), ("killed_after", 1),
    ),
    "file": (
        ("refused", 1), ("lost", 1), ("cut", 2), ("flipped", 2), ("status", 2), ("late", 1), ("hang", 1),
        ("file_missing", 2), ("killed_after", 2), ("busy", 1),
    ),
}  # fmt: skip
# About how many calls of a kind a history makes.
_USUAL_CALLS = {"submit": 6, "status": 20, "result": 6, "cancel": 2, "file": 8}
_FATES = (
    ("fails", 3), ("fails_late", 2), ("blocked", 3), ("fewer", 2), ("sizes", 2), ("queued_long", 3),
    ("runs_long", 2), ("cost_late", 3), ("cost_never", 2), ("forgotten", 1),
)  # fmt: skip
# All nodes begin; more than so many at a time, later, would take most of the time.
_LATER_NODES = 3
_ACTIONS = (
    ("again", 8), ("run", 7), ("wait", 8), ("stop", 6), ("seed", 3), ("restart", 3), ("kill", 4), ("collect", 4),
    ("clock", 1), ("later", 1), ("switch", 1), ("power", 1), ("balance", 1),
)  # fmt: skip


class Draft:
    """A history that is being drawn."""

    def __init__(self, random: Random) -> None:
        self.actions: list[Action] = []
        self.faults: list[Fault] = []
        self.accounts = random.choice((1, 1, 1, 1, 2, 2, 3))
        count = random.choice((1, 1, 1, 2, 2, 3))
        self.processes = [random.randrange(self.accounts) if random.random() < 0.4 else 0 for _ in range(count)]
        self.nodes = [_node(random, number) for number in range(_node_count(random))]
        self.budget: float | None = None
        self.kept = random.random() < 0.9
        self.hour = random.choice((0.0, 10.0, 15.0, 23.999))
        if random.random() < 0.2:
            self.set_budget(random)

    def act(
        self, do: str, after: float = 0.5, process: int = 0, nodes: tuple[int, ...] = (), value: float = 0
    ) -> None:
        """Add an action at the end."""
        self.actions.append(Action(round(after, 2), do, process, nodes, value))

    def insert(self, do: str, random: Random) -> None:
        """Add an action somewhere after the first."""
        place = random.randrange(1, len(self.actions) + 1) if self.actions else 0
        process = random.randrange(len(self.processes))
        self.actions.insert(place, Action(round(random.random() * 6, 2), do, process))

    def then(self, *actions: str, value: float = 0) -> None:
        """Add actions of two processes at the end."""
        for do in actions:
            for process in range(min(2, len(self.processes))):
                nodes = tuple(range(len(self.nodes)))[:_LATER_NODES] if do in ("run", "seed") else ()
                self.act(do, process=process, nodes=nodes, value=value if do == "later" else 0)

    def fault(self, at: str, kind: str, *, nth: int = 0, times: int = 1, value: float = 0) -> None:
        """Add a fault, before those that are there already."""
        self.faults.insert(0, Fault(at, kind, nth, times, value))

    def disk(self, kind: str, *, begins: float, seconds: float) -> None:
        """Add a condition of the disk."""
        self.faults.append(Fault("disk", kind, value=round(seconds, 2), begins=round(begins, 2)))

    def set_budget(self, random: Random) -> None:
        """Set a budget that a few jobs use up."""
        self.budget = random.choice((0.0, 0.07, 0.2, 0.3, 0.5, 1.0))

    def change_nodes(self, random: Random, **values: object) -> None:
        """Give some of the nodes other inputs."""
        self.nodes = [
            Node(node.model, {**node.values, **values}) if number == 0 or random.random() < 0.5 else node
            for number, node in enumerate(self.nodes)
        ]

    def many_alike(self, random: Random, **values: object) -> None:
        """Begin with many nodes of one kind at once."""
        count = random.randrange(4, 9)
        self.nodes = [Node(0, {"prompt": _PROMPTS[number], **values}) for number in range(count)]
        self.actions.insert(0, Action(0.0, "run", 0, tuple(range(count))))

    def both_models(self) -> None:
        """Have nodes of both models, and begin with them."""
        edit = Node(1, {"prompt": _PROMPTS[1], "image_urls": _REFERENCE})
        self.nodes = [Node(0, {"prompt": _PROMPTS[0]}), edit, *self.nodes[2:]]
        self.actions.insert(0, Action(0.0, "run", 0, (0, 1)))

    def begin_with(self, do: str, after: float) -> None:
        """Let something happen right after the first action."""
        self.actions.insert(1, Action(round(after, 2), do))

    def two_processes(self) -> None:
        """Have at least two processes of one account."""
        self.processes = [self.processes[0], self.processes[0], *self.processes[2:]]

    def begin_with_twins(self) -> None:
        """Let two processes begin with the same nodes."""
        nodes = tuple(range(len(self.nodes)))
        self.actions = [Action(0.0, "run", 0, nodes), Action(0.3, "run", 1, nodes)]

    def plan(self, seed: int, rows: frozenset[str]) -> Plan:
        """Return the history."""
        return Plan(
            seed, self.accounts, tuple(self.processes), tuple(self.nodes), tuple(self.actions), tuple(self.faults),
            self.budget, self.kept, self.hour, rows,
        )  # fmt: skip


def draw_base(random: Random) -> Draft:
    """Draw a history of what the pack has always promised to hold."""
    draft = Draft(random)
    _draw_actions(draft, random)
    for _ in range(random.choice((0, 0, 1, 1, 2, 2, 3, 4))):
        _draw_trouble(draft, random)
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        kind = _pick(random, _FATES)
        draft.fault("job", kind, nth=random.randrange(5), value=_seconds_of_fate(kind, random))
    if random.random() < 0.15:
        draft.begin_with("stop", after=random.random() * 3)
        draft.fault(
            "cancel", random.choice(("lost", "hang", "late", "status")), times=9, value=random.choice((4, 503))
        )
    if random.random() < 0.12:
        draft.fault(random.choice(("journal", "journal", "kept")), "killed", nth=random.randrange(25))
    if random.random() < 0.1:
        kind = random.choice(("locked", "full", "read_only"))
        draft.disk(kind, begins=random.random() * 12, seconds=random.random() ** 2 * 20)
    return draft


def _draw_actions(draft: Draft, random: Random) -> None:
    draft.act("run", after=0, nodes=_some(random, len(draft.nodes)))
    if len(draft.processes) > 1 and random.random() < 0.5:
        draft.act("run", after=random.random(), process=1, nodes=draft.actions[0].nodes)
    for _ in range(random.choice((0, 1, 2, 2, 3, 4, 5, 6))):
        do = _pick(random, _ACTIONS)
        nodes = _some(random, len(draft.nodes))[:_LATER_NODES] if do in ("run", "seed") else ()
        after = random.random() * random.choice((0.1, 1, 4, 10))
        draft.act(do, after, random.randrange(len(draft.processes)), nodes, _value_of_action(do, random))


def _value_of_action(do: str, random: Random) -> float:
    match do:
        case "clock":
            return float(random.choice((-90000, -7200, -120, 300)))
        case "later":
            return float(random.choice((600, 7300, 50000)))
        case "collect" | "balance":
            return round(random.random(), 2) if do == "collect" else float(random.choice((0, 1)))
        case "switch":
            return float(random.randrange(3))
    return 0.0


def _draw_trouble(draft: Draft, random: Random) -> None:
    at = random.choice(("submit", "submit", "status", "result", "cancel", "file"))
    kind = _pick(random, _TROUBLES["read" if at in _READS else at])
    times = random.choice((1, 1, 1, 2, 3, 8)) if not kind.startswith("killed") else 1
    value = 0.0
    match kind:
        case "late" | "slow":
            value = float(random.choice((0.3, 2, 7, 40, 150)))
        case "busy":
            value = float(random.choice((0, 0.5, 2, 20)))
        case "status":
            value = float(random.choice((500, 502, 503, 504)))
        case "status_after":
            value = float(random.choice((500, 502, 504)))
        case "file_missing":
            value, times = float(random.choice((403, 404))), min(times, 3)
    draft.fault(at, kind, nth=random.randrange(_USUAL_CALLS[at]), times=times, value=value)


def _seconds_of_fate(kind: str, random: Random) -> float:
    match kind:
        case "queued_long" | "runs_long":
            return round(random.choice((15, 40, 120)) * random.random(), 1) + 5
        case "cost_late":
            return round(random.random() * 6, 1)
        case "forgotten":
            return 5000.0
    return 0.0


def _node(random: Random, number: int) -> Node:
    # A few nodes ask for the same.
    values: dict[str, object] = {"prompt": _PROMPTS[number if random.random() < 0.85 else 0]}
    if random.random() < 0.3:
        values["num_images"] = random.choice((2, 3, 4))
    model = int(random.random() < 0.3)
    if model:
        values["image_urls"] = _REFERENCE
        if random.random() < 0.2:
            values["sync_mode"] = True
    return Node(model, values)


def _node_count(random: Random) -> int:
    return random.choice((1, 1, 1, 2, 2, 3, 4)) if random.random() < 0.9 else random.randrange(1, 9)


def _some(random: Random, count: int) -> tuple[int, ...]:
    """Return some of the nodes, at least one."""
    return tuple(number for number in range(count) if random.random() < 0.7) or (random.randrange(count),)


def _pick(random: Random, weighted: tuple[tuple[str, int], ...]) -> str:
    return random.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]
