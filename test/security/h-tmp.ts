import {startHostileStore} from '../fuzz/hostile-store.ts'
import {callSkylift} from '../support/run-skylift.ts'
const EVIL = '\u001B[2J\u001B]0;owned\u0007\u009B31m\u0085\u202Egpj.exe\u2066\u061C\r\n::error::forged\u2028##[error]forged'
const header = EVIL.replaceAll(/[\r\n]/gu, '')
const h = await startHostileStore()
const env = {PATH: process.env['PATH'] ?? '', HOME: '/tmp', OS_STORAGE_URL: `${h.origin}/v1/AUTH_a`, OS_AUTH_TOKEN: 'a-token', SKYLIFT_STATE_DIR: '/tmp/hst'}
const names = ['x-container-meta-note', 'x-storage-policy', 'x-container-read', 'x-trans-id', 'etag']
const headers = [...names, 'x-container-meta-access-control-allow-origin'].map(name => [name, header] as const)
h.reply({status: 200, headers, body: JSON.stringify([{name: EVIL}, {name: '::error::x'}])})
for (const argv of ['container show swift://box', 'cors show swift://box', 'container list swift://', 'verify /tmp/hfile swift://box/k', 'upload /tmp/hfile swift://box/ --retry-for 1s']) {
  process.stderr.write(`== ${argv}\n`)
  const e = await callSkylift(argv.split(' '), {env})
  process.stderr.write(`${e.status}\n`)
}
process.exit(0)
