import {formatDuration} from '../../core/durations.ts'
import {formatSize} from '../../core/sizes.ts'
import {movedOf} from '../../upload/progress.ts'
import type {Progress} from '../../upload/progress.ts'
import {emptyRate, etaOf, measureRate} from '../../upload/rate.ts'
import type {Explanation} from './words.ts'

export type Shown = 'choose' | 'work' | 'done'

/** The page as the person sees it: one of three scenes, and a problem where there is one. */
export interface View {
  readonly input: HTMLInputElement
  readonly drop: HTMLElement
  readonly pause: HTMLButtonElement
  readonly retry: HTMLButtonElement
  readonly copy: HTMLButtonElement
  tellTerms(container: string, max: number, expires?: string): void
  show(scene: Shown): void
  name(file: File): void
  /** Draws what is known now; `note` stands instead of the figures. */
  draw(progress: Progress, note?: string): void
  setPaused(isPaused: boolean): void
  tellProblem(problem: Explanation | undefined): void
  tellDone(name: string, link: string | undefined): void
}

function find(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`The page has no ${id}.`)
  return found
}

/** A screen reader is told every tenth, not every percent. */
const SPOKEN_STEP = 10

export function createView(): View {
  const bar = find('bar') as HTMLProgressElement
  const [figures, left, spoken] = [find('figures'), find('left'), find('spoken')]
  const title = document.title
  let rate = emptyRate(performance.now())
  let told = 0

  return {
    input: find('file') as HTMLInputElement,
    drop: find('drop'),
    pause: find('pause') as HTMLButtonElement,
    retry: find('retry') as HTMLButtonElement,
    copy: find('copy') as HTMLButtonElement,

    tellTerms(container, max, expires) {
      const until =
        expires === undefined
          ? ''
          : `, until ${new Date(expires).toLocaleString(undefined, {dateStyle: 'long', timeStyle: 'short'})}`
      find('terms').textContent = `Your file goes straight to ${container}. Up to ${formatSize(max)}${until}.`
    },

    show(scene) {
      for (const each of ['choose', 'work', 'done'] as const) find(each).hidden = each !== scene
      if (scene !== 'work') document.title = title
    },

    name(file) {
      find('name').textContent = file.name
      rate = emptyRate(performance.now())
      told = 0
      bar.removeAttribute('value')
      figures.textContent = formatSize(file.size)
      left.textContent = ''
    },

    draw(progress, note) {
      const {size, sent} = progress
      rate = measureRate(rate, performance.now(), movedOf(progress))
      const percent = size === 0 ? 0 : Math.floor((sent / size) * 100)
      if (size > 0) bar.value = sent / size
      figures.textContent = `${formatSize(sent)} of ${formatSize(size)} (${percent} %)`
      const eta = etaOf(rate, size - sent)
      const speed = rate.bytesPerSecond === undefined ? '' : `${formatSize(Math.round(rate.bytesPerSecond))}/s`
      const time = eta === undefined || eta === 0 ? '' : `${formatDuration(Math.ceil(eta / 1000) * 1000)} left`
      left.textContent = note ?? [speed, time].filter(Boolean).join(' · ')
      document.title = `${percent} % · ${title}`
      if (percent < told + SPOKEN_STEP && note === undefined) return
      told = percent
      spoken.textContent = note ?? `${percent} percent`
    },

    setPaused(isPaused) {
      find('pause').textContent = isPaused ? 'Resume' : 'Pause'
      bar.classList.toggle('paused', isPaused)
    },

    tellProblem(problem) {
      find('problem').hidden = problem === undefined
      find('problem-title').textContent = problem?.title ?? ''
      find('problem-advice').textContent = problem?.advice ?? ''
      find('problem-command').textContent = problem?.command ?? ''
      find('problem-command').hidden = problem?.command === undefined
      find('retry').hidden = problem?.canRetry !== true
    },

    tellDone(name, link) {
      const anchor = find('link') as HTMLAnchorElement
      find('done-name').textContent = name
      find('link-row').hidden = link === undefined
      if (link !== undefined) anchor.href = link
      find('done').focus()
    },
  }
}
