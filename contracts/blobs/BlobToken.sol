// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

import {BlobId} from "../types/BlobId.sol";
import {BlobFacts} from "./BlobFacts.sol";

/// @title BlobToken
/// @notice The ERC-721 side of blob objects, with the owner in the same storage slot as the object's other facts.
/// @dev A new object costs two new slots instead of three. Owners and balances live here; of {ERC721} only the approvals
/// and the rules about who may transfer are used, so nothing may call its `_mint` or `_increaseBalance`.
///
/// Invariant: `balanceOf(a)` is the number of objects whose owner is `a`; what has no owner never gets one again.
abstract contract BlobToken is ERC721 {
    mapping(uint256 blobObject => BlobFacts) internal _factsOf;

    mapping(uint256 blobObject => BlobId) internal _blobIdOf;

    mapping(address owner => uint256) private _balances;

    constructor() ERC721("Walrus Chain Blob", "BLOB") {}

    /// @inheritdoc ERC721
    function balanceOf(address owner) public view override returns (uint256) {
        if (owner == address(0)) revert ERC721InvalidOwner(owner);
        return _balances[owner];
    }

    /// @dev Writes an object that did not exist; its owner is not asked.
    function _create(uint256 blobObject, BlobId blobId, BlobFacts facts) internal {
        address owner = facts.ownerOf();
        _factsOf[blobObject] = facts;
        _blobIdOf[blobObject] = blobId;
        // Cannot overflow: it counts objects.
        unchecked {
            ++_balances[owner];
        }
        emit Transfer(address(0), owner, blobObject);
    }

    /// @dev Removes what is left of an object that was burnt.
    function _clear(uint256 blobObject) internal {
        _factsOf[blobObject] = BlobFacts.wrap(0);
        _blobIdOf[blobObject] = BlobId.wrap(0);
    }

    /// @inheritdoc ERC721
    function _ownerOf(uint256 blobObject) internal view override returns (address) {
        return _factsOf[blobObject].ownerOf();
    }

    /// @inheritdoc ERC721
    /// @dev Same rules as the original, for objects that exist: transfer, or burn when `to` is zero. What is left of a burnt
    /// object is for who burns it to say.
    function _update(address to, uint256 blobObject, address auth) internal override returns (address from) {
        // Check
        BlobFacts facts = _factsOf[blobObject];
        from = facts.ownerOf();
        if (auth != address(0)) _checkAuthorized(from, auth, blobObject);
        if (to != address(0) && facts.isGoverned()) _checkTransfer(blobObject, to);

        // Effect
        _approve(address(0), blobObject, address(0), false);
        // Cannot underflow nor overflow: `from` owns this object, and balances count objects.
        unchecked {
            --_balances[from];
            if (to != address(0)) ++_balances[to];
        }
        _factsOf[blobObject] = facts.withOwner(to);
        emit Transfer(from, to, blobObject);
    }

    /// @dev Reverts when the policies of the object forbid that it goes to `to`. Changes nothing.
    function _checkTransfer(uint256 blobObject, address to) internal view virtual;
}
