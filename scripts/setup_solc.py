"""Put the pinned Solidity compiler where py-solc-x and Ape look for it (`SOLCX_BINARY_PATH`, set by the Makefile).

The native compiler is downloaded where that works at once; otherwise a link to `scripts/bin/solc` stands in its place,
which runs the WebAssembly build of the same release. Both give the same bytecode.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import requests
from solcx.install import BINARY_DOWNLOAD_BASE

from walrus_chain.chain.build import find_project
from walrus_chain.chain.compiler import SHIM, CompilerSettings

REACHABLE_SECONDS = 5
DOWNLOAD_SECONDS = 90


def can_download() -> bool:
    """Whether the compiler's download site answers."""
    try:
        return requests.head(BINARY_DOWNLOAD_BASE.format("linux", "list.json"), timeout=REACHABLE_SECONDS).ok
    except requests.RequestException:
        return False


def download(release: str) -> bool:
    """Whether py-solc-x brought a compiler that runs; in a process of its own, since it knows no time-out."""
    command = [sys.executable, "-c", f"import solcx; solcx.install_solc({release!r})"]
    try:
        return subprocess.run(command, timeout=DOWNLOAD_SECONDS, capture_output=True, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def main() -> int:
    root = find_project(Path(__file__).parent)
    release = CompilerSettings.of_project(root).release
    place = Path(os.environ["SOLCX_BINARY_PATH"]) / f"solc-v{release}"
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists() and not place.is_symlink():
        return 0
    place.unlink(missing_ok=True)
    if can_download() and download(release):
        print(f"solc {release}: native")
        return 0
    place.unlink(missing_ok=True)
    place.symlink_to(os.path.relpath(root / SHIM, place.parent))
    print(f"solc {release}: WebAssembly (the native build cannot be downloaded here; compiling takes longer)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
