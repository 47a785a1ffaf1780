// Judges what the Inspector wrote with --format json, for one check of run.
// Usage: node check.mjs CHECK STDOUT STDERR   (two files)
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const [check, stdout, stderr] = process.argv.slice(2);

const checks = {
  // Warnings leave the exit code at 0. They are in schemaFindings, beside
  // result, and in words on stderr, where the server itself writes nothing.
  "tools/list --strict"(answer, errors) {
    assert.deepEqual(Object.keys(answer), ["result"]);
    assert.equal(errors, "");
  },
  "both tools are listed"({ result }) {
    const names = result.tools.map((tool) => tool.name).sort();
    assert.deepEqual(names, ["create_conversation_webhook", "list_conversation_webhooks"]);
  },
  "list: three webhooks"({ result }) {
    assert.equal(result.structuredContent.webhooks.length, 3);
  },
  "create: --tool-args-json": created,
  "create: --tool-arg": created,
  "error: unknown conversation"({ result }) {
    assert.match(text(result), /\bcode 20404\b/);
  },
  "error: PageSize 9"({ result }) {
    assert.match(text(result), /(^| )PageSize must be at most 5, not 9\.$/);
  },
};

function created({ result }) {
  const { sid, configuration } = result.structuredContent;
  assert.match(sid, /^WH[0-9a-f]{32}$/);
  assert.equal(configuration.url, "https://example.com/hook?a=b");
  assert.deepEqual(configuration.filters.sort(), ["onMessageAdded", "onMessageRemoved"]);
  assert.equal(configuration.replay_after, 0);
}

function text(result) {
  return result.content.map((block) => block.text).join("\n");
}

try {
  checks[check](JSON.parse(readFileSync(stdout, "utf8")), readFileSync(stderr, "utf8"));
} catch (reason) {
  console.error(reason.message);
  process.exitCode = 1;
}
