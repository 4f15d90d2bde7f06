"""What in the user's own code no longer works, or is no longer needed, and what to write instead.

Code is read by its syntax tree and never run: `sources` finds and reads it, `names` follows what is
imported, `renamed` and the other rule files look, `looking` asks them all, `page` tells.
"""
