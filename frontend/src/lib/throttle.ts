// To the kernel: the newest value of a kind, one message under way at a time. A kernel that is
// slower than a hand would otherwise work through every place the hand has been.

export interface ThrottleOptions {
  /** Least time from one message to the next, in milliseconds. */
  readonly every?: number;
  /** Milliseconds after which a message counts as lost: a kernel may be busy for long, or gone. */
  readonly patience?: number;
}

export class Throttle<Value> {
  private readonly every: number;
  private readonly patience: number;
  private n = 0;
  private sentAt = Number.NEGATIVE_INFINITY;
  private underway = false;
  private waiting: { value: Value } | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` gets the value and its running number, by which the kernel acknowledges it. */
  constructor(
    private readonly send: (value: Value, n: number) => void,
    { every = 0, patience = 1500 }: ThrottleOptions = {},
  ) {
    this.every = every;
    this.patience = patience;
  }

  /** Send a value, now or in its turn; it takes the place of one that waits. */
  post(value: Value): void {
    this.waiting = { value };
    this.pump();
  }

  /** Take note that the kernel has dealt with the message of this number. */
  acknowledged(n: number): void {
    if (n < this.n) return;
    this.underway = false;
    this.stopTimer();
    this.pump();
  }

  /** Whether the kernel may not have heard of the newest value yet. */
  get busy(): boolean {
    const lost = performance.now() >= this.sentAt + this.patience;
    return (this.underway && !lost) || this.waiting !== null;
  }

  /** Drop what waits. */
  close(): void {
    this.stopTimer();
    this.waiting = null;
  }

  private pump(): void {
    if (this.waiting === null || this.timer !== undefined) return;
    const now = performance.now();
    const free = this.sentAt + (this.underway ? this.patience : this.every);
    if (now < free) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.pump();
      }, free - now);
      return;
    }
    const { value } = this.waiting;
    this.waiting = null;
    this.underway = true;
    this.sentAt = now;
    this.send(value, ++this.n);
  }

  private stopTimer(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
