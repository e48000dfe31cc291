"""Write tests/vectors/allow_list.json: allow lists, their roots, and the evidence of each member.

    python scripts/make_allow_list_vectors.py

Made by `walrus_chain.policies.merkle`, checked by the contract `MerkleAllowListPolicy`
(tests/contracts/AccessKinds.t.sol). The accounts come from a fixed seed, so the file changes only when the format does.

`count`     how many lists, and how many members of a list
`root`      of the tree, 32 bytes
`evidence`  what the member shows: `abi.encode(bytes32[] proof)`
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

from walrus_chain.messages.signing import checksummed
from walrus_chain.policies.merkle import AllowList

VECTORS = Path(__file__).parent.parent / "tests" / "vectors" / "allow_list.json"
SEED = "walrus-chain/allow-list/1"
SIZES = (1, 2, 3, 4, 5, 8, 13)


def list_of(size: int, dice: random.Random) -> dict[str, Any]:
    """A list with all that its members need."""
    allowed = AllowList([checksummed(dice.randbytes(20)) for _ in range(size)])
    return {
        "count": size,
        "root": "0x" + allowed.root.hex(),
        "members": [
            {"account": account, "evidence": "0x" + allowed.evidence(account).hex()} for account in allowed.accounts
        ],
    }


def main() -> None:
    """Write the file."""
    dice = random.Random(SEED)
    lists = [list_of(size, dice) for size in SIZES]
    VECTORS.write_text(json.dumps({"count": len(lists), "lists": lists}, indent=1) + "\n", encoding="utf-8")
    print("tests/vectors/allow_list.json")


if __name__ == "__main__":
    main()
