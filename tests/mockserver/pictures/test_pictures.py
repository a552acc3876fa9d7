import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFont
from PIL.PngImagePlugin import PngImageFile

from safelight.contracts.parsing import MAX_INTEGER_DIGITS
from safelight.mockserver.pictures import Gallery, Picture, chunks, draw
from safelight.mockserver.pictures.caption import MIN_SIDE
from safelight.mockserver.pictures.letters import lines_of, spelled
from safelight.mockserver.pictures.picture import MAX_CHUNK_BYTES

GRAPH = {
    "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a note that leads nowhere"}},
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "positive": ["6", 0], "negative": ["5", 0]}},
    "5": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry hands"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a castle of salt"}},
}
HOSTILE = {
    "nothing but controls": "\x00\x01\x1b[31m\r\n\t\x7f\x9f",
    "a lone surrogate": "a \ud83d cat",
    "right to left": "قطة نائمة على السطح \u202e gnp.exe",
    "chinese": "一只可爱的猫坐在月亮上\uff0c水彩画" * 9,
    "emoji": "🐱👩‍👩‍👧‍👦🏳️‍🌈👍🏽🔥🔥",
    "marks on marks": "Z" + "\u0301\u0489" * 400,
    "one long word": "w" * 5_000,
    "layout of automatic1111": 'cat\nNegative prompt: dog\nSteps: 1, Seed: 2, Model: "x"',
    "latin-1": "café «à la crème» ÿ\xa0",
    "beyond all planes": "\U0010ffff\ue000\ufffe",
}
seeds = st.integers(min_value=0) | st.integers(0, 2**63)
sides = st.integers(1, 150)
texts = st.text(st.characters(codec=None), max_size=60) | st.sampled_from(list(HOSTILE.values()))


def asked(width: int = 64, height: int = 64, *, seed: int = 7, task_id: str = "t-1", **request: Any) -> Picture:
    return Picture(width, height, seed, task_id, {"prompt": "a red fox", **request})


def opened(png: bytes) -> PngImageFile:
    image = Image.open(BytesIO(png))
    assert isinstance(image, PngImageFile)
    image.load()
    return image


def pixels(picture: Picture) -> bytes:
    return opened(draw(picture)).convert("RGB").tobytes()


@pytest.mark.parametrize(
    "size",
    [(1, 1), (1, 3072), (3072, 1), (47, 49), (48, 48), (64, 3072), (3072, 64), (64, 64), (832, 1216), (3072, 3072)],
)
def test_a_picture_has_exactly_the_size_asked_for(size: tuple[int, int]) -> None:
    assert opened(draw(asked(*size))).size == size


@settings(deadline=None, max_examples=40)
@given(st.builds(asked, sides, sides, seed=seeds, task_id=texts, prompt=texts, negative_prompt=texts))
def test_whatever_is_asked_for_is_drawn_and_its_text_is_read_back(picture: Picture) -> None:
    image = opened(draw(picture))
    assert (image.size, image.text) == ((picture.width, picture.height), chunks(picture))


@pytest.mark.parametrize("prompt", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_round_trips(prompt: str) -> None:
    picture = asked(300, 200, prompt=prompt, negative_prompt=prompt, task_id=prompt, model=prompt)
    text = opened(draw(picture)).text
    document = json.loads(text["safelight"])
    assert text == chunks(picture)
    assert "\x00" not in "".join(text.values())
    assert (document["task_id"], document["request"]) == (prompt, picture.request)


def test_the_same_picture_has_the_same_bytes() -> None:
    assert draw(asked(200, 100)) == draw(asked(200, 100))


def test_pixels_do_not_depend_on_the_task() -> None:
    assert pixels(asked(200, 100, task_id="a")) == pixels(asked(200, 100, task_id="b"))


@pytest.mark.parametrize("size", [(40, 40), (200, 100)], ids=["bare", "captioned"])
def test_another_seed_or_prompt_is_another_picture(size: tuple[int, int]) -> None:
    others = [asked(*size), asked(*size, seed=8), asked(*size, prompt="a red fax"), asked(*size, prompt=GRAPH)]
    assert len({pixels(picture) for picture in others}) == len(others)


def test_moods_vary_with_the_seed() -> None:
    ramps = [opened(draw(asked(8, 8, seed=seed))).getpalette() for seed in range(40)]
    assert len({tuple(ramp or ()) for ramp in ramps}) >= 8


def test_a_seed_may_have_as_many_digits_as_the_contract_allows() -> None:
    picture = asked(300, 200, seed=10**MAX_INTEGER_DIGITS - 1)
    text = opened(draw(picture)).text
    assert json.loads(text["safelight"])["seed"] == picture.seed


def plate(picture: Picture) -> list[int]:
    image = opened(draw(picture))
    return list(
        image.crop((image.width // 9, image.height * 6 // 7, image.width // 2, image.height * 19 // 20)).tobytes()
    )


@pytest.mark.parametrize("side", [64, 256, 512, 2048])
@pytest.mark.parametrize("seed", range(3))
def test_the_caption_is_light_letters_on_a_dark_plate(side: int, seed: int) -> None:
    tones = plate(asked(side, side, seed=seed, prompt="WWWW MMMM WWWW MMMM"))
    ground = sorted(tones)[len(tones) // 2]
    assert (ground < 60, max(tones) > 140) == (True, True)


def test_a_picture_too_small_for_letters_has_no_caption() -> None:
    one, other = (pixels(asked(MIN_SIDE - 1, 200, workflow=workflow)) for workflow in ("default", "anime"))
    assert one == other


def test_a_captioned_picture_names_its_workflow() -> None:
    assert pixels(asked(300, 200, workflow="default")) != pixels(asked(300, 200, workflow="anime"))


@given(texts, st.integers(8, 60), st.integers(60, 900), st.integers(1, 4))
def test_lines_stay_in_their_room(text: str, points: int, room: int, most: int) -> None:
    lines = lines_of(text, points, room, most)
    assert len(lines) <= most
    assert all(font.getlength(line) <= room or len(line.rstrip("…")) <= 1 for line, font in lines)


def test_lines_end_at_words() -> None:
    lines = [line for line, _ in lines_of("one two three four five six", 20, 110, 9)]
    assert " ".join(lines) == "one two three four five six"
    assert len(lines) > 1


def test_what_does_not_fit_ends_in_an_ellipsis() -> None:
    (first, _), (last, _) = lines_of("one two three four five six", 20, 100, 2)
    assert ("…" in first, last.endswith("…")) == (False, True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("plain", "plain"),
        ("café \u2014 \u201e\u00e0 la carte\u201d", 'cafe - "a la carte\u201d'),
        ("한글 и", "[2 Hangul characters] [Cyrillic character]"),
        ("一只猫 asleep", "[3 CJK characters] asleep"),
        ("on fire 🔥🔥, 🐱", "on fire [2 fires], [cat face]"),
        ("\uff21\uff22\uff23\uff0c一。", "ABC, [CJK character]. "),
        ("👍🏽", "[thumbs up sign]"),
    ],
)
def test_letters_without_a_glyph_are_said_in_words(text: str, words: str) -> None:
    assert spelled(text, "") == words


def test_no_font_draws_boxes_for_letters() -> None:
    (line, font), *_ = lines_of("ሀሁ 一二 \U0001f9ff \U00013000", 20, 2_000, 1)
    assert isinstance(font, ImageFont.FreeTypeFont)
    box = bytes(font.getmask("\U0010ffff"))
    assert [letter for letter in line if not letter.isspace() and bytes(font.getmask(letter)) == box] == []


def test_parameters_are_laid_out_as_automatic1111_does() -> None:
    request: dict[str, Any] = {"negative_prompt": "blurry", "steps": 20, "cfg": 6, "model": "dream, v2"}
    assert chunks(asked(768, 1024, seed=123, **request))["parameters"] == (
        'a red fox\nNegative prompt: blurry\nSteps: 20, CFG scale: 6, Seed: 123, Size: 768x1024, Model: "dream, v2"'
    )


def test_parameters_name_only_what_was_asked_for() -> None:
    assert chunks(asked(8, 9, seed=1))["parameters"] == "a red fox\nSeed: 1, Size: 8x9"


def test_a_comfyui_workflow_is_kept_whole_and_its_positive_prompt_shown() -> None:
    found = chunks(asked(prompt=GRAPH))
    assert json.loads(found["prompt"]) == GRAPH
    assert found["parameters"].splitlines()[0] == "a castle of salt"


@pytest.mark.parametrize(
    ("graph", "shown"),
    [
        ({"1": {"class_type": "LoadImage", "inputs": {}}}, "ComfyUI workflow, 1 node"),
        ({"1": {"class_type": "A", "inputs": {}}, "2": {}}, "ComfyUI workflow, 2 nodes"),
        ({"5": GRAPH["5"], "3": GRAPH["3"]}, "ComfyUI workflow, 2 nodes"),
        ({"5": GRAPH["5"]}, "blurry hands"),
        ({"5": {"class_type": "CLIPTextEncode", "inputs": {"text": ["9", 0]}}}, "ComfyUI workflow, 1 node"),
        ({"3": {"class_type": "K", "inputs": {"positive": [[], 0]}}, "x": None}, "ComfyUI workflow, 2 nodes"),
    ],
)
def test_a_workflow_is_shown_by_its_text_or_counted(graph: dict[str, Any], shown: str) -> None:
    assert chunks(asked(prompt=graph))["parameters"].splitlines()[0] == shown


def test_only_a_workflow_has_a_prompt_chunk() -> None:
    assert set(chunks(asked())) == {"parameters", "safelight"}


@pytest.mark.parametrize("prompt", ["fox " * 2_500_000, "一" * 3_000_000, {"1": {"class_type": "\x00" * 2_000_000}}])
def test_a_huge_request_is_cut_with_a_mark(prompt: Any) -> None:
    picture = asked(64, 64, prompt=prompt, negative_prompt="n" * 10**6, model="m" * 10**6, task_id="\x00" * 10**5)
    text = opened(draw(picture)).text
    assert text == chunks(picture)
    assert all("[cut: " in value and len(value.encode()) < MAX_CHUNK_BYTES + 200 for value in text.values())
    assert json.loads(text["safelight"])["seed"] == picture.seed


def test_a_huge_task_id_is_cut_with_a_mark() -> None:
    found = chunks(asked(task_id="\x00" * 40_000))
    assert "[cut: 40000 " in json.loads(found["safelight"])["task_id"]
    assert len(found["safelight"]) < MAX_CHUNK_BYTES


def test_a_workflow_too_long_for_its_chunk_is_left_out_whole() -> None:
    frame = len(chunks(asked(prompt={"1": {"class_type": ""}}))["prompt"])
    longest = {"1": {"class_type": "x" * (MAX_CHUNK_BYTES - frame)}}
    longer = {"1": {"class_type": "x" * (MAX_CHUNK_BYTES - frame + 1)}}
    assert json.loads(chunks(asked(prompt=longest))["prompt"]) == longest
    assert set(chunks(asked(prompt=longer))) == {"parameters", "safelight"}


class Painter:
    """Draws as many zeros as it is asked for, and remembers for whom."""

    def __init__(self, before: Callable[[], object] = bool) -> None:
        self.seen: list[str] = []
        self.before = before

    def drawing(self, name: str, size: int = 9) -> Callable[[], bytes]:
        def draw() -> bytes:
            self.seen.append(name)
            self.before()
            return bytes(size)

        return draw


def painted(gallery: Gallery, painter: Painter, **sizes: int) -> str:
    """The keys of which the painter had to draw the file."""
    before = len(painter.seen)
    for key, size in sizes.items():
        assert gallery.file(key, painter.drawing(key, size)) == bytes(size)
    return "".join(painter.seen[before:])


def test_a_gallery_draws_a_file_once() -> None:
    gallery, picture = Gallery(), asked()
    png = gallery.file("k", lambda: draw(picture))
    assert png == draw(picture)
    assert gallery.file("k", lambda: b"another") is png


def test_the_least_recently_used_files_go_first() -> None:
    gallery, painter = Gallery(limit=30), Painter()
    assert painted(gallery, painter, a=10, b=10, c=10) == "abc"
    assert painted(gallery, painter, a=10, d=10) == "d"
    assert painted(gallery, painter, a=10, c=10, d=10, b=10) == "b"


def test_a_gallery_keeps_to_its_limit() -> None:
    gallery, painter = Gallery(limit=30), Painter()
    assert painted(gallery, painter, a=20, b=11) == "ab"
    assert painted(gallery, painter, b=11, a=20) == "a"


def test_a_file_beyond_the_limit_is_drawn_and_not_kept() -> None:
    gallery, painter = Gallery(limit=30), Painter()
    assert painted(gallery, painter, h=31) == "h"
    assert painted(gallery, painter, h=31, c=30) == "hc"
    assert painted(gallery, painter, c=30) == ""


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_first_fetches_at_once_draw_once(pool: ThreadPoolExecutor) -> None:
    second, start = threading.Event(), threading.Barrier(8)
    painter = Painter(lambda: second.set() if len(painter.seen) > 1 else second.wait(0.2))
    gallery = Gallery()

    def fetch(_: int) -> bytes:
        start.wait(5)
        return gallery.file("k", painter.drawing("k"))

    assert set(pool.map(fetch, range(8))) == {bytes(9)}
    assert painter.seen == ["k"]


def test_different_files_do_not_wait_for_each_other(pool: ThreadPoolExecutor) -> None:
    both = threading.Barrier(2)
    gallery, painter = Gallery(), Painter(lambda: both.wait(5))
    one, other = (pool.submit(gallery.file, key, painter.drawing(key)) for key in "ab")
    assert one.result() == other.result() == bytes(9)


def test_a_file_that_failed_is_drawn_again(pool: ThreadPoolExecutor) -> None:
    def fail() -> None:
        if len(painter.seen) == 1:
            raise MemoryError

    gallery, painter = Gallery(), Painter(fail)
    with pytest.raises(MemoryError):
        gallery.file("k", painter.drawing("k"))
    assert pool.submit(gallery.file, "k", painter.drawing("k")).result(5) == bytes(9)
