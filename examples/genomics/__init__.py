"""A research consortium shares genomes: who may read, what a read costs, who is paid, and what nobody may delete.

    python -m examples.genomics

Told in README.md of this folder; every figure that is printed was checked.
"""
