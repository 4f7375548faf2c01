#!/usr/bin/env node
// The SDK would print a notice on stderr about Node versions; `skylift doctor` is the place for it.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'

const {main} = await import('../dist/run.js')
const {findCommand} = await import('../dist/lazy.js')
await main(import.meta.url, findCommand)
