import {asFailure} from '../../core/failure.ts'
import type {Failure} from '../../core/failure.ts'
import {advance, emptyProgress} from '../../upload/progress.ts'
import type {Progress} from '../../upload/progress.ts'
import type {UploadEvent} from '../../upload/events.ts'
import {PAGE_IDS} from '../data.ts'
import type {PageData} from '../data.ts'
import {chooseTicket} from './choose.ts'
import type {Choice} from './choose.ts'
import {diagnose} from './diagnose.ts'
import {createHasher} from './hasher.ts'
import {remember} from './memory.ts'
import {placeOf} from './place.ts'
import {uploadFile} from './upload.ts'
import {createView} from './view.ts'
import {explain} from './words.ts'

const PAUSED = new Error('paused')
const DRAW_EVERY = 200

function readText(id: string): string {
  return document.getElementById(id)?.textContent ?? ''
}

const data = JSON.parse(readText(PAGE_IDS.data)) as PageData
const hash = createHasher(readText(PAGE_IDS.worker))
const view = createView()
const [anyTicket] = data.tickets

if (anyTicket !== undefined) view.tellTerms(anyTicket)

let run = new AbortController()
let isRunning = false
let file: File | undefined
let choice: Choice | undefined
let progress: Progress = emptyProgress()

/** Uploads the chosen file, or goes on with it. */
async function start(chosen: File): Promise<void> {
  if (isRunning) return
  isRunning = true
  run = new AbortController()
  file = chosen
  progress = emptyProgress()
  let note: string | undefined = 'Looking at the file…'
  view.tellProblem(undefined)
  view.setPaused(false)
  view.name(chosen)
  view.show('work')
  const timer = setInterval(() => view.draw(progress, note), DRAW_EVERY)

  function onEvent(event: UploadEvent): void {
    progress = advance(progress, event)
    if (event.event === 'retry') note = navigator.onLine ? 'Trying again…' : 'No network. It goes on when it is back.'
    else if (event.event === 'finishing') note = 'Finishing…'
    else if (event.event === 'start' || (event.event === 'progress' && event.sent > 0)) note = undefined
  }

  try {
    choice ??= await chooseTicket(data.tickets, chosen, hash, run.signal)
    const {place, ticket} = choice
    remember(place.id, chosen, false)
    await uploadFile({file: chosen, place, hash, onEvent, signal: run.signal})
    remember(place.id, chosen, true)
    view.show('done')
    view.tellDone(chosen.name, ticket.link?.url)
  } catch (error) {
    if (run.signal.aborted) view.draw(progress, 'Paused')
    else await tell(error)
  } finally {
    clearInterval(timer)
    isRunning = false
  }
}

/** Shows what went wrong; another file may be chosen then. */
async function tell(error: unknown): Promise<void> {
  choice = undefined
  const failure = await findCause(asFailure(error))
  const {remote = '', container = ''} = anyTicket?.target ?? {}
  view.tellProblem(explain(failure, `${remote}://${container}`))
  view.show('choose')
}

async function findCause(failure: Failure): Promise<Failure> {
  if (failure.code !== 'network' || anyTicket === undefined) return failure
  try {
    await diagnose(placeOf(anyTicket))
    return failure
  } catch (error) {
    return asFailure(error)
  }
}

function choose(files: FileList | null | undefined): void {
  const [chosen] = files ?? []
  if (chosen === undefined) return
  choice = undefined
  void start(chosen)
}

view.input.addEventListener('change', () => {
  choose(view.input.files)
  // The same file may be chosen once more.
  view.input.value = ''
})
view.pause.addEventListener('click', () => {
  if (isRunning) {
    run.abort(PAUSED)
    view.setPaused(true)
  } else if (file !== undefined) void start(file)
})
view.retry.addEventListener('click', () => {
  if (file !== undefined) void start(file)
})
view.copy.addEventListener('click', () => {
  const link = document.querySelector<HTMLAnchorElement>('#link')?.href ?? ''
  void navigator.clipboard.writeText(link).then(() => (view.copy.textContent = 'Copied'))
})
for (const name of ['dragenter', 'dragover'] as const) {
  addEventListener(name, event => {
    event.preventDefault()
    view.drop.classList.add('over')
  })
}
for (const name of ['dragleave', 'drop'] as const) {
  addEventListener(name, event => {
    event.preventDefault()
    view.drop.classList.remove('over')
  })
}
addEventListener('drop', ({dataTransfer}) => choose(dataTransfer?.files))
