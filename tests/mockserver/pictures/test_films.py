"""Films: WebM files that a reader of EBML, Pillow and a browser understand."""

import base64
import json
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final
from urllib.parse import unquote

import pytest
from PIL import Image, ImageChops, ImageStat

from matroska import bodies, elements, number, shots
from safelight.mockserver.pictures import Picture, chunks, film
from safelight.mockserver.pictures.webm import webm

Size = tuple[int, int]

#: The most seconds that Chromium is waited for.
MAX_SECONDS: Final = 60


def shown(vp8: bytes) -> Image.Image:
    """A frame, opened as the WebP that it is when it is wrapped as one."""
    chunk = b"WEBPVP8 " + struct.pack("<I", len(vp8)) + vp8 + bytes(len(vp8) % 2)
    with Image.open(BytesIO(b"RIFF" + struct.pack("<I", len(chunk)) + chunk)) as image:
        return image.convert("RGB")


def asked(width: int = 96, height: int = 64, *, seed: int = 7, task_id: str = "t-1", **request: Any) -> Picture:
    return Picture(width, height, seed, task_id, {"prompt": "a red fox", **request})


def size_of(data: bytes) -> Size:
    video = "/Segment/Tracks/TrackEntry/Video"
    return number(data, f"{video}/PixelWidth"), number(data, f"{video}/PixelHeight")


@pytest.mark.parametrize("size", [(1, 1), (1, 2_048), (2_048, 1), (47, 49), (48, 48), (63, 64), (832, 480)])
def test_a_film_has_exactly_the_size_asked_for(size: Size) -> None:
    data = film(asked(*size))
    assert size_of(data) == size
    assert {shown(vp8).size for _, vp8 in shots(data)} == {size}


def test_a_film_is_webm_with_vp8() -> None:
    data = film(asked())
    assert bodies(data, "/EBML/DocType") == [b"webm"]
    assert bodies(data, "/Segment/Tracks/TrackEntry/CodecID") == [b"V_VP8"]


def test_a_film_lasts_two_seconds_at_ten_frames_a_second() -> None:
    data = film(asked())
    (duration,) = bodies(data, "/Segment/Info/Duration")
    assert struct.unpack(">d", duration) == (2_000,)
    assert number(data, "/Segment/Info/TimestampScale") == 1_000_000
    assert number(data, "/Segment/Tracks/TrackEntry/DefaultDuration") == 100_000_000
    assert [time for time, _ in shots(data)] == list(range(0, 2_000, 100))


def test_cues_lead_to_clusters() -> None:
    data = film(asked())
    found = list(elements(data))
    (segment,) = (element for element in found if element.path == "/Segment")
    start = len(data) - len(segment.body)
    clusters = [element.start - start for element in found if element.path == "/Segment/Cluster"]
    cue = "/Segment/Cues/CuePoint"
    assert [int.from_bytes(at) for at in bodies(data, f"{cue}/CueTrackPositions/CueClusterPosition")] == clusters
    assert bodies(data, f"{cue}/CueTime") == bodies(data, "/Segment/Cluster/Timestamp") == [b"\0", b"\x03\xe8"]


@pytest.mark.parametrize("length", [0, 1, 126 - 4, 127 - 4, 128 - 4, 16_382 - 4, 16_383 - 4, 70_000])
def test_a_frame_of_any_length_is_read_back(length: int) -> None:
    """The lengths around 127 and 16,383 are those where a length itself becomes longer."""
    frames = [bytes(length), b"x" * length, b""]
    assert shots(webm(frames, (8, 8), rate=2, tags={})) == [(0, frames[0]), (500, frames[1]), (1_000, b"")]


def test_tags_are_the_text_chunks_of_the_picture() -> None:
    picture = asked(task_id="task-猫", prompt={"1": {"class_type": "LoadImage", "inputs": {}}}, model="wan")
    data, tag = film(picture), "/Segment/Tags/Tag/SimpleTag"
    names, texts = ([body.decode() for body in bodies(data, f"{tag}/{leaf}")] for leaf in ("TagName", "TagString"))
    tags = dict(zip(names, texts, strict=True))
    assert tags == chunks(picture)
    assert json.loads(tags["safelight"])["task_id"] == "task-猫"


def test_the_same_film_has_the_same_bytes() -> None:
    assert film(asked()) == film(asked())


def test_another_seed_or_prompt_is_another_film() -> None:
    films = [film(asked(40, 40)), film(asked(40, 40, seed=8)), film(asked(40, 40, prompt="a red fax"))]
    assert len({shots(data)[0][1] for data in films}) == len(films)


def test_frames_do_not_depend_on_the_task() -> None:
    assert shots(film(asked(task_id="a"))) == shots(film(asked(task_id="b")))


def difference(one: Image.Image, other: Image.Image) -> float:
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def test_a_film_moves_without_jumps_and_ends_where_it_began() -> None:
    images = [shown(vp8) for _, vp8 in shots(film(asked(200, 160)))]
    steps = [difference(one, other) for one, other in pairwise([*images, images[0]])]
    assert len({image.tobytes() for image in images}) == len(images)
    assert max(steps) < max(difference(images[0], image) for image in images)


def test_the_caption_stands_still() -> None:
    """Its letters, that is: what is lighter than the plate ever is."""
    box = (20, 250, 150, 280)
    plates = [
        shown(vp8).convert("L").crop(box).point(lambda tone: 255 * (tone > 150))
        for _, vp8 in shots(film(asked(400, 300)))
    ]
    assert ImageStat.Stat(plates[0]).mean[0] > 5
    assert max(difference(plates[0], plate) for plate in plates) < 5


def edited(size: Size, longest: int | None = None) -> Picture:
    out = BytesIO()
    Image.linear_gradient("L").resize(size).save(out, "PNG")
    return replace(asked(), ground=out.getvalue(), longest=longest)


@pytest.mark.parametrize(
    ("ground", "longest", "fit"),
    [
        ((60, 41), None, (60, 41)),
        ((640, 410), 64, (64, 41)),
        ((20, 3_000), None, (14, 2_048)),
        ((20, 3_000), 4_000, (14, 2_048)),
    ],
)
def test_a_film_over_a_ground_has_its_size_up_to_a_limit(ground: Size, longest: int | None, fit: Size) -> None:
    data = film(edited(ground, longest))
    assert size_of(data) == fit == shown(shots(data)[0][1]).size
    assert f"Size: {fit[0]}x{fit[1]}".encode() in data


def test_a_film_over_a_ground_shows_it() -> None:
    image = shown(shots(film(edited((40, 40))))[0][1]).convert("L")
    top, bottom = (ImageStat.Stat(image.crop((0, y, 40, y + 8))).mean[0] for y in (0, 32))
    assert top + 100 < bottom


def test_what_is_no_picture_is_no_ground_of_a_film() -> None:
    assert film(replace(asked(), ground=b"a lamp")) == film(asked())


#: Plays a film four times as fast as it is, and tells the server what it saw.
PAGE: Final = """<!doctype html><video muted src="data:video/webm;base64,{film}"></video><script>
const video = document.querySelector("video");
const tell = facts => fetch("/seen/" + encodeURIComponent(JSON.stringify(facts)));
video.onended = () => tell({{size: [video.videoWidth, video.videoHeight], duration: video.duration,
                            frames: video.getVideoPlaybackQuality().totalVideoFrames}});
video.onerror = () => tell({{error: video.error.message}});
video.playbackRate = 4;
video.play().catch(error => tell({{error: String(error)}}));
</script>"""
CHROMIUM: Final = (
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--autoplay-policy=no-user-gesture-required"),
)


@contextmanager
def page(html: str) -> Iterator[tuple[str, SimpleQueue[str]]]:
    """A page on this machine, and what it tells."""
    seen: SimpleQueue[str] = SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, found, told = self.path.partition("/seen/")
            if found:
                seen.put(unquote(told))
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.end_headers()
            self.wfile.write(b"" if found else html.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", seen
        server.shutdown()
        thread.join()


@pytest.mark.needs("chromium")
def test_a_browser_plays_it(tmp_path: Path) -> None:
    html = PAGE.format(film=base64.b64encode(film(asked(833, 479))).decode())
    with page(html) as (url, seen), (tmp_path / "log").open("wb") as log:
        command = [*CHROMIUM, f"--user-data-dir={tmp_path / 'profile'}", url]
        with subprocess.Popen(command, stdout=log, stderr=log) as browser:
            try:
                told = json.loads(seen.get(timeout=MAX_SECONDS))
            finally:
                browser.terminate()
    assert told.pop("frames") > 1, "a busy machine may drop some of the 20"
    assert told == {"size": [833, 479], "duration": 2}
