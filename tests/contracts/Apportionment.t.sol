// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Apportionment} from "../../contracts/libraries/Apportionment.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

contract ApportionmentTest is Test {
    struct Input {
        uint256[] stakes;
        bytes32[] regions;
        uint256 shards;
        uint256 faults;
    }

    struct Change {
        uint256[] owners;
        uint256[] nodes;
        uint256[] weights;
    }

    function test_I11_apportion__given_a_shared_vector__agrees_with_python() external view {
        string memory json = vm.readFile("tests/vectors/apportionment.json");
        uint256 cases = 0;
        for (; vm.keyExistsJson(json, _path(cases, "")); cases++) {
            string memory name = vm.parseJsonString(json, _path(cases, ".name"));
            Input memory input;
            input.stakes = vm.parseJsonUintArray(json, _path(cases, ".stakes"));
            input.regions = _names(vm.parseJsonUintArray(json, _path(cases, ".regions")));
            input.shards = vm.parseJsonUint(json, _path(cases, ".shards"));
            input.faults = (input.shards - 1) / 3;

            (, uint256[] memory sizes) = Apportionment.group(input.regions);
            uint256 nodeCap = Apportionment.nodeCapOf(input.stakes.length, input.shards, input.faults);
            uint256 regionCap = Apportionment.regionCapOf(sizes, nodeCap, input.shards, input.faults);
            uint256[] memory weights = _apportion(input);
            assertEq(nodeCap, vm.parseJsonUint(json, _path(cases, ".nodeCap")), name);
            assertEq(regionCap, vm.parseJsonUint(json, _path(cases, ".regionCap")), name);
            assertEq(weights, vm.parseJsonUintArray(json, _path(cases, ".weights")));
            assertEq(
                Apportionment.deal(weights, input.shards), vm.parseJsonBytes(json, _path(cases, ".assignment")), name
            );
        }
        assertEq(cases, 55);
    }

    function test_I3_apportion__given_any_input__places_all_shards(
        uint256 seed,
        uint256 nodes,
        uint256 regions,
        uint256 shards
    ) external pure {
        Input memory input = _input(seed, bound(nodes, 1, 60), bound(regions, 1, 10), bound(shards, 4, 255));
        uint256[] memory weights = _apportion(input);
        assertEq(weights.length, input.stakes.length);
        assertEq(_sum(weights), input.shards);
    }

    function test_I4_apportion__given_any_input__keeps_within_caps(
        uint256 seed,
        uint256 nodes,
        uint256 regions,
        uint256 shards
    ) external pure {
        Input memory input = _input(seed, bound(nodes, 1, 60), bound(regions, 1, 10), bound(shards, 4, 255));
        (uint256[] memory regionOf, uint256[] memory sizes) = Apportionment.group(input.regions);
        uint256 nodeCap = Apportionment.nodeCapOf(input.stakes.length, input.shards, input.faults);
        uint256 regionCap = Apportionment.regionCapOf(sizes, nodeCap, input.shards, input.faults);

        uint256[] memory weights = _apportion(input);
        uint256[] memory held = new uint256[](sizes.length);
        for (uint256 node = 0; node < weights.length; node++) {
            assertLe(weights[node], nodeCap);
            held[regionOf[node]] += weights[node];
        }
        for (uint256 region = 0; region < held.length; region++) {
            assertLe(held[region], regionCap);
            if (sizes.length * input.faults >= input.shards) assertLe(held[region], input.faults);
        }
    }

    /// @dev The reference looks at every node for every shard and compares by cross multiplication; the library keeps a
    /// heap of rounded quotients.
    function test_apportion__given_any_input__chooses_shard_by_shard(
        uint256 seed,
        uint256 nodes,
        uint256 regions,
        uint256 shards
    ) external pure {
        Input memory input = _input(seed, bound(nodes, 1, 40), bound(regions, 1, 10), bound(shards, 4, 100));
        assertEq(_apportion(input), _reference(input));
    }

    function test_apportion__given_the_largest_committee__stays_within_a_fraction_of_a_block() external {
        assertLt(_gasOf(30, 30, 7), 360_000);
        assertLt(_gasOf(100, 255, 7), 2_400_000);
        assertLt(_gasOf(255, 255, 7), 4_000_000);
        // Regions are for operators to name: each may have its own.
        assertLt(_gasOf(255, 255, 255), 4_500_000);
    }

    function test_nodeCapOf__is_the_lowest_from_f_on(uint256 nodes, uint256 shards) external pure {
        nodes = bound(nodes, 1, 255);
        shards = bound(shards, 4, 255);
        uint256 faults = (shards - 1) / 3;
        uint256 cap = Apportionment.nodeCapOf(nodes, shards, faults);
        assertGe(cap, faults);
        assertGe(nodes * cap, shards);
        assertTrue(cap == faults || nodes * (cap - 1) < shards);
    }

    function test_I4_regionCapOf__given_enough_regions__is_f(uint256 regions, uint256 nodesEach, uint256 shards)
        external
        pure
    {
        shards = bound(shards, 4, 255);
        uint256 faults = (shards - 1) / 3;
        regions = bound(regions, (shards + faults - 1) / faults, 255);
        uint256[] memory sizes = _equal(regions, bound(nodesEach, 1, 4));
        uint256 nodeCap = Apportionment.nodeCapOf(regions * sizes[0], shards, faults);
        assertEq(Apportionment.regionCapOf(sizes, nodeCap, shards, faults), faults);
    }

    function test_I4_regionCapOf__given_four_regions__is_f_from_ten_shards_on(uint256 shards) external pure {
        shards = bound(shards, 10, 255);
        uint256 faults = (shards - 1) / 3;
        uint256[] memory sizes = _equal(4, 1);
        assertEq(Apportionment.regionCapOf(sizes, faults, shards, faults), faults);
    }

    function test_regionCapOf__given_too_few_regions__is_the_lowest_with_room(
        uint256 seed,
        uint256 nodes,
        uint256 regions,
        uint256 shards
    ) external pure {
        Input memory input = _input(seed, bound(nodes, 1, 60), bound(regions, 1, 4), bound(shards, 4, 255));
        (, uint256[] memory sizes) = Apportionment.group(input.regions);
        uint256 nodeCap = Apportionment.nodeCapOf(input.stakes.length, input.shards, input.faults);
        uint256 cap = Apportionment.regionCapOf(sizes, nodeCap, input.shards, input.faults);
        assertGe(_room(sizes, nodeCap, cap), input.shards);
        assertTrue(cap == input.faults || _room(sizes, nodeCap, cap - 1) < input.shards);
    }

    function test_group__numbers_regions_by_name() external pure {
        bytes32[] memory regions = new bytes32[](5);
        (regions[0], regions[1], regions[2], regions[3], regions[4]) =
        (bytes32("eu"), bytes32("us"), bytes32("eu"), bytes32("asia"), bytes32("us"));
        (uint256[] memory regionOf, uint256[] memory sizes) = Apportionment.group(regions);
        assertEq(abi.encode(regionOf), abi.encode(_list(1, 2, 1, 0, 2)));
        assertEq(sizes.length, 3);
        assertEq(sizes[0], 1);
        assertEq(sizes[1], 2);
        assertEq(sizes[2], 2);
    }

    function test_I3_deal__gives_every_node_its_weight(uint8[10] memory seeds) external pure {
        uint256[] memory weights = _small(seeds);
        bytes memory assignment = Apportionment.deal(weights, _sum(weights));
        uint256[] memory dealt = new uint256[](weights.length);
        for (uint256 shard = 0; shard < assignment.length; shard++) {
            dealt[uint8(assignment[shard])]++;
        }
        assertEq(dealt, weights);
    }

    function test_deal__gives_adjacent_shards_only_when_nobody_else_is_owed(uint8[10] memory seeds) external pure {
        uint256[] memory owed = _small(seeds);
        bytes memory assignment = Apportionment.deal(owed, _sum(owed));
        for (uint256 shard = 0; shard < assignment.length; shard++) {
            owed[uint8(assignment[shard])]--;
            bool repeated = shard + 1 < assignment.length && assignment[shard] == assignment[shard + 1];
            if (repeated) assertEq(_sum(owed), owed[uint8(assignment[shard])]);
        }
    }

    function test_I11_reassign__given_a_shared_vector__agrees_with_python() external view {
        string memory json = vm.readFile("tests/vectors/apportionment.json");
        uint256 cases = 0;
        for (; vm.keyExistsJson(json, _reassignmentPath(cases, "")); cases++) {
            string memory name = vm.parseJsonString(json, _reassignmentPath(cases, ".name"));
            uint256[] memory owners = vm.parseJsonUintArray(json, _reassignmentPath(cases, ".owners"));
            (bytes memory assignment, uint256 moved) = Apportionment.reassign(
                owners,
                vm.parseJsonUintArray(json, _reassignmentPath(cases, ".nodes")),
                vm.parseJsonUintArray(json, _reassignmentPath(cases, ".weights")),
                owners.length
            );
            assertEq(assignment, vm.parseJsonBytes(json, _reassignmentPath(cases, ".assignment")), name);
            assertEq(moved, vm.parseJsonUint(json, _reassignmentPath(cases, ".moved")), name);
        }
        assertEq(cases, 59);
    }

    function test_I3_reassign__given_any_change__gives_weights_and_moves_the_fewest_shards(
        uint256 seed,
        uint256 shards,
        uint256 nodes
    ) external pure {
        shards = bound(shards, 4, 255);
        Change memory change = _change(seed, shards, bound(nodes, 1, 40));
        (bytes memory assignment, uint256 moved) =
            Apportionment.reassign(change.owners, change.nodes, change.weights, shards);

        uint256[] memory given = new uint256[](change.nodes.length);
        uint256 movedCount = 0;
        for (uint256 shard = 0; shard < shards; shard++) {
            uint256 place = uint8(assignment[shard]);
            given[place]++;
            bool stays = change.nodes[place] == change.owners[shard];
            assertEq((moved >> shard) & 1 == 0, stays);
            if (!stays) movedCount++;
        }
        assertEq(given, change.weights);
        assertEq(moved >> shards, 0);
        // What each node keeps is at most what it had and at most what it gets: no assignment moves fewer.
        uint256 kept = 0;
        for (uint256 place = 0; place < given.length; place++) {
            uint256 had = _countOf(change.owners, change.nodes[place]);
            kept += had < change.weights[place] ? had : change.weights[place];
        }
        assertEq(movedCount, shards - kept);
    }

    /// @dev The rule itself, in rounds; the library keeps a queue.
    function test_reassign__given_any_change__deals_the_rest_in_rounds(uint256 seed, uint256 shards, uint256 nodes)
        external
        pure
    {
        shards = bound(shards, 4, 255);
        Change memory change = _change(seed, shards, bound(nodes, 1, 40));
        (bytes memory assignment,) = Apportionment.reassign(change.owners, change.nodes, change.weights, shards);

        uint256[] memory owed = change.weights;
        bool[] memory free = new bool[](shards);
        for (uint256 shard = 0; shard < shards; shard++) {
            uint256 place = _find(change.nodes, change.owners[shard]);
            free[shard] = place == change.nodes.length || owed[place] == 0;
            if (free[shard]) continue;
            owed[place]--;
            assertEq(uint8(assignment[shard]), place);
        }
        uint256 next = 0;
        for (uint256 shard = 0; shard < shards; shard++) {
            if (!free[shard]) continue;
            while (owed[next] == 0) next = (next + 1) % owed.length;
            // A round ends when everybody who is owed took one: nobody is passed over, nobody takes two.
            assertEq(uint8(assignment[shard]), next);
            owed[next]--;
            next = (next + 1) % owed.length;
        }
    }

    function test_reassign__given_the_same_weights__moves_nothing(uint256 seed, uint256 shards, uint256 nodes)
        external
        pure
    {
        shards = bound(shards, 4, 255);
        Change memory change = _change(seed, shards, bound(nodes, 1, 40));
        (bytes memory first,) = Apportionment.reassign(change.owners, change.nodes, change.weights, shards);
        uint256[] memory owners = new uint256[](shards);
        for (uint256 shard = 0; shard < shards; shard++) {
            owners[shard] = change.nodes[uint8(first[shard])];
        }
        (bytes memory second, uint256 moved) = Apportionment.reassign(owners, change.nodes, change.weights, shards);
        assertEq(moved, 0);
        assertEq(second, first);
    }

    function test_reassign__given_the_largest_committee__stays_within_a_fraction_of_a_block() external {
        assertLt(_gasOfReassigning(30, 30), 80_000);
        assertLt(_gasOfReassigning(100, 255), 750_000);
        assertLt(_gasOfReassigning(255, 255), 900_000);
    }

    function test_placeIn__finds_what_is_there_and_nothing_else(uint256 seed, uint256 length, uint256 value)
        external
        pure
    {
        uint256[] memory sorted = new uint256[](bound(length, 0, 60));
        uint256 last = 0;
        for (uint256 i = 0; i < sorted.length; i++) {
            last += 1 + uint256(keccak256(abi.encode(seed, i))) % 3;
            sorted[i] = last;
        }
        value = bound(value, 0, last + 2);
        assertEq(Apportionment.placeIn(sorted, value), _find(sorted, value));
    }

    // Helpers

    /// @dev Owners of any shards, some of them nobody; new members, some of whom had none; weights that add up.
    function _change(uint256 seed, uint256 shards, uint256 nodes) private pure returns (Change memory change) {
        change.owners = new uint256[](shards);
        for (uint256 shard = 0; shard < shards; shard++) {
            uint256 word = uint256(keccak256(abi.encode(seed, shard)));
            change.owners[shard] = word % 50 == 0 ? 0 : 1 + (word >> 8) % (2 * nodes);
        }
        change.nodes = new uint256[](nodes < shards ? nodes : shards);
        change.weights = new uint256[](change.nodes.length);
        uint256 id = 0;
        for (uint256 place = 0; place < change.nodes.length; place++) {
            id += 1 + uint256(keccak256(abi.encode(seed, "id", place))) % 3;
            change.nodes[place] = id;
            change.weights[place] = 1;
        }
        uint256 skew = 1 + seed % change.nodes.length;
        for (uint256 rest = shards - change.nodes.length; rest > 0; rest--) {
            change.weights[uint256(keccak256(abi.encode(seed, "weight", rest))) % skew]++;
        }
    }

    /// @dev Gas of reassigning alone, when every node had all its shards but one elsewhere.
    function _gasOfReassigning(uint256 nodes, uint256 shards) private returns (uint256 used) {
        uint256[] memory owners = new uint256[](shards);
        uint256[] memory ids = new uint256[](nodes);
        uint256[] memory weights = new uint256[](nodes);
        for (uint256 shard = 0; shard < shards; shard++) {
            owners[shard] = 1 + shard % nodes;
            weights[(shard + 1) % nodes]++;
        }
        for (uint256 node = 0; node < nodes; node++) {
            ids[node] = 1 + node;
        }
        uint256 before = gasleft();
        Apportionment.reassign(owners, ids, weights, shards);
        used = before - gasleft();
        emit log_named_uint(string.concat("gas of reassigning for nodes = ", vm.toString(nodes)), used);
    }

    function _find(uint256[] memory values, uint256 value) private pure returns (uint256 place) {
        while (place < values.length && values[place] != value) place++;
    }

    function _countOf(uint256[] memory values, uint256 value) private pure returns (uint256 found) {
        for (uint256 i = 0; i < values.length; i++) {
            if (values[i] == value) found++;
        }
    }

    function _reassignmentPath(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".reassignments[", vm.toString(index), "]", field);
    }

    function _apportion(Input memory input) private pure returns (uint256[] memory) {
        return Apportionment.apportion(input.stakes, input.regions, input.shards, input.faults);
    }

    /// @dev Stakes of every magnitude, often equal, so that ties happen; in every fifth list near small multiples of one
    /// large stake, so that quotients almost tie.
    function _input(uint256 seed, uint256 nodes, uint256 regions, uint256 shards)
        private
        pure
        returns (Input memory input)
    {
        input.stakes = new uint256[](nodes);
        input.regions = new bytes32[](nodes);
        input.shards = shards;
        input.faults = (shards - 1) / 3;
        uint256 width = [uint256(1), 3, 64, 128, 0][seed % 5];
        for (uint256 node = 0; node < nodes; node++) {
            uint256 word = uint256(keccak256(abi.encode(seed, node)));
            input.stakes[node] = width == 0
                ? (uint256(keccak256(abi.encode(seed))) >> 132) * (1 + (word >> 64) % 12) + (word >> 128) % 3
                : bound(word >> 128, 1, 2 ** width - 1);
            input.regions[node] = bytes32(word % regions);
        }
    }

    function _reference(Input memory input) private pure returns (uint256[] memory weights) {
        (uint256[] memory regionOf, uint256[] memory sizes) = Apportionment.group(input.regions);
        uint256 nodeCap = Apportionment.nodeCapOf(input.stakes.length, input.shards, input.faults);
        uint256 regionCap = Apportionment.regionCapOf(sizes, nodeCap, input.shards, input.faults);
        weights = new uint256[](input.stakes.length);
        uint256[] memory held = new uint256[](sizes.length);
        for (uint256 shard = 0; shard < input.shards; shard++) {
            uint256 best = type(uint256).max;
            for (uint256 node = 0; node < weights.length; node++) {
                if (weights[node] == nodeCap || held[regionOf[node]] == regionCap) continue;
                bool higher = best == type(uint256).max
                    || input.stakes[node] * (weights[best] + 1) > input.stakes[best] * (weights[node] + 1);
                if (higher) best = node;
            }
            weights[best]++;
            held[regionOf[best]]++;
        }
    }

    /// @dev Gas of apportioning and dealing alone, for `nodes` nodes of rising stake in some regions.
    function _gasOf(uint256 nodes, uint256 shards, uint256 regions) private returns (uint256 used) {
        Input memory input;
        input.stakes = new uint256[](nodes);
        input.regions = new bytes32[](nodes);
        input.shards = shards;
        input.faults = (shards - 1) / 3;
        for (uint256 node = 0; node < nodes; node++) {
            input.stakes[node] = 10 ** 24 + node * 10 ** 21;
            input.regions[node] = bytes32(node % regions);
        }
        uint256 before = gasleft();
        Apportionment.deal(_apportion(input), shards);
        used = before - gasleft();
        emit log_named_uint(string.concat("gas for nodes = ", vm.toString(nodes)), used);
    }

    function _room(uint256[] memory sizes, uint256 nodeCap, uint256 cap) private pure returns (uint256 room) {
        for (uint256 region = 0; region < sizes.length; region++) {
            room += sizes[region] * nodeCap < cap ? sizes[region] * nodeCap : cap;
        }
    }

    function _small(uint8[10] memory seeds) private pure returns (uint256[] memory weights) {
        weights = new uint256[](10);
        for (uint256 node = 0; node < 10; node++) {
            weights[node] = seeds[node] % 26;
        }
    }

    function _equal(uint256 length, uint256 value) private pure returns (uint256[] memory list) {
        list = new uint256[](length);
        for (uint256 i = 0; i < length; i++) {
            list[i] = value;
        }
    }

    function _list(uint256 a, uint256 b, uint256 c, uint256 d, uint256 e) private pure returns (uint256[] memory list) {
        list = new uint256[](5);
        (list[0], list[1], list[2], list[3], list[4]) = (a, b, c, d, e);
    }

    function _names(uint256[] memory numbers) private pure returns (bytes32[] memory names) {
        names = new bytes32[](numbers.length);
        for (uint256 i = 0; i < numbers.length; i++) {
            names[i] = bytes32(numbers[i]);
        }
    }

    function _sum(uint256[] memory values) private pure returns (uint256 total) {
        for (uint256 i = 0; i < values.length; i++) {
            total += values[i];
        }
    }

    function _path(uint256 index, string memory field) private pure returns (string memory) {
        return string.concat(".cases[", vm.toString(index), "]", field);
    }
}
