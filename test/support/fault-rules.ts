import type {IncomingMessage} from 'node:http'
import type {Fault, FaultyRequest} from './faults.ts'
import {type Operation, recogniseOperation} from './operations.ts'

export interface Injection {
  readonly operation: Operation | 'any'
  readonly fault: Fault
  /** How often it strikes (default: once). */
  readonly times?: number
  /** How many matching requests pass before. */
  readonly skip?: number
  readonly match?: (request: FaultyRequest) => boolean
}

/** An injected fault; `used` says how many requests it was given to. */
export interface Rule {
  readonly used: number
}

export interface FaultRules {
  inject(injection: Injection): Rule
  /** The fault of the first rule that wants this request; it counts as used. `any` means requests, not connections. */
  take(request: FaultyRequest): Fault | undefined
  clear(): void
}

export function createFaultRules(): FaultRules {
  const rules: (Injection & {left: number; toSkip: number; used: number})[] = []
  return {
    inject(injection) {
      const rule = {...injection, left: injection.times ?? 1, toSkip: injection.skip ?? 0, used: 0}
      rules.push(rule)
      return rule
    },
    take(request) {
      for (const rule of rules) {
        const fits =
          rule.operation === request.operation || (rule.operation === 'any' && request.operation !== 'connect')
        if (rule.left === 0 || !fits || (rule.match && !rule.match(request))) continue
        if (rule.toSkip > 0) rule.toSkip--
        else {
          rule.left--
          rule.used++
          return rule.fault
        }
      }
      return undefined
    },
    clear() {
      rules.length = 0
    },
  }
}

export function describeRequest(request: IncomingMessage): FaultyRequest {
  const {method = '', url: path = '', headers} = request
  const at = path.indexOf('?')
  const query = new URLSearchParams(at < 0 ? '' : path.slice(at + 1))
  const operation = recogniseOperation(method, path)
  // A segment of Swift has its number in its name.
  const named = operation === 'part' ? /\/(\d{8})(?:\?|$)/.exec(path)?.[1] : undefined
  const number = Number(query.get('partNumber') ?? named)
  return {operation, method, path, query, headers, ...(number > 0 ? {partNumber: number} : {})}
}

/** A connection before its first request. */
export const connectRequest: FaultyRequest = {
  operation: 'connect',
  method: '',
  path: '',
  query: new URLSearchParams(),
  headers: {},
}
