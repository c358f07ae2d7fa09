"""List the providers there are: a new one is one file and one line here."""
