import {appendFileSync} from 'node:fs'
import type {Failure} from '../core/failure.ts'
import {printable} from '../core/printable.ts'

type Env = Readonly<Record<string, string | undefined>>

/** True inside a step of GitHub Actions. */
export function isGithub(env: Env): boolean {
  return env['GITHUB_ACTIONS'] === 'true'
}

// https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions
/**
 * Makes text of others harmless for a log that is searched for commands: `::set-output::` at the beginning of a line, and
 * `##[set-output]` anywhere. A file name is text of others.
 */
export function disarm(text: string): string {
  // Within one line, or many empty ones take time by the square of their number. NEL is white space to the runner only.
  return text.replaceAll(/^((?:[^\S\n\r\u2028\u2029]|\u0085)*):(?=:)/gmu, '$1: ').replaceAll('##[', '## [')
}

/** Disarms what goes to stdout or stderr inside a step of GitHub Actions, and leaves it as it is anywhere else. */
export function harmless(text: string): string {
  return isGithub(process.env) ? disarm(text) : text
}

/** GitHub shows so many annotations of a step. */
export const MOST_ANNOTATIONS = 10

const taken = new WeakSet<Failure>()

/** Takes failures to annotate, each once: a display may have told the page of the run what the command tells at its end. */
export function takeUnannotated(failures: readonly Failure[]): Failure[] {
  const left = failures.filter(each => !taken.has(each))
  for (const each of left) taken.add(each)
  return left
}

/** Writes an annotation of a failure, which the page of the run shows. */
export function annotate(title: string, message: string): string {
  const escaped = escape(title).replaceAll(':', '%3A').replaceAll(',', '%2C')
  return `::error title=${escaped}::${escape(message)}`
}

function escape(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

/** Appends Markdown to the summary of the step. A summary that cannot be written is no failure. */
export function appendSummary(env: Env, markdown: string): void {
  const file = env['GITHUB_STEP_SUMMARY']
  if (!file) return
  try {
    appendFileSync(file, `${markdown}\n`)
  } catch {
    // The upload counts, not its summary.
  }
}

/** Makes text of others harmless in a table of Markdown. */
export function cell(text: string): string {
  const safe = printable(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<code>${safe.replaceAll(/[|`*_[\]\\~#:@]/gu, char => `&#${char.codePointAt(0)};`)}</code>`
}
