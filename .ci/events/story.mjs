// An agent hears a conversation: an unmodified client of AI SDK lists the events,
// subscribes, gets what somebody writes, refreshes and unsubscribes.
import assert from 'node:assert/strict';
import { startAgent } from './agent.mjs';
import { freePort, start } from './process.mjs';
import { startTwilio } from './twilio.mjs';

const conversation = 'CH' + 'b'.repeat(32);
const token = 'a-bearer-token-of-the-agent', authToken = 'the-auth-token-of-the-account';

const server = process.argv[2];
const twilio = await startTwilio(server, authToken);
const url = `http://127.0.0.1:${await freePort()}`;
await start(server, ['--http', new URL(url).host, '--public-url', url, '--base-url', twilio.url, '--allow-callback', '127.0.0.1/32'], {
  MCP_AUTH_TOKEN: token, MCP_EVENTS_KEY: 'a-key-that-has-at-least-thirty-two-bytes',
  TWILIO_API_KEY: 'SK' + '1'.repeat(32), TWILIO_API_SECRET: 'secret', TWILIO_AUTH_TOKEN: authToken,
}, `${url}/readyz`);

const heard = [];
let refuse = 0; // events that the agent cannot accept
const agent = await startAgent(url, token, event => {
  if (refuse-- > 0) throw new Error('not now');
  heard.push(event);
});
const hears = async count => {
  for (let tries = 0; heard.length < count && tries < 1000; tries++) await new Promise(resolve => setTimeout(resolve, 10));
  assert.equal(heard.length, count);
};

const { events } = await agent.events.list();
assert.deepEqual(events.find(e => e.name === 'onMessageAdded').delivery, ['webhook', 'poll']);
assert.equal(events.length, 10);

await twilio.add(conversation, 'before the subscription');
const subscription = await agent.subscribe(conversation);
const newest = Number(subscription.cursor);
assert.equal((await twilio.webhooks(conversation)).length, 1);

const first = await twilio.add(conversation, 'hello');
await hears(1);
assert.equal(heard[0].eventId, first.sid);
assert.equal(heard[0].data.Body, 'hello');

await agent.events.refresh({ id: subscription.id });
assert.equal((await twilio.webhooks(conversation)).length, 1, 'a refresh makes no second webhook');
refuse = 2;
await twilio.add(conversation, 'tried again');
await hears(2);

const missed = await agent.poll(conversation, subscription.cursor);
assert.deepEqual(missed.events.map(e => e.eventId), heard.map(e => e.eventId), 'a poll returns the same events');
assert.equal(missed.cursor, String(newest + 2));

await agent.events.unsubscribe({ id: subscription.id });
assert.deepEqual(await twilio.webhooks(conversation), []);
await twilio.add(conversation, 'after the subscription');
assert.equal(heard.length, 2);
assert.deepEqual([agent.controls, agent.refused, await twilio.failures()], [[], [], []]);
console.log(`ok  events  an AI SDK client heard ${heard.length} messages, and polled ${missed.events.length}`);
process.exit();
