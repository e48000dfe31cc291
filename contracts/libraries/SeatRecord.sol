// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {NodeId} from "../types/NodeId.sol";

/// @title SeatRecord
/// @notice Who served which shard in one committee, packed so that a seat is found with a few reads.
/// @dev Words 0 .. n / 32 are bytes: first the number of members, then for each shard the member that serves it. After them
/// come the node ids by member, in ascending order, eight to a word, lowest bits first. With 255 shards and members that is
/// 8 + 32 words. A record is written when its committee is selected; its number of members stays zero until it takes
/// office, and one that never does stays unseen.
library SeatRecord {
    uint256 private constant IDS_IN_WORD = 8;
    uint256 private constant ID_BITS = 32;
    uint256 private constant FIRST_BYTE_SHIFT = 248;

    struct Record {
        uint256[40] words;
    }

    /// @notice Writes members and assignment into a record that was never written.
    function write(Record storage record, NodeId[] memory nodeIds, bytes memory assignment) internal {
        uint256 first = _firstIdWord(assignment.length);
        for (uint256 place = 0; place < first; place++) {
            uint256 word = 0;
            for (uint256 i = 0; i < 32; i++) {
                uint256 position = 32 * place + i;
                word <<= 8;
                if (position > 0 && position <= assignment.length) word |= uint8(assignment[position - 1]);
            }
            record.words[place] = word;
        }
        for (uint256 begin = 0; begin < nodeIds.length; begin += IDS_IN_WORD) {
            uint256 word = 0;
            for (uint256 i = 0; i < IDS_IN_WORD && begin + i < nodeIds.length; i++) {
                word |= uint256(NodeId.unwrap(nodeIds[begin + i])) << (ID_BITS * i);
            }
            record.words[first + begin / IDS_IN_WORD] = word;
        }
    }

    /// @notice Makes a written record seen: its `size` members, 1 to 255, serve.
    function open(Record storage record, uint256 size) internal {
        record.words[0] |= size << FIRST_BYTE_SHIFT;
    }

    /// @notice How many members served; zero when the committee never took office.
    function sizeOf(Record storage record) internal view returns (uint256) {
        return record.words[0] >> FIRST_BYTE_SHIFT;
    }

    /// @notice The place of a node among the first `size` members.
    /// @return member `size` when it is not among them.
    function find(Record storage record, uint256 shards, uint256 size, NodeId nodeId)
        internal
        view
        returns (uint256 member)
    {
        uint256 low = 0;
        uint256 high = size;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            NodeId found = nodeIdOf(record, shards, middle);
            if (found == nodeId) return middle;
            if (NodeId.unwrap(found) < NodeId.unwrap(nodeId)) low = middle + 1;
            else high = middle;
        }
        return size;
    }

    /// @notice The node of a member.
    function nodeIdOf(Record storage record, uint256 shards, uint256 member) internal view returns (NodeId) {
        uint256 word = record.words[_firstIdWord(shards) + member / IDS_IN_WORD];
        // The cast cuts the field out.
        // forge-lint: disable-next-line(unsafe-typecast)
        return NodeId.wrap(uint32(word >> (ID_BITS * (member % IDS_IN_WORD))));
    }

    /// @notice The member that serves a shard.
    function memberOf(Record storage record, uint256 shard) internal view returns (uint256) {
        return _byteOf(record.words[(shard + 1) / 32], (shard + 1) % 32);
    }

    /// @notice Bit s is set when the member serves shard s.
    function shardsOf(Record storage record, uint256 shards, uint256 member) internal view returns (uint256 bits) {
        // Unchecked: shards are at most 255. Rewards and custody proofs ask this for every node and epoch.
        unchecked {
            uint256 word = record.words[0] << 8;
            for (uint256 shard = 0; shard < shards; shard++) {
                if ((shard + 1) % 32 == 0) word = record.words[(shard + 1) / 32];
                if (word >> FIRST_BYTE_SHIFT == member) bits |= 1 << shard;
                word <<= 8;
            }
        }
    }

    /// @notice One byte a shard: the member that serves it.
    function assignmentOf(Record storage record, uint256 shards) internal view returns (bytes memory assignment) {
        assignment = new bytes(shards);
        uint256 word = record.words[0];
        for (uint256 shard = 0; shard < shards; shard++) {
            uint256 place = (shard + 1) % 32;
            if (place == 0) word = record.words[(shard + 1) / 32];
            // One byte.
            // forge-lint: disable-next-line(unsafe-typecast)
            assignment[shard] = bytes1(uint8(_byteOf(word, place)));
        }
    }

    /// @notice The nodes by member; none when the committee never took office.
    function nodeIdsOf(Record storage record, uint256 shards) internal view returns (NodeId[] memory nodeIds) {
        nodeIds = new NodeId[](sizeOf(record));
        for (uint256 member = 0; member < nodeIds.length; member++) {
            nodeIds[member] = nodeIdOf(record, shards, member);
        }
    }

    /// @dev Byte `place` of a word, the first one being the highest.
    function _byteOf(uint256 word, uint256 place) private pure returns (uint256) {
        return (word >> (8 * (31 - place))) & 0xff;
    }

    function _firstIdWord(uint256 shards) private pure returns (uint256) {
        return shards / 32 + 1;
    }
}
