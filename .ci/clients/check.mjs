// Checks the entries that "config" prints: Claude Code and Gemini CLI connect with theirs, and those of the other clients
// are documents in their formats. Usage: node check.mjs SERVER   (a built binary)
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { parse as parseTOML } from "smol-toml";

const [server] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "clients-"));
const home = join(scratch, "home"), project = join(scratch, "project"), bin = join(scratch, "bin");
const modules = join(import.meta.dirname, "node_modules");

// Nothing of whoever runs this reaches the clients.
const env = {
  PATH: `${bin}:${process.env.PATH}`, HOME: home,
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", DISABLE_TELEMETRY: "1", DISABLE_AUTOUPDATER: "1", GEMINI_TELEMETRY_ENABLED: "false",
};

function run(command, args) {
  return spawnSync(command, args, { cwd: project, env, encoding: "utf8", timeout: 120_000 });
}

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

// entry returns what config prints for a client: the entry alone on stdout; the file and the command on stderr.
function entry(client, url) {
  const { status, stdout, stderr } = run("twilio-conversations-mcp", ["config", client, ...(url ? ["--url", url] : [])]);
  assert.equal(status, 0, stderr);
  assert.notEqual(stderr, "", "the file is named on stderr");
  assert.ok(!(stdout + stderr).includes(token), "the token must not be printed");
  return stdout;
}

// startServer serves the sandbox over HTTP and resolves to its URL.
function startServer() {
  const child = spawn("twilio-conversations-mcp", ["--sandbox", "--http", "127.0.0.1:0"], { env, stdio: ["ignore", "ignore", "pipe"] });
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface(child.stderr).on("line", (line) => {
      const [, url] = line.match(/ url=(http:\/\/127\.0\.0\.1:\d+\/mcp)$/) ?? [];
      if (url) resolve({ url, stop: () => child.kill("SIGKILL") });
    });
  });
}

// connected fails unless the client lists the server as connected.
function connected({ stdout, stderr }, mark) {
  assert.match(stdout + stderr, mark);
}

const real = {
  "claude-code"(text) {
    write(join(project, ".mcp.json"), text);
    write(join(home, ".claude/settings.json"), JSON.stringify({ enableAllProjectMcpServers: true }));
    connected(run(process.execPath, [join(modules, "@anthropic-ai/claude-code/cli-wrapper.cjs"), "mcp", "list"]), /^twilio-conversations: .*✔ Connected$/m);
  },
  gemini(text) {
    write(join(home, ".gemini/settings.json"), text);
    write(join(home, ".gemini/trustedFolders.json"), JSON.stringify({ [project]: "TRUST_FOLDER" }));
    connected(run(process.execPath, [join(modules, ".bin/gemini"), "mcp", "list"]), /^✓ twilio-conversations: .* Connected$/m);
  },
};

// serverIn returns the server's entry from a file of any client.
function serverIn(file) {
  return Object.values(file).map((member) => member["twilio-conversations"]).find(Boolean);
}

function checkFormat(client, url) {
  const text = entry(client, url);
  const found = serverIn(client === "codex" ? parseTOML(text) : JSON.parse(text));
  assert.equal(url ? found.url ?? found.serverUrl : found.command, url ?? "twilio-conversations-mcp");
}

const token = "a-token-of-at-least-32-characters-here";
const servers = [];
let current;
try {
  for (const directory of [home, project, bin]) mkdirSync(directory);
  symlinkSync(server, join(bin, "twilio-conversations-mcp"));
  for (const transport of ["stdio", "http", "http with a token"]) {
    if (transport.endsWith("token")) env.MCP_AUTH_TOKEN = token; // of the server, config and the clients
    if (transport !== "stdio") servers.push(await startServer());
    const url = servers.at(-1)?.url;
    for (const [client, connect] of Object.entries(real)) {
      current = `${client}: connects over ${transport}`;
      connect(entry(client, url));
      console.log(`ok  ${current}`);
    }
    for (const client of ["claude-code", "claude-desktop", "cursor", "vscode", "codex", "gemini", "cline", "zed", "windsurf"]) {
      if (client === "claude-desktop" && url) continue;
      current = `${client}: the entry for ${transport} can be read`;
      checkFormat(client, url);
    }
    console.log(`ok  every entry for ${transport} can be read`);
  }
  current = "claude-desktop: a URL is refused";
  const { status, stdout, stderr } = run("twilio-conversations-mcp", ["config", "claude-desktop", "--url", servers[0].url]);
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /Connectors/);
  console.log(`ok  ${current}`);
} catch (error) {
  console.error(`FAIL  ${current}\n${error.message}`);
  process.exitCode = 1;
} finally {
  for (const { stop } of servers) stop();
  rmSync(scratch, { recursive: true, force: true });
}
