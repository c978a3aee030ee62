"""What training is tested with."""

from support.training import fashion, make_network, make_pool, make_schedule

__all__ = ["fashion", "make_network", "make_pool", "make_schedule"]
