#!/bin/sh
# Packs the MCP bundle from the programs that goreleaser built.
#
# Usage: bundle.sh VERSION DIST BUNDLE   (VERSION as 1.2.3; DIST is goreleaser's folder)
#
# Needs the command of .ci/bundle/package.json: npm ci --prefix .ci/bundle
set -eu

version=$1 dist=$2 bundle=$3
here=$(cd "$(dirname "$0")" && pwd)
content=$(mktemp -d)
trap 'rm -rf "$content"' EXIT

name=twilio-conversations-mcp
mkdir -p "$content/server/darwin" "$content/server/linux" "$content/server/win32"
install -m 755 "$dist"/${name}_darwin_all/$name "$content/server/darwin/$name" # both processors
install -m 755 "$dist"/${name}_windows_amd64*/$name.exe "$content/server/win32/$name.exe"
for processor in amd64 arm64; do
  install -m 755 "$dist"/${name}_linux_$processor*/$name "$content/server/linux/$name-$processor"
done
install -m 755 "$here/launch.sh" "$content/server/linux/launch.sh"
install -m 644 "$here/../LICENSE" "$content/LICENSE"
sed "s|\"0\.0\.0\"|\"$version\"|" "$here/manifest.json" >"$content/manifest.json"

"$here/../.ci/bundle/node_modules/.bin/mcpb" pack "$content" "$bundle"
