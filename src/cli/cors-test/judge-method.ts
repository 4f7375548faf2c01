import {isFailure} from '../../core/failure.ts'
import type {Target} from '../../core/target.ts'
import type {Call} from '../../stores/store.ts'
import type {OpenStore} from '../store-command.ts'
import {actAsPage} from './act-as-page.ts'
import {isForbiddenHeader} from './browser-rules.ts'
import {planVisit} from './make-visit.ts'
import type {VisitWish} from './make-visit.ts'
import type {Trial} from './words.ts'

/** Does what a browser does for one method, and cleans up where a store took what it should have refused. */
export async function judgeMethod({store, call, wire}: OpenStore, place: Target, wish: VisitWish): Promise<Trial> {
  const headers = wish.headers.filter(header => !isForbiddenHeader(header.split(':', 1)[0] ?? ''))
  const {visit, target} = await planVisit(store, place, {...wish, headers}, call)
  const steps = await actAsPage(visit, wire, call)
  const isStored = wish.method === 'PUT' && steps.some(({step, status = 500}) => step === 'answer' && status < 300)
  const left = isStored && !(await isDeleted(() => store.deleteObject(target, call), call))
  const isAllowed = steps.every(each => each.isAllowed)
  return {method: wish.method, steps, isAllowed, ...(left ? {left: target.key} : {})}
}

/** What could not be deleted is no verdict on the page. */
async function isDeleted(drop: () => Promise<void>, {signal}: Call): Promise<boolean> {
  try {
    await drop()
    return true
  } catch (error) {
    signal.throwIfAborted()
    if (isFailure(error)) return false
    throw error
  }
}
