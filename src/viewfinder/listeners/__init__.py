"""Who listens to events. Nothing prints but what is here, and the command line."""
