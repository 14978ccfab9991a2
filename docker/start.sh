#!/bin/sh
# What a container runs: the demo collection by default, an own collection with KYOMEI_DEMO=0.
set -eu
if [ "${KYOMEI_DEMO:-1}" = 0 ]; then
    exec kyomei serve
fi
kyomei build-demo --out /data/demo_media
exec kyomei demo --media /data/demo_media
