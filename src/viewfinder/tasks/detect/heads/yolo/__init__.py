"""YOLO's head: boxes from anchors, cell by cell; `head.py` answers for the family."""
