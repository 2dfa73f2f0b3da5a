// To the kernel: the newest value of a kind, one message under way at a time.
// A kernel that is slower than a hand would otherwise work through every place the hand has been.

class Stream {
  constructor(send, kind, { every = 33, patience = 1000 } = {}) {
    Object.assign(this, { send, kind, every, patience });
    this.n = 0;
    this.sentAt = -Infinity;
    this.underway = false;
    this.waiting = null;
    this.timer = 0;
  }

  post(value, extra) {
    this.waiting = { value, ...extra };
    this.pump();
  }

  pump() {
    if (!this.waiting || this.timer) return;
    const now = performance.now();
    const free = this.underway ? this.sentAt + this.patience : this.sentAt + this.every;
    if (now < free) {
      this.timer = setTimeout(() => { this.timer = 0; this.pump(); }, free - now);
      return;
    }
    this.underway = true;
    this.sentAt = now;
    const message = { kind: this.kind, n: ++this.n, ...this.waiting };
    this.waiting = null;
    this.send(message);
  }

  acknowledged(n) {
    if (n < this.n) return;
    this.underway = false;
    clearTimeout(this.timer);
    this.timer = 0;
    this.pump();
  }

  get busy() {
    return this.underway && performance.now() < this.sentAt + this.patience || this.waiting !== null;
  }

  close() {
    clearTimeout(this.timer);
    this.waiting = null;
  }
}
