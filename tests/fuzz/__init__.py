"""Malformed exports, archives, workspaces and paths, and the rules to check after each of them.

    python -m tests.fuzz 20000 --seed 1

Every case depends only on the seed and its number; ``--only NUMBER`` repeats one.
"""
