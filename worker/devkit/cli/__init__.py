"""The commands of the development tools."""
