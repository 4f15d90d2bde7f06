"""What a detector learns from, which of it a step shows, and the batch."""
