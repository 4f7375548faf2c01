/** Words that may come before anybody listens: what is told early is heard when somebody does. */
export interface Notes {
  tell(message: string): void
  connect(listener: (message: string) => void): void
}

export function holdNotes(): Notes {
  const held: string[] = []
  let listener: ((message: string) => void) | undefined
  return {
    tell(message) {
      if (listener === undefined) held.push(message)
      else listener(message)
    },
    connect(next) {
      listener = next
      for (const message of held.splice(0)) next(message)
    },
  }
}
