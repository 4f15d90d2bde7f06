"""A detector that learns from what is done so far, and proposes boxes for what is still to do."""
