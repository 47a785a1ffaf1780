#!/usr/bin/env node
// A browser for sign-ins without a person: browser.mjs URL. It follows redirects
// and keeps cookies.
import { fileURLToPath } from 'node:url';

// browse requests a URL and returns the URL that it is redirected to last: the
// one that begins with stop, which is not requested, or the one that answers
// without a redirect.
export async function browse(url, stop) {
  const cookies = new Map();
  for (let redirects = 0; redirects < 20; redirects++) {
    if (stop && String(url).startsWith(stop)) return new URL(url);
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(';')[0].split('=');
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (!location) {
      if (!response.ok || stop) throw new Error(`${url}: ${response.status} ${await response.text()}`);
      return new URL(url);
    }
    url = new URL(location, url);
  }
  throw new Error(`${url}: too many redirects`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await browse(process.argv[2]);
