/**
 * What the pages of the documentation hold. A fenced block may be told about by comments above it, which a reader of
 * the page does not see:
 *
 *   <!-- not run: needs AWS -->            the reason why no test runs it
 *   <!-- before: echo x > notes.txt -->    shell that runs first
 *   <!-- ends with 6: it is there -->      the exit status that it is about, and why
 *   <!-- recipe: cron -->                  what it is to be tried as; see recipes.test.ts
 */
export interface Block {
  /** The word behind the fence; empty for none. */
  readonly language: string
  readonly code: string
  /** Of the fence, from 1. */
  readonly line: number
  readonly notRun?: string
  readonly before?: string
  readonly recipe?: string
  readonly status: number
}

type Marks = Pick<Block, 'notRun' | 'before' | 'recipe' | 'status'>

const FENCE = /^(?<indent> *)```(?<language>[\w-]*)[^\n`]*\n(?<code>[\s\S]*?)^\k<indent>```[ \t]*$/gmu
const COMMENTS = /(?:<!--[\s\S]*?-->\s*)+$/u
const COMMENT = /<!--\s*(?<text>[\s\S]*?)\s*-->/gu

/** Returns the fenced blocks of a page in their order. Throws for a comment that is meant for one and says nothing known. */
export function readBlocks(page: string): Block[] {
  const text = page.replaceAll('\r\n', '\n')
  let end = 0
  return [...text.matchAll(FENCE)].map(match => {
    const {indent = '', language = '', code = ''} = match.groups ?? {}
    const above = text.slice(end, match.index)
    end = match.index + match[0].length
    return {
      language,
      code: code.replaceAll(new RegExp(`^${indent}`, 'gmu'), ''),
      line: text.slice(0, match.index).split('\n').length,
      ...readMarks(COMMENTS.exec(above)?.[0] ?? ''),
    }
  })
}

function readMarks(comments: string): Marks {
  let marks: Marks = {status: 0}
  for (const {groups} of comments.matchAll(COMMENT)) {
    const text = groups?.['text'] ?? ''
    const [, word = '', rest = ''] = /^(not run:|before:|recipe:|ends with)\s+([\s\S]+)$/u.exec(text) ?? []
    if (word === 'not run:') marks = {...marks, notRun: rest}
    else if (word === 'before:') marks = {...marks, before: rest}
    else if (word === 'recipe:') marks = {...marks, recipe: rest}
    else if (word === 'ends with' && /^\d+(?:: \S|$)/u.test(rest)) marks = {...marks, status: Number.parseInt(rest, 10)}
    else throw new Error(`A comment above a block says nothing that is known: ${text}`)
  }
  return marks
}

/** Returns the targets of the links of a page that lead to other files of the repository, without their anchors. */
export function readLinks(page: string): {readonly path: string; readonly anchor: string}[] {
  const prose = page.replaceAll(FENCE, '').replaceAll(/`[^`\n]*`/gu, '')
  return [...prose.matchAll(/\]\((?<to>[^)\s]+)\)/gu)]
    .map(({groups}) => groups?.['to'] ?? '')
    .filter(to => !/^[a-z]+:/u.test(to))
    .map(to => {
      const [path = '', anchor = ''] = to.split('#')
      return {path, anchor}
    })
}

/** Returns the anchors of a page's headings, as GitHub makes them. */
export function readAnchors(page: string): Set<string> {
  const headings = page.replaceAll(FENCE, '').matchAll(/^#{1,6} +(?<text>.+?) *$/gmu)
  return new Set(
    [...headings].map(({groups}) =>
      (groups?.['text'] ?? '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/gu, '-'),
    ),
  )
}
