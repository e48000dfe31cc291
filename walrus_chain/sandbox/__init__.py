"""Where programs are built and run: the engine, the child process around it, and the parent that trusts neither."""
