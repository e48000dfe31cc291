"""The codec: from bytes to slivers and a blob id, and back from whichever slivers are left.

* `geometry`: sizes and places
* `erasure`: the Reed-Solomon code, the only pyeclib import
* `redstuff`: encode, decode and heal one segment
* `stream`, `decoder`: blobs of any size, there and back
* `nodes`, `hashing`, `merkle`: tagged SHA-256, trees over slivers, paths for runs of chunks
* `metadata`, `proof`: what a blob id commits to, and a chunk's way up to it
* `verify`, `ranges`: compare with the commitment, whole slivers and byte ranges
"""
