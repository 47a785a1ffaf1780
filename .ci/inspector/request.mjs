// Sends one request with the client that the Inspector is built on, for what the Inspector's command line cannot
// send, and prints the result, or the error, as the Inspector does.
// Usage: node request.mjs ERA METHOD PARAMS TARGET...   (legacy or modern; JSON; a URL, or a command and its arguments)
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const [era, method, params, target, ...args] = process.argv.slice(2);
const transport = target.startsWith("http:")
  ? new StreamableHTTPClientTransport(new URL(target))
  : new StdioClientTransport({ command: target, args });
const client = new Client({ name: "check", version: "1" }, { versionNegotiation: { mode: era === "modern" ? { pin: "2026-07-28" } : "legacy" } });
await client.connect(transport);
try {
  console.log(JSON.stringify({ result: await client.request({ method, params: JSON.parse(params) }) }));
} catch ({ code, message }) {
  console.error(JSON.stringify({ error: { code, message } }));
  process.exitCode = 1;
} finally {
  await client.close();
}
