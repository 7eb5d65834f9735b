"""Numbers to pages; knows nothing of models."""
