// Uses the sandbox as an unmodified program with Twilio's SDK does, host aside, and
// judges the signatures of its webhooks with the SDK's validator.
// Usage: node check.mjs SERVER
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import twilio from "twilio";

const token = "0123456789abcdef0123456789abcdef";
const ok = (what) => console.log(`ok  ${what}`);

const sandbox = spawn(process.argv[2], ["sandbox", "--http", "127.0.0.1:0"], { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, TWILIO_AUTH_TOKEN: token } });
process.on("exit", () => sandbox.kill());
const base = await new Promise((resolve) => sandbox.stderr.on("data", (text) => {
  const found = /http:\/\/127\.0\.0\.1:\d+/.exec(text);
  if (found) resolve(found[0]);
}));

// The SDK has no setting for its host.
class ToSandbox extends twilio.RequestClient {
  request(options) {
    const address = new URL(options.uri);
    return super.request({ ...options, uri: base + address.pathname + address.search });
  }
}
const client = twilio("AC" + "a".repeat(32), token, { httpClient: new ToSandbox() });

const requests = [];
let arrived;
const receiver = createServer(async (req, res) => {
  let body = "";
  for await (const chunk of req) body += chunk;
  requests.push({ url: `http://${req.headers.host}${req.url}`, signature: req.headers["x-twilio-signature"], fields: new URLSearchParams(body) });
  res.end();
  arrived?.();
}).listen(0, "127.0.0.1");
await once(receiver, "listening");
const hook = `http://127.0.0.1:${receiver.address().port}/hook?a=1%202`;
const next = async () => {
  while (requests.length === 0) await new Promise((resolve) => { arrived = resolve; });
  return requests.shift();
};

const [found] = await client.conversations.v1.participantConversations.list({ address: "+15558675310" });
assert.equal(found.conversationUniqueName, "support/42");
const room = client.conversations.v1.conversations("empty room");
await room.webhooks.create({ target: "webhook", "configuration.url": hook, "configuration.filters": ["onMessageAdded", "onParticipantAdded"] });
await room.messages.create({ author: "agent", body: "quiet" });
const message = await room.messages.create({ author: "agent", body: "Zoë & co", xTwilioWebhookEnabled: "true" });
assert.equal(message.index, 1);
assert.equal((await room.messages.list({ order: "desc" }))[0].body, "Zoë & co");
ok("conversations, participants and messages");

const params = ({ fields }) => Object.fromEntries([...new Set(fields.keys())].map((name) => [name, fields.getAll(name).length > 1 ? fields.getAll(name) : fields.get(name)]));
const first = await next();
assert.equal(first.fields.get("Body"), "Zoë & co", "REST without the header fires nothing");
assert.ok(twilio.validateRequest(token, first.signature, first.url, params(first)));
assert.ok(!twilio.validateRequest(token, first.signature, `${first.url}x`, params(first)));
assert.ok(!twilio.validateRequest(token, first.signature, first.url, { ...params(first), Body: "Zoë & Co" }));
ok("the SDK's validator accepts a webhook, and refuses it when a byte is changed");

await room.participants.create({ "messagingBinding.address": "whatsapp:+15550001111", "messagingBinding.proxyAddress": "whatsapp:+15017122661", xTwilioWebhookEnabled: "true" });
const second = await next();
assert.ok(twilio.validateRequest(token, second.signature, second.url, params(second)));
ok("a participant's webhook");

await client.conversations.v1.configuration.webhooks().update({ postWebhookUrl: hook, filters: ["onConversationUpdated"] });
assert.deepEqual((await client.conversations.v1.configuration.webhooks().fetch()).filters, ["onConversationUpdated"]);
assert.equal((await client.conversations.v1.services.list()).length, 2);
assert.equal((await client.conversations.v1.addressConfigurations.list()).length, 1);
assert.ok((await client.monitor.v1.alerts.list()).length >= 2);
ok("configurations, Services, addresses and alerts");
receiver.close();
process.exit();
