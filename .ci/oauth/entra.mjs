// An OAuth authorization server that behaves like Microsoft Entra in what differs
// from oidc-provider: node entra.mjs PORT APPLICATION_ID
//
// Its issuer has a path. It refuses a scope without the prefix
// api://APPLICATION_ID/, and issues tokens for the audience APPLICATION_ID that list
// scopes without the prefix: in scp to the user alice, who signs in by following
// redirects, and in roles to an application. It knows no dynamic registration and no
// client metadata documents.
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const [port, application] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}/tenant/v2.0`;
const prefix = `api://${application}/`;
const { privateKey, publicKey } = await generateKeyPair('RS256');
const codes = new Map(); // the scopes of authorization requests

const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/keys`,
  response_types_supported: ['code'],
  subject_types_supported: ['pairwise'],
  id_token_signing_alg_values_supported: ['RS256'],
  grant_types_supported: ['authorization_code', 'client_credentials'],
  code_challenge_methods_supported: ['S256'],
  token_endpoint_auth_methods_supported: ['none', 'client_secret_basic', 'client_secret_post'],
};

// token answers a request for a token.
async function token(parameters) {
  const granted = parameters.get('grant_type') === 'client_credentials'
    ? { scopes: parameters.get('scope').split(' '), claims: { roles: ['webhooks:read', 'webhooks:write'], azp: 'ci', sub: 'ci' } }
    : codes.get(parameters.get('code'));
  if (!granted || granted.scopes.some((scope) => !scope.startsWith(prefix))) {
    return [400, { error: 'invalid_scope', error_description: `AADSTS70011: a scope must begin with ${prefix}` }];
  }
  const now = Math.floor(Date.now() / 1000);
  const accessToken = await new SignJWT({ iss: issuer, aud: application, ver: '2.0', iat: now, nbf: now, exp: now + 300, ...granted.claims })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: 'k1' })
    .sign(privateKey);
  return [200, { token_type: 'Bearer', access_token: accessToken, expires_in: 300, scope: granted.scopes.join(' ') }];
}

// authorize signs alice in, and returns where her browser goes next.
function authorize(parameters) {
  const scopes = parameters.get('scope').split(' ');
  const code = String(codes.size);
  const scp = scopes.map((scope) => scope.replace(prefix, '')).join(' ');
  codes.set(code, { scopes, claims: { scp, azp: parameters.get('client_id'), sub: 'alice' } });
  const next = new URL(parameters.get('redirect_uri'));
  next.searchParams.set('code', code);
  next.searchParams.set('state', parameters.get('state') ?? '');
  return next;
}

createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  console.log(request.method, url.pathname);
  const json = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  switch (url.href.split('?')[0].replace(issuer, '')) {
    case '/.well-known/openid-configuration': return json(200, metadata);
    case '/keys': return json(200, { keys: [{ ...await exportJWK(publicKey), kid: 'k1', use: 'sig', alg: 'RS256' }] });
    case '/authorize': return response.writeHead(302, { location: authorize(url.searchParams) }).end();
    case '/token': {
      let body = '';
      for await (const part of request) body += part;
      return json(...await token(new URLSearchParams(body)));
    }
    default: return json(404, { error: 'not_found' });
  }
}).listen(port, '127.0.0.1', () => console.log('listening'));
