"""The settings of a fake as options of a command: `serve` and `exec` share them, the config file uses their names."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import randrange
from typing import TYPE_CHECKING, Any, Final

import click

from safelight.cli._config import LIFE, conflict, is_from_file, read_config, workflow_lives
from safelight.cli._toml import MOST_DIGITS, TOO_MANY_DIGITS
from safelight.cli._users import config_users

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.applications import Starlette

    from safelight.mockserver.control.control import Control
    from safelight.mockserver.faults.rules import FaultRule
    from safelight.mockserver.model.credits import Credits
    from safelight.mockserver.model.settings import Settings
    from safelight.mockserver.model.task_profile import TaskProfile
    from safelight.mockserver.service.service import Listener, Service


class _Text(click.ParamType[Any]):
    """A text that a function makes something of, or refuses with a `ValueError` that says why."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """What the text means; what is no text has been read already."""
        try:
            return self._read(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


def _delay(text: str) -> str:
    from safelight.mockserver.model.delays import delay

    delay(text)
    return text


def _polls(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"\s*[\[(]?\s*(\d{1,6})\s*,\s*(\d{1,6})\s*[\])]?\s*", text)
    if not found:
        raise ValueError(f"{text!r} is no pair of polls: write 1,2 for one queued and two running")
    return int(found[1]), int(found[2])


def _speed(text: str) -> float:
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = 0
    if not 0 < speed < float("inf"):
        raise ValueError(f"{text!r} is no speed: write 60x for a minute in a second")
    return speed


def _seed(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise ValueError(TOO_MANY_DIGITS)
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a valid integer") from None


def _key(text: str) -> str:
    from safelight.mockserver.model.keys import FORM

    if not FORM.fullmatch(text):
        raise ValueError("a key is 1 to 200 visible ASCII characters, as it has to fit into a header")
    return text


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise ValueError(f"{text!r} is no share: write a number from 0, none, to 1, all")
    return share


def _count(text: str) -> int:
    if not re.fullmatch(r"0*[1-9]\d{0,17}", text, re.ASCII):
        raise ValueError(f"{text!r} is no count: write 1 or more")
    return int(text)


def _credits(text: str) -> Credits:
    from safelight.mockserver.model.credits import credits_of

    return credits_of(text)


def _price(text: str) -> tuple[str, Credits]:
    from safelight.mockserver.model.credits import credits_of
    from safelight.mockserver.model.settings import check_names, submits

    operation, _, price = text.partition("=")
    check_names([operation], submits(), "submit")
    return operation, credits_of(price, f"price of {operation}")


def _rule(text: str) -> FaultRule:
    from safelight.mockserver.faults.rules import read_rule

    return read_rule(text)


def _engine(text: str) -> str:
    from safelight.mockserver.model.engines import ENGINES
    from safelight.mockserver.model.settings import check_names

    check_names([text], ENGINES, "engine")
    return text


def _dialect(setting: str, *names: str, says: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that takes the name of a dialect, the default first."""
    return click.option(
        f"--{setting}", type=click.Choice(names), metavar="NAME", default=names[0], show_default=True, help=says
    )


_FORMS: Final = "2, 1..3, ~5, ~5/0.8, never"

_OPTIONS: Final = (
    click.option(
        "--config",
        type=click.Path(dir_okay=False),
        callback=read_config,
        is_eager=True,
        expose_value=False,
        help="Read these options from a TOML file, under the same names. The command line wins.",
    ),
    click.option("--queued", type=_Text("DELAY", _delay), help=f"Seconds that a task waits: {_FORMS}.  [default: 2]"),
    click.option("--running", type=_Text("DELAY", _delay), help="Seconds that it runs, likewise.  [default: 4..8]"),
    click.option("--polls", type=_Text("Q,R", _polls), help="Count polls instead: 1,2 is one queued, two running."),
    click.option("--fail-rate", type=_Text("SHARE", _share), default="0", help="Share of tasks that fail, 0 to 1."),
    click.option("--fail-reason", metavar="TEXT", help="What failed tasks say.  [default: the service's sentence]"),
    click.option("--fail-nth", type=_Text("N", _count), multiple=True, help="The N-th task fails. Repeatable."),
    click.option("--balance", type=_Text("CREDITS", _credits), default="1000", show_default=True, help="At the start."),
    click.option(
        "--price",
        "prices",
        type=_Text("WHAT=CREDITS", _price),
        multiple=True,
        help="Such as video_generation=12.5. Repeatable.",
    ),
    click.option(
        "--down",
        type=_Text("ENGINE", _engine),
        multiple=True,
        help="This engine does not answer: comfyui, rr3, grok. Repeatable.",
    ),
    click.option(
        "--fault",
        "faults",
        type=_Text("RULE", _rule),
        multiple=True,
        help="poll#2: http 502, ... Repeatable; `safelight faults` lists them.",
    ),
    click.option("--no-directives", is_flag=True, help="Prompts cannot say what becomes of their tasks."),
    click.option("--slots", type=_Text("N", _count), help="N tasks run at once, the others wait.  [default: all run]"),
    click.option("--speed", type=_Text("FACTOR", _speed), default="1x", help="60x: a minute takes a second."),
    click.option(
        "--seed", type=_Text("N", _seed), help="Fixes ids, timelines, failures and pictures.  [default: random]"
    ),
    click.option("--api-key", type=_Text("KEY", _key), help="The key to accept.  [default: a fixed, plainly fake one]"),
    click.option("--any-key", is_flag=True, help="Accept every key. Each has tasks of its own."),
    _dialect(
        "vocabulary",
        *("published", "plain"),
        says="Words of the phases: published (pending, processing, ...) or plain (queued, running, ...).",
    ),
    _dialect(
        "errors",
        *("object", "string", "message"),
        says='Form of errors: object ("error": {"message": ...}), string ("error": ...) or message ("message": ...).',
    ),
    _dialect(
        "limits",
        *("reject", "clamp"),
        says="What is over a maximum is answered with 400 (reject) or brought down to it (clamp).",
    ),
    _dialect(
        "path",
        *("published", "earlier", "root"),
        says="Entry point that is told: published (/v1/index.php), earlier (/TS-AI-API/v1/index.php), root (/).",
    ),
    click.option(
        "--body-limit",
        type=_Text("BYTES", _count),
        default="10000000",
        show_default=True,
        help="Larger bodies are refused.",
    ),
    click.option("--cors", is_flag=True, help="Let pages of any origin call the fake from a browser."),
    click.option(
        "--openapi-paths", is_flag=True, help="Answer at /v1/OPERATION too, and describe it at /openapi.json."
    ),
)


def fake_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command all settings of a fake."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@dataclass(frozen=True, slots=True)
class Fake:
    """A fake as the options describe it: the core, the key people are told, and its transport."""

    api: Service
    key: str = field(repr=False)
    seed: int
    #: The path of the entry point.
    path: str
    #: Name -> key, of those in the config file.
    users: Mapping[str, str] = field(repr=False)
    cors: bool
    body_limit: int

    def app(self, control: Control | None) -> Starlette:
        """The core as an ASGI application, controlled through `control`."""
        from safelight.mockserver.transports.asgi import create_app

        return create_app(self.api, cors=self.cors, body_limit=self.body_limit, control=control)


def fake_of(ctx: click.Context, options: Mapping[str, Any], listener: Listener | None = None) -> Fake:
    """The fake that a command's options describe, or a usage error."""
    from safelight.contracts.dialects import PATHS
    from safelight.mockserver.model.clock import SteeredClock
    from safelight.mockserver.model.keys import FAKE_KEY
    from safelight.mockserver.service.service import Service

    settings, seed = _settings(ctx, options), randrange(10**6) if options["seed"] is None else options["seed"]
    clock = lambda: SteeredClock(options["speed"])  # noqa: E731 - one for each session
    flags = {name: options[name] for name in ("any_key", "openapi_paths")}
    api = Service(settings=settings, seed=seed, clock=clock, listener=listener, **flags)
    users = config_users(ctx, settings)
    for user in users:
        api.sessions.open(user.key, settings=user.settings)
    keys = [user.key for user in sorted(users, key=lambda user: user.settings.revoked)]
    key = options["api_key"] or next(iter(keys), FAKE_KEY)
    if key not in keys:
        api.sessions.open(key)
    named = {user.name: user.key for user in users}
    return Fake(api, key, seed, PATHS[options["path"]], named, options["cors"], options["body_limit"])


def _settings(ctx: click.Context, options: Mapping[str, Any]) -> Settings:
    from safelight.mockserver.model.settings import Settings

    general = _without_overruled(ctx, {name: options[name] for name in LIFE})
    own = {name: _own(name, general, life) for name, life in workflow_lives(ctx).items()}
    try:
        profiles = {name: _lives(life) for name, life in own.items()}
        named = {name: options[name] for name in ("slots", "balance", "vocabulary", "errors", "limits")}
        named |= {"plan": tuple(map(str, options["faults"])), "directives": not options["no_directives"]}
        return Settings(
            _lives(general), profiles, prices=dict(options["prices"]), down=frozenset(options["down"]), **named
        )
    except ValueError as error:
        raise conflict(ctx, str(error), ("polls", "slots")) from None


def _without_overruled(ctx: click.Context, life: dict[str, Any]) -> dict[str, Any]:
    """Without what the file says of time, where the command line says it on the other axis."""
    seconds = [name for name in ("queued", "running") if life[name] is not None]
    typed = [name for name in seconds if not is_from_file(ctx, name)]
    if life["polls"] is None or bool(typed) is not is_from_file(ctx, "polls"):
        return life
    overruled = ["polls"] if typed else seconds
    return life | dict.fromkeys(overruled)


def _own(workflow: str, general: dict[str, Any], life: dict[str, Any]) -> dict[str, Any]:
    """The life of a workflow: as for all tasks, but for what its table says."""
    from safelight.contracts import workflows

    if workflow in workflows() and workflows()[workflow].instant:
        general = general | {"queued": "0", "running": "0", "polls": None}
    if "polls" in life:
        general = general | {"queued": None, "running": None}
    elif "queued" in life or "running" in life:
        general = general | {"polls": None}
    return general | life


def _lives(life: Mapping[str, Any]) -> TaskProfile:
    """A task profile from options. Without a word about time it is long enough to see, and too short to wait."""
    from safelight.mockserver.model.task_profile import task_profile

    said = {name: life[name] for name in ("queued", "running", "polls", "fail_rate", "fail_reason")}
    if said["polls"] is None:
        said["queued"] = "2" if said["queued"] is None else said["queued"]
        said["running"] = "4..8" if said["running"] is None else said["running"]
    return task_profile(**said, fail_nth=frozenset(life["fail_nth"]))
