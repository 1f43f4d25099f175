"""What leaves the repository: the registry's files, and the package that pip makes of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from shells import BLOCKED, HANG, blocking
from support import ROOT

# The part of the README that says so itself.
IN_A_CLONE = "## In a clone"
PACKAGES = ("nodes", "emulator", "locales")


def tracked() -> list[str]:
    """Return the files of the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("this is not a clone")
    return [path for path in listed.stdout.splitlines() if (ROOT / path).exists()]


@pytest.fixture(scope="module")
def published() -> set[str]:
    """The files of the registry's archive: what ``.comfyignore`` does not name."""
    ignored = (ROOT / ".comfyignore").read_text(encoding="utf-8").split()
    return {path for path in tracked() if not any(f"/{path}".startswith(each) for each in ignored)}


@pytest.fixture(scope="module")
def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_images_and_pages_of_the_readme_are_published(published: set[str], readme: str) -> None:
    linked = [path for path in re.findall(r"\]\(([^)#]+)", readme) if not path.startswith("https://")]
    assert len(linked) > 5
    assert [path for path in linked if path not in published] == []


def test_commands_of_the_readme_exist_where_it_is_published(published: set[str], readme: str) -> None:
    before, _, rest = readme.partition(IN_A_CLONE)
    clone, _, after = rest.partition("\n## ")
    modules = set(re.findall(r"python -m (\w+)", before + after)) - {"pip", "venv"}
    assert modules == {"nodes", "emulator"}
    assert [name for name in modules if f"{name}/__main__.py" not in published] == []
    assert set(re.findall(r"-r (\S+\.txt)", before + after)) == {"requirements.txt"} <= published
    only_here = set(re.findall(r"python -m (\w+)", clone)) - {"pip", "pytest"}
    assert [name for name in only_here if f"{name}/__main__.py" in published] == [], "these need no clone"


def test_the_first_command_of_the_readme_needs_neither_torch_nor_the_tests_packages(
    readme: str, tmp_path: Path
) -> None:
    first = re.search(r"```\n(.*?)```", readme, re.DOTALL)
    assert first
    lines = first[1].splitlines()
    assert [line.split()[0] for line in lines] == ["git", "cd", "python3", "python"]
    install, _, command = lines[-1].partition(" && ")
    assert install == "python -m pip install -r requirements.txt aiohttp"
    assert command == 'python -m nodes text-to-image "A red fox in the snow"'
    needed = blocking(tmp_path / "blocked", *BLOCKED)
    # PowerShell runs no script of a folder (Activate.ps1) before a person has allowed that.
    (powershell,) = re.findall(r"In PowerShell:\n\n```\n(.*?)```", readme, re.DOTALL)
    assert powershell.splitlines() == [
        *lines[:2],
        "py -m venv .venv",
        *(f".venv\\Scripts\\{each}" for each in (install, command)),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "nodes", "text-to-image", "A red fox in the snow"],
        cwd=tmp_path,
        env=alone(tmp_path, str(needed), str(ROOT)),
        capture_output=True,
        text=True,
        timeout=HANG,
    )
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "output").glob("*.png"))) == 1


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that pip makes of a copy of the repository, without the network."""
    pytest.importorskip("setuptools")
    clone, made = tmp_path_factory.mktemp("clone"), tmp_path_factory.mktemp("wheel")
    for path in tracked():
        if path.split("/")[0] in (*PACKAGES, "pyproject.toml", "setup.py", "README.md", "LICENSE"):
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_bytes((ROOT / path).read_bytes())
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "-w", made, clone], capture_output=True, text=True, timeout=HANG)
    assert done.returncode == 0, done.stderr
    (path,) = made.iterdir()
    return path


def test_the_wheel_holds_one_package_with_all_that_the_shell_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    expected = {
        f"runcomfy_models/{path}"
        for path in tracked()
        if path.split("/")[0] in PACKAGES and not path.startswith("nodes/comfyui/")
    }
    assert sorted(held ^ expected) == []


def test_pip_gives_a_command_that_runs_without_torch(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", target, wheel]
    subprocess.run(command, check=True, capture_output=True, timeout=HANG)
    script = target / "bin" / "runcomfy-models"
    start = [sys.executable, script] if script.exists() else [target / "Scripts" / "runcomfy-models.exe"]
    environment = alone(tmp_path, str(blocking(tmp_path / "blocked", *BLOCKED)), str(target))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*start, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=HANG
        )

    done = run("text-to-image", "A fox", "--out", "fox.png")
    assert (done.returncode, done.stdout) == (0, "fox.png\n"), done.stderr
    assert run("--help").stdout.startswith("usage: runcomfy-models ")
    assert "'runcomfy-models models' lists all" in run("run", "a/b").stderr


def alone(home: Path, *paths: str) -> dict[str, str]:
    """Return an environment in which nothing is set up, and modules are found in these folders."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("RUNCOMFY_", "PYTHON", "XDG_"))
    }
    return {**kept, "HOME": str(home), "LOCALAPPDATA": str(home), "PYTHONPATH": os.pathsep.join(paths)}
