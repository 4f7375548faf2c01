#!/usr/bin/env -S node --import tsx
// Runs the sources without a build; see CONTRIBUTING.md.
import {readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {execute, settings} from '@oclif/core'

// oclif would look for ts-node, and for the compiler's old API.
settings.enableAutoTranspile = false
const root = fileURLToPath(new URL('..', import.meta.url))
const pjson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
pjson.oclif.commands.target = './src/commands/index.ts'
await execute({development: true, dir: import.meta.url, loadOptions: {root, pjson}})
