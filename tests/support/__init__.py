"""What tests share: tiny projects, data sets in their own layouts, simulated people."""
