// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

import {BlobId} from "../types/BlobId.sol";

/// @title BlobToken
/// @notice The ERC-721 side of blob objects, with the owner in the same storage slot as the object's facts.
/// @dev A new object costs two new slots instead of three. Owners and balances live here; of {ERC721} only the approvals
/// and the rules about who may transfer are used, so `_increaseBalance` must not be called.
///
/// Invariant: `balanceOf(a)` is the number of objects whose owner is `a`; an object without owner has no facts.
abstract contract BlobToken is ERC721 {
    /// @dev Two slots. `end` is the first epoch that is not paid.
    struct Facts {
        address owner;
        uint40 size;
        uint24 start;
        uint24 end;
        uint8 flags;
        BlobId blobId;
    }

    mapping(uint256 blobObject => Facts) internal _facts;

    mapping(address owner => uint256) private _balances;

    constructor() ERC721("Walrus Chain Blob", "BLOB") {}

    /// @inheritdoc ERC721
    function balanceOf(address owner) public view override returns (uint256) {
        if (owner == address(0)) revert ERC721InvalidOwner(owner);
        return _balances[owner];
    }

    /// @inheritdoc ERC721
    function _ownerOf(uint256 blobObject) internal view override returns (address) {
        return _facts[blobObject].owner;
    }

    /// @inheritdoc ERC721
    /// @dev Same rules as the original; burning also clears the facts.
    function _update(address to, uint256 blobObject, address auth) internal override returns (address from) {
        // Check
        from = _ownerOf(blobObject);
        if (auth != address(0)) _checkAuthorized(from, auth, blobObject);

        // Effect
        if (from != address(0)) {
            _approve(address(0), blobObject, address(0), false);
            // Cannot underflow: `from` owns this object.
            unchecked {
                --_balances[from];
            }
        }
        if (to != address(0)) {
            // Cannot overflow: objects are counted.
            unchecked {
                ++_balances[to];
            }
            _facts[blobObject].owner = to;
        } else {
            delete _facts[blobObject];
        }
        emit Transfer(from, to, blobObject);
    }
}
