// Agents hear a thousand messages through three copies of the server behind nginx, of
// which one is killed and one is stopped meanwhile. What they did not hear, they poll.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { startAgent } from './agent.mjs';
import { freePort, start } from './process.mjs';
import { startTwilio } from './twilio.mjs';

const server = process.argv[2], dir = mkdtempSync(`${process.argv[3]}/`);
const rooms = ['CH' + 'a'.repeat(32), 'CH' + 'b'.repeat(32)];
const tokens = ['a-bearer-token-of-agent-a', 'a-bearer-token-of-agent-b'], authToken = 'the-auth-token-of-the-account';
const messages = 1000, atOnce = 4;
const wait = ms => new Promise(resolve => setTimeout(resolve, ms));

const twilio = await startTwilio(server, authToken);
const url = `http://127.0.0.1:${await freePort()}`;
const copies = [];
const startCopy = async i => {
  copies[i].process = await start(server, ['--http', copies[i].address, '--public-url', url, '--base-url', twilio.url, '--allow-callback', '127.0.0.1/32'], {
    MCP_AUTH_TOKEN: tokens.join(), MCP_EVENTS_KEY: 'a-key-that-has-at-least-thirty-two-bytes',
    TWILIO_API_KEY: 'SK' + '1'.repeat(32), TWILIO_API_SECRET: 'secret', TWILIO_AUTH_TOKEN: authToken,
  }, `http://${copies[i].address}/readyz`);
};
for (let i = 0; i < 3; i++) {
  copies[i] = { address: `127.0.0.1:${await freePort()}` };
  await startCopy(i);
}
let conf = readFileSync(new URL('../../deploy/nginx.conf', import.meta.url), 'utf8')
  .replace('listen 8080;', `listen ${new URL(url).host};`).replace(/^.*(8443 ssl|ssl_).*\n/gm, '');
copies.forEach((copy, i) => { conf = conf.replaceAll(`127.0.0.1:808${i + 1} `, `${copy.address} `); });
writeFileSync(`${dir}/nginx.conf`, conf);
await start('nginx', ['-p', dir, '-c', `${dir}/nginx.conf`, '-g', 'daemon off;'], {}, `${url}/readyz`);

const sent = new Map(), heard = rooms.map(() => new Map()), times = [];
const agents = await Promise.all(rooms.map((room, i) => startAgent(url, tokens[i], event => {
  assert.equal(event.data.ConversationSid, room);
  const before = heard[i].get(event.data.MessageSid);
  assert.ok(!before || before === event.eventId, 'a double has the same id');
  heard[i].set(event.data.MessageSid, event.eventId);
  times.push(performance.now() - Number(event.data.Body));
})));
const subscriptions = await Promise.all(agents.map((agent, i) => agent.subscribe(rooms[i])));

const write = async worker => {
  for (let n = worker; n < messages; n += atOnce) {
    const room = rooms[n % 2], message = await twilio.add(room, String(performance.now()));
    sent.set(message.sid, room);
    await wait(15);
  }
};
const disturb = async () => {
  const victims = [0, 1, 2].sort(() => Math.random() - 0.5);
  for (const [i, signal] of [[victims[0], 'SIGKILL'], [victims[1], 'SIGTERM']]) {
    const before = sent.size;
    while (sent.size < before + messages / 5) await wait(5);
    const ended = new Promise(resolve => copies[i].process.on('exit', resolve));
    copies[i].process.kill(signal);
    await ended;
    await startCopy(i);
  }
};
await Promise.all([...Array(atOnce).keys()].map(write).concat(disturb()));
for (let tries = 0; heard[0].size + heard[1].size < messages && tries < 300; tries++) await wait(10);
const told = heard[0].size + heard[1].size;

for (const [i, agent] of agents.entries()) {
  let { cursor } = subscriptions[i], more = true;
  while (more) {
    const page = await agent.poll(rooms[i], cursor);
    page.events.forEach(event => {
      assert.ok([undefined, event.eventId].includes(heard[i].get(event.data.MessageSid)), 'a poll returns the same id');
      heard[i].set(event.data.MessageSid, event.eventId);
    });
    ({ cursor, hasMore: more } = page);
  }
  assert.deepEqual([...heard[i].keys()].sort(), [...sent].filter(([, room]) => room === rooms[i]).map(([sid]) => sid).sort());
  assert.deepEqual(agent.refused, [], 'nothing that was forged or is for another');
}
times.sort((a, b) => a - b);
const at = share => times[Math.floor(share * (times.length - 1))].toFixed(1);
console.log(`ok  events  ${messages} messages: ${told} heard, ${messages - told} found by polling; p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`);
process.exit();
