"""Saliency: which pixels are the picture's subject."""
