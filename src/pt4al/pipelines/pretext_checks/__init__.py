"""Stage `pretext`, after its losses: check them before any label."""
