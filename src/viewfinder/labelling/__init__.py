"""Labels without drawing: frames of a video, what machines propose, and what to label first."""
