// Visits the web pages of a running server and fails if one of them has a defect:
// an accessibility violation that axe finds, something that the Content Security
// Policy blocks, an error on the console, a request to another host, text that
// does not fit the window, or a control that does not work.
//
// Usage: node check.mjs BASE [FOLDER]   (screenshots go to FOLDER)
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import path from "node:path";
import { browser, open as openPage, openDetails, sizes, violations } from "./page.mjs";

const [base, folder] = process.argv.slice(2);
const open = (options) => openPage(base, options);

// The addresses are those of llms.txt, so every page is visited.
async function addresses() {
  const index = await (await fetch(`${base}/llms.txt`)).text();
  const pages = [...index.matchAll(/\]\(([^)]+)\.md\)/g)].map((link) => new URL(link[1], base));
  const files = ["operations", "guides"].flatMap((kind) => readdirSync(new URL(`../../internal/docs/${kind}`, import.meta.url)));
  assert.equal(pages.length, files.length, "llms.txt lists every page");
  assert.ok(pages.every((page) => page.origin === new URL(base).origin), "the addresses are those of the server");
  return ["/", ...pages.map((page) => page.pathname), "/search?q=50361", "/search?q=", "/search?q=zebra"];
}

async function visitAll() {
  for (const [size, viewport] of Object.entries(sizes)) {
    for (const colorScheme of ["light", "dark"]) {
      const { page, defects, close } = await open({ viewport, colorScheme });
      for (const address of await addresses()) {
        await page.goto(base + address);
        await openDetails(page);
        defects.push(...(await violations(page)));
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) defects.push(`the page is ${overflow} pixels too wide`);
        const name = `${size}-${colorScheme}-${address.replace(/[^a-z0-9]+/g, "-")}.png`;
        if (folder) await page.screenshot({ path: path.join(folder, name), fullPage: true });
        assert.deepEqual(defects, [], `${address}, ${size}, ${colorScheme}`);
      }
      await close();
      console.log(`ok  every page, ${size}, ${colorScheme}`);
    }
  }
}

async function followLinks() {
  const { page, defects, close } = await open();
  const seen = new Set();
  for (const address of await addresses()) {
    await page.goto(base + address);
    const links = await page.$$eval("a[href], link[href], script[src]", (all) => all.map((a) => a.href || a.src));
    for (const link of links.filter((link) => link.startsWith(base))) seen.add(link.split("#")[0]);
  }
  for (const link of seen) {
    const { status } = await fetch(link);
    assert.equal(status, 200, link);
  }
  assert.deepEqual(defects, []);
  await close();
  console.log(`ok  ${seen.size} links`);
}

async function copy() {
  const { page, defects, close } = await open();
  await page.goto(base);
  await openDetails(page);
  for (const button of await page.locator("button.copy").all()) {
    const block = await button.locator("xpath=preceding-sibling::pre").textContent();
    await button.click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), block.trimEnd());
  }
  const entry = await page.locator("pre", { hasText: "mcpServers" }).first().textContent();
  assert.equal(Object.values(JSON.parse(entry).mcpServers)[0].url, `${base}/mcp`);
  assert.deepEqual(defects, []);
  await close();
  console.log("ok  copy");
}

async function search(javaScriptEnabled) {
  const { page, defects, close } = await open({ javaScriptEnabled });
  await page.goto(`${base}/docs/guides/paging`);
  await page.getByRole("searchbox").fill("which event fires when a participant leaves");
  await page.keyboard.press("Enter");
  await page.locator(".results a").first().click();
  await page.waitForURL(`${base}/docs/guides/events`);
  assert.match(await page.locator("main").innerText(), /onParticipantRemoved/);
  assert.deepEqual(defects, []);
  await close();
  console.log(`ok  search, ${javaScriptEnabled ? "with" : "without"} JavaScript`);
}

// Everything is readable without JavaScript, and no button is there that would do nothing.
async function withoutJavaScript() {
  const texts = [];
  for (const javaScriptEnabled of [true, false]) {
    const { page, defects, close } = await open({ javaScriptEnabled });
    const visible = [];
    for (const address of await addresses()) {
      await page.goto(base + address);
      visible.push((await page.locator("main").innerText()).replace(/\bCopy\b/g, "").replace(/\s+/g, " "));
      if (!javaScriptEnabled) assert.equal(await page.locator("main button").count(), 0, address);
    }
    assert.deepEqual(defects, []);
    texts.push(visible);
    await close();
  }
  assert.deepEqual(texts[1], texts[0]);
  console.log("ok  readable without JavaScript");
}

// Page not found is a page too. Its own 404 is the only thing that goes wrong.
async function missing() {
  const { page, defects, close } = await open();
  await page.goto(`${base}/docs/guides/nothing`);
  defects.push(...(await violations(page)));
  assert.deepEqual(defects.filter((d) => !/404/.test(d)), []);
  await page.locator("main a").click();
  await page.waitForURL(`${base}/`);
  await close();
  console.log("ok  page not found");
}

try {
  await visitAll();
  await followLinks();
  await copy();
  await search(true);
  await search(false);
  await withoutJavaScript();
  await missing();
} catch (error) {
  console.error(`FAIL  ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
