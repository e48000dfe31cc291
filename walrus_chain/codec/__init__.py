"""The codec: from bytes to slivers and a blob id, and back from whichever slivers are left.

geometry   sizes and places                      erasure   the Reed-Solomon code (the only pyeclib import)
redstuff   encode, decode, heal a segment        hashing   tagged SHA-256 trees
stream     blobs of any size                     merkle    sliver trees, paths for runs of chunks
ranges     byte ranges                           metadata  what a blob id commits to
verify     compare with the commitment           proof     a chunk's way up to the blob id
"""
