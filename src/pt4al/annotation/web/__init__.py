"""The labelling page: a server of the standard library and one static page."""
