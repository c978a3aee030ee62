"""Pages: reports as HTML that needs nothing but itself."""
