"""EIP-712 messages: built, hashed, signed and recovered. Pure: no chain, no clock, no socket."""
