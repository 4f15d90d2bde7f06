"""The whole loop without a person: from videos of single things to a detector, scored and shown.

Everything is rendered, so that truth is known at every stage; but only the page and the score look
at it. What the detector learns from are proposals that a rule accepted: no box is drawn by hand.

setting        how large it is
pacing         about how long it will take here
capturing      film, take frames, propose, accept
learning       compose, train, judge
demonstrating  one stage after another, reported and timed
page           what each came to, in pictures
running        all of it, into a folder of its own
"""
