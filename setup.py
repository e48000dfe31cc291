"""The one part of the build that pyproject.toml has no words for: an optional compiled module.

Without a compiler the build goes on without it, and `walrus_chain.codec.hashing` uses hashlib.
"""

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "walrus_chain.codec._hashtree",
            ["walrus_chain/codec/_hashtree.c"],
            depends=["walrus_chain/codec/_sha256_instructions.h", "walrus_chain/codec/_sha256_lanes.h"],
            extra_compile_args=["-O3"],
            py_limited_api=True,
            optional=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
