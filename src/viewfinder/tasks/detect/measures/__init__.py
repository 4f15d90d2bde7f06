"""How well detections meet the truth."""
