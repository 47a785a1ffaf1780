// An agent hears a conversation: an unmodified client of AI SDK lists the events,
// subscribes, gets what somebody writes, refreshes and unsubscribes.
import assert from 'node:assert/strict';
import http from 'node:http';
import { createMCPClient, experimental_createMCPEventWebhook as createMCPEventWebhook } from '@ai-sdk/mcp';
import { startTwilio } from './twilio.mjs';
import { freePort, start } from './process.mjs';

const conversation = 'CH' + 'b'.repeat(32);
const token = 'a-bearer-token-of-the-agent', authToken = 'the-auth-token-of-the-account';

const server = process.argv[2];
const sandboxURL = `http://127.0.0.1:${await freePort()}`;
await start(server, ['sandbox', '--http', new URL(sandboxURL).host], {}, `${sandboxURL}/v1/Conversations/x/Webhooks`);
const twilio = await startTwilio(sandboxURL, authToken);

const url = `http://127.0.0.1:${await freePort()}`;
await start(server, ['--http', new URL(url).host, '--public-url', url, '--base-url', twilio.url, '--allow-callback', '127.0.0.1/32'], {
  MCP_AUTH_TOKEN: token, MCP_EVENTS_KEY: 'a-key-that-has-at-least-thirty-two-bytes',
  TWILIO_API_KEY: 'SK1', TWILIO_API_SECRET: 'secret', TWILIO_AUTH_TOKEN: authToken,
}, `${url}/readyz`);

// The agent: a store in memory, and the callback of the client itself.
const subscriptions = new Map(), heard = [], controls = [];
const store = {
  get: async key => subscriptions.get(key),
  getById: async id => [...subscriptions.values()].find(s => s.id === id),
  set: async s => void subscriptions.set(s.key, s),
  update: async (key, patch) => void subscriptions.set(key, { ...subscriptions.get(key), ...patch }),
  delete: async key => void subscriptions.delete(key),
};
let refuse = 0; // events that the agent cannot accept
const handle = createMCPEventWebhook({
  store,
  onEvent: async ({ event }) => {
    if (refuse-- > 0) throw new Error('not now');
    heard.push(event);
  },
  onGap: async ({ gap }) => void controls.push(gap),
  onTerminated: async ({ termination }) => void controls.push(termination),
});
const callback = http.createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const answer = await handle(new Request(new URL(request.url, `http://${request.headers.host}`), { method: request.method, headers: request.headers, body: Buffer.concat(chunks) }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers));
  response.end(Buffer.from(await answer.arrayBuffer()));
});
await new Promise(resolve => callback.listen(0, '127.0.0.1', resolve));

const hears = async count => {
  for (let tries = 0; heard.length < count && tries < 1000; tries++) await new Promise(resolve => setTimeout(resolve, 10));
  assert.equal(heard.length, count);
};
const webhooks = async () => (await (await fetch(`${sandboxURL}/v1/Conversations/${conversation}/Webhooks`, { headers: { Authorization: 'Basic ' + btoa('SK1:secret') } })).json()).webhooks;
const poll = async cursor => {
  const response = await fetch(`${url}/mcp`, {
    method: 'POST', headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${token}` },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'events/poll', params: { name: 'onMessageAdded', arguments: { ConversationSid: conversation }, cursor } }),
  });
  return (await response.json()).result;
};

const client = await createMCPClient({
  transport: { type: 'http', url: `${url}/mcp`, headers: { Authorization: `Bearer ${token}` } },
  experimental_events: { store },
});
const { events } = await client.experimental_events.list();
assert.deepEqual(events.find(e => e.name === 'onMessageAdded').delivery, ['webhook', 'poll']);
assert.equal(events.length, 10);

await twilio.add(conversation, 'before the subscription');
const subscription = await client.experimental_events.subscribe({
  name: 'onMessageAdded', arguments: { ConversationSid: conversation },
  delivery: { mode: 'webhook', url: `http://127.0.0.1:${callback.address().port}/events`, allowInsecureLocalhost: true },
});
assert.equal(subscription.cursor, '0');
assert.equal((await webhooks()).length, 1);

const first = await twilio.add(conversation, 'hello');
await hears(1);
assert.equal(heard[0].eventId, first.sid);
assert.equal(heard[0].data.Body, 'hello');

await client.experimental_events.refresh({ id: subscription.id });
assert.equal((await webhooks()).length, 1, 'a refresh makes no second webhook');
refuse = 2;
await twilio.add(conversation, 'tried again');
await hears(2);

const missed = await poll(subscription.cursor);
assert.deepEqual(missed.events.map(e => e.eventId), heard.map(e => e.eventId), 'a poll returns the same events');
assert.equal(missed.cursor, '2');

await client.experimental_events.unsubscribe({ id: subscription.id });
assert.deepEqual(await webhooks(), []);
await twilio.add(conversation, 'after the subscription');
assert.equal(heard.length, 2);
assert.deepEqual(controls, []);
assert.deepEqual(twilio.failures, []);
await client.close();
console.log(`ok  events  an AI SDK client heard ${heard.length} messages, and polled ${missed.events.length}`);
process.exit();
