"""In which precision, and with how many threads, the tests compute: `make test-thorough` tries others than these."""

import os

from pt4al.training.precision import Hardware

PRECISION = os.environ.get("PT4AL_TEST_PRECISION", "fp32")
THREADS = int(os.environ.get("PT4AL_TEST_THREADS", "1"))
HARDWARE = Hardware("cpu", PRECISION)
