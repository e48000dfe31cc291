"""Where the agent keeps what must survive: sliver pairs in a store, everything else in the catalogue."""
