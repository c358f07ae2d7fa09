"""Put the parts together: the only package that names concrete classes."""
