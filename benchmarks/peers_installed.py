"""The other servers: how each is found or installed, what it is told to answer, and how it is started.

All that is installed goes into `.cache/peers`, which Git ignores. What cannot be had is left out with a word.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safelight.contracts.schemas import known

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CACHE: Final = Path(__file__).parent.parent / ".cache" / "peers"

ENTRY: Final = "/v1/index.php"
_SUBMIT, _POLL = f"{ENTRY}?endpoint=image_generation", f"{ENTRY}?endpoint=task_status&task_id=1"

#: What those answer that do not know the service.
SUBMITTED: Final = {"success": True, "data": {"id": "1", "status": "queued"}, "error": None}
POLLED: Final = {"success": True, "data": {"id": "1", "status": "queued", "created_at": None}, "error": None}
_JSON: Final = {"content-type": "application/json"}


@dataclass(eq=False)
class Missing(Exception):
    """What is needed is not here, and is not installed by itself."""

    what: str

    def __str__(self) -> str:
        return self.what


@dataclass(frozen=True, slots=True)
class Peer:
    """A server: its name, what it does of what the fake does, and the command that starts it at a port."""

    name: str
    does: str
    #: From a port and a folder of its own to the command. Raises `Missing`.
    command: Callable[[int, Path], Sequence[str]]
    submit: str = _SUBMIT
    poll: str = _POLL
    #: It runs on a JVM or on Node, which take their time to get warm.
    warms_up: bool = False
    #: It answers whatever comes: it is a yardstick, and no mock server.
    is_bare: bool = False


def _npm(package: str, version: str) -> Path:
    """The folder of an npm package, installed where it is missing."""
    if not shutil.which("npm"):
        raise Missing("npm is missing; the Debian package is called npm")
    folder = CACHE / "node_modules" / package
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        options = ["--prefix", str(CACHE), "--no-audit", "--no-fund", "--ignore-scripts", "--no-save"]
        # With those that are there already: npm takes away what nobody asks for.
        there = [f"{name}@{number}" for name, number in _PACKAGES.items() if (CACHE / "node_modules" / name).exists()]
        _run(["npm", "install", *options, *there, f"{package}@{version}"])
    return folder


#: npm package -> version that was measured. mountebank goes on as @mbtest/mountebank.
_PACKAGES: Final = {
    "@stoplight/prism-cli": "5.16.0",
    "wiremock": "3.13.2",
    "@mbtest/mountebank": "2.9.2",
    "@mockoon/cli": "9.9.0",
    "specmatic": "2.55.1",
}


def _command_of(package: str, name: str) -> str:
    _npm(package, _PACKAGES[package])
    return str(CACHE / "node_modules" / ".bin" / name)


def _run(command: Sequence[str], **options: Any) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise Missing(f"{command[0]} failed: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")


def _java() -> str:
    if found := shutil.which("java"):
        return found
    raise Missing("Java is missing; the Debian package is called default-jre-headless")


@cache
def _request_schema() -> dict[str, Any]:
    """The request as the contract has it, its nine parameters with their types and limits."""
    kept = ("type", "minLength", "minimum", "maximum", "enum")
    members = known("image_generation.request")["properties"]
    plain = {name: {word: stated[word] for word in kept if word in stated} for name, stated in members.items()}
    plain["prompt"]["type"] = "string"  # not a graph, which these would have to follow
    return {"type": "object", "required": ["prompt"], "properties": plain}


def _openapi(folder: Path) -> str:
    """A document for those that live by one: a path for each operation, an example for each answer."""

    def operation(answer: Any, **more: Any) -> dict[str, Any]:
        schema = {"type": "object", "properties": {"success": {"type": "boolean"}}}
        content = {"application/json": {"schema": schema, "example": answer}}
        return {"responses": {"200": {"description": "right", "content": content}}, **more}

    task_id = {"name": "task_id", "in": "query", "required": True, "schema": {"type": "string", "minLength": 1}}
    body = {"required": True, "content": {"application/json": {"schema": _request_schema()}}}
    paths = {
        "/v1/image_generation": {"post": operation(SUBMITTED, requestBody=body)},
        "/v1/task_status": {"get": operation(POLLED, parameters=[task_id])},
    }
    document = {"openapi": "3.0.3", "info": {"title": "measured", "version": "1"}, "paths": paths}
    return _written(folder / "openapi.json", document)


def _written(path: Path, document: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return str(path)


def _fake(port: int, _: Path) -> Sequence[str]:
    """As people start it, but for the log. Its tasks run for ever, and are paid for."""
    safelight = str(Path(sys.executable).with_name("safelight"))
    told = ["--log", "none", "--queued", "0", "--running", "never", "--balance", str(10**11)]
    return [safelight, "serve", "--port", str(port), *told]


def _beside(name: str) -> Callable[[int, Path], Sequence[str]]:
    """A server of `servers.py`."""
    return lambda port, _: [sys.executable, str(Path(__file__).with_name("servers.py")), name, str(port)]


#: Those that live by a document have a path for each operation.
_BY_PATHS: Final = ("/v1/image_generation", "/v1/task_status?task_id=1")


def _prism(port: int, folder: Path) -> Sequence[str]:
    prism = _command_of("@stoplight/prism-cli", "prism")
    options = ["-h", "127.0.0.1", "--verboseLevel", "silent", "--multiprocess", "false"]
    return [prism, "mock", _openapi(folder), "-p", str(port), *options]


def _wiremock(port: int, folder: Path) -> Sequence[str]:
    java, package = _java(), _npm("wiremock", _PACKAGES["wiremock"])
    schema = [{"matchesJsonSchema": _request_schema(), "schemaVersion": "V202012"}]
    for method, name, answer, more in (
        ("POST", "image_generation", SUBMITTED, {"bodyPatterns": schema}),
        ("GET", "task_status", POLLED, {}),
    ):
        asked = {"method": method, "urlPath": ENTRY, "queryParameters": {"endpoint": {"equalTo": name}}, **more}
        answered = {"status": 200, "headers": _JSON, "body": json.dumps(answer)}
        _written(folder / "mappings" / f"{name}.json", {"request": asked, "response": answered})
    jar = str(next((package / "build").glob("wiremock-standalone-*.jar")))
    options = ["--port", str(port), "--root-dir", str(folder), "--disable-banner", "--bind-address", "127.0.0.1"]
    return [java, "-jar", jar, *options, "--max-request-journal-entries", "1000"]


def _mountebank(port: int, folder: Path) -> Sequence[str]:
    mb = _command_of("@mbtest/mountebank", "mb")
    stubs = [
        {
            "predicates": [{"equals": {"method": method, "path": ENTRY, "query": {"endpoint": name}}}],
            "responses": [{"is": {"statusCode": 200, "headers": _JSON, "body": json.dumps(answer)}}],
        }
        for method, name, answer in (("POST", "image_generation", SUBMITTED), ("GET", "task_status", POLLED))
    ]
    imposters = {"imposters": [{"port": port, "protocol": "http", "host": "127.0.0.1", "stubs": stubs}]}
    stated = _written(folder / "imposters.json", imposters)
    options = ["--noParse", "--nologfile", "--loglevel", "error", "--pidfile", str(folder / "pid"), "--localOnly"]
    return [mb, "start", "--port", str(port + 1_000), "--configfile", stated, *options]


def _mockoon(port: int, folder: Path) -> Sequence[str]:
    cli = _command_of("@mockoon/cli", "mockoon-cli")
    named = {"latency": 0, "label": "", "bodyType": "INLINE", "filePath": "", "databucketID": "", "rulesOperator": "OR"}
    flags = {"sendFileAsBody": False, "disableTemplating": True, "fallbackTo404": False, "default": True}
    content = [{"key": "content-type", "value": "application/json"}]
    routes = [
        {
            "uuid": method,
            "type": "http",
            "documentation": "",
            "method": method,
            "endpoint": ENTRY[1:],
            "responseMode": None,
            "responses": [
                {
                    "uuid": f"{method}-1",
                    "body": json.dumps(answer),
                    "statusCode": 200,
                    "headers": content,
                    "rules": [],
                    "callbacks": [],
                    **named,
                    **flags,
                }
            ],
        }
        for method, answer in (("post", SUBMITTED), ("get", POLLED))
    ]
    environment = {
        "uuid": "measured",
        "lastMigration": 33,
        "name": "measured",
        "port": port,
        "hostname": "127.0.0.1",
        "endpointPrefix": "",
        "latency": 0,
        "folders": [],
        "routes": routes,
        "rootChildren": [{"type": "route", "uuid": route["uuid"]} for route in routes],
        "proxyMode": False,
        "headers": [],
        "data": [],
        "callbacks": [],
    }
    data = _written(folder / "mockoon.json", environment)
    options = ["--port", str(port), "--hostname", "127.0.0.1", "--disable-log-to-file", "--repair"]
    return [cli, "start", "--data", data, *options, "--max-transaction-logs", "1000"]


def _specmatic(port: int, folder: Path) -> Sequence[str]:
    java, package = _java(), _npm("specmatic", _PACKAGES["specmatic"])
    options = ["--host", "127.0.0.1", "--port", str(port), "--noConsoleLog", "--hot-reload", "disabled"]
    return [java, "-jar", str(package / "specmatic.jar"), "mock", _openapi(folder), *options]


def _httpserver(port: int, folder: Path) -> Sequence[str]:
    python = CACHE / "python"
    if not (python / "bin" / "python").exists():
        _run([sys.executable, "-m", "venv", str(python)])
        _run([str(python / "bin" / "pip"), "install", "-q", "pytest-httpserver==1.1.3"])
    program = (
        "import logging, sys, threading; from pytest_httpserver import HTTPServer\n"
        "logging.getLogger('werkzeug').disabled = True\n"
        f"s = HTTPServer('127.0.0.1', {port})\n"
        f"s.expect_request('{ENTRY}', 'POST', query_string={{'endpoint': 'image_generation'}})"
        f".respond_with_json({SUBMITTED})\n"
        f"s.expect_request('{ENTRY}', 'GET').respond_with_json({POLLED})\n"
        "s.start(); threading.Event().wait()\n"
    )
    return [str(python / "bin" / "python"), _written(folder / "httpserver_app.py", program)]


def _nginx(port: int, folder: Path) -> Sequence[str]:
    _written(folder / "html" / "v1" / "index.php", json.dumps(POLLED))
    _written(
        folder / "nginx.conf",
        f"daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/log;\n"
        "events { worker_connections 1024; }\n"
        f"http {{ access_log off; client_body_temp_path {folder}; keepalive_requests 100000000;\n"
        f"proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};\n"
        f"server {{ listen 127.0.0.1:{port}; root {folder}/html; default_type application/json;\n"
        "location / { error_page 405 =200 $uri; } } }\n",
    )
    return [_debian("nginx", "usr/sbin/nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def _debian(package: str, command: str) -> str:
    """A command of a Debian package: that of this machine, else unpacked, without being set up."""
    if found := shutil.which(Path(command).name):
        return found
    there = CACHE / package / command
    if not there.exists():
        if not shutil.which("apt-get"):
            raise Missing(f"{package} is missing")
        folder = CACHE / package
        folder.mkdir(parents=True, exist_ok=True)
        _run(["apt-get", "download", package], cwd=folder)
        for archive in folder.glob("*.deb"):
            _run(["dpkg", "-x", str(archive), str(folder)])
    return str(there)


#: The fake first, then the others from the most to the least that they do.
PEERS: Final = (
    Peer("safelight", "validates, books, keeps a journal", _fake),
    Peer("Prism", "validates, answers from an example", _prism, *_BY_PATHS, warms_up=True),
    Peer("WireMock", "matches a JSON Schema, keeps a journal", _wiremock, warms_up=True),
    Peer("Specmatic", "validates, answers from an example", _specmatic, *_BY_PATHS, warms_up=True),
    Peer("Mockoon", "matches the route", _mockoon, warms_up=True),
    Peer("mountebank", "matches method, path and query", _mountebank, warms_up=True),
    Peer("pytest-httpserver", "matches method, path and query", _httpserver),
    Peer("a bare Starlette route", "parses the JSON body", _beside("bare"), is_bare=True),
    Peer("a bare ASGI application", "reads the body", _beside("asgi"), is_bare=True),
    Peer("nginx", "sends a file", _nginx, is_bare=True),
)
