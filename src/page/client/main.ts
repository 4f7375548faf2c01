import {asFailure} from '../../core/failure.ts'
import type {Failure} from '../../core/failure.ts'
import {advance, emptyProgress} from '../../upload/progress.ts'
import type {Progress} from '../../upload/progress.ts'
import type {UploadEvent} from '../../upload/events.ts'
import {containersOf, largestOf} from '../../stores/ticket/ticket.ts'
import {PAGE_IDS} from '../data.ts'
import type {PageData} from '../data.ts'
import {chooseTicket, fillTicket} from './choose.ts'
import type {Choice} from './choose.ts'
import {diagnose} from './diagnose.ts'
import {createHasher} from './hasher.ts'
import {remember} from './memory.ts'
import {placeOf} from './place.ts'
import {chooseServed} from './served.ts'
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

if (data.served !== undefined) view.tellTerms(data.served.target.container, data.served.max)
else if (anyTicket !== undefined) view.tellTerms(anyTicket.target.container, largestOf(anyTicket), anyTicket.expires)

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
    choice ??= await findPlace(chosen)
    const {place, ticket, finish} = choice
    remember(place.id, chosen, false)
    const link = await uploadFile({file: chosen, place, finish, hash, onEvent, signal: run.signal})
    remember(place.id, chosen, true)
    view.show('done')
    view.tellDone(chosen.name, link ?? ticket.link?.url)
  } catch (error) {
    if (run.signal.aborted) view.draw(progress, 'Paused')
    else await tell(error)
  } finally {
    clearInterval(timer)
    isRunning = false
  }
}

async function findPlace(chosen: File): Promise<Choice> {
  const {served, tickets} = data
  if (served !== undefined) return chooseServed(served, chosen, run.signal)
  const [template] = tickets
  if (data.isForAny === true && template !== undefined) return fillTicket(template, chosen)
  return chooseTicket(tickets, chosen, hash, run.signal)
}

/** Shows what went wrong; another file may be chosen then. */
async function tell(error: unknown): Promise<void> {
  const failure = await findCause(asFailure(error))
  const {remote = '', container = ''} = data.served?.target ?? anyTicket?.target ?? {}
  const containers = anyTicket === undefined ? [container] : containersOf(anyTicket)
  view.tellProblem(
    explain(
      failure,
      containers.map(each => `${remote}://${each}`),
    ),
  )
  view.show('choose')
}

async function findCause(failure: Failure): Promise<Failure> {
  const place = choice?.place ?? (anyTicket === undefined ? undefined : placeOf(anyTicket))
  choice = undefined
  if (failure.code !== 'network' || place === undefined) return failure
  try {
    await diagnose(place)
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
