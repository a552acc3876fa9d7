"""Fault rules as plans have them: every fault, for every kind of request, with every condition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldens.dice import Dice

#: Fault -> how it is written with settings of its own, small ones first.
FAULTS: Final[Mapping[str, tuple[str, ...]]] = {
    "body": ("body", "body 200 'all is well' text/plain", "body 503 '{\"success\":false}'"),
    "bom": ("bom",),
    "bomb": ("bomb 1",),
    "charset": ("charset", "charset latin-1", "charset cp037"),
    "chunk": ("chunk",),
    "close": ("close",),
    "corrupt": ("corrupt",),
    "cut": ("cut", "cut 0", "cut 99"),
    "deep": ("deep 60", "deep"),
    "drip": ("drip 1000", "drip", "drip 0.5"),
    "empty": ("empty", "empty 204", "empty 500"),
    "extra": ("extra",),
    "filename": ("filename", "filename l\u00e4mp.png"),
    "garbled": ("garbled",),
    "gzip": ("gzip",),
    "hang": ("hang", "hang 3", "hang 0.5"),
    "html": ("html", "html 503", "html 200"),
    "http": ("http", "http 502", "http 404", "http 599"),
    "huge": ("huge 1",),
    "id": ("id", "id null", "id number", "id object", "id other"),
    "idle": ("idle",),
    "length": ("length", "length -10"),
    "mediatype": ("mediatype", "mediatype text/plain"),
    "mistype": ("mistype", "mistype data.status", "mistype data.id"),
    "mixed": ("mixed",),
    "nan": ("nan",),
    "nodata": ("nodata",),
    "progress": ("progress", "progress falling", "progress 250", "progress null", "progress soon"),
    "redirect": ("redirect", "redirect 301 here", "redirect 303"),
    "refuse": ("refuse", "refuse 422 'no ink'", "refuse 402 'Insufficient balance'"),
    "reset": ("reset",),
    "result": ("result", "result empty", "result blank", "result relative", "result elsewhere", "result gone"),
    "shout": ("shout",),
    "stall": ("stall",),
    "throttle": ("throttle", "throttle date", "throttle none", "throttle soon", "throttle 0"),
    "truncate": ("truncate", "truncate 5"),
    "twice": ("twice",),
    "unsuccessful": ("unsuccessful", "unsuccessful 'no ink'"),
    "warning": ("warning",),
    "word": ("word", "word after"),
}

#: Faults that came later. They have stories of their own alone, so that the others stay as they are.
LATER: Final[Mapping[str, tuple[str, ...]]] = {
    "remove": ("remove", "remove data.result", "remove error.message"),
    "set": ("set", 'set data.error {"message":"no ink"}', "set data.id 1e+19", "set data.status 45%"),
    "status": ("status", "status 201", "status 500"),
}

#: What a rule can be about.
KINDS: Final = ("submit", "poll", "image", "balance", "image_generation", "task_status", "video_generation")

#: Conditions that a rule can have.
CONDITIONS: Final = (
    "",
    " 50%",
    " every 2",
    " workflow=rr3",
    " operation=image_editing",
    ' prompt="a lamp"',
    " width=512",
    " 2-6s",
    " 3-s",
    " over 2/s",
    " every 3 20%",
    " workflow=default 80%",
    " api_key=nobody",
)

#: Texts that are no rules.
WRONG: Final = (
    "",
    "poll",
    "poll: ",
    "poll#0: http",
    "poll#3-2: http",
    "poll#x: http",
    "polls: http 502",
    "upload: http 502",
    "poll: htp 502",
    "poll: http 200",
    "poll: 502",
    "poll: timeout",
    "poll: http 502 503",
    "poll: 'http",
    "poll 0%: http",
    "poll 5-2s: http",
    "poll over 0/s: http",
    "poll sometimes: http",
    "poll every 2 every 3: http",
    "poll http 502",
    "submit: id 5",
    "submit: cut 100 after",
    "image: truncate -1",
    "poll: body 204",
    "poll: after",
    "poll: throttle \u00e4",
)


def fault(dice: Dice) -> str:
    """Any fault, with some setting."""
    return dice.pick(FAULTS[dice.pick(list(FAULTS))])


def rule(dice: Dice, kinds: tuple[str, ...] = KINDS) -> str:
    """Any rule."""
    first = dice.whole(1, 3)
    number = dice.pick(["", "", f"#{first}", f"#{first}-{first + 2}", f"#{first}-"])
    condition = dice.pick(CONDITIONS) if dice.chance(0.5) else ""
    return f"{dice.pick(kinds)}{number}{condition}: {fault(dice)}{dice.pick(['', '', ' before', ' after'])}"
