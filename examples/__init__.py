"""Things to try out with Walrus Chain, each with one command."""
