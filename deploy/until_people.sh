#!/bin/bash
# Run a command; that people have to answer first (exit status 75) is no failure.
set -uo pipefail
"$@"
status=$?
if [ "$status" -eq 75 ]; then
    echo "waiting for people: the same command goes on when they have answered"
    exit 0
fi
exit "$status"
