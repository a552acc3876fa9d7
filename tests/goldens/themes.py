"""The stories of each theme, drawn from chance alone: which sessions there are, and what is said to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from goldens import breaking, chats, rules, specs
from goldens.asking import PATHS, SUBMITS, WAYS, ask, balance, poll, request, submit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from goldens.asking import Object
    from goldens.dice import Dice

    #: A spec and the steps of one story.
    Story = tuple[Object, Iterable[Object]]


def alone(session: Object, **more: object) -> Object:
    """The spec of a service with one session."""
    return {"seed": 1, "sessions": [session], **more}


def _axis(session: Object) -> str:
    return str(session["profile"]["axis"])


def axes(dice: Dice) -> Iterator[Story]:
    """How tasks live: three axes, task profiles, overrides, engine slots."""
    for number in range(30):
        axis = ("seconds", "polls", "ticks")[number % 3]
        yield alone(specs.session(dice, axis=axis)), chats.talk(dice, axis, 8)


def money(dice: Dice) -> Iterator[Story]:
    """What is paid and returned."""
    for _ in range(20):
        session = specs.session(dice, **specs.money(dice))
        yield alone(session), _bought(dice, _axis(session))


def _bought(dice: Dice, axis: str) -> Iterator[Object]:
    yield balance()
    for task in range(4):
        yield submit(dice, dice.pick(SUBMITS))
        yield from chats.watched(dice, axis, task, 2)
        yield balance()
    yield {"do": "fail", "session": 0, "task": 0}
    yield balance()


def dialects(dice: Dice) -> Iterator[Story]:
    """Each way in which a server may speak, to legal and to broken requests."""
    for vocabulary in ("published", "plain"):
        for errors in ("object", "string", "message"):
            for limits in ("reject", "clamp"):
                profile = {"axis": "polls", "queued": 1, "running": 1, "fail_nth": [2]}
                said = {"vocabulary": vocabulary, "errors": errors, "limits": limits, "profile": profile}
                yield alone({"key": specs.KEYS[0], **said}), _spoken(dice)


def _spoken(dice: Dice) -> Iterator[Object]:
    for task, path in enumerate(PATHS):
        yield submit(dice, path=path, members={"workflow": ("default", "rr3", "grok")[task]})
        yield from chats.watched(dice, "polls", task, 3)
    yield ask("POST", "image_generation", document={"prompt": "a", "width": 5000, "steps": 99})
    for way in ("none", "wrong", "misnamed"):
        yield balance(way=way)
    for _ in range(4):
        yield breaking.broken(dice)


def plans(dice: Dice) -> Iterator[Story]:
    """Random plans, in every dialect."""
    for _ in range(40):
        session = specs.session(dice, **specs.dialect(dice))
        session["plan"] = [rules.rule(dice) for _ in range(dice.whole(1, 4))]
        yield alone(session), chats.talk(dice, _axis(session), 7)


def each_fault(dice: Dice) -> Iterator[Story]:
    """Each fault, before and after, for each kind of request."""
    for name, written in {**rules.FAULTS, **rules.LATER}.items():
        profile = {"axis": "polls", "queued": 1, "running": 1, "fail_nth": [3]}
        plan = [f"balance#1: {name if name not in _SMALL else written[0]}", *_struck(written)]
        yield alone({"key": specs.KEYS[1], "profile": profile, "plan": plan}), _hit(dice)


#: Faults that are large unless they are told otherwise.
_SMALL: Final = ("bomb", "huge", "deep")


def _struck(written: tuple[str, ...]) -> Iterator[str]:
    last = written[-1]
    yield from (f"submit#1: {written[0]} before", f"submit#2: {last} after", f"submit#3: {last}")
    yield from (f"poll#{number}: {fault}" for number, fault in enumerate(written, 1))
    yield from (f"poll#5: {last} before", f"poll#6: {last} after")


def _hit(dice: Dice) -> Iterator[Object]:
    yield balance()
    for _ in range(4):
        yield submit(dice)
    for number in range(6):
        yield poll(0)
        yield poll(1) if number % 2 else poll(2)
    yield ask("GET", "task_status", parameters="task_id=nobody")
    yield balance(way="wrong")


def directives(dice: Dice) -> Iterator[Story]:
    """What prompts say about their tasks."""
    for number in range(20):
        session = {**specs.session(dice), **({"directives": False} if number % 10 == 9 else {})}
        yield alone(session), _directed(dice, _axis(session))


#: What stands within `[[safelight ...]]`.
_SAID: Final = (
    "queued=1 running=2", "fail='no ink' axis=polls", "fail=true", "id=mine", "axis=ticks queued=1", "running=never",
    "poll#2: http 502", "poll#1: word glowing", "submit: http 503", "submit: reset after", "image: corrupt",
    "submit#1: garbled", "poll every 2: throttle 1", "poll#2: mistype data.status", "",
)  # fmt: skip
_MISSAID: Final = (
    "queued", "queued=soon", "running = 5", "fail=", "axis=time", "speed=2", "poll: htp", "balance: http",
    "submit#2: http", "poll#2 http 502", "id='", "queued=1 queued=2", "poll: 502", "nonsense", "id=", "runing=5",
)  # fmt: skip


def _directed(dice: Dice, axis: str) -> Iterator[Object]:
    for task in range(4):
        texts = [f"[[safelight {dice.pick(_SAID)}]]" for _ in range(dice.whole(1, 2))]
        operation = dice.pick(SUBMITS)
        yield submit(dice, operation, members={"prompt": f"a lamp {' lit '.join(texts)} [[by night]]"})
        yield from chats.watched(dice, axis, task, 3)
        wrong = dice.pick(
            [f"[[safelight {dice.pick(_MISSAID)}]]", f"[[SAFELIGHT {dice.pick(_MISSAID)}]] a", "[[safelight"]
        )
        yield submit(dice, operation, members={"prompt": wrong})


def keys(dice: Dice) -> Iterator[Story]:
    """Each way of sending the key, for several sessions side by side; keys in prompts and paths."""
    for number in range(18):
        sessions = [specs.session(dice, key=key) for key in (specs.KEYS[number % 6], specs.KEYS[(number + 1) % 6])]
        sessions[1]["revoked"] = number % 5 == 0
        yield {"seed": 3, "sessions": sessions}, _isolated(dice, list(WAYS)[number % 6 :: 3])
    for number in range(4):
        guests = [{"key": key, "is_guest": True} for key in specs.KEYS[number : number + 3]]
        yield {"seed": 4, "any_key": True, "sessions": guests}, _isolated(dice, list(WAYS)[number::2])


def _isolated(dice: Dice, ways: list[str]) -> Iterator[Object]:
    for session in (0, 1):
        yield submit(dice, session=session)
    for way in ways:
        session = dice.whole(0, 1)
        yield poll(dice.whole(0, 1), session=session, way=way)
        yield balance(session=session, way=way)
        yield submit(dice, session=session, way=way, members={"prompt": "my keys: {jkey:0}, {jkey:1}"})
    yield request("GET", "/{qkey:0}/{qkey:1}", "key={qkey:0}", headers={"x-note": "{key:0}", "cookie": "a={key:1}"})
    yield {"do": "revoke", "session": 0}
    yield balance()
    yield poll(0, way="bearer")


def broken(dice: Dice) -> Iterator[Story]:
    """Each request that breaks something, in each dialect."""
    texts = map(_text, (*breaking.TEXTS, *breaking.VALUES))
    steps = [*_documents(), *texts, *map(breaking.strayed, breaking.LOST)]
    for first in range(0, len(steps), 12):
        yield alone(specs.session(dice, axis="polls", **specs.dialect(dice))), steps[first : first + 12]
    for _ in range(12):
        session = specs.session(dice, **specs.dialect(dice), plan=[rules.rule(dice)])
        yield alone(session), [breaking.broken(dice, way=dice.pick(chats.GOOD_WAYS)) for _ in range(14)]


def _documents() -> Iterator[Object]:
    for operation, documents in breaking.DOCUMENTS.items():
        yield from (ask("POST", operation, document=document) for document in documents)


def _text(text: object) -> Object:
    return ask("POST", "image_generation", text=text)


#: Theme -> its stories.
FIRST: Final[Mapping[str, Callable[[Dice], Iterator[Story]]]] = {
    "axes": axes,
    "money": money,
    "dialects": dialects,
    "plans": plans,
    "each-fault": each_fault,
    "directives": directives,
    "keys": keys,
    "broken": broken,
}
