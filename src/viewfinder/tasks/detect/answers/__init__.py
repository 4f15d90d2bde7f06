"""What a detector finds: suppressed, fused over views, with calibrated scores."""
