"""Build the wheel and the source distribution, and try both in clean environments.

`make release` runs this. It stops at the first thing that is wrong and leaves both files in dist/.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 5_000_000
"""Size of the wheel at most; plotly's bundle and the recorded examples take most of it."""


def run(*words: str | Path, folder: Path = ROOT) -> None:
    """Run a command as a user would, away from this environment's own packages."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    subprocess.run(words, cwd=folder, env=environment, check=True)


def build() -> tuple[Path, Path]:
    """Return the wheel and the source distribution, built anew."""
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    # Without isolation: hatchling is pinned by constraints.txt like everything else.
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", ROOT / "dist", ROOT)
    (wheel,) = (ROOT / "dist").glob("*.whl")
    (source,) = (ROOT / "dist").glob("*.tar.gz")
    return wheel, source


def try_in_a_clean_environment(package: Path, extras: str, version: str) -> None:
    """Install a built file with pip and run the smoke test, in a folder without the sources."""
    with tempfile.TemporaryDirectory(prefix="explorer-release-") as name:
        folder = Path(name)
        python = folder / "venv" / "bin" / "python"
        run(sys.executable, "-m", "venv", folder / "venv", folder=folder)
        pip = (python, "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt")
        run(*pip, f"{package}{extras}", folder=folder)
        shutil.copy(ROOT / "tools" / "smoke_test.py", folder)
        run(python, "smoke_test.py", version, folder=folder)


def main() -> int:
    """Build and try a release; return the exit status."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = project["version"]
    for name in ("CHANGELOG.md", "CITATION.cff"):
        if version not in (ROOT / name).read_text():
            print(f"{name} does not mention version {version} of pyproject.toml.")
            return 1
    wheel, source = build()
    for file in (wheel, source):
        print(f"{file.name}: {file.stat().st_size:,} bytes")
    if wheel.stat().st_size > MOST_BYTES:
        print(f"The wheel is larger than {MOST_BYTES:,} bytes.")
        return 1
    # The wheel as a plain user gets it, the sources with everything that is optional.
    for package, extras in ((wheel, ""), (source, "[excel,gguf,images,validation]")):
        print(f"\n{package.name}{extras} in a clean environment")
        try_in_a_clean_environment(package, extras, version)
    print(f"\ndist/ holds version {version}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
