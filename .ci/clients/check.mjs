// Checks the entries that "config" prints and writes. Every client that npm serves starts without a login and, with the
// entry in the file where "config CLIENT --write" puts it, must connect to the server, over stdio and over HTTP.
// The language model of those that want one is an address where nobody answers. The entries of the other clients must be
// documents in their formats. Usage: node check.mjs SERVER   (a built binary)
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { parse as parseTOML } from "smol-toml";

const [server] = process.argv.slice(2);
const token = "a-token-of-at-least-32-characters-here";
const scratch = mkdtempSync(join(tmpdir(), "clients-"));
const bin = join(scratch, "bin"), recording = join(scratch, "recording");
const installed = ["node_modules/.bin", "unlocked/node_modules/.bin"].map((path) => join(import.meta.dirname, path));
const noModel = "http://127.0.0.1:9/v1"; // nobody listens there

// Nothing of whoever runs this reaches the clients.
const env = {
  PATH: `${bin}:${process.env.PATH}`, TWILIO_API_KEY: "", TWILIO_API_SECRET: "",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1", DISABLE_TELEMETRY: "1", DISABLE_AUTOUPDATER: "1", GEMINI_TELEMETRY_ENABLED: "false",
  OPENCODE_DISABLE_AUTOUPDATE: "1", CLINE_NO_AUTO_UPDATE: "1", COPILOT_AUTO_UPDATE: "false", CONTINUE_TELEMETRY_ENABLED: "0",
};

// The clients, with the command that makes each connect, run in an empty home directory and project. Files are written
// there first.
const clients = {
  // The wrapper works without the script that npm would run after the installation.
  "claude-code": { run: ["../@anthropic-ai/claude-code/cli-wrapper.cjs", "mcp", "list"], files: ({ home }) => ({ [join(home, ".claude/settings.json")]: { enableAllProjectMcpServers: true } }) },
  gemini: { run: ["gemini", "mcp", "list"], files: ({ home, project }) => ({ [join(home, ".gemini/trustedFolders.json")]: { [project]: "TRUST_FOLDER" } }) },
  qwen: { run: ["qwen", "mcp", "list"] },
  opencode: { run: ["opencode", "mcp", "list"] },
  mcporter: { run: ["mcporter", "list"] },
  codex: {
    run: ["codex", "exec", "--skip-git-repo-check", "-m", "none", "-c", 'model_provider="none"',
      "-c", `model_providers.none={name="none",base_url="${noModel}",wire_api="responses"}`, "list the tools"],
  },
  copilot: { run: ["copilot", "-p", "list the tools"], env: { COPILOT_OFFLINE: "true", COPILOT_PROVIDER_BASE_URL: noModel, COPILOT_MODEL: "none" } },
  cline: { run: ["cline", "-P", "openai", "-k", "none", "-m", "none", "--json", "list the tools"], expandsNothing: true },
  continue: {
    run: ["cn", "-p", "list the tools", "--config", ".continue/config.yaml"],
    env: { TWILIO_API_KEY: "none", TWILIO_API_SECRET: "none" }, // it refuses secrets that are not set
    edit: (home) => appendFileSync(join(home, ".continue/config.yaml"),
      `models: [{ name: none, provider: openai, model: none, apiBase: "${noModel}", apiKey: none }]\n`),
    cwd: "home",
  },
};

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

// config runs the command; the token must not be in what it prints.
function config(where, ...args) {
  const { status, stdout, stderr } = spawnSync("twilio-conversations-mcp", ["config", ...args], { cwd: where.project, env: where.env, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.ok(!(stdout + stderr).includes(token), "the token must not be printed");
  return stdout;
}

// startServer serves the sandbox over HTTP and resolves to its URL.
function startServer(extra) {
  const child = spawn("twilio-conversations-mcp", ["--sandbox", "--http", "127.0.0.1:0"], { env: { ...env, ...extra }, stdio: ["ignore", "ignore", "pipe"] });
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface(child.stderr).on("line", (line) => {
      const [, url] = line.match(/ url=(http:\/\/127\.0\.0\.1:\d+\/mcp)$/) ?? [];
      if (url) resolve({ url, stop: () => child.kill("SIGKILL") });
    });
  });
}

// startRecorder passes requests on to a server, and records those that were accepted.
function startRecorder(target) {
  const recorder = createServer(async (from, to) => {
    const chunks = [];
    for await (const chunk of from) chunks.push(chunk);
    const on = request(new URL(from.url, target), { method: from.method, headers: from.headers }, (answer) => {
      if (answer.statusCode === 200) appendFileSync(recording, Buffer.concat([...chunks, Buffer.from("\n")]));
      to.writeHead(answer.statusCode, answer.headers);
      answer.pipe(to);
    });
    on.on("error", () => to.destroy());
    on.end(Buffer.concat(chunks));
  });
  return new Promise((resolve) => {
    recorder.listen(0, "127.0.0.1", () => resolve({ url: `http://127.0.0.1:${recorder.address().port}/mcp`, stop: () => { recorder.closeAllConnections(); recorder.close(); } }));
  });
}

// install puts the server on PATH, or a program that records what the server reads.
function install(program) {
  rmSync(onPath, { force: true });
  if (program === server) return symlinkSync(server, onPath);
  writeFileSync(onPath, program);
  chmodSync(onPath, 0o755);
}
const onPath = join(bin, "twilio-conversations-mcp");
const recordingServer = `#!/bin/sh\ntee -a '${recording}' | exec '${server}' --sandbox "$@"\n`;

const recorded = () => existsSync(recording) && /"method":\s*"(initialize|server\/discover)"/.test(readFileSync(recording, "utf8"));

// connects fails unless the client initializes a connection within two minutes, and the server accepts it.
async function connects(name, url, extra) {
  const { run: [program, ...args], env: own, files, edit, cwd = "project" } = clients[name];
  const home = mkdtempSync(join(scratch, "home-")), project = mkdtempSync(join(scratch, "project-"));
  const where = { home, project, env: { ...env, HOME: home, ...own, ...extra } };
  install(server);
  config(where, name, "--write", ...(url ? ["--url", url] : []));
  install(recordingServer);
  edit?.(home);
  for (const [path, content] of Object.entries(files?.(where) ?? {})) write(path, JSON.stringify(content));
  rmSync(recording, { force: true });
  const path = installed.map((directory) => join(directory, program)).find(existsSync);
  const child = spawn(path.endsWith(".cjs") ? process.execPath : path, path.endsWith(".cjs") ? [path, ...args] : args, { cwd: where[cwd] ?? home, env: where.env, stdio: ["ignore", "pipe", "pipe"], detached: true });
  let output = "", ended = false;
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => { output = (output + data).slice(-4000); });
  child.on("exit", () => { ended = true; });
  try {
    for (const began = Date.now(); !recorded(); await new Promise((resolve) => setTimeout(resolve, 100))) {
      assert.ok(Date.now() - began < 120_000 && (!ended || recorded()), `the client did not connect; it says: ${output}`);
    }
  } finally {
    try { process.kill(-child.pid, "SIGKILL"); } catch { /* it has ended */ }
  }
}

// serverIn returns the server's entry from a file of any client.
function serverIn(file) {
  return Object.values(file).map((member) => member["twilio-conversations"]).find(Boolean);
}

// YAML and the node of n8n are read in the Go tests.
function checkFormat(name, url) {
  const text = config({ project: scratch, env: { ...env, HOME: scratch } }, name, ...(url ? ["--url", url] : []));
  const found = serverIn(name === "codex" ? parseTOML(text) : JSON.parse(text));
  assert.equal(url ? found.url ?? found.serverUrl ?? found.httpUrl ?? found.baseUrl : [found.command].flat()[0], url ?? "twilio-conversations-mcp");
}

const documents = ["claude-code", "claude-desktop", "cursor", "vscode", "codex", "gemini", "copilot", "opencode", "qwen", "cline", "kiro", "jetbrains", "zed", "windsurf", "mcporter"];
const stops = [];
let current;
try {
  mkdirSync(bin);
  for (const transport of ["stdio", "http", "http with a token"]) {
    const extra = transport.endsWith("token") ? { MCP_AUTH_TOKEN: token } : {};
    let url;
    install(server);
    if (transport !== "stdio") {
      const started = await startServer(extra), recorder = await startRecorder(started.url);
      stops.push(started.stop, recorder.stop);
      url = recorder.url;
    }
    for (const name of documents) {
      if (name === "claude-desktop" && url) continue;
      current = `${name}: the entry for ${transport} can be read`;
      checkFormat(name, url);
    }
    console.log(`ok  every entry for ${transport} can be read`);
    for (const name of Object.keys(clients)) {
      if (extra.MCP_AUTH_TOKEN && clients[name].expandsNothing) continue; // its user writes the token into the file
      current = `${name}: connects over ${transport}`;
      await connects(name, url, extra);
      console.log(`ok  ${current}`);
    }
  }
  current = "claude-desktop: a URL is refused";
  const { status, stdout, stderr } = spawnSync("twilio-conversations-mcp", ["config", "claude-desktop", "--url", "http://127.0.0.1:8080/mcp"], { env, encoding: "utf8" });
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(stderr, /Connectors/);
  console.log(`ok  ${current}`);
} catch (error) {
  console.error(`FAIL  ${current}\n${error.message}`);
  process.exitCode = 1;
} finally {
  for (const stop of stops) stop();
  rmSync(scratch, { recursive: true, force: true });
}
