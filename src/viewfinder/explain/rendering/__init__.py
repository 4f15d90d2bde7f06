"""Three views of one explanation: the terminal's table, one HTML file, and JSON."""
