// Reads the server's answers to initialize and tools/list, a JSON object a line, and
// counts the o200k tokens of what a model reads: names, descriptions and input
// schemas of the tools, and apart from them the instructions.
import { readFileSync } from 'node:fs'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'

const [toolset, maxTokens, maxBytes] = process.argv.slice(2)
const lines = readFileSync(0, 'utf8').trim().split('\n')
const { instructions } = lines.map(line => JSON.parse(line).result).find(result => result.instructions)
const { tools } = lines.map(line => JSON.parse(line).result).find(result => result.tools)
const bytes = Buffer.byteLength(lines.find(line => JSON.parse(line).result.tools))

let total = 0
for (const { name, description, inputSchema } of tools) {
  const tokens = countTokens(JSON.stringify({ name, description, inputSchema }))
  console.log(`${toolset}: ${name}: ${tokens} tokens`)
  total += tokens
}
const words = instructions.split(/\s+/).length
console.log(`${toolset}: ${total} tokens, at most ${maxTokens}; tools/list: ${bytes} bytes, at most ${maxBytes}; instructions: ${countTokens(instructions)} tokens, ${words} words, at most 60`)
process.exitCode = total <= Number(maxTokens) && bytes <= Number(maxBytes) && words <= 60 ? 0 : 1
