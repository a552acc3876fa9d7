"""HTTP as the server reads it: uvicorn's protocol, its answer to what is no request, and clients that close early.

A client that ends its side of the connection may still read, as `nc -N` does: what it sent whole is answered, half a
request is dropped. Whether it has left altogether shows only when it is written to.

A request that came in one piece and needs no waiting is answered before the parser goes on, without a task and the
messages of ASGI, which cost as much as the answer itself; and without the parser, where it has read the same headers
before. Whatever is not as usual about it goes the long way.
"""

from asyncio import CancelledError, Transport
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from math import inf
from typing import Any, Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from safelight.mockserver.model.messages import Reply, Request, failure
from safelight.mockserver.model.wire import EXTENSION, raw
from safelight.mockserver.transports.asgi import Core, disconnected, headers_as_text
from safelight.mockserver.transports.at_once import Head, plain

#: Bytes of request line and headers that are taken in. The parser itself knows no limit.
_MAX_HEAD_BYTES: Final = 64_000
#: Methods of requests that may be answered at once.
_USUAL: Final = (b"GET", b"POST")
#: uvicorn's words for what is none.
_NO_REQUEST: Final = "Invalid HTTP request received."
#: Seconds for which what is no request may go on coming in when it has been answered.
_LINGER: Final = 1.0
#: Seconds of silence for which a client is waited for that has ended its side: most of them have left.
_MAX_PATIENCE: Final = 30.0


class EnvelopeProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which answers in the published envelope even where there is no request to hand on."""

    #: Bytes of the head so far, as the parser hands it on.
    _head = 0
    #: Bytes that came in since it last handed something on: a line that does not end is kept by the parser.
    _withheld = 0
    #: What still comes in is thrown away.
    _is_over = False
    #: What is no request came while another was being answered: this is the answer that waits for its turn.
    _refusal = ""
    #: The request offers to go on in another protocol, as Java's client and `curl --http2` do. It is not taken up.
    _offers = False
    #: The client has ended its side.
    _has_ended = False
    #: What is said to it is not worth waiting for.
    _ends_with_client = False
    #: A head that is not handed on yet, as the rest of its request may be here.
    _is_held = False
    #: The parser is between two requests.
    _is_between = True
    #: The head that the parser has read last, where its request was answered at once.
    _answered: Head | None = None
    #: The last head that was read without the parser, the length of what followed it, which a request with GET does
    #: not have, and its request: a client sends the same again and again.
    _last: tuple[bytes, int, Request] | None = None
    #: What was decided without the parser, and is not delivered in one go: it goes on when the parser has come so far.
    _ready: tuple[Reply, Request] | None = None
    #: When a request was last answered without the parser, in seconds of the loop.
    _answered_at = -inf

    def __init__(self, *arguments: Any, core: Core | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        #: What can be asked without the application.
        self._core = core
        self._held_body = b""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn's
        """Begin with nothing to answer."""
        super().connection_made(transport)
        #: The requests that are still to be answered, the half one that may be coming in included.
        self._unanswered: list[RequestResponseCycle] = []

    def data_received(self, data: bytes) -> None:
        """As uvicorn's, but with an offer the body is read too, which httptools takes for the other protocol."""
        if self._is_over or (self._core and self._is_answered(self._core, data)):
            return
        self._unset_keepalive_if_required()
        is_alone = self._is_between
        self._feed(data)
        if self._core and is_alone and self._answered:
            self._core.known.learn(data, self._answered.headers, self._held_body)

    def _is_answered(self, core: Core, data: bytes) -> bool:
        """Whether the data is a request with known headers, and is answered now."""
        if not self._is_between or not self._is_free():
            return False
        request = self._same_request(data) or self._known_request(core, data)
        if request is None or not self._answer(core, request):
            return False
        self._answered_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._keep_alive(self.timeout_keep_alive)
        return True

    def _same_request(self, data: bytes) -> Request | None:
        """The request that the data is, where its head is the one before, length included.

        Whether it can be answered now hangs on these alone, and not on what its body says.
        """
        if self._last is None:
            return None
        head, length, request = self._last
        if len(data) != len(head) + length or not data.startswith(head):
            return None
        method, path, query, headers, body, origin = request
        return Request(method, path, query, headers, data[len(head) :], origin) if body else request

    def _known_request(self, core: Core, data: bytes) -> Request | None:
        """The request that the data is, where its headers are known and it can be answered now."""
        seen = core.known.find(data)
        request = seen and core.at_once(self._head_of(seen.method, seen.target, seen.headers), seen.body)
        if seen and request:
            self._last = data[: len(data) - len(seen.body)], len(seen.body), request
        return request

    def _keep_alive(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """As uvicorn's, unless a request was answered meanwhile: to begin anew with each would cost more."""
        left = self._answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._keep_alive(left)
        else:
            super().timeout_keep_alive_handler()

    def _feed(self, data: bytes) -> None:
        self._withheld += len(data)
        while data:
            try:
                self.parser.feed_data(data)
                data = b""
            except HttpParserUpgrade as offer:
                data = self._head_without_offer() + data[offer.args[0] :] if self._offers else b""
            except HttpParserError:
                self._is_held = False
                self.send_400_response(_NO_REQUEST)
                return
        if self._is_held:
            self._hand_on(self.app)
        if self._withheld > _MAX_HEAD_BYTES:
            self.send_400_response(_NO_REQUEST)

    def _head_without_offer(self) -> bytes:
        """The head that was read, for a new parser: the old one has ended."""
        version = self.parser.get_http_version().encode()
        start = b"%s %s HTTP/%s\r\n" % (self.parser.get_method(), self.url, version)
        self.parser = HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        rest = [b"%s: %s\r\n" % (name, value) for name, value in self.headers if name != b"upgrade"]
        return start + b"".join(rest) + b"\r\n"

    def on_headers_complete(self) -> None:
        """Hand the head on, unless it comes again without the offer."""
        self._offers = self.parser.should_upgrade() and any(name == b"upgrade" for name, _ in self.headers)
        if self._offers:
            return
        if self._core and self._is_usual():
            self._is_held, self._held_body = True, b""
        else:
            self._begin(self.app)

    def _is_usual(self) -> bool:
        """Nothing that came before is still to be answered, and the connection goes on afterwards."""
        parser = self.parser
        return (
            self._is_free()
            and parser.get_method() in _USUAL
            and parser.should_keep_alive()
            and parser.get_http_version() == "1.1"
            and not self.expect_100_continue
        )

    def _is_free(self) -> bool:
        """An answer can go out now."""
        return not (self._unanswered or self.flow.write_paused or self.transport.is_closing())

    def _head_of(self, method: str, target: bytes, headers: Mapping[str, str]) -> Head:
        return Head(method, target, headers, self.scheme or "http", self.server)

    def _begin(self, app: ASGIApp) -> None:
        """Begin to answer the request whose head was read, by this application."""
        url, headers, self.headers = self.url, self.headers, []
        expects = self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the scope holds this list
        self.scope["extensions"] = {EXTENSION: self}  # type: ignore[dict-item]  # the list is of known ones
        usual, self.app = self.app, app
        super().on_headers_complete()
        self.app = usual
        self._unanswered.append(self.cycle)

    def _hand_on(self, app: ASGIApp) -> None:
        """Begin to answer the request that was held, with what is here of its body."""
        self._is_held = False
        self._begin(app)
        if self._held_body:
            super().on_body(self._held_body)

    def _answer_at_once(self, core: Core) -> None:
        """Answer the request that is here as a whole, or hand it on; also with a reply that is not sent in one go."""
        if self._ready is None:
            head = self._head_of(
                self.parser.get_method().decode("ascii"), self.url, headers_as_text(tuple(self.headers))
            )
            request = core.at_once(head, self._held_body)
            if request is None:
                self._hand_on(self.app)
                return
            if self._answer(core, request):
                self._is_held, self._answered = False, head
                self.on_response_complete()
                return
        assert self._ready
        (reply, request), self._ready = self._ready, None
        self._hand_on(quiet(partial(core.go_on, reply, request)))

    def _answer(self, core: Core, request: Request) -> bool:
        """Answer a request in one go. False: its reply is not delivered so, and stays ready."""
        with core.api.in_flight as under_way:
            reply = core.api.handle(request)
            answer = plain(reply, varies=core.cors)
            if answer is not None:
                reply.deliver()
                self.transport.write(answer)
                return True
            under_way.__enter__()  # `go_on` leaves it
        self._ready = reply, request
        return False

    def on_body(self, body: bytes) -> None:
        """Hand a piece of the body on."""
        self._withheld = 0
        if self._is_held:
            self._held_body += body
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Say that the request is whole, unless it comes again without the offer."""
        self._withheld = 0
        if self._offers:
            return
        self._is_between = True
        if self._core and self._is_held:
            self._answer_at_once(self._core)
        if self._unanswered:
            super().on_message_complete()

    def on_message_begin(self) -> None:
        """Measure the head of each request alone. What uvicorn does here is done once the head is handed on."""
        self._head = self._withheld = 0
        self._is_between, self._answered = False, None
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def on_url(self, url: bytes) -> None:
        """Take a piece of the URL."""
        self._count(len(url))
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._count(len(name) + len(value) + 4)
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def _count(self, size: int) -> None:
        self._withheld = 0
        self._head += size
        if self._head > _MAX_HEAD_BYTES:
            raise ValueError("request line and headers are too large")

    def eof_received(self) -> bool:  # type: ignore[override]  # asyncio takes a bool, uvicorn gives none
        """Keep the connection: the client may have ended its side alone."""
        self._has_ended = True
        # Not before the application has seen what came with the end: it may know the answer to half a request.
        self.loop.call_soon(self._end)
        return True

    def _end(self) -> None:
        """The client sends no more: of half a request nothing is to be had."""
        self._drop_half()
        if self._ends_with_client or not self._unanswered:
            self.transport.close()

    def await_silence(self, seconds: float) -> None:
        """For so long, nothing will be said: that is not worth waiting for where the client has ended its side."""
        self._ends_with_client = seconds > _MAX_PATIENCE
        if self._ends_with_client and self._has_ended:
            self.transport.close()

    def _drop_half(self) -> bool:
        """Let the application know that the rest of a request never comes. Gives whether it was answered already."""
        if not self._unanswered or not self._unanswered[-1].more_body:
            return False
        half = self._unanswered.pop()
        _disconnect(half)
        if self.pipeline and self.pipeline[0][0] is half:
            self.pipeline.popleft()
        return half.response_started

    def connection_lost(self, exc: Exception | None) -> None:
        """As uvicorn's, which tells the request alone that came last."""
        for cycle in self._unanswered:
            _disconnect(cycle)
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request in the envelope, and close the connection: once what came before is answered."""
        self._is_over = True
        if self._drop_half():
            self._linger()
        elif self._unanswered:
            self._refusal = msg
        else:
            self._refuse(msg)

    def on_response_complete(self) -> None:
        """Go on with the next request, or with the refusal that waits for its turn."""
        super().on_response_complete()
        del self._unanswered[:1]  # there is none where it was answered at once
        if self._unanswered or self.transport.is_closing():
            return
        if self._refusal:
            self._refuse(self._refusal)
        elif self._has_ended:
            self.transport.close()

    def _refuse(self, msg: str) -> None:
        is_large = max(self._head, self._withheld) > _MAX_HEAD_BYTES
        reason = "request line and headers are too large" if is_large else "this is not HTTP"
        self.transport.write(raw(failure(400, f"{msg.removesuffix('.')}: {reason}")))
        self._linger()

    def _linger(self) -> None:
        """Close when the client has had the time to read: closed with bytes unread, the connection is reset."""
        self.transport.write_eof()
        self.loop.call_later(_LINGER, self.transport.close)


def _disconnect(cycle: RequestResponseCycle) -> None:
    """Say that the client is gone."""
    cycle.disconnected = True
    cycle.message_event.set()


def quiet(app: ASGIApp) -> ASGIApp:
    """The application, of which uvicorn prints no traceback where a connection ended before its answer did."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope["extensions"][EXTENSION].transport

        async def send_while_open(message: Message) -> None:
            if transport.is_closing():  # uvicorn writes to it all the same, until it is told
                await disconnected(receive)
            await send(message)

        with suppress(CancelledError):
            await app(scope, receive, send_while_open)

    return answer
