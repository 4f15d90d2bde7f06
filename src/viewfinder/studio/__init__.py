"""The studio: where a person marks pictures and corrects what machines proposed."""
