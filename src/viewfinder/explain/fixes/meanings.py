"""Words for what a fix does otherwise than was most likely meant."""

LEVELS = "it stretches the answers of one level to the size of another"
LEFT_OUT_BEYOND = "what one has beyond the size of the other is left out"
STRETCHED = "it stretches the answer to a size that the net was not made for"
PLACES = "it takes places for channels"
ALL_PAIRS = "each item of the batch then meets every item, not its own alone"
