"""What this machine and this installation can do, and how to fix what they cannot.

Facts are gathered once into a `Machine`, each part on its own, so that a strange machine costs its
part and nothing else. Each rule is a function from a `Machine` to a `Finding` or nothing. Nothing
here imports torch into the process that asks: torch is asked in a process of its own, which may
fail, hang or die.
"""
