#!/bin/sh
# Notes what children of the program see.
tr '\0' '\n' < /proc/$PPID/cmdline > "$CANARY/children/$1-parent-cmdline"
cat /proc/self/environ > "$CANARY/children/$1-environ"
tr '\0' '\n' < /proc/$$/cmdline > "$CANARY/children/$1-cmdline"
