"""The whole loop without a person: from videos of single things to a detector, scored and shown.

Everything is rendered, so that truth is known at every stage; but only the page and the score look
at it. What the detector learns from are proposals that a rule accepted: no box is drawn by hand.

`demonstrate` does one stage after another (`stages`), and `write_page` shows what each came to.
"""

from viewfinder.labelling.demonstration.demonstrating import Outcome, demonstrate
from viewfinder.labelling.demonstration.page import write_page
from viewfinder.labelling.demonstration.stages import Setting

__all__ = ["Outcome", "Setting", "demonstrate", "write_page"]
