"""The studio's server: the page and the store's labels, for one machine unless asked otherwise."""
