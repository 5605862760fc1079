// Runs a script as actions/github-script does: as the body of an async function that is given
// `github`, `context`, `core` and `require`. Here `github` speaks to the server that is named.
// Standard input: {"script", "context", "api"}. Standard output: what the script told `core`.
import { createRequire } from 'node:module'
import { text } from 'node:stream/consumers'

// Octokit's names: https://octokit.github.io/rest.js
const ENDPOINTS = {
  repos: {
    listPullRequestsAssociatedWithCommit: 'GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls',
    listCommentsForCommit: 'GET /repos/{owner}/{repo}/commits/{commit_sha}/comments',
    createCommitComment: 'POST /repos/{owner}/{repo}/commits/{commit_sha}/comments',
    updateCommitComment: 'PATCH /repos/{owner}/{repo}/comments/{comment_id}',
  },
  issues: {
    listComments: 'GET /repos/{owner}/{repo}/issues/{issue_number}/comments',
    createComment: 'POST /repos/{owner}/{repo}/issues/{issue_number}/comments',
    updateComment: 'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}',
  },
}

const { script, context, api } = JSON.parse(await text(process.stdin))

function endpoint(route) {
  const [method, template] = route.split(' ')
  return async parameters => {
    const rest = { ...parameters }
    const path = template.replace(/\{(\w+)\}/g, (_, name) => {
      if (rest[name] === undefined) throw new Error(`${route} lacks ${name}`)
      const value = encodeURIComponent(rest[name])
      delete rest[name]
      return value
    })
    const query = method === 'GET' ? `?${new URLSearchParams(rest)}` : ''
    const body = method === 'GET' ? undefined : JSON.stringify(rest)
    const answer = await fetch(`${api}${path}${query}`, { method, body })
    if (!answer.ok) throw new Error(`${route} answered ${answer.status}`)
    return { status: answer.status, data: await answer.json() }
  }
}

async function paginate(list, parameters) {
  const all = []
  for (let page = 1; ; page++) {
    const { data } = await list({ ...parameters, page })
    if (!data.length) return all
    all.push(...data)
  }
}

const rest = Object.fromEntries(Object.entries(ENDPOINTS).map(([group, routes]) => [
  group, Object.fromEntries(Object.entries(routes).map(([name, route]) => [name, endpoint(route)])),
]))
const core = { info: line => console.log(line) }
const AsyncFunction = (async () => {}).constructor
const names = ['github', 'context', 'core', 'require']
const body = new AsyncFunction(...names, script)
await body({ rest, paginate }, context, core, createRequire(`${process.cwd()}/`))
