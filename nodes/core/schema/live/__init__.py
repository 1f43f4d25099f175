"""A live schema beside the one of a model file: what differs, and what of a request it forbids. Pure."""
