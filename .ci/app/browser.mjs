// What the checks of the view in a browser have in common.
import { chromium } from "playwright-core";

// launch starts the browser that the environment names, or Debian's.
export function launch() {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell";
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

// screenshot writes a picture into the directory that SCREENSHOTS names, if it is set.
export async function screenshot(target, name) {
  if (process.env.SCREENSHOTS) await target.screenshot({ path: `${process.env.SCREENSHOTS}/${name}.png` });
}
