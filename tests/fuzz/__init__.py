"""Malformed exports, archives, workspaces and paths, and the rules to check after each of them.

    python -m tests.fuzz 20000 --seed 1

Every case follows from the seed and its number alone; ``--only NUMBER`` repeats one.
"""
