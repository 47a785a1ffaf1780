#!/bin/sh
# Prints server.json for a release: with the owner, the repository, the version
# and the checksum of the bundle instead of the placeholders.
#
# Usage: server-json.sh OWNER/REPOSITORY VERSION BUNDLE   (VERSION as 1.2.3)
set -eu

repository=$1 version=$2 bundle=$3
owner=${repository%%/*}
lower=$(printf %s "$owner" | tr '[:upper:]' '[:lower:]') # the only case that image names have
checksum=$(sha256sum "$bundle" | cut -d ' ' -f 1)

sed -e "s|io\.github\.OWNER/|io.github.$owner/|" \
  -e "s|ghcr\.io/OWNER/|ghcr.io/$lower/|" \
  -e "s|OWNER/REPOSITORY|$repository|" \
  -e "s|0\.0\.0|$version|" \
  -e "s|0\{64\}|$checksum|" \
  "$(dirname "$0")/server.json"
