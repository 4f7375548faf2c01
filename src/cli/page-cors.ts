import {isFailure} from '../core/failure.ts'
import type {Call, Store, Target} from '../stores/store.ts'
import {originNotes, readCorsRule} from './cors-rule.ts'
import {portAnswers} from './port-answers.ts'

/** Lets pages of these origins upload to the containers, as those of earlier pages may; returns what the person should know. */
export async function setPageCors(
  store: Pick<Store, 'addCors'>,
  {remote}: Target,
  containers: readonly string[],
  origins: readonly string[],
  call: Call,
  isWanted = (_origin: string): boolean => true,
): Promise<readonly string[]> {
  if (origins.length === 0) return []
  const rule = readCorsRule({origin: origins, preset: 'browser-upload'})
  const notes = new Set(originNotes(origins))
  for (const container of containers) {
    for (const note of await store.addCors({remote, container, key: ''}, rule, isWanted, call)) notes.add(note)
  }
  return [...notes]
}

/** The same for a page that is served; where the store lets nobody set it, or not us, that is told. */
export async function setServedCors(
  store: Pick<Store, 'addCors' | 'getCors'>,
  target: Target,
  containers: readonly string[],
  origins: readonly string[],
  call: Call,
): Promise<readonly string[]> {
  try {
    const ended = await findEnded(store, target, containers, call)
    return await setPageCors(store, target, containers, origins, call, origin => !ended.has(origin))
  } catch (error) {
    if (!isFailure(error, 'unsupported', 'forbidden')) throw error
    const {remote, container} = target
    return [
      `No CORS was set: ${error.message}`,
      `Whether browsers are let in all the same: skylift cors test ${remote}://${container} --origin ${origins[0]} --method PUT`,
    ]
  }
}

/** Where a system's own choice of ports begins: Linux 32768, others 49152. What is below, somebody chose. */
const FIRST_RANDOM_PORT = 32_768

/** Finds the origins of earlier runs of `page serve`: each had a port of its own, where nobody listens any more. */
async function findEnded(
  store: Pick<Store, 'getCors'>,
  {remote}: Target,
  containers: readonly string[],
  call: Call,
): Promise<ReadonlySet<string>> {
  const ended = new Set<string>()
  for (const container of containers) {
    const rules = await store.getCors({remote, container, key: ''}, call)
    for (const origin of new Set(rules.flatMap(({origins}) => origins))) {
      const port = Number(/^http:\/\/127\.0\.0\.1:(\d+)$/u.exec(origin)?.[1] ?? 0)
      if (port >= FIRST_RANDOM_PORT && !(await portAnswers(port))) ended.add(origin)
    }
  }
  return ended
}
