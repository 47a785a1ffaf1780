// Checks the view in a browser, inside a small host of its own: what the Inspector does not show.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { launch, screenshot } from "./browser.mjs";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const axe = read("node_modules/axe-core/axe.min.js");
const conversation = "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
// What a host allows a view whose resource declares an empty csp.
const csp = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const webhook = (number, target, configuration) => ({
  sid: "WH" + String(number).padStart(32, "0"), account_sid: "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", conversation_sid: conversation,
  target, configuration, date_created: "2016-03-24T21:05:50Z", date_updated: "2016-03-24T21:05:50Z", url: "https://conversations.twilio.com/",
});
const three = [
  webhook(1, "webhook", { url: "https://example.com/hook", method: "GET", filters: ["onMessageAdded", "onConversationRemoved"] }),
  webhook(2, "trigger", { url: "https://example.com/keyword", method: "POST", triggers: ["help me", "stop"] }),
  webhook(3, "studio", { flow_sid: "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }),
];
const meta = { page: 0, page_size: 5, previous_page_url: null, next_page_url: null, key: "webhooks" };
const resultOf = (data, more) => ({ content: [{ type: "text", text: JSON.stringify(data) }], structuredContent: data, ...more });
const listOf = (webhooks, changes) => resultOf({ webhooks, meta: { ...meta, ...changes } });

let browser, server, base, canDelete;
before(async () => {
  server = createServer(({ url }, response) => {
    const isView = url === "/view";
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    if (isView) response.setHeader("Content-Security-Policy", csp);
    const html = read(isView ? "../../internal/web/app/webhooks.html" : "host.html");
    response.end(isView && canDelete ? html.replace("<html ", "<html data-delete ") : html); // as the server does
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${server.address().port}`;
  browser = await launch();
});
after(async () => {
  await browser?.close();
  server?.close();
});

// open shows the view in a host, and returns what a test needs of both.
async function open(t, { hostContext = {}, hostCapabilities = { serverTools: {} }, width = 900, deletes = false } = {}) {
  canDelete = deletes;
  const context = await browser.newContext({ viewport: { width, height: 640 }, timezoneId: "UTC", locale: "en-US" });
  t.after(() => context.close());
  const page = await context.newPage(), problems = [];
  page.on("pageerror", (error) => problems.push(error.message));
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("dialog", (dialog) => { problems.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => new URL(request.url()).origin !== base && problems.push(`request: ${request.url()}`));
  const initializeResult = { protocolVersion: "2026-01-26", hostInfo: { name: "host", version: "1" }, hostCapabilities, hostContext };
  await page.goto(`${base}/#${encodeURIComponent(JSON.stringify(initializeResult))}`);
  await page.waitForFunction(() => window.received.some((m) => m.method === "ui/notifications/initialized"));
  const view = page.frame({ url: `${base}/view` });
  return {
    page, view, problems,
    send: (message) => page.evaluate((m) => window.send(m), message),
    show: (result) => page.evaluate((params) => window.send({ method: "ui/notifications/tool-result", params }), result),
    input: (args) => page.evaluate((params) => window.send({ method: "ui/notifications/tool-input", params }), { arguments: args }),
    answerCalls: (result) => page.evaluate((r) => { window.callResult = r; }, result),
    received: (method) => page.evaluate((m) => window.received.filter((r) => r.method === m), method),
    status: (text) => view.locator("#status", { hasText: text }).waitFor({ timeout: 5000 }),
    rows: () => view.locator("tbody tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.replaceAll("\u202f", " ")))),
    refresh: view.locator("#refresh"),
    accessible: async () => {
      await view.evaluate(axe);
      const { violations } = await view.evaluate(() => window.axe.run());
      assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html)}`), []);
    },
  };
}

test("A list shows a row for each webhook", async (t) => {
  const { show, status, rows, view, problems } = await open(t);
  await show(listOf(three));
  await status("3 of 5 webhooks. 2 more can be added.");
  const created = "Mar 24, 2016, 9:05 PM";
  assert.deepEqual(await rows(), [
    [`webhook\n${three[0].sid}`, "https://example.com/hook", "onMessageAdded\nonConversationRemoved", "GET", created],
    [`trigger\n${three[1].sid}`, "https://example.com/keyword", "help me\nstop", "POST", created],
    [`studio\n${three[2].sid}`, "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "–", "–", created],
  ]);
  for (const [role, count] of [["rowheader", 3], ["columnheader", 5], ["cell", 12]]) assert.equal(await view.getByRole(role).count(), count, role);
  assert.equal(await view.getByRole("table", { name: `Conversation ${conversation}` }).count(), 1);
  assert.equal(await view.locator("caption").innerText(), `Conversation ${conversation}`);
  assert.deepEqual(problems, []);
});

test("The view listens, then initializes, then reports its size", async (t) => {
  const { page, show, status } = await open(t);
  await show(listOf(three));
  await status("3 of 5");
  await page.waitForFunction(() => window.received.some((m) => m.method === "ui/notifications/size-changed"));
  const [first, second, ...sizes] = await page.evaluate(() => window.received);
  assert.equal(first.method, "ui/initialize");
  assert.equal(first.params.protocolVersion, "2026-01-26");
  assert.equal(second.method, "ui/notifications/initialized");
  for (const { method, params } of sizes) {
    assert.equal(method, "ui/notifications/size-changed");
    assert.ok(params.width > 0 && params.height > 0, JSON.stringify(params));
  }
});

for (const theme of ["light", "dark"]) {
  test(`The ${theme} theme is readable and accessible`, async (t) => {
    const { page, show, status, view, accessible, problems } = await open(t, { hostContext: { theme } });
    await show(listOf(three));
    await status("3 of 5");
    assert.equal(await view.evaluate(() => getComputedStyle(document.body).backgroundColor), theme === "dark" ? "rgb(28, 28, 30)" : "rgb(255, 255, 255)");
    await accessible();
    await screenshot(page, `list-${theme}`);
    await show({ isError: true, content: [{ type: "text", text: "Twilio refused the request (404, code 20404): The requested resource was not found. Check the ConversationSid." }] });
    await status("Twilio refused");
    await accessible();
    await screenshot(page, `error-${theme}`);
    assert.deepEqual(problems, []);
  });
}

test("The host's variables take effect, also when they change", async (t) => {
  const variables = { "--color-background-primary": "light-dark(rgb(1, 2, 3), rgb(4, 5, 6))", "--color-text-primary": "rgb(250, 250, 250)", color: "red" };
  const { show, send, status, view } = await open(t, { hostContext: { theme: "light", styles: { variables } } });
  await show(listOf(three));
  await status("3 of 5");
  const colors = () => view.evaluate(() => { const { backgroundColor, color } = getComputedStyle(document.body); return [backgroundColor, color]; });
  assert.deepEqual(await colors(), ["rgb(1, 2, 3)", "rgb(250, 250, 250)"]);
  await send({ method: "ui/notifications/host-context-changed", params: { theme: "dark" } });
  await view.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  assert.deepEqual(await colors(), ["rgb(4, 5, 6)", "rgb(250, 250, 250)"]);
});

test("Dates follow the host's locale and time zone", async (t) => {
  const { show, send, status, view } = await open(t, { hostContext: { locale: "de-DE", timeZone: "Europe/Berlin" } });
  await show(listOf(three));
  await status("3 of 5");
  const date = view.locator("time").first();
  assert.equal(await date.innerText(), "24.03.2016, 22:05");
  assert.equal(await date.getAttribute("datetime"), "2016-03-24T21:05:50.000Z");
  await send({ method: "ui/notifications/host-context-changed", params: { locale: "no such locale", timeZone: "Nowhere" } });
  await view.locator("time", { hasText: "Mar 24, 2016" }).first().waitFor({ timeout: 5000 });
});

test("Hostile data is shown as text", async (t) => {
  const script = "javascript:alert(document.domain)", markup = `<img src=x onerror="alert(1)"><script>alert(2)</script>`;
  const reordered = "safe\u202egpj.exe", long = "https://example.com/" + "a".repeat(480);
  const { page, show, status, rows, view, accessible, problems } = await open(t, { hostContext: { theme: "dark" } });
  await show(listOf([
    webhook(1, "webhook", { url: script, method: markup, filters: [markup] }),
    webhook(2, markup, { url: long, method: "POST", triggers: [markup, reordered, "  spaces  "] }),
    { ...webhook(3, "studio", { flow_sid: markup }), date_created: markup },
  ]));
  await status("3 of 5");
  const shown = (await rows()).flat().join("\n");
  for (const expected of [script, markup, "safe[U+202E]gpj.exe", long]) assert.ok(shown.includes(expected), expected);
  assert.deepEqual(await view.evaluate(() => [...document.querySelectorAll("a, img, iframe, form, script:not(:last-of-type), [src], [href], [onerror]")].map((e) => e.outerHTML)), []);
  assert.equal(await view.evaluate(() => document.scripts.length), 1);
  assert.deepEqual(problems, []);
  await accessible();
  await screenshot(page, "hostile");
});

test("Values of unexpected types are shown, not fatal", async (t) => {
  const { show, status, rows, problems } = await open(t);
  await show(listOf([null, "text", 7, { target: null }, { target: { a: 1 }, sid: 5, configuration: "text", date_created: 7 },
    webhook(3, "webhook", { url: ["a", "b"], method: {}, filters: "one", triggers: 7 })]));
  await status("3 of 5");
  assert.deepEqual((await rows()).map((row) => row.slice(0, 4)), [
    ["", "–", "–", "–"], ['{"a":1}\n5', "–", "–", "–"], [`webhook\n${"WH" + "3".padStart(32, "0")}`, "a\nb", "one\n7", "{}"],
  ]);
  assert.deepEqual(problems, []);
});

test("Refresh works when tool-input never arrives", async (t) => {
  const { show, status, refresh, answerCalls, received } = await open(t);
  await show(listOf(three));
  await status("3 of 5");
  await answerCalls(listOf(three.slice(1)));
  await refresh.click();
  await status("2 of 5 webhooks. 3 more can be added.");
  const [{ params }] = await received("tools/call");
  assert.deepEqual(params, { name: "list_conversation_webhooks", arguments: { ConversationSid: conversation } });
});

test("Refresh uses the conversation of tool-input", async (t) => {
  const { input, show, status, refresh, answerCalls, received, view } = await open(t);
  await input({ ConversationSid: "support/42", PageSize: 2 });
  await show(listOf([]));
  await status("No webhooks. The conversation can have 5.");
  assert.equal(await view.locator("table").isVisible(), false);
  await answerCalls(listOf(three));
  await refresh.click();
  await status("3 of 5");
  assert.deepEqual((await received("tools/call"))[0].params.arguments, { ConversationSid: "support/42" });
});

test("A refresh that fails keeps the rows", async (t) => {
  const { show, status, refresh, answerCalls, rows } = await open(t);
  await show(listOf(three));
  await status("3 of 5");
  await answerCalls({ error: { code: -32000, message: "denied by the user" } });
  await refresh.click();
  await status("Refresh was not possible: denied by the user.");
  assert.equal((await rows()).length, 3);
  await answerCalls(listOf(three));
  await refresh.click();
  await status("3 of 5");
});

test("Two clicks refresh once", async (t) => {
  const { page, show, status, refresh, answerCalls, received } = await open(t);
  await show(listOf(three));
  await status("3 of 5");
  await refresh.click();
  await status("Loading");
  await refresh.click({ force: true }); // the driver would wait until the button is enabled
  const calls = await received("tools/call");
  assert.equal(calls.length, 1);
  await page.evaluate(([{ id }, result]) => window.send({ id, result }), [calls[0], listOf(three)]);
  await status("3 of 5");
});

test("Refresh is hidden without a conversation or without tools", async (t) => {
  const empty = await open(t);
  await empty.show(listOf([]));
  await empty.status("No webhooks");
  assert.equal(await empty.refresh.isVisible(), false);
  const noTools = await open(t, { hostCapabilities: {} });
  await noTools.show(listOf(three));
  await noTools.status("3 of 5");
  assert.equal(await noTools.refresh.isVisible(), false);
});

test("A single webhook has one row and leads to the list", async (t) => {
  const { page, show, status, rows, refresh, answerCalls, view, accessible } = await open(t, { hostContext: { theme: "light" } });
  await show({ ...resultOf(three[0]), content: [{ type: "text", text: JSON.stringify(three[0]) }, { type: "text", text: "This webhook was already there." }] });
  await status("1 webhook");
  assert.equal((await rows()).length, 1);
  assert.equal(await view.locator("#notes").innerText(), "This webhook was already there.");
  assert.equal(await refresh.innerText(), "Show all webhooks");
  await accessible();
  await screenshot(page, "single");
  await answerCalls(listOf(three));
  await refresh.click();
  await status("3 of 5");
  assert.equal(await refresh.innerText(), "Refresh");
  assert.equal(await view.locator("#notes").isVisible(), false);
});

test("A page of a longer list says that there is more", async (t) => {
  const { show, status } = await open(t);
  const next = "https://conversations.twilio.com/?Page=1", previous = "https://conversations.twilio.com/?Page=0";
  await show(listOf(three.slice(0, 2), { next_page_url: next }));
  await status("2 webhooks on this page. The conversation has more after it.");
  await show(listOf(three.slice(0, 1), { previous_page_url: previous, page: 1 }));
  await status("1 webhook on this page. The conversation has more before it.");
  await show(listOf(three, { previous_page_url: previous, next_page_url: next }));
  await status("3 webhooks on this page. The conversation has more before and after it.");
});

test("A full list, a text result, an error and a cancelled call are named", async (t) => {
  const { show, send, status, view, rows } = await open(t);
  await show(listOf([...three, webhook(4, "studio", {}), webhook(5, "studio", {})]));
  await status("5 of 5 webhooks. No more can be added.");
  await show({ content: [{ type: "text", text: JSON.stringify({ webhooks: three, meta }) }] });
  await status("3 of 5");
  assert.equal((await rows()).length, 3);
  await show({ isError: true, content: [{ type: "text", text: "first line" }, { type: "text", text: "second line" }] });
  await status("first line\nsecond line");
  assert.equal(await view.locator("table").isVisible(), false);
  await send({ method: "ui/notifications/tool-cancelled", params: { reason: "stopped by the user" } });
  await status("The call was cancelled: stopped by the user");
  await show({});
  await status("The result holds no webhooks.");
});

test("The view answers requests of the host, and nobody else's messages", async (t) => {
  const { page, show, send, status, view } = await open(t);
  await send({ id: 71, method: "ping" });
  await send({ id: "72", method: "ui/resource-teardown", params: { reason: "closed" } });
  await send({ id: 73, method: "no/such/method" });
  await page.waitForFunction(() => window.received.some((m) => m.id === 73));
  const answers = await page.evaluate(() => window.received.filter((m) => !m.method));
  assert.deepEqual(answers, [
    { jsonrpc: "2.0", id: 71, result: {} }, { jsonrpc: "2.0", id: "72", result: {} },
    { jsonrpc: "2.0", id: 73, error: { code: -32601, message: "Method not found" } },
  ]);
  const forged = JSON.stringify({ jsonrpc: "2.0", method: "ui/notifications/tool-result", params: listOf(three) });
  await page.evaluate((message) => {
    document.getElementById("other").srcdoc = `<script>parent.frames[0].postMessage(${message}, "*"); parent.sent = true</` + "script>";
  }, forged);
  await page.waitForFunction(() => window.sent);
  await send({ method: "constructor" });
  await send({ method: "__proto__", params: null });
  await page.evaluate(() => document.getElementById("view").contentWindow.postMessage("text", "*"));
  await send({ id: 74, method: "ping" }); // answered after everything before it
  await page.waitForFunction(() => window.received.some((m) => m.id === 74));
  assert.equal(await view.locator("#status").innerText(), "Waiting for the result.");
  await show(listOf(three));
  await status("3 of 5");
});

test("The table is usable on a narrow screen and by keyboard", async (t) => {
  const { page, show, status, view, accessible } = await open(t, { width: 340, hostContext: { theme: "dark" } });
  await show(listOf(three));
  await status("3 of 5");
  assert.equal(await view.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, "only the table scrolls sideways");
  await page.keyboard.press("Tab");
  await view.locator("#refresh:focus").waitFor({ timeout: 5000 });
  await page.keyboard.press("Tab");
  await view.locator("#scroll:focus").waitFor({ timeout: 5000 });
  await accessible();
  await screenshot(page, "narrow");
  await page.setViewportSize({ width: 560, height: 640 });
  await screenshot(page, "inline");
});

const found = {
  conversation: { sid: conversation, state: "active" },
  webhooks: [
    { sid: three[0].sid, target: "webhook", calls: "http://localhost/hook", events: ["onMessageAdded", "onMessageSent"] },
    { sid: three[1].sid, target: "trigger", calls: "https://example.com/keyword", events: ["onMessageAdded"], keywords: ["help me"] },
    { sid: three[2].sid, target: "studio", calls: "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", events: [] },
  ],
  other_levels: [{ level: "service", url: "https://example.com/all", events: ["onMessageAdded"] }],
  findings: [
    { severity: "problem", webhook: three[0].sid, text: "The webhook's URL has the local host localhost: Twilio cannot reach it.", page: "x" },
    { severity: "warning", webhook: three[2].sid, text: "The Flow has no Configuration.Filters.", page: "x" },
    { severity: "note", text: "REST <b>fires</b> nothing \u202e.", page: "x" },
  ],
  alerts: [], unavailable: [{ what: "the debugger's alerts", why: "HTTP 403." }],
};

for (const theme of ["light", "dark"]) {
  test(`A check shows its findings, the webhooks and the other levels, ${theme}`, async (t) => {
    const { page, view, show, status, rows, accessible, problems } = await open(t, { hostContext: { theme } });
    await show(resultOf(found));
    await status("1 problem, 1 warning, 1 part not read.");
    assert.deepEqual(await view.locator("#findings li").evaluateAll((items) => items.map((item) => [item.className, item.innerText])), [
      ["problem", `Problem: The webhook's URL has the local host localhost: Twilio cannot reach it. ${three[0].sid}`],
      ["warning", `Warning: The Flow has no Configuration.Filters. ${three[2].sid}`],
      ["note", "Note: REST <b>fires</b> nothing [U+202E]."],
      ["unread", "Not read: the debugger's alerts: HTTP 403."],
    ]);
    assert.deepEqual(await rows(), [
      [`webhook\n${three[0].sid}`, "http://localhost/hook", "onMessageAdded\nonMessageSent"],
      [`trigger\n${three[1].sid}`, "https://example.com/keyword", "help me"],
      [`studio\n${three[2].sid}`, "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "–"],
      ["All of the service", "https://example.com/all", "onMessageAdded"],
    ]);
    await accessible();
    await screenshot(page, `check-${theme}`);
    await show(listOf(three));
    await status("3 of 5 webhooks.");
    assert.equal(await view.locator("#findings").isVisible(), false);
    assert.deepEqual(problems, []);
  });
}

test("A check is repeated with its arguments", async (t) => {
  const { show, input, status, received, answerCalls, refresh } = await open(t);
  await input({ ConversationSid: "support/42", Hours: 48 });
  await show(resultOf({ ...found, conversation: {} }));
  await status("1 problem");
  assert.equal(await refresh.textContent(), "Check again");
  await answerCalls(resultOf({ ...found, findings: [], unavailable: [] }));
  await refresh.click();
  await status("Nothing is seen to be wrong.");
  const [{ params }] = await received("tools/call");
  assert.deepEqual(params, { name: "check_conversation_webhooks", arguments: { ConversationSid: "support/42", Hours: 48 } });
});

test("A webhook is deleted only after a question", async (t) => {
  const { page, view, show, status, received, answerCalls, accessible, problems } = await open(t, { deletes: true });
  await show(listOf(three));
  await status("3 of 5 webhooks.");
  const cell = view.locator("tbody tr").nth(1).locator("th");
  await cell.getByRole("button", { name: `Delete the webhook ${three[1].sid}` }).click();
  await cell.getByText("Delete it? It cannot be restored.").waitFor();
  await screenshot(page, "delete");
  await accessible();
  await cell.getByRole("button", { name: "Keep" }).click();
  assert.deepEqual(await received("tools/call"), []);
  await cell.getByRole("button").click();
  await answerCalls(resultOf({ sid: three[1].sid, deleted: true }));
  await cell.getByRole("button", { name: "now" }).click();
  await page.waitForFunction(() => window.received.filter((m) => m.method === "tools/call").length === 2);
  const [first, second] = await received("tools/call");
  assert.deepEqual(first.params, { name: "delete_conversation_webhook", arguments: { ConversationSid: conversation, Sid: three[1].sid } });
  assert.equal(second.params.name, "list_conversation_webhooks");
  assert.deepEqual(problems, []);
});

test("A delete that fails, or that the user declines elsewhere, says so", async (t) => {
  for (const [answer, message] of [
    [resultOf({ sid: three[0].sid, deleted: false }, { content: [{ type: "text", text: "Nothing was changed." }] }), "Nothing was changed."],
    [{ content: [{ type: "text", text: "Twilio refused." }], isError: true }, "Twilio refused."],
    [{ error: { code: -32602, message: "no such tool" } }, "Deleting was not possible: no such tool."],
  ]) {
    const { view, show, status, answerCalls } = await open(t, { deletes: true });
    await show(listOf(three));
    await view.locator("tbody tr").first().getByRole("button").click();
    await answerCalls(answer);
    await view.locator("tbody tr").first().getByRole("button", { name: "now" }).click();
    await status(message);
  }
});

test("Without the tool, the conversation or a host that calls tools, nothing can be deleted", async (t) => {
  for (const [options, webhooks] of [[{}, three], [{ deletes: true, hostCapabilities: {} }, three], [{ deletes: true }, [{ ...three[0], conversation_sid: null }]]]) {
    const { view, show, status } = await open(t, options);
    await show(listOf(webhooks));
    await status("of 5 webhooks.");
    assert.equal(await view.locator("tbody button").count(), 0);
  }
});

test("A SID stays on one line at 900 pixels", async (t) => {
  for (const [deletes, data] of [[false, { webhooks: three, meta }], [true, { webhooks: three, meta }], [true, found]]) {
    const { view, show, status } = await open(t, { deletes, width: 900 });
    await show(resultOf(data));
    await status(/\d/);
    const heights = await view.locator(".sid").evaluateAll((all) => all.map((e) => e.getClientRects().length));
    assert.ok(heights.length >= 4);
    assert.ok(heights.every((lines) => lines === 1), heights.join());
    const wide = await view.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 900, `the page is ${wide} pixels wide`);
  }
});

test("The theme is the host's, and not that of the operating system", async (t) => {
  const scheme = (view) => view.evaluate(() => getComputedStyle(document.documentElement).colorScheme);
  const { view, send } = await open(t);
  assert.equal(await scheme(view), "normal", "the host has said nothing");
  await send({ method: "ui/notifications/host-context-changed", params: { theme: "dark" } });
  await view.waitForFunction(() => document.documentElement.dataset.theme === "dark");
  assert.equal(await scheme(view), "dark");
});

test("Opened without a host, the page says so", async (t) => {
  const page = await browser.newPage();
  t.after(() => page.close());
  await page.goto(`${base}/view`);
  assert.equal(await page.locator("#status").innerText(), "This page shows its content inside an MCP client.");
});
