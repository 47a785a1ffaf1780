// Reads the server's answer to tools/list, and counts the o200k tokens of what a
// model reads of it: names, descriptions and input schemas.
import { readFileSync } from 'node:fs'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

const [most, mostBytes] = process.argv.slice(2).map(Number)
const answer = readFileSync(0)
let all = 0
for (const { name, description, inputSchema } of JSON.parse(answer).result.tools) {
  const tokens = countTokens(JSON.stringify({ name, description, inputSchema }))
  console.log(`${name}: ${tokens} tokens`)
  all += tokens
}
console.log(`in all: ${all} tokens of at most ${most}; tools/list: ${answer.length} bytes of at most ${mostBytes}`)
process.exitCode = all <= most && answer.length <= mostBytes ? 0 : 1
