"""Which CPythons there are, and the virtual environment of each."""

import glob
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 11)
INSIDE = Path(__file__).parent / "inside"

#: Asked of each candidate, which may be anything.
ASK = """
import importlib.util, json, os, platform, sys
def where(name):
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    return spec and os.path.dirname(spec.origin)
print(json.dumps({
    "implementation": sys.implementation.name,
    "version": list(sys.version_info[:3]),
    "path": os.path.realpath(sys._base_executable),
    "tests": bool(where("test._test_multiprocessing")),
    "futures": where("test.test_concurrent_futures"),
}))
"""


@dataclass(frozen=True)
class Interpreter:
    """A CPython that came with its tests."""

    path: str
    version: tuple
    futures: str | None

    @property
    def name(self):
        return ".".join(map(str, self.version))


def ask(command):
    """What the interpreter says of itself, or None if it is none."""
    try:
        # -I, so that neither this directory nor the environment answers in its place.
        answer = subprocess.run([command, "-I", "-c", ASK], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        return json.loads(answer.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def candidates():
    """Commands and paths at which interpreters usually are, the default one first."""
    yield "python3"
    root = os.environ.get("PYENV_ROOT") or pyenv_root()
    for directory in os.environ.get("PATH", "").split(os.pathsep):
        # What pyenv puts there are scripts that take long to find what is yielded below.
        if directory != f"{root}/shims":
            found = sorted(glob.glob(f"{glob.escape(directory)}/python3.[0-9]*"))
            yield from (path for path in found if path.rpartition(".")[2].isdigit())
    if root:
        yield from sorted(glob.glob(f"{glob.escape(root)}/versions/*/bin/python3"))


def pyenv_root():
    try:
        return subprocess.run(["pyenv", "root"], capture_output=True, text=True, timeout=60).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return None


def find(commands):
    """The interpreters that can be tested, by version; and of those that cannot, why."""
    found, refused = {}, set()
    for command in commands:
        said = ask(command)
        if said is None or said["implementation"] != "cpython" or tuple(said["version"]) < OLDEST:
            continue
        version = tuple(said["version"])
        if said["tests"]:
            found.setdefault(version, Interpreter(said["path"], version, said["futures"]))
        else:
            refused.add(f"{said['path']}: CPython {'.'.join(map(str, version))} without its `test` package")
    return found, sorted(refused)


def choose(wanted, found):
    """Of those that were found, the ones with a version that is wanted, such as `3.13`; and the ones at wanted paths."""
    chosen = {version: it for version, it in found.items() if any(matches(version, name) for name in wanted)}
    for command in wanted:
        if not is_version(command):
            here, refused = find([command])
            if not here:
                raise SystemExit("".join(refused) or f"{command}: no CPython from {'.'.join(map(str, OLDEST))} on")
            chosen |= here
    return [chosen[version] for version in sorted(chosen)]


def where_possible(command, found):
    """The one at that command, or the newest that was found, where it came without its tests; or none."""
    here, refused = find([command])
    for why in refused:
        print(f"not tested: {why}")
    return list(here.values()) or [found[version] for version in sorted(found)[-1:]]


def lent_to(interpreter, found):
    """The tests of `concurrent.futures` for one that came without: those of the next newer version that has them, which ask
    for the least that this one does not have; or of the next older one."""
    newer = [found[version] for version in sorted(found) if version > interpreter.version]
    older = [found[version] for version in sorted(found, reverse=True) if version < interpreter.version]
    return next((it.futures for it in newer + older if it.futures), None)


def is_version(text):
    return all(part.isdigit() for part in text.split("."))


def matches(version, text):
    parts = text.split(".")
    return is_version(text) and [str(part) for part in version[: len(parts)]] == parts


def environment(interpreter, wheel, directory):
    """The interpreter of a virtual environment with `wheel` (or without, if None) and the hook of the run.

    It is made anew when the wheel, the hook's place or the interpreter is another one than before.
    """
    mark = hashlib.sha256(f"{interpreter.path}\n{INSIDE}\n".encode())
    if wheel:
        mark.update(Path(wheel).read_bytes())
    home = Path(directory) / f"venv-{interpreter.name}{'' if wheel else '-stock'}"
    python = home / "bin" / "python"
    seal = home / "conformance.mark"
    if seal.exists() and seal.read_text() == mark.hexdigest():
        return python
    shutil.rmtree(home, ignore_errors=True)
    pip = [] if wheel else ["--without-pip"]
    run([interpreter.path, "-I", "-m", "venv", *pip, str(home)])
    if wheel:
        run([str(python), "-I", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)])
    minor = ".".join(map(str, interpreter.version[:2]))
    pth = home / "lib" / f"python{minor}" / "site-packages" / "procession_conformance.pth"
    pth.write_text(
        "import os, sys; 'PROCESSION_CONFORMANCE' in os.environ and "
        f"(sys.path.insert(0, {str(INSIDE)!r}), __import__('hook'), sys.path.remove({str(INSIDE)!r}))\n"
    )
    seal.write_text(mark.hexdigest())
    return python


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout}\nended with {done.returncode}")
