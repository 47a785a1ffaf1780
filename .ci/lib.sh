# What the checks of the running server have in common; sourced by them. The
# caller sets here, its own folder, and ends what was started.

scratch=$(mktemp -d)
http_pid=

# Settings of whoever runs this are not what is checked.
unset "${!MCP_@}" "${!TWILIO_@}"

# report REASON FILE...: says what is wrong, and shows the files.
report() {
  printf 'FAIL  %s\n' "$1"
  for file in "${@:2}"; do
    printf -- '--- %s\n' "${file##*/}"
    cat "$file"
  done
} >&2

fail() {
  report "$@"
  exit 1
}

# free_port prints a port on which nothing listens.
free_port() {
  node -e 'require("net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port); this.close() })'
}

# start_http FLAG...: serves the sandbox over HTTP on a free port, and sets
# http_pid and url.
start_http() {
  : >"$scratch/server.log"
  "$server" --sandbox --http 127.0.0.1:0 "$@" </dev/null >"$scratch/server.log" 2>&1 &
  http_pid=$!
  for ((tries = 0; tries < 100; tries++)); do
    url=$(sed -n 's|.*msg=listening .*url=\(http://127\.0\.0\.1:[0-9]*/mcp\).*|\1|p' "$scratch/server.log")
    [[ -z $url ]] || return 0
    kill -0 "$http_pid" 2>/dev/null || break
    sleep 0.1
  done
  fail 'http: the server did not say where it listens' "$scratch/server.log"
}

# build_server [SERVER]: sets server, built if none is given.
build_server() {
  case $# in
    0)
      server=$scratch/server
      go build -C "$here/../.." -o "$server" . || fail 'go build'
      ;;
    1)
      [[ -f $1 && -x $1 ]] || fail "$1 is not a program"
      server=$(cd "$(dirname "$1")" && pwd)/${1##*/}
      ;;
    *) fail 'usage: run [SERVER]' ;;
  esac
}

# prepare [SERVER]: sets server, and installs what package.json pins.
prepare() {
  build_server "$@"
  # Not --silent, which would also suppress why npm fails.
  (cd "$here" && npm ci --no-audit --no-fund --loglevel=error) >"$scratch/npm" 2>&1 ||
    fail 'npm ci' "$scratch/npm"
}
