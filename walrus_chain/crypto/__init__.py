"""Private data: encrypted in chunks, its key sealed to nodes by threshold, and their shares to whoever asked.

Pure: chance enters as an argument, but for the one-time key of `sealing.seal_share`, which the library draws itself.
"""
