// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlockHashRandomness} from "../../contracts/custody/BlockHashRandomness.sol";
import {IRandomness} from "../../contracts/interfaces/IRandomness.sol";
import {Test} from "./support/Test.sol";
import {vm} from "./support/Vm.sol";

contract BlockHashRandomnessTest is Test {
    uint64 private constant DELAY = 5;
    uint256 private constant BLOCK = 20_000;
    address private constant HISTORY = 0x0000F90827F1C53a10cb7A02335B175320002935;
    address private constant SYSTEM = 0xffffFFFfFFffffffffffffffFfFFFfffFFFfFFfE;
    /// @dev The contract of EIP-2935, byte for byte.
    bytes private constant HISTORY_CODE =
        hex"3373fffffffffffffffffffffffffffffffffffffffe14604657602036036042575f35600143038111604257611fff81430311604257611fff9006545f5260205ff35b5f5ffd5b5f35611fff60014303065500";

    function setUp() public {
        vm.roll(BLOCK);
        vm.setBlockhash(BLOCK - 1, keccak256("parent"));
    }

    // constructor

    function test_constructor__when_the_delay_is_out_of_bounds__reverts(uint64 delay) external {
        delay = delay % 2 == 0 ? 0 : uint64(bound(delay, 201, type(uint64).max));
        vm.expectRevert(
            abi.encodeWithSelector(BlockHashRandomness.BlockHashRandomness_DelayOutOfBounds.selector, 1, 200, delay)
        );
        new BlockHashRandomness(delay);
    }

    function test_constructor__when_there_is_no_block_before__reverts() external {
        vm.roll(0);
        vm.expectRevert(IRandomness.Randomness_SourceMissing.selector);
        new BlockHashRandomness(DELAY);
    }

    function test_constructor__when_the_chain_has_no_hashes__reverts() external {
        vm.setBlockhash(BLOCK - 1, 0);
        vm.expectRevert(IRandomness.Randomness_SourceMissing.selector);
        new BlockHashRandomness(DELAY);
    }

    function test_constructor__when_there_is_no_history__goes_without() external {
        BlockHashRandomness source = new BlockHashRandomness(DELAY);
        assertFalse(source.hasHistory());
        assertEq(source.delayBlocks(), DELAY);
    }

    function test_constructor__when_the_history_says_the_same__uses_it() external {
        startHistory();
        assertTrue(new BlockHashRandomness(DELAY).hasHistory());
    }

    function test_constructor__when_the_history_says_something_else__goes_without() external {
        startHistory();
        vm.setBlockhash(BLOCK - 1, keccak256("another"));
        assertFalse(new BlockHashRandomness(DELAY).hasHistory());
    }

    // nextTicket

    function test_nextTicket__given_any_delay__names_a_block_to_come(uint64 delay, uint32 number) external {
        delay = uint64(bound(delay, 1, 200));
        BlockHashRandomness source = new BlockHashRandomness(delay);
        vm.roll(BLOCK + number);
        assertEq(source.nextTicket(), BLOCK + number + delay);
    }

    // reveal

    function test_reveal__when_the_block_is_not_past__reverts() external {
        BlockHashRandomness source = new BlockHashRandomness(DELAY);
        uint256 ticket = source.nextTicket();
        for (uint256 number = BLOCK; number <= ticket; ++number) {
            vm.roll(number);
            assertFalse(source.isRevealed(ticket));
            vm.expectRevert(abi.encodeWithSelector(IRandomness.Randomness_TooEarly.selector, ticket, number));
            source.reveal(ticket);
        }
    }

    function test_reveal__when_within_256_blocks__gives_the_hash(uint256 age) external {
        BlockHashRandomness source = new BlockHashRandomness(DELAY);
        uint256 ticket = source.nextTicket();
        age = bound(age, 1, 256);
        vm.roll(ticket + age);
        vm.setBlockhash(ticket, keccak256("drawn"));
        assertTrue(source.isRevealed(ticket));
        assertEq(source.reveal(ticket), keccak256("drawn"));
    }

    function test_reveal__when_256_blocks_are_over_and_there_is_no_history__is_lost(uint256 age) external {
        BlockHashRandomness source = new BlockHashRandomness(DELAY);
        uint256 ticket = source.nextTicket();
        vm.roll(ticket + 257);
        expectLost(source, ticket);
        vm.roll(ticket + bound(age, 257, 2 ** 32));
        expectLost(source, ticket);
    }

    function test_reveal__when_a_history_comes_later__is_still_lost() external {
        BlockHashRandomness source = new BlockHashRandomness(DELAY);
        uint256 ticket = source.nextTicket();
        startHistory();
        remember(ticket, keccak256("drawn"));
        vm.roll(ticket + 257);
        expectLost(source, ticket);
    }

    function test_reveal__when_there_is_a_history__reaches_8191_blocks() external {
        startHistory();
        BlockHashRandomness source = new BlockHashRandomness(DELAY);
        uint256 ticket = source.nextTicket();
        remember(ticket, keccak256("drawn"));
        uint256[3] memory ages = [uint256(257), 8190, 8191];
        for (uint256 i = 0; i < 3; ++i) {
            vm.roll(ticket + ages[i]);
            assertTrue(source.isRevealed(ticket));
            assertEq(source.reveal(ticket), keccak256("drawn"));
        }
        vm.roll(ticket + 8192);
        expectLost(source, ticket);
    }

    function test_reveal__when_the_history_does_not_know_the_block__is_lost() external {
        startHistory();
        BlockHashRandomness source = new BlockHashRandomness(DELAY);
        uint256 ticket = source.nextTicket();
        vm.roll(ticket + 300);
        expectLost(source, ticket);
    }

    function test_reveal__when_the_history_answers_nonsense__is_lost() external {
        startHistory();
        BlockHashRandomness source = new BlockHashRandomness(DELAY);
        uint256 ticket = source.nextTicket();
        vm.roll(ticket + 300);
        // 64 bytes; 31 bytes; nothing; a revert with 32 bytes; an invalid instruction.
        bytes[5] memory codes =
            [bytes(hex"600760005260406000f3"), hex"6007600052601f6000f3", hex"00", hex"600760005260206000fd", hex"fe"];
        for (uint256 i = 0; i < codes.length; ++i) {
            vm.etch(HISTORY, codes[i]);
            expectLost(source, ticket);
        }
    }

    /// @dev Deploys the history, which knows the block before the present one.
    function startHistory() private {
        vm.etch(HISTORY, HISTORY_CODE);
        vm.prank(SYSTEM);
        (bool success,) = HISTORY.call(abi.encode(keccak256("parent")));
        assertTrue(success);
    }

    /// @dev Goes to the block after `number`, at whose beginning the chain tells the history the hash of `number`.
    function remember(uint256 number, bytes32 hash) private {
        vm.roll(number + 1);
        vm.prank(SYSTEM);
        (bool success,) = HISTORY.call(abi.encode(hash));
        assertTrue(success);
    }

    function expectLost(BlockHashRandomness source, uint256 ticket) private {
        assertFalse(source.isRevealed(ticket));
        vm.expectRevert(abi.encodeWithSelector(IRandomness.Randomness_Lost.selector, ticket, vm.getBlockNumber()));
        source.reveal(ticket);
    }
}
