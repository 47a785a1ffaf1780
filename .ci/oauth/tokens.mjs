// Sends access tokens to the server: node tokens.mjs COMMAND URL ISSUER KEYFILE
//
// KEYFILE holds the key that the issuer signs with. The commands are:
//   refused      sends tokens that must be refused, and tokens without scopes
//   forged       sends 200 tokens with signatures that the issuer did not make
//   issue        prints a new token of the issuer
//   send TOKEN   prints the status that the server answers, and Retry-After
//   sign KEYID   prints a token of a key that the issuer does not have
import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { generateKeyPair, importJWK, SignJWT } from 'jose';

const [command, url, issuer, keyFile, argument] = process.argv.slice(2);
const conversation = 'CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';
const now = Math.floor(Date.now() / 1000);
const metadata = new URL('/.well-known/oauth-protected-resource/mcp', url);

// issue asks the issuer for a token, by client credentials.
async function issue(scope, resource = url) {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa('ci:ci-secret')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope, ...resource && { resource } }),
  });
  const body = await response.json();
  assert.equal(response.status, 200, JSON.stringify(body));
  return body.access_token;
}

// sign makes a token that is valid except for changed claims and header.
async function sign(claims = {}, header = {}, key) {
  const jwk = existsSync(keyFile) ? JSON.parse(readFileSync(keyFile, 'utf8')) : {};
  return new SignJWT({ iss: issuer, aud: url, sub: 'ci', client_id: 'ci', scope: 'webhooks:read', iat: now, exp: now + 300, ...claims })
    .setProtectedHeader({ alg: 'RS256', typ: 'at+jwt', kid: jwk.kid, ...header })
    .sign(key ?? await importJWK(jwk, 'RS256'));
}

// unsigned makes a token with alg none.
function unsigned(token) {
  const header = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
  return `${header}.${token.split('.')[1]}.`;
}

// publicKey returns the issuer's public key as a PEM text, for use as a secret.
function publicKey() {
  const { kty, n, e } = JSON.parse(readFileSync(keyFile, 'utf8'));
  return Buffer.from(createPublicKey({ key: { kty, n, e }, format: 'jwk' }).export({ type: 'spki', format: 'pem' }));
}

// forge replaces the last characters of a token.
const forge = (token, i) => token.slice(0, -6) + String(i).padStart(6, 'A');

// send calls a method with a token.
function send(token, method = 'tools/list', params = {}) {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...token && { authorization: `Bearer ${token}` } },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
}

const call = (token, name, args) => send(token, 'tools/call', { name, arguments: args });

async function expect(name, response, status, ...challenge) {
  const header = response.headers.get('www-authenticate') ?? '';
  assert.equal(response.status, status, `${name}: ${await response.text()}`);
  for (const parameter of challenge) assert.ok(header.includes(parameter), `${name}: ${header}`);
  console.log(`ok  ${name}: ${status}`);
}

async function refused() {
  const resource = `resource_metadata="${metadata}"`;
  const token = await issue('webhooks:read');
  assert.equal(JSON.parse(Buffer.from(token.split('.')[0], 'base64url')).typ, 'at+jwt');
  await expect('issued by client credentials', await send(token), 200);
  await expect('a call with its scope', await call(token, 'list_conversation_webhooks', { ConversationSid: conversation }), 200);
  await expect('a call without its scope', await call(token, 'create_conversation_webhook', { ConversationSid: conversation, Target: 'webhook' }),
    403, 'error="insufficient_scope"', 'scope="webhooks:read webhooks:write"', resource);
  await expect('no token', await send(), 401, 'scope="webhooks:read"', resource);

  const invalid = {
    'for another resource, issued': await issue('webhooks:read', 'https://other.example/mcp'),
    'opaque, issued': await issue('webhooks:read', ''),
    'for another audience': await sign({ aud: [`${url}/`, 'x'] }),
    'of another issuer': await sign({ iss: 'https://login.example' }),
    'expired': await sign({ exp: now - 90 }),
    'without expiry': await sign({ exp: undefined }),
    'not yet valid': await sign({ nbf: now + 90 }),
    'without signature': unsigned(token),
    'HS256 with the public key': await sign({}, { alg: 'HS256' }, publicKey()),
    'of a wrong type': await sign({}, { typ: 'logout+jwt' }),
    'forged': forge(token, 1),
  };
  for (const [name, bad] of Object.entries(invalid)) {
    await expect(name, await send(bad), 401, 'error="invalid_token"', 'scope="webhooks:read"', resource);
  }
  await expect('with a valid signature and leeway', await send(await sign({ exp: now - 30, nbf: now + 30 }, { typ: 'JWT' })), 200);
  await expect('metadata', await fetch(metadata, { headers: { origin: 'https://anyone.example' } }), 200);
}

async function forged() {
  const token = await issue('webhooks:read');
  const { privateKey } = await generateKeyPair('RS256');
  const statuses = await Promise.all(Array.from({ length: 200 }, async (_, i) =>
    (await send(i % 2 ? forge(token, i) : await sign({}, { kid: `forged-${i}` }, privateKey))).status));
  assert.deepEqual([...new Set(statuses)], [401]);
}

async function printAnswer(token) {
  const response = await send(token);
  console.log([response.status, response.headers.get('retry-after')].filter(Boolean).join(' '));
}

switch (command) {
  case 'refused': await refused(); break;
  case 'forged': await forged(); break;
  case 'issue': console.log(await issue('webhooks:read')); break;
  case 'send': await printAnswer(argument); break;
  case 'sign': console.log(await sign({}, { kid: argument }, (await generateKeyPair('RS256')).privateKey)); break;
  default: throw new Error(`unknown command ${command}`);
}
