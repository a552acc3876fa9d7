"""The action, the files of `examples/ci` and the hook: linters accept them, and what they run does what they say."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from run_bad_server import bad_server
from safelight.mockserver.model.keys import FAKE_KEY

ROOT: Final = Path(__file__).parents[1]
BIN: Final = Path(sys.executable).parent

ACTION: Final[dict[str, Any]] = YAML(typ="safe").load(ROOT / "action.yml")
INSTALL, CHECK = ACTION["runs"]["steps"]

#: File -> the schemas that it keeps.
LINTED: Final = {
    "action.yml": ("vendor.github-actions",),
    "examples/ci/nightly.yml": ("vendor.github-workflows", "custom.github-workflows-require-timeout"),
    "examples/ci/gitlab.yml": ("vendor.gitlab-ci",),
    "examples/ci/service-github.yml": ("vendor.github-workflows", "custom.github-workflows-require-timeout"),
    "examples/ci/service-gitlab.yml": ("vendor.gitlab-ci",),
}


def run(*command: object, folder: Path = ROOT, **more: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **more}
    arguments = [str(one) for one in command]
    return subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=100
    )


@pytest.mark.parametrize("file", LINTED)
def test_a_linter_accepts_it(file: str) -> None:
    for schema in LINTED[file]:
        done = run(BIN / "check-jsonschema", "--builtin-schema", schema, file)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_the_linter_is_one_that_refuses(tmp_path: Path) -> None:
    wrong = tmp_path / "action.yml"
    wrong.write_text((ROOT / "action.yml").read_text("utf-8").replace("using: composite", "using: luck"), "utf-8")
    assert run(BIN / "check-jsonschema", "--builtin-schema", "vendor.github-actions", wrong).returncode == 1


def test_pre_commit_accepts_the_hook_and_the_example_of_its_use() -> None:
    assert run(BIN / "pre-commit", "validate-manifest", ".pre-commit-hooks.yaml").returncode == 0
    done = run(BIN / "pre-commit", "validate-config", "examples/ci/pre-commit-config.yaml")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_files_use_what_there_is() -> None:
    load = YAML(typ="safe").load
    steps = load(ROOT / "examples/ci/nightly.yml")["jobs"]["check"]["steps"]
    [used] = [step for step in steps if "/safelight@" in step["uses"]]
    assert used["with"].keys() <= ACTION["inputs"].keys()
    assert steps[-1]["with"]["path"] == ACTION["inputs"]["reports"]["default"]
    [hook] = load(ROOT / ".pre-commit-hooks.yaml")
    [[one]] = [repo["hooks"] for repo in load(ROOT / "examples/ci/pre-commit-config.yaml")["repos"]]
    assert one["id"] == hook["id"]


def test_no_input_stands_in_a_script_and_the_key_is_none() -> None:
    assert [step["run"] for step in (INSTALL, CHECK) if "${{" in step["run"]] == []
    assert not [name for name in ACTION["inputs"] if "key" in name]
    assert {f"${{{{ inputs.{name} }}}}" for name in ACTION["inputs"]} == set(CHECK["env"].values())


def act(folder: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], Mapping[str, str]]:
    """The step that checks, as GitHub runs it, and its outputs."""
    given = {name: one.get("default", "") for name, one in ACTION["inputs"].items()} | inputs
    environment = {
        variable: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], value)
        for variable, value in CHECK["env"].items()
    }
    (folder / "safelight").symlink_to(BIN.parent)  # what the step before has installed
    script, outputs = folder / "step.sh", folder / "outputs"
    script.write_text(CHECK["run"], "utf-8")
    done = run(
        *("bash", "--noprofile", "--norc", "-eo", "pipefail", script),
        folder=folder,
        RUNNER_TEMP=str(folder),
        GITHUB_OUTPUT=str(outputs),
        GITHUB_STEP_SUMMARY=str(folder / "summary"),
        GITHUB_ACTIONS="true",
        SAFELIGHT_API_KEY=FAKE_KEY,
        **environment,
    )
    return done, dict(line.split("=", 1) for line in outputs.read_text("utf-8").splitlines())


def test_the_action_checks_a_server_writes_its_reports_and_fills_the_bank(tmp_path: Path) -> None:
    quick = "--only S4* --only S50\n --settle 0  --interval 0.05"
    with bad_server("good") as server:
        done, outputs = act(
            tmp_path, **{"url": server.url, "max-paid": "1", "bank": "a bank.json", "options": quick, "reports": "a b"}
        )
        assert server.tasks == 1
    assert done.returncode == 0, done.stdout + done.stderr
    assert outputs.keys() == ACTION["outputs"].keys()
    assert [name for name, file in outputs.items() if not (tmp_path / file).is_file()] == []
    assert {Path(file).parent.name for file in outputs.values()} == {"a b"}
    assert (tmp_path / "a bank.json").is_file()
    assert ": passed" in (tmp_path / "summary").read_text("utf-8")


def test_the_action_fails_with_the_findings_as_annotations_and_pays_for_nothing(tmp_path: Path) -> None:
    with bad_server("submits-on-get") as server:
        done, outputs = act(tmp_path, url=server.url, options="--only S23")
    assert done.returncode == 1
    assert "::error" in done.stdout
    assert (tmp_path / outputs["html"]).is_file()
    assert FAKE_KEY not in done.stdout + done.stderr


def test_an_input_that_looks_like_a_command_is_a_url_that_is_none(tmp_path: Path) -> None:
    done, _ = act(tmp_path, url='--plan $(touch owned) "; touch owned')
    assert (done.returncode, "is no URL" in done.stderr) == (2, True)
    assert not (tmp_path / "owned").exists()


def test_pre_commit_runs_the_hook_on_the_files_of_its_config(tmp_path: Path) -> None:
    yaml = YAML(typ="safe")
    [hook] = yaml.load(ROOT / ".pre-commit-hooks.yaml")
    [used] = yaml.load(ROOT / "examples/ci/pre-commit-config.yaml")["repos"][0]["hooks"]
    with (tmp_path / ".pre-commit-config.yaml").open("w") as file:  # installed it is already: by this environment
        yaml.dump({"repos": [{"repo": "local", "hooks": [hook | used | {"language": "system"}]}]}, file)
    (tmp_path / "requests").mkdir()
    (tmp_path / "requests" / "right.json").write_text('{"prompt": "a lighthouse"}\n')
    (tmp_path / "other.json").write_text("[]\n")
    for command in (["init", "-q"], ["add", "."]):
        run("git", *command, folder=tmp_path)
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}
    done = run(BIN / "pre-commit", "run", folder=tmp_path, **home)
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "requests" / "wrong.json").write_text('{"prompt": "a lighthouse", "width": 2049}\n')
    run("git", "add", ".", folder=tmp_path)
    done = run(BIN / "pre-commit", "run", folder=tmp_path, **home)
    assert (done.returncode, "requests/wrong.json: width is 2049; the most is 2048" in done.stdout) == (1, True)
