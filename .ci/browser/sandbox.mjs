// Visits the page of a running sandbox, writes as Alice, sends again, and filters, and
// fails if a page has a defect; see check.mjs. All of it works without JavaScript.
//
// Usage: node sandbox.mjs BASE [FOLDER]   (screenshots go to FOLDER)
import assert from "node:assert/strict";
import { createServer } from "node:http";
import path from "node:path";
import { browser, open, sizes, violations } from "./page.mjs";

const [base, folder] = process.argv.slice(2);

const receiver = createServer((_, res) => res.end("thanks")).listen(0, "127.0.0.1");
const hook = (path) => `http://127.0.0.1:${receiver.address().port}${path}`;
const create = (url) => fetch(`${base}/v1/Conversations/empty%20room/Webhooks`, {
  method: "POST",
  headers: { Authorization: `Basic ${btoa("AC1:x")}` },
  body: new URLSearchParams({ Target: "webhook", "Configuration.Url": url, "Configuration.Filters": "onMessageAdded" }),
}).then((response) => response.json());

async function visit(name, options) {
  const { page, defects, close } = await open(base, options);
  await page.goto(base);
  defects.push(...(await violations(page)));
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (overflow > 0) defects.push(`the page is ${overflow} pixels too wide`);
  if (folder) await page.screenshot({ path: path.join(folder, `sandbox-${name}.png`), fullPage: true });
  for (const address of ["/_sandbox/log", "/_sandbox/log?open=1"]) {
    await page.goto(base + address);
    defects.push(...(await violations(page)));
  }
  assert.deepEqual(defects, [], name);
  await close();
  console.log(`ok  the sandbox's page, ${name}`);
}

async function use() {
  const { page, defects, close } = await open(base, { javaScriptEnabled: false });
  const [one, two] = [await create(hook("/one")), await create(hook("/two"))];
  await page.goto(base);
  const room = page.locator("article", { hasText: "empty room" });
  await room.getByLabel("Write as").selectOption("+15558675310");
  await room.getByLabel("Message").fill("Hello from the page");
  await room.getByRole("button", { name: "Send" }).click();
  await page.waitForURL(/#empty|#CH/);
  await page.locator("article li", { hasText: "Hello from the page" }).waitFor();
  const log = page.frameLocator("iframe");
  await log.getByText("answered 200").nth(1).waitFor();
  await log.getByRole("button", { name: /again/ }).first().click();
  await log.getByText("answered 200").nth(2).waitFor();
  await log.getByRole("link", { name: "Request and answer 1", exact: true }).click();
  await log.getByText("X-Twilio-Signature").waitFor(); // and stays: an open delivery is not refreshed
  await log.getByRole("link", { name: /Close/ }).click();
  await page.getByLabel("Webhook", { exact: true }).selectOption(two.sid);
  await page.getByRole("button", { name: "Show" }).click();
  await log.getByText(hook("/two")).first().waitFor();
  assert.equal(await log.getByText(hook("/one")).count(), 0);
  assert.notEqual(one.sid, two.sid);
  assert.deepEqual(defects, []);
  await close();
  console.log("ok  write, send again, filter, without JavaScript");
}

try {
  await use();
  for (const [size, viewport] of Object.entries(sizes)) {
    for (const colorScheme of ["light", "dark"]) await visit(`${size}-${colorScheme}`, { viewport, colorScheme });
  }
} catch (error) {
  console.error(`FAIL  ${error.message}`);
  process.exitCode = 1;
} finally {
  receiver.close();
  await browser.close();
}
