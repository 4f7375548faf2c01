import {Failure} from '../../core/failure.ts'
import {checkOrigin} from '../cors-rule.ts'
import {isForbiddenHeader} from './browser-rules.ts'

/** Fails `usage` for what no browser sends as the origin of one page. */
export function checkPageOrigin(origin: string): void {
  if (origin === 'null') return
  checkOrigin(origin)
  if (origin.includes('*')) {
    throw new Failure('usage', `--origin: a page has one origin, and "${origin}" is a pattern.`, {
      suggestion: 'Name one page that the pattern is for.',
    })
  }
}

/** Fails `usage` for what is no header, and tells of those that a page cannot set. */
export function checkPageHeaders(headers: readonly string[]): readonly string[] {
  return headers.flatMap(header => {
    const [name = ''] = header.split(':', 1)
    if (!/^[\w!#$%&'*+.^`|~-]+$/u.test(name.trim())) {
      throw new Failure('usage', `--header: "${header}" does not begin with the name of a header.`)
    }
    return isForbiddenHeader(name.trim()) ? [`Browsers let no page set ${name.trim()}: it is left away.`] : []
  })
}
