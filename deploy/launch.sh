#!/bin/sh
# Starts the program for this machine's processor. A bundle cannot choose by
# processor, only by operating system.
case $(uname -m) in
  x86_64) program=twilio-conversations-mcp-amd64 ;;
  aarch64 | arm64) program=twilio-conversations-mcp-arm64 ;;
  *)
    echo "twilio-conversations-mcp: no program for $(uname -m); valid are x86_64 and aarch64" >&2
    exit 1
    ;;
esac
exec "$(dirname "$0")/$program" "$@"
