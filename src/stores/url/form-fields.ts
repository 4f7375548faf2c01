import {objectHeaders} from '../s3/object-headers.ts'
import type {ObjectOptions} from '../store.ts'
import {refuse} from './cut-url.ts'
import type {FormUrl} from './signed-url.ts'

type Field = readonly [name: string, value: string]

/**
 * Returns the fields of a form in their order: those that were given, and those whose value its policy fixes. Fails `usage`
 * for an option that the policy does not leave open.
 */
export function formFields({fields, rules, headers}: FormUrl, options: ObjectOptions): readonly Field[] {
  const {'content-type': guess = '', ...wished} = objectHeaders(options)
  const given = new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]))
  const fixed = given.get('content-type')
  const type = headers['content-type']
  const [option] = Object.keys(wished)
  if (option !== undefined) refuseOption(option)
  if (options.noClobber === true) refuseOption('--no-clobber')
  if (
    type !== undefined &&
    type !== fixed &&
    (fixed !== undefined || !rules.some(({field}) => field === 'content-type'))
  )
    refuseOption('another content type')
  const missing = rules.filter(({field}) => field !== 'bucket' && !given.has(field))
  const more = missing.flatMap(({field, isStart, value}): Field[] => {
    if (!isStart) return [[field, value]]
    if (field !== 'content-type') return value === '' ? [[field, '']] : []
    if (type !== undefined && !type.startsWith(value)) refuseOption('this content type')
    return [['Content-Type', (type ?? guess).startsWith(value) ? (type ?? guess) : value]]
  })
  return [...Object.entries(fields), ...more]
}

function refuseOption(what: string): never {
  refuse(
    `The form cannot carry ${what}: its policy does not leave that open.`,
    'Leave the option out, or ask for a form that is made with it.',
  )
}
