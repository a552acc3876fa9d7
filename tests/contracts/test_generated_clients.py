"""What generators of clients make of the OpenAPI documents: without a warning, compiled strictly, used on the fake."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from left_out import NPM, found
from safelight.contracts import openapi
from safelight.mockserver.control.routes.openapi import document as control_document
from serving import SAFELIGHT, Served, serving

#: Folder -> the document from which the clients in it are made.
DOCUMENTS: Final = {"paths": openapi(paths=True), "one-path": openapi(), "control": control_document()}

#: Where the Python tools are.
BIN: Final = Path(SAFELIGHT).parent


class Generator(NamedTuple):
    """A generator for TypeScript: its command, its file of settings, and what it wants there for all documents."""

    command: str
    file: str
    settings: Callable[[], Any]


def _each(make: Callable[[str, str], Any]) -> Mapping[str, Any]:
    """Document -> what is made of its file and of the folder of its clients."""
    return {name: make(f"{name}.json", name) for name in DOCUMENTS}


#: The generators for TypeScript. Each makes the clients of all documents in one run, as its start takes the longest.
TYPESCRIPT: Final = {
    "openapi-typescript": Generator(
        "openapi-typescript --default-non-nullable=false",
        "redocly.yaml",
        lambda: {
            "apis": _each(
                lambda file, to: {"root": file, "x-openapi-ts": {"output": f"{to}/openapi-typescript.ts"}},
            )
        },
    ),
    "hey-api": Generator(
        "openapi-ts --silent",
        "openapi-ts.config.js",
        lambda: [*_each(lambda file, to: {"input": file, "output": f"{to}/hey-api"}).values()],
    ),
    "orval": Generator(
        "orval",
        "orval.config.js",
        lambda: _each(lambda file, to: {"input": file, "output": {"target": f"{to}/orval.ts", "client": "fetch"}}),
    ),
}

#: The settings of TypeScript's compiler: for the clients, and for the programs that use them.
COMPILER: Final = {
    "strict": True,
    "target": "es2022",
    "module": "node16",
    "lib": ["es2022", "dom", "dom.iterable"],
    "types": [],
    "skipLibCheck": True,
    "rootDir": ".",
    "outDir": "built",
}


def run(folder: Path, *command: str) -> str:
    """What a command prints, both streams; it has to succeed."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # openapi-python-client runs ruff
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


@pytest.fixture(scope="module")
def fake() -> Iterator[Served]:
    with serving("--openapi-paths", "--polls", "1,1") as server:
        yield server


def origin(fake: Served) -> str:
    return fake.url.partition("/v1")[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The documents, and the programs that use what is made of them."""
    folder = tmp_path_factory.mktemp("clients")
    shutil.copytree(NPM / "uses", folder / "uses")
    for name, document in DOCUMENTS.items():
        (folder / f"{name}.json").write_text(json.dumps(document), "utf-8")
    return folder


@pytest.fixture(scope="module")
def typescript(folder: Path) -> Path:
    """With the clients of the generators for TypeScript, compiled."""
    (folder / "node_modules").symlink_to(NPM / "node_modules")
    (folder / "package.json").write_text("{}")
    for command, file, settings in TYPESCRIPT.values():
        begin = "module.exports = " if file.endswith(".js") else ""
        (folder / file).write_text(begin + json.dumps(settings()))
        tool, *options = command.split()
        assert "warn" not in run(folder, str(found(tool)), *options).lower()
    compiled = {"compilerOptions": COMPILER, "include": [*DOCUMENTS, "uses"]}
    (folder / "tsconfig.json").write_text(json.dumps(compiled))
    assert run(folder, str(found("tsc"))) == ""
    return folder


@pytest.mark.needs("node", "tsc")
@pytest.mark.parametrize("name", TYPESCRIPT)
def test_a_client_in_typescript_compiles_and_finds_its_picture(name: str, typescript: Path, fake: Served) -> None:
    program = f"require('./built/uses/{name}.js').picture(...process.argv.slice(1)).then(console.log)"
    assert run(typescript, "node", "--eval", program, origin(fake), fake.key).startswith(origin(fake))


@pytest.fixture(scope="module")
def python(folder: Path) -> Path:
    """With the clients of the generator for Python, which says nothing but what it does."""
    for name in DOCUMENTS:
        made = f"{name.replace('-', '_')}_client"
        options = ["--meta", "none", "--path", f"{name}.json", "--output-path", made]
        assert run(folder, str(BIN / "openapi-python-client"), "generate", *options) == f"Generating {made}\n"
    return folder


def test_a_client_in_python_has_types_and_finds_its_picture(python: Path, fake: Served) -> None:
    """The generator's own files are not strict: the types count where they are used."""
    options = ["--strict", "--follow-imports", "silent", "--python-executable", sys.executable]
    run(python, sys.executable, "-m", "compileall", "-q", *[one.name for one in python.glob("*_client")])
    assert run(python, sys.executable, "-m", "mypy", *options, "uses/picture.py").startswith("Success")
    program = "import sys; sys.path.insert(0, '.'); from uses.picture import picture; print(picture(*sys.argv[1:]))"
    assert run(python, sys.executable, "-c", program, origin(fake), fake.key).startswith(origin(fake))
