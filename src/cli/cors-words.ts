import type {CorsRule, Json} from '../stores/store.ts'
import {formatTable} from './table.ts'

/** Rules that Skylift made have ids that begin so. */
const OURS = 'skylift-'

export function isOurs({id}: CorsRule): boolean {
  return id?.startsWith(OURS) === true
}

/** The rules as a table, in the order in which the store tries them. */
export function describeCors(rules: readonly CorsRule[]): string {
  return formatTable(
    ['ID', 'ORIGINS', 'METHODS', 'HEADERS', 'EXPOSED', 'MAX AGE'],
    rules.map(({id, origins, methods, headers, expose, maxAgeInSeconds: age}) => [
      id ?? '-',
      ...[origins, methods, headers, expose].map(each => (each.length === 0 ? '-' : each.join(', '))),
      age === undefined ? '-' : `${age} s`,
    ]),
  )
}

export function corsToJson(rule: CorsRule): Json {
  const {id, origins, methods, headers, expose, maxAgeInSeconds} = rule
  return {
    ...(id === undefined ? {} : {id}),
    origins,
    methods,
    headers,
    expose,
    ...(maxAgeInSeconds === undefined ? {} : {maxAgeInSeconds}),
    isOurs: isOurs(rule),
  }
}
