#!/bin/sh
if [ "$1" = --list ]; then echo '{"g": {"hosts": ["h1", "h2"], "vars": {"gv": 1}, "children": ["k"]}, "k": ["h3"], "plain": {"hosts": ["h1"]}}'; else echo "{\"v\": \"of $2\"}"; fi
