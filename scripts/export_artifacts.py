"""Compile the contracts into the artifacts that the package carries, and copy the Solidity that policies are written
against; `--check` only says whether both are fresh.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from walrus_chain.chain import build, policy_sources
from walrus_chain.errors import WalrusError


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compile nothing; exit 1 when the artifacts are stale")
    arguments = parser.parse_args()
    try:
        root = build.find_project(Path(__file__).parent)
        if arguments.check:
            stale = [*build.stale_parts(root), *policy_sources.stale_sources(root)]
            print("\n".join([*stale, "run `make contracts`"]) if stale else "the artifacts are fresh")
            return 1 if stale else 0
        artifacts = build.compile_contracts(root)
        build.write_artifacts(root, artifacts)
        policy_sources.write_sources(root)
    except WalrusError as error:
        print(error, file=sys.stderr)
        return 1
    for artifact in artifacts:
        print(f"{artifact.name}: {len(artifact.bytecode) // 2 - 1:,} bytes of creation code")
    return 0


if __name__ == "__main__":
    sys.exit(main())
