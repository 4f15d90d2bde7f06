"""Why a model answers as it does: heat maps that are tested, and what would change the answer."""
