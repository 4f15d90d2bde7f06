"""Mistakes of people with torch, each a small net that does not run, for explain_fixes.py.

`wrong` lay before us when the rules were written. The others are sets each written before any of
its nets was explained, in this order: `held_out`, `fresh`, `last`, `unseen`, `newest`, `forum`,
`later`, `third`, `learners`, `classmates`, `meanings`, `notebooks`, `questions`, `courses`. What
the first try gave for each is in docs/explain.md; the kinds of those that failed were mended
afterwards. `silent` has mistakes that run, for explain_warnings.py.
"""
