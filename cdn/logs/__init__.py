"""Request logs: readers of log formats, what they refuse and quarantine, and the log store."""
