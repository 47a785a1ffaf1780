// Calls the server with the official TypeScript client, one call after another.
// Usage: node client.mjs URL legacy|modern CALLS PAUSE CONVERSATION... (PAUSE in ms)
//
// Every fourth call creates a webhook, each in another of the conversations; the
// others list. When CALLS are made and standard input has ended, it prints what
// it saw as JSON.
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { setTimeout } from "node:timers/promises";

const [url, era, calls, pause, ...conversations] = process.argv.slice(2);
const seen = { requests: 0, responses: {}, created: [], milliseconds: [], errors: [] };

// counted counts the HTTP requests that are tool calls, and their responses.
async function counted(address, init) {
  const isCall = typeof init?.body === "string" && init.body.includes('"tools/call"');
  if (isCall) seen.requests++;
  const response = await fetch(address, init);
  if (isCall) seen.responses[response.status] = (seen.responses[response.status] ?? 0) + 1;
  return response;
}

async function call(client, number) {
  const create = number % 4 === 3 && seen.created.length < conversations.length;
  const conversation = create ? conversations[seen.created.length] : "support/42";
  if (create) seen.created.push(conversation);
  const started = performance.now();
  const result = await client.callTool(
    create
      ? {
          name: "create_conversation_webhook",
          arguments: {
            ConversationSid: conversation,
            Target: "webhook",
            "Configuration.Url": "https://example.com/",
            "Configuration.Filters": ["onMessageAdded"],
          },
        }
      : { name: "list_conversation_webhooks", arguments: { ConversationSid: conversation } },
  );
  seen.milliseconds.push(performance.now() - started);
  if (result.isError) throw new Error(result.content[0].text);
}

let ended = false;
process.stdin.on("end", () => (ended = true)).resume();

const client = new Client(
  { name: "copies", version: "1" },
  { versionNegotiation: { mode: era === "modern" ? "auto" : "legacy" } },
);
await client.connect(new StreamableHTTPClientTransport(new URL(url), { fetch: counted }));
for (let number = 0; number < Number(calls) || !ended; number++) {
  try {
    await call(client, number);
  } catch (error) {
    seen.errors.push(`${error}: ${error.cause ?? ""}`);
  }
  await setTimeout(Number(pause));
}
await client.close();
console.log(JSON.stringify(seen));
