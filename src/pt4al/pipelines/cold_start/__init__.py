"""Pipeline `cold_start`: first queries alone, compared by many seeds."""
