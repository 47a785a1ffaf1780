// What the checks of pages in Chromium have in common.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const axe = readFileSync(new URL("node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
export const sizes = { wide: { width: 1280, height: 900 }, narrow: { width: 390, height: 844 } };

export const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  // Chromium as root has no sandbox. The rest keeps it from asking Google.
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// open returns a page of a site in a context of its own, and the list of its defects.
export async function open(base, options = {}) {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  const defects = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && defects.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => defects.push(`script: ${error.message}`));
  page.on("request", (request) => request.url().startsWith(`${base}/`) || defects.push(`request to ${request.url()}`));
  page.on("response", (response) => response.status() >= 400 && defects.push(`${response.status()} for ${response.url()}`));
  return { page, defects, close: () => context.close() };
}

export const openDetails = (page) => page.$$eval("details", (all) => all.forEach((details) => (details.open = true)));

// violations are what axe finds in a page.
export async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await axe.run();
    return violations.map((v) => `axe: ${v.id}: ${v.nodes.map((n) => n.target).join(", ")}`);
  });
}
