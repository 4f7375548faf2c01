/** Lines that go to a stream together: of thousands of small files a second, each write costs as much as its line. */
export interface GatheredLines {
  add(line: string): void
  flush(): void
}

export function gatherLines(stream: NodeJS.WritableStream): GatheredLines {
  let gathered = ''
  return {
    add(line) {
      gathered += `${line}\n`
    },
    flush() {
      if (gathered !== '') stream.write(gathered)
      gathered = ''
    },
  }
}
