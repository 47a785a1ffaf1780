// Checks the view in the Inspector's web page, against a running server: node inspector.mjs URL
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch, screenshot } from "./browser.mjs";

const [serverURL] = process.argv.slice(2);
const token = "inspector-check"; // the Inspector's own, for this run
const timeout = 60_000; // milliseconds
const documented = "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", empty = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
const markup = `<img src=x onerror="alert(1)"><b>bold</b>`, script = "https://example.com/<script>alert(document.domain)</script>";

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

// startInspector serves the Inspector's web page and returns its address.
async function startInspector(home) {
  const port = await freePort();
  const child = spawn("node_modules/.bin/mcp-inspector", ["--web"], {
    cwd: import.meta.dirname, detached: true, stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env, HOME: home, HOST: "127.0.0.1", CLIENT_PORT: String(port), MCP_SANDBOX_PORT: String(await freePort()),
      MCP_AUTO_OPEN_ENABLED: "false", MCP_INSPECTOR_API_TOKEN: token,
    },
  });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => { log += data; });
  const url = `http://127.0.0.1:${port}/`;
  const stop = async () => {
    if (child.exitCode !== null) return;
    process.kill(-child.pid, "SIGKILL");
    await once(child, "exit");
  };
  for (const end = Date.now() + timeout; ; await new Promise((resolve) => setTimeout(resolve, 200))) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return { url, stop };
    if (Date.now() > end || child.exitCode !== null) {
      await stop();
      throw new Error(`the Inspector does not answer:\n${log}`);
    }
  }
}

// create makes a webhook in the sandbox.
async function create(conversation, configuration) {
  const args = { ConversationSid: conversation, ...configuration };
  const response = await fetch(serverURL, {
    method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "create_conversation_webhook", arguments: args } }),
  });
  const { result } = await response.json();
  assert.ok(result && !result.isError, JSON.stringify(result));
}

// open shows the view of a list in the Inspector. With auto, the Inspector opens it by itself and sends the view no tool-input.
async function open(browser, inspectorURL, conversation, { colorScheme = "light", auto = false } = {}) {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1440, height: 1000 } });
  const problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("dialog", (dialog) => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  const query = new URLSearchParams({
    serverUrl: serverURL, transport: "http", autoConnect: token, openApp: "list_conversation_webhooks",
    appArgs: Buffer.from(JSON.stringify({ ConversationSid: conversation })).toString("base64url"), ...(auto ? { autoOpen: token } : {}),
  });
  await page.goto(`${inspectorURL}?${query}`);
  if (!auto) await page.locator("[data-testid=open-app]").click({ timeout });
  await page.waitForSelector("[data-testid=apps-form][data-app-status=ready]", { state: "attached", timeout });
  const view = await viewIn(page);
  return {
    page, view, problems,
    status: (text) => view.locator("#status", { hasText: text }).waitFor({ timeout }),
    rows: () => view.locator("tbody tr").count(),
  };
}

// viewIn waits for the frame that shows the view.
async function viewIn(page) {
  for (const end = Date.now() + timeout; Date.now() < end; await page.waitForTimeout(100)) {
    for (const frame of page.frames()) {
      if (await frame.locator("#status").count().catch(() => 0)) return frame;
    }
  }
  throw new Error("no frame shows the view");
}

const checks = {
  async "a list is shown, light"(open) {
    const { page, view, status, rows, problems } = await open(documented);
    await status("3 of 5 webhooks. 2 more can be added.");
    assert.equal(await rows(), 3);
    assert.match(await view.locator("tbody").innerText(), /webhook[\s\S]*https:\/\/example\.com[\s\S]*onMessageAdded[\s\S]*keyword1[\s\S]*FWa{32}/);
    assert.equal(await view.evaluate(() => document.documentElement.dataset.theme), "light");
    await screenshot(page, "inspector-light");
    assert.deepEqual(problems, []);
  },
  async "the theme is the host's, dark"(open) {
    const { page, view, status } = await open(documented, { colorScheme: "dark" });
    await status("3 of 5");
    assert.equal(await view.evaluate(() => document.documentElement.dataset.theme), "dark");
    const [background] = (await view.evaluate(() => getComputedStyle(document.body).backgroundColor)).match(/\d+/);
    assert.ok(Number(background) < 80, `a dark background, not ${background}`);
    await screenshot(page, "inspector-dark");
  },
  async "a refresh shows what was added"(open) {
    for (const auto of [false, true]) {
      const { view, status, rows } = await open(documented, { auto });
      const before = await rows();
      await create(documented, { Target: "studio", "Configuration.FlowSid": "FWbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" });
      await view.locator("#refresh").click({ timeout });
      await status(`${before + 1} of 5`);
      assert.equal(await rows(), before + 1);
    }
  },
  async "an empty conversation has no table"(open) {
    const { view, status } = await open(empty);
    await status("No webhooks. The conversation can have 5.");
    assert.equal(await view.locator("table").isVisible(), false);
  },
  async "hostile webhooks are text"(open) {
    await create(empty, { Target: "webhook", "Configuration.Url": script, "Configuration.Filters": ["onMessageAdded"] });
    await create(empty, { Target: "trigger", "Configuration.Url": "https://example.com/b", "Configuration.Triggers": [markup] });
    const { page, view, status, problems } = await open(empty, { colorScheme: "dark" });
    await status("2 of 5");
    const shown = await view.locator("tbody").innerText();
    for (const text of [script, markup]) assert.ok(shown.includes(text), shown);
    assert.equal(await view.locator("tbody").locator("a, img, b, script").count(), 0);
    await screenshot(page, "inspector-hostile");
    assert.deepEqual(problems, []);
  },
  async "an error is shown in words"(open) {
    const { view, status } = await open("nobody");
    await status("20404");
    assert.equal(await view.locator("#status.error").count(), 1);
  },
};

const home = mkdtempSync(join(tmpdir(), "inspector-"));
let inspector, browser, running = "start";
try {
  inspector = await startInspector(home);
  browser = await launch();
  for (const [name, check] of Object.entries(checks)) {
    running = name;
    await check((conversation, options) => open(browser, inspector.url, conversation, options));
    for (const context of browser.contexts()) await context.close();
    console.log(`ok  inspector  ${name}`);
  }
} catch (error) {
  console.error(`FAIL  inspector  ${running}`, error);
  process.exitCode = 1;
} finally {
  await browser?.close();
  await inspector?.stop();
  rmSync(home, { recursive: true, force: true });
}
