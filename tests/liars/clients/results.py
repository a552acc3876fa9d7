"""Mistakes about results and pictures."""

import http.client
from typing import Any
from urllib.parse import urlsplit

from liars.clients.client import Answer, Bad, Client, Ended
from liars.clients.liar import liar


@liar("3.1")
class ReadsTheResultFirst(Client):
    """Takes the result for an object without looking."""

    def result_url(self, data: dict[str, Any]) -> str:
        data["result"].get("image_url")
        return super().result_url(data)


@liar("3.2")
class HandsOnNothing(Client):
    """Sends on undefined as a picture."""

    def run(self) -> None:
        self.task_id = self.submit()
        data = self.wait_for_end()
        url = (data.get("result") or {}).get("image_url") or "undefined"
        if url == "undefined":
            print(f"your picture: {url}")
            return
        self.save(*self.fetched(url))


@liar("3.3")
class AllowsKnownFieldsAlone(Client):
    """Takes a field that it does not know for an error."""

    def data(self, answer: Answer) -> dict[str, Any]:
        found = super().data(answer)
        known = {"id", "status", "message", "created_at", "result", "progress", "error", "provider", "check_status"}
        if more := found.keys() - known:
            raise TypeError(f"unexpected fields: {more}")
        return found


@liar("3.4")
class WantsAbsoluteUrls(Client):
    """Asks for a relative URL as it is."""

    def result_url(self, data: dict[str, Any]) -> str:
        super().result_url(data)
        url: str = data["result"]["image_url"]
        if not urlsplit(url).netloc:
            raise ValueError(f"no host in {url}")
        return url


@liar("3.5")
class FetchesOnce(Client):
    """Takes a picture that is late for one that is gone."""

    def fetched(self, url: str) -> tuple[str, Answer]:
        answer = self.send("GET", url, most=10_000_000)
        self.check_picture(answer)
        return url, answer

    def run(self) -> None:
        try:
            super().run()
        except Bad as bad:
            raise Ended(1, str(bad)) from None


@liar("3.6")
class OpensTheFileFirst(Client):
    """Leaves an empty file where there is no picture."""

    def fetched(self, url: str) -> tuple[str, Answer]:
        (self.out / "picture.png").touch()
        return super().fetched(url)

    def file_name(self, *_: Any) -> str:
        return "picture.png"


@liar("3.7")
class TakesHalfAPicture(Client):
    """Saves what came, though less than was said."""

    def send(self, method: str, url: str, *more: Any, **named: Any) -> Answer:
        if "/uploads/" not in url:
            return super().send(method, url, *more, **named)
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=self.timeout)
        connection.request(method, parts.path)
        answer = connection.getresponse()
        try:
            body = answer.read()
        except http.client.IncompleteRead as error:
            body = error.partial
        return Answer(answer.status, answer.headers, body)


@liar("3.8")
class SavesWhateverComes(Client):
    """Saves a page as a picture."""

    def check_picture(self, answer: Answer) -> None:
        if answer.status != 200:
            raise Bad(f"HTTP {answer.status}")


@liar("3.9")
class SendsTheKeyToThePicture(Client):
    """Sends the key to the host of the picture."""

    def picture_headers(self) -> dict[str, str]:
        return self.key_headers()
