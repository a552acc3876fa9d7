"""Mistakes on the golden path."""

import json
from typing import Any
from urllib.parse import urlsplit

from liars.clients.client import Answer, Client, Ended
from liars.clients.liar import liar


@liar("1.1")
class SubmitsAndIsGlad(Client):
    """Takes the submit for the picture."""

    def run(self) -> None:
        self.task_id = self.submit()


@liar("1.1")
class DoesNothing(Client):
    """Ends with 0, having sent nothing."""

    def run(self) -> None:
        pass


@liar("1.2")
class WantsUuids(Client):
    """Takes an id that is no UUID for an error."""

    def id_of(self, data: dict[str, Any]) -> Any:
        if "-" not in str(data["id"]):
            raise Ended(1, "this is no id")
        return super().id_of(data)


@liar("1.3")
class ReadsIdsAsFloats(Client):
    """Treats a numeric id above 2^53 as a number."""

    def id_of(self, data: dict[str, Any]) -> Any:
        found = super().id_of(data)
        return f"{float(found):.0f}" if found.isdecimal() else found


@liar("1.4")
class ReadsIdsAsIntegers(Client):
    """Drops the leading zeros of an id."""

    def id_of(self, data: dict[str, Any]) -> Any:
        found = super().id_of(data)
        return str(int(found)) if found.isdecimal() else found


@liar("1.5")
class PastesIds(Client):
    """Puts an id into a query without encoding."""

    def poll_target(self) -> str:
        return (
            f"{self.url}?endpoint=task_status&task_id={self.task_id}".replace(" ", "+")
            .encode("ascii", "ignore")
            .decode()
        )


@liar("1.6")
class SendsAForm(Client):
    """Sends JSON, and calls it a form."""

    def post_headers(self) -> dict[str, str]:
        return {**super().post_headers(), "content-type": "application/x-www-form-urlencoded"}


@liar("1.6")
class SendsTheKeyInTheQuery(Client):
    """Sends the key in the URL, where each log keeps it."""

    def key_headers(self) -> dict[str, str]:
        return {}

    def target(self, endpoint: str, **query: str) -> str:
        return super().target(endpoint, api_key=self.key, **query)


@liar("1.7")
class EscapesTwice(Client):
    """Escapes the prompt before it is written as JSON."""

    def body(self) -> bytes:
        prompt = json.dumps(self.parameters["prompt"])[1:-1]
        return json.dumps({**self.parameters, "prompt": prompt}).encode()


@liar("1.7")
class CutsPrompts(Client):
    """Cuts a prompt at 1,000 characters."""

    def body(self) -> bytes:
        return json.dumps({**self.parameters, "prompt": self.parameters["prompt"][:1000]}).encode()


@liar("1.8")
class DropsZeros(Client):
    """Leaves out what counts as false."""

    def body(self) -> bytes:
        return json.dumps({name: value for name, value in self.parameters.items() if value}).encode()


@liar("1.8")
class ClampsSizes(Client):
    """Takes no picture over 1,024 pixels."""

    def body(self) -> bytes:
        return json.dumps({**self.parameters, "width": min(self.parameters["width"], 1024)}).encode()


@liar("1.8")
class SendsNumbersAsText(Client):
    """Sends the width as text."""

    def post(self) -> Answer:
        self.parameters["width"] = str(self.parameters["width"])
        return super().post()


@liar("1.9")
class JoinsAtTheRoot(Client):
    """Drops the prefix of the base URL."""

    def target(self, endpoint: str, **query: str) -> str:
        parts = urlsplit(super().target(endpoint, **query))
        return parts._replace(path="/v1/index.php").geturl()
