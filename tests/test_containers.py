"""The container files: linters accept them, and what they run does what they say, here without a container."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

import redis_server
from parts import Part, check_fresh, yaml_file
from safelight.mockserver.model.keys import FAKE_KEY
from safelight.mockserver.transports.server import listen
from serving import MAX_SECONDS, serving

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent
TOUR: Final = ROOT / "examples" / "tour"
COMPOSE: Final = ROOT / "examples" / "containers" / "compose.yaml"
DEVCONTAINER: Final = ROOT / "examples" / "devcontainer" / ".devcontainer" / "devcontainer.json"
FILES: Final = (COMPOSE, DEVCONTAINER.with_name("compose.yaml"))

#: Where the image has Safelight.
HOME: Final = "/opt/safelight"


def parts() -> list[Part]:
    ci = ROOT / "examples" / "ci"
    return [
        Part("containers.md", "compose", lambda: yaml_file(COMPOSE)),
        Part("containers.md", "devcontainer", lambda: yaml_file(FILES[1])),
        Part("containers.md", "github", lambda: yaml_file(ci / "service-github.yml")),
        Part("containers.md", "gitlab service", lambda: yaml_file(ci / "service-gitlab.yml")),
    ]


def test_the_page_has_the_files() -> None:
    check_fresh(parts())


def instructions() -> list[tuple[str, str]]:
    """The lines of the Dockerfile: what each does, and the rest."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text("utf-8"))
    lines = [line.partition(" ") for line in text.splitlines() if line and not line.startswith("#")]
    return [(word, rest) for word, _, rest in lines]


def said(word: str) -> str:
    """What the last instruction of this kind says: that of the image, not of the stage that builds it."""
    return [rest for one, rest in instructions() if one == word][-1]


def words(instruction: str) -> list[str]:
    """A command that no shell reads."""
    found: list[str] = json.loads(instruction[instruction.index("[") :])
    return found


def context() -> list[str]:
    """The files that .dockerignore lets in."""
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    let_in = tuple(line.removeprefix("!") for line in lines if line.startswith("!"))
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in tracked.stdout.splitlines() if any(f"{name}/".startswith(f"{one}/") for one in let_in)]


@dataclass(frozen=True, slots=True)
class Image:
    """What the first stage has made, in a folder, and the variables of the second."""

    home: Path

    @property
    def variables(self) -> dict[str, str]:
        pairs = dict(pair.split("=", 1) for pair in said("ENV").split())
        path = pairs.pop("PATH").replace(HOME, str(self.home)).replace("$PATH", os.environ["PATH"])
        return {**pairs, "PATH": path, "PYTHONPATH": NOT_AGAIN["PYTHONPATH"]}

    def run(self, command: list[str]) -> subprocess.Popen[str]:
        found = shutil.which(command[0], path=self.variables["PATH"])
        assert found is not None
        assert Path(found).is_relative_to(self.home)
        return subprocess.Popen([found, *command[1:]], env=self.variables, stdout=subprocess.PIPE, text=True)


#: What is installed here is not fetched again: pip installs Safelight alone, and Python finds the rest.
NOT_AGAIN: Final = {
    "PIP_NO_DEPS": "1",
    "PIP_NO_BUILD_ISOLATION": "0",  # which is how pip is told that there is none
    "PYTHONPATH": sysconfig.get_path("purelib"),
}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Each RUN, carried out with the files that the image's build has."""
    place = tmp_path_factory.mktemp("image")
    for name in context():
        (place / "sources" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / "sources" / name, follow_symlinks=False)
    environment = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **NOT_AGAIN}
    for command in [rest.replace(HOME, str(place / "home")) for word, rest in instructions() if word == "RUN"]:
        shell = ["sh", "-ec", command]
        done = subprocess.run(
            shell, cwd=place / "sources", env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    return Image(place / "home")


def test_the_image_serves_is_healthy_once_it_does_and_ends_when_it_is_told(image: Image) -> None:
    with listen("127.0.0.1", 0) as free:
        port = str(free.getsockname()[1])
    check = [word.replace("8123", port) for word in words(said("HEALTHCHECK"))]
    with image.run(check) as too_early:
        assert too_early.wait(MAX_SECONDS) != 0
    with image.run([*words(said("ENTRYPOINT")), *words(said("CMD")), "--port", port]) as server:
        assert server.stdout is not None
        assert any("Safelight answers at" in line for line in server.stdout)
        with image.run(check) as healthy:
            assert healthy.wait(MAX_SECONDS) == 0
        server.terminate()
        rest = server.stdout.read()
        assert server.wait(MAX_SECONDS) == 0
    assert rest.rstrip().endswith("can use it."), "the check of its health is in no log"


def test_the_port_that_is_checked_is_the_one_that_is_published_and_the_usual_one() -> None:
    assert said("EXPOSE") in said("HEALTHCHECK")
    assert said("EXPOSE") == "8123"
    assert "--port" not in said("CMD")


def test_the_image_runs_as_nobody() -> None:
    user, _, group = said("USER").partition(":")
    assert (user.isdigit(), group.isdigit(), "0" in (user, group)) == (True, True, False)


def test_hadolint_accepts_the_dockerfile_and_is_one_that_refuses(tmp_path: Path) -> None:
    wrong = tmp_path / "Dockerfile"
    wrong.write_text(
        (ROOT / "Dockerfile").read_text("utf-8").replace("--no-cache-dir ", "").replace("WORKDIR /tmp", "WORKDIR tmp")
    )
    for file, code in ((ROOT / "Dockerfile", 0), (wrong, 1)):
        done = subprocess.run([BIN / "hadolint", file], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_compose_file_keeps_the_specification(file: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "compose.yaml"
    wrong.write_text(file.read_text("utf-8").replace("depends_on", "depend_on"))
    for one, code in ((file, 0), (wrong, 1)):
        command = [str(word) for word in (BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", one)]
        assert subprocess.run(command, capture_output=True, check=False).returncode == code


def services(file: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = YAML(typ="safe").load(file)["services"]
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_what_compose_files_name_is_there(file: Path) -> None:
    found = services(file)
    for service in found.values():
        assert service.get("depends_on", {}).keys() <= found.keys()
        if "build" in service:
            assert (file.parent / service["build"] / "Dockerfile").is_file()
    assert found["client"]["environment"]["SAFELIGHT_API_KEY"] == FAKE_KEY


def test_the_devcontainer_names_services_of_its_compose_file() -> None:
    told = json.loads(DEVCONTAINER.read_text("utf-8"))
    found = services(DEVCONTAINER.parent / told["dockerComposeFile"])
    assert told["service"] in found
    assert {port.partition(":")[0] for port in told["forwardPorts"]} <= found.keys()
    [mounted] = found[told["service"]]["volumes"]
    assert mounted.split(":")[1] == told["workspaceFolder"]


@pytest.fixture(
    params=[pytest.param(COMPOSE, marks=pytest.mark.needs("redis-server")), FILES[1]], ids=["compose", "dev"]
)
def service(request: pytest.FixtureRequest) -> Iterator[tuple[Mapping[str, Any], Any]]:
    """The services of a compose file, and its fake as it runs there."""
    found = services(request.param)
    _, *options = found["safelight"]["command"]
    store = [redis_server.empty() if word.startswith("redis://redis:") else word for word in options]
    with serving(*store) as server:
        yield found, server


def test_the_fake_of_a_compose_file_is_controlled_under_its_name(service: tuple[Mapping[str, Any], Any]) -> None:
    found, server = service
    there = found["client"]["environment"]["SAFELIGHT_BASE_URL"]
    name = re.fullmatch(r"http://(\w+):8123/v1/index\.php", there)
    assert name is not None
    assert name[1] in found
    url = server.url.replace("0.0.0.0", "127.0.0.1").partition("/v1")[0] + "/_safelight/session"
    for host, status in ((name[1], 200), ("127.0.0.1", 200), ("another", 403)):
        answered = server.client.get(url, headers={"host": f"{host}:8123", "x-api-key": FAKE_KEY})
        assert answered.status_code == status


@pytest.mark.needs("redis-server")
def test_the_client_of_the_compose_file_makes_its_tour(tmp_path: Path) -> None:
    found = services(COMPOSE)
    options = [redis_server.empty() if word.startswith("redis://") else word for word in found["safelight"]["command"]]
    with serving(*options[1:], "--speed", "100") as server:
        client = found["client"]
        [volume] = client["volumes"]
        inside = volume.split(":")[1]
        command = [sys.executable, *(word.replace(inside, str(TOUR)) for word in client["entrypoint"][1:])]
        own = {**client["environment"], "SAFELIGHT_BASE_URL": server.url.replace("0.0.0.0", "127.0.0.1")}
        subprocess.run(command, cwd=tmp_path, env={**os.environ, **own}, check=True, timeout=100, capture_output=True)
    assert len(list(tmp_path.iterdir())) == 3
