"""What a paid task is worth: its picture, its price, its bounds and its id."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from http import HTTPStatus
from io import BytesIO

from PIL import Image

from safelight.conformance.servers.answers import came
from safelight.conformance.servers.check import Broken, Cost, harvesting
from safelight.conformance.servers.harvest import Harvest, balance_of, data_of
from safelight.conformance.servers.options import Options
from safelight.conformance.servers.probe import balance
from safelight.conformance.servers.taken import is_taken
from safelight.contracts.operations import effective, longest_side, operations
from safelight.contracts.wording import counted, shown
from safelight.contracts.workflows import workflow_of


@harvesting("S56", of="picture", requests=1)
def _picture(harvest: Harvest, _: Options) -> Iterator[Broken]:
    if not harvest.is_done or harvest.last is None:
        return
    url = url_of(harvest)
    if not isinstance(url, str) or harvest.no_url:
        why = f": {harvest.no_url}" if harvest.no_url else ""
        yield Broken(f"the result's URL is {shown(url)}{why}", "an absolute URL", shown(url))
    elif harvest.picture is not None:
        if harvest.picture.status != HTTPStatus.OK or harvest.picture.wire:
            yield Broken(f"the result cannot be fetched: {came(harvest.picture)}", "200", came(harvest.picture))
        else:
            yield from _file(harvest)


def url_of(harvest: Harvest) -> object:
    """Where the result is, as the answer says it."""
    result = data_of(harvest.last).get("result") if harvest.last else None
    names = ("video_url", "image_url") if harvest.operation == "video_generation" else ("image_url",)
    return next((result[name] for name in names if name in result), None) if isinstance(result, dict) else None


#: How a file of video begins: Matroska and WebM, or MP4 after four bytes.
_WEBM, _MP4 = b"\x1a\x45\xdf\xa3", b"ftyp"


def _file(harvest: Harvest) -> Iterator[Broken]:
    if harvest.operation == "video_generation":
        if not harvest.file.startswith(_WEBM) and harvest.file[4:8] != _MP4:
            yield Broken("the result is no video", "WebM or MP4", _begins(harvest.file))
        return
    wanted = _size(harvest)
    try:
        size = _measured(harvest.file, wanted)
    except Exception as error:  # noqa: BLE001 - Pillow raises of any kind, and each says that it is no picture
        yield Broken(f"the result is no picture that can be decoded: {error}", "a picture", _begins(harvest.file))
        return
    if wanted and size != wanted:
        yield Broken("the picture has another size than was asked for", _by(wanted), _by(size))


def _measured(file: bytes, wanted: tuple[int, int] | None) -> tuple[int, int]:
    """The size of a picture, which is decoded where it has the size that was asked for: a huge one never is."""
    with warnings.catch_warnings(action="error"), Image.open(BytesIO(file)) as opened:
        if wanted in (None, opened.size):
            opened.load()
        return opened.size


def _begins(file: bytes) -> str:
    return f"{counted(len(file), 'byte')} that begin with {file[:4]!r}"


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"


def _size(harvest: Harvest) -> tuple[int, int] | None:
    """What the picture of a generation measures; that of an edit is as large as what was sent, or smaller."""
    if longest_side(harvest.operation):
        return None
    workflow = workflow_of(harvest.document.get("workflow"))
    parameters = effective(harvest.operation, harvest.document, workflow.name)
    return int(parameters["width"] * workflow.scale), int(parameters["height"] * workflow.scale)


@harvesting("S60", of="is_settled", requests=3)
def _balance_delta(harvest: Harvest, _: Options) -> Iterator[Broken]:
    balances = [balance_of(one) for one in harvest.balances]
    for one, told in zip(harvest.balances, balances, strict=True):
        if told is None:
            yield Broken("user_balance says no balance", "a number", came(one), probe=balance())
    if not harvest.is_settled or None in balances:
        return
    before, after, end = (told or 0 for told in balances)
    is_refused = harvest.submitted is not None and is_taken(harvest.probe, harvest.submitted) is False
    price = 0 if is_refused else operations()[harvest.operation].price
    least = price if harvest.task_id is not None and not harvest.has_failed else 0
    if not least - harvest.returned <= before - after <= price:
        sentence = f"the submit cost {_said(before - after)} credits"
        yield Broken(sentence, _said(price), _both(before, after), probe=balance())
    if not harvest.spent - harvest.returned <= before - end <= harvest.spent + harvest.lost:
        failed = "the task failed, and " if harvest.has_failed else ""
        sentence = f"{failed}in the end {_said(before - end)} credits were gone"
        yield Broken(sentence, _said(harvest.spent), _both(before, end), probe=balance())


def _said(amount: float) -> str:
    """An amount to the digit, but for what binary fractions add to it."""
    return f"{amount:.12g}"


def _both(before: float, then: float) -> str:
    return f"{_said(before)}, then {_said(then)}"


@harvesting("S62", Cost.MORE, of="picture")
def _bounds(harvest: Harvest, options: Options) -> Iterator[Broken]:
    if harvest.submitted is not None and harvest.submitted.status != HTTPStatus.OK:
        values = ", ".join(f"{name} {value}" for name, value in harvest.document.items() if name != "prompt")
        yield Broken(f"{values}: refused", "200", came(harvest.submitted), probe=harvest.probe)
    yield from _picture(harvest, options)


@harvesting("S63", Cost.MORE, of="task_id")
def _distinct_ids(harvest: Harvest, _: Options) -> Iterator[Broken]:
    if harvest.twin is not None and harvest.task_id is not None and harvest.twin == harvest.task_id:
        yield Broken(f"both have the id {shown(harvest.task_id)}", "two ids", "one", probe=harvest.probe)
